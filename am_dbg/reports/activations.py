"""When a state was active: its activations as values for JSON and as lines of text.

A state may have been active a million times, so both are written one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from am_dbg.errors import StateNotFoundError
from am_dbg.projection.addresses.write import write_address
from am_dbg.projection.reasons.activations import Activation, Edge, activations, requested_by
from am_dbg.projection.times import count, duration
from am_dbg.reports.json_values import JsonObject, wall_time
from am_dbg.safe_text import one_line
from am_dbg.store import Store, Track

NUMBER_WIDTH = 8
DURATION_WIDTH = 11


def when_json(store: Store, track: Track, name: str) -> Iterator[str]:
    """All activations of a state as one JSON object, a line for each of them."""
    check_state(track, name)
    yield json.dumps({"machine": track.key, "state": name})[:-1] + ', "activations": ['
    previous = ""
    for one in activations(track, name):
        if previous:
            yield previous + ","
        previous = json.dumps(_value(store, track, one))
    if previous:
        yield previous
    yield "]}"


def when_lines(store: Store, track: Track, name: str) -> Iterator[str]:
    """All activations of a state, a line for each: from and to, how long, and by which cause."""
    check_state(track, name)
    total = 0
    for total, one in enumerate(activations(track, name), start=1):  # noqa: B007
        yield _line(store, track, one)
    times = "1 time" if total == 1 else f"{count(total)} times"
    yield f"{one_line(track.key)}: {one_line(name)} was activated {times}"


def check_state(track: Track, name: str) -> None:
    """Refuse a name that no schema of a machine has had."""
    names = {name: None for chunk in track.chunks for name in chunk.schema.index}
    known = (*names, *(state.name for state in track.states))
    if name not in known:
        raise StateNotFoundError(track.key, name, tuple(dict.fromkeys(known)))


def _value(store: Store, track: Track, one: Activation) -> JsonObject:
    return {
        "from": _edge(store, track, one.begin),
        "to": one.end and _edge(store, track, one.end),
        "duration_ns": one.duration_ns if one.end else None,
    }


def _edge(store: Store, track: Track, edge: Edge) -> JsonObject:
    cause = edge.cause
    source = requested_by(store, track, edge.number) if cause else None
    return {
        "number": edge.number,
        "time": wall_time(edge.time_ns),
        "time_ns": edge.time_ns,
        "cause": cause.kind.value if cause else None,
        "state": cause.state or None if cause else None,
        "requested_by": source and {"machine": source[0].key, "number": source[1]},
    }


def _line(store: Store, track: Track, one: Activation) -> str:
    number = f"{one.begin.number:>{NUMBER_WIDTH}}"
    end = f"{one.end.number:>{NUMBER_WIDTH}}" if one.end else f"{'now':>{NUMBER_WIDTH}}"
    took = duration(one.duration_ns) if one.end else ""
    causes = _cause(store, track, one.begin)
    if one.end:
        causes += f"; {_cause(store, track, one.end)}"
    time = wall_time(one.begin.time_ns)
    return f"{number} ->{end}  {time}  {took:>{DURATION_WIDTH}}  {causes}".rstrip()


def _cause(store: Store, track: Track, edge: Edge) -> str:
    if edge.cause is None:
        return "unseen, in a gap" if edge.number >= track.first else "before the first transition"
    source = requested_by(store, track, edge.number)
    if source is None:
        return edge.cause.words
    return f"{edge.cause.words}, by {write_address(one_line(source[0].key), source[1])}"
