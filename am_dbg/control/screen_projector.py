"""Projects the whole screen: the views of all panes at the moment that the user has selected.

A view is projected only when its pane is shown, from as much data as fits on it. The scroll
positions that result are kept in the workspace, so panes stay where they are. A view that
fails is listed in `ScreenView.failed`; all others are shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from am_dbg.control.across.totals import Total, Totals
from am_dbg.control.filtering.filter_line import FilterLine
from am_dbg.control.input_status import InputStatus, connect_hints
from am_dbg.control.modes import Modes
from am_dbg.control.reading.detail import Detail
from am_dbg.control.reading.log_windows import merged_window
from am_dbg.control.reading.reader_cursor import ReaderCursor
from am_dbg.control.runs.returned_runs import ReturnedRuns
from am_dbg.control.screen_view import ScreenView
from am_dbg.control.view_switches import ViewSwitches
from am_dbg.control.workspace import Workspace
from am_dbg.drawing.detail import DetailView
from am_dbg.drawing.layout import Layout, Pane, lay_out
from am_dbg.drawing.log import log_title_note
from am_dbg.drawing.matrix import HEADER_ROWS, matrix_columns
from am_dbg.drawing.pane_keys import footer_ends, footer_hints
from am_dbg.drawing.rain import header_height, merged_head_rows, merged_rain_columns, rain_columns
from am_dbg.keys import Hint, Key
from am_dbg.projection.bars import (
    NO_NOTICE,
    AddressView,
    FooterView,
    Playback,
    StatusView,
    TabsView,
    project_address,
    project_status,
)
from am_dbg.projection.clean import clean, clean_name
from am_dbg.projection.counts import MachineCounter, about_text
from am_dbg.projection.faults import Failed, attempt
from am_dbg.projection.filtering.filter_line import FilterLineView
from am_dbg.projection.filters import FilterBarView, project_filters
from am_dbg.projection.grids.matrix import MatrixView, project_matrix
from am_dbg.projection.grids.merged_rain import (
    project_merged_rain,
    rain_name_width,
    rain_page,
    rain_states,
)
from am_dbg.projection.grids.rain import RainView, project_rain
from am_dbg.projection.log.merged import merged_columns, project_merged_log
from am_dbg.projection.log.view import LogView, project_log
from am_dbg.projection.log.window import LogPlace
from am_dbg.projection.machines import MachinesView, project_machines, top_showing
from am_dbg.projection.merged_timeline import project_merged_timeline
from am_dbg.projection.occurrences import counts_here, position_words
from am_dbg.projection.reader import ReaderView
from am_dbg.projection.states import StatesView, project_states, state_names
from am_dbg.projection.steps import Moment, StepsView, project_steps
from am_dbg.projection.timeline import TimelineView, project_timeline
from am_dbg.projection.transition import TransitionView, project_transition
from am_dbg.query import Filters, TransitionSet, Visible, canceled, errors
from am_dbg.query.across import Across
from am_dbg.query.cursor import Cursor
from am_dbg.query.terms import parse

View = TypeVar("View")


class ScreenProjector:
    """Projects the workspace, for a terminal of some size."""

    def __init__(
        self,
        workspace: Workspace,
        modes: Modes,
        view_switches: ViewSwitches,
        filter_line: FilterLine,
        detail: Detail,
        reader_cursor: ReaderCursor,
        returned_runs: ReturnedRuns,
        keys: tuple[Key, ...],
    ) -> None:
        self.workspace = workspace
        self.modes = modes
        self._view_switches = view_switches
        self._filter_line = filter_line
        self._detail_reading = detail
        self._reader_cursor = reader_cursor
        self._returned_runs = returned_runs
        self._counting = MachineCounter(workspace.store)
        self.totals = Totals()
        self._keys = keys
        self._hints: dict[tuple[Pane, bool], tuple[Hint, ...]] = {}
        self._ends = footer_ends(keys)

    def project(self, width: int, height: int, status: InputStatus) -> ScreenView:
        """All views for a terminal of this size."""
        workspace, modes = self.workspace, self.modes
        layout = workspace.layout = self._layout(width, height)
        failed: dict[Pane, Failed] = {}

        def shown(pane: Pane, blank: View, work: Callable[[], View]) -> View:
            """The view of a pane; a blank one if it fails."""
            view = attempt(f"the view of the {pane}", work)
            if isinstance(view, Failed):
                failed[pane] = view
                return blank
            return view

        moment = shown(modes.main, None, lambda: workspace.moment)

        def at_moment(pane: Pane, blank: View, work: Callable[[Moment], View]) -> View:
            """The view of the moment; a blank one if its pane is hidden or nothing is selected."""
            if moment is None or not workspace.height_of(pane):
                return blank
            return shown(pane, blank, lambda: work(moment))

        filter_line = shown(
            Pane.FILTERS,
            FilterLineView(is_open=modes.is_filtering),
            lambda: self._filter_line.view(moment.track if moment else None),
        )
        log = at_moment(Pane.LOG, LogView(), self._log)
        rain = at_moment(Pane.RAIN, RainView(), self._rain)
        matrix = at_moment(Pane.MATRIX, MatrixView(), self._matrix)
        footer = shown(Pane.FOOTER, FooterView(), lambda: self._footer(moment))
        workspace.shown_views = {Pane.LOG: log, Pane.RAIN: rain, Pane.MATRIX: matrix}
        return ScreenView(
            layout=layout,
            focus=workspace.visible_focus(modes.focus, modes.main),
            main=modes.main,
            has_machine=moment is not None,
            is_playing=modes.playback is Playback.PLAYING,
            play_every_s=workspace.play_speed.every_s,
            is_counting=self._is_counting,
            address=shown(Pane.ADDRESS, AddressView(), lambda: self._address(moment)),
            machines=shown(Pane.MACHINES, MachinesView(), lambda: self._machines(moment)),
            states=at_moment(Pane.STATES, StatesView(), self._states),
            log=log if moment else LogView(hints=connect_hints(status)),
            rain=rain,
            matrix=matrix,
            reader=at_moment(Pane.READER, ReaderView(), self._reader),
            detail=at_moment(Pane.DETAIL, DetailView(), self._detail),
            transition=shown(
                Pane.TRANSITION, TransitionView(), lambda: self._transition(moment, status)
            ),
            timeline=at_moment(Pane.TIMELINE, TimelineView(), self._timeline),
            steps=at_moment(Pane.STEPS, StepsView(), project_steps),
            filters=shown(Pane.FILTERS, FilterBarView(), lambda: self._filters(moment)),
            status=shown(Pane.STATUS, StatusView(), lambda: self._status(status)),
            footer=footer,
            tabs=shown(Pane.TABS, TabsView(), lambda: self._tabs(log, filter_line)),
            filter_line=filter_line,
            failed=failed,
        )

    @property
    def _is_counting(self) -> bool:
        """Whether something is left to do between the keys."""
        workspace = self.workspace
        typed, order = workspace.counting_typed, workspace.order
        return typed.is_running or self.totals.is_running or order.is_cut

    def _layout(self, width: int, height: int) -> Layout:
        modes = self.modes
        is_readable = modes.focus is not Pane.DETAIL or self.workspace.track is not None
        return lay_out(
            width,
            height,
            main=modes.main,
            reader=modes.is_reader_shown,
            focus=modes.focus if is_readable else modes.main,
            searching=modes.is_searching or modes.is_filtering,
            zoomed=self.workspace.is_zoomed,
            sizes=self.workspace.sizes,
            states=self._state_rows(),
        )

    def _state_rows(self) -> int:
        """The rows that States needs while nothing is unfolded, otherwise 0 for its full share."""
        workspace = self.workspace
        track = workspace.track
        if track is None or workspace.all_unfolded or workspace.unfolded or self.modes.is_stepping:
            return 0
        return len(track.states)

    def _address(self, moment: Moment | None) -> AddressView:
        workspace = self.workspace
        return project_address(
            workspace.store,
            moment,
            self.modes.playback,
            back=workspace.history.can_go_back,
            forward=workspace.history.can_go_forward,
            speed=workspace.play_speed.text,
        )

    def _machines(self, moment: Moment | None) -> MachinesView:
        height = self.workspace.height_of(Pane.MACHINES)
        if not height:
            return MachinesView()
        workspace = self.workspace
        machines, track = workspace.run_list, workspace.track
        top = machines.kept_top(track, workspace.tops.get(Pane.MACHINES, 0))
        if Pane.MACHINES not in workspace.scrolled_away and track is not None:
            position = max(0, machines.position(track))
            top = top_showing(position, top, len(machines.rows(track)), height)
        now = moment.time_ns if moment else 0
        view = project_machines(
            workspace.store, machines, track, now, top, height, workspace.chosen
        )
        machines.keep_in_place(track, view.top, height)
        workspace.tops[Pane.MACHINES] = view.top
        return view

    def _states(self, moment: Moment) -> StatesView:
        workspace = self.workspace
        view = project_states(
            workspace.tree(moment),
            workspace.selected_state,
            workspace.tops.get(Pane.STATES, 0),
            workspace.height_of(Pane.STATES),
            follow=Pane.STATES not in workspace.scrolled_away,
        )
        workspace.tops[Pane.STATES] = view.top
        return view

    def _merged_log(self, moment: Moment, merged: Across) -> LogView:
        """The log of all machines in the scope."""
        workspace, search = self.workspace, self.workspace.search
        view, workspace.merged_top = project_merged_log(
            merged_window(workspace, moment, merged),
            workspace.merged_top,
            merged_columns(merged),
            follow=Pane.LOG not in workspace.scrolled_away,
            needle=search.text if search and search.pane is Pane.LOG else "",
            scope=workspace.scope_words,
        )
        return view

    def _log(self, moment: Moment) -> LogView:
        workspace, search = self.workspace, self.workspace.search
        if (merged := workspace.merged) is not None:
            return self._merged_log(moment, merged)
        view = project_log(
            moment,
            workspace.visible(moment.track),
            workspace.log_place,
            workspace.height_of(Pane.LOG),
            workspace.log_options,
            follow=Pane.LOG not in workspace.scrolled_away,
            needle=search.text if search and search.pane is Pane.LOG else "",
        )
        workspace.log_place = LogPlace(view.top, view.skip)
        return view

    def _merged_rain(self, moment: Moment, merged: Across) -> RainView:
        """The rain of all machines in the scope."""
        workspace, selected = self.workspace, self.workspace.selected_state
        width, height = workspace.width_of(Pane.RAIN), workspace.height_of(Pane.RAIN)
        columns = merged_rain_columns(width, rain_name_width(merged))
        page = rain_page(merged, moment.track, columns)
        names = tuple(name for track in page for name in rain_states(track)[:columns])
        return project_merged_rain(
            merged,
            Cursor(moment.track, moment.number),
            max(1, height - merged_head_rows(names, height)),
            columns,
            selected.state if selected else "",
            tail=self.modes.playback is Playback.TAIL,
            scope=workspace.scope_words,
        )

    def _rain(self, moment: Moment) -> RainView:
        if (merged := self.workspace.merged) is not None:
            return self._merged_rain(moment, merged)
        width, height = self.workspace.width_of(Pane.RAIN), self.workspace.height_of(Pane.RAIN)
        names = state_names(moment)
        columns = rain_columns(width)
        rows = height - header_height(names[:columns], height)
        return project_rain(
            moment,
            self.workspace.visible(moment.track),
            max(1, rows),
            columns,
            self.workspace.selected_state.state if self.workspace.selected_state else "",
            tail=self.modes.playback is Playback.TAIL,
        )

    def _matrix(self, moment: Moment) -> MatrixView:
        width, height = self.workspace.width_of(Pane.MATRIX), self.workspace.height_of(Pane.MATRIX)
        names = state_names(moment)
        view = project_matrix(
            moment,
            matrix_columns(names, width),
            max(1, height - HEADER_ROWS),
            self.workspace.selected_state.state if self.workspace.selected_state else "",
            self.workspace.tops.get(Pane.MATRIX, 0),
            follow=Pane.MATRIX not in self.workspace.scrolled_away,
            machine=clean_name(moment.track.key) if self.workspace.is_across else "",
        )
        self.workspace.tops[Pane.MATRIX] = view.first_row
        return view

    def _reader(self, moment: Moment) -> ReaderView:
        return self._reader_cursor.project(moment)

    def _detail(self, moment: Moment) -> DetailView:
        workspace = self.workspace
        width, height = workspace.width_of(Pane.DETAIL), workspace.height_of(Pane.DETAIL)
        return self._detail_reading.project(moment, width, height)

    def _transition(self, moment: Moment | None, status: InputStatus) -> TransitionView:
        if moment is None:
            return TransitionView(waits_on=status.listening)
        visible = self.workspace.visible(moment.track)
        return project_transition(moment, visible, status.listening)

    def _timeline(self, moment: Moment) -> TimelineView:
        width = self.workspace.width_of(Pane.TIMELINE)
        if (merged := self.workspace.merged) is not None:
            across, which = (
                self.workspace.across,
                (self.workspace.filters, self.workspace.scope_keys),
            )
            here = Cursor(moment.track, moment.number)
            marked = (across.errors(*which), across.canceled(*which))
            bookmarked = self.workspace.bookmarked
            return project_merged_timeline(here, merged, *marked, width - 2, bookmarked)
        visible = self.workspace.visible(moment.track)
        marks = self.workspace.bookmarks.of(moment.track)
        return project_timeline(moment, visible, width - 2, marks)

    def _filters(self, moment: Moment | None) -> FilterBarView:
        workspace, search = self.workspace, self.workspace.search
        hits = hit = -1
        if search and search.hits is not None and moment is not None:
            hits = search.hits.count
            hit = search.hits.position_of(moment.number) if moment.number in search.hits else 0
        elif (
            search
            and search.text.strip()
            and moment is not None
            and workspace.is_across
            and not workspace.counting_typed.is_running
        ):
            found = workspace.across.hits(workspace.filters, search.text, workspace.scope_keys)
            here, hits = Cursor(moment.track, moment.number), found.count
            hit = found.position_of(here) if here in found else 0
        return project_filters(
            workspace.filters,
            seconds=workspace.shows_seconds,
            selected=self._view_switches.picked,
            search=search.text if search else "",
            hits=hits,
            hit=max(hit, 0),
            where=search.pane if search and search.pane is not Pane.LOG else "",
            is_typing=self.modes.is_searching or self.modes.is_filtering,
            is_counting=self.modes.is_searching and workspace.counting_typed.is_running,
            groups=workspace.groups,
            troubles=parse(search.text).troubles if search and hits >= 0 else (),
        )

    def _footer(self, moment: Moment | None) -> FooterView:
        workspace, across = self.workspace, self.workspace.across
        hints = self._focus_hints()
        if workspace.message or moment is None:
            return FooterView(clean(workspace.message), hints, self._ends)
        is_short = workspace.layout.is_narrow
        has_status = Pane.STATUS in workspace.layout.boxes
        return FooterView(
            hints=hints,
            ends=self._ends,
            returned=NO_NOTICE if has_status else self._returned_runs.notice,
            errors=self._counted("errors", moment, errors, across.errors, is_short=is_short),
            canceled=self._counted("canceled", moment, canceled, across.canceled, is_short=True),
            scope="all" if workspace.is_across else "this",
        )

    def _counted(
        self,
        name: str,
        moment: Moment,
        find: Callable[[Visible], TransitionSet],
        find_across: Callable[[Filters, frozenset[str]], Across],
        *,
        is_short: bool,
    ) -> str:
        """How many transitions of a kind there are here, and in all machines."""
        workspace = self.workspace
        if workspace.is_across:
            found = find_across(workspace.filters, workspace.scope_keys)
            here = Cursor(moment.track, moment.number)
            return position_words(found, here, is_short=is_short) if found.count else ""
        numbers = find(workspace.visible(moment.track))
        found = find_across(workspace.filters, frozenset())
        total = None if self.modes.is_importing else self.totals.of(name, found)
        total = total or Total(0, 0)
        return counts_here(numbers, moment.number, total.count, total.machines, is_short=is_short)

    def _focus_hints(self) -> tuple[Hint, ...]:
        """The keys for the pane that has the focus."""
        focus = self.workspace.visible_focus(self.modes.focus, self.modes.main)
        key = (focus, self.workspace.layout.is_narrow)
        if key not in self._hints:
            self._hints[key] = footer_hints(self._keys, pane=focus, narrow=key[1])
        return self._hints[key]

    def _tabs(self, log: LogView, filter_line: FilterLineView) -> TabsView:
        if not self.workspace.layout.is_narrow:
            return TabsView()
        main, focus = self.modes.main, self.modes.focus
        shown = (Pane.MACHINES, Pane.STATES, main, Pane.READER)
        return TabsView(
            tabs=tuple((pane, pane.capitalize()) for pane in shown),
            open=focus if focus in shown else main,
            note=self._tab_note(log, filter_line) if log.total else "",
        )

    def _tab_note(self, log: LogView, filter_line: FilterLineView) -> str:
        """The note on the log; with the scope of all machines, the scope."""
        return log.scope or log_title_note(log, filter_line)

    def _status(self, status: InputStatus) -> StatusView:
        if Pane.STATUS not in self.workspace.layout.boxes:
            return StatusView()
        return project_status(
            self._counting.counts,
            status.listening,
            status.source,
            status.progress,
            status.warning,
            about_text(self.workspace.store),
            self._returned_runs.notice,
            self.workspace.scope_words,
        )
