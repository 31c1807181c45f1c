"""Addresses (`mach://ID/PLACE/STEP`): the one grammar for command line, `g`, links and pastes.

- `mach://ID`, `mach://ID/PLACE`, `mach://ID/PLACE/STEP`; the scheme may be left out.
- A place in a machine's history is the number of a transition (`1,234` and `tx 5` too), 0 for
  before the first one; `t` and a machine time, for the first transition that came to it; the
  id of a transition; or a time (`am_dbg.query.times`), for the first transition at that time.
- A step counts from 1. Go programs log `ID/TRANSITION/TIME`, so where they have no such step the
  transition is meant.
- When several machines have one id, a key means the machine of that key, and the id of a
  transition means the newest machine that has it.

An id may hold anything, slashes and spaces too. So an address is first taken as it is written,
then without what may surround it, and the machine whose id is the longest fit is meant. A
machine is found by its id, then by its name as outputs show it, with escapes in it. A place
outside of a history is refused. `resolve` finds what `address_of` writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from am_dbg.errors import (
    DebuggerError,
    MachineNotFoundError,
    NotAnAddressError,
    StepNotFoundError,
    TransitionGoneError,
    TransitionNotFoundError,
)
from am_dbg.projection.clean import clean_name
from am_dbg.projection.times import full_time
from am_dbg.query.times import WrittenTime, parse_time
from am_dbg.safe_text import one_line
from am_dbg.store import Store, Track

SCHEME = "mach://"
NEAR_MAX = 3
"""The most similar ids that are offered when an id is not found."""
COMPARED_MAX = 2_000
"""The most ids that are compared to find similar ones."""
NEAR_CHARS_MAX = 200
"""The most characters of an id that are compared."""
TEXT_MAX = 70_000
"""An id of the greatest length, and a place in its history."""

_NUMBER = re.compile(r"(?:tx )?(\d{1,18}|\d{1,3}(?:,\d{3}){1,5})")
_TIME_SUM = re.compile(r"t(\d{1,18}|\d{1,3}(?:,\d{3}){1,5})")
_RANGE = re.compile(r"\d{1,18}-\d{0,18}")
_TX_ID = re.compile(r"[0-9a-fA-F]{16,32}(-\d+)?")

_Find = Callable[[str], Track | None]


@dataclass(frozen=True, slots=True)
class Location:
    """A machine, one of its transitions, or a step of that; number 0 is before the first."""

    track: Track
    number: int | None = None
    step: int = 0


def resolve(
    store: Store, text: str, here: Track | None = None, near_ns: int | None = None
) -> Location:
    """The place that a text names in a session, relative to a machine and a time if given.

    Raises a `DebuggerError` that says what is allowed.
    """
    text = text.lstrip()[:TEXT_MAX]
    if text.startswith(SCHEME):
        return _addressed(store, text.removeprefix(SCHEME), near_ns)
    tidy = text.strip()
    if not tidy:
        raise NotAnAddressError(text)
    if here is None and len(store.tracks) == 1:
        here = store.tracks[0]
    trouble: DebuggerError | None = None
    if here is not None and (is_place(tidy) or _transition(store, here, tidy)):
        try:
            return _transition(store, here, tidy) or place_in(here, tidy, near_ns)
        except TransitionNotFoundError as error:
            trouble = error
    try:
        return _addressed(store, text, near_ns)
    except MachineNotFoundError as error:
        raise trouble or (NotAnAddressError(tidy) if is_place(tidy) else error) from None


def is_place(text: str) -> bool:
    """Whether a text has the form of a place in a history, whatever the history."""
    forms = (_NUMBER, _TIME_SUM, _TX_ID)
    return any(form.fullmatch(text) for form in forms) or parse_time(text) is not None


def place_in(track: Track, text: str, near_ns: int | None = None) -> Location:
    """The transition at a place in a machine's history."""
    text = text.strip()
    number: int | None = track.number_of(text)
    if number is None:
        number = track.number_of(text.lower())
    if number is None and (match := _NUMBER.fullmatch(text)):
        return _numbered(track, text, int(match[1].replace(",", "")))
    if number is None and (match := _TIME_SUM.fullmatch(text)):
        return _summed(track, text, int(match[1].replace(",", "")))
    if number is None and (time := parse_time(text)):
        return _timed(track, text, time, near_ns)
    if number is None:
        raise TransitionNotFoundError(track.key, text, track.first, track.count)
    return Location(track, number)


def _numbered(track: Track, text: str, number: int) -> Location:
    if number in (0, track.first - 1) or track.first <= number <= track.count:
        return Location(track, number)
    if 0 < number < track.first:
        raise TransitionGoneError(track.key, text, track.first, track.count)
    raise TransitionNotFoundError(track.key, text, track.first, track.count)


def _summed(track: Track, text: str, time_sum: int) -> Location:
    number = first_with_time(track, time_sum)
    if number is None:
        held = f"its machine time has come to t{track.time_sum(track.count)}"
        raise TransitionNotFoundError(track.key, text, track.first, track.count, held)
    return Location(track, number)


def _timed(track: Track, text: str, time: WrittenTime, near_ns: int | None) -> Location:
    """The transition at a time, nearest to where the reader is; else the first one after it."""
    if track.count < track.first:
        raise TransitionNotFoundError(track.key, text, track.first, track.count)
    first_ns, last_ns = track.time_at(track.first), track.time_at(track.count)
    times = time.times(first_ns, last_ns)
    exact = [n for n in (_at_time(track, one, time.unit_ns) for one in times) if n is not None]
    if exact:
        wanted = first_ns if near_ns is None else near_ns
        return Location(track, min(exact, key=lambda n: abs(track.time_at(n) - wanted)))
    later = [one for one in times if first_ns <= one] or times
    number = next((n for n in map(track.first_at_or_after, later) if n is not None), None)
    if number is None:
        held = f"its last one was at {full_time(last_ns)}"
        raise TransitionNotFoundError(track.key, text, track.first, track.count, held)
    return Location(track, number)


def _at_time(track: Track, time_ns: int, unit_ns: int) -> int | None:
    """A transition within a unit of time; clocks may have been set back meanwhile."""
    last = time_ns + unit_ns - 1
    for number in (track.first_at_or_after(time_ns), track.last_at_or_before(last)):
        if number and number >= track.first and time_ns <= track.time_at(number) <= last:
            return number
    return None


def first_with_time(track: Track, time_sum: int) -> int | None:
    """The first transition after which all ticks together are at least this."""
    low, high = track.first - 1, track.count + 1
    while low < high:
        middle = (low + high) // 2
        if middle > track.count or track.time_sum(middle) >= time_sum:
            high = middle
        else:
            low = middle + 1
    return low if low <= track.count else None


def _addressed(store: Store, rest: str, near_ns: int | None) -> Location:
    """`id`, `id/place` or `id/place/step`."""
    tidy = rest.split("?", 1)[0].strip().rstrip("/")
    trouble: DebuggerError | None = None
    for find in _finders(store):
        for text in dict.fromkeys((rest, tidy)):
            try:
                place = _found(store, find, text, near_ns)
            except DebuggerError as error:
                trouble = trouble or error
            else:
                if place is not None:
                    return place
    if trouble is None:
        name = _machine_of(tidy)
        trouble = MachineNotFoundError(name, near(store, name))
    raise trouble


def _machine_of(text: str) -> str:
    """The probable id in an address: the address without a place and a step at its end."""
    head, slash, tail = text.rpartition("/")
    if not slash or not (is_place(tail) or _RANGE.fullmatch(tail)):
        return text
    before, slash, place = head.rpartition("/")
    return before if slash and is_place(place) and tail.isdecimal() else head


def _finders(store: Store) -> Iterator[_Find]:
    yield store.find
    for shown in (clean_name, one_line):
        yield {shown(track.key): track for track in store.tracks}.get


def _found(store: Store, find: _Find, text: str, near_ns: int | None) -> Location | None:
    """The place that an address names; None if it names no machine."""
    track = find(text)
    if track is not None:
        return Location(track)
    head, _, tail = text.rpartition("/")
    track = find(head)
    if track is not None:
        return _transition(store, track, tail) or place_in(track, tail, near_ns)
    head, _, middle = head.rpartition("/")
    track = find(head)
    if track is None:
        return None
    place = _transition(store, track, middle)
    if place is None or place.track.origin.tx_prefix:
        return _stepped(place or place_in(track, middle, near_ns), tail)
    try:
        return _stepped(place, tail)
    except StepNotFoundError:
        if not tail.isdecimal():
            raise
        return place


def _transition(store: Store, track: Track, text: str) -> Location | None:
    """A transition by its id, in any run of a machine."""
    for written in dict.fromkeys((text, text.lower())):
        found = store.find_transition(track.key, written)
        if found is not None:
            return Location(*found)
    return None


def _stepped(place: Location, text: str) -> Location:
    track, number = place.track, place.number or 0
    steps = len(track.shape_at(number).steps) if number >= track.first else 0
    if not (text.isdecimal() and len(text) < 10 and int(text) <= steps):
        raise StepNotFoundError(track.key, number, text, steps)
    return Location(track, number, int(text))


def address_of(store: Store, track: Track, number: int | None = None, step: int = 0) -> str:
    """The address of a place; it is unambiguous even if other ids look like places in this one."""
    head = f"{SCHEME}{track.key}"
    if number is None:
        return head
    tails = [str(number)]
    if number >= track.first:
        tails.append(track.tx_id_at(number))
    end = f"/{step}" if step else ""
    for tail in tails:
        key = f"{track.key}/{tail}"
        if store.find(key) is None and store.find(key + end) is None:
            break
    return f"{head}/{tail}{end}"


def machine_like(store: Store, text: str) -> Track | None:
    """A machine by name, by the beginning of its name, or by a part of it."""
    from am_dbg.projection.order import natural_key

    wanted = text.strip().lower()
    tracks = sorted(store.tracks, key=lambda track: natural_key(track.key))
    named = [(clean_name(track.key).lower(), track) for track in tracks]
    for test in (str.__eq__, str.startswith, str.__contains__):
        for name, track in named:
            if test(name, wanted):
                return track
    return None


def near(store: Store, id: str) -> tuple[str, ...]:
    """Keys of machines that a mistyped id may have meant."""
    from difflib import get_close_matches

    keys = [track.key for track in store.tracks]
    found = get_close_matches(id[:NEAR_CHARS_MAX], keys[:COMPARED_MAX], NEAR_MAX, cutoff=0.7)
    return tuple(found)
