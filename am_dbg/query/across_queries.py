"""The merged sets of a store that a reader asks for: visible transitions, errors, canceled, hits.

Sets are kept as long as the reader comes back to them. Tracks share the tables of their
conditions, unless a condition depends on the track, so a word is looked for once in each
dictionary and not once for each machine.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from am_dbg.query.across import Across, MergedTimes
from am_dbg.query.conditions import Conditions, conditions_of, conditions_of_terms
from am_dbg.query.filters import Filters
from am_dbg.query.row_tests import not_requested_by
from am_dbg.query.shape_tests import with_facts
from am_dbg.query.terms import Terms, parse
from am_dbg.store import Fact, Store, Track

SETS_MAX = 12
"""Merged sets that are kept; one byte for each transition and set."""
_NO_FACT = Fact(0)


class AcrossQueries:
    """Merged sets of the transitions that pass the filters, in all machines or in chosen ones."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sets: OrderedDict[tuple[Filters, str, str, frozenset[str]], Across] = OrderedDict()
        self._times = MergedTimes(store)

    def visible(self, filters: Filters, among: frozenset[str] = frozenset()) -> Across:
        """All that pass the filters."""
        return self._set(filters, "visible", among, lambda: lambda _: Conditions())

    def errors(self, filters: Filters, among: frozenset[str] = frozenset()) -> Across:
        """Those that added an error state or in which a handler failed."""
        return self.with_facts(filters, Fact.ERROR, among)

    def canceled(self, filters: Filters, among: frozenset[str] = frozenset()) -> Across:
        """Those that were not accepted."""
        return self.with_facts(filters, Fact.CANCELED, among)

    def with_facts(
        self, filters: Filters, facts: Fact, among: frozenset[str] = frozenset()
    ) -> Across:
        """Those with at least one of some facts."""
        return self._set(filters, f"facts {facts.value}", among, lambda: _with(facts))

    def hits(self, filters: Filters, text: str, among: frozenset[str] = frozenset()) -> Across:
        """Those that a query finds, see `am_dbg.query.terms`."""
        return self._set(filters, "hits", among, lambda: _answering(text, filters.level), text)

    def _set(
        self,
        filters: Filters,
        what: str,
        among: frozenset[str],
        further: Callable[[], Callable[[Track], Conditions]],
        text: str = "",
    ) -> Across:
        key = (filters, what, text, among)
        found = self._sets.get(key)
        if found is None:
            is_shared = _is_of_any_track(parse(filters.text)) and _is_of_any_track(parse(text))
            conditions = (_Shared if is_shared else _of_each)(filters, further())
            found = self._sets[key] = Across(self._store, conditions, self._times, among)
        self._sets.move_to_end(key)
        while len(self._sets) > SETS_MAX:
            self._sets.popitem(last=False)
        return found


class _Shared:
    """Conditions for all tracks with one table of shapes, made for the first track."""

    def __init__(self, filters: Filters, further: Callable[[Track], Conditions]) -> None:
        self._make = _of_each(replace(filters, queued=True), further)
        self._shows_queued = filters.queued
        self._made: Conditions | None = None

    def __call__(self, track: Track) -> Conditions:
        if self._made is None:
            self._made = self._make(track)
        if self._shows_queued:
            return self._made
        return self._made.with_rows(not_requested_by(track.id))


def _with(facts: Fact) -> Callable[[Track], Conditions]:
    test = Conditions([with_facts(facts)])
    return lambda _: test


def _answering(text: str, level: int) -> Callable[[Track], Conditions]:
    terms = parse(text)
    return lambda track: conditions_of_terms(track, terms, level)


def _of_each(
    filters: Filters, further: Callable[[Track], Conditions]
) -> Callable[[Track], Conditions]:
    return lambda track: conditions_of(track, filters) & further(track)


def _is_of_any_track(terms: Terms) -> bool:
    """Whether a query means the same in each track; times count from the start of a track."""
    rest = replace(
        terms, words=(), names=(), with_facts=_NO_FACT, without_facts=_NO_FACT, longer_ns=None
    )
    return rest == Terms()
