"""Removes machines from the list, and asks first if that loses data."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.control.confirmation import Confirmation
from am_dbg.control.jumps import Jumps
from am_dbg.control.modes import Modes
from am_dbg.control.unsaved_transitions import UnsavedTransitions
from am_dbg.control.workspace import Workspace
from am_dbg.projection.clean import clean_name
from am_dbg.projection.runs.run_rows import run_name
from am_dbg.projection.times import counted
from am_dbg.store import Track


@dataclass(eq=False, slots=True)
class MachineRemoval:
    """Removes the selected machine, a run, or all that is disconnected."""

    workspace: Workspace
    modes: Modes
    jumps: Jumps
    unsaved: UnsavedTransitions
    confirmation: Confirmation

    def remove_machine(self) -> None:
        """Remove the selected machine, or the run whose heading is selected.

        Ask first if that loses data that is in no file.
        """
        machines, track = self.workspace.run_list, self.workspace.track
        run = machines.run(machines.selected_run)
        if run is not None:
            tracks = [machine.track for machine in run.machines]
            self._remove("remove_machine", tracks, f"{run_name(run)} removed")
        elif track is not None:
            self._remove("remove_machine", [track], f"{clean_name(track.key)} removed")

    def remove_disconnected(self) -> None:
        """Remove all machines whose programs or connections ended; ask first if that loses data."""
        store = self.workspace.store
        tracks = [one for one in store.tracks if one.is_live and not one.connected]
        if tracks:
            removed = counted(len(tracks), "disconnected machine")
            self._remove("remove_disconnected", tracks, f"{removed} removed")
        else:
            self.workspace.message = "no machine has lost its connection"

    def _remove(self, action: str, tracks: list[Track], done: str) -> None:
        lost = self.unsaved.describe(*tracks)
        if lost and not self.confirmation.is_confirmed(action, *(track.key for track in tracks)):
            self.workspace.message = self.confirmation.question(action, lost)
            return
        if self.workspace.track in tracks:
            self._select_neighbour(tracks)
        self.workspace.store.remove(*tracks)
        self.workspace.message = done

    def _select_neighbour(self, removed: list[Track]) -> None:
        """Select the machine below these, or the one above if they are the last."""
        at = max(0, self.workspace.order.position_of(self.workspace.track))
        gone = set(removed)
        listed = [machine.track for machine in self.workspace.machines]
        below = [track for track in listed[at:] if track not in gone]
        above = [track for track in listed[:at] if track not in gone]
        if below or above:
            self.jumps.select(below[0] if below else above[-1])
        else:
            self.workspace.cursor = None
            self.modes.lost_machine()

    def refuse(self) -> None:
        """Explain where the key works: only while the list of machines has the focus."""
        self.workspace.message = "a machine is removed while the list of machines has the focus"
