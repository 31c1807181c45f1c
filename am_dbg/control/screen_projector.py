"""Builds the whole screen as one value: all views of the moment that the reader has selected.

A view is worked out only when its pane is on show, from as much data as fits on it. The
scroll positions that result are stored with the selection, so panes stay where they are. Each
view is guarded on its own: one that fails leaves its words in `Look.failed`, and all others
are shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from am_dbg.control.input_status import Sources, empty_hints
from am_dbg.control.modes import Modes
from am_dbg.control.view_switches import Viewing
from am_dbg.control.workspace import Desk
from am_dbg.drawing import layout as at
from am_dbg.drawing.layout import Layout, lay_out
from am_dbg.drawing.log import log_title_note
from am_dbg.drawing.matrix import HEADER_ROWS, matrix_columns
from am_dbg.drawing.rain import header_height, rain_columns
from am_dbg.keys import Key, footer_hints
from am_dbg.projection.bars import (
    AddressView,
    FooterView,
    Playback,
    StatusView,
    TabsView,
    project_address,
    project_status,
)
from am_dbg.projection.clean import clean
from am_dbg.projection.counts import MachineCounter
from am_dbg.projection.faults import Failed, attempt
from am_dbg.projection.filters import FilterBarView, project_filters
from am_dbg.projection.log.view import LogOptions, LogView, project_log
from am_dbg.projection.machines import MachinesView, project_machines, top_showing
from am_dbg.projection.matrix import MatrixView, project_matrix
from am_dbg.projection.rain import RainView, project_rain
from am_dbg.projection.reader import ReaderView, project_reader
from am_dbg.projection.states import StatesView, project_states, state_names
from am_dbg.projection.steps import Moment, StepsView, project_steps
from am_dbg.projection.timeline import TimelineView, project_timeline
from am_dbg.projection.times import count
from am_dbg.projection.transition import TransitionView, project_transition
from am_dbg.query import TransitionSet, canceled, errors


@dataclass(frozen=True, slots=True)
class Look:
    """Everything on the screen."""

    layout: Layout
    focus: str
    main: str
    has_machine: bool
    address: AddressView
    machines: MachinesView
    states: StatesView
    log: LogView
    rain: RainView
    matrix: MatrixView
    reader: ReaderView
    transition: TransitionView
    timeline: TimelineView
    steps: StepsView
    filters: FilterBarView
    status: StatusView
    footer: FooterView
    tabs: TabsView
    failed: dict[str, Failed] = field(default_factory=dict)


View = TypeVar("View")


class Looking:
    """Builds the look."""

    def __init__(self, desk: Desk, modes: Modes, viewing: Viewing, keys: tuple[Key, ...]) -> None:
        self.desk = desk
        self.modes = modes
        self._viewing = viewing
        self._counting = MachineCounter(desk.store)
        self._hints = {narrow: footer_hints(keys, narrow=narrow) for narrow in (False, True)}

    def look(self, width: int, height: int, sources: Sources) -> Look:
        """All views for a terminal of this size."""
        desk, modes = self.desk, self.modes
        layout = lay_out(
            width,
            height,
            main=modes.main,
            reader=modes.reader,
            focus=modes.focus,
            searching=modes.searching,
        )
        desk.widths = {pane: layout.inner(pane)[0] for pane in layout.boxes} | {"screen": width}
        desk.heights = {pane: layout.inner(pane)[1] for pane in layout.boxes}
        failed: dict[str, Failed] = {}

        def shown(pane: str, blank: View, work: Callable[[], View]) -> View:
            view = attempt(f"the view of the {pane}", work)
            if isinstance(view, Failed):
                failed[pane] = view
                return blank
            return view

        moment = shown(modes.main, None, lambda: desk.moment)
        log = shown(at.LOG, LogView(), lambda: self._log(moment))
        rain = shown(at.RAIN, RainView(), lambda: self._rain(moment))
        matrix = shown(at.MATRIX, MatrixView(), lambda: self._matrix(moment))
        desk.shown = {at.LOG: log, at.RAIN: rain, at.MATRIX: matrix}
        nothing = LogView(hints=empty_hints(sources))
        return Look(
            layout=layout,
            focus=desk.focused(modes.focus, modes.main),
            main=modes.main,
            has_machine=moment is not None,
            address=shown(at.ADDRESS, AddressView(), lambda: self._address(moment)),
            machines=shown(at.MACHINES, MachinesView(), lambda: self._machines(moment)),
            states=shown(at.STATES, StatesView(), lambda: self._states(moment)),
            log=log if moment else nothing,
            rain=rain,
            matrix=matrix,
            reader=shown(at.READER, ReaderView(), lambda: self._reader(moment)),
            transition=shown(
                at.TRANSITION, TransitionView(), lambda: self._transition(moment, sources)
            ),
            timeline=shown(at.TIMELINE, TimelineView(), lambda: self._timeline(moment)),
            steps=shown(
                at.STEPS, StepsView(), lambda: project_steps(moment) if moment else StepsView()
            ),
            filters=shown(at.FILTERS, FilterBarView(), lambda: self._filters(moment)),
            status=shown(at.STATUS, StatusView(), lambda: self._status(sources)),
            footer=shown(at.FOOTER, FooterView(), lambda: self._footer(moment)),
            tabs=shown(
                at.TABS, TabsView(), lambda: self._tabs(log) if layout.is_narrow else TabsView()
            ),
            failed=failed,
        )

    def _address(self, moment: Moment | None) -> AddressView:
        desk = self.desk
        return project_address(
            desk.store,
            moment,
            self.modes.playback,
            back=desk.history.can_go_back,
            forward=desk.history.can_go_forward,
        )

    def _height(self, pane: str) -> int:
        return self.desk.heights.get(pane, 0)

    def _needle(self, pane: str) -> str:
        found = self.desk.found
        return found.text if found and found.pane == pane else ""

    def _machines(self, moment: Moment | None) -> MachinesView:
        height = self._height(at.MACHINES)
        if not height:
            return MachinesView()
        desk = self.desk
        top, track = desk.tops.get(at.MACHINES, 0), desk.track
        if at.MACHINES not in desk.loose and track is not None:
            position = max(0, desk.order.position_of(track))
            top = top_showing(position, top, len(desk.places), height)
        now = moment.time_ns if moment else 0
        view = project_machines(desk.store, desk.order, track, now, top, height)
        desk.tops[at.MACHINES] = view.top
        return view

    def _states(self, moment: Moment | None) -> StatesView:
        height = self._height(at.STATES)
        if not height or moment is None:
            return StatesView()
        desk = self.desk
        view = project_states(
            desk.tree(moment),
            desk.spot,
            desk.tops.get(at.STATES, 0),
            height,
            follow=at.STATES not in desk.loose,
        )
        desk.tops[at.STATES] = view.top
        return view

    def _log(self, moment: Moment | None) -> LogView:
        height = self._height(at.LOG)
        if not height or moment is None:
            return LogView()
        desk = self.desk
        marks = frozenset(desk.bookmarks.of(moment.track))
        visible = desk.visible(moment.track)
        view = project_log(
            moment,
            visible,
            desk.tops.get(at.LOG, 0),
            height,
            LogOptions(desk.seconds, marks),
            follow=at.LOG not in desk.loose,
            needle=self._needle(at.LOG),
        )
        desk.tops[at.LOG] = view.top
        return view

    def _rain(self, moment: Moment | None) -> RainView:
        width, height = self.desk.widths.get(at.RAIN, 0), self._height(at.RAIN)
        if not height or moment is None:
            return RainView()
        names = state_names(moment)
        columns = rain_columns(width)
        rows = height - header_height(names[:columns], height)
        return project_rain(
            moment,
            self.desk.visible(moment.track),
            max(1, rows),
            columns,
            self.desk.spot.state if self.desk.spot else "",
            tail=self.modes.playback is Playback.TAIL,
        )

    def _matrix(self, moment: Moment | None) -> MatrixView:
        width, height = self.desk.widths.get(at.MATRIX, 0), self._height(at.MATRIX)
        if not height or moment is None:
            return MatrixView()
        names = state_names(moment)
        view = project_matrix(
            moment,
            matrix_columns(names, width),
            max(1, height - HEADER_ROWS),
            self.desk.spot.state if self.desk.spot else "",
            self.desk.tops.get(at.MATRIX, 0),
            follow=at.MATRIX not in self.desk.loose,
        )
        self.desk.tops[at.MATRIX] = view.first_row
        return view

    def _reader(self, moment: Moment | None) -> ReaderView:
        if not self._height(at.READER) or moment is None:
            return ReaderView()
        return project_reader(self.desk.store, moment, self.desk.tops.get(at.READER, 0))

    def _transition(self, moment: Moment | None, sources: Sources) -> TransitionView:
        if moment is None:
            return TransitionView(waits_on=sources.listening)
        visible = self.desk.visible(moment.track)
        return project_transition(moment, visible, sources.listening)

    def _timeline(self, moment: Moment | None) -> TimelineView:
        width = self.desk.widths.get(at.TIMELINE, 0)
        if not width or moment is None:
            return TimelineView()
        visible = self.desk.visible(moment.track)
        marks = self.desk.bookmarks.of(moment.track)
        return project_timeline(moment, visible, width - 2, marks)

    def _filters(self, moment: Moment | None) -> FilterBarView:
        desk, found = self.desk, self.desk.found
        hits = hit = -1
        if found and found.hits is not None and moment is not None:
            hits = found.hits.count
            hit = found.hits.position_of(moment.number) if moment.number in found.hits else 0
        return project_filters(
            desk.filters,
            seconds=desk.seconds,
            selected=self._viewing.picked,
            search=found.text if found else "",
            hits=hits,
            hit=max(hit, 0),
            where=found.pane if found and found.pane != at.LOG else "",
            is_typing=self.modes.searching,
            groups=desk.groups,
        )

    def _footer(self, moment: Moment | None) -> FooterView:
        hints = self._hints[self.desk.widths["screen"] < at.WIDE]
        if self.desk.message or moment is None:
            return FooterView(clean(self.desk.message), hints)
        visible = self.desk.visible(moment.track)
        return FooterView(
            hints=hints,
            errors=_counted(errors(visible), moment.number),
            canceled=_counted(canceled(visible), moment.number),
        )

    def _tabs(self, log: LogView) -> TabsView:
        main = self.modes.main
        shown = (at.MACHINES, at.STATES, main, at.READER)
        focus = self.modes.focus
        return TabsView(
            tabs=tuple((pane, pane.capitalize()) for pane in shown),
            open=focus if focus in shown else main,
            note=log_title_note(log) if log.total else "",
        )

    def _status(self, sources: Sources) -> StatusView:
        if at.STATUS not in self.desk.heights:
            return StatusView()
        return project_status(
            self._counting.counts,
            sources.listening,
            sources.source,
            sources.progress,
            sources.warning,
        )


def _counted(numbers: TransitionSet, number: int) -> str:
    """How many hits there are, and the position of the current one if it is a hit."""
    in_all = numbers.count
    if not in_all:
        return ""
    return f"{count(numbers.position_of(number))}/{count(in_all)}"
