"""Ends the screen: on signals and faults too, the terminal is left as it was."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable

from am_dbg.errors import DebuggerError

SIGNALS = (
    "SIGABRT",
    "SIGALRM",
    "SIGHUP",
    "SIGINT",
    "SIGIO",
    "SIGPROF",
    "SIGPWR",
    "SIGQUIT",
    "SIGSTKFLT",
    "SIGSYS",
    "SIGTERM",
    "SIGTRAP",
    "SIGUSR1",
    "SIGUSR2",
    "SIGVTALRM",
    "SIGXCPU",
)
"""All signals that end a process unless it handles them, and that leave it intact.

Faults of the interpreter itself (SIGSEGV and its like) are not among them: nothing that is
written in Python can run after one.
"""

SHELL_CODE = 128
"""The number that shells add to that of the signal that ended a program."""

_log = logging.getLogger(__name__)


class ScreenFailedError(DebuggerError):
    """The screen had a fault of its own; the details are in a file."""

    def __init__(self, error: BaseException, path: str) -> None:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        super().__init__(f"the screen failed ({reason}); the details are in {path}")
        self.error = error
        self.path = path


def end_on_signals(end: Callable[[int], object]) -> None:
    """Make the running loop end the screen on a signal, with the exit code shells expect."""
    loop = asyncio.get_running_loop()
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and sys.platform != "win32":
            try:
                loop.add_signal_handler(number, end, SHELL_CODE + number)
            except (RuntimeError, ValueError):
                _log.info("%s is not watched outside of the main thread", name)


def failed(error: BaseException) -> ScreenFailedError:
    """Write a fault to a file and return the error that names the file."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="am-dbg-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        file.writelines(traceback.format_exception(error))
    return ScreenFailedError(error, file.name)
