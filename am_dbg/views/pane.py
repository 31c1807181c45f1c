"""A widget that shows lines of ink and repaints only those that changed.

Textual's own widgets measure, wrap and style their content at every change, which costs
more than everything else a key press does. A pane gets finished lines instead. Equal lines
share one strip, whatever pane or moment they belong to.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from am_dbg.drawing.frame import SIDES, framed
from am_dbg.ink import BLANK, Line, line
from am_dbg.theme import Palette, palette_of
from am_dbg.views.messages import Asked, LinkChosen, RowChosen, Scrolled, StepChosen

STRIPS_MAX = 4096
WHEEL_ROWS = 3


@lru_cache(maxsize=STRIPS_MAX)
def strip_of(row: Line, palette: Palette) -> Strip:
    """A line as Textual paints it."""
    ground = row.ground
    segments = [Segment(run.text, palette.style(run, ground)) for run in row.runs if run.text]
    return Strip(segments, row.width)


class Pane(Widget):
    """Lines, with a frame around them on wide screens."""

    DEFAULT_CSS = """
    Pane { position: absolute; width: 1; height: 1; }
    """

    PANE: ClassVar[str] = ""
    """The name under which layouts, keys and messages know it."""

    FRAMED: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__(id=self.PANE)
        self.is_lit = False
        self.is_framed = self.FRAMED
        self._rows: list[Line] = []
        self._lines: Sequence[Line] = ()
        self._title = ""
        self._note = ""

    def show(self, lines: Sequence[Line], title: str = "", note: str = "") -> None:
        """Take new lines; only rows that differ are painted again."""
        self._lines, self._title, self._note = lines, title, note
        width, height = self.styles.width, self.styles.height
        if width is None or height is None:
            return
        self._set_rows(self._laid_out(int(width.value), int(height.value)))

    def _laid_out(self, width: int, height: int) -> list[Line]:
        if self.is_framed:
            return framed(self._lines, self._title, self._note, width, height, lit=self.is_lit)
        rows = [Line(tuple(line(row.runs, width).runs), row.ground) for row in self._lines[:height]]
        return rows + [line((), width)] * (height - len(rows))

    def _set_rows(self, rows: list[Line]) -> None:
        before = self._rows
        self._rows = rows
        if len(before) != len(rows):
            self.refresh()
            return
        width = self.size.width
        changed = [
            Region(0, y, width, 1)
            for y, (old, new) in enumerate(zip(before, rows, strict=True))
            if old is not new and old != new
        ]
        if changed:
            self.refresh(*changed)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The strips of a region, straight from the lines."""
        palette = palette_of(self.app.current_theme)
        width = self.size.width
        strips = []
        for y in range(crop.y, crop.bottom):
            row = self._rows[y] if y < len(self._rows) else BLANK
            strip = strip_of(row, palette)
            if strip.cell_length != width:
                strip = strip.adjust_cell_length(width, palette.blank(row.ground))
            if crop.x or crop.width != width:
                strip = strip.crop(crop.x, crop.right)
            for line_filter in self.app.get_line_filters():
                strip = strip.apply_filter(line_filter, self.background_colors[1])
            strips.append(strip)
        return strips

    def text(self) -> str:
        """What is on show, as plain text."""
        return "\n".join(row.text.rstrip() for row in self._rows)

    def on_click(self, event: events.Click) -> None:
        """A click follows the link under it, else it chooses the row."""
        event.stop()
        if not 0 <= event.y < len(self._rows):
            return
        link = self._rows[event.y].link_at(event.x)
        if link.startswith("action:"):
            self.post_message(Asked(link.removeprefix("action:")))
        elif link.startswith("step:"):
            self.post_message(StepChosen(int(link.removeprefix("step:"))))
        elif link:
            self.post_message(LinkChosen(link))
        else:
            edge = SIDES // 2 if self.is_framed else 0
            self.post_message(RowChosen(self.PANE, event.y - edge, event.x - edge))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel scrolls without moving the cursor."""
        event.stop()
        self.post_message(Scrolled(self.PANE, WHEEL_ROWS))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel scrolls without moving the cursor."""
        event.stop()
        self.post_message(Scrolled(self.PANE, -WHEEL_ROWS))
