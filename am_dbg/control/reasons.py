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
from am_dbg.projection.reasons.why_not import why_not
from am_dbg.projection.reasons.why_not_rows import ReasonRow, kind_text, reason_rows
from am_dbg.projection.states_tree import TreeSpot
from am_dbg.query import changing
from amtracer.wire.vocabulary import MutationKind


@dataclass(eq=False, slots=True)
class Reasons:
    """Shows reasons and follows them to transitions and states."""

    workspace: Workspace
    modes: Modes
    jumps: Jumps

    def why(self) -> OpenDialog | None:
        """Show why the selected state is not active; if it is, go to its last change.

        If no state is selected, a called state that this transition did not activate is meant.
        """
        if self.workspace.cursor is None:
            return None
        selected = self.workspace.selected_state or self._select_refused()
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
        moment, selected = self.workspace.moment, self.workspace.selected_state
        if moment is None or selected is None:
            return ""
        answer = why_not(moment.track, moment.settled, selected.state)
        kind = f" · {kind_text(answer)}" if answer and answer.is_auto else ""
        return f"Why not {clean_name(selected.state)}{kind}"

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

    def _select_refused(self) -> TreeSpot | None:
        """Select the first called state that is not active after this transition, if any."""
        moment = self.workspace.moment
        shape = moment.shape if moment else None
        if moment is None or shape is None or shape.type == MutationKind.REMOVE:
            return None
        states, clock = moment.track.schema_at(moment.number), moment.track.clock_at(moment.settled)
        refused = [index for index in shape.called if clock[index] % 2 == 0]
        if not refused or not self.modes.chose_state():
            return None
        self.workspace.selected_state = TreeSpot(states[refused[0]].name)
        return self.workspace.selected_state

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
