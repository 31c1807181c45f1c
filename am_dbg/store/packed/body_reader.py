"""Reads the body of a record of rows (see `am_dbg.store.packed.bodies`).

A body is read as a whole, and the columns of a chunk are made of it when a reader needs them: all,
or only those in which a filter or a search looks.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, compress, pairwise
from typing import NamedTuple

from am_dbg.store.chunk_columns import ChunkColumns, ColumnCheck, TextColumns
from am_dbg.store.columns import Blobs, Integers, SparseIntegers, SparseTexts, packed
from am_dbg.store.packed.heads import ChunkHead, RowsHead
from am_dbg.store.packed.planes import (
    Walks,
    check_texts,
    ends_of,
    spread,
    sums,
    unpack_column,
    unpack_naturals,
    unpack_walk,
    unsigned,
)
from am_dbg.store.packed.values import unpacked_values
from am_dbg.store.source_column import SourceColumn, SourceParts
from amtracer.errors import WireError
from amtracer.wire import limits

_COLUMNS = 11
_SMALL_MAX = 65_536
"""No count, local number or length of an id is larger."""
_DECODED_TIMES = 4
"""How much larger the columns of all chunks are than the body, about: they are made of copies."""
_VALUES_MAX = 2**26
"""Values of a column; a body of 8 MiB has fewer that are not zero."""


class _Made:
    """What was made of one chunk so far, each part once it passed its check."""

    __slots__ = ("columns", "lines", "shapes", "texts")

    def __init__(self) -> None:
        self.shapes: Integers | None = None
        self.lines: Integers | None = None
        self.texts: TextColumns | None = None
        self.columns: ChunkColumns | None = None


class RowsBody:
    """The body of a record; gives the columns of each chunk, or some of them.

    Each column is read when a chunk needs it, and checked once. `WireError` if one is not as long
    as the head says, has a value out of range, or is refused by the check. Any thread may ask; two
    that ask for the same at once make it twice.
    """

    def __init__(self, head: RowsHead, data: bytes, units_ns: Sequence[int]) -> None:
        self._head = head
        self._units = units_ns
        self._made = [_Made() for _ in head.chunks]
        self._starts = list(accumulate((chunk.rows for chunk in head.chunks), initial=0))
        self._palettes = list(
            accumulate((len(chunk.shapes[0]) for chunk in head.chunks), initial=0)
        )
        self._bytes = _DECODED_TIMES * len(data)
        self._packed = unpacked_values(data)
        if len(self._packed) < _COLUMNS:
            raise WireError("a body that lacks a column")

    def size(self) -> int:
        """Bytes in memory, about, with the columns of all chunks."""
        return self._bytes

    def columns(self, index: int, check: ColumnCheck) -> ChunkColumns:
        """All columns of one chunk."""
        made = self._made[index]
        if made.columns is None:
            columns = self._columns(index, check)
            check.rest(columns)
            made.columns = columns
        return made.columns

    def shapes(self, index: int, check: ColumnCheck) -> Integers:
        """The local numbers of the shapes of one chunk."""
        made = self._made[index]
        if made.shapes is None:
            shapes = Integers.of(self._shapes_of(index))
            check.shapes(shapes)
            made.shapes = shapes
        return made.shapes

    def lines(self, index: int, check: ColumnCheck) -> Integers:
        """The local numbers of the sets of lines of one chunk."""
        made = self._made[index]
        if made.lines is None:
            lines = Integers.of(self._lines_of(index, self._shapes_of(index)))
            check.lines(lines)
            made.lines = lines
        return made.lines

    def texts(self, index: int, check: ColumnCheck) -> TextColumns:
        """The numbers of the texts of one chunk."""
        made = self._made[index]
        if made.texts is None:
            span = self._span(index)
            texts = TextColumns(self._args.of(span), self._pre_lines.of(span))
            check.texts(texts)
            made.texts = texts
        return made.texts

    def _columns(self, index: int, check: ColumnCheck) -> ChunkColumns:
        head, unit_ns, span = self._head.chunks[index], self._units[index], self._span(index)
        made = ChunkColumns()
        made.shapes, made.lines = self.shapes(index, check), self.lines(index, check)
        made.args, made.pre_lines = self.texts(index, check)
        made.times = Integers.of(_times_of(self._times[span], head, unit_ns))
        made.durations = Integers.of(_in_ns(self._durations[span], unit_ns))
        made.queues = Integers.of(self._queues[span])
        made.queue_ticks = Integers.of(self._queue_ticks.part(span.start, span.stop))
        made.calls = self._calls_of(index, span, self._shapes[span])
        made.sources = self._sources.of(span)
        made.ids = self._ids.of(span)
        return made

    def _span(self, index: int) -> slice:
        """The rows of a chunk within the record."""
        return slice(self._starts[index], self._starts[index + 1])

    def _shapes_of(self, index: int) -> array[int]:
        """The local shape of each row."""
        shapes = self._shapes[self._span(index)]
        if max(shapes, default=-1) >= len(self._head.chunks[index].shapes[0]):
            raise WireError("a shape that its chunk does not list")
        return shapes

    @property
    def _rows(self) -> int:
        return self._starts[-1]

    @cached_property
    def _shapes(self) -> array[int]:
        return unpack_naturals(self._packed[0], self._rows, limits.SHAPES_MAX)

    @cached_property
    def _times(self) -> array[int]:
        return unpack_column(self._packed[1], self._rows)

    @cached_property
    def _durations(self) -> array[int]:
        return unpack_naturals(self._packed[2], self._rows, limits.INTEGER_MAX)

    @cached_property
    def _queues(self) -> array[int]:
        return unpack_naturals(self._packed[3], self._rows, limits.INTEGER_MAX)

    @cached_property
    def _queue_ticks(self) -> Walks:
        return Walks(self._packed[4], self._rows)

    @cached_property
    def _lines(self) -> _UsualColumn:
        return _GroupReader(self._packed[5], self._rows).usual(self._palettes[-1])

    @cached_property
    def _calls(self) -> _Calls:
        reader = _GroupReader(self._packed[6], self._rows)
        usual = reader.usual(self._palettes[-1])
        sums_of_chunks = reader.column(len(self._head.chunks))
        durations = reader.counted()
        ends = checked_ends(sums_of_chunks, len(durations))
        return _Calls(usual, ends, durations)

    @cached_property
    def _args(self) -> _Groups:
        return _GroupReader(self._packed[7], self._rows).groups()

    @cached_property
    def _pre_lines(self) -> _Groups:
        return _GroupReader(self._packed[8], self._rows).groups()

    @cached_property
    def _sources(self) -> _Sources:
        return _GroupReader(self._packed[9], self._rows).sources()

    @cached_property
    def _ids(self) -> _Ids:
        return _GroupReader(self._packed[10], self._rows).ids()

    def _lines_of(self, index: int, shapes: array[int]) -> array[int]:
        """The local line set of each row."""
        palette = slice(self._palettes[index], self._palettes[index + 1])
        if self._lines.most(palette, self._span(index)) >= len(self._head.chunks[index].lines[0]):
            raise WireError("a set of lines that its chunk does not list")
        return self._lines.of(palette, self._span(index), shapes)

    def _calls_of(self, index: int, span: slice, shapes: array[int]) -> SparseIntegers | None:
        low, high = self._calls.ends[index], self._calls.ends[index + 1]
        if low == high:
            return None
        palette = slice(self._palettes[index], self._palettes[index + 1])
        counts = self._calls.usual.of(palette, span, shapes)
        if sum(counts) != high - low:
            raise WireError("handler times that do not fit the rows")
        return SparseIntegers.of(
            array("H", compress(range(len(counts)), counts)),
            ends_of(filter(None, counts)),
            _in_ns(self._calls.durations[low:high], self._units[index]),
        )


def _times_of(steps: array[int], head: ChunkHead, unit_ns: int) -> array[int]:
    if steps and steps[0] == -1:
        return _in_ns([0, *steps[1:]], unit_ns)
    if steps.typecode == "q" and min(steps, default=0) < 0:
        raise WireError("a negative distance between times")
    return _in_ns(sums(steps if head.is_ascending else unsigned(steps)), unit_ns)


def _in_ns(values: Sequence[int], unit_ns: int) -> array[int]:
    if unit_ns != 1:
        values = list(map(unit_ns.__mul__, values))
    try:
        return values if isinstance(values, array) else packed(values)
    except OverflowError:
        raise WireError("a time of more than 64 bits") from None


def _within(rows: Sequence[int], span: slice) -> tuple[int, int]:
    """The places in ascending rows that are in a span."""
    return bisect_left(rows, span.start), bisect_left(rows, span.stop)


class _Groups(NamedTuple):
    """A sparse column of a record: rows, ends of their numbers, all numbers."""

    rows: Sequence[int]
    ends: Sequence[int]
    values: array[int]

    def of(self, span: slice) -> SparseIntegers | None:
        """The part of a chunk."""
        low, high = _within(self.rows, span)
        if low == high:
            return None
        ends = self.ends[low : high + 1]
        return SparseIntegers.of(
            array("H", [row - span.start for row in self.rows[low:high]]),
            array("I", [end - ends[0] for end in ends]),
            self.values[ends[0] : ends[-1]],
        )


class _Sources(NamedTuple):
    rows: Sequence[int]
    kinds: array[int]
    numbers: array[int]
    times: array[int]
    makers: list[tuple[str, str]]

    def of(self, span: slice) -> SourceColumn | None:
        """The part of a chunk."""
        low, high = _within(self.rows, span)
        if low == high:
            return None
        rows = array("H", [row - span.start for row in self.rows[low:high]])
        kinds, numbers, times = self.kinds[low:high], self.numbers[low:high], self.times[low:high]
        return SourceColumn.of(SourceParts(rows, kinds, numbers, times, self.makers))


class _Ids(NamedTuple):
    rows: Sequence[int]
    ends: Sequence[int]
    texts: bytes

    def of(self, span: slice) -> SparseTexts | None:
        """The part of a chunk."""
        low, high = _within(self.rows, span)
        if low == high:
            return None
        ends = self.ends[low : high + 1]
        rows = array("H", [row - span.start for row in self.rows[low:high]])
        lengths = [after - before for before, after in pairwise(ends)]
        return SparseTexts.of(rows, Blobs.of(self.texts[ends[0] : ends[-1]], lengths))


class _UsualColumn(NamedTuple):
    """A small value of each row: the usual one of its shape, or its own."""

    usual: array[int]
    rows: Sequence[int]
    values: array[int]

    def of(self, palette: slice, span: slice, shapes: array[int]) -> array[int]:
        """The values of the rows of a chunk, in the narrowest type that holds all of them."""
        low, high = _within(self.rows, span)
        usual, own = self.usual[palette], self.values[low:high]
        values = spread(usual, shapes, max(own, default=0))
        for row, value in zip(self.rows[low:high], own, strict=True):
            values[row - span.start] = value
        return values

    def most(self, palette: slice, span: slice) -> int:
        """The largest value of a shape or a row of a chunk."""
        low, high = _within(self.rows, span)
        return max(max(self.usual[palette], default=0), max(self.values[low:high], default=0))


class _Calls(NamedTuple):
    """How many handlers each row timed; their times, and where those of each chunk end."""

    usual: _UsualColumn
    ends: Sequence[int]
    durations: array[int]


class _GroupReader:
    """Reads the parts of one sparse column, one after another."""

    def __init__(self, packed_column: object, rows: int) -> None:
        if type(packed_column) is not tuple:
            raise WireError("a sparse column that is no array")
        self._parts = iter(packed_column)
        self._rows = rows

    def _next(self) -> object:
        try:
            return next(self._parts)
        except StopIteration:
            raise WireError("a sparse column that lacks a part") from None

    def column(self, count: int) -> array[int]:
        """A column of so many small values."""
        return unpack_naturals(self._next(), count, _VALUES_MAX)

    def counted(self) -> array[int]:
        """As many values as the column has."""
        count, column = self._next(), self._next()
        if type(count) is not int or not 0 <= count <= _VALUES_MAX:
            raise WireError("a number of values out of range")
        if column == b"" and count > max(self._rows, 1) * limits.ARGS_MAX:
            raise WireError(f"{count:,} zeros")
        return unpack_naturals(column, count, limits.INTEGER_MAX)

    def rows(self) -> Sequence[int]:
        """Rows, ascending."""
        steps = self.counted()
        found = sums(steps)
        if found and (found[-1] >= self._rows or 0 in steps[1:]):
            raise WireError("rows that do not ascend within the record")
        return found

    def single(self) -> tuple[Sequence[int], array[int]]:
        """Rows, and a small number for each."""
        rows = self.rows()
        return rows, unpack_naturals(self._next(), len(rows), _SMALL_MAX)

    def usual(self, shapes: int) -> _UsualColumn:
        """A value for each shape of each chunk, and the rows that have another."""
        usual = unpack_naturals(self._next(), shapes, _SMALL_MAX)
        return _UsualColumn(usual, *self.single())

    def groups(self) -> _Groups:
        """Rows with any number of numbers."""
        rows, counts = self.single()
        values = self.counted()
        return _Groups(rows, checked_ends(counts, len(values)), values)

    def sources(self) -> _Sources:
        """Rows with a source."""
        rows, kinds = self.single()
        numbers, times = unpack_walk(self._next(), len(rows)), unpack_walk(self._next(), len(rows))
        names = self._next()
        if type(names) is not tuple or len(names) % 2 or any(type(one) is not str for one in names):
            raise WireError("makers of sources that are no pairs of texts")
        makers = list(zip(names[::2], names[1::2], strict=True))
        if max(kinds, default=-1) >= len(makers) or min((*numbers, *times), default=0) < 0:
            raise WireError("a source out of range")
        return _Sources(rows, kinds, numbers, times, makers)

    def ids(self) -> _Ids:
        """Rows with an id of their own."""
        rows, lengths = self.single()
        texts = self._next()
        if type(texts) is not bytes:
            raise WireError("ids that are no byte string")
        check_texts(texts, lengths)
        return _Ids(rows, checked_ends(lengths, len(texts)), texts)


def checked_ends(counts: Sequence[int], total: int) -> Sequence[int]:
    """The ends of groups that have so many values in all."""
    if sum(counts) != total:
        raise WireError("groups that do not sum up to their values")
    return ends_of(counts)
