"""The transitions of all machines that a query finds, in order of time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain, islice

from am_dbg.errors import QueryError
from am_dbg.projection.addresses.write import address_of
from am_dbg.projection.clean import clean_name
from am_dbg.projection.excerpt import Excerpt
from am_dbg.projection.log.entries import EntryKind, entry_of
from am_dbg.projection.occurrences import error_words
from am_dbg.projection.times import count, counted
from am_dbg.query import Filters
from am_dbg.query.across import Across
from am_dbg.query.across_queries import AcrossQueries
from am_dbg.query.cursor import Cursor
from am_dbg.query.terms import parse
from am_dbg.reports.json_values import JsonObject, wall_time
from am_dbg.spans import width_of
from am_dbg.store import Store
from amtracer.wire.vocabulary import LEVEL_WORDS

ADDRESS_WIDTH_MAX = 40
"""The most cells that addresses are padded to; a longer one shifts its own row only."""


def found_by(store: Store, query: str) -> Across:
    """What a query finds in all transitions and in log lines of every level.

    Raises `QueryError` if a term of the query is not understood.
    """
    troubles = parse(query).troubles
    if troubles:
        raise QueryError(query, troubles)
    level = len(LEVEL_WORDS) - 1
    return AcrossQueries(store).visible(Filters(empty=True, health=True, level=level, text=query))


def found_lines(found: Across, limit: int = 0) -> Iterator[str]:
    """A line for each transition, at most `limit` unless that is 0; then how many there are."""
    names = (f"{clean_name(track.key)}/{track.count}" for track in found.holding)
    width = min(ADDRESS_WIDTH_MAX, max(map(width_of, names), default=0))
    for place in _places(found, limit):
        yield _line(place, width)
    if found.count:
        yield _total(found, limit)


def _places(found: Across, limit: int) -> Iterator[Cursor]:
    first = found.first()
    places = chain((first,), found.after(first)) if first else iter(())
    return islice(places, limit or None)


def _line(place: Cursor, width: int) -> str:
    """Time, place, sign, called states, changes, and what is worth most of the rest."""
    track, number = place.track, place.number
    entry = entry_of(track, track.transition(number))
    name = f"{clean_name(track.key)}/{number}"
    name += " " * (width - width_of(name))
    words = [word.name for word in entry.called]
    words += [f"{word.change.value}{word.name}" for word in entry.implied]
    rest = error_words(track, number) if entry.kind is EntryKind.ERROR else (entry.note, entry.args)
    parts = (wall_time(entry.time_ns), name, entry.kind.value, " ".join(words), *rest)
    return "  ".join(filter(None, parts)).rstrip()


def _total(found: Across, limit: int) -> str:
    in_all = found.count
    machines = f"in {counted(len(found.holding), 'machine')}"
    shown = f"{count(limit)} of " if 0 < limit < in_all else ""
    return f"{shown}{counted(in_all, 'transition')} {machines}"


def found_json(store: Store, query: str, found: Across, limit: int = 0) -> Iterator[str]:
    """The transitions as one JSON object, a line for each; `found` counts those left out too."""
    excerpt = Excerpt(store)
    head = {"query": query, "found": found.count, "machines": len(found.holding)}
    yield json.dumps(head)[:-1] + ', "transitions": ['
    left = min(found.count, limit) if limit else found.count
    for place in _places(found, limit):
        left -= 1
        yield json.dumps(_value(store, place, excerpt)) + ("," if left else "")
    yield "]}"


def _value(store: Store, place: Cursor, excerpt: Excerpt) -> JsonObject:
    """A transition with what a search shows of it; its address leads to the rest."""
    track, number = place.track, place.number
    transition, facts, states = (
        track.transition(number),
        track.facts_at(number),
        track.schema_at(number),
    )
    excerpt.begin()
    return {
        "machine": track.key,
        "number": number,
        "address": address_of(store, track, number),
        "time": wall_time(transition.time_ns),
        "time_ns": transition.time_ns,
        "duration_ns": transition.duration_ns,
        "called": [states[index].name for index in transition.shape.called],
        "added": [state.name for at, state in enumerate(states) if facts.added >> at & 1],
        "removed": [state.name for at, state in enumerate(states) if facts.removed >> at & 1],
        "accepted": not facts.is_canceled,
        "error": facts.is_error,
        "auto": facts.is_auto,
        "check": facts.is_check,
        "args": dict(excerpt.of(transition.args, "argument")),
    }
