"""Removes machines from the list, and asks first if that loses data."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.control.confirmation import Confirmation
from am_dbg.control.jumps import Jumps
from am_dbg.control.modes import Modes
from am_dbg.control.unsaved_transitions import UnsavedTransitions
from am_dbg.control.workspace import Workspace
from am_dbg.projection.clean import clean_name
from am_dbg.store import Track


@dataclass(eq=False, slots=True)
class MachineRemoval:
    """Removes the selected machine."""

    workspace: Workspace
    modes: Modes
    jumps: Jumps
    unsaved: UnsavedTransitions
    confirmation: Confirmation

    def remove_machine(self) -> None:
        """Remove the selected machine; ask first if that loses data that is in no file."""
        track = self.workspace.track
        if track is None:
            return
        lost = self.unsaved.describe(track)
        if lost and not self.confirmation.is_confirmed("remove_machine", track.key):
            self.workspace.message = self.confirmation.question("remove_machine", lost)
            return
        self._select_neighbour(track)
        self.workspace.store.remove(track)
        self.workspace.message = f"{clean_name(track.key)} removed"

    def _select_neighbour(self, track: Track) -> None:
        """Select the machine below this one, or the one above if it is the last."""
        at = max(0, self.workspace.machine_list.position_of(track))
        listed = self.workspace.machines
        rest = [machine.track for machine in listed if machine.track is not track]
        if rest:
            self.jumps.select(rest[min(at, len(rest) - 1)])
        else:
            self.workspace.cursor = None
            self.modes.lost_machine()

    def refuse(self) -> None:
        """Explain where the key works: only while the list of machines has the focus."""
        self.workspace.message = "a machine is removed while the list of machines has the focus"
