"""Columns of whole numbers as byte planes.

A column is a type and its planes: the lowest bytes of all values, then the next ones. Values of
one column mostly differ in their low bytes only, so planes compress better than whole values,
and one slice for each plane puts them into an array, without a step of Python for each value.

The types are those of arrays: B, H and I have 1, 2 and 4 bytes and no sign, q has 8 and a sign.
The number of values is not stored: the reader knows it, and checks that the bytes are there
before it makes an array.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence

from am_dbg.store.columns import packed
from amtracer.errors import DamagedRecordError

_CODES = b"BHIq"
_SIZES = {code: array(chr(code)).itemsize for code in _CODES}
_IS_SWAPPED = sys.byteorder == "big"


def column_bytes(values: Sequence[int]) -> bytes:
    """A column of the narrowest type that holds all values."""
    column = packed(values)
    if _IS_SWAPPED:
        column.byteswap()
    size, data = column.itemsize, column.tobytes()
    planes = [data[plane::size] for plane in range(size)]
    return column.typecode.encode() + b"".join(planes)


class PlanesReader:
    """Reads columns one after the other; every fault is a `DamagedRecordError`."""

    def __init__(self, data: bytes, where: str = "") -> None:
        self._data = data
        self._at = 0
        self._where = where

    def column(self, count: int) -> array[int]:
        """The next column, of so many values."""
        code, size = self._type()
        start = self._at
        self._at += count * size
        if self._at > len(self._data):
            raise DamagedRecordError("a column is cut", where=self._where)
        values = array(chr(code))
        values.frombytes(self._joined(start, count, size))
        if _IS_SWAPPED:
            values.byteswap()
        return values

    def column_below(self, count: int, limit: int) -> array[int]:
        """The next column, whose values are from 0 up to below the limit."""
        values = self.column(count)
        if count and not 0 <= min(values) <= max(values) < limit:
            raise DamagedRecordError("a number that is not defined", where=self._where)
        return values

    def end(self) -> None:
        """Check that nothing is left."""
        if self._at != len(self._data):
            raise DamagedRecordError("bytes after the last column", where=self._where)

    def _type(self) -> tuple[int, int]:
        code = self._data[self._at] if self._at < len(self._data) else 0
        if code not in _SIZES:
            raise DamagedRecordError("a column without a type", where=self._where)
        self._at += 1
        return code, _SIZES[code]

    def _joined(self, start: int, count: int, size: int) -> bytes | bytearray:
        if size == 1:
            return self._data[start : start + count]
        joined = bytearray(count * size)
        for plane in range(size):
            low = start + plane * count
            joined[plane::size] = self._data[low : low + count]
        return joined
