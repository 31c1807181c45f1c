"""The one cache of columns and tables that were loaded, bounded by bytes.

It holds what readers looked at last. A limit by number would not hold: a moment of a thousand
machines needs a thousand chunks at once. Any thread asks. A value is loaded outside the lock, so
readers wait only for each other's entries; two readers that miss the same value at once load it
twice and keep one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Protocol, TypeVar

CACHE_BYTES_MAX = 64 * 1024 * 1024
"""Bytes of all cached values; about four million rows."""


class Sized(Protocol):
    """A value that knows how much memory it takes."""

    def size(self) -> int:
        """Bytes in memory, about."""


_Value = TypeVar("_Value", bound=Sized)


class ColumnCache:
    """Values by key, the least recently used leave first; the newest always stays."""

    def __init__(self, bytes_max: int = CACHE_BYTES_MAX) -> None:
        self.bytes_max = bytes_max
        self.bytes = 0
        self._lock = Lock()
        self._entries: OrderedDict[Hashable, tuple[Sized, int]] = OrderedDict()

    def get(self, key: Hashable, load: Callable[[], _Value]) -> _Value:
        """The value of a key, loaded if it is not there."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
                return entry[0]  # type: ignore[return-value]  # a key has values of one type
        value = load()
        self._keep(key, value)
        return value

    def _keep(self, key: Hashable, value: Sized) -> None:
        size = value.size()
        with self._lock:
            before = self._entries.pop(key, None)
            if before is not None:
                self.bytes -= before[1]
            self._entries[key] = (value, size)
            self.bytes += size
            while self.bytes > self.bytes_max and len(self._entries) > 1:
                _, (_, freed) = self._entries.popitem(last=False)
                self.bytes -= freed

    def clear(self) -> None:
        """Forget everything; it is loaded again on demand."""
        with self._lock:
            self._entries.clear()
            self.bytes = 0
