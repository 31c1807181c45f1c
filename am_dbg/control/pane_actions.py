"""Keys inside panes: moving the focus, moving by rows, choosing what is selected."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.control.jumps import Jumps
from am_dbg.control.modes import Modes
from am_dbg.control.navigation import Navigation
from am_dbg.control.reading.log_scrolling import LogScrolling
from am_dbg.control.reading.reader_cursor import ReaderCursor
from am_dbg.control.reasons import Reasons
from am_dbg.control.view_switches import ViewSwitches
from am_dbg.control.workspace import Workspace
from am_dbg.drawing.layout import FRAMED_PANES, MAIN_PANES, Pane
from am_dbg.projection.runs.program_runs import ProgramRun
from am_dbg.projection.runs.run_list import ListRow
from am_dbg.projection.states_tree import STATE, Tree, TreeSpot
from am_dbg.query.cursor import JUMP_TRANSITIONS


@dataclass(eq=False, slots=True)
class PaneActions:
    """What keys do inside the pane that has the focus."""

    workspace: Workspace
    modes: Modes
    navigation: Navigation
    jumps: Jumps
    reasons: Reasons
    view_switches: ViewSwitches
    log_scrolling: LogScrolling
    reader_cursor: ReaderCursor

    @property
    def focus(self) -> Pane:
        """The pane that keys go to."""
        return self.workspace.visible_focus(self.modes.focus, self.modes.main)

    def next_pane(self) -> None:
        """Move the focus to the next pane."""
        self._cycle(1)

    def previous_pane(self) -> None:
        """Move the focus to the previous pane."""
        self._cycle(-1)

    def _cycle(self, by: int) -> None:
        order = [Pane.MACHINES, Pane.STATES, self.modes.main]
        is_narrow = self.workspace.layout.is_narrow
        if self.modes.is_reader_shown or is_narrow:
            order.append(Pane.READER)
        if not is_narrow:
            order += [Pane.TIMELINE, Pane.STEPS, Pane.FILTERS]
        at = order.index(self.focus) if self.focus in order else 0
        self.modes.focus_on(order[(at + by) % len(order)])

    def down(self) -> None:
        """Move one row down."""
        self._move_by(1)

    def up(self) -> None:
        """Move one row up."""
        self._move_by(-1)

    def page_down(self) -> None:
        """Move a page down."""
        self._move_by(self._page())

    def page_up(self) -> None:
        """Move a page up."""
        self._move_by(-self._page())

    def _page(self) -> int:
        """Rows of a page: the pane's height less two, to keep an overlap; on single rows a jump."""
        if self.focus not in FRAMED_PANES:
            return JUMP_TRANSITIONS
        return max(1, self.workspace.height_of(self.focus) - 2)

    def _move_by(self, rows: int) -> None:
        focus = self.focus
        if focus is Pane.MACHINES:
            self._move_in_machines(rows)
        elif focus is Pane.STATES:
            self._move_in_states(rows)
        elif focus is Pane.READER:
            self.reader_cursor.move(rows)
        elif focus is Pane.MATRIX:
            self.scroll(focus, rows)
        elif focus is Pane.FILTERS:
            self.view_switches.pick(1 if rows > 0 else -1)
        elif focus is Pane.LOG:
            self.log_scrolling.move(rows)
        elif abs(rows) == 1:
            self.navigation.by_one(rows)
        else:
            self.navigation.by_many(rows)

    def _move_in_machines(self, rows: int) -> None:
        listed = self.workspace.run_list.rows(self.workspace.track)
        if not listed:
            return
        at = self.workspace.run_list.position(self.workspace.track)
        self.workspace.scrolled_away.discard(Pane.MACHINES)
        self.select_listed(listed[max(0, min(len(listed) - 1, at + rows))])

    def select_listed(self, row: ListRow) -> None:
        """Select a row of the list of machines; a heading leaves the machine selected."""
        if isinstance(row, ProgramRun):
            self.workspace.run_list.selected_run = row.key
        else:
            self.workspace.run_list.selected_run = ""
            self.jumps.select(row.track)

    def _fold_run(self) -> bool:
        """Fold or unfold the run whose heading is selected; return whether one is."""
        machines = self.workspace.run_list
        run = machines.run(machines.selected_run)
        if run is not None:
            machines.open(run, is_open=not machines.is_open(run))
        return run is not None

    def _move_in_states(self, rows: int) -> None:
        tree, selected = self.tree(), self.workspace.selected_state
        if tree is None or not tree.rows:
            return
        at = tree.position_of(selected) if selected else -1
        self.select_state(tree.spot_at(max(0, min(len(tree.rows) - 1, at + rows))))

    def cycle_state(self, by: int) -> None:
        """Select the next or previous state in schema order, the order of the rain's columns."""
        moment, selected = self.workspace.moment, self.workspace.selected_state
        if moment is None:
            return
        names = [state.name for state in moment.track.schema_at(moment.number)]
        at = names.index(selected.state) if selected and selected.state in names else -1
        if names:
            self.select_state(TreeSpot(names[(at + by) % len(names)]))

    def select_state(self, selected: TreeSpot) -> None:
        """Select a row of the tree of states."""
        if self.modes.chose_state():
            self.workspace.selected_state = selected
            self.workspace.scrolled_away.discard(Pane.STATES)

    def tree(self) -> Tree | None:
        """The tree of states, None if no machine is selected."""
        moment = self.workspace.moment
        return self.workspace.tree(moment) if moment else None

    def choose(self) -> None:
        """Unfold a state, follow a reference, or move the focus on."""
        focus = self.focus
        if focus is Pane.STATES:
            self.choose_state()
        elif focus is Pane.MACHINES and self._fold_run():
            return
        elif focus is Pane.MACHINES:
            self.modes.focus_on(self.modes.main)
        elif focus is Pane.READER:
            self.reader_cursor.choose()
        elif focus is Pane.FILTERS:
            self.view_switches.switch()
        elif focus in MAIN_PANES:
            self.modes.focus_on(Pane.READER)

    def choose_state(self) -> None:
        """Unfold or fold the selected state; follow a reference or a reason."""
        tree, selected = self.tree(), self.workspace.selected_state
        if tree is None or selected is None:
            return
        if selected.reference == STATE:
            self.workspace.unfolded ^= {selected.state}
        elif reason := tree.reason_at(selected):
            self.reasons.follow(reason)
        elif target := tree.target_of(selected):
            self.select_state(TreeSpot(target))

    def unfold_all(self) -> None:
        """Unfold or fold all states."""
        self.workspace.all_unfolded = not self.workspace.all_unfolded
        self.workspace.unfolded = frozenset()

    def escape(self) -> None:
        """End the zoom or the search; without either, go back to the machines."""
        if self.workspace.is_zoomed:
            self.workspace.is_zoomed = False
        elif self.workspace.search is not None:
            self.workspace.search = None
        else:
            self.modes.focus_on(Pane.MACHINES)

    def scroll(self, pane: Pane, rows: int) -> None:
        """Scroll a framed pane; the cursor stays, and the pane no longer follows it."""
        if pane not in FRAMED_PANES:
            return
        if pane is Pane.LOG:
            self.log_scrolling.scroll(rows)
            return
        self.workspace.tops[pane] = max(0, self.workspace.tops.get(pane, 0) + rows)
        self.workspace.scrolled_away.add(pane)
