"""Order of the list of machines: sorted by name, children below their parent.

A new machine is inserted at its place; many that come at once are sorted among those that are
there. All keys are computed again only when machines were removed, or when one came whose id
already has children.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from am_dbg.store import Store, Track

INSERTED_MAX = 50
"""The most new tracks at once that are inserted one by one."""
NAMES_MAX = 16_384
"""Names whose keys are kept."""

_DIGITS = re.compile(r"(\d+)")
_SortKey = tuple[tuple[tuple[int, int, str], ...], int]


@dataclass(frozen=True, slots=True)
class ListedMachine:
    """A machine of the list; `depth` counts its parents."""

    track: Track
    depth: int


class MachineOrder:
    """All tracks as the list shows them; the order is computed again only if some came or went.

    If it `waits`, tracks that came are not in it before `take_in`; removed ones leave it at once.
    """

    def __init__(self, store: Store, *, waits: bool = False) -> None:
        self._store = store
        self._waits = waits
        self.is_cut = False
        """Whether the last call of `take_in` left out tracks that had come."""
        self._seen: Sequence[Track] = ()
        self._count = 0
        self._machines: list[ListedMachine] = []
        self._positions: dict[Track, int] = {}
        self._siblings: dict[Track | None, list[tuple[_SortKey, Track]]] = {}
        self._parents: set[str] = set()
        self._has_circles = False

    @property
    def machines(self) -> Sequence[ListedMachine]:
        """The machines of the list from top to bottom."""
        if not self._waits or self._store.tracks is not self._seen:
            self.take_in()
        return self._machines

    def take_in(self, most: int = 0) -> None:
        """Take in the tracks that came; with `most` only so many, and then it may be `is_cut`."""
        tracks = self._store.tracks
        if tracks is self._seen and len(tracks) == self._count:
            return
        now = list(tracks)  # more may come meanwhile
        self.is_cut = 0 < most < len(now) - self._count and tracks is self._seen
        if self.is_cut:
            del now[self._count + most :]
        if tracks is self._seen:
            self._add_new(now)
        else:
            self._order(now)
        self._seen, self._count = tracks, len(now)
        self._positions = {}

    def position_of(self, track: Track | None) -> int:
        """The position of a track in the list, -1 if it is not there."""
        machines = self.machines
        if not self._positions:
            self._positions = {machine.track: at for at, machine in enumerate(machines)}
        return self._positions.get(track, -1) if track else -1

    def _add_new(self, tracks: Sequence[Track]) -> None:
        came = tracks[self._count :]
        parents = [self._store.parent_of(track) for track in came]
        pairs = list(zip(came, parents, strict=True))
        are_leaves = all(
            track.id not in self._parents and (parent is None or parent.arrival < track.arrival)
            for track, parent in pairs
        )
        if self._has_circles or not are_leaves:
            self._order(tracks)
        elif len(came) > INSERTED_MAX:
            self._add(pairs)
        else:
            self._machines = list(self._machines)
            for track, parent in pairs:
                self._insert(track, parent)

    def _order(self, tracks: Sequence[Track]) -> None:
        """Sort all tracks."""
        self._siblings = {}
        self._parents = set()
        self._add([(track, self._store.parent_of(track)) for track in tracks])

    def _add(self, pairs: Sequence[tuple[Track, Track | None]]) -> None:
        """Sort tracks among the others with the same parents, and make the list again."""
        self._parents |= {track.parent for track, _ in pairs}
        for track, parent in pairs:
            self._siblings.setdefault(parent, []).append((_sort_key(track), track))
        for parent in {parent for _, parent in pairs}:
            self._siblings[parent].sort(key=_first)
        known = {machine.track: machine for machine in self._machines}
        children = {parent: [one for _, one in rows] for parent, rows in self._siblings.items()}
        machines: list[ListedMachine] = []
        pending = [_listed(track, 0, known) for track in reversed(children.pop(None, []))]
        while pending:
            machine = pending.pop()
            machines.append(machine)
            below = children.pop(machine.track, ())
            pending.extend(_listed(one, machine.depth + 1, known) for one in reversed(below))
        self._has_circles = bool(children)
        machines.extend(_listed(one, 0, known) for rest in children.values() for one in rest)
        self._machines = machines

    def _insert(self, track: Track, parent: Track | None) -> None:
        """Insert a new track at its place; nothing stands below it yet."""
        self._parents.add(track.parent)
        entry = (_sort_key(track), track)
        siblings = self._siblings.setdefault(parent, [])
        at = bisect(siblings, entry[0], key=_first)
        if at < len(siblings):
            index = self._index(siblings[at][1])
            depth = self._machines[index].depth
        elif parent is None:
            index, depth = len(self._machines), 0
        else:
            index = self._index(parent)
            depth = self._machines[index].depth + 1
            index += 1
            while index < len(self._machines) and self._machines[index].depth >= depth:
                index += 1
        siblings.insert(at, entry)
        self._machines.insert(index, ListedMachine(track, depth))

    def _index(self, track: Track) -> int:
        return next(at for at, machine in enumerate(self._machines) if machine.track is track)


def _listed(track: Track, depth: int, known: Mapping[Track, ListedMachine]) -> ListedMachine:
    """The machine as it was listed before, if it is at the same depth."""
    before = known.get(track)
    return before if before is not None and before.depth == depth else ListedMachine(track, depth)


@lru_cache(maxsize=NAMES_MAX)
def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """The key to sort names as people do: p2 before p10, capitals beside small letters."""
    return tuple(
        (0, int(part), "") if part.isdecimal() and len(part) < 20 else (1, 0, part.lower())
        for part in _DIGITS.split(name)
        if part
    )


def _sort_key(track: Track) -> _SortKey:
    return natural_key(track.key), track.arrival


def _first(entry: tuple[_SortKey, Track]) -> _SortKey:
    return entry[0]
