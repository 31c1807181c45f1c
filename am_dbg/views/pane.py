"""The base widget of panes: shows lines of spans and repaints only those that changed.

Textual's own widgets measure, wrap and style their content at every change, which costs
more than everything else that a key press causes. A pane gets one view value instead, draws it
to lines, and compares. Equal lines share one strip, whatever pane or moment they belong to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Generic, TypeVar

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from am_dbg.drawing.frame import SIDES, framed
from am_dbg.drawing.layout import Box
from am_dbg.projection.faults import Failed, attempt
from am_dbg.spans import BLANK, LineRole, Role, Span, SpanLine, line
from am_dbg.views.messages import Asked, LinkChosen, RowChosen, Scrolled, StepChosen
from am_dbg.views.theme import Palette

STRIPS_MAX = 4096
WHEEL_ROWS = 3

View = TypeVar("View")


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


class Pane(Widget, Generic[View]):
    """Draws a view value, with a frame around it on wide screens."""

    DEFAULT_CSS = """
    Pane { position: absolute; width: 1; height: 1; display: none; }
    """

    PANE: ClassVar[str] = ""
    """The name under which layouts, keys and messages know it."""

    def __init__(self) -> None:
        super().__init__(id=self.PANE)
        self._box = Box(0, 0, 0, 0)
        self._shown: tuple[object, ...] = ()
        self._rows: list[SpanLine] = []
        self._framed = False
        self._palette: Palette | None = None

    def draw(self, view: View, width: int, height: int, *, lit: bool) -> Drawn:
        """The lines for a view at an inner size."""
        raise NotImplementedError

    def place(self, box: Box | None) -> None:
        """Go to a place on the screen, or hide."""
        if box is None:
            self.styles.display = "none"
            return
        if box != self._box or self.styles.display == "none":
            self._box = box
            self.styles.display = "block"
            self.styles.offset = (box.x, box.y)
            self.styles.width = box.width
            self.styles.height = box.height

    def take(
        self,
        view: View,
        palette: Palette,
        *,
        lit: bool,
        is_framed: bool,
        failed: Failed | None = None,
    ) -> None:
        """Show a view, or why there is none; nothing is redrawn if nothing differs."""
        shown = (view, lit, is_framed, self._box, failed and failed.words)
        if palette is not self._palette:
            self._palette = palette
            self.refresh()
        if shown == self._shown:
            return
        self._shown = shown
        self._framed = is_framed

        def drawn() -> list[SpanLine]:
            return self._drawn(view, lit=lit, is_framed=is_framed)

        rows: list[SpanLine] | Failed
        if failed is not None:
            rows = failed
        else:
            rows = attempt(f"the drawing of the {self.PANE}", drawn)
        if isinstance(rows, Failed):
            rows.log()
            self._shown = ()  # tried again with the next look
            rows = self._without_view(rows.words, lit=lit, is_framed=is_framed)
        self._set_rows(rows)

    def _drawn(self, view: View, *, lit: bool, is_framed: bool) -> list[SpanLine]:
        frame = SIDES if is_framed else 0
        width, height = self._box.width - frame, self._box.height - frame
        drawn = self.draw(view, max(0, width), max(0, height), lit=lit)
        return self._rows_of(drawn, lit=lit, is_framed=is_framed)

    def _without_view(self, words: str, *, lit: bool, is_framed: bool) -> list[SpanLine]:
        row = line([Span(f" {words}", Role.ERROR)], self._box.width - (SIDES if is_framed else 0))
        return self._rows_of(Drawn([row], self.PANE.capitalize()), lit=lit, is_framed=is_framed)

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
        strips = attempt(f"the painting of the {self.PANE}", lambda: self._strips(crop))
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
        """What is on show, as plain text."""
        return "\n".join(row.text.rstrip() for row in self._rows)

    def on_click(self, event: events.Click) -> None:
        """A click follows the link under it, else it chooses the row."""
        event.stop()
        link = self._rows[event.y].link_at(event.x) if 0 <= event.y < len(self._rows) else ""
        if link.startswith("action:"):
            self.post_message(Asked(link.removeprefix("action:")))
        elif link.startswith("step:"):
            self.post_message(StepChosen(int(link.removeprefix("step:"))))
        elif link:
            self.post_message(LinkChosen(link))
        else:
            edge = SIDES // 2 if self._framed else 0
            place = (event.y - edge, event.x - edge)
            self.post_message(RowChosen(self.PANE, *place, again=event.chain > 1))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel scrolls without moving the cursor."""
        event.stop()
        self.post_message(Scrolled(self.PANE, WHEEL_ROWS))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel scrolls without moving the cursor."""
        event.stop()
        self.post_message(Scrolled(self.PANE, -WHEEL_ROWS))
