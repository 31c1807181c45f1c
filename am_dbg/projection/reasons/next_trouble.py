"""Finds the next transition that went wrong, in one machine or in all of them in order of time."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.query import TransitionSet
from am_dbg.query.conditions import Conditions
from am_dbg.query.shape_tests import with_facts
from am_dbg.store import Fact, Store, Track

Found = tuple[Track, int]
"""A transition: its machine and its number."""


@dataclass(frozen=True, slots=True)
class TroubleKinds:
    """The kinds of transitions that went wrong."""

    errors: bool = True
    canceled: bool = False

    @property
    def noun(self) -> str:
        """The kinds in words: `error`, `canceled transition`, or both."""
        words = ["error"] * self.errors + ["canceled transition"] * self.canceled
        return " or ".join(words)

    @property
    def facts(self) -> Fact:
        """The facts of which such a transition has at least one."""
        return Fact(Fact.ERROR * self.errors | Fact.CANCELED * self.canceled)


def next_in(track: Track, number: int, kinds: TroubleKinds) -> Found | None:
    """The next transition of these kinds after another one of the same machine."""
    found = _of_kinds(track, kinds).next(number)
    return None if found is None else (track, found)


def next_of_all(store: Store, track: Track, number: int, kinds: TroubleKinds) -> Found | None:
    """The next transition of these kinds after another one, in order of time.

    Of transitions with the same time, those of the same machine come first.
    """
    time_ns = track.time_at(number)
    found = next_in(track, number, kinds)
    for other in store.tracks:
        if other is track:
            continue
        one = next_in(other, other.last_at_or_before(time_ns), kinds)
        if one and (found is None or _time(one) < _time(found)):
            found = one
    return found


def _time(found: Found) -> int:
    track, number = found
    return track.time_at(number)


def trouble_counts(store: Store, kinds: TroubleKinds) -> dict[Track, int]:
    """How many transitions of these kinds each machine has; machines without any are left out."""
    counts = {track: _of_kinds(track, kinds).count for track in store.tracks}
    return {track: number for track, number in counts.items() if number}


def _of_kinds(track: Track, kinds: TroubleKinds) -> TransitionSet:
    return TransitionSet(track, Conditions([with_facts(kinds.facts)]))
