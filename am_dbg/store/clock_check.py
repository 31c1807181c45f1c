"""Checks that rows fit their machines: the next row, active states, the limit of ticks.

A batch can have many short runs, so the functions here take all runs of a batch at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice

from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.facts import mask_of


class ClockCheck:
    """The row and the clock that the next shapes of a machine must fit.

    `active` is a mask of states, `bound` a number that no tick exceeds. It is ahead of what
    readers see while rows wait to be taken in.
    """

    __slots__ = ("active", "bound", "row")

    def __init__(self, ticks: Sequence[int], row: int) -> None:
        self.row = row
        self.start_at(ticks)

    def start_at(self, ticks: Sequence[int]) -> None:
        """Continue from these ticks."""
        self.active = mask_of(index for index, tick in enumerate(ticks) if tick & 1)
        self.bound = max(ticks, default=0)

    def stays_below(
        self, limit: int, shapes: Sequence[int], dictionary: SegmentDictionary, ticks: Sequence[int]
    ) -> bool:
        """Whether no tick exceeds the limit if these shapes follow these ticks."""
        grown = list(ticks)
        self.bound = max(grown, default=0)
        dictionary.grow(grown, Counter(shapes), 1)
        return max(grown, default=0) <= limit


def active_after(
    checks: Sequence[ClockCheck],
    counts: Sequence[int],
    shapes: Sequence[int],
    dictionary: SegmentDictionary,
) -> list[int]:
    """The masks of active states after each run, up to the first run that does not fit.

    A shape has, for each state that it changes, whether the state is active afterwards. That
    must agree with whether it was active before and whether its growth is odd.
    """
    masks = map(dictionary.activity.__getitem__, shapes)
    found: list[int] = []
    for check, count in zip(checks, counts, strict=True):
        active = check.active
        for flipped, changed, added in (next(masks),) if count == 1 else islice(masks, count):
            active ^= flipped
            if active & changed != added:
                return found
        found.append(active)
    return found


def are_surely_below(
    limit: int, checks: Sequence[ClockCheck], rows: int, dictionary: SegmentDictionary
) -> bool:
    """Whether no shapes can exceed the limit in so many rows; a cheap upper bound."""
    return max(check.bound for check in checks) + rows * dictionary.growth_max <= limit


def take(
    checks: Sequence[ClockCheck],
    counts: Sequence[int],
    active: Sequence[int],
    dictionary: SegmentDictionary,
) -> None:
    """Continue after runs of so many rows; `active` are the active states after them."""
    growth = dictionary.growth_max
    for check, count, mask in zip(checks, counts, active, strict=True):
        check.active = mask
        check.bound += count * growth
        check.row += count
