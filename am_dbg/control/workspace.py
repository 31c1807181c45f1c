"""The workspace: what the user has selected, and how the panes are scrolled.

It is a plain record that the modules of control change. Its methods keep it consistent: the
cursor is at a visible transition, and what belongs to a track is dropped when another track
is selected.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from weakref import ref

from am_dbg.control.arrangement.play_speed import PlaySpeed
from am_dbg.control.filtering.counting import Counting
from am_dbg.control.history import Bookmarks, History, SavedPlace
from am_dbg.drawing.layout import Layout, Pane
from am_dbg.drawing.log import text_column
from am_dbg.drawing.pane_sizes import PaneSizes
from am_dbg.projection.grids.matrix import MatrixView
from am_dbg.projection.grids.rain import RainView
from am_dbg.projection.log.merged_window import MergedPlace
from am_dbg.projection.log.view import LogView, number_digits
from am_dbg.projection.log.window import LogOptions, LogPlace
from am_dbg.projection.machine_list import MachineList
from am_dbg.projection.machine_order import ListedMachine, MachineOrder
from am_dbg.projection.occurrences import scope_words
from am_dbg.projection.runs.run_list import RunList
from am_dbg.projection.states_tree import Tree, TreeSpot, tree_of
from am_dbg.projection.steps import Moment, moment_of
from am_dbg.query import Filters, TransitionSet, Visible, canceled, errors
from am_dbg.query.across import Across
from am_dbg.query.across_queries import AcrossQueries
from am_dbg.query.cursor import Cursor
from am_dbg.store import Store, Track
from am_dbg.store.facts import groups_of

NO_MACHINE = frozenset({""})
"""The keys of a list in which no machine is; no machine has an empty key."""
VISIBLES_MAX = 32
"""Tracks whose visible transitions are cached, for going back and forth between them."""


@dataclass(slots=True)
class SearchState:
    """A search: its text, its pane, its hits in the log, and the cursor when it began."""

    pane: Pane
    text: str = ""
    hits: TransitionSet | None = None
    origin: Cursor | None = None


@dataclass(slots=True)
class Workspace:
    """What the user has selected, and how the panes are scrolled.

    `tops` are the first rows that panes show; of the log it is a transition, of which the
    first `log_skip` rows are not shown. The panes in `scrolled_away` do not follow the
    cursor. `shown_views` are the views that a click may hit. The panes in `wrapped` break long
    rows instead of cutting them. `returned_run` is the key of a run whose program came back,
    while a notice offers to go there.

    With `is_across`, movement goes over all machines in order of time, or over the `chosen` ones,
    or those that the list shows; the log then begins at `merged_top`.
    """

    store: Store
    filters: Filters = field(default_factory=Filters)
    shows_seconds: bool = False
    cursor: Cursor | None = None
    selected_state: TreeSpot | None = None
    unfolded: frozenset[str] = frozenset()
    all_unfolded: bool = False
    wrapped: frozenset[Pane] = frozenset({Pane.READER, Pane.DETAIL})
    tops: dict[Pane, int] = field(default_factory=dict)
    log_skip: int = 0
    reader_row: int = 0
    scrolled_away: set[Pane] = field(default_factory=set)
    picked_switch: str = "canceled"
    shown_views: dict[Pane, LogView | RainView | MatrixView] = field(default_factory=dict)
    search: SearchState | None = None
    counting_typed: Counting = field(default_factory=Counting)
    history: History = field(default_factory=History)
    bookmarks: Bookmarks = field(default_factory=Bookmarks)
    message: str = ""
    play_speed: PlaySpeed = field(default_factory=PlaySpeed)
    is_zoomed: bool = False
    sizes: PaneSizes = field(default_factory=PaneSizes)
    returned_run: str = ""
    is_across: bool = False
    chosen: frozenset[str] = frozenset()
    merged_top: MergedPlace | None = None
    _listed: tuple[Sequence[ListedMachine], frozenset[str]] = ((), frozenset())
    across: AcrossQueries = field(init=False)
    order: MachineOrder = field(init=False)
    machine_list: MachineList = field(init=False)
    run_list: RunList = field(init=False)
    layout: Layout = field(default_factory=lambda: Layout(0, 0, is_narrow=True))
    _visibles: OrderedDict[str, Visible] = field(default_factory=OrderedDict)

    @property
    def track(self) -> Track | None:
        return self.cursor.track if self.cursor else None

    def visible_focus(self, focus: Pane, main: Pane) -> Pane:
        """The pane that keys go to: the one with the focus, or the main one if that is hidden."""
        boxes = self.layout.boxes
        return focus if focus in boxes or not boxes else main

    def width_of(self, pane: Pane) -> int:
        """The columns inside a pane, 0 while it is hidden."""
        return self.layout.inner(pane)[0]

    def height_of(self, pane: Pane) -> int:
        """The rows inside a pane, 0 while it is hidden."""
        return self.layout.inner(pane)[1]

    @property
    def data_version(self) -> tuple[int, int]:
        """A value that changes when a part of the history under the cursor is removed."""
        track = self.track
        return (-1, -1) if track is None else (track.first, int(self.store.holds(track)))

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of states of the selected machine."""
        return tuple(groups_of(self.track.states)) if self.track else ()

    def __post_init__(self) -> None:
        self.order = MachineOrder(self.store, waits=True)
        self.machine_list = MachineList(self.store, self.order)
        self.run_list = RunList(self.store, self.order, self.machine_list)
        self.across = AcrossQueries(self.store)

    @property
    def machines(self) -> Sequence[ListedMachine]:
        """The machines that pass the filter of their list."""
        return self.machine_list.machines

    def visible(self, track: Track) -> Visible:
        """The transitions of a track that pass the filters."""
        kept = self._visibles.get(track.key)
        if kept is None or kept.track is not track or kept.filters != self.filters:
            kept = self._visibles[track.key] = Visible(track, self.filters)
        self._visibles.move_to_end(track.key)
        while len(self._visibles) > VISIBLES_MAX:
            self._visibles.popitem(last=False)
        return kept

    @property
    def merged(self) -> Across | None:
        """The visible transitions of all machines in the scope; None if it is one machine."""
        return self.across.visible(self.filters, self.scope_keys) if self.is_across else None

    @property
    def scope_keys(self) -> frozenset[str]:
        """The keys of the machines in the scope of all: the chosen ones, else those of the list.

        It is empty if the list has all machines; a list without any has the key of none.
        """
        if self.chosen or not self.machine_list.filter.words:
            return self.chosen
        listed = self.machine_list.machines
        if listed is not self._listed[0]:
            self._listed = (listed, frozenset(one.track.key for one in listed) or NO_MACHINE)
        return self._listed[1]

    @property
    def scope_words(self) -> str:
        """The scope in words."""
        if not self.is_across:
            return "this machine"
        is_filtered = not self.chosen and bool(self.machine_list.filter.words)
        listed = len(self.machine_list.machines) if is_filtered else -1
        return scope_words(len(self.store.tracks), len(self.chosen), listed)

    @property
    def moment(self) -> Moment | None:
        """The moment at the cursor; if it was removed to save memory, the oldest one left."""
        if self.cursor is None:
            return None
        if self.cursor.number < self.cursor.track.first - 1:
            self.message = "that part of the history was removed to save memory"
            self.cursor = self.cursor.first()
        return moment_of(self.cursor, self.visible(self.cursor.track))

    def tree(self, moment: Moment) -> Tree:
        """The tree of states as it is unfolded."""
        return tree_of(moment, self.unfolded, all_open=self.all_unfolded)

    @property
    def bookmarked(self) -> frozenset[Cursor]:
        """The bookmarks of all machines in the scope."""
        keys = self.scope_keys
        tracks = [(place.track(self.store), place.number) for place in self.bookmarks.places]
        return frozenset(
            Cursor(track, number)
            for track, number in tracks
            if track is not None and (not keys or track.key in keys)
        )

    @property
    def log_options(self) -> LogOptions:
        """What the log shows beside transitions."""
        marks = frozenset(self.bookmarks.of(self.track)) if self.track else frozenset()
        room = self.width_of(Pane.LOG) if Pane.LOG in self.wrapped else 0
        if room and self.track:
            room = max(1, room - text_column(number_digits(self.track.count), room))
        return LogOptions(self.shows_seconds, marks, room)

    @property
    def log_place(self) -> LogPlace:
        """Where the log begins."""
        return LogPlace(self.tops.get(Pane.LOG, 0), self.log_skip)

    @log_place.setter
    def log_place(self, place: LogPlace) -> None:
        self.tops[Pane.LOG], self.log_skip = place

    def marked_elsewhere(self, track: Track) -> tuple[int, ...]:
        """The marked transitions of a machine, without the one at the cursor."""
        place = self.current_place()
        here = place.number if place is not None and place.key == track.key else -1
        return tuple(number for number in self.bookmarks.of(track) if number != here)

    def move_cursor(self, cursor: Cursor) -> None:
        """Move the cursor, also to another machine; all panes follow it again."""
        if self.track is not None and cursor.track is not self.track:
            self._change_track(cursor.track)
        self.cursor = cursor
        self.scrolled_away.clear()
        self.tops[Pane.READER] = self.reader_row = 0

    def leave_removed_machine(self) -> str:
        """Leave a machine that is no longer in the list; return its key, empty for none."""
        track = self.track
        if track is None or self.store.holds(track):
            return ""
        self.cursor = self.selected_state = self.search = None
        self._visibles.pop(track.key, None)
        return track.key

    def select(self, track: Track, number: int | None = None) -> None:
        """Select a track, at a transition or at the moment that was selected before."""
        visible = self.visible(track)
        if number is None:
            moment = self.moment
            number = track.last_at_or_before(moment.time_ns) if moment else visible.last()
        if track is not self.track:
            self._change_track(track)
        self.run_list.reveal(track)
        self.move_cursor(Cursor(track).at(number).kept(visible))

    def _change_track(self, new: Track) -> None:
        """Keep the selected state if the new track has it, and a search in the machines."""
        self.log_place = LogPlace(0)
        selected = self.selected_state
        if selected and new.index_at(new.count, selected.state) < 0:
            self.selected_state = None
        goes_on = (Pane.MACHINES, Pane.LOG) if self.is_across else (Pane.MACHINES,)
        if self.search and self.search.pane not in goes_on:
            self.search = None

    def counting(self, filters: Filters) -> Iterator[int]:
        """Count, step by step, what the screen shows with other filters."""
        if self.track is None:
            return
        wanted = Visible(self.track, filters)
        for numbers in (wanted, errors(wanted), canceled(wanted)):
            yield from numbers.counting()
        across, keys = self.across, {frozenset[str]()}
        if self.is_across:
            keys.add(self.scope_keys)
            yield from across.visible(filters, self.scope_keys).counting()
        for among in keys:
            yield from across.errors(filters, among).counting()
            yield from across.canceled(filters, among).counting()
        self._visibles[wanted.track.key] = wanted

    def refilter(self, filters: Filters) -> None:
        """Change the filters; the cursor moves to the nearest visible transition."""
        self.filters = filters
        if self.cursor is None:
            return
        visible = self.visible(self.cursor.track)
        cursor = replace(self.cursor, step=0) if self.cursor.step else self.cursor
        self.cursor = cursor.kept(visible)
        self.scrolled_away.discard(Pane.LOG)

    def current_place(self) -> SavedPlace | None:
        """The place at the cursor, for history and bookmarks."""
        moment = self.moment
        if moment is None:
            return None
        return SavedPlace(moment.track.key, max(moment.number, 0), ref(moment.track))

    def add_to_history(self) -> None:
        """Add the place at the cursor to the history."""
        place = self.current_place()
        if place:
            self.history = self.history.visited(place)
