"""Themes: turn roles into colours, for our dark and light theme and for any other.

Colour adds nothing that the marks do not show. A palette is made once per theme from the
theme's own colours, so Textual's themes work as well as ours.
"""

from __future__ import annotations

from functools import lru_cache

from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from am_dbg.spans import LineRole, Role, Span

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
    """The styles of one theme by role, line role and emphasis."""

    def __init__(
        self, roles: dict[Role, Color], backgrounds: dict[LineRole, Color], strong: Color
    ) -> None:
        self._roles = roles
        self._backgrounds = backgrounds
        self._strong = strong
        self._styles: dict[tuple[Role, bool, bool, LineRole], Style] = {}

    def style(self, span: Span, line_role: LineRole) -> Style:
        """The style of a span in a line; made once, then cached."""
        key = (span.role, span.bold, span.underline, line_role)
        style = self._styles.get(key)
        if style is None:
            style = self._styles[key] = self._made(*key)
        return style

    def blank(self, line_role: LineRole = LineRole.PLAIN) -> Style:
        """The style of empty cells."""
        return self.style(Span(""), line_role)

    def _made(self, role: Role, bold: bool, underline: bool, line_role: LineRole) -> Style:
        color = self._strong if bold and role is Role.PLAIN else self._roles[role]
        return Style(
            color=color.rich_color,
            bgcolor=self._backgrounds[line_role].rich_color,
            bold=bold or role is Role.ERROR,
            underline=underline,
        )


@lru_cache(maxsize=64)
def _palette(key: tuple[tuple[str, str], ...]) -> Palette:
    named = dict(key)

    def color(name: str, fallback: str) -> Color:
        return Color.parse(named.get(name) or named[fallback])

    plain, background = color("foreground", "foreground"), color("background", "background")
    focus = color("primary", "foreground")
    roles = {
        Role.PLAIN: plain,
        Role.QUIET: _or_blend(named.get("am-quiet"), plain, background, 0.55),
        Role.FRAME: _or_blend(named.get("am-line"), plain, background, 0.78),
        Role.FOCUS: focus,
        Role.ADDED: color("success", "foreground"),
        Role.REMOVED: color("am-removed", "error"),
        Role.ERROR: color("error", "foreground"),
        Role.CANCELED: color("warning", "foreground"),
        Role.HANDLER: color("secondary", "foreground"),
        Role.FLAG: color("accent", "foreground"),
        Role.FUTURE: _or_blend(named.get("am-future"), plain, background, 0.7),
    }
    backgrounds = {
        LineRole.PLAIN: background,
        LineRole.CURSOR: _or_blend(named.get("am-cursor"), focus, background, 0.75),
        LineRole.MARKED: _or_blend(named.get("am-marked"), plain, background, 0.9),
        LineRole.DIALOG: color("surface", "background"),
    }
    return Palette(roles, backgrounds, color("am-strong", "foreground"))


def _or_blend(text: str | None, color: Color, background: Color, share: float) -> Color:
    """The named colour, else the first one faded into the background by a share."""
    return Color.parse(text) if text else color.blend(background, share)


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
