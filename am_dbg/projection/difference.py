"""Compares two moments of one machine: the states whose ticks differ."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.projection.clean import clean_name
from am_dbg.store import Track


@dataclass(frozen=True, slots=True)
class StateDifference:
    """One state whose tick is not the same; None where the schema lacks the state."""

    name: str
    before: int | None
    after: int | None

    @property
    def was_active(self) -> bool:
        return self.before is not None and self.before % 2 == 1

    @property
    def is_active(self) -> bool:
        return self.after is not None and self.after % 2 == 1


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """Two transitions of one machine, the older one first, and the states that differ."""

    machine: str
    first: int
    second: int
    span_ns: int
    time_sum: int
    states: tuple[StateDifference, ...]
    same: int


def project_difference(track: Track, one: int, other: int) -> DifferenceView:
    """Compare the clocks after two transitions, by the names of states."""
    first, second = sorted((one, other))
    before = _clock(track, first)
    after = _clock(track, second)
    names = dict.fromkeys((*before, *after))
    differing = tuple(
        StateDifference(clean_name(name), before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    )
    return DifferenceView(
        machine=clean_name(track.key),
        first=first,
        second=second,
        span_ns=track.time_at(second) - track.time_at(first),
        time_sum=track.time_sum(second) - track.time_sum(first),
        states=differing,
        same=len(names) - len(differing),
    )


def _clock(track: Track, number: int) -> dict[str, int]:
    names = (state.name for state in track.schema_at(number))
    return dict(zip(names, track.clock_at(number), strict=False))
