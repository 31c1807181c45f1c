"""Reads levels and meaning from the log lines of a Go program.

The Go library numbers its log levels in three ways: our level is the same, one less or two less.
Lines from outside of the library always have level 1. Lines of the library with a fixed level,
such as `[state] +Ready`, show the numbering of a program:

| releases | `[state]` | `[add]` | `[add:auto]` | `[handle:...]` |
|---|---|---|---|---|
| up to 0.12 | 1 | 2 | 3 | 4 |
| 0.13 | 3 | 4 | 5 | 6 |
| from 0.15 on | 2 | 3 | 4 | 5 |
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import chain

from am_dbg.ingest.golang.gob_types import Types
from am_dbg.ingest.golang.records import GoLines
from amtracer.wire import limits
from amtracer.wire.messages import Source

_CHANGES, _OPS, _DECISIONS, _EVERYTHING = 1, 2, 3, 4
_NEWER_FIELD = "QueueTick"
"""A field that only programs have whose levels are one higher."""
_SHIFTS = (0, 1, 2)

_PREFIX_ID_CHARS = 5
_SOURCE = "[source] "
_CANCELED = re.compile(r"\[cancel(?::self)?\] .* by (\w+)\Z", re.DOTALL)
_KNOWN_LEVELS = (
    ("[state] ", _CHANGES),
    ("[state:auto] ", _CHANGES),
    ("[auto_] ", _CHANGES),
    ("[error", _CHANGES),
    ("[add] ", _OPS),
    ("[remove] ", _OPS),
    ("[set] ", _OPS),
    ("[handler:0] ", _OPS),
    ("[queue:", _OPS),
    ("[add:auto] ", _DECISIONS),
    ("[handle:", _EVERYTHING),
)


def _scale(shift: int) -> tuple[int, ...]:
    """Our level for each level of theirs; level 1 stays the lowest that is shown."""
    return tuple(max(min(level, 1), level - shift) for level in range(limits.SMALL_MAX + 1))


class LevelScale:
    """The level numbers of one program, learned from its lines.

    `guess` says by how much they are higher than ours until a line shows it.
    """

    _ours = tuple(map(_scale, _SHIFTS))

    def __init__(self, guess: Callable[[], int] = lambda: 0) -> None:
        self._guess = guess
        self._shift: int | None = None

    def learn(self, *several: GoLines) -> None:
        """Find a line that shows the numbering, unless one was found."""
        if self._shift is None:
            found = map(_shift_of, chain.from_iterable(several))
            self._shift = next((shift for shift in found if shift is not None), None)

    def ours(self, lines: GoLines) -> GoLines:
        """The same lines with our level numbers."""
        self.learn(lines)
        if not lines:
            return lines
        shift = int(self._guess()) if self._shift is None else self._shift
        if not shift:
            return lines
        ours = self._ours[shift]
        return tuple([(ours[level], text) for level, text in lines])


def shift_guess(types: Types) -> int:
    """By how much levels are higher than ours, guessed from the types of a program."""
    return 1 if types.has_field(_NEWER_FIELD) else 0


def _shift_of(line: tuple[int, str]) -> int | None:
    level, text = line
    for start, known in _KNOWN_LEVELS:
        if text.startswith(start):
            return level - known if level - known in _SHIFTS else None
    return None


def without_prefix(lines: GoLines, machine: str) -> GoLines:
    """The lines without the beginning of the machine's id in brackets."""
    prefix = f"[{machine[:_PREFIX_ID_CHARS]}] "
    if not any(text.startswith(prefix + "[") for _, text in lines):
        return lines
    return tuple((level, text.removeprefix(prefix)) for level, text in lines)


def source_of(lines: GoLines) -> Source | None:
    """The transition that asked for this one, from its `[source] machine/id/time` line."""
    for _, text in lines:
        if text.startswith(_SOURCE):
            parts = text[len(_SOURCE) :].rsplit("/", 2)
            if len(parts) == 3 and parts[2].isdecimal():
                return Source(parts[0], parts[1], min(int(parts[2]), limits.INTEGER_MAX))
    return None


def canceled_by(lines: GoLines) -> frozenset[str]:
    """Names of the handlers that refused, also "timeout" and "recover"."""
    found = (_CANCELED.match(text) for _, text in lines if text.startswith("[cancel"))
    return frozenset(match[1] for match in found if match)
