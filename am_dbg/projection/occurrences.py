"""Lists of what occurred in all machines: errors, canceled transitions, hits of a search.

A list is in order of time, each row with its machine, its text and a place: for an error what it
says and the line of code, for a canceled transition what stopped it. Of a list with more than
`LISTED_MAX` rows, those around the present place are listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import islice

from am_dbg.projection.clean import clean_name
from am_dbg.projection.log.entries import TransitionEntry, entry_of
from am_dbg.projection.reasons.error_source import error_added, error_at
from am_dbg.projection.steps import handler_name
from am_dbg.projection.times import count, counted
from am_dbg.query import TransitionSet
from am_dbg.query.across import Across
from am_dbg.query.cursor import Cursor
from am_dbg.store import Track
from amtracer.wire.vocabulary import StepFlag

LISTED_MAX = 1_000


class OccurrenceKind(Enum):
    """The lists; the value is the noun for one of its rows."""

    ERROR = "error"
    CANCELED = "canceled transition"
    HIT = "hit"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One row of a list."""

    place: Cursor
    time_ns: int
    machine: str
    number: int
    text: str
    where: str


@dataclass(frozen=True, slots=True)
class OccurrencesView:
    """A list; `at` is the row of the present place or the next one after it."""

    kind: OccurrenceKind
    rows: tuple[Occurrence, ...] = ()
    total: int = 0
    machines: int = 0
    at: int = 0


def scope_words(machines: int, chosen: int, listed: int = -1) -> str:
    """The scope of all machines, of chosen ones, or of those that pass a filter, in words."""
    if listed >= 0:
        return f"{count(listed)} of {counted(machines, 'machine')}"
    if chosen:
        return counted(chosen, "chosen machine")
    return f"all {counted(machines, 'machine')}" if machines > 1 else "all machines"


def project_occurrences(
    kind: OccurrenceKind, across: Across, here: Cursor | None
) -> OccurrencesView:
    """The list of a merged set, with the rows around a place if there are too many."""
    total = across.count
    if here is None or total <= LISTED_MAX:
        places = _from_first(across)
    else:
        before = list(islice(across.before(here), LISTED_MAX // 2))[::-1]
        places = [*before, *islice(_from(across, here), LISTED_MAX - len(before))]
    at = 0
    if here is not None:
        now = across.key(here)
        at = next((at for at, one in enumerate(places) if across.key(one) >= now), len(places) - 1)
    return OccurrencesView(
        kind=kind,
        rows=tuple(occurrence(kind, place) for place in places),
        total=total,
        machines=len(across.holding),
        at=max(0, at),
    )


def _from_first(across: Across) -> list[Cursor]:
    first = across.first()
    return [] if first is None else [first, *islice(across.after(first), LISTED_MAX - 1)]


def _from(across: Across, here: Cursor) -> list[Cursor]:
    """The place itself, if it is one of them, and those after it."""
    return [*([here] if here in across else []), *islice(across.after(here), LISTED_MAX)]


def occurrence(kind: OccurrenceKind, place: Cursor) -> Occurrence:
    """The row of one transition."""
    track, number = place.track, place.number
    entry = entry_of(track, track.transition(number))
    text, where = _called(entry), entry.note or entry.args
    if kind is OccurrenceKind.ERROR:
        text, where = error_words(track, number)
        text = text or _called(entry)
    return Occurrence(place, entry.time_ns, clean_name(track.key), number, text, where)


def error_words(track: Track, number: int) -> tuple[str, str]:
    """The text of an error and its place; of a handler that failed, its name comes first."""
    error = error_at(track, number)
    states, steps = track.schema_at(number), track.shape_at(number).steps
    failed = [handler_name(step, states) for step in steps if step.flags & StepFlag.FAILED]
    if error_added(track, number) == error or not failed:
        return error.text, error.place
    return f"{failed[0]} failed" + (f": {error.text}" if error.text else ""), error.place


def _called(entry: TransitionEntry) -> str:
    """A transition in a few words: its sign and the states that it called."""
    names = " ".join(word.name for word in entry.called)
    return f"{entry.kind.value} {names}".rstrip()


def counts_here(
    numbers: TransitionSet, number: int, in_all: int, machines: int, *, is_short: bool
) -> str:
    """How many transitions of a kind one machine has, and how many all have, if more.

    `1/3`; with more in other machines `1/3 here, 8 in 6 machines`, in short `1/3+5`.
    """
    here = numbers.count
    position = _of_total(numbers.position_of(number), here) if here else ""
    if in_all <= here:
        return position
    if is_short:
        return f"{position or '0'}+{count(in_all - here)}"
    return f"{position or '0'} here, {count(in_all)} in {counted(machines, 'machine')}"


def position_words(across: Across, place: Cursor, *, is_short: bool = False) -> str:
    """Where a place stands in a merged set: `3 of 8 in 6 machines`, in short `3/8`."""
    position, total = count(across.position_of(place)), count(across.count)
    if is_short:
        return _of_total(across.position_of(place), across.count)
    return f"{position:>{len(total)}} of {total} in {counted(len(across.holding), 'machine')}"


def _of_total(position: int, in_all: int) -> str:
    """`3/12`; the position has the width of the total, so what stands behind it does not move."""
    total = count(in_all)
    return f"{count(position):>{len(total)}}/{total}"


def none_further(across: Across, by: int, what: str) -> str:
    """That nothing is further on, and how many there are in all."""
    where = "after" if by > 0 else "before"
    machines = counted(len(across.holding), "machine")
    in_all = f", {count(across.count)} in {machines}" if across.count else ""
    return f"no {what} {where} this one in any machine{in_all}"


def elsewhere(across: Across, track: Track) -> str:
    """How many there are in other machines, as the end of a message; empty if there are none."""
    others = [one for one in across.holding if one is not track]
    number = across.count - across.count_in(track)
    if not number:
        return ""
    machines = counted(len(others), "other")
    return f"; {count(number)} in {machines}: ! lists them"
