"""Why a transition ended as it did and why a state is or is not active, without a screen."""

from __future__ import annotations

from collections.abc import Iterator

from am_dbg.errors import StateNotFoundError
from am_dbg.projection.addresses.write import write_address
from am_dbg.projection.denial import Denial, denial_of
from am_dbg.projection.reader import source_chain
from am_dbg.projection.reasons.error_source import NO_ERROR, ErrorSource, error_at
from am_dbg.projection.reasons.why_not import (
    Requirement,
    Since,
    WhyNotView,
    blocked_autos,
    since_of,
    why_not,
)
from am_dbg.projection.reasons.why_not_rows import headline, reason_rows, since_text
from am_dbg.projection.steps import has_steps
from am_dbg.projection.why import requested_by, why
from am_dbg.reports.json_values import JsonObject, wall_time
from am_dbg.safe_text import one_line
from am_dbg.store import Store, Track
from amtracer.wire.vocabulary import ShapeFlag


def why_value(store: Store, track: Track, number: int) -> JsonObject:
    """Why a transition came about and how it ended: the paragraph and the facts behind it."""
    transition, states = track.transition(number), track.schema_at(number)
    shape, error = transition.shape, error_at(track, number)
    is_accepted = bool(shape.flags & ShapeFlag.ACCEPTED)
    sends_steps = has_steps(track, shape)
    denial = denial_of(shape, states, transition.lines, has_steps=sends_steps)
    return {
        "machine": track.key,
        "number": number,
        "id": transition.id,
        "time": wall_time(transition.time_ns),
        "called": [states[index].name for index in shape.called],
        "accepted": is_accepted,
        "why": why_text(store, track, number),
        "denial": None if is_accepted else _denial(denial),
        "error": None if error is NO_ERROR else _error(error),
        "blocked_auto": [
            {
                "state": one.name,
                "requires": [required.name for required in one.requirements],
                "kept_out_by": [blocker.name for blocker in one.blockers],
                "held_back_since": one.held_since or None,
            }
            for one in blocked_autos(track, number)
        ],
        "sources": [
            {"machine": row.machine, "time_sum": row.time, "what": row.what, "address": row.link}
            for row in source_chain(store, track, transition)
        ],
    }


def why_lines(store: Store, track: Track, number: int) -> Iterator[str]:
    """The same for people: the paragraph on one line, then its sources and blocked auto states."""
    transition = track.transition(number)
    yield f"{write_address(one_line(track.key), number)}  {wall_time(transition.time_ns)}"
    yield why_text(store, track, number)
    for row in source_chain(store, track, transition):
        address = row.link or write_address(row.machine)
        yield f"source   {one_line(address)}  t{row.time}  {row.what}".rstrip()
    for answer in blocked_autos(track, number):
        required = [f"requires {one_line(one.name)}" for one in answer.requirements]
        kept_out = [f"kept out by {one_line(one.name)}" for one in answer.blockers]
        held = [f"since the failure in tx {answer.held_since}"] if answer.held_since else []
        word = "held    " if answer.held_since else "blocked "
        yield f"{word} {one_line(answer.name)}  auto, {', '.join(held + required + kept_out)}"


def why_text(store: Store, track: Track, number: int) -> str:
    """The paragraph of the reader as plain text."""
    transition = track.transition(number)
    chain = source_chain(store, track, transition)
    link = chain[0].link if chain else ""
    request = requested_by(transition, link, track.facts_at(number).is_auto)
    return "".join(span.text for span in why(track, transition, request)).strip()


def state_value(track: Track, number: int, name: str) -> JsonObject:
    """Why a state is active or is not active after a transition."""
    index = _index(track, number, name)
    head = {
        "machine": track.key,
        "number": number,
        "state": name,
        "tick": track.clock_at(number)[index],
    }
    answer = why_not(track, number, name)
    if answer is None:
        return {**head, "active": True, "since": _since(since_of(track, number, name))}
    return {**head, "active": False, **_answer(answer)}


def state_lines(track: Track, number: int, name: str) -> Iterator[str]:
    """The same for people: the state, then its reasons as a tree."""
    index = _index(track, number, name)
    address = write_address(one_line(track.key), number)
    answer = why_not(track, number, name)
    if answer is not None:
        yield f"{address}  " + "".join(span.text for span in headline(answer))
        yield from (row.text for row in reason_rows(track, number, name))
        return
    since = since_of(track, number, name)
    yield f"{address}  ● {one_line(name)} {track.clock_at(number)[index]:,}"
    yield f"└ active {since_text(since)}" if since else "└ active"


def _index(track: Track, number: int, name: str) -> int:
    index = track.index_at(number, name)
    if index < 0:
        names = tuple(state.name for state in track.schema_at(number))
        raise StateNotFoundError(track.key, name, names)
    return index


def _since(since: Since | None) -> JsonObject | None:
    if since is None:
        return None
    cause = since.cause
    return {
        "number": since.number,
        "cause": cause.kind.value if cause else None,
        "state": cause.state or None if cause else None,
        "requested_by": since.requested_by or None,
    }


def _answer(answer: WhyNotView) -> JsonObject:
    refusal = answer.refusal
    return {
        "auto": answer.is_auto,
        "blocked": answer.is_blocked,
        "held_back_since": answer.held_since or None,
        "since": _since(answer.since),
        "requires": [_requirement(one) for one in answer.requirements],
        "kept_out_by": [
            {
                "state": one.name,
                "since": _since(one.since),
                "gives_way": one.gives_way,
                "added": one.is_added,
            }
            for one in answer.blockers
        ],
        "refused": refusal
        and {"number": refusal.number, "times": refusal.count, **_denial(refusal.denial)},
        "last_called": answer.last_call or None,
        "comes_with": [one.name for one in answer.adders],
    }


def _requirement(one: Requirement) -> JsonObject:
    value: JsonObject = {
        "state": one.name,
        "defined": one.is_defined,
        "brought": one.is_brought,
        "removed": one.is_removed,
    }
    return value | ({"why_not": _answer(one.why_not)} if one.why_not else {})


def _denial(denial: Denial) -> JsonObject:
    return {
        "reason": denial.note,
        "handler": denial.handler or None,
        "failed": denial.failed,
        "late": denial.late,
        "requires": denial.requires or None,
        "blocked_by": denial.blocked_by or None,
    }


def _error(error: ErrorSource) -> JsonObject:
    return {
        "text": error.text,
        "path": error.path or None,
        "line": error.line or None,
        "function": error.function or None,
    }
