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
    """Entries by key, dropped when there is no room; callers lock what changes it.

    An interrupt within a change empties the table, so nothing is half done. A change that a
    finalizer makes within another one of the same thread is left out: what is kept here can
    always be made again.
    """

    __slots__ = ("_is_changing", "_keys", "_number", "_sizes", "entries", "size", "size_max")

    def __init__(self, size_max: int) -> None:
        self.size_max = size_max
        self.entries: dict[Key, Value] = {}
        """What it holds; only to be read."""
        self.size = 0
        self._sizes: dict[Key, int] = {}
        self._keys: list[Key] = []
        self._number = 1
        self._is_changing = False

    def put(self, key: Key, value: Value, size: int) -> None:
        """Add an entry, or replace the one of this key; drops others if there is no room."""
        if self._is_changing:
            return
        try:
            self._is_changing = True
            if key not in self._sizes:
                self._keys.append(key)
            self.entries[key] = value
            self.size += size - self._sizes.get(key, 0)
            self._sizes[key] = size
            while self.size > self.size_max and len(self._keys) > 1:
                self._drop_other_than(key)
        except BaseException:
            self.clear()
            raise
        finally:
            self._is_changing = False

    def clear(self) -> None:
        """Drop all entries."""
        self._keys.clear()
        self._sizes.clear()
        self.size = 0
        self.entries.clear()

    def _drop_other_than(self, key: Key) -> None:
        """Drop one entry, in a time that does not depend on how many there are."""
        keys = self._keys
        self._number = self._number * FACTOR % PRIME
        place = self._number % len(keys)
        if keys[place] == key:
            place = (place + 1) % len(keys)
        dropped, keys[place] = keys[place], keys[-1]
        keys.pop()
        self.size -= self._sizes.pop(dropped)
        del self.entries[dropped]
