"""A reader of a body's values that checks each value.

Every fault becomes a `WireError` that names the frame, the kind and the field. Whole columns
are checked by packing them, which is several times faster than a check of each number.
"""

from __future__ import annotations

import struct
import sys

from amtracer.errors import LimitError, WireError
from amtracer.wire import limits

Body = tuple[object, ...]

_REQUIRED = object()

_INT64 = (-limits.INTEGER_MAX - 1, limits.INTEGER_MAX)
_NATURALS = (0, limits.INTEGER_MAX)
_RANGES: dict[tuple[int, int], str] = {(0, 2**16 - 1): "H", _NATURALS: "q", _INT64: "q"}
"""Ranges that packing checks, with the `struct` code for it; the sign of naturals comes after."""
_LONG = 8
_SIGN_BYTE = _LONG - 1 if sys.byteorder == "little" else 0
"""The bytes of a packed integer, and which one has its sign: it is ASCII if there is none."""
_FEW = 12
"""Up to this many numbers, a check one by one is faster than packing."""


class Fields:
    """Reads the values of a body one after another.

    A value that is missing at the end has the default of its field, or is an error if there
    is none.
    """

    __slots__ = ("_at", "_body", "_frame", "_kind")

    def __init__(self, body: object, frame: str, kind: str, at: int = 0) -> None:
        self._frame = frame
        self._kind = kind
        if type(body) is not tuple:
            raise self.error("an array is expected")
        self._body: Body = body
        self._at = at

    @property
    def _where(self) -> str:
        """Where an error is; put together only for an error, as most bodies have none."""
        return f"{self._frame}, {self._kind}"

    def error(self, what: str) -> WireError:
        return WireError(what, where=self._where)

    def limit(self, what: str, found: int, limit: int) -> None:
        """Refuse more than `limit`."""
        if found > limit:
            raise LimitError(what, found, limit, where=self._where)

    def inner(self, body: object) -> Fields:
        """A reader of an array within this one."""
        return Fields(body, self._frame, self._kind)

    def end(self) -> None:
        """Skip the remaining values, fields of a newer sender; check how deep they nest."""
        if self._at == len(self._body):
            return
        for value in self._body[self._at :]:
            check_nesting(value, limits.NESTING_MAX - 1, self._where)

    def number(
        self,
        what: str,
        high: int = limits.INTEGER_MAX,
        *,
        low: int = 0,
        default: int | None = None,
    ) -> int:
        value = self._next(what, _REQUIRED if default is None else default)
        if type(value) is int and low <= value <= high:
            return value
        return self.check_number(what, value, high, low)

    def naturals(self, *expected: tuple[str, int]) -> tuple[int, ...]:
        """Several numbers from 0, each with its name and its highest value."""
        at = self._at
        values = self._body[at : at + len(expected)]
        self._at = at + len(values)
        if len(values) < len(expected):
            raise self.error(f"{expected[len(values)][0]} is missing")
        for value, (what, high) in zip(values, expected, strict=True):
            if type(value) is not int or not 0 <= value <= high:
                self.check_number(what, value, high)
        return values  # type: ignore[return-value]  # checked just above

    def check_number(self, what: str, value: object, high: int, low: int = 0) -> int:
        if type(value) is not int or not low <= value <= high:
            raise self.error(f"{what} is not a number from {low:,} to {high:,}")
        return value

    def text(self, what: str, default: str | None = None) -> str:
        value = self._next(what, _REQUIRED if default is None else default)
        return self.check_text(what, value)

    def check_text(self, what: str, value: object) -> str:
        if type(value) is not str:
            raise self.error(f"{what} is not a text")
        return value

    def octets(self, what: str, length_max: int) -> bytes:
        """A byte string, empty if it is missing; no error shows its content."""
        value = self._next(what, b"")
        if type(value) is not bytes:
            raise self.error(f"{what} is not a byte string")
        self.limit(f"bytes of a {what}", len(value), length_max)
        return value

    def array(self, what: str, length_max: int) -> Body:
        return self.check_array(what, self._next(what, ()), length_max)

    def optional_array(self, what: str, length_max: int) -> Body | None:
        value = self._next(what, None)
        return None if value is None else self.check_array(what, value, length_max)

    def check_array(self, what: str, value: object, length_max: int) -> Body:
        if type(value) is not tuple:
            raise self.error(f"{what} is not an array")
        if len(value) > length_max:
            self.limit(what, len(value), length_max)
        return value

    def texts(self, what: str, length_max: int) -> tuple[str, ...]:
        values = self.array(what, length_max)
        return tuple(self.check_text(what, value) for value in values)

    def numbers(
        self, what: str, length_max: int, high: int = limits.INTEGER_MAX, *, low: int = 0
    ) -> tuple[int, ...]:
        return self.check_numbers(what, self.array(what, length_max), high, low)

    def check_numbers(self, what: str, values: Body, high: int, low: int = 0) -> tuple[int, ...]:
        """The values, after a check that all are numbers from `low` to `high`."""
        if not values:
            return ()
        if len(values) <= _FEW:
            for value in values:
                if not isinstance(value, int) or not low <= value <= high:
                    raise self._not_numbers(what, low, high)
            return values  # type: ignore[return-value]  # checked just above
        code = _RANGES.get((low, high))
        packed = packed_as(code or ("q" if low else "Q"), values)
        if not packed or ((low, high) == _NATURALS and not packed[_SIGN_BYTE::_LONG].isascii()):
            raise self._not_numbers(what, low, high)
        numbers: tuple[int, ...] = values  # type: ignore[assignment]  # checked just above
        if not code and (max(numbers) > high or (low and min(numbers) < low)):
            raise self._not_numbers(what, low, high)
        return numbers

    def _not_numbers(self, what: str, low: int, high: int) -> WireError:
        return self.error(f"{what} holds a value that is not a number from {low:,} to {high:,}")

    def pairs(self, what: str, pairs_max: int, high: int) -> tuple[tuple[int, int], ...]:
        """Numbers from 0 to `high`, written flat."""
        return self.check_pairs(what, self.array(what, 2 * pairs_max), high)

    def check_pairs(self, what: str, values: Body, high: int) -> tuple[tuple[int, int], ...]:
        flat = self.check_numbers(what, values, high)
        if len(flat) % 2:
            raise self.error(f"{what} are not pairs")
        return tuple(zip(flat[::2], flat[1::2], strict=True))

    def _next(self, what: str, default: object) -> object:
        at = self._at
        if at < len(self._body):
            self._at = at + 1
            return self._body[at]
        if default is _REQUIRED:
            raise self.error(f"{what} is missing")
        return default


def packed_as(code: str, values: Body) -> bytes:
    """The values as integers of a `struct` code; empty if one does not fit."""
    try:
        return struct.pack(f"{len(values)}{code}", *values)
    except struct.error:
        return b""


def check_nesting(value: object, depth: int, where: str) -> None:
    """Refuse arrays more than `depth` deep."""
    if type(value) is not tuple:
        return
    if depth == 0:
        raise WireError(f"arrays nested deeper than {limits.NESTING_MAX}", where=where)
    for inner in value:
        check_nesting(inner, depth - 1, where)
