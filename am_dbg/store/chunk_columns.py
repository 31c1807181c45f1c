"""The columns of a chunk: everything that has one value for each row, or for some of them.

A chunk that grows owns its columns. A chunk that was read from a file, or was moved to one, has
a loader instead, and its columns exist while a reader needs them. A reader that needs only the
shapes, the lines or the texts of rows asks for these alone, and the rest is not made. Each column
is compared with the head when it is made, so nothing of rows is ever returned unchecked.
So what is asked of all chunks at once (palettes, counts, clocks, the span of times) stays in the
chunk, and only what is asked of rows is here.

Shapes and sets of lines are local numbers; the palettes that give them a meaning are in the
chunk. Times are distances to the chunk's first time, in nanoseconds.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from itertools import compress
from operator import sub
from typing import NamedTuple, Protocol

from am_dbg.store.batch_rows import BatchRows, HandlerTimes
from am_dbg.store.columns import Integers, SparseIntegers, SparseTexts, packed
from am_dbg.store.source_column import SourceColumn


class Piece(NamedTuple):
    """Rows `low` to `high` of a batch."""

    batch: BatchRows
    low: int
    high: int


class ChunkColumns:
    """The columns of one chunk; a sparse column that no row needs is None.

    `args` are numbers of texts, `pre_lines` numbers of line sets plus 1, `calls` durations of
    handlers, `ids` the ids that follow no rule.
    """

    __slots__ = (
        "args",
        "calls",
        "durations",
        "ids",
        "lines",
        "pre_lines",
        "queue_ticks",
        "queues",
        "shapes",
        "sources",
        "times",
    )

    def __init__(self) -> None:
        self.shapes = Integers()
        self.lines = Integers()
        self.times = Integers()
        self.durations = Integers()
        self.queues = Integers()
        self.queue_ticks = Integers()
        self.sources: SourceColumn | None = None
        self.args: SparseIntegers | None = None
        self.pre_lines: SparseIntegers | None = None
        self.calls: SparseIntegers | None = None
        self.ids: SparseTexts | None = None

    # Writing.

    def extend(self, piece: Piece, rows: int, time_first: int) -> None:
        """Append rows after the `rows` that are there; the palettes append shapes and lines."""
        batch, low, high = piece
        self.times.extend([time - time_first for time in batch.times[low:high]], rows)
        _extend_dense(self.durations, batch.durations, piece, rows)
        _extend_dense(self.queues, batch.queues, piece, rows)
        _extend_dense(self.queue_ticks, batch.queue_ticks, piece, rows)
        self._extend_sparse(piece, rows)

    def _extend_sparse(self, piece: Piece, rows: int) -> None:
        batch, low, high = piece
        shift = rows - low
        for at, source in batch.sources.within(low, high):
            self.sources = self.sources or SourceColumn()
            self.sources.append(at + shift, source)
        args = {at + shift: texts for at, texts in batch.args.within(low, high)}
        if args:
            self.args = self.args or SparseIntegers()
            self.args.extend(args)
        pre_lines = {at + shift: (lines,) for at, lines in batch.pre_lines.within(low, high)}
        if pre_lines:
            self.pre_lines = self.pre_lines or SparseIntegers()
            self.pre_lines.extend(pre_lines)
        if batch.calls:
            self._extend_calls(batch.calls, range(low, high), rows)
        for at, tx in batch.ids.within(low, high):
            self.ids = self.ids or SparseTexts()
            self.ids.append(at + shift, tx)

    def _extend_calls(self, calls: HandlerTimes, span: range, rows: int) -> None:
        ends = calls.ends[span.start : span.stop + 1]
        if ends[0] < ends[-1]:
            counts = list(map(sub, ends[1:], ends))
            self.calls = self.calls or SparseIntegers()
            self.calls.extend_flat(
                compress(range(rows, rows + len(span)), counts),
                filter(None, counts),
                calls.durations[ends[0] : ends[-1]],
            )

    def shrink(self) -> None:
        """Free the memory reserved for growth."""
        for column in self._all():
            column.shrink()

    # Reading.

    def with_ids(self, keeps: Callable[[str], bool]) -> ChunkColumns:
        """The same columns with some of the ids only."""
        made = copy(self)
        made.ids = None
        for row, text in self.ids.items() if self.ids is not None else ():
            if keeps(text):
                made.ids = made.ids or SparseTexts()
                made.ids.append(row, text)
        return made

    def part(self, low: int, high: int) -> ChunkColumns:
        """The rows from `low` up to `high`; their times count from that of `low`."""
        made = ChunkColumns()
        start = self.times[low]
        made.times = Integers.of(packed([time - start for time in self.times.span(low, high)]))
        made.shapes, made.lines = self.shapes.part(low, high), self.lines.part(low, high)
        made.durations, made.queues = self.durations.part(low, high), self.queues.part(low, high)
        made.queue_ticks = self.queue_ticks.part(low, high)
        made.sources = self.sources.part(low, high) if self.sources is not None else None
        made.args = self.args.part(low, high) if self.args is not None else None
        made.pre_lines = self.pre_lines.part(low, high) if self.pre_lines is not None else None
        made.calls = self.calls.part(low, high) if self.calls is not None else None
        made.ids = self.ids.part(low, high) if self.ids is not None else None
        return made

    def size(self) -> int:
        """Bytes in memory, about."""
        return sum(column.size() for column in self._all())

    def _all(self) -> Iterator[Integers | SparseIntegers | SparseTexts | SourceColumn]:
        yield from (self.shapes, self.lines, self.times)
        yield from (self.durations, self.queues, self.queue_ticks)
        sparse = (self.sources, self.args, self.pre_lines, self.calls, self.ids)
        yield from (column for column in sparse if column is not None)


class TextNumbers(NamedTuple):
    """The numbers of the argument texts and of the earlier line sets of a chunk, ascending."""

    texts: array[int]
    line_sets: array[int]


class TextColumns(NamedTuple):
    """The columns of a chunk in which a search looks for texts, see `ChunkColumns`."""

    args: SparseIntegers | None
    pre_lines: SparseIntegers | None


class ColumnCheck:
    """Takes the columns of a chunk as they are; another check refuses some with a WireError."""

    def shapes(self, shapes: Integers) -> None:
        """Check the local numbers of shapes."""

    def lines(self, lines: Integers) -> None:
        """Check the local numbers of sets of lines."""

    def texts(self, texts: TextColumns) -> None:
        """Check the numbers of texts."""

    def rest(self, columns: ChunkColumns) -> None:
        """Check everything else, after the others."""


class ColumnLoader(Protocol):
    """Gives the columns of one complete chunk, from memory or from a file.

    Any thread may ask, and a caller keeps columns only while it looks. WireError if they cannot be
    read, or a check refuses them.
    """

    def columns(self) -> ChunkColumns:
        """All columns."""

    def shapes(self) -> Integers:
        """The local numbers of shapes."""

    def lines(self) -> Integers:
        """The local numbers of sets of lines."""

    def texts(self) -> TextColumns:
        """The numbers of texts."""

    def checked_by(self, check: ColumnCheck) -> None:
        """Check each column from now on whenever it was loaded."""

    def text_numbers(self) -> TextNumbers | None:
        """The numbers of the texts in the columns, without these; None if they are not listed."""


def _extend_dense(column: Integers, values: Sequence[int], piece: Piece, rows: int) -> None:
    if values:
        column.extend(values[piece.low : piece.high], rows)
    else:
        column.extend_zeros(piece.high - piece.low)
