"""The keys of the query language: what each finds, the values it takes, and hints while typing.

The parser, the prompt, the help and the manual use this one table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum

from am_dbg.store import Fact

NAMED_CHARS_MAX = 40
"""Characters of a key or a value that a message shows."""
NO_FACT = Fact(0)


class ValueKind(Enum):
    """What stands after the colon of a key, in words for a message."""

    NAME = "a name"
    YES_NO = "yes or no"
    DURATION = "a duration such as 5ms"
    TIME = "a time such as +2s or 15:04:05"


@dataclass(frozen=True, slots=True)
class QueryKey:
    """One key: an example of a term, and which transitions the term finds.

    A key with `fact` takes yes or no; `is_opposite` if yes means that the fact does not hold.
    """

    key: str
    example: str
    help: str
    kind: ValueKind = ValueKind.NAME
    fact: Fact = NO_FACT
    is_opposite: bool = False


_YES_NO, _TIME = ValueKind.YES_NO, ValueKind.TIME

QUERY_KEYS: tuple[QueryKey, ...] = (
    QueryKey("state", "state:Ready", "called or changed the state"),
    QueryKey("called", "called:Ready", "called the state"),
    QueryKey("added", "added:Ready", "activated the state"),
    QueryKey("removed", "removed:Ready", "deactivated the state"),
    QueryKey("group", "group:Jobs", "called or changed a state of the group"),
    QueryKey(
        "error", "error:yes", "added an error state, or a handler failed", _YES_NO, Fact.ERROR
    ),
    QueryKey("accepted", "accepted:no", "was canceled", _YES_NO, Fact.CANCELED, is_opposite=True),
    QueryKey("auto", "auto:yes", "was started by auto states", _YES_NO, Fact.AUTO),
    QueryKey("empty", "empty:no", "changed something or called a handler", _YES_NO, Fact.EMPTY),
    QueryKey("check", "check:yes", "only checked, changed nothing", _YES_NO, Fact.CHECK),
    QueryKey("handler", "handler:ReadyEnter", "called the handler"),
    QueryKey("failed", "failed:ReadyEnter", "the handler failed or denied"),
    QueryKey("longer", "longer:5ms", "took at least that long", ValueKind.DURATION),
    QueryKey("after", "after:+2s", "began at that time or later", _TIME),
    QueryKey("before", "before:15:04:05", "began at that time or earlier", _TIME),
    QueryKey("machine", "machine:worker", "belongs to a machine with this in its name"),
)
BY_KEY = {one.key: one for one in QUERY_KEYS}
FORMS: tuple[tuple[str, str], ...] = (
    *((one.example, one.help) for one in QUERY_KEYS),
    ("timeout", "has the text in a log line, an argument or the name of a state"),
    ('"hung up"', "has the text with spaces"),
    ("-state:Ping", "the opposite: leaves out what the term finds"),
)
"""Every form of a term with what it finds, for the help and the manual."""


def unknown_key(key: str) -> str:
    """The message for a key that does not exist."""
    close = near_word(key, BY_KEY)
    advice = f"did you mean {close}:" if close else 'put a text with a colon in "quotes"'
    return f"no key {key[:NAMED_CHARS_MAX]}: ({advice})"


def wrong_value(key: str, value: str) -> str:
    """The message for a value that its key does not take."""
    given = f", not {value[:NAMED_CHARS_MAX]}" if value else ""
    return f"{key}: takes {BY_KEY[key].kind.value}{given}"


def near_word(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, empty if none is similar."""
    close = get_close_matches(word[:NAMED_CHARS_MAX].lower(), known, 1)
    return close[0] if close else ""


@dataclass(frozen=True, slots=True)
class KnownNames:
    """The names that a machine has for the values of keys."""

    states: Sequence[str] = ()
    groups: Sequence[str] = ()

    def of(self, key: str) -> Sequence[str]:
        """The names that fit a key, none if the values of the key are no names of a machine."""
        if key in _STATE_KEYS:
            return self.states
        if key in _HANDLER_KEYS:
            return [f"{state}{phase}" for state in self.states for phase in _PHASES]
        return self.groups if key == "group" else ()


NO_NAMES = KnownNames()
_STATE_KEYS = ("state", "called", "added", "removed")
_HANDLER_KEYS = ("handler", "failed")
_PHASES = ("Enter", "State", "Exit", "End")
HINTED_NAMES_MAX = 30


def typing_hint(text: str, names: KnownNames = NO_NAMES) -> str:
    """What the word that is being typed may become: the keys that fit, or what a key takes."""
    word = last_word(text)
    key, colon, value = word.partition(":")
    if colon and key in BY_KEY:
        found = BY_KEY[key]
        fitting = [name for name in names.of(key) if value.lower() in name.lower()]
        return " ".join(fitting[:HINTED_NAMES_MAX]) or f"{found.example} {found.help}"
    return " ".join(one.example for one in _beginning(word) or QUERY_KEYS)


def is_unfinished(word: str, names: KnownNames) -> bool:
    """Whether a last word looks like the begin of a key, or of a name that a key takes."""
    key, colon, value = word.partition(":")
    if not colon:
        return not word or bool(_beginning(word))
    known = names.of(key)
    return bool(known) and value not in known


def last_word(text: str) -> str:
    """The word that is being typed, without a minus before it."""
    return text.rpartition(" ")[2].removeprefix("-")


def _beginning(word: str) -> list[QueryKey]:
    """The keys that begin with a word."""
    return [one for one in QUERY_KEYS if word and one.key.startswith(word.lower())]
