"""Requests of control to the screen beyond repainting: dialogs, clipboard, suspend, quit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from am_dbg.control import states as s


class DialogKind(Enum):
    """The dialogs, each with the state of the modes that is active while it is open."""

    HELP = s.HELP_OPEN
    EXPORT = s.EXPORT_OPEN
    GOTO = s.GOTO_OPEN
    BOOKMARKS = s.BOOKMARKS_OPEN
    DIFFERENCE = s.DIFF_OPEN
    WHY_NOT = s.WHY_NOT_OPEN
    OCCURRENCES = s.ERRORS_OPEN
    PALETTE = s.PALETTE_OPEN


@dataclass(frozen=True, slots=True)
class CopyText:
    """Put a text on the clipboard."""

    text: str
    what: str


@dataclass(frozen=True, slots=True)
class OpenDialog:
    """Open a dialog."""

    kind: DialogKind


@dataclass(frozen=True, slots=True)
class UseTheme:
    """Use the colours of a theme, now and at the next starts."""

    name: str


@dataclass(frozen=True, slots=True)
class Suspend:
    """Give the terminal back to the shell for a while."""


@dataclass(frozen=True, slots=True)
class Quit:
    """End the debugger."""


Effect = CopyText | OpenDialog | Suspend | UseTheme | Quit
