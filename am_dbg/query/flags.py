"""Flags: strings of bytes 0 and 1, one for each row or shape, and tables of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from weakref import WeakKeyDictionary

from am_dbg.store.dictionary import SegmentDictionary

FLAG_VALUES = 256
"""The length of a table that translates bytes to flags."""

PIECE_FLAGS = 1_024
"""Flags that are made in one step."""

FlagMaker = Callable[[SegmentDictionary, int, int], bytes]
"""Makes the flags of a range of a dictionary's shapes, texts or sets of lines."""


class FlagTable:
    """A table of flags for each dictionary; it grows with the dictionary.

    The dictionary may grow meanwhile: a table covers what was defined before `of` was
    called, so a caller takes the numbers it looks up before it takes the table.
    """

    def __init__(self, count: Callable[[SegmentDictionary], int], make: FlagMaker) -> None:
        self._count = count
        self._make = make
        self._tables: WeakKeyDictionary[SegmentDictionary, bytes] = WeakKeyDictionary()

    def of(self, dictionary: SegmentDictionary) -> bytes:
        """The table of a dictionary as it is now."""
        return self._grown(dictionary, self._count(dictionary))

    def making(self, dictionary: SegmentDictionary) -> Iterator[int]:
        """Make the table piece by piece; each step yields how many flags it has made."""
        count, made = self._count(dictionary), len(self._tables.get(dictionary, b""))
        while made < count:
            before, made = made, min(made + PIECE_FLAGS, count)
            self._grown(dictionary, made)
            yield made - before

    def _grown(self, dictionary: SegmentDictionary, count: int) -> bytes:
        table = self._tables.get(dictionary, b"")
        if len(table) < count:
            table += self._make(dictionary, len(table), count)
            self._tables[dictionary] = table
        return table


def both(one: bytes, other: bytes) -> bytes:
    """1 where both have 1."""
    joined = int.from_bytes(one, "little") & int.from_bytes(other, "little")
    return joined.to_bytes(len(one), "little")


def either(one: bytes, other: bytes) -> bytes:
    """1 where at least one has 1."""
    joined = int.from_bytes(one, "little") | int.from_bytes(other, "little")
    return joined.to_bytes(len(one), "little")


def marked(rows: Iterable[int], count: int) -> bytes:
    """1 for each of these rows below `count`."""
    flags = bytearray(count)
    for row in rows:
        if row < count:
            flags[row] = 1
    return bytes(flags)


_OPPOSITE = bytes((1, 0)) + bytes(FLAG_VALUES - 2)


def opposite(flags: bytes) -> bytes:
    """1 where there was 0."""
    return flags.translate(_OPPOSITE)
