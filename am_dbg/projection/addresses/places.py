"""Finds the transition at a place in a machine's history.

A place is the number of a transition (`1,234` and `tx 5` too), 0 for before the first one; `t`
and a machine time, for the first transition that came to it; the id of a transition; or a time
(`am_dbg.query.times`), for the first transition at that time. A place outside of a history is
refused. A range of transitions is `5-20` or `5-`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from am_dbg.errors import TransitionGoneError, TransitionNotFoundError
from am_dbg.projection.times import full_time
from am_dbg.query.times import WrittenTime, parse_time
from am_dbg.store import Track

_NUMBER = re.compile(r"(?:tx )?(\d{1,18}|\d{1,3}(?:,\d{3}){1,5})")
_TIME_SUM = re.compile(r"t(\d{1,18}|\d{1,3}(?:,\d{3}){1,5})")
_TX_ID = re.compile(r"[0-9a-fA-F]{16,32}(-\d+)?")
_RANGE = re.compile(r"(\d{1,18})(?:(-)(\d{1,18})?)?")
_RANGE_END = 2**63


@dataclass(frozen=True, slots=True)
class Location:
    """A machine, one of its transitions, or a step of that; number 0 is before the first."""

    track: Track
    number: int | None = None
    step: int = 0


def is_place(text: str) -> bool:
    """Whether a text has the form of a place in a history, whatever the history."""
    forms = (_NUMBER, _TIME_SUM, _TX_ID)
    return any(form.fullmatch(text) for form in forms) or parse_time(text) is not None


def parse_range(text: str) -> tuple[int, int] | None:
    """The first and the last number of `5-20`, `5-` or `5`; None for any other text."""
    match = _RANGE.fullmatch(text)
    if match is None:
        return None
    first, dash, last = match.groups()
    return int(first), int(last or (_RANGE_END if dash else first))


def is_range(text: str) -> bool:
    """Whether a text has the form of a range of transitions."""
    return "-" in text and parse_range(text) is not None


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
        held = f"its machine time ends at t{track.time_sum(track.count)}"
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
