"""The rain pane."""

from __future__ import annotations

from am_dbg.drawing.layout import RAIN
from am_dbg.drawing.rain import draw_rain
from am_dbg.projection.rain import RainView
from am_dbg.views.pane import Drawn, Pane


class RainPane(Pane[RainView]):
    """A character per state, a row per transition."""

    PANE = RAIN

    def draw(self, view: RainView, width: int, height: int, *, lit: bool) -> Drawn:
        """The rain with the legend of its characters."""
        note = ". inactive  1 active  2 touched  | removed  c canceled  * touched"
        return Drawn(draw_rain(view, width, height, lit=lit), "Rain", note)
