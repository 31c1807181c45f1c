"""The filter of the list of machines: parses its words and decides which machines pass.

All words have to hold. A plain word is a part of the id, in any case unless it has capitals.
`#tag` begins a tag of the machine or of its parents, `group:name` begins the name of a group of
its states. `errors`, `connected` and `disconnected` are what they are called. A minus before a
word excludes what the word finds; in double quotes, every text is a part of the id.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from am_dbg.projection.bars import all_tags
from am_dbg.query.query_keys import NAMED_CHARS_MAX, near_word
from am_dbg.query.terms import has_text, ignores_case
from am_dbg.store import Store, Track
from am_dbg.store.facts import groups_of

_WORD = re.compile(r'(-(?=\S))?(?:"([^"]*)"?|(\S+))')
_KEY = re.compile(r"([^\W\d]\w*):(.*)", re.DOTALL)
GROUP_KEY = "group"


class WordKind(Enum):
    """What a word of the filter is about."""

    NAME = auto()
    TAG = auto()
    GROUP = auto()
    ERRORS = auto()
    CONNECTED = auto()


_FACTS = {
    "error": (WordKind.ERRORS, True),
    "errors": (WordKind.ERRORS, True),
    "connected": (WordKind.CONNECTED, True),
    "disconnected": (WordKind.CONNECTED, False),
}

MACHINE_FORMS: tuple[tuple[str, str], ...] = (
    ("pool", "has the text in its id"),
    ("#db", "it or a parent has a tag that begins so"),
    ("group:Jobs", "has a group of states whose name begins so"),
    ("errors", "has transitions with errors"),
    ("connected", "is connected"),
    ("disconnected", "is not connected"),
    ("-errors", "the opposite: leaves out what the word finds"),
)
"""Every form of a word with the machines it finds, for the help and the manual."""


@dataclass(frozen=True, slots=True)
class MachineWord:
    """One word of the filter; machines for which it does not hold as `wanted` are left out."""

    kind: WordKind
    value: str = ""
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class MachineFilter:
    """A parsed filter; `troubles` are its words that are not understood."""

    words: tuple[MachineWord, ...] = ()
    troubles: tuple[str, ...] = field(default=(), compare=False)

    @property
    def follows_data(self) -> bool:
        """Whether the same machine may pass at one time, and not at another."""
        kinds = {word.kind for word in self.words}
        return not kinds.isdisjoint((WordKind.ERRORS, WordKind.CONNECTED, WordKind.GROUP))

    def passes(self, store: Store, track: Track, has_errors: Callable[[Track], bool]) -> bool:
        """Whether every word holds for a machine."""
        return all(_holds(word, store, track, has_errors) is word.wanted for word in self.words)


def parse_machine_filter(text: str) -> MachineFilter:
    """Parse the words of a filter; every text is one."""
    words: list[MachineWord] = []
    troubles: list[str] = []
    for match in _WORD.finditer(text):
        minus, quoted, plain = match.groups()
        if quoted is not None:
            word = MachineWord(WordKind.NAME, quoted, not minus)
        else:
            word = _word(plain, wanted=not minus)
            troubles += _trouble(plain)
        words += [word] if word.value or word.kind not in (WordKind.NAME, WordKind.TAG) else []
    return MachineFilter(tuple(words), tuple(troubles))


def _word(text: str, *, wanted: bool) -> MachineWord:
    kind, holds = _FACTS.get(text.lower(), (WordKind.NAME, True))
    if kind is not WordKind.NAME:
        return MachineWord(kind, wanted=wanted is holds)
    if text.startswith("#"):
        return MachineWord(WordKind.TAG, text[1:], wanted)
    if text.startswith(f"{GROUP_KEY}:"):
        return MachineWord(WordKind.GROUP, text.removeprefix(f"{GROUP_KEY}:"), wanted)
    return MachineWord(WordKind.NAME, text, wanted)


def _trouble(text: str) -> list[str]:
    """What is wrong with a word that looks as if it had a key."""
    match = _KEY.fullmatch(text)
    if match is None or match[1] == GROUP_KEY:
        return []
    meant = near_word(match[1], (GROUP_KEY, *_FACTS))
    close = f"{GROUP_KEY}:" if meant == GROUP_KEY else meant
    advice = f"did you mean {close}" if close else 'put an id with a colon in "quotes"'
    return [f"machines have no key {match[1][:NAMED_CHARS_MAX]}: ({advice})"]


def _holds(
    word: MachineWord, store: Store, track: Track, has_errors: Callable[[Track], bool]
) -> bool:
    match word.kind:
        case WordKind.NAME:
            return has_text(track.key, word.value)
        case WordKind.TAG:
            return any(_begins(tag, word.value) for tag in all_tags(store, track))
        case WordKind.GROUP:
            return any(_begins(name, word.value) for name in groups_of(track.states))
        case WordKind.ERRORS:
            return has_errors(track)
        case WordKind.CONNECTED:
            return track.connected


def _begins(name: str, word: str) -> bool:
    return (name.lower() if ignores_case(word) else name).startswith(word)
