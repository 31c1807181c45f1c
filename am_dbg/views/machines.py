"""The pane with the list of machines."""

from __future__ import annotations

from am_dbg.drawing.layout import MACHINES
from am_dbg.drawing.machines import draw_machines
from am_dbg.projection.machines import MachinesView
from am_dbg.projection.times import count
from am_dbg.views.pane import Drawn, Pane


class MachineList(Pane[MachinesView]):
    """All machines, children below their parents."""

    PANE = MACHINES

    def draw(self, view: MachinesView, width: int, height: int, *, lit: bool) -> Drawn:
        """The list with its count."""
        return Drawn(draw_machines(view, width, lit=lit), "Machines", count(view.total))
