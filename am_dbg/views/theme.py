"""Themes: turns meanings into colours, for our dark and light theme and for any other.

Colour only underlines what the marks already say. A palette is worked out once per theme
from the theme's own colours, so Textual's themes work as well as ours.
"""

from __future__ import annotations

from functools import lru_cache

from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from am_dbg.spans import Ground, Ink, Run

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
        "am-quiet": "#686d7c",
        "am-line": "#353945",
        "am-removed": "#e0707a",
        "am-future": "#41454f",
        "am-cursor": "#27324f",
        "am-marked": "#22252f",
        "am-strong": "#ffffff",
    },
)

LIGHT = Theme(
    name="am-light",
    primary="#2e5fd0",
    secondary="#007197",
    accent="#7847bd",
    success="#3f7d1f",
    warning="#8f5e15",
    error="#d01b3f",
    foreground="#25272e",
    background="#fbfbfc",
    surface="#f1f2f5",
    panel="#e7e9ee",
    dark=False,
    variables={
        "am-quiet": "#7f8492",
        "am-line": "#c9ccd4",
        "am-removed": "#b3404c",
        "am-future": "#c4c8d2",
        "am-cursor": "#d6e0fa",
        "am-marked": "#e9ebf0",
        "am-strong": "#000000",
    },
)

THEMES = (DARK, LIGHT)


class Palette:
    """The styles of one theme by meaning, background and emphasis."""

    def __init__(self, inks: dict[Ink, Color], grounds: dict[Ground, Color], strong: Color) -> None:
        self._inks = inks
        self._grounds = grounds
        self._strong = strong
        self._styles: dict[tuple[Ink, bool, bool, Ground], Style] = {}

    def style(self, run: Run, ground: Ground) -> Style:
        """The style of a run on a ground; made once, then looked up."""
        key = (run.ink, run.bold, run.underline, ground)
        style = self._styles.get(key)
        if style is None:
            style = self._styles[key] = self._made(*key)
        return style

    def blank(self, ground: Ground = Ground.NONE) -> Style:
        """The style of empty cells."""
        return self.style(Run(""), ground)

    def _made(self, ink: Ink, bold: bool, underline: bool, ground: Ground) -> Style:
        color = self._strong if bold and ink is Ink.PLAIN else self._inks[ink]
        return Style(
            color=color.rich_color,
            bgcolor=self._grounds[ground].rich_color,
            bold=bold or ink is Ink.ERROR,
            underline=underline,
        )


@lru_cache(maxsize=64)
def _palette(key: tuple[tuple[str, str], ...]) -> Palette:
    named = dict(key)

    def color(name: str, fallback: str) -> Color:
        return Color.parse(named.get(name) or named[fallback])

    plain, ground = color("foreground", "foreground"), color("background", "background")
    quiet = _or_blend(named.get("am-quiet"), plain, ground, 0.55)
    line = _or_blend(named.get("am-line"), plain, ground, 0.78)
    place = color("primary", "foreground")
    error = color("error", "foreground")
    inks = {
        Ink.PLAIN: plain,
        Ink.QUIET: quiet,
        Ink.LINE: line,
        Ink.PLACE: place,
        Ink.ADDED: color("success", "foreground"),
        Ink.REMOVED: color("am-removed", "error"),
        Ink.ERROR: error,
        Ink.CANCELED: color("warning", "foreground"),
        Ink.HANDLER: color("secondary", "foreground"),
        Ink.FLAG: color("accent", "foreground"),
        Ink.FUTURE: _or_blend(named.get("am-future"), plain, ground, 0.7),
    }
    grounds = {
        Ground.NONE: ground,
        Ground.CURSOR: _or_blend(named.get("am-cursor"), place, ground, 0.75),
        Ground.MARKED: _or_blend(named.get("am-marked"), plain, ground, 0.9),
        Ground.RAISED: color("surface", "background"),
    }
    return Palette(inks, grounds, color("am-strong", "foreground"))


def _or_blend(text: str | None, color: Color, ground: Color, share: float) -> Color:
    """The named colour, else the first one faded into the ground by a share."""
    return Color.parse(text) if text else color.blend(ground, share)


def palette_of(theme: Theme) -> Palette:
    """The palette of a theme, ours or Textual's."""
    generated = theme.to_color_system().generate()
    names = (
        "foreground",
        "background",
        "surface",
        "primary",
        "secondary",
        "accent",
        "success",
        "warning",
        "error",
    )
    key = {name: generated[name] for name in names if name in generated}
    key.update({name: value for name, value in theme.variables.items() if name.startswith("am-")})
    return _palette(tuple(sorted(key.items())))
