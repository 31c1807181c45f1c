"""The little language in which a reader says what to look for.

A query is a row of terms, all of which have to hold. A plain word, or several in double
quotes, is a text to be found. A term `key:value` asks for something else:

- `state:Foo` called or changed it; `called:Foo`, `added:Foo`, `removed:Foo`;
- `accepted:no`, `auto:yes`, `error:yes`, `empty:no`, `check:yes`;
- `handler:FooEnter` ran it; `failed:FooEnter` failed or denied in it;
- `after:`, `before:` a moment: `+2s` counts from the first transition, `15:04:05` is local
  time on that day; `longer:5ms` took at least that long.

Whatever is not understood is a plain word, so nothing that can be typed is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from am_dbg.store import Fact

__all__ = ["Moment", "Terms", "parse", "parse_duration", "parse_moment"]

_TERM = re.compile(r'(?:(\w+):)?(?:"([^"]*)"?|(\S+))')
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?")
_UNIT_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_FACTS = {
    "accepted": Fact.CANCELED,
    "auto": Fact.AUTO,
    "error": Fact.ERROR,
    "empty": Fact.EMPTY,
    "check": Fact.CHECK,
}
_NO_FACT = Fact(0)
_YES, _NO = {"yes", "true", "1"}, {"no", "false", "0"}
_NAMES = {"state", "called", "added", "removed", "handler", "failed"}


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as it was typed: after the first transition, or a time of its day."""

    offset_ns: int
    is_of_day: bool = False

    def at(self, started_ns: int) -> int:
        """The wall time in nanoseconds, for a history that began then."""
        if not self.is_of_day:
            return started_ns + self.offset_ns
        started = datetime.fromtimestamp(started_ns // 10**9).astimezone()
        midnight = started.replace(hour=0, minute=0, second=0, microsecond=0)
        return int(midnight.timestamp()) * 10**9 + self.offset_ns


@dataclass(frozen=True, slots=True)
class Terms:
    """A query, taken apart; `names` pairs a key with the name it asks for."""

    words: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    with_facts: Fact = _NO_FACT
    without_facts: Fact = _NO_FACT
    after: Moment | None = None
    before: Moment | None = None
    longer_ns: int = 0


def parse(text: str) -> Terms:
    """Take a query apart."""
    terms = Terms()
    for match in _TERM.finditer(text):
        key, quoted, plain = match.groups()
        value = quoted if quoted is not None else plain
        more = _keyed(terms, key, value) if key else None
        if more is not None:
            terms = more
        elif word := f"{key}:{value}" if key else value:
            terms = replace(terms, words=(*terms.words, word))
    return terms


def parse_duration(text: str) -> int | None:
    """Nanoseconds of a text such as `1.5ms`."""
    match = _DURATION.fullmatch(text)
    return round(float(match[1]) * _UNIT_NS[match[2]]) if match else None


def parse_moment(text: str) -> Moment | None:
    """A moment of a text such as `+2s` or `15:04:05.25`."""
    if text.startswith("+"):
        duration = parse_duration(text[1:])
        return None if duration is None else Moment(duration)
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = int(match[1]), int(match[2]), int(match[3] or 0)
    whole = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    fraction = int((match[4] or "0").ljust(9, "0"))
    return Moment(int(whole.total_seconds()) * 10**9 + fraction, is_of_day=True)


def _keyed(terms: Terms, key: str, value: str) -> Terms | None:
    if key in _NAMES and value:
        return replace(terms, names=(*terms.names, (key, value)))
    if key in _FACTS:
        return _with_fact(terms, key, value.lower())
    if key == "longer":
        duration = parse_duration(value)
        return None if duration is None else replace(terms, longer_ns=duration)
    moment = parse_moment(value) if key in ("after", "before") else None
    if moment is None:
        return None
    if key == "after":
        return replace(terms, after=moment)
    return replace(terms, before=moment)


def _with_fact(terms: Terms, key: str, answer: str) -> Terms | None:
    if answer not in _YES | _NO:
        return None
    wanted = (answer in _YES) != (key == "accepted")
    if wanted:
        return replace(terms, with_facts=terms.with_facts | _FACTS[key])
    return replace(terms, without_facts=terms.without_facts | _FACTS[key])
