"""Compares the columns of a chunk that was read with what its head says of them.

Counts, clocks and the span of times come from heads, everything else from rows. If the two do not
agree, the chunk is damaged: a filter must never count what the rows do not have.

Each column is compared when it is made, with all that the head says of it: shapes with their
counts, and with the facts, masks and growth of their definitions; lines with their counts; texts
with their list. So a reader that asks for one column sees nothing that was not compared. A count
that needs no row relies on the head, until a reader looks at the rows that it counted: if these
differ, they are a gap, and the count is made again without them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import sub
from typing import TYPE_CHECKING
from weakref import ref

from am_dbg.store.checking import TIME_NS_MAX
from am_dbg.store.chunk_columns import ChunkColumns, ColumnCheck, TextColumns
from am_dbg.store.columns import Integers, SparseIntegers
from amtracer.errors import WireError
from amtracer.wire import limits

if TYPE_CHECKING:
    from am_dbg.store.chunk import Chunk
    from am_dbg.store.dictionary import SegmentDictionary
    from am_dbg.store.palette import PaletteColumn


class HeadCheck(ColumnCheck):
    """Refuses columns that are not those of the head of a chunk, or that refer to nothing.

    It does not hold the chunk, and takes everything once nobody needs that any more.
    """

    def __init__(self, chunk: Chunk) -> None:
        self._chunk = ref(chunk)

    def shapes(self, shapes: Integers) -> None:
        chunk = self._chunk()
        if chunk is not None:
            _agree("shapes", _are_counted(chunk.shapes, shapes, chunk.rows))
            _agree("facts or ticks", _is_defined_so(chunk))

    def lines(self, lines: Integers) -> None:
        chunk = self._chunk()
        if chunk is not None:
            _agree("log lines", _are_counted(chunk.lines, lines, chunk.rows))
            if max(chunk.lines.palette) > chunk.dictionary.counts.line_sets:
                raise WireError("rows with a set of lines that is not defined")

    def texts(self, texts: TextColumns) -> None:
        chunk = self._chunk()
        if chunk is not None:
            _check_args(chunk.dictionary, texts.args)
            _check_pre_lines(chunk.dictionary, texts.pre_lines)

    def rest(self, columns: ChunkColumns) -> None:
        chunk = self._chunk()
        if chunk is not None:
            _agree("times", _are_timed(chunk, columns.times.span(0, chunk.rows)))
            has = columns.ids is not None, columns.sources is not None
            _agree("ids or sources", has == (chunk.has_own_ids, chunk.has_sources))
            _check_groups("handler times", columns.calls, limits.HANDLERS_MAX, TIME_NS_MAX - 1)
            if min(columns.queue_ticks.span(0, chunk.rows)) < 0:
                raise WireError("a queue tick out of range")


def _agree(what: str, is_same: bool) -> None:
    if not is_same:
        raise WireError(f"rows whose {what} are not those of their head")


def _are_timed(chunk: Chunk, times: Sequence[int]) -> bool:
    is_in_span = (min(times), max(times)) == _span(chunk) and not times[0]
    return is_in_span and _ascend(times) == chunk.is_ascending


def _span(chunk: Chunk) -> tuple[int, int]:
    return chunk.time_min - chunk.time_first, chunk.time_max - chunk.time_first


def _ascend(times: Sequence[int]) -> bool:
    return all(map(int.__le__, times, times[1:]))


def _are_counted(palette: PaletteColumn, local: Integers, rows: int) -> bool:
    counts = Counter(local.span(0, rows))
    return [counts[number] for number in range(len(palette.palette))] == list(palette.counts)


def _is_defined_so(chunk: Chunk) -> bool:
    """Whether the shapes have the schema, the facts and the growth that the head says."""
    table, schemas = chunk.dictionary.shape_table, chunk.dictionary.schemas
    touched, ticks = 0, list(chunk.ticks)
    facts: Counter[int] = Counter()
    for shape, count in zip(chunk.shapes.palette, chunk.shapes.counts, strict=True):
        schema = table.schema_of[shape]
        if schema >= len(schemas) or schemas[schema] != chunk.schema:
            return False
        touched |= table.touched[shape]
        facts[table.flags[shape]] += count
    counts = dict(zip(chunk.shapes.palette, chunk.shapes.counts, strict=True))
    try:
        table.grow(ticks, counts, 1)
    except IndexError:
        return False
    is_same = touched == chunk.touched and tuple(sorted(facts.items())) == chunk.facts
    return is_same and tuple(ticks) == chunk.ticks_end


def _check_args(dictionary: SegmentDictionary, args: SparseIntegers | None) -> None:
    """Refuse arguments without a text, and texts that are not defined or are damaged."""
    _check_groups("arguments", args, 2 * limits.ARGS_MAX, dictionary.counts.texts - 1)
    if args is not None and any(end % 2 for end in args.parts()[1]):
        raise WireError("an argument without a text")
    if args is not None and dictionary.lost_texts.has_any(args.parts()[2]):
        raise WireError("arguments whose texts are damaged")


def _check_pre_lines(dictionary: SegmentDictionary, pre_lines: SparseIntegers | None) -> None:
    """Refuse earlier lines that are not defined or are damaged."""
    if pre_lines is not None and dictionary.has_lost((), pre_lines.parts()[2]):
        raise WireError("earlier log lines that are damaged")
    _check_groups("earlier log lines", pre_lines, 1, dictionary.counts.line_sets)


def _check_groups(what: str, column: SparseIntegers | None, most: int, high: int) -> None:
    if column is None:
        return
    _, ends, values = column.parts()
    lengths = list(map(sub, ends[1:], ends))
    if max(lengths, default=0) > most or max(values, default=0) > high:
        raise WireError(f"{what} of a transition out of range")
