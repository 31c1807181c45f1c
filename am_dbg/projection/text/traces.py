"""Reads stack traces of Python and Go programs: which rows are frames, and whose.

A frame belongs to the program or to a library. Folders in which package managers and languages
keep their code are libraries, and so are this library and its Go sibling; everything else is the
program's own. The source line below a frame belongs to the frame.

Python writes `File "path", line 12, in name`. Go writes the name of a function in one row and the
path with the line, after a tab, in the next one, so the row above a path belongs to its frame.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

CUT_MARK = "…"

_PYTHON = re.compile(r'^(?P<before>\s*File ")(?P<path>[^"]+)(?P<after>", line \d+.*)$')
_GO = re.compile(r"^(?P<before>\s+)(?P<path>\S+\.go)(?P<after>:\d+.*)$")
_BARE = re.compile(r"^(?P<before>\s*)(?P<path>\S+\.(?:py|go))(?P<after>:\d+.*)$")
_FRAME = (_PYTHON, _GO, _BARE)
_BEGIN = re.compile(r"^\s*(?:Traceback \(most recent call last\):|goroutine \d+ .*|Stack:?)\s*$")
_RAISED = re.compile(r"^(?:[\w.]+(?:Error|Exception|Exit|Interrupt|Group|Warning)\b|panic: )")
_LIBRARY = re.compile(
    r"^<|site-packages/|dist-packages/|/lib/python\d|(?:^|/)(?:machine|amtracer)/"
    r"|asyncmachine-go|/go/pkg/mod/|/usr/local/go/|/src/runtime/"
)


class RowOf(Enum):
    """Whose a row of a trace is."""

    TEXT = "text"
    ERROR = "error"
    OWN = "own"
    LIBRARY = "library"


@dataclass(frozen=True, slots=True)
class TraceRow:
    """A row of a trace; the row is `before`, `path` and `after`, with a path only in frames."""

    owner: RowOf
    before: str
    path: str = ""
    after: str = ""

    @property
    def text(self) -> str:
        """The row with its whole path."""
        return self.before + self.path + self.after


def is_trace(rows: Sequence[str]) -> bool:
    """Whether some rows contain a frame of a stack trace."""
    return any(_frame(row) for row in rows)


def read_trace(rows: Sequence[str]) -> tuple[TraceRow, ...]:
    """The rows of a trace, each with its owner."""
    found: list[TraceRow] = []
    for at, row in enumerate(rows):
        frame = _frame(row)
        if frame:
            owner = _owner_of(frame["path"])
            found.append(TraceRow(owner, frame["before"], frame["path"], frame["after"]))
        else:
            found.append(TraceRow(_owner(rows, at, found), row))
    return tuple(found)


def is_library(path: str) -> bool:
    """Whether a file belongs to a library, by its folder."""
    return bool(_LIBRARY.search(path))


def _owner_of(path: str) -> RowOf:
    return RowOf.LIBRARY if is_library(path) else RowOf.OWN


def _frame(row: str) -> re.Match[str] | None:
    return next((match for pattern in _FRAME if (match := pattern.match(row))), None)


def _owner(rows: Sequence[str], at: int, before: Sequence[TraceRow]) -> RowOf:
    """The owner of a row without a path: of its frame, or of none."""
    row = rows[at]
    if _BEGIN.match(row):
        return RowOf.TEXT
    if _RAISED.match(row):
        return RowOf.ERROR
    below = rows[at + 1] if at + 1 < len(rows) else ""
    if not row.startswith(" ") and (match := _GO.match(below)):
        return _owner_of(match["path"])
    is_source = row.startswith(" ") and before and before[-1].owner in (RowOf.OWN, RowOf.LIBRARY)
    return before[-1].owner if is_source else RowOf.TEXT


def short_path(path: str, room: int) -> str:
    """A path cut from the left to a number of characters; the name of the file stays whole."""
    if len(path) <= room:
        return path
    parts = path.split("/")
    for at in range(1, len(parts)):
        short = "/".join([CUT_MARK, *parts[at:]])
        if len(short) <= room or at == len(parts) - 1:
            return short
    return path
