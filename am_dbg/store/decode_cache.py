"""A small cache of decoded values that rows share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

CACHED_MAX = 256
CACHED_WEIGHT_MAX = 16 * 1024
"""The most bytes of a cached value; a larger value is decoded again for each row."""

_Value = TypeVar("_Value")


class DecodeCache(dict[int, _Value]):
    """Values by number, decoded at the first look-up; `weight` returns the bytes of a value."""

    def __init__(self, decoded: Callable[[int], _Value], weight: Callable[[_Value], int]) -> None:
        super().__init__()
        self._decoded = decoded
        self._weight = weight

    def __missing__(self, number: int) -> _Value:
        value = self._decoded(number)
        if self._weight(value) <= CACHED_WEIGHT_MAX:
            if len(self) >= CACHED_MAX:
                self.clear()
            self[number] = value
        return value
