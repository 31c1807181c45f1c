"""Parses times (dates, times of day, durations) as people and our own outputs write them.

- `+2s`, `+1.5ms` count from the first transition of a history;
- `15:04`, `15:04:05`, `15:04:05.016 521` are local time on one of its days;
- `2024-05-01`, `2024-05-01 15:04:05.5` are local, and with `Z` or `+02:00` at the end of that zone;
- `1700000000000000000 ns` counts from 1970, as times are written that no calendar holds.

Hours end at 23, minutes and seconds at 59: anything else is no time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone

DAYS_MAX = 400
"""The most days of a history on which a time of day is looked for."""

_SECOND_NS = 1_000_000_000
_DURATION = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)(ns|us|µs|ms|s|m|h)")
_CLOCK = r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:[.,](\d{1,9}|\d{3} \d{3}))?)?"
_TIME_OF_DAY = re.compile(_CLOCK)
_DATE = re.compile(rf"(\d{{4}}-\d\d-\d\d)(?:(?:[Tt]| ){_CLOCK})?\s?([Zz]|[+-]\d\d:?\d\d)?")
_COUNTED = re.compile(r"(-?\d{1,19}) ns")
_UNIT_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": _SECOND_NS,
    "m": 60 * _SECOND_NS,
    "h": 3_600 * _SECOND_NS,
}


@dataclass(frozen=True, slots=True)
class WrittenTime:
    """A time as it was written: an offset from the first transition, a time of day, or a date.

    `unit_ns` is the precision it was written with; `at_ns` is set for a time with a date.
    """

    offset_ns: int
    is_of_day: bool = False
    at_ns: int | None = None
    unit_ns: int = field(default=1, compare=False)

    def at(self, started_ns: int) -> int:
        """The wall time in nanoseconds, for a history that began then."""
        if self.at_ns is not None:
            return self.at_ns
        if not self.is_of_day:
            return started_ns + self.offset_ns
        return next(self._on(_day(started_ns)))

    def times(self, first_ns: int, last_ns: int) -> list[int]:
        """The wall times it may mean, for a history from one time to another."""
        if self.at_ns is not None or not self.is_of_day:
            return [self.at(first_ns)]
        first, last = _day(first_ns), _day(last_ns)
        days = min(max(0, (last - first).days), DAYS_MAX)
        found = [self._on(first + timedelta(days=day)) for day in range(days + 1)]
        return [one for times in found for one in times]

    def _on(self, day: date) -> Iterator[int]:
        """The time on a day; twice when clocks were set back over it."""
        seconds, rest = divmod(self.offset_ns, _SECOND_NS)
        naive = datetime.combine(day, time()) + timedelta(seconds=seconds)
        stamps = [int(naive.replace(fold=fold).timestamp()) for fold in (0, 1)]
        for stamp in dict.fromkeys(stamps):
            yield stamp * _SECOND_NS + rest


def parse_duration(text: str) -> int | None:
    """Nanoseconds of a text such as `1.5ms`."""
    match = _DURATION.fullmatch(text)
    return round(float(match[1]) * _UNIT_NS[match[2]]) if match else None


def parse_time(text: str) -> WrittenTime | None:
    """The time that a text means, None if it means none."""
    if text.startswith("+"):
        duration = parse_duration(text[1:])
        return None if duration is None else WrittenTime(duration)
    if match := _COUNTED.fullmatch(text):
        return WrittenTime(0, at_ns=int(match[1]))
    if match := _TIME_OF_DAY.fullmatch(text):
        offset, unit = _since_midnight(*match.groups())
        return WrittenTime(offset, is_of_day=True, unit_ns=unit)
    match = _DATE.fullmatch(text)
    return _dated(match) if match else None


def _dated(match: re.Match[str]) -> WrittenTime | None:
    day, hours, minutes, seconds, fraction, zone = match.groups()
    offset, unit = _since_midnight(hours or "0", minutes or "0", seconds, fraction)
    if hours is None:
        unit = 86_400 * _SECOND_NS
    whole, rest = divmod(offset, _SECOND_NS)
    try:
        begin = datetime.combine(date.fromisoformat(day), time()) + timedelta(seconds=whole)
        stamp = begin.replace(tzinfo=_zone(zone)) if zone else begin
        return WrittenTime(0, at_ns=int(stamp.timestamp()) * _SECOND_NS + rest, unit_ns=unit)
    except (ValueError, OverflowError, OSError):  # a day that is in no calendar
        return None


def _since_midnight(
    hours: str, minutes: str, seconds: str | None, fraction: str | None
) -> tuple[int, int]:
    """Nanoseconds since midnight, and how exactly they were written."""
    whole = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds or 0))
    digits = (fraction or "").replace(" ", "")
    rest = int(digits.ljust(9, "0")) if digits else 0
    unit = 10 ** (9 - len(digits)) if seconds else 60 * _SECOND_NS
    return int(whole.total_seconds()) * _SECOND_NS + rest, unit


def _zone(text: str) -> timezone:
    if text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    span = timedelta(hours=hours, minutes=minutes)
    return timezone(-span if text[0] == "-" else span)


def _day(time_ns: int) -> date:
    """The local day of a wall time; times that no calendar holds are on its first day."""
    try:
        return datetime.fromtimestamp(time_ns // _SECOND_NS).astimezone().date()
    except (OverflowError, OSError, ValueError):
        return date(1970, 1, 1)
