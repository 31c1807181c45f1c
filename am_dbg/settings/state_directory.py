"""The state directory: small files that the debugger keeps between two starts.

It is `am-dbg` in `XDG_STATE_HOME`, otherwise in `~/.local/state`. It has `settings.json` (the
theme, what was used last) and, in `sessions`, a file for each session that was open: the place,
the bookmarks, the filters and the scope. A session is known by the digest of its content, so a
file that was moved is found again, and one that was recorded again begins new.

Nothing here is needed: a file that cannot be read counts as empty, and one that cannot be
written is reported and left. Only the newest `SESSIONS_MAX` sessions are kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from amtracer.files.atomic import reason_of, shown

SESSIONS_MAX = 200
FILE_BYTES_MAX = 1_000_000
SETTINGS = "settings"

Kept = dict[str, object]
"""What a file of the directory has: values of JSON by name."""


def state_path(environment: Mapping[str, str] = os.environ) -> Path:
    """The path of the directory, which need not exist."""
    home = environment.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(home) / "am-dbg"


class StateDirectory:
    """Reads and writes the files."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def settings(self) -> Kept:
        """What is kept for all sessions."""
        return _read(self.path / f"{SETTINGS}.json")

    def keep_settings(self, values: Kept) -> str:
        """Keep values for all sessions beside those that are there; return what failed."""
        return _write(self.path / f"{SETTINGS}.json", {**self.settings(), **values})

    def session(self, digest: str) -> Kept:
        """What is kept for a session, nothing without a digest."""
        return _read(self._sessions / f"{digest}.json") if digest else {}

    def keep_session(self, digest: str, values: Kept) -> str:
        """Keep values for a session; forget the oldest sessions; return what failed."""
        trouble = _write(self._sessions / f"{digest}.json", values)
        self._forget_oldest()
        return trouble

    @property
    def _sessions(self) -> Path:
        return self.path / "sessions"

    def _forget_oldest(self) -> None:
        with suppress(OSError):
            files = sorted(self._sessions.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
            for path in files[: max(0, len(files) - SESSIONS_MAX)]:
                path.unlink(missing_ok=True)


def _read(path: Path) -> Kept:
    """The values of a file; a file that is missing, damaged or too large has none."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
        values = json.loads(data) if len(data) <= FILE_BYTES_MAX else None
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _write(path: Path, values: Kept) -> str:
    """Write a file whole or not at all; return what failed, empty for nothing."""
    data = json.dumps(values, ensure_ascii=True, indent=1)
    if len(data) > FILE_BYTES_MAX:
        return f"{shown(path)}: more than {FILE_BYTES_MAX:,} bytes are not kept"
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.write_text(data, encoding="ascii")
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        return f"{shown(path)}: it cannot be written, {reason_of(error)}"
    return ""
