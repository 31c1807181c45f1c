"""A cache of decoded shapes for all dictionaries of a store, limited in bytes.

Any thread can fill the cache: if two miss at the same time, both decode, and one result stays.
A full cache is emptied, so a flood of large shapes costs time, not memory.
"""

from __future__ import annotations

from am_dbg.store.facts import ShapeFacts
from am_dbg.store.weights import STEP_BYTES
from amtracer.wire.messages import Shape

CACHED_BYTES_MAX = 16 * 1024 * 1024

_ENTRY_BYTES = 700
_CHANGE_BYTES = 100
_MASKS_PER_FACTS = 5

Entry = tuple[Shape, ShapeFacts]


class ShapeCache:
    """Shapes with their facts, by the serial number of their dictionary and their own."""

    def __init__(self, bytes_max: int = CACHED_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._entries: dict[int, Entry] = {}
        self.bytes = 0

    def get(self, key: int) -> Entry | None:
        """A cached shape, None if it is not in the cache."""
        return self._entries.get(key)

    def keep(self, key: int, shape: Shape, facts: ShapeFacts) -> Entry:
        """Cache a shape."""
        entry = (shape, facts)
        weight = (
            _ENTRY_BYTES
            + _MASKS_PER_FACTS * facts.touched.bit_length() // 8
            + STEP_BYTES * len(shape.steps)
            + _CHANGE_BYTES * len(shape.changes)
        )
        if self.bytes + weight > self._bytes_max:
            self._entries, self.bytes = {}, 0
        self._entries[key] = entry
        self.bytes += weight
        return entry
