"""Texts that name a place: addresses, numbers, machine times, wall times, names.

An id may hold anything, a `?`, slashes and spaces at its end too. So an address is taken as
it is written before it is taken without what may surround it, and a machine is found by its
id before it is found by its name as the screen shows it, with escapes in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from am_dbg.control.desk import Desk
from am_dbg.cursor import Cursor
from am_dbg.projection.clean import clean_name
from am_dbg.query.terms import parse_moment
from am_dbg.store import Track

__all__ = ["NoPlace", "at_step", "place_of"]

SCHEME = "mach://"
_TX_ID = re.compile(r"[0-9a-fA-F]{32}(-\d+)?")
_TEXT_MAX = 70_000
"""An id of the greatest length, and a place in its history."""

_Find = Callable[[str], Track | None]


@dataclass(frozen=True, slots=True)
class NoPlace:
    """Why a text leads nowhere."""

    reason: str


def place_of(desk: Desk, text: str) -> Cursor | NoPlace:
    """The cursor that a text leads to, seen from where the reader is."""
    text = text.lstrip()[:_TEXT_MAX]
    if text.startswith(SCHEME):
        return _address(desk, text.removeprefix(SCHEME))
    text = text.rstrip()
    if not text:
        return NoPlace("nothing to go to")
    track = desk.track
    if track is not None:
        cursor = _within(desk, track, text)
        if cursor is not None:
            return cursor
    return _machine(desk, text)


def _address(desk: Desk, rest: str) -> Cursor | NoPlace:
    """`id`, `id/transition` or `id/transition/step`."""
    tidy = rest.split("?", 1)[0].strip().rstrip("/")
    reason = None
    for find in _finders(desk):
        for text in dict.fromkeys((rest, tidy)):
            place = _found(desk, text, find)
            if isinstance(place, Cursor):
                return place
            reason = place or reason
    return reason or NoPlace(f"no machine {tidy[:60]}")


def _finders(desk: Desk) -> Iterator[_Find]:
    yield desk.store.find
    yield {clean_name(track.key): track for track in desk.store.tracks}.get


def _found(desk: Desk, text: str, find: _Find) -> Cursor | NoPlace | None:
    """None when it names no machine."""
    track = find(text)
    if track is not None:
        return _at_moment(desk, track)
    head, _, tail = text.rpartition("/")
    track = find(head)
    if track is not None:
        cursor = _within(desk, track, tail)
        return cursor or NoPlace(f"{head[:60]} has no transition {tail[:40]}")
    head, _, middle = head.rpartition("/")
    track = find(head)
    if track is None:
        return None
    cursor = _within(desk, track, middle)
    if cursor is None or not tail.isdecimal():
        return cursor or NoPlace(f"{head[:60]} has no transition {middle[:40]}")
    return at_step(desk, cursor, int(tail))


def at_step(desk: Desk, cursor: Cursor, step: int) -> Cursor:
    """The cursor inside a transition, with so many of its steps shown."""
    steps = len(cursor.track.shape_at(cursor.number).steps)
    if not 0 < step < steps:
        return cursor
    before = desk.visible(cursor.track).previous(cursor.number)
    number = cursor.track.first - 1 if before is None else before
    return replace(cursor, number=number, step=step)


def _at_moment(desk: Desk, track: Track) -> Cursor:
    moment = desk.moment
    number = track.last_at_or_before(moment.time_ns) if moment else track.count
    return Cursor(track).at(number)


def _within(desk: Desk, track: Track, text: str) -> Cursor | None:
    """A place in one machine: a number, `t` + machine time, a wall time, an id."""
    cursor = Cursor(track)
    if text.isdecimal() and len(text) < 19:
        number = int(text)
        return cursor.at(number) if track.first - 1 <= number <= track.count else None
    if text[:1] == "t" and text[1:].isdecimal() and len(text) < 20:
        return cursor.at(_first_with_time(track, int(text[1:])))
    if _TX_ID.fullmatch(text):
        found = track.number_of(text) or track.number_of(text.lower())
        return None if found is None else cursor.at(found)
    moment = parse_moment(text)
    if moment is None:
        return None
    at = track.first_at_or_after(moment.at(track.time_at(track.first)))
    return cursor.at(track.count if at is None else at)


def _first_with_time(track: Track, time_sum: int) -> int:
    """The first transition after which the machine's time is at least this; ticks only grow."""
    low, high = track.first - 1, track.count
    while low < high:
        middle = (low + high) // 2
        if track.time_sum(middle) >= time_sum:
            high = middle
        else:
            low = middle + 1
    return low


def _machine(desk: Desk, text: str) -> Cursor | NoPlace:
    """A machine by name, by the beginning of its name, or by a part of it."""
    wanted = text.lower()
    named = [(clean_name(place.track.key).lower(), place.track) for place in desk.places]
    exact = [track for name, track in named if name == wanted]
    starts = [track for name, track in named if name.startswith(wanted)]
    parts = [track for name, track in named if wanted in name]
    for group in (exact, starts, parts):
        if group:
            return _at_moment(desk, group[0])
    return NoPlace(f"no place {text[:60]}")
