"""Cuts long texts of a transition for output, with a mark where something was cut.

A session file holds a text once, however often it occurs. If every occurrence were written
out, a file of some hundred bytes could become gigabytes. So a transition has a limit, and
everything that one command writes has another one, which grows with what the session really
holds. No session of a real program comes near it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from am_dbg.projection.times import counted
from am_dbg.store import Store

TRANSITION_CHARS_MAX = 256 * 1024
"""Characters of the log lines and arguments of one transition."""
OUTPUT_CHARS_MIN = 16 * 1024 * 1024
OUTPUT_CHARS_PER_BYTE = 64
"""Characters that a command writes for each byte that the store holds, above the minimum."""

Label = TypeVar("Label", int, str)


class Excerpt:
    """Returns texts as long as there is room, in one transition and in the whole output."""

    def __init__(self, store: Store | None = None) -> None:
        held = 0 if store is None else store.size()
        self._left = OUTPUT_CHARS_MIN + OUTPUT_CHARS_PER_BYTE * held
        self._room = 0

    def begin(self) -> None:
        """Begin another transition: the texts that follow belong to it."""
        self._room = min(self._left, TRANSITION_CHARS_MAX)

    def of(self, entries: Sequence[tuple[Label, str]], noun: str) -> Iterator[tuple[Label, str]]:
        """The entries that fit; the last one states how much is missing."""
        for place, (label, text) in enumerate(entries):
            if self._room <= 0:
                rest = entries[place:]
                missing = counted(sum(len(text) for _, text in rest), "character")
                yield label, f"… {counted(len(rest), f'more {noun}')} left out, {missing}"
                return
            yield label, self._cut(text)

    def _cut(self, text: str) -> str:
        kept = text[: self._room]
        self._room -= len(text)
        self._left -= len(kept)
        missing = len(text) - len(kept)
        return f"{kept}… {counted(missing, 'more character')} left out" if missing else text
