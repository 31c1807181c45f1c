"""The head of a record of rows: everything of its chunks that is known without their rows.

All heads together are the index of a file. They are read when it is opened, so the values of all
chunks of a record are columns: one pass for each value, not for each chunk.

A clock is written whole for the first chunk of a machine in the record and wherever it does not go
on from the chunk before. So a lost record costs no clock after it.

The sets of lines of chunks are most of a head. They are checked when rows are read, not here.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import chain, islice, pairwise
from typing import NamedTuple

import msgpack

from am_dbg.store.packed.planes import (
    Column,
    ends_of,
    pack_circle,
    pack_column,
    pack_walk,
    unpack_circle,
    unpack_naturals,
    unpack_walk,
)
from am_dbg.store.packed.values import unpacked_values
from amtracer.errors import WireError
from amtracer.wire import limits

RECORD_ROWS_MAX = 16_384
"""Rows of a record after which no other chunk is added to it."""
RECORD_CHUNKS_MAX = 256
"""Chunks of a record."""
REPLACED_MAX = 1_024
"""Records that one record replaces."""
_ROWS_MAX = 65_536
"""More rows than any chunk has: rows are numbers of 16 bits."""
_NUMBER_MAX = limits.INTEGER_MAX

IS_ASCENDING = 1
HAS_OWN_IDS = 2
HAS_SOURCES = 4
IS_CLOCK_WHOLE = 8
_FLAGS_MAX = 15

Counts = tuple["array[int]", "array[int]"]
"""Distinct values, and how often each occurs."""


class ChunkHead(NamedTuple):
    """What is known of a chunk without its rows; times are in units of its machine.

    `machine`, `schema` and `segment` are numbers of the stream; `first_row` is the machine's own
    count. `touched` are the states that a row touches. `facts` are the facts of shapes, with the
    number of rows that have them.
    """

    machine: int
    schema: int
    segment: int
    first_row: int
    rows: int
    flags: int
    time_first: int
    time_min: int
    time_max: int
    ticks: tuple[int, ...]
    ticks_end: tuple[int, ...]
    touched: int
    shapes: Counts
    lines: Counts
    facts: Counts

    @property
    def is_ascending(self) -> bool:
        return self.flags & IS_ASCENDING != 0

    @property
    def has_own_ids(self) -> bool:
        return self.flags & HAS_OWN_IDS != 0

    @property
    def has_sources(self) -> bool:
        return self.flags & HAS_SOURCES != 0


class RowsHead(NamedTuple):
    """The head of a record: the stream, its chunks, and how many records before it it replaces.

    `texts` are the packed lists of `am_dbg.store.packed.text_lists`, which searches read.
    """

    stream: int
    replaces: int
    chunks: tuple[ChunkHead, ...]
    texts: bytes

    @property
    def rows(self) -> int:
        return sum(chunk.rows for chunk in self.chunks)


def pack_rows_head(head: RowsHead) -> bytes:
    """The bytes of a head, not yet compressed."""
    chunks = head.chunks
    flags, clocks = _clocks(chunks)
    columns: list[Column] = [
        pack_column([chunk.machine for chunk in chunks]),
        pack_column([chunk.schema for chunk in chunks]),
        pack_column([chunk.segment for chunk in chunks]),
        pack_column([chunk.first_row for chunk in chunks]),
        pack_column([chunk.rows for chunk in chunks]),
        pack_column(flags),
        pack_walk([chunk.time_first for chunk in chunks]),
        pack_walk([chunk.time_min for chunk in chunks]),
        pack_walk([chunk.time_max for chunk in chunks]),
        pack_column([len(chunk.ticks) for chunk in chunks]),
        pack_column(clocks),
        pack_column([end - tick for chunk in chunks for tick, end in _pairs(chunk)]),
        b"".join(chunk.touched.to_bytes(_mask_bytes(chunk), "little") for chunk in chunks),
    ]
    for counts in (
        [c.shapes for c in chunks],
        [c.lines for c in chunks],
        [c.facts for c in chunks],
    ):
        columns += _pack_counts(counts)
    packed: bytes = msgpack.packb((head.stream, head.replaces, len(chunks), columns, head.texts))
    return packed


def _clocks(chunks: Sequence[ChunkHead]) -> tuple[list[int], list[int]]:
    """The flags of chunks, and the ticks of those whose clock is whole."""
    ends: dict[int, tuple[int, ...]] = {}
    flags: list[int] = []
    clocks: list[int] = []
    for chunk in chunks:
        goes_on = ends.get(chunk.machine) == chunk.ticks
        ends[chunk.machine] = chunk.ticks_end
        flags.append(chunk.flags & ~IS_CLOCK_WHOLE | (0 if goes_on else IS_CLOCK_WHOLE))
        if not goes_on:
            clocks += chunk.ticks
    return flags, clocks


def _pairs(chunk: ChunkHead) -> Iterable[tuple[int, int]]:
    return zip(chunk.ticks, chunk.ticks_end, strict=True)


def _mask_bytes(chunk: ChunkHead) -> int:
    return len(chunk.ticks) + 7 >> 3


def _pack_counts(parts: Sequence[Counts]) -> tuple[Column, Column, Column]:
    """The numbers of values of each chunk, all values, all counts."""
    return (
        pack_column([len(values) for values, _ in parts]),
        pack_circle(list(chain.from_iterable(values for values, _ in parts))),
        pack_column(list(chain.from_iterable(counts for _, counts in parts))),
    )


def unpack_rows_head(data: bytes) -> RowsHead:
    """The head of a record; `WireError` if it is none."""
    match unpacked_values(data):
        case (int(stream), int(replaces), int(count), tuple(columns), bytes(texts), *_):
            is_odd = stream < 0 or not 0 <= replaces <= REPLACED_MAX
            if is_odd or not 0 < count <= RECORD_CHUNKS_MAX:
                raise WireError("a head with numbers out of range")
            return RowsHead(stream, replaces, _HeadReader(columns, count).chunks(), texts)
    raise WireError("no head of rows")


class _HeadReader:
    """Reads the columns of a head, one after another."""

    def __init__(self, columns: tuple[object, ...], count: int) -> None:
        self._columns = iter(columns)
        self._count = count

    def chunks(self) -> tuple[ChunkHead, ...]:
        count = self._count
        machines = self._naturals(limits.MACHINES_PER_CONNECTION_MAX - 1)
        schemas = self._naturals(limits.SCHEMAS_MAX - 1)
        segments, first_rows = self._naturals(), self._naturals()
        rows = self._naturals(_ROWS_MAX)
        if sum(rows) > RECORD_ROWS_MAX + _ROWS_MAX:
            raise WireError(f"{sum(rows):,} rows in one record")
        flags = self._naturals(_FLAGS_MAX)
        starts, lows, highs = (unpack_walk(self._next(), count) for _ in range(3))
        clocks = self._clocks(machines, flags)
        touched = self._touched(clocks)
        shapes, lines = self._counts(rows), self._counts(rows, is_sum=False)
        facts = self._counts(rows)
        spans = zip(starts, lows, highs, strict=True)
        values = zip(
            zip(machines, schemas, segments, first_rows, rows, strict=True),
            (flag & ~IS_CLOCK_WHOLE for flag in flags),
            spans,
            clocks,
            touched,
            zip(shapes, lines, facts, strict=True),
            strict=True,
        )
        return tuple(
            ChunkHead._make((*numbers, flag, *span, *clock, mask, *counts))
            for numbers, flag, span, clock, mask, counts in values
        )

    def _next(self) -> object:
        try:
            return next(self._columns)
        except StopIteration:
            raise WireError("a head that lacks a column") from None

    def _naturals(self, high: int = _NUMBER_MAX) -> array[int]:
        return unpack_naturals(self._next(), self._count, high)

    def _clocks(
        self, machines: Sequence[int], flags: Sequence[int]
    ) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """The ticks before each chunk and after it."""
        sizes = self._naturals(limits.STATES_MAX)
        whole = [flag & IS_CLOCK_WHOLE for flag in flags]
        stored = sum(size for size, is_whole in zip(sizes, whole, strict=True) if is_whole)
        ticks = iter(unpack_naturals(self._next(), stored, _NUMBER_MAX))
        growth = iter(unpack_naturals(self._next(), sum(sizes), _NUMBER_MAX))
        ends: dict[int, tuple[int, ...]] = {}
        clocks = []
        for machine, size, is_whole in zip(machines, sizes, whole, strict=True):
            before = _take(ticks, size) if is_whole else ends.get(machine, ())
            if len(before) != size:
                raise WireError("a clock that goes on from none")
            after = tuple(map(int.__add__, before, _take(growth, size)))
            ends[machine] = after
            clocks.append((before, after))
        return clocks

    def _touched(self, clocks: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]) -> list[int]:
        data = self._next()
        lengths = [len(ticks) + 7 >> 3 for ticks, _ in clocks]
        if type(data) is not bytes or len(data) != sum(lengths):
            raise WireError("masks of states that do not fit the clocks")
        ends = ends_of(lengths)
        return [int.from_bytes(data[low:high], "little") for low, high in pairwise(ends)]

    def _counts(self, rows: Sequence[int], *, is_sum: bool = True) -> list[Counts]:
        """The counts of each chunk, at most one a row; with `is_sum` they sum up to the rows."""
        sizes = self._naturals(_ROWS_MAX)
        if any(map(int.__gt__, sizes, rows)):
            raise WireError("more distinct values than rows")
        total = sum(sizes)
        values = unpack_circle(self._next(), total)
        counts = unpack_naturals(self._next(), total, _ROWS_MAX)
        ends = ends_of(sizes)
        parts = [(values[low:high], counts[low:high]) for low, high in pairwise(ends)]
        if is_sum and any(sum(part[1]) != length for part, length in zip(parts, rows, strict=True)):
            raise WireError("counts that do not sum up to the rows")
        if 0 in counts:
            raise WireError("a value that no row has")
        return parts


def _take(values: Iterable[int], count: int) -> tuple[int, ...]:
    return tuple(islice(values, count))
