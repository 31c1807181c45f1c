"""The texts of a segment, and the sets of them: log lines, and keys and texts of arguments.

All texts are one string of bytes with ends, so a search goes through them as one.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, chain

from am_dbg.store.columns import Blobs, looked_up
from am_dbg.store.definitions.lost_numbers import LostNumbers
from am_dbg.store.values import LogLine


class TextTable:
    """The texts of a segment by number, its sets of log lines and its sets of arguments.

    The lines of a set are in `line_texts` and `line_levels`, up to its end in `line_ends`; the
    texts of a set of arguments, keys and texts in turns, in `arg_texts` up to `arg_ends`.
    `lost_texts` and `lost_sets` have the numbers of texts and of sets of log lines that a file had
    and that are damaged: they are empty here. A set is lost with the text of one of its lines.
    """

    __slots__ = (
        "arg_ends",
        "arg_texts",
        "line_ends",
        "line_levels",
        "line_texts",
        "lost_sets",
        "lost_texts",
        "texts",
    )

    def __init__(self) -> None:
        self.texts = Blobs()
        self.line_ends = array("I", (0,))
        self.line_texts = array("H")
        self.line_levels = bytearray()
        self.arg_ends = array("I", (0,))
        self.arg_texts = array("H")
        self.lost_texts = LostNumbers()
        self.lost_sets = LostNumbers()

    def define_lines(self, entries: Sequence[tuple[int, int]]) -> None:
        """Give the next number to a set of log lines."""
        self.define_line_sets((entries,))

    def define_line_sets(self, sets: Sequence[Sequence[tuple[int, int]]]) -> None:
        """Give the next numbers to sets of log lines."""
        ends = accumulate(map(len, sets), initial=len(self.line_texts))
        next(ends)
        entries = list(chain.from_iterable(sets))
        self.line_texts.extend([text for _, text in entries])
        self.line_levels.extend([level for level, _ in entries])
        self.line_ends.extend(ends)

    def define_args(self, texts: Sequence[int]) -> None:
        """Give the next number to a set of arguments."""
        self.arg_texts.extend(texts)
        self.arg_ends.append(len(self.arg_texts))

    def text(self, number: int) -> str:
        """A defined text."""
        return self.texts[number].decode("utf-8", "surrogatepass")

    def lines(self, number: int) -> tuple[LogLine, ...]:
        """The log lines of a set, in order."""
        span = range(self.line_ends[number], self.line_ends[number + 1])
        return tuple((self.line_levels[i], self.text(self.line_texts[i])) for i in span)

    def args(self, number: int) -> Sequence[int]:
        """The texts of a set of arguments."""
        return self.arg_texts[self.arg_ends[number] : self.arg_ends[number + 1]]

    def containing(self, needle: bytes, start: int, stop: int, *, folded: bool) -> bytes:
        """A table over the texts from `start` up to `stop`: 1 where the needle occurs."""
        table = bytearray(stop - start)
        for number in self.texts.containing(needle, start, stop, folded=folded):
            table[number - start] = 1
        return bytes(table)

    def line_sets_containing(self, texts: bytes, start: int, stop: int, level: int) -> bytes:
        """A table over the line sets: 1 where a line up to `level` is one of `texts`."""
        table = bytearray(stop - start)
        low, high = self.line_ends[start], self.line_ends[stop]
        found = looked_up(texts, self.line_texts[low:high])
        at = found.find(1)
        while at >= 0:
            if self.line_levels[low + at] <= level:
                table[bisect_right(self.line_ends, low + at) - 1 - start] = 1
            at = found.find(1, at + 1)
        return bytes(table)

    def size(self) -> int:
        """Bytes in memory, about."""
        arrays = (
            self.line_ends,
            self.line_texts,
            self.line_levels,
            self.arg_ends,
            self.arg_texts,
        )
        return self.texts.size() + sum(map(sys.getsizeof, arrays))
