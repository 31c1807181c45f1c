"""The screen of a comparison: a list of machines, two columns, two reasons, the keys.

It is an application of its own, because the debugger's application shows one store. It ends with
the side that the user opens, or with None when the user quits.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingsMap
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from am_dbg.control.comparison import ComparisonControl, ComparisonRequest, OpenSide
from am_dbg.drawing.comparison import (
    draw_columns,
    draw_comparison_help,
    draw_header,
    draw_keys,
    draw_machine_list,
    draw_moments,
)
from am_dbg.drawing.frame import SIDES
from am_dbg.drawing.layout import WIDE
from am_dbg.keys import by_action
from am_dbg.spans import BLANK, SpanLine
from am_dbg.views.colors.choice import ColorChoice
from am_dbg.views.colors.colorful_app import STYLES, ColorfulApp
from am_dbg.views.crash_report import ScreenFailedError, crash_report
from am_dbg.views.debugger import driver_class
from am_dbg.views.dialogs import LINES_FRAME, LinesDialog
from am_dbg.views.pane import strip_of
from am_dbg.views.theme import Palette, palette_of

MACHINES_WIDTH = 30
FIXED_ROWS = 2
MOMENTS_SHARE = 4
MOMENTS_ROWS_MIN = 4
"""Below so many rows, the reasons leave their place to the columns."""


class LinesWidget(Widget):
    """Shows lines of spans at a fixed place."""

    DEFAULT_CSS = "LinesWidget { position: absolute; width: 1; height: 1; }"

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._rows: Sequence[SpanLine] = ()
        self._palette: Palette | None = None

    def show(self, rows: Sequence[SpanLine], palette: Palette, place: Region) -> None:
        """Show these rows in this region of the screen; an empty region hides the widget."""
        self.styles.display = "block" if place.area else "none"
        self.styles.offset = (place.x, place.y)
        self.styles.width, self.styles.height = place.width, place.height
        self._rows, self._palette = rows, palette
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The strips of a region, straight from the lines."""
        palette = self._palette
        if palette is None:
            return [Strip.blank(crop.width)] * crop.height
        strips = []
        for y in range(crop.y, crop.bottom):
            row = self._rows[y] if y < len(self._rows) else BLANK
            strip = strip_of(row, palette)
            strip = strip.adjust_cell_length(self.size.width, palette.blank(row.role))
            strip = strip.crop(crop.x, crop.right)
            for line_filter in self.get_line_filters():
                strip = strip.apply_filter(line_filter, self.background_colors[1])
            strips.append(strip)
        return strips


class ComparisonMain(Screen[None], inherit_bindings=False):
    """The screen below the help, with the keys of the user's table."""

    def __init__(self, comparison: ComparisonControl) -> None:
        super().__init__(id="_default")
        table = by_action(comparison.keys)
        self._bindings = BindingsMap(
            [
                Binding(",".join(table[name].all_keys), f"app.press('{name}')", show=False)
                for name in comparison.actions
                if table[name].all_keys
            ]
        )


class ComparisonApp(ColorfulApp[OpenSide | None], inherit_bindings=False):
    """Shows what the control of a comparison projects."""

    TITLE = "am-dbg diff"
    ENABLE_COMMAND_PALETTE = False
    CSS = "ComparisonMain { background: $background; overflow: hidden; }" + STYLES

    def __init__(self, comparison: ComparisonControl, colors: ColorChoice | None = None) -> None:
        super().__init__(colors, driver_class())
        self._comparison = comparison
        self._parts = {name: LinesWidget(name) for name in ("header", "machines", "body", "keys")}

    def compose(self) -> ComposeResult:
        """The parts of the screen."""
        yield from self._parts.values()

    def get_default_screen(self) -> ComparisonMain:
        """The screen below the help."""
        return ComparisonMain(self._comparison)

    def on_mount(self) -> None:
        """Use the theme, and paint for the first time."""
        self.start_theme()
        self.theme_changed_signal.subscribe(self, lambda _: self.paint())
        self.paint()

    def on_resize(self, event: events.Resize) -> None:
        """Paint at the new size."""
        self.paint()

    @property
    def trouble(self) -> ScreenFailedError | None:
        """The fault that ended the screen, if one did."""
        return crash_report(self._exception) if self._exception else None

    def _fatal_error(self) -> None:
        """Close after a fault; the caller of `run` reports it when the terminal is back."""
        self._close_messages_no_wait()

    def paint(self) -> None:
        """Project the comparison, and draw every part at its place."""
        width, height = self.size
        body = max(0, height - FIXED_ROWS)
        moments = body // MOMENTS_SHARE
        moments = moments if moments >= MOMENTS_ROWS_MIN else 0
        side = MACHINES_WIDTH if width >= WIDE else 0
        view = self._comparison.project(body - moments - SIDES)
        columns = draw_columns(view, width - side, body - moments)
        if moments:
            columns += draw_moments(view, width - side, moments)
        places = {
            "header": ([draw_header(view, width)], Region(0, 0, width, 1)),
            "machines": (draw_machine_list(view, side, body), Region(0, 1, side, body)),
            "body": (columns, Region(side, 1, width - side, body)),
            "keys": (
                [draw_keys(view, self._comparison.hints(), width)],
                Region(0, height - 1, width, 1),
            ),
        }
        palette = palette_of(self.current_theme)
        for name, (rows, place) in places.items():
            self._parts[name].show(rows, palette, place)

    def action_press(self, action: str) -> None:
        """Carry out the action of a key."""
        match self._comparison.press(action):
            case ComparisonRequest.QUIT:
                self.exit(None)
            case ComparisonRequest.HELP:
                rows = self._comparison.help_rows()
                lines = draw_comparison_help(rows, self.size.width - LINES_FRAME)
                self.push_screen(LinesDialog("Help", lines))
            case OpenSide() as opened:
                self.exit(opened)
        self.paint()
