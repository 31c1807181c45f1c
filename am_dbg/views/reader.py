"""The reader pane."""

from __future__ import annotations

from am_dbg.drawing.layout import READER
from am_dbg.drawing.reader import draw_reader
from am_dbg.projection.reader import ReaderView
from am_dbg.views.pane import Drawn, Pane


class ReaderPane(Pane[ReaderView]):
    """Everything about one transition."""

    PANE = READER

    def draw(self, view: ReaderView, width: int, height: int, *, lit: bool) -> Drawn:
        """The sections from the view's top on; the last row stays in sight."""
        lines = draw_reader(view, width)
        top = max(0, min(view.top, len(lines) - height))
        more = len(lines) - top - height
        note = f"{view.title} · {more} more" if more > 0 else view.title
        return Drawn(lines[top:], "Reader", note)
