"""Order of the list of machines: sorted by name, children below their parent.

A new machine is inserted at its place. The whole list is sorted again only when machines were
removed, when many came at once, or when one came whose id already has children.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from am_dbg.store import Store, Track

INSERTED_MAX = 50
"""The most new tracks at once that are inserted one by one."""

_DIGITS = re.compile(r"(\d+)")
_SortKey = tuple[tuple[tuple[int, int, str], ...], int]


@dataclass(frozen=True, slots=True)
class ListedMachine:
    """A machine of the list; `depth` counts its parents."""

    track: Track
    depth: int


class MachineOrder:
    """All tracks as the list shows them; the order is computed again only if some came or went."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: Sequence[Track] = ()
        self._arrival = 0
        self._machines: list[ListedMachine] = []
        self._positions: dict[Track, int] = {}
        self._siblings: dict[Track | None, list[tuple[_SortKey, Track]]] = {}
        self._parents: set[str] = set()
        self._has_circles = False

    @property
    def machines(self) -> Sequence[ListedMachine]:
        """The machines of the list from top to bottom."""
        tracks = self._store.tracks
        newest = tracks[-1].arrival if tracks else 0
        if tracks is not self._seen:
            self._order(list(tracks))
        elif newest != self._arrival:
            self._take_in(tracks)
        else:
            return self._machines
        self._seen, self._arrival = tracks, newest
        self._positions = {}
        return self._machines

    def position_of(self, track: Track | None) -> int:
        """The position of a track in the list, -1 if it is not there."""
        machines = self.machines
        if not self._positions:
            self._positions = {machine.track: at for at, machine in enumerate(machines)}
        return self._positions.get(track, -1) if track else -1

    def _take_in(self, tracks: Sequence[Track]) -> None:
        came = list(takewhile(lambda track: track.arrival > self._arrival, reversed(tracks)))
        if self._has_circles or len(came) > INSERTED_MAX:
            self._order(list(tracks))
            return
        self._machines = list(self._machines)
        for track in reversed(came):
            parent = self._store.parent_of(track)
            is_parent_later = parent is not None and parent.arrival > track.arrival
            if track.id in self._parents or is_parent_later:
                self._order(list(tracks))
                return
            self._insert(track, parent)

    def _order(self, tracks: Sequence[Track]) -> None:
        """Sort all tracks."""
        self._siblings = {}
        self._parents = {track.parent for track in tracks}
        for key, track in sorted(((_sort_key(one), one) for one in tracks), key=_first):
            self._siblings.setdefault(self._store.parent_of(track), []).append((key, track))
        children = {parent: [one for _, one in rows] for parent, rows in self._siblings.items()}
        machines: list[ListedMachine] = []
        pending = [ListedMachine(track, 0) for track in reversed(children.pop(None, []))]
        while pending:
            machine = pending.pop()
            machines.append(machine)
            below = children.pop(machine.track, [])
            pending.extend(ListedMachine(track, machine.depth + 1) for track in reversed(below))
        self._has_circles = bool(children)
        machines.extend(ListedMachine(track, 0) for rest in children.values() for track in rest)
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
