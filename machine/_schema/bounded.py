"""A table whose entries have sizes: their sum has a limit.

When a new entry finds no room, others are dropped, whichever comes: not the oldest. If a few
more entries than there is room for come in turn, a table that drops the oldest never finds
one of them; this one finds most.
"""

from __future__ import annotations

from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

PRIME, FACTOR = 65_537, 75
"""Numbers that follow each other by this factor come to every one below the prime."""


class BoundedTable(Generic[Key, Value]):
    """Entries by key, dropped when there is no room; callers lock what changes it."""

    __slots__ = ("_keys", "_number", "_places", "_sizes", "entries", "size", "size_max")

    def __init__(self, size_max: int) -> None:
        self.size_max = size_max
        self.entries: dict[Key, Value] = {}
        """What it holds; only to be read."""
        self.size = 0
        self._sizes: dict[Key, int] = {}
        self._places: dict[Key, int] = {}
        self._keys: list[Key] = []
        self._number = 1

    def put(self, key: Key, value: Value, size: int) -> None:
        """Add an entry, or replace the one of this key; drops others if there is no room."""
        if key not in self._sizes:
            self._places[key] = len(self._keys)
            self._keys.append(key)
        self.entries[key] = value
        self.grow(key, size - self._sizes.get(key, 0))

    def grow(self, key: Key, by: int) -> None:
        """Change the size of an entry by this much."""
        self._sizes[key] = self._sizes.get(key, 0) + by
        self.size += by
        while self.size > self.size_max and len(self._keys) > 1:
            self._drop_other_than(key)

    def clear(self) -> None:
        """Drop all entries."""
        for table in (self.entries, self._sizes, self._places):
            table.clear()
        self._keys.clear()
        self.size = 0

    def _drop_other_than(self, key: Key) -> None:
        """Drop one entry, in a time that does not depend on how many there are."""
        self._number = self._number * FACTOR % PRIME
        place = self._number % len(self._keys)
        if place == self._places[key]:
            place = (place + 1) % len(self._keys)
        dropped, last = self._keys[place], self._keys.pop()
        if place < len(self._keys):
            self._keys[place] = last
            self._places[last] = place
        del self.entries[dropped], self._places[dropped]
        self.size -= self._sizes.pop(dropped)
