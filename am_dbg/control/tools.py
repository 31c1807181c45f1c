"""Actions beside navigation: help, export, copying, the palette, suspending, quitting."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.control.confirmation import Confirmation
from am_dbg.control.effects import CopyText, DialogKind, OpenDialog, Quit, Suspend
from am_dbg.control.modes import Modes
from am_dbg.control.reading.transition_text import transition_text
from am_dbg.control.unsaved_transitions import UnsavedTransitions
from am_dbg.control.workspace import Workspace
from am_dbg.projection.addresses.write import write_address


@dataclass(eq=False, slots=True)
class Tools:
    """Returns effects: what the screen has to do for an action."""

    workspace: Workspace
    modes: Modes
    unsaved: UnsavedTransitions
    confirmation: Confirmation

    def help(self) -> OpenDialog | None:
        """Show the keys."""
        return self.modes.open_dialog(DialogKind.HELP)

    def export(self) -> OpenDialog | None:
        """Ask where to export to."""
        if not self.workspace.store.tracks:
            self.workspace.message = "nothing to export yet"
            return None
        return self.modes.open_dialog(DialogKind.EXPORT)

    def copy(self) -> CopyText | None:
        """Copy the current transition as text."""
        moment = self.workspace.moment
        if moment is None:
            return None
        return CopyText(transition_text(self.workspace.store, moment), "transition")

    def copy_address(self) -> CopyText | None:
        """Copy the address of the current transition."""
        moment = self.workspace.moment
        if moment is None:
            return None
        places: list[object] = []
        if not moment.is_start:
            places.append(moment.track.tx_id_at(moment.number))
            places += [moment.step] if moment.is_stepping and moment.step else []
        return CopyText(write_address(moment.track.key, *places), "address")

    def command_palette(self) -> OpenDialog | None:
        """Open the palette."""
        return self.modes.open_dialog(DialogKind.PALETTE)

    def suspend(self) -> Suspend:
        """Give the terminal back to the shell; data is still received."""
        return Suspend()

    def quit(self) -> Quit | None:
        """Quit; ask first if that loses data that is in no file."""
        lost = self.unsaved.describe(*self.workspace.store.tracks)
        if lost and not self.confirmation.is_confirmed("quit"):
            self.workspace.message = self.confirmation.question("quit", lost)
            return None
        return Quit()
