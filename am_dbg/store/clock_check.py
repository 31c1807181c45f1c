"""Checks that shapes fit the clock of a machine: active states and the limit of ticks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.facts import mask_of


class ClockCheck:
    """The clock that the next shapes of a machine must fit; `active` is a mask of states."""

    __slots__ = ("_bound", "active")

    def __init__(self, ticks: Sequence[int]) -> None:
        self.start_at(ticks)

    def start_at(self, ticks: Sequence[int]) -> None:
        """Continue from these ticks."""
        self.active = mask_of(index for index, tick in enumerate(ticks) if tick & 1)
        self._bound = max(ticks, default=0)

    def active_after(self, shapes: Sequence[int], dictionary: SegmentDictionary) -> int:
        """The mask of active states after some shapes, -1 if one does not fit.

        A shape has, for each state that it changes, whether the state is active afterwards. That
        must agree with whether it was active before and whether its growth is odd.
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
        """Whether no tick exceeds the limit if these shapes follow these ticks."""
        grown = list(ticks)
        self._bound = max(grown, default=0)
        dictionary.grow(grown, Counter(shapes), 1)
        return max(grown, default=0) <= limit

    def is_surely_below(self, limit: int, rows: int, dictionary: SegmentDictionary) -> bool:
        """Whether no shapes can exceed the limit in so many rows; a cheap upper bound."""
        return self._bound + rows * dictionary.growth_max <= limit

    def take(self, active: int, rows: int, dictionary: SegmentDictionary) -> None:
        """Add `rows` rows; `active` are the active states after them."""
        self.active = active
        self._bound += rows * dictionary.growth_max
