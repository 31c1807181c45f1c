"""Our dark and our light theme at each depth of colours, and Textual's themes with fewer colours.

A theme has one name at every depth, so a choice of the user holds on every terminal. The
variables that begin with `am-` are the roles that Textual does not know, `am-cursor` and
`am-marked` are grounds. With 16 colours, every theme is our dark or our light one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from am_dbg.views.colors.depth import ColorDepth
from am_dbg.views.colors.indexed import nearest

DEPTH_VARIABLE = "am-depth"
"""The variable of a theme that says for which depth its colours are."""

DARK = Theme(
    name="am-dark",
    primary="#7aa2f7",
    secondary="#7dcfff",
    accent="#bb9af7",
    success="#9ece6a",
    warning="#e0af68",
    error="#f7566b",
    foreground="#d5d7e0",
    background="#15161c",
    surface="#1b1d26",
    panel="#22242f",
    dark=True,
    variables={
        "am-quiet": "#868b9b",
        "am-line": "#3d4250",
        "am-removed": "#e0707a",
        "am-future": "#626875",
        "am-cursor": "#27324f",
        "am-marked": "#22252f",
        "am-strong": "#ffffff",
    },
)

LIGHT = Theme(
    name="am-light",
    primary="#2e5fd0",
    secondary="#006b8f",
    accent="#7847bd",
    success="#35701a",
    warning="#855610",
    error="#d01b3f",
    foreground="#25272e",
    background="#fbfbfc",
    surface="#f1f2f5",
    panel="#e7e9ee",
    dark=False,
    variables={
        "am-quiet": "#636876",
        "am-line": "#c0c4cd",
        "am-removed": "#b3404c",
        "am-future": "#8b909d",
        "am-cursor": "#d6e0fa",
        "am-marked": "#e9ebf0",
        "am-strong": "#000000",
    },
)

DARK_INDEXED = replace(
    DARK,
    primary="#87afff",
    secondary="#87d7ff",
    accent="#af87ff",
    success="#87d75f",
    warning="#d7af5f",
    error="#ff5f5f",
    foreground="#dadada",
    background="#121212",
    surface="#1c1c1c",
    panel="#262626",
    variables={
        "am-quiet": "#949494",
        "am-line": "#444444",
        "am-removed": "#d78787",
        "am-future": "#6c6c6c",
        "am-cursor": "#00005f",
        "am-marked": "#262626",
        "am-strong": "#ffffff",
        DEPTH_VARIABLE: ColorDepth.INDEXED.value,
    },
)

LIGHT_INDEXED = replace(
    LIGHT,
    primary="#005fd7",
    secondary="#005f87",
    accent="#8700af",
    success="#005f00",
    warning="#875f00",
    error="#d70000",
    foreground="#262626",
    background="#ffffff",
    surface="#eeeeee",
    panel="#e4e4e4",
    variables={
        "am-quiet": "#626262",
        "am-line": "#bcbcbc",
        "am-removed": "#af005f",
        "am-future": "#8a8a8a",
        "am-cursor": "#d7ffff",
        "am-marked": "#e4e4e4",
        "am-strong": "#000000",
        DEPTH_VARIABLE: ColorDepth.INDEXED.value,
    },
)

DARK_BASIC = replace(
    DARK,
    primary="#55ffff",
    secondary="#00aaaa",
    accent="#ff55ff",
    success="#55ff55",
    warning="#ffff55",
    error="#ff5555",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#0000aa",
    variables={
        "am-quiet": "#aaaaaa",
        "am-line": "#555555",
        "am-removed": "#ff5555",
        "am-future": "#aaaaaa",
        "am-cursor": "#0000aa",
        "am-marked": "#000000",
        "am-strong": "#ffffff",
        DEPTH_VARIABLE: ColorDepth.BASIC.value,
    },
)

LIGHT_BASIC = replace(
    LIGHT,
    primary="#0000aa",
    secondary="#aa00aa",
    accent="#aa00aa",
    success="#0000aa",
    warning="#aa00aa",
    error="#aa0000",
    foreground="#000000",
    background="#ffffff",
    surface="#ffffff",
    panel="#55ffff",
    variables={
        "am-quiet": "#000000",
        "am-line": "#555555",
        "am-removed": "#aa0000",
        "am-future": "#555555",
        "am-cursor": "#55ffff",
        "am-marked": "#ffffff",
        "am-strong": "#000000",
        DEPTH_VARIABLE: ColorDepth.BASIC.value,
    },
)

OURS = {
    ColorDepth.TRUECOLOR: (DARK, LIGHT),
    ColorDepth.INDEXED: (DARK_INDEXED, LIGHT_INDEXED),
    ColorDepth.BASIC: (DARK_BASIC, LIGHT_BASIC),
    ColorDepth.NONE: (
        replace(DARK_BASIC, panel=DARK_BASIC.background),
        replace(LIGHT_BASIC, panel=LIGHT_BASIC.background),
    ),
}
REVERSED = tuple(theme.variables["am-cursor"] for theme in OURS[ColorDepth.NONE])
"""Grounds that are shown as reversed text if there are no colours."""
_PARTS = (
    *("primary", "secondary", "accent", "success", "warning", "error"),
    *("foreground", "background", "surface", "panel"),
)


def themes_at(depth: ColorDepth) -> Iterator[Theme]:
    """All themes with colours of a depth: ours, then Textual's."""
    dark, light = OURS[depth]
    for theme in (dark, light, *BUILTIN_THEMES.values()):
        ours = dark if theme.dark else light
        if theme.name == ours.name:
            yield _marked(theme, depth)
        elif theme.ansi or depth in (ColorDepth.BASIC, ColorDepth.NONE):
            yield _marked(replace(ours, name=theme.name), depth)
        else:
            yield _marked(_with_fewer(theme, depth), depth)


def _marked(theme: Theme, depth: ColorDepth) -> Theme:
    return replace(theme, variables={**theme.variables, DEPTH_VARIABLE: depth.value})


def _with_fewer(theme: Theme, depth: ColorDepth) -> Theme:
    """The theme with the nearest colours of a depth."""
    if depth is ColorDepth.TRUECOLOR:
        return theme
    parts = {name: getattr(theme, name) for name in _PARTS}
    changes: dict[str, Any] = {
        name: nearest(Color.parse(value), depth).hex for name, value in parts.items() if value
    }
    return replace(theme, variables={}, **changes)
