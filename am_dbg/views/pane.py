"""The base widget of panes: shows lines of spans and repaints only those that changed.

Textual's own widgets measure, wrap and style their content at every change, which costs
more than everything else that a key press causes. A pane gets one view value instead, draws it
to lines, and compares. Equal lines share one strip, whatever pane or moment they belong to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from am_dbg.control import ScreenView
from am_dbg.drawing.frame import SIDES, framed
from am_dbg.drawing.layout import Box, Layout, Pane
from am_dbg.drawing.resizing import Border, border_at
from am_dbg.projection.faults import Failed, attempt
from am_dbg.spans import BLANK, LineRole, Role, Span, SpanLine, line
from am_dbg.views.messages import (
    ActionRequested,
    BorderDragged,
    LinkClicked,
    RowClicked,
    Scrolled,
    StepClicked,
)
from am_dbg.views.theme import Palette

STRIPS_MAX = 4096
WHEEL_ROWS = 3


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a pane shows: lines of its inner width, and the texts on its frame."""

    lines: Sequence[SpanLine]
    title: str = ""
    note: str = ""


@lru_cache(maxsize=STRIPS_MAX)
def strip_of(row: SpanLine, palette: Palette) -> Strip:
    """A line as Textual paints it."""
    segments = [
        Segment(span.text, palette.style(span, row.role)) for span in row.spans if span.text
    ]
    if row.edge is not None:
        edge = Segment(row.edge.text, palette.style(row.edge, LineRole.PLAIN))
        segments = [edge, *segments, edge]
    return Strip(segments, row.width)


@dataclass(frozen=True, slots=True)
class PaneKind:
    """A pane, its view, and how the view is drawn at an inner width and height.

    The last argument of `draw` is whether the pane has the focus. The pane is drawn again only
    if its view changed.
    """

    pane: Pane
    view_of: Callable[[ScreenView], object]
    draw: Callable[[ScreenView, int, int, bool], Drawn]


class PaneWidget(Widget):
    """Draws the view of a pane, with a frame around it on wide screens."""

    DEFAULT_CSS = """
    PaneWidget { position: absolute; width: 1; height: 1; display: none; }
    """

    def __init__(self, kind: PaneKind) -> None:
        super().__init__(id=kind.pane)
        self._kind = kind
        self.pane = kind.pane
        self._box = Box(0, 0, 0, 0)
        self._shown: tuple[object, ...] = ()
        self._rows: list[SpanLine] = []
        self._framed = False
        self._palette: Palette | None = None
        self._layout = Layout(0, 0)
        self._border: Border | None = None
        """The border that the mouse holds."""

    def show(self, screen: ScreenView, palette: Palette) -> None:
        """Show the view of the pane at its place; nothing is redrawn if nothing changed."""
        self._layout = screen.layout
        box = screen.layout.boxes.get(self.pane)
        self._place(box)
        if box is None:
            return
        lit = screen.focus is self.pane
        is_framed = screen.layout.is_framed(self.pane)
        failed = screen.failed.get(self.pane)
        shown = (self._kind.view_of(screen), lit, is_framed, self._box, failed and failed.words)
        if palette is not self._palette:
            self._palette = palette
            self.refresh()
        if shown != self._shown:
            self._shown, self._framed = shown, is_framed
            self._set_rows(self._rows_or_failure(screen, failed, lit=lit, is_framed=is_framed))

    def _place(self, box: Box | None) -> None:
        """Move to a box on the screen, or hide."""
        if box is None:
            self.styles.display = "none"
        elif box != self._box or self.styles.display == "none":
            self._box = box
            self.styles.display = "block"
            self.styles.offset = (box.x, box.y)
            self.styles.width = box.width
            self.styles.height = box.height

    def _rows_or_failure(
        self, screen: ScreenView, failed: Failed | None, *, lit: bool, is_framed: bool
    ) -> list[SpanLine]:
        """The rows of the view, or one row with the reason if it cannot be shown."""
        rows: list[SpanLine] | Failed | None = failed
        if rows is None:
            rows = attempt(
                f"the drawing of the {self.pane}",
                lambda: self._drawn(screen, lit=lit, is_framed=is_framed),
            )
        if not isinstance(rows, Failed):
            return rows
        rows.log()
        self._shown = ()  # drawn again at the next paint
        return self._without_view(rows.words, lit=lit, is_framed=is_framed)

    def _drawn(self, screen: ScreenView, *, lit: bool, is_framed: bool) -> list[SpanLine]:
        frame = SIDES if is_framed else 0
        width, height = self._box.width - frame, self._box.height - frame
        drawn = self._kind.draw(screen, max(0, width), max(0, height), lit)
        return self._rows_of(drawn, lit=lit, is_framed=is_framed)

    def _without_view(self, words: str, *, lit: bool, is_framed: bool) -> list[SpanLine]:
        row = line([Span(f" {words}", Role.ERROR)], self._box.width - (SIDES if is_framed else 0))
        return self._rows_of(Drawn([row], self.pane.capitalize()), lit=lit, is_framed=is_framed)

    def _rows_of(self, drawn: Drawn, *, lit: bool, is_framed: bool) -> list[SpanLine]:
        width, height = self._box.width, self._box.height
        if is_framed:
            return framed(drawn.lines, drawn.title, drawn.note, width, height, lit=lit)
        rows = [line(row.spans, width, row.role) for row in drawn.lines[:height]]
        return rows + [line((), width)] * (height - len(rows))

    def _set_rows(self, rows: list[SpanLine]) -> None:
        before = self._rows
        self._rows = rows
        if len(before) != len(rows):
            self.refresh()
            return
        changed = [y for y, row in enumerate(rows) if row is not before[y] and row != before[y]]
        if changed:
            self.refresh(*(Region(0, y, self._box.width, 1) for y in changed))

    def render_lines(self, crop: Region) -> list[Strip]:
        """The strips of a region, straight from the lines."""
        strips = attempt(f"the painting of the {self.pane}", lambda: self._strips(crop))
        if isinstance(strips, Failed):
            strips.log()
            return [Strip.blank(crop.width)] * crop.height
        return strips

    def _strips(self, crop: Region) -> list[Strip]:
        palette, width = self._palette, self.size.width
        if palette is None:
            return [Strip.blank(crop.width)] * crop.height
        background = self.background_colors[1]
        filters = self.get_line_filters()
        strips = []
        for y in range(crop.y, crop.bottom):
            row = self._rows[y] if y < len(self._rows) else BLANK
            strip = strip_of(row, palette)
            if strip.cell_length != width:
                strip = strip.adjust_cell_length(width, palette.blank(row.role))
            if crop.x or crop.width != width:
                strip = strip.crop(crop.x, crop.right)
            for line_filter in filters:
                strip = strip.apply_filter(line_filter, background)
            strips.append(strip)
        return strips

    def text(self) -> str:
        """The rows as plain text."""
        return "\n".join(row.text.rstrip() for row in self._rows)

    def on_click(self, event: events.Click) -> None:
        """Post the link under a click, or the row if there is no link."""
        event.stop()
        link = self._rows[event.y].link_at(event.x) if 0 <= event.y < len(self._rows) else ""
        if link.startswith("action:"):
            self.post_message(ActionRequested(link.removeprefix("action:")))
        elif link.startswith("step:"):
            self.post_message(StepClicked(int(link.removeprefix("step:"))))
        elif link:
            self.post_message(LinkClicked(link))
        else:
            edge = SIDES // 2 if self._framed else 0
            place = (event.y - edge, event.x - edge)
            self.post_message(RowClicked(self.pane, *place, again=event.chain > 1))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Hold the border under the mouse, if there is one."""
        self._border = border_at(self._layout, int(event.screen_x), int(event.screen_y))
        if self._border is not None:
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Move the border that the mouse holds."""
        if self._border is not None:
            place = (int(event.screen_x), int(event.screen_y))
            self.post_message(BorderDragged(self._border, *place))

    def on_mouse_up(self, _: events.MouseUp) -> None:
        """Leave the border where it is."""
        if self._border is not None:
            self._border = None
            self.release_mouse()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll; the cursor does not move."""
        event.stop()
        self.post_message(Scrolled(self.pane, WHEEL_ROWS))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll; the cursor does not move."""
        event.stop()
        self.post_message(Scrolled(self.pane, -WHEEL_ROWS))
