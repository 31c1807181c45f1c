"""Refused mutations and late handlers of a machine, in words."""

from __future__ import annotations

from math import inf

from am_dbg.projection.clean import clean
from am_dbg.projection.times import count
from am_dbg.store import Track
from am_dbg.store.notes import Trouble

_NS = 10**9


def refused_text(refused: int) -> str:
    """How many mutations a full queue has refused."""
    mutations = "mutation was" if refused == 1 else "mutations were"
    return f"the queue was full, {count(refused)} {mutations} refused up to here"


def hanging_text(trouble: Trouble) -> str:
    """The words for a handler that had not returned when it was last reported."""
    name = clean(trouble.handler)
    return f"{name} has not returned, it has been running for more than {_where(trouble)}"


def late_text(trouble: Trouble) -> str:
    """The words for a handler that took too long."""
    return f"{clean(trouble.handler)} was still running after {_where(trouble)}"


def _where(trouble: Trouble) -> str:
    place = f", at {clean(trouble.place)}" if trouble.place else ""
    return f"{trouble.duration_ns / _NS:g} s{place}"


def noted_at(track: Track, number: int) -> list[str]:
    """The notes about one transition; after the last one, also handlers that have not returned."""
    texts = [late_text(one) for one in track.troubles_at(number) if one.is_late]
    refused = track.notes.refused_at(track.row_at(number))
    if refused:
        texts.append(refused_text(refused))
    if number == track.count:
        texts += [f"since then {hanging_text(one)}" for one in track.hanging]
    return texts


def notes_between(track: Track, after: int, before: int) -> list[tuple[int, str]]:
    """Notes that stand between two transitions, the first excluded: numbers and texts.

    Mutations that a queue refused stand before the transition during which it refused them. A
    handler that has not returned stands at the end.
    """
    low = track.row_at(after) + 1 if track.first <= after <= track.count else 0
    high = track.row_at(before) if track.first <= before <= track.count else inf
    texts = [
        (track.number_at_row(note.row), refused_text(note.count))
        for note in track.notes.refused_notes()
        if low <= note.row <= high
    ]
    if before > track.count:
        texts += [(track.count + 1, hanging_text(one)) for one in track.hanging]
    return texts
