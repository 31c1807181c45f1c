"""A widget for dialogs that shows lines of spans at their own size."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from am_dbg.spans import BLANK, LineRole, SpanLine
from am_dbg.views.pane import strip_of
from am_dbg.views.theme import Palette


class StaticLines(Widget):
    """Shows lines; the widget around it scrolls."""

    DEFAULT_CSS = "StaticLines { width: 1fr; height: auto; }"

    def __init__(self, lines: Sequence[SpanLine], palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self._lines: list[SpanLine] = []
        self.show(lines)

    def show(self, lines: Sequence[SpanLine]) -> None:
        """Show other lines."""
        self._lines = [SpanLine(row.spans, LineRole.DIALOG) for row in lines]
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as there are lines."""
        return len(self._lines)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The strips of a region, straight from the lines."""
        palette = self._palette
        blank = palette.blank(LineRole.DIALOG)
        strips = []
        for y in range(crop.y, crop.bottom):
            row = self._lines[y] if y < len(self._lines) else BLANK
            strip = strip_of(row, palette).adjust_cell_length(self.size.width, blank)
            strip = strip.crop(crop.x, crop.right)
            for line_filter in self.get_line_filters():
                strip = strip.apply_filter(line_filter, self.background_colors[1])
            strips.append(strip)
        return strips
