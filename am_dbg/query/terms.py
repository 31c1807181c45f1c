"""Parses the query language of searches and filters.

A query is a row of terms, all of which have to hold. A plain word, or several in double
quotes, is a text to be found. A term `key:value` is one of:

- `state:Foo` called or changed it; `called:Foo`, `added:Foo`, `removed:Foo`;
- `group:Foo` called or changed a state of that group;
- `accepted:no`, `auto:yes`, `error:yes`, `empty:no`, `check:yes`;
- `handler:FooEnter` ran it; `failed:FooEnter` failed or denied in it;
- `after:`, `before:` a time (`am_dbg.query.times`): `+2s` counts from the first transition,
  `15:04:05` is local time on that day; `longer:5ms` took at least that long.

Everything else is a plain word, so no query is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from am_dbg.query.times import WrittenTime, parse_duration, parse_time
from am_dbg.store import Fact

_TERM = re.compile(r'(?:(\w+):)?(?:"([^"]*)"?|(\S+))')
_FACTS = {
    "accepted": Fact.CANCELED,
    "auto": Fact.AUTO,
    "error": Fact.ERROR,
    "empty": Fact.EMPTY,
    "check": Fact.CHECK,
}
_NO_FACT = Fact(0)
_YES, _NO = {"yes", "true", "1"}, {"no", "false", "0"}
_NAMES = {"state", "group", "called", "added", "removed", "handler", "failed"}


@dataclass(frozen=True, slots=True)
class Terms:
    """A parsed query; `names` pairs a key with the wanted name."""

    words: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    with_facts: Fact = _NO_FACT
    without_facts: Fact = _NO_FACT
    after: WrittenTime | None = None
    before: WrittenTime | None = None
    longer_ns: int = 0


def ignores_case(word: str) -> bool:
    """Whether a word is found in any case, because it has no capitals."""
    return word == word.lower()


def parse(text: str) -> Terms:
    """Parse a query."""
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


def _keyed(terms: Terms, key: str, value: str) -> Terms | None:
    if key in _NAMES and value:
        return replace(terms, names=(*terms.names, (key, value)))
    if key in _FACTS:
        return _with_fact(terms, key, value.lower())
    if key == "longer":
        duration = parse_duration(value)
        return None if duration is None else replace(terms, longer_ns=duration)
    time = parse_time(value) if key in ("after", "before") else None
    if time is None:
        return None
    if key == "after":
        return replace(terms, after=time)
    return replace(terms, before=time)


def _with_fact(terms: Terms, key: str, answer: str) -> Terms | None:
    if answer not in _YES | _NO:
        return None
    wanted = (answer in _YES) != (key == "accepted")
    if wanted:
        return replace(terms, with_facts=terms.with_facts | _FACTS[key])
    return replace(terms, without_facts=terms.without_facts | _FACTS[key])
