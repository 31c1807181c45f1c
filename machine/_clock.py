"""Ticks, clocks and times.

Each state has a tick, which starts at 0 and never shrinks. Odd is active, even inactive,
so a tick shows both how a state stands and how often it changed. A `Clock` maps names to
ticks; a `Time` is a list of ticks in the order of a machine's states, or of the names
that were asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Tick = int
Clock = dict[str, Tick]


def is_active_tick(tick: Tick) -> bool:
    """Odd ticks are active; zero means never active."""
    return tick % 2 == 1


class Time(list[Tick]):
    """Ticks by position."""

    __slots__ = ()

    def is1(self, index: int) -> bool:
        """Whether the state at this index is active; False for -1."""
        return index >= 0 and self[index] % 2 == 1

    def is_(self, indexes: Sequence[int]) -> bool:
        """Whether all of these are active; False for none or when one is -1."""
        return bool(indexes) and all(self.is1(index) for index in indexes)

    def any1(self, *indexes: int) -> bool:
        """Whether at least one of these is active; False for none."""
        return any(self.is1(index) for index in indexes)

    def sum(self) -> int:
        """All ticks together."""
        return sum(self)

    def __str__(self) -> str:
        return ",".join(map(str, self))


def is_time_after(first: Sequence[Tick], second: Sequence[Tick]) -> bool:
    """Whether `first` happened after `second`: no tick lower, at least one higher."""
    pairs = list(zip(first, second, strict=True))
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)


def time_after(before: Sequence[Tick], growth: Iterable[tuple[int, int]]) -> list[Tick]:
    """A new list of ticks with some of them grown; `growth` pairs an index with a number."""
    after = list(before)
    for index, ticks in growth:
        after[index] += ticks
    return after
