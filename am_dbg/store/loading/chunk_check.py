"""Compares the rows of a chunk that was read with what its head says of them.

Counts, clocks and the span of times come from heads, everything else from rows. If the two do not
agree, the chunk is damaged: a filter must never count what the rows do not have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import sub
from typing import TYPE_CHECKING

from am_dbg.store.checking import TIME_NS_MAX
from am_dbg.store.chunk_columns import ChunkColumns
from am_dbg.store.columns import Integers, SparseIntegers
from amtracer.errors import WireError
from amtracer.wire import limits

if TYPE_CHECKING:
    from am_dbg.store.chunk import Chunk
    from am_dbg.store.palette import PaletteColumn


def check_columns(chunk: Chunk, columns: ChunkColumns) -> None:
    """Refuse columns whose rows are not those of the head, or that refer to nothing."""
    for what in _differences(chunk, columns):
        raise WireError(f"rows whose {what} are not those of their head")
    _check_numbers(chunk, columns)


def _differences(chunk: Chunk, columns: ChunkColumns) -> Iterator[str]:
    """What differs between a head and its rows, the cheapest first."""
    if not _are_counted(chunk.shapes, columns.shapes, chunk.rows):
        yield "shapes"
    if not _are_counted(chunk.lines, columns.lines, chunk.rows):
        yield "log lines"
    times = columns.times.span(0, chunk.rows)
    if (min(times), max(times)) != _span(chunk) or times[0] or _ascend(times) != chunk.is_ascending:
        yield "times"
    if (columns.ids is not None, columns.sources is not None) != (
        chunk.has_own_ids,
        chunk.has_sources,
    ):
        yield "ids or sources"
    if not _is_defined_so(chunk):
        yield "facts or ticks"


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


def _check_numbers(chunk: Chunk, columns: ChunkColumns) -> None:
    """Refuse numbers of texts and sets that are not defined, and values out of range."""
    counts = chunk.dictionary.counts
    _check_groups("arguments", columns.args, 2 * limits.ARGS_MAX, counts.texts - 1)
    if columns.args is not None and any(end % 2 for end in columns.args.parts()[1]):
        raise WireError("an argument without a text")
    if columns.args is not None and chunk.dictionary.lost_texts.has_any(columns.args.parts()[2]):
        raise WireError("arguments whose texts are damaged")
    if columns.pre_lines is not None and chunk.dictionary.has_lost(
        (), columns.pre_lines.parts()[2]
    ):
        raise WireError("earlier log lines that are damaged")
    _check_groups("earlier log lines", columns.pre_lines, 1, counts.line_sets)
    _check_groups("handler times", columns.calls, limits.HANDLERS_MAX, TIME_NS_MAX - 1)
    if min(columns.queue_ticks.span(0, chunk.rows)) < 0:
        raise WireError("a queue tick out of range")


def _check_groups(what: str, column: SparseIntegers | None, most: int, high: int) -> None:
    if column is None:
        return
    _, ends, values = column.parts()
    lengths = list(map(sub, ends[1:], ends))
    if max(lengths, default=0) > most or max(values, default=0) > high:
        raise WireError(f"{what} of a transition out of range")
