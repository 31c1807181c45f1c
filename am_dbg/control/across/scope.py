"""The scope of movement and jumps: the selected machine, or all machines in order of time.

With the scope of all machines, arrows, errors, canceled transitions and hits go on in time over
all machines, and each move selects the machine that it leads to. Machines can be chosen (`*`);
then the others are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.control.modes import Modes
from am_dbg.control.workspace import Workspace
from am_dbg.drawing.layout import Pane
from am_dbg.projection.clean import clean_name
from am_dbg.projection.times import counted


@dataclass(eq=False, slots=True)
class Scope:
    """Switches the scope, and chooses its machines."""

    workspace: Workspace
    modes: Modes

    def scope(self) -> None:
        """Look at all machines in order of time, or at the selected one alone."""
        workspace = self.workspace
        if not self.modes.changed_filters():
            return
        workspace.counting_typed.abandon()
        workspace.is_across = not workspace.is_across
        workspace.merged_top = None
        workspace.scrolled_away.discard(Pane.LOG)
        if workspace.search is not None:
            workspace.search.hits = None
        workspace.message = f"scope: {workspace.scope_words}"

    def choose_machine(self) -> None:
        """Choose the selected machine for the scope of all machines, or leave it out again."""
        workspace, track = self.workspace, self.workspace.track
        if track is None or not self.modes.changed_filters():
            return
        workspace.chosen ^= {track.key}
        is_chosen = track.key in workspace.chosen
        name = clean_name(track.key)
        verb = "chosen" if is_chosen else "not chosen any more"
        workspace.message = f"{name} is {verb}; A looks at {self._what_is_chosen()}"

    def _what_is_chosen(self) -> str:
        chosen = self.workspace.chosen
        return counted(len(chosen), "chosen machine") if chosen else "all machines"
