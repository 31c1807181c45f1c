"""What the log lines of a Go program tell beyond their text.

The Go library numbers its log levels differently since one was put between "nothing" and
"changes": then all others are one higher. Which numbering a program has shows by the
level of lines whose level is known, such as `[state] +Ready`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from am_dbg.golang.records import GoLines
from amtracer import limits
from amtracer.schema import Source

__all__ = ["NEWER_FIELD", "LevelScale", "canceled_by", "source_of", "without_prefix"]

_CHANGES, _OPS, _EVERYTHING = 1, 2, 4
NEWER_FIELD = "QueueTick"
"""A field only newer programs have, soon after the numbers changed."""

_PREFIX_ID_CHARS = 5
_SOURCE = "[source] "
_CANCELED = re.compile(r"\[cancel(?::self)?\] .* by (\w+)\Z", re.DOTALL)
_KNOWN_LEVELS = (
    ("[state", _CHANGES),
    ("[add] ", _OPS),
    ("[remove] ", _OPS),
    ("[set] ", _OPS),
    ("[handler:", _OPS),
    ("[queue:", _OPS),
    ("[handle:", _EVERYTHING),
)


class LevelScale:
    """The level numbers of one program, learned from its lines.

    `newer` guesses until a line tells.
    """

    def __init__(self, newer: Callable[[], bool] = lambda: False) -> None:
        self._newer = newer
        self._shift: int | None = None

    def ours(self, lines: GoLines) -> GoLines:
        """The same lines with our level numbers."""
        if self._shift is None and lines:
            self._learn(lines)
        if not lines or not (self._newer() if self._shift is None else self._shift):
            return lines
        return tuple((level - 1 if level > 1 else level, text) for level, text in lines)

    def _learn(self, lines: GoLines) -> None:
        for level, text in lines:
            for start, known in _KNOWN_LEVELS:
                if text.startswith(start) and level in (known, known + 1):
                    self._shift = level - known
                    return


def without_prefix(lines: GoLines, machine: str) -> GoLines:
    """Lines may begin with the start of the machine's id in brackets, which says nothing."""
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
    """Names of the handlers that said no, also "timeout" and "recover"."""
    found = (_CANCELED.match(text) for _, text in lines if text.startswith("[cancel"))
    return frozenset(match[1] for match in found if match)
