"""The list of machines as it is on show: those that pass its filter, in the order of its sort.

Without a filter and in the order of the tree it is the list of `MachineOrder`. Machines are
sorted when the user picks a sort, and stay in that order while data arrives, so nothing moves
under the reader; a new machine is placed by what it has when it comes. A filter is followed: a
machine appears with its first error. Only machines that changed are looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from am_dbg.projection.filtering.machine_filter import MachineFilter, parse_machine_filter
from am_dbg.projection.machine_order import ListedMachine, MachineOrder, natural_key
from am_dbg.query import ALL, TransitionSet, Visible, errors
from am_dbg.store import Store, Track

_SortKey = tuple[int, tuple[tuple[int, int, str], ...], int]


class MachineSort(Enum):
    """The orders of the list.

    By name below their parents, by most errors, by most transitions, by the newest transition,
    or by name alone.
    """

    TREE = "tree"
    ERRORS = "errors"
    ACTIVITY = "activity"
    NEWEST = "newest"
    NAME = "name"


class MachineList:
    """The machines that are on show; it follows the store."""

    def __init__(self, store: Store, order: MachineOrder | None = None) -> None:
        self._store = store
        self._order = MachineOrder(store) if order is None else order
        self._machines: Sequence[ListedMachine] = ()
        self._positions: dict[Track, int] = {}
        self._errors: dict[Track, TransitionSet] = {}
        self._keys: dict[Track, _SortKey] = {}
        self._passing: dict[Track, bool] = {}
        self._seen: Sequence[ListedMachine] | None = None
        self._mark = 0
        self.sort = MachineSort.TREE
        self.text = ""
        self.filter = MachineFilter()

    @property
    def machines(self) -> Sequence[ListedMachine]:
        """The machines from top to bottom."""
        listed = self._order.machines
        if not self.filter.words and self.sort is MachineSort.TREE:
            return listed
        if self._is_outdated(listed):
            self._machines, self._positions = self._listed(listed), {}
            self._seen = listed
        return self._machines

    @property
    def in_all(self) -> int:
        """How many machines there are without the filter."""
        return len(self._order.machines)

    def position_of(self, track: Track | None) -> int:
        """The position of a machine in the list, -1 if it is not there."""
        machines = self.machines
        if machines is self._order.machines:
            return self._order.position_of(track)
        if not self._positions:
            self._positions = {machine.track: at for at, machine in enumerate(machines)}
        return self._positions.get(track, -1) if track else -1

    def filter_by(self, text: str) -> None:
        """Show only the machines for which the words of a filter hold."""
        self.text, self.filter = text, parse_machine_filter(text)
        self._passing, self._seen = {}, None

    def sort_by(self, sort: MachineSort) -> None:
        """Sort by what the machines have now."""
        self.sort = sort
        self._keys, self._seen = {}, None

    def errors_of(self, track: Track) -> int:
        """How many transitions of a machine have errors."""
        found = self._errors.get(track)
        if found is None:
            found = self._errors[track] = errors(Visible(track, ALL))
        return found.count

    def _is_outdated(self, listed: Sequence[ListedMachine]) -> bool:
        """Whether machines came or went, or one passes the filter that did not, or the reverse."""
        if listed is not self._seen:
            self._forget_removed(listed)
            return True
        if not self.filter.follows_data:
            return False
        changed, self._mark = self._store.changed_since(self._mark)
        before = [self._passing.pop(track, False) for track in changed]
        return before != [self._passes(track) for track in changed]

    def _forget_removed(self, listed: Sequence[ListedMachine]) -> None:
        """Drop what is kept of removed machines, because it would keep them in memory."""
        held = {machine.track for machine in listed}
        for kept in (self._errors, self._keys, self._passing):
            for track in [one for one in kept if one not in held]:
                del kept[track]

    def _passes(self, track: Track) -> bool:
        passes = self._passing.get(track)
        if passes is None:
            passes = self.filter.passes(self._store, track, lambda one: self.errors_of(one) > 0)
            self._passing[track] = passes
        return passes

    def _listed(self, listed: Sequence[ListedMachine]) -> list[ListedMachine]:
        if self.sort is MachineSort.TREE:
            return self._tree(listed)
        shown = [machine.track for machine in listed if self._passes(machine.track)]
        return [ListedMachine(track, 0) for track in sorted(shown, key=self._key)]

    def _tree(self, listed: Sequence[ListedMachine]) -> list[ListedMachine]:
        """The machines that pass; one whose parents do not pass has no branch."""
        shown: list[ListedMachine] = []
        parents: list[int] = []
        for machine in listed:
            while parents and parents[-1] >= machine.depth:
                parents.pop()
            if self._passes(machine.track):
                shown.append(ListedMachine(machine.track, len(parents)))
                parents.append(machine.depth)
        return shown

    def _key(self, track: Track) -> _SortKey:
        key = self._keys.get(track)
        if key is None:
            key = self._keys[track] = (
                -self._weight(track),
                natural_key(track.key),
                track.arrival,
            )
        return key

    def _weight(self, track: Track) -> int:
        """What brings a machine to the top of the list."""
        match self.sort:
            case MachineSort.ERRORS:
                return self.errors_of(track)
            case MachineSort.ACTIVITY:
                return track.count
            case MachineSort.NEWEST:
                return track.time_at(track.count)
            case _:
                return 0
