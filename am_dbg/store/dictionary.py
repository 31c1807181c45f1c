"""The definitions of a segment: shapes, texts, sets of log lines, sets of arguments.

In the worst case every transition has its own shape and texts. So definitions are packed, and
decoded shapes are only in the cache of the store. Three things are stored decoded for every
shape: its facts in one byte and the mask of states it touched, because filters and jumps need
them for all shapes at once; and what it adds to the clock, because a clock is computed from all
shapes of a chunk.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING
from weakref import ref

import msgpack

from am_dbg.store.columns import Blobs, Integers
from am_dbg.store.facts import IndexedSchema, ShapeFacts, shape_facts
from am_dbg.store.shape_cache import ShapeCache
from am_dbg.store.values import LogLine
from am_dbg.store.weights import ACTIVITY_BYTES, DICTIONARY_BYTES, texts_bytes
from amtracer.wire.messages import Pairs, Shape, StepDef

if TYPE_CHECKING:
    from am_dbg.store.track import Track

CACHED_SHAPES_MAX = 4_096
"""Shapes of a segment whose activity is cached."""
_SERIAL_SHIFT = 32
_SHAPE_BYTES = 1_024
"""The buffer for a packed shape; it grows if a shape needs more."""
_pack: Callable[[object], bytes] = msgpack.Packer(buf_size=_SHAPE_BYTES).pack


class Activity(dict[int, tuple[int, int, int]]):
    """For each shape the masks of states that it flips, changes and activates; filled on demand."""

    def __init__(self, dictionary: SegmentDictionary) -> None:
        super().__init__()
        self._dictionary = ref(dictionary)  # a cycle would keep both until the next collection
        self.bytes = 0

    def __missing__(self, shape: int) -> tuple[int, int, int]:
        dictionary = self._dictionary()
        assert dictionary is not None  # the caller holds it
        return self.keep(shape, dictionary.facts(shape))

    def keep(self, shape: int, facts: ShapeFacts) -> tuple[int, int, int]:
        """Cache the masks of a shape."""
        if len(self) >= CACHED_SHAPES_MAX:
            self.forget()
        masks = self[shape] = (facts.flipped, facts.changed, facts.added)
        self.bytes += ACTIVITY_BYTES + sum(map(sys.getsizeof, masks))
        return masks

    def forget(self) -> None:
        """Free everything; it is computed again on demand."""
        self.clear()
        self.bytes = 0


class SegmentDictionary:
    """The definitions of one segment, by number; its caller has checked them.

    `holders` are the tracks whose transitions need them. Once it is closed and no track holds
    it, it can be dropped.
    """

    __slots__ = (
        "__weakref__",
        "_arg_ends",
        "_arg_texts",
        "_cache",
        "_growth",
        "_growth_ends",
        "_growth_states",
        "_head_bytes",
        "_line_ends",
        "_line_levels",
        "_line_texts",
        "_mask_bytes",
        "_shapes",
        "_texts",
        "activity",
        "calls",
        "flags",
        "growth_max",
        "has_usual_lines",
        "heads",
        "holders",
        "is_closed",
        "schema_of",
        "schemas",
        "serial",
        "stream",
        "touched",
        "usual_lines",
        "weight",
    )

    def __init__(
        self, serial: int, schemas: Sequence[IndexedSchema], cache: ShapeCache, stream: int
    ) -> None:
        self.serial = serial
        self.stream = stream
        self.is_closed = False
        self.holders: set[Track] = set()
        self.weight = 0
        self.schema_of = array("H")
        self.flags = bytearray()
        self.touched: list[int] = []
        self.calls = array("H")
        self.usual_lines = array("I")
        self.has_usual_lines = False
        self.heads: list[str] = []
        self.schemas = schemas
        self.activity = Activity(self)
        self._shapes = Blobs()
        self._growth_ends = array("I", (0,))
        self._growth_states = array("H")
        self._growth = Integers()
        self.growth_max = 0
        """The most that a shape adds to a tick."""
        self._mask_bytes = 0
        self._texts = Blobs()
        self._line_ends = array("I", (0,))
        self._line_texts = array("H")
        self._line_levels = bytearray()
        self._arg_ends = array("I", (0,))
        self._arg_texts = array("H")
        self._head_bytes = 0
        self._cache = cache

    # Defining.

    def define_shape(self, schema: int, shape: Shape, lines: int = 0) -> None:
        """Give the next number to a shape, and its usual line set plus 1."""
        facts = shape_facts(shape, self.schemas[schema])
        self.activity.keep(len(self._shapes), facts)
        steps = tuple(chain.from_iterable(shape.steps))
        self._shapes.append(_pack((shape.type, shape.called, shape.flags, steps)))
        if shape.changes:
            self._growth.extend(
                [growth << 1 if growth > 0 else -growth << 1 | 1 for _, growth in shape.changes],
                self._growth_ends[-1],
            )
            self._growth_states.extend([index for index, _ in shape.changes])
            largest = max(abs(growth) for _, growth in shape.changes)
            self.growth_max = max(self.growth_max, largest)
        self._growth_ends.append(len(self._growth_states))
        self.schema_of.append(schema)
        self.calls.append(facts.calls)
        self.usual_lines.append(lines)
        self.has_usual_lines = self.has_usual_lines or lines > 0
        touched = facts.touched
        self.touched.append(touched)
        self._mask_bytes += sys.getsizeof(touched)
        self.flags.append(facts.flags)

    def define_texts(self, texts: Sequence[bytes], heads: Sequence[str] = ()) -> None:
        """Give the next numbers to texts, and to heads of later texts."""
        self._texts.extend(texts)
        self.heads += heads
        self._head_bytes += texts_bytes(heads)

    def define_lines(self, entries: Sequence[tuple[int, int]]) -> None:
        """Give the next number to a set of log lines."""
        for level, text in entries:
            self._line_texts.append(text)
            self._line_levels.append(level)
        self._line_ends.append(len(self._line_texts))

    def define_args(self, texts: Sequence[int]) -> None:
        """Give the next number to a set of arguments: keys and texts in turns."""
        self._arg_texts.extend(texts)
        self._arg_ends.append(len(self._arg_texts))

    def close(self) -> None:
        """End the definitions and free the memory that only they need."""
        self.is_closed = True
        self.heads, self._head_bytes = [], 0
        self.activity.forget()

    # Looking up.

    @property
    def shape_count(self) -> int:
        return len(self.flags)

    @property
    def text_count(self) -> int:
        return len(self._texts)

    @property
    def line_set_count(self) -> int:
        return len(self._line_ends) - 1

    @property
    def arg_set_count(self) -> int:
        return len(self._arg_ends) - 1

    @property
    def text_bytes(self) -> int:
        """Bytes of all texts together."""
        return self._texts.total

    @property
    def shape_bytes(self) -> int:
        """Bytes of all packed shapes together."""
        return self._shapes.total

    def shape(self, number: int) -> Shape:
        return self._decoded(number)[0]

    def facts(self, number: int) -> ShapeFacts:
        return self._decoded(number)[1]

    def grow(self, ticks: list[int], counts: Mapping[int, int], sign: int) -> None:
        """Add the growth of shapes that occur so often to the ticks, or subtract it."""
        ends, states, growth = self._growth_ends, self._growth_states, self._growth
        for shape, count in counts.items():
            for at in range(ends[shape], ends[shape + 1]):
                ticks[states[at]] += (growth[at] >> 1) * count * sign

    def text(self, number: int) -> str:
        """A defined text."""
        return self._texts[number].decode("utf-8", "surrogatepass")

    def lines(self, number: int) -> tuple[LogLine, ...]:
        """The log lines of a set, in order."""
        span = range(self._line_ends[number], self._line_ends[number + 1])
        return tuple((self._line_levels[i], self.text(self._line_texts[i])) for i in span)

    def arg_texts(self, value: int | Pairs) -> Sequence[int]:
        """The texts of a set of arguments, or of pairs, keys and texts in turns."""
        if isinstance(value, tuple):
            return tuple(chain.from_iterable(value))
        return self._arg_texts[self._arg_ends[value] : self._arg_ends[value + 1]]

    def schema(self, shape: int) -> IndexedSchema:
        """The schema of a shape."""
        return self.schemas[self.schema_of[shape]]

    # Searching. Each call returns a part of a table, from `start` up to `stop`.

    def texts_containing(self, needle: bytes, start: int, stop: int, *, folded: bool) -> bytes:
        """A table over the texts: 1 where the needle occurs."""
        table = bytearray(stop - start)
        for number in self._texts.containing(needle, start, stop, folded=folded):
            table[number - start] = 1
        return bytes(table)

    def line_sets_containing(self, texts: bytes, start: int, stop: int, level: int) -> bytes:
        """A table over the line sets: 1 where a line up to `level` is one of `texts`."""
        table = bytearray(stop - start)
        low, high = self._line_ends[start], self._line_ends[stop]
        found = bytes(map(texts.__getitem__, self._line_texts[low:high]))
        at = found.find(1)
        while at >= 0:
            if self._line_levels[low + at] <= level:
                table[bisect_right(self._line_ends, low + at) - 1 - start] = 1
            at = found.find(1, at + 1)
        return bytes(table)

    def size(self) -> int:
        """Bytes in memory, about."""
        arrays = (
            self.touched,
            self.schema_of,
            self.flags,
            self.calls,
            self.usual_lines,
            self.heads,
            self.holders,
            self._line_ends,
            self._line_texts,
            self._line_levels,
            self._arg_ends,
            self._arg_texts,
            self._growth_ends,
            self._growth_states,
        )
        columns = self._shapes.size() + self._texts.size() + self._growth.size()
        ready = self._mask_bytes + self._head_bytes + self.activity.bytes
        return DICTIONARY_BYTES + ready + columns + sum(map(sys.getsizeof, arrays))

    def weigh(self) -> int:
        """By how much the weight has changed since the last call."""
        before, self.weight = self.weight, self.size()
        return self.weight - before

    def _decoded(self, number: int) -> tuple[Shape, ShapeFacts]:
        key = self.serial << _SERIAL_SHIFT | number
        found = self._cache.get(key)
        if found is None:
            shape = self._unpacked_shape(number)
            facts = shape_facts(shape, self.schemas[self.schema_of[number]])
            found = self._cache.keep(key, shape, facts)
        return found

    def _unpacked_shape(self, number: int) -> Shape:
        span = range(self._growth_ends[number], self._growth_ends[number + 1])
        coded = [(self._growth_states[at], self._growth[at]) for at in span]
        type_, called, flags, steps = msgpack.unpackb(self._shapes[number], use_list=False)
        return Shape(
            type=type_,
            called=called,
            flags=flags,
            changes=tuple(
                (index, -(code >> 1) if code & 1 else code >> 1) for index, code in coded
            ),
            steps=tuple(StepDef(*steps[i : i + 5]) for i in range(0, len(steps), 5)),
        )
