"""Parses a log line into its parts: prefix, states, arguments."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

from am_dbg.spans import Role, Span
from am_dbg.store import LogLine


class PartKind(Enum):
    """What a part of a log line is."""

    PREFIX = "prefix"
    HANDLER_PREFIX = "handler prefix"
    ERROR_PREFIX = "error prefix"
    QUIET_PREFIX = "quiet prefix"
    TEXT = "text"
    ADDED = "added"
    REMOVED = "removed"
    KEY = "key"
    TRACE = "trace"


@dataclass(frozen=True, slots=True)
class LinePart:
    """A piece of a log line."""

    kind: PartKind
    text: str


_ROLES = {
    PartKind.PREFIX: Role.PLAIN,
    PartKind.HANDLER_PREFIX: Role.HANDLER,
    PartKind.ERROR_PREFIX: Role.ERROR,
    PartKind.QUIET_PREFIX: Role.QUIET,
    PartKind.TEXT: Role.PLAIN,
    PartKind.ADDED: Role.ADDED,
    PartKind.REMOVED: Role.REMOVED,
    PartKind.KEY: Role.QUIET,
    PartKind.TRACE: Role.QUIET,
}
_PREFIX = re.compile(r"^(\[[^\]\s]{1,40}\])(.*)$", re.DOTALL)
_WORD = re.compile(r"\s+|\S+")
_ARG = re.compile(r"^\(?([A-Za-z_][\w.\-]*)=")
_CHANGES = ("[state", "[auto_]")
_EXTERN = ("[extern", "[exter]")
_QUIET = (
    "[ctx",
    "[when",
    "[queue",
    "[pipe",
    "[task",
    "[postpone",
    "[source",
    "[auto",
    "[rel",
    "[implied",
)


def parts_of(row: str, index: int = 0) -> tuple[LinePart, ...]:
    """The parts of one row of a log line; rows after the first are its trace."""
    if index:
        return (LinePart(PartKind.TRACE, row),)
    match = _PREFIX.match(row)
    if match is None:
        return (LinePart(PartKind.TEXT, row),)
    prefix, rest = match[1], match[2]
    return (LinePart(_prefix_kind(prefix), prefix), *_rest_parts(rest))


def spans_of(parts: Sequence[LinePart]) -> tuple[Span, ...]:
    """The parts of a row as spans; rows of a trace are indented."""
    return tuple(
        Span(("  " if part.kind is PartKind.TRACE else "") + part.text, _ROLES[part.kind])
        for part in parts
    )


def _prefix_kind(prefix: str) -> PartKind:
    if prefix.startswith(("[error", "[recover")):
        return PartKind.ERROR_PREFIX
    if prefix.startswith("[handle"):
        return PartKind.HANDLER_PREFIX
    return PartKind.QUIET_PREFIX if prefix.startswith(_QUIET) else PartKind.PREFIX


def _rest_parts(rest: str) -> list[LinePart]:
    parts: list[LinePart] = []
    for word in _WORD.findall(rest):
        for kind, text in _word_parts(word):
            if parts and parts[-1].kind is kind:
                parts[-1] = LinePart(kind, parts[-1].text + text)
            else:
                parts.append(LinePart(kind, text))
    return parts


def _word_parts(word: str) -> list[tuple[PartKind, str]]:
    arg = _ARG.match(word)
    if arg:
        return [(PartKind.KEY, word[: arg.end()]), (PartKind.TEXT, word[arg.end() :])]
    if len(word) > 1 and word[0] in "+-" and word[1].isalpha():
        return [(PartKind.ADDED if word[0] == "+" else PartKind.REMOVED, word)]
    return [(PartKind.TEXT, word)]


def is_change_line(text: str) -> bool:
    """Whether a line lists the states that a transition changed; libraries differ in the word."""
    return text.startswith(_CHANGES)


def is_extern_line(text: str) -> bool:
    """Whether a line comes from outside of the library."""
    return text.startswith(_EXTERN)


def state_line_args(lines: Sequence[LogLine], names: Collection[str]) -> str:
    """The arguments that follow the states in a `[state]` line."""
    for _, text in lines:
        if is_change_line(text):
            return _without_states(text.partition("] ")[2], names)
    return ""


def _without_states(text: str, names: Collection[str]) -> str:
    words = text.split(" ")
    at = 0
    while at < len(words) and (words[at].lstrip("+-") in names or words[at] in ("...", "")):
        at += 1
    rest = " ".join(words[at:])
    if rest.startswith("(") and rest.endswith(")"):
        return rest[1:-1]
    return rest
