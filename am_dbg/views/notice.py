"""The notice that a screen shows when it is too small for anything else."""

from __future__ import annotations

from am_dbg.drawing.layout import HEIGHT_MIN, NOTICE, WIDTH_MIN
from am_dbg.spans import Role, Span, SpanLine, line
from am_dbg.views.pane import Drawn, Pane


class Notice(Pane[None]):
    """A short text that asks for a larger screen."""

    PANE = NOTICE

    def draw(self, view: None, width: int, height: int, *, lit: bool) -> Drawn:
        """The text, as much of it as fits, in the middle."""
        texts = ("am-dbg", f"needs {WIDTH_MIN}x{HEIGHT_MIN}")
        blank = [SpanLine()] * max(0, (height - len(texts)) // 2)
        rows = [
            line([Span(" " * max(0, (width - len(text)) // 2)), Span(text, Role.CANCELED)], width)
            for text in texts
        ]
        return Drawn([*blank, *rows])
