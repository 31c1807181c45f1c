"""The matrix pane."""

from __future__ import annotations

from am_dbg.drawing.layout import MATRIX
from am_dbg.drawing.matrix import draw_matrix
from am_dbg.projection.matrix import MatrixView
from am_dbg.views.pane import Drawn, Pane


class MatrixPane(Pane[MatrixView]):
    """Which states acted on which."""

    PANE = MATRIX

    def draw(self, view: MatrixView, width: int, height: int, *, lit: bool) -> Drawn:
        """The table with its sums."""
        note = f"{view.tick_sum} ticks · t{view.time_sum}" if view.names else ""
        return Drawn(draw_matrix(view, width, height, lit=lit), "Matrix", note)
