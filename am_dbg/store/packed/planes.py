"""Columns of whole numbers as bytes, without Python work for each value.

A column is a type and its values in byte planes: the lowest bytes of all values, then the next.
Neighbours in a plane are alike, so planes compress better than values, and one slice for each
plane puts them back. A column of zeros has no bytes at all: its reader knows how many there are.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import accumulate
from operator import sub

from am_dbg.store.columns import packed
from amtracer.errors import WireError

_CODES = b"BHIq"
_LARGEST = {"B": 2**8 - 1, "H": 2**16 - 1, "I": 2**32 - 1, "q": 2**63 - 1}
_BYTE_VALUES = 256
_IS_BIG = sys.byteorder == "big"

Column = bytes
"""A packed column."""


def pack_column(values: Sequence[int]) -> Column:
    """The planes of some values, in the narrowest type that holds them."""
    if not any(values):
        return b""
    narrow = packed(values)
    width = narrow.itemsize
    if width == 1:
        return narrow.typecode.encode() + narrow.tobytes()
    if _IS_BIG:
        narrow = narrow[:]
        narrow.byteswap()
    data = narrow.tobytes()
    return b"".join((narrow.typecode.encode(), *(data[at::width] for at in range(width))))


def unpack_column(column: object, count: int) -> array[int]:
    """The values of a column that has `count` of them."""
    if type(column) is not bytes:
        raise WireError("a column that is no byte string")
    if not column:
        return array("B", bytes(count))
    if column[0] not in _CODES:
        raise WireError(f"a column of the unknown type {column[0]}")
    values = array(chr(column[0]))
    width = values.itemsize
    if len(column) != 1 + width * count:
        raise WireError(f"a column of {len(column) - 1:,} bytes for {count:,} values")
    if width == 1:
        values.frombytes(column[1:])
        return values
    data = bytearray(width * count)
    for plane in range(width):
        data[plane::width] = column[1 + plane * count : 1 + (plane + 1) * count]
    values.frombytes(data)
    if _IS_BIG:
        values.byteswap()
    return values


def unpack_naturals(column: object, count: int, high: int) -> array[int]:
    """The values of a column, all from 0 to `high`."""
    values = unpack_column(column, count)
    if count and _LARGEST[values.typecode] > high and max(values) > high:
        raise WireError(f"a value that is not from 0 to {high:,}")
    if values.typecode == "q" and min(values, default=0) < 0:
        raise WireError(f"a value that is not from 0 to {high:,}")
    return values


def spread(table: Sequence[int], numbers: array[int], most: int = 0) -> array[int]:
    """The entry of a table for each number, in a type that also holds `most`.

    Numbers of a byte are looked up plane by plane, all at once.
    """
    most = max(most, *table, 0)
    if numbers.itemsize > 1 or most > _LARGEST["H"]:
        code = next(code for code in _LARGEST if most <= _LARGEST[code])
        return array(code, list(map(table.__getitem__, numbers)))
    data, width = numbers.tobytes(), 1 if most <= _LARGEST["B"] else 2
    planes = bytearray(len(data) * width)
    for plane in range(width):
        entries = bytes(entry >> 8 * plane & 255 for entry in table)
        planes[plane::width] = data.translate(entries.ljust(_BYTE_VALUES, b"\0"))
    values = array("BH"[width - 1], bytes(planes))
    if _IS_BIG:
        values.byteswap()
    return values


def unpack_flags(column: object, count: int) -> bytes:
    """The values of a column of bytes."""
    values = unpack_column(column, count)
    if values.itemsize != 1:
        raise WireError("a value above 255")
    return values.tobytes()


def signed(values: Iterable[int]) -> list[int]:
    """Signed numbers as natural ones: twice the distance from 0, plus 1 if it is negative."""
    return [value << 1 if value >= 0 else -value << 1 | 1 for value in values]


def unsigned(values: Iterable[int]) -> list[int]:
    """The signed numbers again."""
    return [-(value >> 1) if value & 1 else value >> 1 for value in values]


def differences(values: Sequence[int], start: int = 0) -> list[int]:
    """Each value less the one before, the first less `start`."""
    return list(map(sub, values, (start, *values))) if values else []


def sums(values: Iterable[int], start: int = 0) -> list[int]:
    """The values whose differences these are."""
    found = list(accumulate(values, initial=start))
    del found[0]
    return found


def ends_of(counts: Iterable[int]) -> array[int]:
    """Where each of so many values ends, after a 0."""
    return array("I", accumulate(counts, initial=0))


_AS_THEY_ARE = b"="


def pack_walk(values: Sequence[int]) -> Column:
    """Numbers of which each is near the one before; as they are if a difference is too large."""
    if not any(values):
        return b""
    try:
        return pack_column(signed(differences(values)))
    except OverflowError:
        return _AS_THEY_ARE + pack_column(values)


def unpack_walk(column: object, count: int) -> array[int]:
    """The numbers of `pack_walk`."""
    if column == b"":
        return unpack_column(column, count)
    if type(column) is bytes and column.startswith(_AS_THEY_ARE):
        return unpack_column(column[1:], count)
    try:
        return packed(sums(unsigned(unpack_column(column, count))))
    except OverflowError:
        raise WireError("a number of more than 64 bits") from None


_CIRCLE = 2**17 - 1
_ODD = bytes((0, 1)) * 128
"""Whether a byte has its lowest bit set: of the third byte of a sum, the bit above 16."""
_NOT_ZERO = b"\0" + b"\1" * 255
_NOT_ONE = b"\1\0" + b"\1" * 254
_RUN_LENGTH_MIN = 8
"""Runs that are shorter on average are not worth cutting out."""
_RUNS_MIN = 64
"""Numbers of which runs are looked for."""


def pack_circle(values: Sequence[int]) -> Column:
    """Numbers of 17 bits, each as the distance from the one before, upwards around a circle."""
    return pack_column([step & _CIRCLE for step in differences(values)])


def unpack_circle(column: object, count: int) -> array[int]:
    """The numbers of `pack_circle`.

    All heads of a file are read when it is opened, so this is done without Python work for each
    number where it can be. What a program uses for the first time has the next number, so most
    numbers are one more than the one before: such runs are cut out of a table. Otherwise numbers
    that fit 16 bits, nearly all, are cut out of the sums as bytes.
    """
    steps = unpack_column(column, count)
    if steps.typecode == "q":
        raise WireError("a step that leads around a circle more than once")
    found = None if _IS_BIG else _along_runs(steps)
    if found is not None:
        return found
    places = sums(steps)
    if places and places[-1] < 2**32 and not _IS_BIG:
        data = array("I", places).tobytes()
        if 1 not in data[2::4].translate(_ODD):
            return array("H", data)[::2]
    return packed([place & _CIRCLE for place in places])


def _along_runs(steps: array[int]) -> array[int] | None:
    """The numbers, run by run; None if there are many runs, or a number has more than 16 bits."""
    flags = _begin_runs(steps) if len(steps) >= _RUNS_MIN else b""
    if not flags or flags.count(1) * _RUN_LENGTH_MIN > len(steps):
        return None
    table, last, stop = _consecutive(), 0, 0
    runs = []
    while stop < len(steps):
        start, stop = stop, flags.find(1, stop + 1)
        stop = stop if stop > 0 else len(steps)
        first = last + steps[start] & _CIRCLE
        last = first + stop - start - 1
        if last > _LARGEST["H"]:
            return None
        runs.append(table[2 * first : 2 * last + 2])
    return array("H", b"".join(runs))


def _begin_runs(steps: array[int]) -> bytes:
    """The flags of steps that are not 1."""
    data, width = steps.tobytes(), steps.itemsize
    differ = int.from_bytes(data[::width].translate(_NOT_ONE))
    for plane in range(1, width):
        differ |= int.from_bytes(data[plane::width].translate(_NOT_ZERO))
    return differ.to_bytes(len(steps))


@cache
def _consecutive() -> bytes:
    """All numbers of 16 bits, as bytes."""
    octets = bytes(range(_BYTE_VALUES))
    numbers = bytearray(2 * _BYTE_VALUES * _BYTE_VALUES)
    numbers[::2] = octets * _BYTE_VALUES
    numbers[1::2] = b"".join(bytes([octet]) * _BYTE_VALUES for octet in octets)
    return bytes(numbers)


def pack_walks(parts: Sequence[Sequence[int]]) -> Column:
    """Several walks in one column, so that each can be read alone."""
    if not any(map(any, parts)):
        return b""
    try:
        return pack_column([step for part in parts for step in signed(differences(part))])
    except OverflowError:
        return _AS_THEY_ARE + pack_column([value for part in parts for value in part])


class Walks:
    """The walks of `pack_walks`, of `count` numbers in all."""

    def __init__(self, column: object, count: int) -> None:
        self._is_plain = type(column) is bytes and column[:1] in (b"", _AS_THEY_ARE)
        self._steps = unpack_column(
            column[1:] if self._is_plain and isinstance(column, bytes) else column, count
        )

    def part(self, low: int, high: int) -> array[int]:
        """One walk: the numbers from `low` up to `high`."""
        steps = self._steps[low:high]
        if self._is_plain:
            return steps
        try:
            return packed(sums(unsigned(steps)))
        except OverflowError:
            raise WireError("a number of more than 64 bits") from None


def check_texts(data: bytes, lengths: Sequence[int]) -> None:
    """Refuse bytes that are no texts of these lengths, one after another."""
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise WireError("a text that is not in UTF-8") from None
    ends = accumulate(lengths)
    if any(end < len(data) and data[end] & 0xC0 == 0x80 for end in ends):
        raise WireError("a text that ends within a character")
