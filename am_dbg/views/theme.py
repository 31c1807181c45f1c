"""Palettes: turn roles into styles that can be read, for our themes and for any other.

Colour adds nothing that the marks do not show. A palette is made once per theme from the
theme's own colours. If one of them cannot be read on one of the grounds, it is used there as
much stronger as it has to be (`am_dbg.views.colors`). So the rule does not depend on who made
the theme: text has a contrast of 4.5, graphics have 3, lines that divide the screen have 1.5.

Without colours, weight and marks are the emphasis: errors and headings are bold, the row of
the cursor is reversed. Nothing but lines is dim.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from am_dbg.spans import LineRole, Role, Span
from am_dbg.views.colors.contrast import CONTRAST_GRAPHICS, CONTRAST_LINES, CONTRAST_TEXT
from am_dbg.views.colors.depth import ColorDepth
from am_dbg.views.colors.indexed import nearest, readable
from am_dbg.views.colors.themes import DEPTH_VARIABLE

LEAST = {Role.FRAME: CONTRAST_LINES, Role.FUTURE: CONTRAST_GRAPHICS}
"""The least contrast of roles that are no text."""


@dataclass(frozen=True, slots=True)
class ThemeColors:
    """The colours of a theme: by role and by ground, the strongest one, and their depth."""

    roles: dict[Role, Color]
    grounds: dict[LineRole, Color]
    strong: Color
    depth: ColorDepth


class Palette:
    """The styles of one theme by role, line role and emphasis."""

    def __init__(self, colors: ThemeColors) -> None:
        self._colors = colors
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

    def color(self, role: Role, line_role: LineRole) -> Color:
        """The colour of a role on the ground of a line."""
        return self._readable(self._colors.roles[role], role, line_role)

    def ground(self, line_role: LineRole) -> Color:
        """The background of a line."""
        return self._colors.grounds[line_role]

    def _readable(self, color: Color, role: Role, line_role: LineRole) -> Color:
        colors, least = self._colors, LEAST.get(role, CONTRAST_TEXT)
        return readable(color, self.ground(line_role), colors.strong, colors.depth, least)

    def _made(self, role: Role, bold: bool, underline: bool, line_role: LineRole) -> Style:
        bold = bold or role is Role.ERROR
        if self._colors.depth is ColorDepth.NONE:
            return _colorless(role, bold, underline, line_role)
        color = self._colors.roles[role]
        if bold and role is Role.PLAIN:
            color = self._colors.strong
        return Style(
            color=self._readable(color, role, line_role).rich_color,
            bgcolor=self.ground(line_role).rich_color,
            bold=bold,
            underline=underline,
        )

    def css(self) -> dict[str, str]:
        """Variables for the style sheets of dialogs and of Textual's own widgets."""
        ground = self.ground
        text = self.color(Role.PLAIN, LineRole.DIALOG).hex
        quiet = self.color(Role.QUIET, LineRole.DIALOG)
        on_cursor = {
            "foreground": self.color(Role.PLAIN, LineRole.CURSOR).hex,
            "background": ground(LineRole.CURSOR).hex,
        }
        return {
            "am-dialog": ground(LineRole.DIALOG).hex,
            "am-dialog-text": text,
            "am-dialog-quiet": quiet.hex,
            "am-dialog-warning": self.color(Role.CANCELED, LineRole.DIALOG).hex,
            "am-dialog-frame": self.color(Role.FOCUS, LineRole.DIALOG).hex,
            "am-input": ground(LineRole.INPUT).hex,
            "am-input-text": self.color(Role.PLAIN, LineRole.INPUT).hex,
            "am-input-quiet": self.color(Role.QUIET, LineRole.INPUT).hex,
            "am-list-quiet": self.color(Role.QUIET, LineRole.CURSOR).hex,
            "am-hover": ground(LineRole.MARKED).hex,
            **{f"scrollbar{part}": quiet.hex for part in ("", "-hover", "-active")},
            **{
                f"scrollbar-background{part}": ground(LineRole.DIALOG).hex
                for part in ("", "-hover", "-active")
            },
            "input-cursor-background": self.color(Role.PLAIN, LineRole.INPUT).hex,
            "input-cursor-foreground": ground(LineRole.INPUT).hex,
            **{f"input-selection-{part}": color for part, color in on_cursor.items()},
            **{f"block-cursor-{part}": color for part, color in on_cursor.items()},
            **{f"block-cursor-blurred-{part}": color for part, color in on_cursor.items()},
        }


def _colorless(role: Role, bold: bool, underline: bool, line_role: LineRole) -> Style:
    """A style that is weight and marks alone."""
    return Style(
        bold=bold or (role is Role.FOCUS),
        underline=underline,
        reverse=line_role is LineRole.CURSOR,
        dim=role in LEAST,
    )


@lru_cache(maxsize=64)
def _palette(key: tuple[tuple[str, str], ...]) -> Palette:
    named = dict(key)
    depth = ColorDepth(named.get(DEPTH_VARIABLE, ColorDepth.TRUECOLOR.value))

    def color(name: str, fallback: str) -> Color:
        return nearest(Color.parse(named.get(name) or named[fallback]), depth)

    def faded(name: str, color: Color, share: float) -> Color:
        """The named colour, else the first one faded into the background by a share."""
        text = named.get(name)
        return nearest(Color.parse(text) if text else color.blend(background, share), depth)

    plain, background = color("foreground", "foreground"), color("background", "background")
    focus = color("primary", "foreground")
    roles = {
        Role.PLAIN: plain,
        Role.QUIET: faded("am-quiet", plain, 0.4),
        Role.FRAME: faded("am-line", plain, 0.78),
        Role.FOCUS: focus,
        Role.ADDED: color("success", "foreground"),
        Role.REMOVED: color("am-removed", "error"),
        Role.ERROR: color("error", "foreground"),
        Role.CANCELED: color("warning", "foreground"),
        Role.HANDLER: color("secondary", "foreground"),
        Role.FLAG: color("accent", "foreground"),
        Role.FUTURE: faded("am-future", plain, 0.6),
    }
    grounds = {
        LineRole.PLAIN: background,
        LineRole.CURSOR: faded("am-cursor", focus, 0.75),
        LineRole.MARKED: faded("am-marked", plain, 0.9),
        LineRole.DIALOG: color("surface", "background"),
        LineRole.INPUT: color("panel", "background"),
    }
    return Palette(ThemeColors(roles, grounds, color("am-strong", "foreground"), depth))


def palette_of(theme: Theme) -> Palette:
    """The palette of a theme, ours or Textual's, for the depth of its colours."""
    generated = theme.to_color_system().generate()
    names = (
        "foreground",
        "background",
        "surface",
        "panel",
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
