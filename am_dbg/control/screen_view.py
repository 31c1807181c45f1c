"""Everything on the screen, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field

from am_dbg.drawing.detail import DetailView
from am_dbg.drawing.layout import Layout, Pane
from am_dbg.projection.bars import AddressView, FooterView, StatusView, TabsView
from am_dbg.projection.faults import Failed
from am_dbg.projection.filtering.filter_line import NO_FILTER, FilterLineView
from am_dbg.projection.filters import FilterBarView
from am_dbg.projection.grids.matrix import MatrixView
from am_dbg.projection.grids.rain import RainView
from am_dbg.projection.log.view import LogView
from am_dbg.projection.machines import MachinesView
from am_dbg.projection.reader import ReaderView
from am_dbg.projection.states import StatesView
from am_dbg.projection.steps import StepsView
from am_dbg.projection.timeline import TimelineView
from am_dbg.projection.transition import TransitionView


@dataclass(frozen=True, slots=True)
class ScreenView:
    """What each pane shows, and where; a view that failed is in `failed`."""

    layout: Layout
    focus: Pane
    main: Pane
    has_machine: bool
    is_playing: bool
    play_every_s: float
    is_counting: bool
    address: AddressView
    machines: MachinesView
    states: StatesView
    log: LogView
    rain: RainView
    matrix: MatrixView
    reader: ReaderView
    detail: DetailView
    transition: TransitionView
    timeline: TimelineView
    steps: StepsView
    filters: FilterBarView
    status: StatusView
    footer: FooterView
    tabs: TabsView
    filter_line: FilterLineView = NO_FILTER
    failed: dict[Pane, Failed] = field(default_factory=dict)
