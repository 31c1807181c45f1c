"""Explains the selected state: the last change of an active one, the reasons of an inactive one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from am_dbg.control.effects import DialogKind, OpenDialog
from am_dbg.control.jumps import Jumps
from am_dbg.control.modes import Modes
from am_dbg.control.workspace import Workspace
from am_dbg.drawing.layout import Pane
from am_dbg.projection.clean import clean_name
from am_dbg.projection.reasons.why_not_rows import ReasonRow, reason_rows
from am_dbg.projection.states_tree import TreeSpot
from am_dbg.query import changing


@dataclass(eq=False, slots=True)
class Reasons:
    """Shows reasons and follows them to transitions and states."""

    workspace: Workspace
    modes: Modes
    jumps: Jumps

    def why(self) -> OpenDialog | None:
        """Show why the selected state is not active; if it is, go to its last change."""
        selected = self.workspace.selected_state
        if self.workspace.cursor is None:
            return None
        if selected is None:
            self.modes.focus_on(Pane.READER)
            self.workspace.message = "select a state first; w then explains it"
            return None
        if self.rows:
            return self.modes.open_dialog(DialogKind.WHY_NOT)
        self._to_last_change(selected.state)
        return None

    @property
    def rows(self) -> Sequence[ReasonRow]:
        """The reasons for which the selected state is not active; empty if it is."""
        moment, selected = self.workspace.moment, self.workspace.selected_state
        if moment is None or selected is None:
            return ()
        return reason_rows(moment.track, moment.settled, selected.state)

    @property
    def title(self) -> str:
        """The title of the list of reasons."""
        selected = self.workspace.selected_state
        return f"Why not {clean_name(selected.state)}" if selected else ""

    def follow(self, row: ReasonRow) -> None:
        """Select the state of a reason, and go to its transition if it has one."""
        cursor = self.workspace.cursor
        if cursor is None:
            return
        if row.state and self.modes.chose_state():
            self.workspace.selected_state = TreeSpot(row.state)
            self.workspace.scrolled_away.discard(Pane.STATES)
        if row.number:
            self.jumps.jump(cursor.at(row.number))
        elif not row.state:
            self.workspace.message = "this reason has no transition"

    def _to_last_change(self, state: str) -> None:
        cursor = self.workspace.cursor
        assert cursor is not None  # the caller checks that a machine is selected
        changes = changing(self.workspace.visible(cursor.track), state)
        number = changes.previous(cursor.number + 1)
        if number is None:
            self.workspace.message = f"{state} has not changed before this transition"
        elif number == cursor.number:
            self.workspace.message = f"{state} changed in this transition"
        else:
            self.jumps.jump(cursor.at(number))
