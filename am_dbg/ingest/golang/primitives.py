"""Reads the basic values of gob at a position in a message.

A reader takes the message and a position and returns the value and the position after it.
Past the end of the message Python raises `IndexError`; `am_dbg.ingest.golang.gob` turns it
into a `GobError` at its border, so that the fast paths need no check of their own.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from amtracer.errors import WireError

Buffer = bytes | bytearray
ReadValue = Callable[[Buffer, int], tuple[object, int]]

_ONE_BYTE = 128
_LONG_MIN = 256 - 8
"""From here on, the first byte is the number of bytes that follow, up to eight."""
_FLOAT = struct.Struct("<d")


class GobError(WireError):
    """Bytes that are no gob stream, or one that this program refuses."""


def read_uint(buffer: Buffer, at: int) -> tuple[int, int]:
    """One byte below 128, or 256 minus a count and that many bytes, the highest first."""
    first = buffer[at]
    if first < _ONE_BYTE:
        return first, at + 1
    end = at + 257 - first
    if first < _LONG_MIN:
        raise GobError(f"a number of {256 - first} bytes")
    if end > len(buffer):
        raise GobError("a number that is cut")
    return int.from_bytes(buffer[at + 1 : end], "big"), end


def zigzag(number: int) -> int:
    """The signed number: the lowest bit is the sign, the others the size."""
    return ~(number >> 1) if number & 1 else number >> 1


ZIGZAG = tuple(zigzag(number) for number in range(_ONE_BYTE))
"""The signed numbers of one byte."""


def read_int(buffer: Buffer, at: int) -> tuple[int, int]:
    """A signed number in the form of an unsigned one."""
    first = buffer[at]
    if first < _ONE_BYTE:
        return ZIGZAG[first], at + 1
    number, at = read_uint(buffer, at)
    return zigzag(number), at


def read_bool(buffer: Buffer, at: int) -> tuple[bool, int]:
    """A number that is not zero."""
    number, at = read_uint(buffer, at)
    return number != 0, at


def read_bytes(buffer: Buffer, at: int) -> tuple[bytes, int]:
    """A length and so many bytes."""
    length, at = read_uint(buffer, at)
    end = at + length
    if end > len(buffer):
        raise GobError("a text that is cut")
    return bytes(buffer[at:end]), end


def read_text(buffer: Buffer, at: int) -> tuple[str, int]:
    """A text; bytes that are no UTF-8 become a mark."""
    length = buffer[at]
    if length < _ONE_BYTE:
        at += 1
    else:
        length, at = read_uint(buffer, at)
    end = at + length
    if end > len(buffer):
        raise GobError("a text that is cut")
    return str(buffer[at:end], "utf-8", "replace"), end


def read_float(buffer: Buffer, at: int) -> tuple[float, int]:
    """A float, whose bytes come in reverse order, so that round numbers are short."""
    number, at = read_uint(buffer, at)
    value: float = _FLOAT.unpack(number.to_bytes(8, "big"))[0]
    return value, at


def read_complex(buffer: Buffer, at: int) -> tuple[complex, int]:
    """Two floats."""
    real, at = read_float(buffer, at)
    imaginary, at = read_float(buffer, at)
    return complex(real, imaginary), at
