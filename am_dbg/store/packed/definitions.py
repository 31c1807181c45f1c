"""A part of the definitions of a segment: some shapes, some texts, some sets of log lines.

Both tables are columns, as they are in the store: reading a table makes no object for each entry.
Texts are one string of bytes with lengths, so a search goes through the bytes as they are read.

The facts of a shape and the states that it touched follow from the shape. They are written, because
a filter needs them for all shapes at once; a reader that decodes a shape compares them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import NamedTuple

import msgpack

from am_dbg.store.columns import Blobs
from am_dbg.store.definitions.shape_table import ShapeTable
from am_dbg.store.definitions.text_table import TextTable
from am_dbg.store.packed.planes import (
    Column,
    check_texts,
    differences,
    ends_of,
    pack_column,
    pack_walk,
    unpack_naturals,
    unpack_walk,
)
from am_dbg.store.packed.values import unpacked_values
from amtracer.errors import WireError
from amtracer.wire import limits

PART_ENTRIES_MAX = 4_096
"""Entries of each kind in one record of definitions."""
PART_BYTES_MAX = 4 * limits.MIB
"""Bytes of all texts, or of all packed shapes, in one record of definitions."""
_STEP_BYTES_MAX = limits.STEPS_MAX * limits.STATES_MAX


class PartHead(NamedTuple):
    """What a part defines: of each kind the first number and the count.

    `shapes_bytes` is the compressed length of the shapes, which stand before the texts.
    """

    stream: int
    segment: int
    shape_first: int
    shapes: int
    text_first: int
    texts: int
    set_first: int
    sets: int
    shapes_bytes: int


def pack_part_head(head: PartHead) -> bytes:
    """The bytes of a head, not yet compressed."""
    packed: bytes = msgpack.packb(tuple(head))
    return packed


def unpack_part_head(data: bytes) -> PartHead:
    """The head of a part; `WireError` if it is none."""
    values = unpacked_values(data)
    if len(values) < len(PartHead._fields):
        raise WireError("no head of definitions")
    numbers = values[: len(PartHead._fields)]
    if any(type(value) is not int or value < 0 for value in numbers):
        raise WireError("a head of definitions with values that are no numbers")
    head = PartHead._make(numbers)
    ends = (
        (head.shape_first + head.shapes, limits.SHAPES_MAX),
        (head.text_first + head.texts, limits.STRINGS_MAX),
        (head.set_first + head.sets, limits.LINE_SETS_MAX),
    )
    if any(end > limit for end, limit in ends):
        raise WireError("more definitions than a segment has")
    return head


def pack_shapes(table: ShapeTable, start: int, stop: int, schemas: Mapping[int, int]) -> bytes:
    """The shapes from `start` up to `stop`, not yet compressed.

    `schemas` has the number that a schema of the table has in the stream.
    """
    data, lengths = table.packed.joined(start, stop)
    ends = table.growth_ends[start : stop + 1]
    grown = slice(ends[0], ends[-1])
    width = max((mask.bit_length() + 7 >> 3 for mask in table.touched[start:stop]), default=0)
    columns = (
        pack_column([schemas[schema] for schema in table.schema_of[start:stop]]),
        bytes(table.flags[start:stop]),
        pack_column(lengths),
        data,
        pack_column(differences(ends, ends[0])[1:]),
        pack_column(table.growth_states[grown]),
        pack_column(table.growth.span(grown.start, grown.stop)),
        b"".join(mask.to_bytes(width, "little") for mask in table.touched[start:stop]),
    )
    packed: bytes = msgpack.packb(columns)
    return packed


def unpack_shapes(head: PartHead, data: bytes) -> ShapeTable:
    """The shapes of a part alone."""
    return _ShapeReader(head.shapes, data).table()


class _ShapeReader:
    """Reads the shapes of a part."""

    def __init__(self, count: int, data: bytes) -> None:
        columns = unpacked_values(data)
        if len(columns) < 8:
            raise WireError("shapes that lack a column")
        self.schemas = unpack_naturals(columns[0], count, limits.SCHEMAS_MAX - 1)
        self.flags = _octets(columns[1])
        self.lengths = unpack_naturals(columns[2], count, _STEP_BYTES_MAX)
        self.packed = _octets(columns[3])
        grown = unpack_naturals(columns[4], count, limits.STATES_MAX)
        self.ends = ends_of(grown)
        self.states = unpack_naturals(columns[5], self.ends[-1], limits.STATES_MAX - 1)
        self.growth = unpack_naturals(columns[6], self.ends[-1], 2 * limits.GROWTH_MAX + 1)
        masks = _octets(columns[7])
        width = len(masks) // count if count else 0
        is_fitting = len(self.flags) == count and width * count == len(masks)
        if not is_fitting or sum(self.lengths) != len(self.packed):
            raise WireError("shapes whose columns differ in length")
        self.touched = [
            int.from_bytes(masks[at * width : (at + 1) * width], "little") for at in range(count)
        ]

    def table(self) -> ShapeTable:
        """A table of these shapes."""
        table = ShapeTable()
        table.schema_of.extend(array("H", self.schemas))
        table.flags += self.flags
        table.touched += self.touched
        table.calls.extend(array("H", bytes(2 * len(self.flags))))
        table.usual_lines.extend(array("I", bytes(4 * len(self.flags))))
        table.packed.extend_joined(self.packed, self.lengths)
        table.growth_ends.extend(self.ends[1:])
        table.growth_states.extend(array("H", self.states))
        table.growth.extend(self.growth, 0)
        return table


def pack_texts(table: TextTable, texts: range, sets: range) -> bytes:
    """Some texts and some sets of log lines, not yet compressed."""
    data, lengths = table.texts.joined(texts.start, texts.stop)
    ends = table.line_ends[sets.start : sets.stop + 1]
    lines = slice(ends[0], ends[-1])
    columns: tuple[Column, ...] = (
        pack_column(lengths),
        data,
        pack_column(differences(ends, ends[0])[1:]),
        pack_walk(table.line_texts[lines]),
        bytes(table.line_levels[lines]),
    )
    packed: bytes = msgpack.packb(columns)
    return packed


def add_texts(table: TextTable, head: PartHead, data: bytes) -> None:
    """Append the texts and sets of a part to a table; a `WireError` leaves it as it was."""
    columns = unpacked_values(data)
    if len(columns) < 5:
        raise WireError("texts that lack a column")
    lengths = unpack_naturals(columns[0], head.texts, limits.TEXT_BYTES_MAX)
    text = _octets(columns[1])
    if sum(lengths) != len(text):
        raise WireError("texts that are not as long as their lengths")
    check_texts(text, lengths)
    if table.texts.total + len(text) > limits.SEGMENT_TEXT_BYTES_MAX:
        raise WireError("more text than a segment has")
    counts = unpack_naturals(columns[2], head.sets, limits.LINES_MAX)
    lines = sum(counts)
    line_texts, levels = unpack_walk(columns[3], lines), _octets(columns[4])
    if len(levels) != lines or min(line_texts, default=0) < 0:
        raise WireError("sets of lines whose columns differ in length")
    if max(line_texts, default=-1) >= head.text_first + head.texts:
        raise WireError("a line of a text that is not defined")
    table.texts.extend_joined(text, lengths)
    known = table.line_ends[-1]
    ends = accumulate(counts, initial=known)
    next(ends)
    table.line_ends.extend(ends)
    table.line_texts.extend(array("H", line_texts))
    table.line_levels += levels


def parts_of(shapes: ShapeTable, texts: TextTable, known: PartHead) -> Iterator[PartHead]:
    """Heads of parts that define what follows `known`, the part written before.

    A part has so few entries and bytes that its tables can be read alone. A set of lines is in
    the part of its texts or in a later one. The tables may grow meanwhile: what they had at the
    beginning is defined, and sets are counted before the texts that they need.
    """
    at = part_ends(known)
    sets = len(texts.line_ends) - 1
    stops = (len(shapes), len(texts.texts), sets)
    while at != stops:
        to = (
            _stop(shapes.packed, at[0], stops[0]),
            _stop(texts.texts, at[1], stops[1]),
            min(stops[2], at[2] + PART_ENTRIES_MAX),
        )
        counts = (to[0] - at[0], to[1] - at[1], to[2] - at[2])
        lines = slice(texts.line_ends[at[2]], texts.line_ends[to[2]])
        if counts[2] and max(texts.line_texts[lines], default=-1) >= to[1]:
            to, counts = (to[0], to[1], at[2]), (counts[0], counts[1], 0)
        yield PartHead(
            known.stream, known.segment, at[0], counts[0], at[1], counts[1], at[2], counts[2], 0
        )
        at = to


def part_ends(head: PartHead) -> tuple[int, int, int]:
    """How many shapes, texts and sets of lines there are up to the end of a part."""
    return (
        head.shape_first + head.shapes,
        head.text_first + head.texts,
        head.set_first + head.sets,
    )


def _stop(blobs: Blobs, start: int, end: int) -> int:
    """Up to where entries from `start` on, and before `end`, fit a part."""
    stop = min(end, start + PART_ENTRIES_MAX)
    while stop - start > 1 and blobs.length(start, stop) > PART_BYTES_MAX:
        stop = start + (stop - start) // 2
    return stop


def _octets(value: object) -> bytes:
    if type(value) is not bytes:
        raise WireError("a column that is no byte string")
    return value
