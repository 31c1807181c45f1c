"""What the reader has selected: cursor, filters, unfolded states, search hits.

It is a plain record that the modules of control change. Its only decisions keep its parts
consistent: a cursor stands on something visible, and what belongs to a track is dropped when
another track is selected.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from weakref import ref

from am_dbg.control.history import Bookmarks, History, Spot
from am_dbg.projection.log.view import LogView
from am_dbg.projection.machine_order import ListedMachine, MachineOrder
from am_dbg.projection.matrix import MatrixView
from am_dbg.projection.rain import RainView
from am_dbg.projection.states_tree import Tree, TreeSpot, tree_of
from am_dbg.projection.steps import Moment, moment_of
from am_dbg.query import Filters, TransitionSet, Visible
from am_dbg.query.cursor import Cursor
from am_dbg.store import Store, Track
from am_dbg.store.facts import groups_of

VISIBLES_MAX = 32
"""Tracks whose filtered numbers are kept ready, for going back and forth between them."""


@dataclass(slots=True)
class Found:
    """The text that was searched for, in which pane, and from where."""

    pane: str
    text: str = ""
    hits: TransitionSet | None = None
    origin: Cursor | None = None


@dataclass(slots=True)
class Desk:
    """What the reader has selected and how the panes are scrolled."""

    store: Store
    filters: Filters = field(default_factory=Filters)
    seconds: bool = False
    cursor: Cursor | None = None
    spot: TreeSpot | None = None
    opened: frozenset[str] = frozenset()
    all_open: bool = False
    tops: dict[str, int] = field(default_factory=dict)
    loose: set[str] = field(default_factory=set)
    switch: str = "canceled"
    shown: dict[str, LogView | RainView | MatrixView] = field(default_factory=dict)
    found: Found | None = None
    history: History = field(default_factory=History)
    bookmarks: Bookmarks = field(default_factory=Bookmarks)
    message: str = ""
    order: MachineOrder = field(init=False)
    heights: dict[str, int] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)
    _visibles: OrderedDict[str, Visible] = field(default_factory=OrderedDict)

    @property
    def track(self) -> Track | None:
        return self.cursor.track if self.cursor else None

    def focused(self, focus: str, main: str) -> str:
        """The pane that keys go to; the main one if the one with the focus has no room."""
        return focus if focus in self.heights or not self.heights else main

    @property
    def held(self) -> tuple[int, int]:
        """A value that changes when a part of the history under the cursor is removed."""
        track = self.track
        return (-1, -1) if track is None else (track.first, self.order.position_of(track))

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of states of the machine on show."""
        return tuple(groups_of(self.track.states)) if self.track else ()

    def __post_init__(self) -> None:
        self.order = MachineOrder(self.store)

    @property
    def places(self) -> Sequence[ListedMachine]:
        return self.order.machines

    def visible(self, track: Track) -> Visible:
        """The visible transitions of a track under the present filters."""
        kept = self._visibles.get(track.key)
        if kept is None or kept.track is not track or kept.filters != self.filters:
            kept = self._visibles[track.key] = Visible(track, self.filters)
        self._visibles.move_to_end(track.key)
        while len(self._visibles) > VISIBLES_MAX:
            self._visibles.popitem(last=False)
        return kept

    def forget_removed(self) -> None:
        """Drop what is cached of machines that are gone."""
        for key in [key for key, one in self._visibles.items() if not self.store.holds(one.track)]:
            del self._visibles[key]

    @property
    def moment(self) -> Moment | None:
        """Where the reader is; the nearest remaining place if that was removed to save memory."""
        if self.cursor is None:
            return None
        if self.cursor.number < self.cursor.track.first - 1:
            self.message = "that part of the history was removed to save memory"
            self.cursor = self.cursor.first()
        return moment_of(self.cursor, self.visible(self.cursor.track))

    def tree(self, moment: Moment) -> Tree:
        """The tree of states as it is unfolded."""
        return tree_of(moment, self.opened, all_open=self.all_open)

    def go(self, cursor: Cursor) -> None:
        """Put the cursor somewhere; the panes follow it again."""
        self.cursor = cursor
        self.loose.clear()
        self.tops["reader"] = 0

    def let_go(self) -> str:
        """Leave a machine that is no longer in the list; return its key, empty for none."""
        track = self.track
        if track is None or self.order.position_of(track) >= 0:
            return ""
        self.cursor = self.spot = self.found = None
        self._visibles.pop(track.key, None)
        return track.key

    def select(self, track: Track, number: int | None = None) -> None:
        """Select a track, at a transition or at the moment that was on show."""
        visible = self.visible(track)
        if number is None:
            moment = self.moment
            number = track.last_at_or_before(moment.time_ns) if moment else visible.last()
        if track is not self.track:
            self.tops.pop("log", None)
            self.spot = self.spot if self.spot and self._has(track, self.spot.state) else None
            if self.found and self.found.pane != "machines":
                self.found = None
        self.go(Cursor(track).at(number).kept(visible))

    def _has(self, track: Track, state: str) -> bool:
        return track.index_at(track.count, state) >= 0

    def refilter(self, filters: Filters) -> None:
        """Change the filters; the cursor goes to the nearest place still visible."""
        self.filters = filters
        if self.cursor is None:
            return
        visible = self.visible(self.cursor.track)
        cursor = replace(self.cursor, step=0) if self.cursor.step else self.cursor
        self.cursor = cursor.kept(visible)
        self.loose.discard("log")

    def here(self) -> Spot | None:
        """The place under the cursor, for history and bookmarks."""
        moment = self.moment
        if moment is None:
            return None
        return Spot(moment.track.key, max(moment.number, 0), ref(moment.track))

    def remember(self) -> None:
        """Put the place under the cursor into the history."""
        spot = self.here()
        if spot:
            self.history = self.history.visited(spot)
