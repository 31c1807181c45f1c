"""Formats times, durations and counts for the screen."""

from __future__ import annotations

from datetime import datetime

SECOND = 1_000_000_000


def count(number: int) -> str:
    """A count with thousands apart: 7,605."""
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """So many of something: 1 machine, 2,696 transitions."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def totals(machines: int, transitions: int) -> str:
    """How much a session holds."""
    return f"{counted(machines, 'machine')}, {counted(transitions, 'transition')}"


def clock_time(time_ns: int) -> str:
    """Local wall time down to the microsecond: 15:29:30.016 521."""
    micro = time_ns % SECOND // 1000
    return f"{_local(time_ns):%H:%M:%S}.{micro // 1000:03d} {micro % 1000:03d}"


def second_time(time_ns: int) -> str:
    """Seconds down to the microsecond, as a log row has it: 30.016 521."""
    micro = time_ns % SECOND // 1000
    return f"{time_ns // SECOND % 60:02d}.{micro // 1000:03d} {micro % 1000:03d}"


def axis_time(time_ns: int) -> str:
    """Wall time down to a hundredth of a second, for the ends of an axis."""
    return f"{_local(time_ns):%H:%M:%S}.{time_ns % SECOND // 10_000_000:02d}"


def full_time(time_ns: int) -> str:
    """Date and wall time down to the microsecond: 2023-11-14 15:29:30.016 521."""
    return f"{_local(time_ns):%Y-%m-%d} {clock_time(time_ns)}"


def duration(span_ns: int) -> str:
    """A duration in the unit that keeps three digits: 420 ns, 1.44 ms, 2.30 s, 3 min 05 s.

    Whole microseconds have no fraction, as most programs do not send one: 8 µs.
    """
    sign, span = ("-", -span_ns) if span_ns < 0 else ("", span_ns)
    if span < 1_000:
        return f"{sign}{span} ns"
    if span < 999_500 and span % 1_000 == 0:
        return f"{sign}{span // 1_000} µs"
    if span < 999_500:
        return f"{sign}{_three(span / 1_000)} µs"
    if span < 999_500_000:
        return f"{sign}{_three(span / 1_000_000)} ms"
    if span < 60 * SECOND:
        return f"{sign}{_three(span / SECOND)} s"
    minutes, seconds = divmod(span // SECOND, 60)
    if minutes < 60:
        return f"{sign}{minutes} min {seconds:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours:,} h {minutes:02d} min"


def signed_duration(span_ns: int) -> str:
    """A duration with its sign: +2.30 ms."""
    text = duration(span_ns)
    return text if text.startswith("-") else f"+{text}"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th."""
    if number % 100 in (11, 12, 13):
        return f"{number:,}th"
    return f"{number:,}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _three(value: float) -> str:
    if value < 9.995:
        return f"{value:.2f}"
    if value < 99.95:
        return f"{value:.1f}"
    return f"{value:.0f}"


def _local(time_ns: int) -> datetime:
    """The time in the reader's zone; a time that no calendar holds becomes the start of 1970."""
    try:
        return datetime.fromtimestamp(time_ns // SECOND).astimezone()
    except (OverflowError, OSError, ValueError):
        return datetime.fromtimestamp(0).astimezone()
