"""Finds the next transition that went wrong, in one machine or in all of them in order of time."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter

from am_dbg.query import ALL, TransitionSet
from am_dbg.query.across_queries import AcrossQueries
from am_dbg.query.conditions import Conditions
from am_dbg.query.cursor import Cursor
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
    """The next transition of these kinds after another one, in any machine, in order of time."""
    queries, here = AcrossQueries(store), Cursor(track, number)
    merged = [queries.errors(ALL)] * kinds.errors + [queries.canceled(ALL)] * kinds.canceled
    found = [(each.key(place), place) for each in merged if (place := each.next(here))]
    if not found:
        return None
    _, place = min(found, key=itemgetter(0))
    return place.track, place.number


def trouble_counts(store: Store, kinds: TroubleKinds) -> dict[Track, int]:
    """How many transitions of these kinds each machine has; machines without any are left out."""
    counts = {track: _of_kinds(track, kinds).count for track in store.tracks}
    return {track: number for track, number in counts.items() if number}


def _of_kinds(track: Track, kinds: TroubleKinds) -> TransitionSet:
    return TransitionSet(track, Conditions([with_facts(kinds.facts)]))
