"""Sets of transitions of all tracks, merged by time.

A place is a cursor: a track and a number. Places are in order of time; of places with the same
time, the track that arrived first comes first, and within a track its own order stands. For
this each track has rising times (`am_dbg.query.rising_times`).

Nothing is merged in advance. The place after another one is the earliest of one candidate for
each track, and a window goes on from these candidates with a heap. So a window of a hundred rows
looks at a hundred transitions, and at one more of each track, however many there are. Counts come
from the palettes of chunks; only tracks that changed since are counted again, and tracks that
hold nothing of a set are passed over.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from itertools import islice
from math import inf
from weakref import WeakKeyDictionary

from am_dbg.query.conditions import Conditions
from am_dbg.query.cursor import JUMP_TRANSITIONS, Cursor
from am_dbg.query.rising_times import RisingTimes
from am_dbg.query.transition_set import TransitionSet
from am_dbg.store import Store, Track

Key = tuple[int, int, int]
"""The order of places: rising time, arrival of the track, number."""
_NO_ANSWER: tuple[int, Key | None] = (-1, None)
COUNTED_TRACKS = 1_024
"""Tracks that are counted before a count that stops there goes on after them."""
_NO_CUT = (inf, -inf, 0)


@dataclass(slots=True)
class _Lane:
    """The part of a merged set that is in one track.

    The last answers are kept: while the reader moves from place to place, few tracks have a
    transition in between, and for all others the answers stay.
    """

    track: Track
    numbers: TransitionSet
    times: RisingTimes
    count: int = 0
    held: int = 0
    _after: tuple[int, Key | None] = _NO_ANSWER
    _before: tuple[int, Key | None] = _NO_ANSWER
    _position: tuple[int, int] = (-1, 0)

    def key(self, number: int) -> Key:
        return (self.times.at(number), self.track.arrival, number)

    def recount(self) -> int:
        """Count again after the track changed; return by how much the count changed."""
        self._after = self._before = _NO_ANSWER
        self._position = (-1, 0)
        before, self.count = self.count, self.numbers.count
        self.held = self.track.count - self.track.first + 1
        return self.count - before

    def after(self, number: int) -> Key | None:
        """The key of the next one after a number."""
        if self._after[0] != number:
            found = self.numbers.next(number)
            self._after = (number, self.key(found) if found else None)
        return self._after[1]

    def before(self, number: int) -> Key | None:
        """The key of the one before a number."""
        if self._before[0] != number:
            found = self.numbers.previous(number)
            self._before = (number, self.key(found) if found else None)
        return self._before[1]

    def position_of(self, number: int) -> int:
        """How many are not above a number."""
        if self._position[0] != number:
            self._position = (number, self.numbers.position_of(number))
        return self._position[1]


class MergedTimes:
    """The rising times of all tracks, and where a key cuts each of them.

    A cut is the last number of a track whose place is not after the key. Cuts are the same for all
    sets. The last one of each track is kept with the times around it, until data arrives.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._times: WeakKeyDictionary[Track, RisingTimes] = WeakKeyDictionary()
        self._cuts: dict[Track, tuple[float, float, int]] = {}
        self._version = -1

    def of(self, track: Track) -> RisingTimes:
        """The times of one track."""
        times = self._times.get(track)
        if times is None:
            times = self._times[track] = RisingTimes(track)
        return times

    def key(self, place: Cursor) -> Key:
        """The value by which places are in order."""
        return (self.of(place.track).at(place.number), place.track.arrival, place.number)

    def cuts(self, key: Key, lanes: Iterable[_Lane]) -> list[int]:
        """The cut of the track of each lane."""
        if self._version != self._store.version:
            self._cuts = {}
            self._version = self._store.version
        time = key[0]
        found = []
        for lane in lanes:
            low, high, cut = self._cuts.get(lane.track, _NO_CUT)
            if not low < time < high:
                cut = self._cut(lane, key)
            found.append(cut)
        return found

    def _cut(self, lane: _Lane, key: Key) -> int:
        time, arrival, number = key
        track, times = lane.track, lane.times
        if arrival == track.arrival:
            return number
        cut = times.first_from(time + (track.arrival < arrival)) - 1
        low = times.at(cut) if cut >= track.first else -inf
        high = times.at(cut + 1) if cut < track.count else inf
        self._cuts[track] = (low, high, cut)
        return cut


class Across:
    """The transitions of all tracks, or of some, that pass conditions, in order of time.

    Only one thread at a time may use it.
    """

    def __init__(
        self,
        store: Store,
        conditions: Callable[[Track], Conditions],
        times: MergedTimes,
        among: Collection[str] = (),
    ) -> None:
        self._store = store
        self._conditions = conditions
        self._times = times
        self._among = frozenset(among)
        self._begin(store.tracks)

    def _begin(self, tracks: Sequence[Track]) -> None:
        self._tracks = tracks
        self._mark = 0
        self._lanes: dict[Track, _Lane] = {}
        self._holding: dict[Track, _Lane] = {}
        self._count = self._in_all = 0

    def _refresh(self) -> Collection[_Lane]:
        """The lanes that hold something; those of changed tracks are counted again."""
        self._leave_removed()
        changed, self._mark = self._store.changed_since(self._mark)
        for track in changed:
            if self._is_among(track):
                self._recount(track)
        return self._holding.values()

    def _leave_removed(self) -> None:
        """Begin again if tracks were removed."""
        tracks = self._store.tracks
        if tracks is not self._tracks:
            self._begin(tracks)

    def _is_among(self, track: Track) -> bool:
        return not self._among or track.key in self._among

    def _recount(self, track: Track) -> None:
        lane = self._lane(track)
        self._in_all -= lane.held
        self._count += lane.recount()
        self._in_all += lane.held
        if lane.count:
            self._holding[track] = lane
        else:
            self._holding.pop(track, None)

    def _lane(self, track: Track) -> _Lane:
        lane = self._lanes.get(track)
        if lane is None:
            numbers = TransitionSet(track, self._conditions(track))
            lane = self._lanes[track] = _Lane(track, numbers, self._times.of(track))
        return lane

    def counting(self) -> Iterator[int]:
        """Count track by track, so that `count` is at hand afterwards.

        Each step yields how many transitions it looked at; the set may be used between steps.
        """
        self._leave_removed()
        end = self._store.changed_since(self._mark)[1]
        while self._mark < end:
            changed, mark = self._store.changed_since(self._mark, COUNTED_TRACKS)
            for track in filter(self._is_among, changed):
                yield from self._lane(track).numbers.counting()
                self._recount(track)
            self._mark = max(self._mark, mark)

    @property
    def behind(self) -> int:
        """How many tracks changed since they were counted."""
        self._leave_removed()
        return len(self._store.changed_since(self._mark)[0])

    @property
    def count(self) -> int:
        """How many transitions there are."""
        self._refresh()
        return self._count

    @property
    def in_all(self) -> int:
        """How many transitions the tracks hold, with those that do not pass."""
        self._refresh()
        return self._in_all

    @property
    def holding(self) -> Sequence[Track]:
        """The tracks that hold some of them."""
        return [lane.track for lane in self._refresh()]

    def count_in(self, track: Track) -> int:
        """How many of them are in one track."""
        self._refresh()
        lane = self._holding.get(track)
        return lane.count if lane else 0

    def __contains__(self, place: object) -> bool:
        if not isinstance(place, Cursor):
            return False
        self._refresh()
        lane = self._holding.get(place.track)
        return lane is not None and place.number in lane.numbers

    def key(self, place: Cursor) -> Key:
        """The value by which places are in order."""
        return self._times.key(place)

    def position_of(self, place: Cursor) -> int:
        """How many of the transitions are not after a place."""
        lanes = self._refresh()
        cuts = self._times.cuts(self.key(place), lanes)
        return sum(lane.position_of(cut) for lane, cut in zip(lanes, cuts, strict=True))

    def next(self, place: Cursor) -> Cursor | None:
        """The next transition after a place."""
        return next(self.after(place), None)

    def previous(self, place: Cursor) -> Cursor | None:
        """The transition before a place."""
        return next(self.before(place), None)

    def first(self) -> Cursor | None:
        """The earliest one of all."""
        return next(_forward((lane, lane.after(0)) for lane in self._refresh()), None)

    def last(self) -> Cursor | None:
        """The latest one of all."""
        lanes = self._refresh()
        return next(_backward((lane, lane.before(lane.track.count + 1)) for lane in lanes), None)

    def at_time(self, time_ns: int) -> Cursor | None:
        """The first transition at a time or later; the last one if all are earlier."""
        lanes = self._refresh()
        heads = ((lane, lane.after(lane.times.first_from(time_ns) - 1)) for lane in lanes)
        return next(_forward(heads), None) or self.last()

    def moved(self, place: Cursor, by: int = JUMP_TRANSITIONS) -> Cursor | None:
        """The place so many transitions on or back, at most the last or the first one."""
        places = self.after(place) if by > 0 else self.before(place)
        found = deque(islice(places, abs(by)), maxlen=1)
        return found[0] if found else None

    def after(self, place: Cursor) -> Iterator[Cursor]:
        """The transitions after a place, one by one."""
        lanes = self._refresh()
        cuts = zip(lanes, self._times.cuts(self.key(place), lanes), strict=True)
        return _forward([(lane, lane.after(cut)) for lane, cut in cuts])

    def before(self, place: Cursor) -> Iterator[Cursor]:
        """The transitions before a place, backwards."""
        lanes = self._refresh()
        cuts = zip(lanes, self._times.cuts(self.key(place), lanes), strict=True)
        return _backward(
            [(lane, lane.before(cut + (lane.track is not place.track))) for lane, cut in cuts]
        )

    def sampled_times(self, samples_max: int) -> list[int]:
        """The rising times of the transitions; of many, those of about `samples_max` of them."""
        lanes = self._refresh()
        if self._count <= samples_max:
            times = [
                lane.times.at(number)
                for lane in lanes
                for number in lane.numbers.numbers(1, lane.count)
            ]
        else:
            stride = -(-sum(lane.track.count for lane in lanes) // samples_max)
            times = [
                lane.times.at(number)
                for lane in lanes
                for number in range(lane.track.first, lane.track.count + 1, stride)
                if number in lane.numbers
            ]
        return sorted(times)

    def columns_of(self, bounds: Sequence[int]) -> set[int]:
        """The columns that hold one of the transitions, for ascending times at which they begin.

        A column that was found is skipped in all further tracks, so this takes about one look-up
        for each column and each track.
        """
        found: set[int] = set()
        for lane in self._refresh():
            number = lane.numbers.next(0)
            while number is not None:
                column = column_at(bounds, lane.times.at(number))
                found.add(column)
                while column + 1 in found:
                    column += 1
                if column + 1 >= len(bounds):
                    break
                number = lane.numbers.next(
                    max(number, lane.times.first_from(bounds[column + 1]) - 1)
                )
        return found


def _forward(heads: Iterable[tuple[_Lane, Key | None]]) -> Iterator[Cursor]:
    """Go on from the first key of each lane; keys differ, so lanes are never compared."""
    heap = [(key, lane) for lane, key in heads if key]
    heapify(heap)
    while heap:
        (_, _, number), lane = heap[0]
        yield Cursor(lane.track, number)
        following = lane.numbers.next(number)
        if following is None:
            heappop(heap)
        else:
            heapreplace(heap, (lane.key(following), lane))


def _backward(heads: Iterable[tuple[_Lane, Key | None]]) -> Iterator[Cursor]:
    """Go back from the last key of each lane, with the signs of all keys changed."""
    heap = [(_negated(key), lane) for lane, key in heads if key]
    heapify(heap)
    while heap:
        (_, _, minus), lane = heap[0]
        yield Cursor(lane.track, -minus)
        following = lane.numbers.previous(-minus)
        if following is None:
            heappop(heap)
        else:
            heapreplace(heap, (_negated(lane.key(following)), lane))


def _negated(key: Key) -> Key:
    time, arrival, number = key
    return (-time, -arrival, -number)


def column_at(bounds: Sequence[int], time_ns: int) -> int:
    """The column of a time, for ascending times at which columns begin."""
    return max(0, bisect_right(bounds, time_ns) - 1)
