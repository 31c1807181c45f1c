"""The texts of each large chunk, by number, so that a search skips chunks without a wanted text.

The head of a record lists them: for each chunk of at least `LISTED_ROWS_MIN` rows the distinct
numbers of its argument texts, and of its earlier sets of log lines, ascending, each as the
difference to the one before. The usual log lines of a chunk are in its palette. Smaller chunks are
not listed: to look at their rows takes no longer.

The lists stay packed until the first search.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from itertools import accumulate, chain, pairwise

import msgpack

from am_dbg.store.chunk_columns import ChunkColumns, TextColumns, TextNumbers
from am_dbg.store.columns import SparseIntegers, packed
from am_dbg.store.packed.planes import Column, differences, ends_of, pack_column, unpack_naturals
from am_dbg.store.packed.values import unpacked_values
from amtracer.errors import WireError
from amtracer.wire import limits

LISTED_ROWS_MIN = 512
"""Rows from which on the texts of a chunk are listed."""
_WIDE = 2**16


def text_numbers(columns: ChunkColumns | TextColumns) -> TextNumbers:
    """The numbers in the columns of a chunk."""
    return TextNumbers(_distinct(columns.args), _distinct(columns.pre_lines))


def _distinct(column: SparseIntegers | None) -> array[int]:
    return packed(sorted(set(column.parts()[2]))) if column is not None else array("B")


class TextLists:
    """The lists of a record; None for chunks that are not listed."""

    def __init__(self, lists: Sequence[TextNumbers | None]) -> None:
        self._lists = lists

    def __getitem__(self, index: int) -> TextNumbers | None:
        return self._lists[index]

    def size(self) -> int:
        """Bytes in memory, about."""
        kept = [numbers for numbers in self._lists if numbers is not None]
        return sum(map(sys.getsizeof, chain(self._lists, chain.from_iterable(kept))))


def pack_text_lists(chunks: Sequence[tuple[int, ChunkColumns]]) -> bytes:
    """The bytes of the lists, for the rows and columns of each chunk; empty without a list."""
    listed = [text_numbers(own) if rows >= LISTED_ROWS_MIN else None for rows, own in chunks]
    if not any(listed):
        return b""
    sides = ([numbers and numbers[side] for numbers in listed] for side in range(2))
    packed_lists: bytes = msgpack.packb([column for side in sides for column in _columns(side)])
    return packed_lists


def _columns(lists: Sequence[array[int] | None]) -> tuple[Column, Column]:
    """One more than the length of each list, 0 for none; all differences."""
    return (
        pack_column([0 if numbers is None else len(numbers) + 1 for numbers in lists]),
        pack_column(list(chain.from_iterable(differences(one) for one in lists if one))),
    )


def unpack_text_lists(data: bytes, count: int) -> TextLists:
    """The lists of so many chunks; WireError for other bytes."""
    if not data:
        return TextLists([None] * count)
    match unpacked_values(data):
        case (text_sizes, texts, set_sizes, sets, *_):
            sides = _lists(text_sizes, texts, count), _lists(set_sizes, sets, count)
            return TextLists([_pair(*one) for one in zip(*sides, strict=True)])
    raise WireError("no lists of texts")


def _lists(sizes: object, steps: object, count: int) -> list[array[int] | None]:
    lengths = unpack_naturals(sizes, count, limits.STRINGS_MAX + 1)
    kept = [max(0, length - 1) for length in lengths]
    total = sum(kept)
    if not steps and total > count:
        raise WireError("a list that has a number twice")
    values = unpack_naturals(steps, total, limits.STRINGS_MAX)
    parts = zip(lengths, pairwise(ends_of(kept)), strict=True)
    return [_ascending(values[a:b]) if size else None for size, (a, b) in parts]


def _ascending(steps: Sequence[int]) -> array[int]:
    """The numbers of which these are the differences, none of them negative."""
    numbers = list(accumulate(steps))
    return array("H", numbers) if numbers and numbers[-1] < _WIDE else packed(numbers)


def _pair(texts: array[int] | None, line_sets: array[int] | None) -> TextNumbers | None:
    return None if texts is None or line_sets is None else TextNumbers(texts, line_sets)
