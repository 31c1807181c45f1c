"""Checks that shapes fit a machine: which states are active, how high its ticks may be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.facts import mask_of


class ClockCheck:
    """What the next shapes of a machine have to agree with; `active` is a mask of states."""

    __slots__ = ("_bound", "active")

    def __init__(self, ticks: Sequence[int]) -> None:
        self.start_at(ticks)

    def start_at(self, ticks: Sequence[int]) -> None:
        """Go on from these ticks."""
        self.active = mask_of(index for index, tick in enumerate(ticks) if tick & 1)
        self._bound = max(ticks, default=0)

    def active_after(self, shapes: Sequence[int], dictionary: SegmentDictionary) -> int:
        """The mask of active states after some shapes, -1 when one does not fit.

        A shape says of each state it changed how it stands afterwards. That has to agree
        with how it stood before and whether its growth was odd.
        """
        active = self.active
        for flipped, changed, added in map(dictionary.activity.__getitem__, shapes):
            active ^= flipped
            if active & changed != added:
                return -1
        return active

    def stays_below(
        self, limit: int, shapes: Sequence[int], dictionary: SegmentDictionary, ticks: Sequence[int]
    ) -> bool:
        """Whether no tick passes the limit with these shapes, from these ticks on."""
        grown = list(ticks)
        self._bound = max(grown, default=0)
        dictionary.grow(grown, Counter(shapes), 1)
        return max(grown, default=0) <= limit

    def is_surely_below(self, limit: int, rows: int, dictionary: SegmentDictionary) -> bool:
        """Whether no tick can pass the limit with any shapes; a bound that costs very little."""
        return self._bound + rows * dictionary.growth_max <= limit

    def take(self, active: int, rows: int, dictionary: SegmentDictionary) -> None:
        """Note that so many rows were taken in, and the states that are active after them."""
        self.active = active
        self._bound += rows * dictionary.growth_max
