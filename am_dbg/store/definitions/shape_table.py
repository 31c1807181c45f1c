"""The shapes of a segment, as columns.

In the worst case every transition has its own shape. So shapes are packed. Three things are
stored decoded for each: its facts in one byte and the mask of states that it touched, because
filters and jumps need them for all shapes at once; and what it adds to the clock, because a clock
is computed from all shapes of a chunk.
"""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import accumulate, chain, islice

import msgpack

from am_dbg.store.columns import Blobs, Integers
from am_dbg.store.definitions.lost_numbers import LostNumbers
from am_dbg.store.facts import ColumnFacts, ShapeFacts
from amtracer.wire.messages import Pairs, Shape, ShapesMessage, StepDef

_FEW = 16
"""Up to this many shapes, their growth is added one by one."""
_SHAPE_BYTES = 1_024
"""The buffer for a packed shape; it grows if a shape needs more."""
_pack: Callable[[object], bytes] = msgpack.Packer(buf_size=_SHAPE_BYTES).pack


class ShapeTable:
    """The shapes of a segment by number.

    `growth_max` is the most that a shape adds to a tick. `packed` has of each shape its type,
    called states, flags and steps. The growth of a shape is in `growth` and `growth_states`,
    up to its end in `growth_ends`: twice the growth, plus 1 if it is negative. `lost` has the
    numbers of shapes that a file had and that are damaged: they are blank here.
    """

    __slots__ = (
        "calls",
        "flags",
        "growth",
        "growth_ends",
        "growth_max",
        "growth_states",
        "has_usual_lines",
        "lost",
        "mask_bytes",
        "packed",
        "schema_of",
        "touched",
        "usual_lines",
    )

    def __init__(self) -> None:
        self.schema_of = array("H")
        self.flags = bytearray()
        self.touched: list[int] = []
        self.calls = array("H")
        self.usual_lines = array("I")
        self.has_usual_lines = False
        self.packed = Blobs()
        self.growth_ends = array("I", (0,))
        self.growth_states = array("H")
        self.growth = Integers()
        self.growth_max = 0
        self.mask_bytes = 0
        self.lost = LostNumbers()

    def __len__(self) -> int:
        return len(self.flags)

    def define(self, schema: int, shape: Shape, facts: ShapeFacts, lines: int) -> None:
        """Give the next number to a shape, and its usual line set plus 1."""
        type_, called, flags, changes, steps = shape
        self.packed.append(_pack((type_, called, flags, tuple(chain.from_iterable(steps)))))
        if changes:
            self._define_growth(changes)
        self.growth_ends.append(len(self.growth_states))
        self.schema_of.append(schema)
        self.calls.append(facts.calls)
        self.usual_lines.append(lines)
        if lines:
            self.has_usual_lines = True
        touched = facts.touched
        self.touched.append(touched)
        self.mask_bytes += sys.getsizeof(touched)
        self.flags.append(facts.flags)

    def define_columns(self, message: ShapesMessage, facts: ColumnFacts) -> None:
        """Give the next numbers to shapes that came as columns."""
        steps = iter(message.steps)
        columns = zip(
            message.types, message.called, message.flags, message.step_counts, strict=True
        )
        self.packed.extend(
            [
                _pack((type_, called, flags, tuple(chain.from_iterable(islice(steps, count)))))
                for type_, called, flags, count in columns
            ]
        )
        self._define_growths(facts)
        self.schema_of.extend([message.schema] * len(message.types))
        self.calls.extend(facts.calls)
        self.usual_lines.extend(message.lines)
        self.has_usual_lines = self.has_usual_lines or any(message.lines)
        self.touched += facts.touched
        self.mask_bytes += sum(map(sys.getsizeof, facts.touched))
        self.flags += facts.flags

    def _define_growths(self, facts: ColumnFacts) -> None:
        known = self.growth_ends[-1]
        codes = {growth: _code_of(growth) for growth in set(facts.growths)}
        if codes:
            self.growth.extend(list(map(codes.__getitem__, facts.growths)), known)
            self.growth_states.extend(facts.states)
            self.growth_max = max(self.growth_max, max(codes.values()) >> 1)
        ends = accumulate(facts.counts, initial=known)
        next(ends)
        self.growth_ends.extend(ends)

    def activity(self, number: int) -> tuple[int, int, int]:
        """The masks of the states that a shape flips, changes and activates."""
        flipped = changed = added = 0
        for at in range(self.growth_ends[number], self.growth_ends[number + 1]):
            bit, code = 1 << self.growth_states[at], self.growth[at]
            changed |= bit
            if not code & 1:
                added |= bit
            if code & 2:
                flipped |= bit
        return flipped, changed, added

    def _define_growth(self, changes: Pairs) -> None:
        states, growths = zip(*changes, strict=True)
        coded = list(map(_code_of, growths))
        self.growth.extend(coded, self.growth_ends[-1])
        self.growth_states.extend(states)
        largest = max(coded) >> 1
        if largest > self.growth_max:
            self.growth_max = largest

    def extend(self, other: ShapeTable) -> None:
        """Give the next numbers to the shapes of another table, which has lost none."""
        known = self.growth_ends[-1]
        self.packed.extend_all(other.packed)
        self.growth_ends.extend([known + end for end in other.growth_ends[1:]])
        self.growth.extend(other.growth.span(0, len(other.growth_states)), known)
        self.growth_states.extend(other.growth_states)
        self.schema_of.extend(other.schema_of)
        self.calls.extend(other.calls)
        self.usual_lines.extend(other.usual_lines)
        self.touched += other.touched
        self.flags += other.flags

    def grow(self, ticks: list[int], counts: Mapping[int, int], sign: int) -> None:
        """Add the growth of shapes that occur so often to the ticks, or subtract it.

        Many neighbours that occur once are added up by their equal changes.
        """
        ends, states, growth = self.growth_ends, self.growth_states, self.growth
        low, high = min(counts, default=0), max(counts, default=-1) + 1
        if len(counts) == high - low > _FEW and set(counts.values()) == {1}:
            span = slice(ends[low], ends[high])
            codes = growth.span(span.start, span.stop)
            for (state, code), times in Counter(zip(states[span], codes, strict=True)).items():
                ticks[state] += (code >> 1) * times * sign
            return
        for shape, count in counts.items():
            for at in range(ends[shape], ends[shape + 1]):
                ticks[states[at]] += (growth[at] >> 1) * count * sign

    def shape(self, number: int) -> Shape:
        """A shape, decoded."""
        span = range(self.growth_ends[number], self.growth_ends[number + 1])
        coded = [(self.growth_states[at], self.growth[at]) for at in span]
        type_, called, flags, steps = msgpack.unpackb(self.packed[number], use_list=False)
        return Shape(
            type=type_,
            called=called,
            flags=flags,
            changes=tuple(
                (index, -(code >> 1) if code & 1 else code >> 1) for index, code in coded
            ),
            steps=tuple(StepDef(*steps[i : i + 5]) for i in range(0, len(steps), 5)),
        )

    def size(self) -> int:
        """Bytes in memory, about."""
        arrays = (
            self.touched,
            self.schema_of,
            self.flags,
            self.calls,
            self.usual_lines,
            self.growth_ends,
            self.growth_states,
        )
        columns = self.packed.size() + self.growth.size() + self.mask_bytes
        return columns + sum(map(sys.getsizeof, arrays))


def _code_of(growth: int) -> int:
    """A growth as it is stored: twice as much, plus 1 if it is negative."""
    return growth << 1 if growth > 0 else -growth << 1 | 1
