"""Writes the body of a record of rows: the columns of all its chunks, one after another.

Column by column over all chunks is 5 to 8 % smaller than chunk by chunk. What most rows do not have
is in sparse columns: the rows as differences over the whole record, and their values. What follows
from the shape of most rows is written once for each shape of a chunk: its usual set of lines, and
how many handlers it times. Only rows that differ are listed.

`am_dbg.store.packed.body_reader` reads it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain
from operator import sub
from typing import NamedTuple

import msgpack

from am_dbg.store.chunk_columns import ChunkColumns
from am_dbg.store.columns import Integers, SparseIntegers
from am_dbg.store.packed.heads import ChunkHead
from am_dbg.store.packed.planes import (
    Column,
    differences,
    pack_column,
    pack_walk,
    pack_walks,
    signed,
)

_FAR = 2**62
_BYTE_VALUES = 256


class PackedChunk(NamedTuple):
    """A chunk to write: its head, its columns, and the nanoseconds in a unit of its times."""

    head: ChunkHead
    columns: ChunkColumns
    unit_ns: int


def pack_rows_body(chunks: Sequence[PackedChunk]) -> bytes:
    """The bytes of a body, not yet compressed."""
    body = _BodyWriter(chunks)
    columns = (
        *body.dense(),
        tuple(body.lines()),
        tuple(body.calls()),
        tuple(body.sparse(lambda columns: columns.args)),
        tuple(body.sparse(lambda columns: columns.pre_lines)),
        tuple(body.sources()),
        tuple(body.ids()),
    )
    packed_body: bytes = msgpack.packb(columns, unicode_errors="surrogatepass")
    return packed_body


class _BodyWriter:
    """Makes the columns of some chunks."""

    def __init__(self, chunks: Sequence[PackedChunk]) -> None:
        self._chunks = chunks
        self._starts = list(accumulate((one.head.rows for one in chunks), initial=0))

    def _placed(self) -> Iterator[tuple[PackedChunk, int]]:
        return zip(self._chunks, self._starts, strict=False)

    def dense(self) -> Iterator[Column]:
        """Shapes, times, durations, queue lengths, queue ticks."""
        chunks = self._chunks
        yield pack_column(_joined(_span(one, one.columns.shapes) for one in chunks))
        yield self._times()
        yield pack_column(
            _joined(_in_units(_span(one, one.columns.durations), one.unit_ns) for one in chunks)
        )
        yield pack_column(_joined(_span(one, one.columns.queues) for one in chunks))
        yield pack_walks([_span(one, one.columns.queue_ticks) for one in chunks])

    def _times(self) -> Column:
        """Distances between times, signed where times do not ascend.

        Distances of more than 62 bits exist in hostile data only; then the times stand as they are.
        """
        parts: list[Sequence[int]] = []
        for one in self._chunks:
            times = _in_units(_span(one, one.columns.times), one.unit_ns)
            steps = differences(times)
            if one.head.is_ascending:
                parts.append(steps)
            elif max(map(abs, steps)) < _FAR:
                parts.append(signed(steps))
            else:
                parts.append([-1, *times[1:]])
        return pack_column(_joined(parts))

    def lines(self) -> Iterator[object]:
        """The usual lines of each shape of a chunk, and the rows that have others."""
        usual: list[int] = []
        rows: list[int] = []
        values: list[int] = []
        for one, start in self._placed():
            locals_ = _span(one, one.columns.lines)
            shapes = _span(one, one.columns.shapes)
            table, differ = _usual(shapes, locals_, len(one.head.shapes[0]))
            usual += table
            rows += [start + row for row in differ]
            values += [locals_[row] for row in differ]
        yield pack_column(usual)
        yield from _rows(rows)
        yield pack_column(values)

    def calls(self) -> Iterator[object]:
        """How many handlers a shape times, the rows that differ; the times, also of each chunk."""
        usual: list[int] = []
        rows: list[int] = []
        counts: list[int] = []
        durations: list[Sequence[int]] = []
        sums_of_chunks: list[int] = []
        for one, start in self._placed():
            timed = _counts_of(one)
            shapes = _span(one, one.columns.shapes)
            table, differ = _usual(shapes, timed, len(one.head.shapes[0]))
            usual += table
            rows += [start + row for row in differ]
            counts += [timed[row] for row in differ]
            sums_of_chunks.append(sum(timed))
            if one.columns.calls is not None:
                durations.append(_in_units(one.columns.calls.parts()[2], one.unit_ns))
        yield pack_column(usual)
        yield from _rows(rows)
        yield pack_column(counts)
        yield pack_column(sums_of_chunks)
        yield from _counted(_joined(durations))

    def sparse(self, of: Callable[[ChunkColumns], SparseIntegers | None]) -> Iterator[object]:
        """A sparse column: rows, how many numbers each has, all numbers."""
        rows: list[int] = []
        counts: list[int] = []
        values: list[Sequence[int]] = []
        for one, start in self._placed():
            column = of(one.columns)
            if column is not None:
                own, ends, numbers = column.parts()
                rows += [start + row for row in own]
                counts += map(sub, ends[1:], ends)
                values.append(numbers)
        yield from _rows(rows)
        yield pack_column(counts)
        yield from _counted(_joined(values))

    def sources(self) -> Iterator[object]:
        """Rows with a source, its maker, its number and time; then all makers."""
        makers: dict[tuple[str, str], int] = {}
        rows: list[int] = []
        kinds: list[int] = []
        numbers: list[int] = []
        times: list[int] = []
        for one, start in self._placed():
            if one.columns.sources is not None:
                parts = one.columns.sources.parts()
                known = [makers.setdefault(maker, len(makers)) for maker in parts.makers]
                rows += [start + row for row in parts.rows]
                kinds += map(known.__getitem__, parts.kinds)
                numbers += parts.numbers
                times += parts.times
        yield from _rows(rows)
        yield pack_column(kinds)
        yield pack_walk(numbers)
        yield pack_walk(times)
        yield tuple(chain.from_iterable(makers))

    def ids(self) -> Iterator[object]:
        """Rows with an id of their own, the lengths of the ids, all ids."""
        rows: list[int] = []
        lengths: list[int] = []
        texts: list[bytes] = []
        for one, start in self._placed():
            if one.columns.ids is not None:
                own, text, sizes = one.columns.ids.parts()
                rows += [start + row for row in own]
                lengths += sizes
                texts.append(text)
        yield from _rows(rows)
        yield pack_column(lengths)
        yield b"".join(texts)


def _span(one: PackedChunk, column: Integers) -> Sequence[int]:
    return column.span(0, one.head.rows)


def _joined(parts: Iterable[Sequence[int]]) -> Sequence[int]:
    first, *others = (*parts, ())
    return list(chain(first, *others)) if any(others) else first


def _in_units(values: Sequence[int], unit_ns: int) -> Sequence[int]:
    return [value // unit_ns for value in values] if unit_ns != 1 and any(values) else values


def _usual(
    shapes: Sequence[int], values: Sequence[int], count: int
) -> tuple[Sequence[int], list[int]]:
    """The most frequent value of each local number of a shape, and the rows that have another.

    Mostly all rows of a shape have the same value, which is found without a look at each row.
    """
    if isinstance(shapes, bytes) and isinstance(values, bytes):
        firsts = bytes([values[shapes.find(shape)] for shape in range(count)])
        if shapes.translate(firsts.ljust(_BYTE_VALUES, b"\0")) == values:
            return firsts, []
    table = [0] * count
    pairs = Counter(zip(shapes, values, strict=True))
    for (shape, value), _ in reversed(pairs.most_common()):
        table[shape] = value
    return table, [row for row, shape in enumerate(shapes) if table[shape] != values[row]]


def _counts_of(one: PackedChunk) -> Sequence[int]:
    """How many handlers each row timed, as bytes if each count fits one."""
    if one.columns.calls is None:
        return bytes(one.head.rows)
    counts = [0] * one.head.rows
    rows, ends, _ = one.columns.calls.parts()
    for row, count in zip(rows, map(sub, ends[1:], ends), strict=False):
        counts[row] = count
    return bytes(counts) if max(counts) < _BYTE_VALUES else counts


def _rows(rows: Sequence[int]) -> tuple[int, Column]:
    """How many rows, and their distances."""
    return _counted(differences(rows))


def _counted(values: Sequence[int]) -> tuple[int, Column]:
    return len(values), pack_column(values)
