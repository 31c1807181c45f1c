"""Programs that come back: follows their new run, or offers to go there.

A program comes back when a run of it connects and all of its earlier runs have ended. If the
newest transition of an ended run is followed, the same machine of the new run is followed from
now on. Otherwise the reader stays, and a notice offers the way: Enter goes there, in the panes
where Enter does nothing but move the focus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from am_dbg.control.jumps import Jumps
from am_dbg.control.modes import Modes
from am_dbg.control.navigation import Navigation
from am_dbg.control.pane_actions import PaneActions
from am_dbg.control.workspace import Workspace
from am_dbg.drawing.layout import MAIN_PANES, Pane
from am_dbg.keys import Key, by_action, sign_of
from am_dbg.projection.bars import NO_NOTICE, Playback, ReturnedNotice
from am_dbg.projection.clean import clean_name
from am_dbg.projection.runs.program_runs import ProgramRun, machine_in
from am_dbg.projection.runs.run_rows import returned_text
from am_dbg.projection.times import counted
from am_dbg.store import Track

ENTER_GOES = (*MAIN_PANES, Pane.MACHINES, Pane.TIMELINE, Pane.STEPS)
_ALWAYS_OFFERED = (("hide_ended", "hide ended"),)


@dataclass(eq=False, slots=True)
class ReturnedRuns:
    """Notices runs that come back; `choose` and `escape` are the keys while a notice is open."""

    workspace: Workspace
    modes: Modes
    navigation: Navigation
    jumps: Jumps
    pane_actions: PaneActions
    keys: tuple[Key, ...]
    _noticed: dict[str, int] = field(default_factory=dict)

    def programs_connected(self, arrived: Sequence[Track]) -> None:
        """Look for runs that came back among the machines that connected."""
        machines = self.workspace.run_list
        found = (machines.run_of(track) for track in arrived)
        for run in dict.fromkeys(run.key for run in found if run is not None):
            self._connected(machines.run(run))
        self._follow()

    def _connected(self, run: ProgramRun | None) -> None:
        if run is None or not run.is_newest or self._noticed.get(run.first) == run.number:
            return
        earlier = self.workspace.run_list.earlier_runs(run)
        if earlier and not any(one.is_connected for one in earlier):
            self._noticed[run.first] = run.number
            self.workspace.returned_run = run.key

    def _follow(self) -> None:
        """If an ended run was followed, follow the same machine of the new run."""
        before = self.workspace.track
        ended = self.workspace.run_list.run_of(before) if before else None
        if before is None or ended is None or self.modes.playback is not Playback.TAIL:
            return
        run = self.workspace.run_list.newest_run(ended)
        track = machine_in(run, before.id)
        if ended.is_connected or run is ended or track is None or not track.connected:
            return
        self.jumps.select(track)
        self.workspace.run_list.use_default(ended)
        self.workspace.returned_run = ""
        self.workspace.message = f"{returned_text(run)}; this is {clean_name(track.key)}"

    @property
    def run(self) -> ProgramRun | None:
        """The run that came back and that the reader has not seen yet."""
        if not self.workspace.returned_run:
            return None
        machines, track = self.workspace.run_list, self.workspace.track
        run = machines.run(self.workspace.returned_run)
        return None if run is None or (track and machines.run_of(track) is run) else run

    @property
    def notice(self) -> ReturnedNotice:
        """The notice; empty without one."""
        run = self.run
        if run is None:
            return NO_NOTICE
        offers = (
            (("choose", "go"), *_ALWAYS_OFFERED) if self._goes_with_enter() else _ALWAYS_OFFERED
        )
        keys = by_action(self.keys)
        return ReturnedNotice(
            returned_text(run),
            tuple(
                (sign_of(keys[action].all_keys[0]), word, action)
                for action, word in offers
                if keys[action].all_keys
            ),
        )

    def _goes_with_enter(self) -> bool:
        focus = self.pane_actions.focus
        is_heading = focus is Pane.MACHINES and self.workspace.run_list.selected_run
        return focus in ENTER_GOES and not is_heading

    def choose(self) -> None:
        """Go to the run that came back, if that is offered; else what Enter does in the pane."""
        run = self.run
        if run is None or not self._goes_with_enter():
            self.pane_actions.choose()
            return
        self.workspace.returned_run = ""
        before = self.workspace.track
        same = machine_in(run, before.id) if before else None
        self.jumps.select(same or run.machines[0].track)
        if self.modes.follow():
            self.navigation.to_newest()

    def escape(self) -> None:
        """Close the notice; without one, what Escape does in the pane."""
        if self.run is not None and self.workspace.search is None:
            self.workspace.returned_run = ""
        else:
            self.pane_actions.escape()

    def hide_ended(self) -> None:
        """Hide ended runs and disconnected machines, or show them."""
        machines = self.workspace.run_list
        machines.hide_ended(hides=not machines.hides_ended)
        self.workspace.returned_run = ""
        hidden = machines.hidden
        if not machines.hides_ended:
            self.workspace.message = "ended machines are shown"
        elif hidden:
            self.workspace.message = f"{counted(hidden, 'ended machine')} hidden"
        else:
            self.workspace.message = "no machine has ended; those that end are hidden"
