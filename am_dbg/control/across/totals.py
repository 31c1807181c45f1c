"""How many errors and canceled transitions all machines have, counted in slices between the keys.

Machines that changed are counted again. A few are counted at once; many, as after the opening of
a large session or while hundreds of programs send, in slices of some milliseconds. Meanwhile the
last known totals are shown. All of it runs on the thread of the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from weakref import WeakKeyDictionary

from am_dbg.query.across import Across

AT_ONCE_MAX = 64
"""The most changed machines that are counted at once."""
SLICE_S = 0.01
"""Seconds of a slice, about; it ends with the step in which it reaches them."""


@dataclass(frozen=True, slots=True)
class Total:
    """How many transitions a merged set has, and in how many machines."""

    count: int
    machines: int


class Totals:
    """The last known total of each merged set, and the counts that are going on.

    There is one count for each name; a new set of that name abandons the one before.
    """

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._known: WeakKeyDictionary[Across, Total] = WeakKeyDictionary()
        self._running: dict[str, tuple[Across, Iterator[int]]] = {}

    @property
    def is_running(self) -> bool:
        """Whether something is not counted to its end."""
        return bool(self._running)

    def of(self, name: str, across: Across) -> Total | None:
        """The last known total of a merged set; None before its first count is over."""
        if across.behind <= AT_ONCE_MAX:
            self._running.pop(name, None)
            self._note(across)
        elif name not in self._running or self._running[name][0] is not across:
            self._running[name] = across, across.counting()
        return self._known.get(across)

    def go_on(self) -> None:
        """Count for one slice."""
        end = self._clock() + SLICE_S
        while self._running:
            self._step()
            if self._clock() >= end:
                return

    def _step(self) -> None:
        name, (across, steps) = next(iter(self._running.items()))
        if next(steps, None) is None:
            del self._running[name]
            self._note(across)

    def _note(self, across: Across) -> None:
        self._known[across] = Total(across.count, len(across.holding))
