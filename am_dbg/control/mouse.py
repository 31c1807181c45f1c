"""The mouse inside panes: clicks and the wheel."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.control.jumps import Jumps
from am_dbg.control.modes import Modes
from am_dbg.control.navigation import Navigation
from am_dbg.control.pane_actions import PaneActions
from am_dbg.control.reading.detail import Detail
from am_dbg.control.workspace import Workspace
from am_dbg.drawing.layout import FRAMED_PANES, Pane
from am_dbg.drawing.matrix import place_in_matrix
from am_dbg.drawing.rain import place_in_rain
from am_dbg.projection.grids.matrix import MatrixView
from am_dbg.projection.grids.rain import RainView, state_of_column
from am_dbg.projection.log.view import LogView
from am_dbg.projection.log.window import RowKind
from am_dbg.projection.states_tree import TreeSpot

WHEEL_TRANSITIONS = 5
"""Transitions that the wheel moves on the timeline."""
TIMELINE_MARGIN = 1
"""Empty cells at each end of the timeline."""


@dataclass(eq=False, slots=True)
class Mouse:
    """What clicks and the wheel do."""

    workspace: Workspace
    modes: Modes
    navigation: Navigation
    jumps: Jumps
    pane_actions: PaneActions
    detail_reading: Detail

    def scroll(self, pane: Pane, rows: int) -> None:
        """Handle the wheel: transitions on the timeline, steps on the steps row, rows elsewhere."""
        if pane is Pane.TIMELINE:
            self.navigation.by_many(WHEEL_TRANSITIONS if rows > 0 else -WHEEL_TRANSITIONS)
        elif pane is Pane.STEPS:
            self.navigation.next_step() if rows > 0 else self.navigation.previous_step()
        elif pane is Pane.DETAIL:
            self.detail_reading.scroll(rows)
        elif pane is Pane.RAIN:
            self.navigation.by_many(rows)
        else:
            self.pane_actions.scroll(pane, rows)

    def click(self, pane: Pane, row: int, column: int, *, again: bool = False) -> None:
        """Select what is on a clicked row of a pane; a second click does what Enter does."""
        if pane is Pane.TIMELINE:
            width = self.workspace.width_of(Pane.TIMELINE) - 2 * TIMELINE_MARGIN
            self.navigation.to_column(column - TIMELINE_MARGIN, width)
            return
        self.modes.focus_on(pane)
        if row < 0:
            return
        if pane is Pane.STATES:
            self._click_state(row)
        elif pane is Pane.DETAIL:
            self.detail_reading.click(row, again=again)
        elif again and pane in FRAMED_PANES:
            self.pane_actions.choose()
        elif pane is Pane.MACHINES:
            self._click_machine(row)
        elif pane is Pane.READER:
            self.pane_actions.reader_cursor.click(row)
        elif pane is Pane.LOG:
            self._click_log(row)
        elif pane is Pane.RAIN:
            self._click_rain(row, column)
        elif pane is Pane.MATRIX:
            self._click_matrix(row, column)

    def _click_machine(self, row: int) -> None:
        listed = self.workspace.run_list.rows(self.workspace.track)
        at = self.workspace.tops.get(Pane.MACHINES, 0) + row
        if at < len(listed):
            self.pane_actions.select_listed(listed[at])

    def _click_state(self, row: int) -> None:
        tree = self.pane_actions.tree()
        at = self.workspace.tops.get(Pane.STATES, 0) + row
        if tree is None or at >= len(tree.rows):
            return
        clicked = tree.spot_at(at)
        if clicked == self.workspace.selected_state:
            self.pane_actions.choose_state()
        else:
            self.pane_actions.select_state(clicked)

    def _click_log(self, row: int) -> None:
        view = self.workspace.shown_views.get(Pane.LOG)
        if not isinstance(view, LogView) or row >= len(view.rows):
            return
        place = view.rows[row].place
        if place is not None:
            self.navigation.to_place(place)
        elif view.rows[row].kind not in (RowKind.GAP, RowKind.SECOND):
            self.navigation.to_number(view.rows[row].number)

    def _click_rain(self, row: int, column: int) -> None:
        view = self.workspace.shown_views.get(Pane.RAIN)
        if not isinstance(view, RainView):
            return
        width, height = self.workspace.width_of(Pane.RAIN), self.workspace.height_of(Pane.RAIN)
        clicked, at = place_in_rain(view, width, height, row, column)
        if clicked is not None and clicked.place is not None:
            self.navigation.to_place(clicked.place)
        elif clicked is not None:
            self.navigation.to_number(clicked.number)
        self._select_state(state_of_column(view, self.workspace.track, at))

    def _click_matrix(self, row: int, column: int) -> None:
        view = self.workspace.shown_views.get(Pane.MATRIX)
        if isinstance(view, MatrixView):
            width = self.workspace.width_of(Pane.MATRIX)
            self._select_state(place_in_matrix(view, width, row, column))

    def _select_state(self, index: int | None) -> None:
        """Select a state by its index in the schema."""
        moment = self.workspace.moment
        states = moment.track.schema_at(moment.number) if moment else ()
        if index is not None and index < len(states):
            self.pane_actions.select_state(TreeSpot(states[index].name))
