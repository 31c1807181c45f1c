"""Requests of control to the screen beyond repainting: dialogs, clipboard, suspend, quit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CopyText:
    """Put a text on the clipboard."""

    text: str
    what: str


@dataclass(frozen=True, slots=True)
class OpenDialog:
    """Open the dialog of a mode, with a text to begin with."""

    mode: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class OpenPalette:
    """Open the command palette."""


@dataclass(frozen=True, slots=True)
class Suspend:
    """Give the terminal back to the shell for a while."""


@dataclass(frozen=True, slots=True)
class Quit:
    """End the debugger."""


Effect = CopyText | OpenDialog | OpenPalette | Suspend | Quit
