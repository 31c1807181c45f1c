"""Parses the query language of searches and filters.

A query is a row of terms, all of which have to hold. A plain word, or several in double
quotes, is a text to be found. A term `key:value` has a key of `am_dbg.query.query_keys`:

- `state:Foo` called or changed it; `called:Foo`, `added:Foo`, `removed:Foo`;
- `group:Foo` called or changed a state of that group;
- `accepted:no`, `auto:yes`, `error:yes`, `empty:no`, `check:yes`;
- `handler:FooEnter` ran it; `failed:FooEnter` failed or denied in it;
- `after:`, `before:` a time (`am_dbg.query.times`): `+2s` counts from the first transition,
  `15:04:05` is local time on that day; `longer:5ms` took at least that long;
- `machine:foo` belongs to a machine with that text in its key.

A minus before a key or a quote, as in `-state:Foo` or `-"text"`, excludes what the term finds.

Everything else is a plain word, so every query finds something that can be explained. What looks
like a key and is none, or has a value that the key does not take, is in `Terms.troubles` too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from am_dbg.query.query_keys import (
    BY_KEY,
    NO_FACT,
    KnownNames,
    ValueKind,
    is_unfinished,
    last_word,
    unknown_key,
    wrong_value,
)
from am_dbg.query.times import WrittenTime, parse_duration, parse_time
from am_dbg.store import Fact

_TERM = re.compile(r'(-(?=\w+:\S|"))?(?:(\w+):)?(?:"([^"]*)"?|(\S+))')
_EMPTY_TERM = re.compile(r"-?([^\W\d]\w*):")
_YES, _NO = {"yes", "true", "1"}, {"no", "false", "0"}


@dataclass(frozen=True, slots=True)
class Terms:
    """A parsed query; `names` pairs a key with the wanted name.

    `excluded` are terms of which none may hold; each of them is a single one.
    """

    words: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    machines: tuple[str, ...] = ()
    with_facts: Fact = NO_FACT
    without_facts: Fact = NO_FACT
    after: WrittenTime | None = None
    before: WrittenTime | None = None
    longer_ns: int | None = None
    excluded: tuple[Terms, ...] = ()
    troubles: tuple[str, ...] = field(default=(), compare=False)


def ignores_case(word: str) -> bool:
    """Whether a word is found in any case, because it has no capitals."""
    return word == word.lower()


def has_text(name: str, word: str) -> bool:
    """Whether a name contains a word of a query."""
    return word in (name.lower() if ignores_case(word) else name)


def parse(text: str) -> Terms:
    """Parse a query."""
    terms = Terms()
    for match in _TERM.finditer(text):
        minus, key, quoted, plain = match.groups()
        value = quoted if quoted is not None else plain
        if trouble := _trouble(key, value, match[0]):
            terms = replace(terms, troubles=(*terms.troubles, trouble))
            key, value = None, f"{minus or ''}{f'{key}:' if key else ''}{value}"
        elif minus:
            terms = _without(terms, _with_term(Terms(), key, value))
            continue
        terms = _with_term(terms, key, value)
    return terms


def finished(text: str, names: KnownNames) -> str:
    """A text that is being typed, without a last word that is not finished yet.

    The begin of a key, or of a name after a key, would hide everything until the next letter.
    """
    head, _, word = text.rpartition(" ")
    is_begun = is_unfinished(last_word(text), names) or parse(word).troubles
    return head.rstrip() if is_begun else text


def _trouble(key: str | None, value: str, term: str) -> str:
    """What is wrong with a term, empty for nothing."""
    if key is None:
        bare = _EMPTY_TERM.fullmatch(term)
        return wrong_value(bare[1], "") if bare and bare[1] in BY_KEY else ""
    if key not in BY_KEY:
        return "" if key[0].isdigit() else unknown_key(key)
    return "" if _is_taken(key, value) else wrong_value(key, value)


def _is_taken(key: str, value: str) -> bool:
    match BY_KEY[key].kind:
        case ValueKind.YES_NO:
            return value.lower() in _YES | _NO
        case ValueKind.DURATION:
            return parse_duration(value) is not None
        case ValueKind.TIME:
            return parse_time(value) is not None
        case ValueKind.NAME:
            return bool(value)


def _with_term(terms: Terms, key: str | None, value: str) -> Terms:
    """The terms with one more, whose value its key takes."""
    if key is None or key not in BY_KEY:
        word = f"{key}:{value}" if key else value
        return replace(terms, words=(*terms.words, word)) if word else terms
    match BY_KEY[key].kind:
        case ValueKind.YES_NO:
            return _with_fact(terms, key, is_yes=value.lower() in _YES)
        case ValueKind.DURATION:
            return replace(terms, longer_ns=parse_duration(value))
        case ValueKind.TIME:
            time = parse_time(value)
            return replace(terms, after=time) if key == "after" else replace(terms, before=time)
        case ValueKind.NAME:
            if key == "machine":
                return replace(terms, machines=(*terms.machines, value))
            return replace(terms, names=(*terms.names, (key, value)))


def _without(terms: Terms, term: Terms) -> Terms:
    """The terms with one more that must not hold; an empty one says nothing."""
    return terms if term == Terms() else replace(terms, excluded=(*terms.excluded, term))


def _with_fact(terms: Terms, key: str, *, is_yes: bool) -> Terms:
    known = BY_KEY[key]
    if is_yes != known.is_opposite:
        return replace(terms, with_facts=terms.with_facts | known.fact)
    return replace(terms, without_facts=terms.without_facts | known.fact)
