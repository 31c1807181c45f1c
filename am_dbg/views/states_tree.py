"""The pane with the tree of states."""

from __future__ import annotations

from am_dbg.drawing.layout import STATES
from am_dbg.drawing.states import draw_states
from am_dbg.projection.states import StatesView
from am_dbg.projection.times import count
from am_dbg.views.pane import Drawn, Pane


class StatesTree(Pane[StatesView]):
    """The states of the selected machine."""

    PANE = STATES

    def draw(self, view: StatesView, width: int, height: int, *, lit: bool) -> Drawn:
        """The tree with how many states there are and are active."""
        note = f"{count(view.states)} · {view.active} active" if view.states else ""
        return Drawn(draw_states(view, width, lit=lit), "States", note)
