"""Chunks: consecutive transitions of one machine, stored as columns.

All rows of a chunk share a schema, the dictionary of a segment and an unbroken clock. So a chunk
needs one checkpoint: the ticks before its first row. The clock after a row is this checkpoint
plus, for every shape, its growth times the number of its occurrences up to there.

Rows hold local numbers in place of shape numbers; a local number counts the distinct shapes of
the chunk. Its palette has the shape of each local number and how often it occurs. So a filter
asks the palette first, and looks at rows only if its answer differs between shapes. Sets of log
lines are stored in the same way. A sealed chunk also counts its rows by the facts of their shapes,
so a filter by facts needs no definition to count them.

The writer appends and sets `rows` last. `seal` frees the memory reserved for growth; a sealed
chunk never changes again.
"""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import le
from typing import NamedTuple, TypeVar
from weakref import ref

from am_dbg.store.chunk_columns import ChunkColumns, ColumnLoader, Piece, TextColumns
from am_dbg.store.columns import Integers, looked_up, packed
from am_dbg.store.decode_cache import DecodeCache
from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.facts import IndexedSchema
from am_dbg.store.loading.chunk_check import HeadCheck
from am_dbg.store.packed.heads import HAS_OWN_IDS, HAS_SOURCES, IS_ASCENDING, ChunkHead
from am_dbg.store.palette import PaletteColumn
from am_dbg.store.values import LogLine, TransitionRecord
from am_dbg.store.weights import CHUNK_BYTES, FACT_BYTES, STEP_BYTES, texts_bytes, ticks_bytes
from amtracer.errors import WireError
from amtracer.wire.messages import Shape, Source


class ChunkLimits(NamedTuple):
    """The sizes of chunks; each track has them from its store.

    `rows` and `shapes` are the rows and the distinct shapes after which a chunk is full.
    `piece_rows` are the most rows added at once, so a chunk can exceed its limits by at most this
    many. `walk_rows` are the most rows over which a clock is moved; beyond, it is computed again.
    """

    rows: int = 4_096
    shapes: int = 1_024
    piece_rows: int = 1_024
    walk_rows: int = 64


CHUNK_LIMITS = ChunkLimits()

_Part = TypeVar("_Part")

LogLines = tuple[LogLine, ...]
Args = tuple[str, ...]
Rest = tuple[LogLines, Source | None, Args, tuple[int, ...], str, int]
"""Of a row: earlier lines, source, arguments (key and text in turns), times, own id, queue tick."""
Replayed = tuple[
    Shape, int, int, int, LogLines, LogLines, Source | None, Args, tuple[int, ...], str, int
]
"""Shape, time, duration, queue length and lines of a row, then its rest."""


class Chunk:
    """Rows `first` to `first + rows - 1` of a track.

    `row_first` is the machine's own count for its first row, from 0. `touched` is the mask of
    states that a row touches. `owns_ticks` is whether no other object holds the ticks, so that
    their memory counts here. `facts` are pairs, once the chunk is sealed: flags of facts and how
    many rows have exactly these.
    """

    __slots__ = (
        "__weakref__",
        "_clock",
        "_clock_end",
        "_flags",
        "_loader",
        "_own",
        "_ticks_bytes",
        "dictionary",
        "facts",
        "first",
        "is_ascending",
        "is_damaged",
        "is_sealed",
        "lines",
        "row_first",
        "rows",
        "schema",
        "shapes",
        "time_first",
        "time_max",
        "time_min",
        "touched",
    )

    def __init__(
        self,
        first: int,
        row_first: int,
        dictionary: SegmentDictionary,
        schema: IndexedSchema,
        ticks: tuple[int, ...],
        time_first: int,
        *,
        owns_ticks: bool = True,
        is_loaded: bool = False,
    ) -> None:
        self._ticks_bytes = ticks_bytes(ticks) if owns_ticks else 0
        self.first = first
        self.row_first = row_first
        self.dictionary = dictionary
        self.schema = schema
        self._clock: Sequence[int] = ticks
        self._clock_end: Sequence[int] = ()
        self.rows = 0
        self.touched = 0
        self.facts: tuple[tuple[int, int], ...] = ()
        own = None if is_loaded else ChunkColumns()
        self._own: ChunkColumns | None = own
        self._loader: ColumnLoader | None = None
        self._flags = 0
        if own is not None:  # `loaded` sets those of a chunk without columns
            self.shapes = PaletteColumn(own.shapes)
            self.lines = PaletteColumn(own.lines)
        self.time_first = self.time_min = self.time_max = time_first
        self.is_ascending = True
        self.is_sealed = self.is_damaged = False

    @classmethod
    def loaded(
        cls,
        first: int,
        head: ChunkHead,
        dictionary: SegmentDictionary,
        schema: IndexedSchema,
        unit_ns: int,
        loader: ColumnLoader,
    ) -> Chunk:
        """A complete chunk of which only the head is in memory."""
        chunk = cls(first, head.first_row, dictionary, schema, head.ticks, 0, is_loaded=True)
        chunk._clock_end = head.ticks_end
        chunk._ticks_bytes += ticks_bytes(head.ticks_end)
        chunk.rows, chunk.touched = head.rows, head.touched
        chunk.time_first = head.time_first * unit_ns
        chunk.time_min, chunk.time_max = head.time_min * unit_ns, head.time_max * unit_ns
        chunk.is_ascending, chunk._flags = head.is_ascending, head.flags
        itself = ref(chunk)  # a cycle would keep all of it until the next collection
        chunk.shapes = PaletteColumn.of(*head.shapes, lambda: _held(itself).local_shapes)
        chunk.lines = PaletteColumn.of(*head.lines, lambda: _held(itself).local_lines)
        chunk.facts = tuple(zip(*head.facts, strict=True))
        chunk._loader = loader
        loader.checked_by(HeadCheck(chunk))
        chunk.is_sealed = True
        return chunk

    # Writing.

    def is_full(self, limits: ChunkLimits) -> bool:
        """Whether the next rows belong in a new chunk."""
        return self.rows >= limits.rows or len(self.shapes.palette) >= limits.shapes

    def extend(self, piece: Piece) -> None:
        """Append rows and publish them."""
        assert self._own is not None  # a chunk that grows owns its columns
        batch, low, high = piece
        rows = self.rows
        known = len(self.shapes.palette)
        self.shapes.extend(batch.shapes[low:high], rows)
        touched = self.dictionary.shape_table.touched
        for shape in self.shapes.palette[known:]:
            self.touched |= touched[shape]
        self._extend_times(batch.times[low:high])
        if batch.lines:
            self.lines.extend(batch.lines[low:high], rows)
        else:
            self.lines.extend_same(0, high - low, rows)
        self._own.extend(piece, rows, self.time_first)
        self.rows = rows + high - low

    def _extend_times(self, times: Sequence[int]) -> None:
        last = self.time(self.rows - 1) if self.rows else times[0]
        ordered = all(map(le, times, times[1:]))
        low, high = (times[0], times[-1]) if ordered else (min(times), max(times))
        self.is_ascending = self.is_ascending and ordered and last <= low
        self.time_min = min(self.time_min, low)
        self.time_max = max(self.time_max, high)

    def seal(self) -> None:
        """End the chunk and free the memory reserved for growth."""
        self._clock_end = self.clock_after(self.rows)
        self._ticks_bytes += ticks_bytes(self.ticks_end)
        for column in (self.shapes, self.lines):
            column.seal(self.rows)
        self.facts = self._counted_facts()
        self.columns.shrink()
        self.is_sealed = True

    def _counted_facts(self) -> tuple[tuple[int, int], ...]:
        flags = self.dictionary.shape_table.flags
        counts: Counter[int] = Counter()
        for shape, count in zip(self.shapes.palette, self.shapes.counts, strict=True):
            counts[flags[shape]] += count
        return tuple(sorted(counts.items()))

    def part(self, low: int, high: int) -> Chunk:
        """A sealed chunk of the rows from `low` up to `high`."""
        made = Chunk(
            self.first + low,
            self.row_first + low,
            self.dictionary,
            self.schema,
            self.clock_after(low),
            self.time(low),
        )
        columns = made._own = self.columns.part(low, high)
        made.shapes = self.shapes.part(columns.shapes, high - low)
        made.lines = self.lines.part(columns.lines, high - low)
        made.rows = high - low
        times = columns.times.span(0, made.rows)
        made.time_min, made.time_max = made.time_first + min(times), made.time_first + max(times)
        made.is_ascending = all(map(int.__le__, times, times[1:]))
        touched = self.dictionary.shape_table.touched
        for shape in made.shapes.palette:
            made.touched |= touched[shape]
        made._clock_end = made.clock_after(made.rows)
        made.facts = made._counted_facts()
        made.is_sealed = True
        return made

    def load_from(self, loader: ColumnLoader) -> None:
        """Let go of the columns of a sealed chunk: from now on a loader gives them."""
        self._flags = self.flags
        self._loader = loader
        itself = ref(self)
        self.shapes.load_from(lambda: _held(itself).local_shapes)
        self.lines.load_from(lambda: _held(itself).local_lines)
        self._own = None
        self._clock, self._clock_end = packed(self._clock), packed(self._clock_end)
        self._ticks_bytes = sys.getsizeof(self._clock) + sys.getsizeof(self._clock_end)

    def be_damaged(self) -> None:
        """Have blank rows from now on: the numbers and ids of transitions, and nothing else.

        A reader may have taken values of the chunk before. So these stay valid: local number 0 has
        a meaning before and after, and the blank dictionary comes last.
        """
        blank = ChunkColumns()
        zeros = array("B", bytes(self.rows))
        self._own = blank
        self.shapes, self.lines = PaletteColumn(blank.shapes), PaletteColumn(blank.lines)
        for column in (self.shapes, self.lines):
            column.extend(zeros, 0)
            column.seal(self.rows)
        self.time_min = self.time_max = self.time_first
        self.is_ascending, self.is_damaged, self.touched = True, True, 0
        self._clock_end = self._clock
        self.dictionary = self.dictionary.blank()
        self.facts = self._counted_facts()
        self._loader = None

    def head(self, machine: int, schema: int, segment: int, unit_ns: int) -> ChunkHead:
        """The head of a sealed chunk, with the numbers that a stream gives."""
        return ChunkHead(
            machine,
            schema,
            segment,
            self.row_first,
            self.rows,
            self.flags,
            self.time_first // unit_ns,
            self.time_min // unit_ns,
            self.time_max // unit_ns,
            self.ticks,
            self.ticks_end,
            self.touched,
            (self.shapes.palette, self.shapes.counts),
            (self.lines.palette, self.lines.counts),
            (packed([flags for flags, _ in self.facts]), packed([rows for _, rows in self.facts])),
        )

    @property
    def is_loaded(self) -> bool:
        """Whether a loader gives its columns."""
        return self._own is None

    @property
    def flags(self) -> int:
        """The flags of its head."""
        own = self._own
        if own is None:
            return self._flags
        flags = IS_ASCENDING if self.is_ascending else 0
        flags |= HAS_OWN_IDS if own.ids is not None else 0
        return flags | (HAS_SOURCES if own.sources is not None else 0)

    # Reading.

    @property
    def ticks(self) -> tuple[int, ...]:
        """The clock before the first row."""
        return tuple(self._clock)

    @property
    def ticks_end(self) -> tuple[int, ...]:
        """The clock after the last row, once the chunk is sealed."""
        return tuple(self._clock_end)

    @property
    def has_own_ids(self) -> bool:
        """Whether a row has an id that follows no rule."""
        own = self._own
        return self._flags & HAS_OWN_IDS != 0 if own is None else own.ids is not None

    @property
    def has_sources(self) -> bool:
        """Whether a transition of a known machine asked for a row."""
        own = self._own
        return self._flags & HAS_SOURCES != 0 if own is None else own.sources is not None

    @property
    def loader(self) -> ColumnLoader | None:
        """What gives the columns, if they are not in memory."""
        return self._loader

    @property
    def columns(self) -> ChunkColumns:
        """What the chunk has for its rows; loaded if it is not in memory."""
        own = self._own
        if own is not None:
            return own
        return self._of_rows(lambda loader: loader.columns(), lambda columns: columns)

    @property
    def local_shapes(self) -> Integers:
        """The local numbers of shapes; if they are not in memory, only they are loaded."""
        return self._of_rows(lambda loader: loader.shapes(), lambda columns: columns.shapes)

    @property
    def local_lines(self) -> Integers:
        """The local numbers of sets of lines, as those of shapes."""
        return self._of_rows(lambda loader: loader.lines(), lambda columns: columns.lines)

    def _of_rows(
        self, load: Callable[[ColumnLoader], _Part], part: Callable[[ChunkColumns], _Part]
    ) -> _Part:
        """A part of the columns: loaded, or that of the columns in memory."""
        own, loader = self._own, self._loader
        if own is None and loader is not None:
            try:
                return load(loader)
            except WireError as error:
                self.dictionary.report_damage(error, self)
        own = self._own if own is None else own
        assert own is not None  # a chunk has columns or a loader
        return part(own)

    def can_be_read(self) -> bool:
        """Load its rows and definitions; whether they are not damaged."""
        self.dictionary.learn_lost()
        self.columns  # noqa: B018  # damage shows when they are loaded
        return not self.is_damaged

    @property
    def last(self) -> int:
        """Number of the last transition in the chunk."""
        return self.first + self.rows - 1

    def clock_after(self, rows: int) -> tuple[int, ...]:
        """Ticks after the first `rows` rows, counted from the nearer end."""
        if not rows:
            return self.ticks
        if self._clock_end and rows == self.rows:
            return self.ticks_end
        if self._clock_end and rows > self.rows // 2:
            return self._grown(self._clock_end, self.shapes.counted(rows, self.rows), -1)
        return self._grown(self._clock, self.shapes.counted(0, rows), 1)

    def clock_moved(self, ticks: tuple[int, ...], rows: int, to: int) -> tuple[int, ...]:
        """Ticks after `to` rows, computed from those after `rows` rows."""
        low, high, sign = (rows, to, 1) if to >= rows else (to, rows, -1)
        return self._grown(ticks, self.shapes.counted(low, high), sign)

    def _grown(self, ticks: Sequence[int], counts: dict[int, int], sign: int) -> tuple[int, ...]:
        grown = list(ticks)
        self.dictionary.grow(grown, counts, sign)
        return tuple(grown)

    def time(self, row: int) -> int:
        return self.time_first + self.columns.times[row]

    def rough_time(self, row: int) -> int:
        """About the time of a row, without a look at rows: as if they came evenly."""
        if not self.is_ascending or self.rows < 2:
            return self.time_first
        span = self.time_max - self.time_first
        return self.time_first + span * row // (self.rows - 1)

    def first_at_or_after(self, time_ns: int, rows: int) -> int:
        """The first of `rows` rows at this time or later, `rows` if there is none."""
        offset, times = time_ns - self.time_first, self.columns.times
        if self.is_ascending:
            return times.first_at_or_above(offset, rows)
        return next((row for row in range(rows) if times[row] >= offset), rows)

    def last_at_or_before(self, time_ns: int, rows: int) -> int:
        """The last of `rows` rows at this time or earlier, -1 if there is none."""
        offset, times = time_ns - self.time_first, self.columns.times
        if self.is_ascending:
            return times.first_at_or_above(offset + 1, rows) - 1
        return next((row for row in reversed(range(rows)) if times[row] <= offset), -1)

    def duration(self, row: int) -> int:
        return self.columns.durations[row]

    def queue_len(self, row: int) -> int:
        return self.columns.queues[row]

    def row_of_own_id(self, tx_id: str) -> int:
        """The row with this id if the id follows no rule, -1 if there is none."""
        ids = self.columns.ids if tx_id and self.has_own_ids else None
        return ids.row_of(tx_id) if ids else -1

    def own_id(self, row: int) -> str:
        """The id of a row if it follows no rule, else empty."""
        ids = self.columns.ids if self.has_own_ids else None
        return ids.get(row) if ids else ""

    def sources(self) -> list[tuple[int, Source]]:
        """Rows with a source, and the source."""
        sources = self.columns.sources if self.has_sources else None
        return sources.items() if sources else []

    def source(self, row: int) -> Source | None:
        """The source of a row."""
        sources = self.columns.sources if self.has_sources else None
        return sources.get(row) if sources else None

    def rows_with_texts(self, wanted: bytes, line_sets: bytes) -> Iterator[int]:
        """Rows with an argument text in `wanted` or earlier lines in `line_sets`."""
        if not self.may_have_texts(wanted, line_sets):
            return
        args, pre_lines = self._of_rows(
            lambda loader: loader.texts(),
            lambda columns: TextColumns(columns.args, columns.pre_lines),
        )
        if args:
            yield from args.rows_with(wanted)
        if pre_lines:
            yield from pre_lines.rows_with(line_sets)

    def may_have_texts(self, wanted: bytes, line_sets: bytes) -> bool:
        """Whether a row may have such a text; False is sure, and needs no row."""
        if 1 not in wanted and 1 not in line_sets:
            return False
        loader = self._loader
        if self._own is not None or loader is None:
            return True
        try:
            listed = loader.text_numbers()
        except WireError:
            return True  # the rows are looked at, and their check finds the damage
        return (
            listed is None
            or _has_one(listed.texts, wanted)
            or _has_one(listed.line_sets, line_sets)
        )

    def rows_asked_by(self, machine: str) -> list[int]:
        """Rows whose source is a transition of this machine."""
        sources = self.columns.sources if self.has_sources else None
        return sources.rows_of_machine(machine) if sources else []

    def record(self, row: int, tx_id: str) -> TransitionRecord:
        """The record of one row."""
        pre_lines, source, args, handler_ns, _, queue_tick = self._rest(self.columns, row)
        return TransitionRecord(
            number=self.first + row,
            id=tx_id,
            shape=self.dictionary.shape(self.shapes[row]),
            time_ns=self.time(row),
            duration_ns=self.duration(row),
            queue_len=self.queue_len(row),
            lines=self._line_set(self.lines[row]),
            pre_lines=pre_lines,
            source=source,
            args=tuple(zip(args[::2], args[1::2], strict=True)),
            handler_ns=handler_ns,
            queue_tick=queue_tick,
        )

    def replay(self, low: int, high: int) -> Iterator[Replayed]:
        """Rows from `low` up to `high`, decoded; much faster than `record` for each row."""
        shapes = DecodeCache(self.dictionary.shape, _shape_weight)
        lines = DecodeCache(self._line_set, _lines_weight)
        palette, line_sets = self.shapes.palette, self.lines.palette
        columns = self.columns
        values = zip(
            columns.shapes.span(low, high),
            columns.times.span(low, high),
            columns.durations.span(low, high),
            columns.queues.span(low, high),
            columns.lines.span(low, high),
            range(low, high),
            strict=True,
        )
        for shape, time, duration, queue_len, line_set, row in values:
            yield (
                shapes[palette[shape]],
                self.time_first + time,
                duration,
                queue_len,
                lines[line_sets[line_set]],
                *self._rest(columns, row),
            )

    def _rest(self, columns: ChunkColumns, row: int) -> Rest:
        """The values that most rows do not have."""
        return (
            self._line_set(*columns.pre_lines.get(row)) if columns.pre_lines else (),
            columns.sources.get(row) if columns.sources else None,
            self._arguments(columns, row),
            columns.calls.get(row) if columns.calls else (),
            columns.ids.get(row) if columns.ids else "",
            columns.queue_ticks[row],
        )

    def _line_set(self, number: int = 0) -> tuple[LogLine, ...]:
        return self.dictionary.lines(number - 1) if number else ()

    def _arguments(self, columns: ChunkColumns, row: int) -> Args:
        text = self.dictionary.text
        return tuple([text(number) for number in columns.args.get(row)]) if columns.args else ()

    def size(self) -> int:
        """Bytes in memory, about, without columns that a loader gives."""
        own = self._own.size() if self._own is not None else 0
        return own + self.shapes.size() + self.lines.size() + self._head_bytes()

    def _head_bytes(self) -> int:
        return CHUNK_BYTES + self._ticks_bytes + FACT_BYTES * len(self.facts)


@dataclass(frozen=True, slots=True)
class ChunkIndex:
    """The held chunks and the numbers of their first transitions; trimming replaces it."""

    firsts: list[int] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)


def _held(itself: ref[Chunk]) -> Chunk:
    chunk = itself()
    assert chunk is not None  # a reader holds it
    return chunk


def _has_one(numbers: array[int], flags: bytes) -> bool:
    """Whether the flag of an ascending number is set, or a number has none."""
    if not numbers or 1 not in flags:
        return False
    return numbers[-1] >= len(flags) or 1 in looked_up(flags, numbers)


def _shape_weight(shape: Shape) -> int:
    return STEP_BYTES * len(shape.steps)


def _lines_weight(lines: LogLines) -> int:
    return texts_bytes(text for _, text in lines)
