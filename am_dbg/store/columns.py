"""Append-only columns: packed bytes and arrays instead of objects.

A session has millions of small numbers that are read rarely and only around the cursor. So they
are packed, and become objects on demand. One thread appends, others read without a lock: a
reader only reads rows below a length that was set after they were written, and a wider array
replaces the old one in one assignment. Numbers become an array by way of `struct.pack`, which is
twice as fast as an array of the numbers. No code keeps a `memoryview` of a growing column, because
an array with a view cannot grow.
"""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain, compress, pairwise
from operator import sub

_CODES = "BHIq"


def packed(values: Sequence[int], code: str = _CODES[0]) -> array[int]:
    """An array of the narrowest item type from `code` on that holds all values."""
    for wider in _CODES[_CODES.index(code) :]:
        try:
            return array(wider, struct.pack(f"{len(values)}{wider}", *values))
        except struct.error:
            continue
    raise OverflowError("an integer needs more than 64 bits")


class Integers:
    """Whole numbers of up to 64 bits, signed; a column of zeros costs nothing."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data: array[int] | None = None

    @classmethod
    def of(cls, data: array[int]) -> Integers:
        """A column of these values, which nobody changes any more."""
        column = cls()
        column._data = data
        return column

    def replace(self, data: array[int]) -> None:
        """Have these values instead."""
        self._data = data

    def extend(self, values: Sequence[int], rows: int) -> None:
        """Append values after the `rows` that are already there."""
        data = self._data
        if data is None:
            if not any(values):
                return
            data = array(_CODES[0], bytes(rows))
        try:
            data.frombytes(struct.pack(f"{len(values)}{data.typecode}", *values))
        except struct.error:
            piece = packed(values, data.typecode)
            data = array(piece.typecode, data)
            data.extend(piece)
        self._data = data

    def extend_zeros(self, count: int) -> None:
        """Append zeros; free for a column that has nothing else."""
        if self._data is not None:
            self._data.extend(array(self._data.typecode, bytes(count * self._data.itemsize)))

    def __getitem__(self, row: int) -> int:
        return 0 if self._data is None else self._data[row]

    def span(self, low: int, high: int) -> bytes | array[int]:
        """The rows from `low` up to `high`, as bytes when each fits one."""
        data = self._data
        if data is None:
            return bytes(high - low)
        return data[low:high].tobytes() if data.itemsize == 1 else data[low:high]

    def part(self, low: int, high: int) -> Integers:
        """A column of the rows from `low` up to `high`."""
        return Integers.of(packed(self.span(low, high)))

    def first_at_or_above(self, value: int, rows: int) -> int:
        """Index of the first such value in an ascending column, `rows` if there is none."""
        data = self._data
        if data is None:
            return 0 if value <= 0 else rows
        return bisect_left(data, value, 0, rows)

    def shrink(self) -> None:
        """Free the memory reserved for growth."""
        if self._data is not None:
            self._data = self._data[:]

    def size(self) -> int:
        return 0 if self._data is None else sys.getsizeof(self._data)


class Blobs:
    """Byte strings in one buffer, by index."""

    __slots__ = ("_bytes", "_ends")

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("I", (0,))

    def __len__(self) -> int:
        return len(self._ends) - 1

    @property
    def total(self) -> int:
        """Length of all of them together."""
        return len(self._bytes)

    @classmethod
    def of(cls, data: bytes, lengths: Iterable[int]) -> Blobs:
        """Byte strings of these lengths, one after another in `data`."""
        blobs = cls()
        blobs.extend_joined(data, lengths)
        return blobs

    def append(self, value: bytes) -> None:
        self._bytes += value
        self._ends.append(len(self._bytes))

    def extend(self, values: Sequence[bytes]) -> None:
        ends = accumulate(map(len, values), initial=len(self._bytes))
        next(ends)
        self._bytes += b"".join(values)
        self._ends.extend(ends)

    def __getitem__(self, index: int) -> bytes:
        return bytes(self._bytes[self._ends[index] : self._ends[index + 1]])

    def length(self, start: int, stop: int) -> int:
        """Bytes of the strings from `start` up to `stop`."""
        return self._ends[stop] - self._ends[start]

    def extend_joined(self, data: bytes, lengths: Iterable[int]) -> None:
        """Append strings of these lengths, which stand one after another in `data`."""
        ends = accumulate(lengths, initial=len(self._bytes))
        next(ends)
        self._bytes += data
        self._ends.extend(ends)

    def extend_all(self, other: Blobs) -> None:
        """Append all strings of another column."""
        known = len(self._bytes)
        self._bytes += other._bytes
        self._ends.extend([known + end for end in other._ends[1:]])

    def joined(self, start: int, stop: int) -> tuple[bytes, list[int]]:
        """The strings from `start` up to `stop` as one, and their lengths."""
        ends = self._ends[start : stop + 1]
        return bytes(self._bytes[ends[0] : ends[-1]]), list(map(sub, ends[1:], ends))

    def containing(self, needle: bytes, start: int, stop: int, *, folded: bool) -> list[int]:
        """Indexes from `start` up to `stop` of the strings that contain the needle.

        `folded` compares ASCII letters in lower case. The strings are searched as one, so a hit
        that begins in one string and ends in another is left out.
        """
        ends, low, high = self._ends, self._ends[start], self._ends[stop]
        haystack = self._bytes[low:high]
        if folded:
            haystack = haystack.lower()
        found: list[int] = []
        at = haystack.find(needle)
        while at >= 0:
            index = bisect_right(ends, at + low) - 1
            end = ends[index + 1] - low
            inside = at + len(needle) <= end
            if inside:
                found.append(index)
            at = haystack.find(needle, end if inside else at + 1)
        return found

    def size(self) -> int:
        return sys.getsizeof(self._bytes) + sys.getsizeof(self._ends)


FEW_OF = 20
"""Of so many flags at most one is set when looking for each by itself is faster than a pass."""
_BYTE_VALUES = 256


def looked_up(table: bytes, numbers: bytes | array[int]) -> bytes:
    """The flags of a table for these natural numbers, 0 for one that is not in it.

    Numbers below 65,536 are looked up by their lower bytes, once for each page of the table with a
    flag that is set: a few passes over bytes are faster than a look for each number.
    """
    number = table.find(1)
    if number < 0:
        return bytes(len(numbers))
    width = 1 if isinstance(numbers, bytes) else numbers.itemsize
    data = _little_endian(numbers)
    if width == 1:
        return data.translate(_page(table, 0))
    if any(data[at::width].count(0) < len(numbers) for at in range(2, width)):
        known = len(table)
        return bytes(n < known and table[n] for n in numbers)
    low, high = data[::width], data[1::width]
    found = 0
    while 0 <= number < _BYTE_VALUES * _BYTE_VALUES:
        page = number // _BYTE_VALUES
        if page in high:
            is_on_page = high.translate(b"\0" * page + b"\1" + bytes(_BYTE_VALUES - 1 - page))
            flags = low.translate(_page(table, page))
            found |= int.from_bytes(flags) & int.from_bytes(is_on_page)
        number = table.find(1, (page + 1) * _BYTE_VALUES)
    return found.to_bytes(len(numbers))


def _little_endian(numbers: bytes | array[int]) -> bytes:
    if isinstance(numbers, bytes) or sys.byteorder == "little":
        return bytes(numbers)
    turned = numbers[:]
    turned.byteswap()
    return bytes(turned)


def _page(table: bytes, page: int) -> bytes:
    """The flags of one page, to translate bytes with."""
    low = page * _BYTE_VALUES
    return table[low : low + _BYTE_VALUES].ljust(_BYTE_VALUES, b"\0")


class SparseIntegers:
    """A few whole numbers for some of the rows."""

    __slots__ = ("_ends", "_rows", "_values")

    def __init__(self) -> None:
        self._rows = array("H")
        self._ends = array("I", (0,))
        self._values = Integers()

    @classmethod
    def of(cls, rows: array[int], ends: array[int], values: array[int]) -> SparseIntegers:
        """A column of these parts, which nobody changes any more; see `parts`."""
        column = cls()
        column._rows, column._ends, column._values = rows, ends, Integers.of(values)
        return column

    def parts(self) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
        """The rows, where the numbers of each end after a 0, and all numbers."""
        ends = self._ends[:]
        return self._rows[:], ends, self._values.span(0, ends[-1])

    def extend(self, values: Mapping[int, Sequence[int]]) -> None:
        """Set the numbers of rows; rows come in ascending order."""
        counts = list(map(len, values.values()))
        self.extend_flat(list(values), counts, tuple(chain.from_iterable(values.values())))

    def extend_flat(
        self, rows: Iterable[int], counts: Iterable[int], numbers: Sequence[int]
    ) -> None:
        """Set the numbers of rows, so many for each, one after the other."""
        known = self._ends[-1]
        ends = accumulate(counts, initial=known)
        next(ends)
        self._values.extend(numbers, known)
        self._ends.extend(ends)
        self._rows.extend(rows)

    def get(self, row: int) -> tuple[int, ...]:
        """The numbers of a row, empty if it has none."""
        index = bisect_left(self._rows, row)
        if index == len(self._rows) or self._rows[index] != row:
            return ()
        return tuple(self._values[i] for i in range(self._ends[index], self._ends[index + 1]))

    def part(self, low: int, high: int) -> SparseIntegers | None:
        """The rows from `low` up to `high`, counted from there; None if none has numbers."""
        rows, ends, values = self.parts()
        first, last = bisect_left(rows, low), bisect_left(rows, high)
        if first == last:
            return None
        start = ends[first]
        return SparseIntegers.of(
            array("H", [row - low for row in rows[first:last]]),
            array("I", [end - start for end in ends[first : last + 1]]),
            packed(values[start : ends[last]]),
        )

    def rows(self) -> Sequence[int]:
        """The rows that have numbers, ascending."""
        return self._rows[:]

    def rows_with(self, wanted: bytes) -> Iterable[int]:
        """The rows with a number `n` for which `wanted[n]` is set."""
        count = len(self._rows)
        ends = self._ends[: count + 1]
        flags = looked_up(wanted, self._values.span(0, ends[count]))
        if flags.count(1) * FEW_OF > len(flags):
            before = list(accumulate(flags, initial=0))
            found = (before[low] < before[high] for low, high in pairwise(ends))
            yield from compress(self._rows[:count], found)
            return
        at = flags.find(1)
        while at >= 0:
            index = bisect_right(self._ends, at) - 1
            yield self._rows[index]
            at = flags.find(1, self._ends[index + 1])

    def shrink(self) -> None:
        self._rows, self._ends = self._rows[:], self._ends[:]
        self._values.shrink()

    def size(self) -> int:
        return sys.getsizeof(self._rows) + sys.getsizeof(self._ends) + self._values.size()


class SparseTexts:
    """A text for some of the rows."""

    __slots__ = ("_rows", "_texts")

    def __init__(self) -> None:
        self._rows = array("H")
        self._texts = Blobs()

    @classmethod
    def of(cls, rows: array[int], texts: Blobs) -> SparseTexts:
        """A column of these parts, which nobody changes any more."""
        column = cls()
        column._rows, column._texts = rows, texts
        return column

    def parts(self) -> tuple[Sequence[int], bytes, list[int]]:
        """The rows, all texts as one string of bytes, and their lengths."""
        rows = self._rows[:]
        return rows, *self._texts.joined(0, len(rows))

    def append(self, row: int, text: str) -> None:
        """Set the text of a row; rows come in ascending order."""
        self._texts.append(text.encode("utf-8", "surrogatepass"))
        self._rows.append(row)

    def get(self, row: int) -> str:
        """The text of a row, empty if it has none."""
        index = bisect_left(self._rows, row)
        if index == len(self._rows) or self._rows[index] != row:
            return ""
        return self._texts[index].decode("utf-8", "surrogatepass")

    def part(self, low: int, high: int) -> SparseTexts | None:
        """The rows from `low` up to `high`, counted from there; None if none has a text."""
        made = None
        for row, text in self.items():
            if low <= row < high:
                made = made or SparseTexts()
                made.append(row - low, text)
        return made

    def items(self) -> list[tuple[int, str]]:
        """All rows with their texts."""
        return [(row, self.get(row)) for row in self._rows[:]]

    def row_of(self, text: str) -> int:
        """The row with exactly this text, -1 if there is none."""
        count = len(self._rows)
        needle = text.encode("utf-8", "surrogatepass")
        for index in self._texts.containing(needle, 0, count, folded=False):
            if self._texts[index] == needle:
                return self._rows[index]
        return -1

    def shrink(self) -> None:
        self._rows = self._rows[:]

    def size(self) -> int:
        return sys.getsizeof(self._rows) + self._texts.size()
