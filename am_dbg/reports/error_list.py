"""The errors of all machines of a session, in order of time."""

from __future__ import annotations

import json
from collections.abc import Iterator

from am_dbg.projection.addresses.write import address_of
from am_dbg.projection.occurrences import Occurrence, OccurrenceKind, error_words, occurrence
from am_dbg.projection.reasons.error_source import error_at
from am_dbg.projection.times import counted
from am_dbg.query import ALL
from am_dbg.query.across import Across
from am_dbg.query.across_queries import AcrossQueries
from am_dbg.query.cursor import Cursor
from am_dbg.reports.json_values import JsonObject, wall_time
from am_dbg.spans import left, width_of
from am_dbg.store import Store

ADDRESS_WIDTH_MAX = 40
"""The most cells that addresses are padded to; a longer one shifts its own row only."""


def error_lines(store: Store) -> Iterator[str]:
    """A line for each error: time, address, text and place; then how many there are."""
    errors = AcrossQueries(store).errors(ALL)
    names = [f"{track.key}/{track.count}" for track in errors.holding]
    width = min(ADDRESS_WIDTH_MAX, max(map(width_of, names), default=0))
    for place in _all(errors):
        yield _line(occurrence(OccurrenceKind.ERROR, place), width)
    machines = counted(len(errors.holding), "machine")
    yield f"{counted(errors.count, 'error')} in {machines}" if errors.count else "no errors"


def _line(row: Occurrence, width: int) -> str:
    name = f"{row.machine}/{row.number}"
    padded = left(name, width) if width_of(name) <= width else name
    return "  ".join(filter(None, (wall_time(row.time_ns), padded, row.text, row.where))).rstrip()


def error_json(store: Store) -> Iterator[str]:
    """The errors as one JSON object, a line for each of them."""
    errors = AcrossQueries(store).errors(ALL)
    yield json.dumps({"errors": errors.count, "machines": len(errors.holding)})[:-1] + ', "list": ['
    left_over = errors.count
    for place in _all(errors):
        left_over -= 1
        yield json.dumps(_value(store, place)) + ("," if left_over else "")
    yield "]}"


def _value(store: Store, place: Cursor) -> JsonObject:
    track, number = place.track, place.number
    error, time = error_at(track, number), track.time_at(number)
    states = track.schema_at(number)
    return {
        "machine": track.key,
        "number": number,
        "address": address_of(store, track, number),
        "time": wall_time(time),
        "time_ns": time,
        "called": [states[index].name for index in track.shape_at(number).called],
        "accepted": not track.facts_at(number).is_canceled,
        "text": error_words(track, number)[0],
        "file": error.path,
        "line": error.line,
        "function": error.function,
    }


def _all(across: Across) -> Iterator[Cursor]:
    first = across.first()
    if first is not None:
        yield first
        yield from across.after(first)
