"""Numbers of definitions that were lost with a damaged part of a segment.

They are spans, in order, with a limit: beyond it the last span goes on up to what is added. So a
segment that was damaged in very many places costs more transitions than it has to, and no memory.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

SPANS_MAX = 1_024
"""Spans of lost numbers of one kind in a segment."""


class LostNumbers:
    """Lost numbers of one kind; they are added in ascending order."""

    __slots__ = ("_lows", "_stops")

    def __init__(self) -> None:
        self._lows: list[int] = []
        self._stops: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._lows)

    def add(self, low: int, stop: int) -> None:
        """Add the numbers from `low` up to `stop`."""
        if low >= stop:
            return
        if self._stops and (self._stops[-1] == low or len(self._lows) >= SPANS_MAX):
            self._stops[-1] = stop
            return
        self._lows.append(low)
        self._stops.append(stop)

    def has_any(self, numbers: Iterable[int]) -> bool:
        """Whether one of these numbers is lost."""
        return bool(self._lows) and any(map(self._has, numbers))

    def _has(self, number: int) -> bool:
        at = bisect_right(self._lows, number)
        return at > 0 and number < self._stops[at - 1]


NONE_LOST = LostNumbers()
"""Nothing is lost; nothing is added to it."""
