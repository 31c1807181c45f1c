"""Writes a fault that ended the screen to a file."""

from __future__ import annotations

import tempfile
import traceback

from am_dbg.errors import DebuggerError


class ScreenFailedError(DebuggerError):
    """The screen had a fault of its own; the details are in a file."""

    def __init__(self, error: BaseException, path: str) -> None:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        super().__init__(f"the screen failed ({reason}); the details are in {path}")
        self.error = error
        self.path = path


def crash_report(error: BaseException) -> ScreenFailedError:
    """Write a fault to a file and return the error that names the file."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="am-dbg-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        file.writelines(traceback.format_exception(error))
    return ScreenFailedError(error, file.name)
