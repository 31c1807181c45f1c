"""Selects a machine when programs connect, machines are removed or a session is read."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.control.cursors import at_step
from am_dbg.control.jumps import Jumps
from am_dbg.control.modes import Modes
from am_dbg.control.navigation import Navigation
from am_dbg.control.runs.returned_runs import ReturnedRuns
from am_dbg.control.start import (
    StartOptions,
    newcomers,
    remove_disconnected,
    start_place,
    why_not_shown,
)
from am_dbg.control.workspace import Workspace
from am_dbg.ingest.intake import ImportProgress
from am_dbg.projection.bars import Playback
from am_dbg.projection.clean import clean_name
from am_dbg.projection.runs.program_runs import machine_in
from am_dbg.query.cursor import Cursor
from am_dbg.store import Track

TAKEN_MAX = 2_000
"""Machines that are listed at once while a session is read; keys are handled in between."""


@dataclass(eq=False, slots=True)
class Arrivals:
    """Selects the machine of the start options, or another one if none is selected."""

    workspace: Workspace
    modes: Modes
    navigation: Navigation
    jumps: Jumps
    returned_runs: ReturnedRuns
    start: StartOptions
    _arrival: int = 0
    _is_import_over: bool = False

    def data_arrived(self) -> None:
        """Handle new data: select the first machine, follow the newest transition."""
        arrived = newcomers(self.workspace.store.tracks, self._arrival)
        self.take_in_machines()
        if not self.modes.data_arrived():
            return
        self.leave_removed_machine()
        self._programs_connected([track for track in arrived if track.connected])
        self._select_if_none(arrived)
        if self.modes.playback is Playback.TAIL:
            self.navigation.to_newest()

    def take_in_machines(self) -> None:
        """List the machines that came; while a session is read, some thousands at a time."""
        self.workspace.order.take_in(TAKEN_MAX if self.modes.is_importing else 0)

    def import_progressed(self, progress: ImportProgress) -> str:
        """Follow an import; at its end, return why the start place is not shown, if it is not."""
        if not progress.is_over and not self.modes.is_importing:
            self.modes.importing(on=True)
        if progress.is_over:
            self.workspace.order.take_in()
        self.data_arrived()
        if not progress.is_over:
            return ""
        self._is_import_over = True
        self.modes.importing(on=False)
        return why_not_shown(self.start, self.workspace.store, self.workspace.order.machines)

    def leave_removed_machine(self) -> None:
        """If the selected machine was removed, report it and select another."""
        key = self.workspace.leave_removed_machine()
        if not key:
            return
        self.modes.lost_machine()
        self._select_start_place()
        self.workspace.message = f"{clean_name(key)} is gone: it was removed from the list"

    def _select_if_none(self, arrived: list[Track]) -> None:
        """Select the start place if no machine is selected, and as long as an import goes on."""
        if arrived:
            self._arrival = arrived[-1].arrival
        is_importing = self.start.is_importing and not self._is_import_over
        is_new = self.workspace.cursor is None and arrived
        if is_new or (is_importing and self.modes.is_untouched):
            self._select_start_place()

    def _select_start_place(self) -> None:
        """Select the place of the start options, or the end of the first machine.

        While a session is still being read, this is repeated until the user goes somewhere.
        """
        workspace = self.workspace
        place = start_place(self.start, workspace.store, workspace.run_list.machines)
        if place is None:
            return
        track = place.track
        if not self.modes.has_machine and not self.modes.chose_machine():
            return
        if place.number is None:
            workspace.select(track, workspace.visible(track).last())
        else:
            cursor = Cursor(track).at(place.number)
            workspace.move_cursor(at_step(workspace, cursor, place.step))
        if track.connected and place.number is None and self.modes.follow():
            self.navigation.to_newest()

    def _programs_connected(self, arrived: list[Track]) -> None:
        """Follow the start options for programs that connect."""
        if not arrived:
            return
        store = self.workspace.store
        if self.start.clean_on_connect and remove_disconnected(store, arrived):
            self.workspace.cursor = None
        if self.start.select_connected:
            self._select_connected(arrived)
        self.returned_runs.programs_connected(arrived)

    def _select_connected(self, arrived: list[Track]) -> None:
        """Follow a machine of the program that connected, if no other program is connected."""
        machines, before = self.workspace.run_list, self.workspace.track
        connected = [track for track in self.workspace.store.tracks if track.connected]
        run = machines.run_of(arrived[0])
        others = [one for one in connected if one not in arrived and machines.run_of(one) != run]
        if run is None or others or before in connected:
            return
        same = machine_in(run, before.id) if before else None
        self.jumps.select(same or run.machines[0].track)
        if self.modes.follow():
            self.navigation.to_newest()
