"""How many colours a terminal shows, read from its environment.

Terminals announce themselves in variables. `COLORTERM` is set by those that show any colour,
but ssh does not forward it. `TERM` names a description, which most often says no more than 256.
A terminal that announces nothing gets the 16 colours that all of them have. `NO_COLOR`, if it
is not empty, asks for none at all (https://no-color.org).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import Enum

from am_dbg.options import AUTO

_TRUECOLOR_TERMS = ("direct", "truecolor", "kitty", "alacritty", "foot", "ghostty", "wezterm")
_COLORLESS_TERMS = ("vt52", "vt100", "vt102", "vt220", "vt320", "xterm-mono")


class ColorDepth(Enum):
    """How many colours the screen uses; the values are those of `--colors`."""

    TRUECOLOR = "truecolor"
    INDEXED = "256"
    BASIC = "16"
    NONE = "none"


def color_depth(
    choice: str, environ: Mapping[str, str], platform: str = sys.platform
) -> ColorDepth:
    """The depth that the user chose, or what the environment announces."""
    return detected_depth(environ, platform) if choice == AUTO else ColorDepth(choice)


def detected_depth(environ: Mapping[str, str], platform: str = sys.platform) -> ColorDepth:
    """The depth that the environment of a terminal announces."""
    term = environ.get("TERM", "").lower()
    if environ.get("NO_COLOR") or term in _COLORLESS_TERMS:
        return ColorDepth.NONE
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return ColorDepth.TRUECOLOR
    if platform == "win32" or any(word in term for word in _TRUECOLOR_TERMS):
        return ColorDepth.TRUECOLOR
    return ColorDepth.INDEXED if "256color" in term else ColorDepth.BASIC
