"""Rows that wait to be taken in, gathered from some batches machine by machine.

Adding rows to a chunk costs far more for each call than for each row. If a thousand machines
take turns, the runs of a batch are one or two rows long. So while more batches are at hand,
their rows wait here, and are then added with one run for each machine. They were checked before,
and their memory counts. Rows in long runs do not wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, compress, repeat
from operator import add, itemgetter, sub
from typing import TypeVar

from am_dbg.store.batch_rows import BatchRows, HandlerTimes, Sparse
from am_dbg.store.track import Track

_Value = TypeVar("_Value")

ROWS_MAX = 65_536
"""Rows after which nothing waits any longer."""
BYTES_MAX = 16 * 1024 * 1024
"""Bytes after which nothing waits any longer."""
RUN_ROWS_MAX = 256
"""Rows that a run has on average from which on waiting costs more than it saves."""
_ROW_BYTES = 250
_VALUE_BYTES = 300
_TIME_BYTES = 40

GatheredRun = tuple[Track, int, int]
"""A machine's rows: from the first number up to the second."""


class Gathering:
    """Rows of some batches, in the order in which they came."""

    def __init__(self) -> None:
        self._batches: list[tuple[BatchRows, Sequence[Track], Sequence[int]]] = []
        self._rows = self._runs = 0
        self.size = 0
        """Bytes in memory, about."""

    def __bool__(self) -> bool:
        return bool(self._batches)

    @property
    def is_full(self) -> bool:
        """Whether nothing more should wait."""
        has_long_runs = self._rows >= RUN_ROWS_MAX * self._runs
        return has_long_runs or self._rows >= ROWS_MAX or self.size >= BYTES_MAX

    def add(self, rows: BatchRows, tracks: Sequence[Track], counts: Sequence[int]) -> None:
        """Add rows: for each track so many, one track after the other."""
        self._batches.append((rows, tracks, counts))
        self._rows += len(rows.shapes)
        self._runs += len(counts)
        self.size += _weight(rows)

    def take(self) -> tuple[BatchRows, list[GatheredRun]]:
        """Take out all rows, with one run for each track."""
        batches, self._batches = self._batches, []
        self._rows = self._runs = self.size = 0
        counts = list(chain.from_iterable(counts for _, _, counts in batches))
        tracks = list(chain.from_iterable(tracks for _, tracks, _ in batches))
        rows = _joined([rows for rows, _, _ in batches])
        distinct = dict(zip(tracks, range(len(tracks)), strict=True))
        if len(distinct) == 1:
            return rows, [(tracks[0], 0, len(rows.shapes))]
        if len(distinct) < len(tracks):
            rows, tracks, counts = _sorted(rows, tracks, counts)
        ends = list(accumulate(counts, initial=0))
        return rows, list(zip(tracks, ends, ends[1:], strict=False))


def _weight(rows: BatchRows) -> int:
    sparse = (rows.args, rows.sources, rows.pre_lines, rows.ids)
    values = sum(len(column.values) for column in sparse)
    numbers = len(rows.calls.durations) + sum(map(len, rows.args.values))
    texts = sum(map(len, rows.ids.values))
    return _ROW_BYTES * len(rows.shapes) + _VALUE_BYTES * values + _TIME_BYTES * numbers + texts


def _sorted(
    rows: BatchRows, tracks: Sequence[Track], counts: Sequence[int]
) -> tuple[BatchRows, list[Track], list[int]]:
    """The rows of each track next to each other, in the order in which they came."""
    numbers: dict[Track, int] = {}
    of_run = [numbers.setdefault(track, len(numbers)) for track in tracks]
    of_row = list(chain.from_iterable(map(repeat, of_run, counts)))
    totals = [0] * len(numbers)
    for number, count in zip(of_run, counts, strict=True):
        totals[number] += count
    order = sorted(range(len(of_row)), key=of_row.__getitem__)
    return _reordered(rows, order), list(numbers), totals


def _reordered(rows: BatchRows, order: Sequence[int]) -> BatchRows:
    """The rows in another order: `order` has for each place the row that goes there."""
    pick = itemgetter(*order)
    places: Sequence[int] = ()
    if any((rows.args, rows.sources, rows.pre_lines, rows.ids)):
        places = sorted(range(len(order)), key=order.__getitem__)
    return BatchRows(
        shapes=_picked(rows.shapes, pick),
        times=_picked(rows.times, pick),
        durations=_picked(rows.durations, pick),
        queues=_picked(rows.queues, pick),
        lines=_picked(rows.lines, pick),
        args=_moved(rows.args, places),
        sources=_moved(rows.sources, places),
        pre_lines=_moved(rows.pre_lines, places),
        calls=_picked_calls(rows.calls, pick),
        ids=_moved(rows.ids, places),
        queue_ticks=_picked(rows.queue_ticks, pick),
    )


def _picked(column: Sequence[int], pick: itemgetter[tuple[int, ...]]) -> Sequence[int]:
    return pick(column) if column else ()


def _picked_calls(calls: HandlerTimes, pick: itemgetter[tuple[int, ...]]) -> HandlerTimes:
    if not calls:
        return calls
    ends, durations = calls
    counts, starts = pick(list(map(sub, ends[1:], ends))), pick(ends)
    if max(counts) == 1:
        places: Iterable[int] = compress(starts, counts)
    else:
        places = chain.from_iterable(map(range, starts, map(add, starts, counts)))
    return HandlerTimes(
        list(accumulate(counts, initial=0)), list(map(durations.__getitem__, places))
    )


def _moved(column: Sparse[_Value], places: Sequence[int]) -> Sparse[_Value]:
    return Sparse({places[at]: value for at, value in column.items()}) if column else column


def _joined(batches: Sequence[BatchRows]) -> BatchRows:
    """The rows of some batches, one after the other."""
    if len(batches) == 1:
        return batches[0]
    counts = [len(rows.shapes) for rows in batches]
    starts = list(accumulate(counts, initial=0))
    return BatchRows(
        shapes=_dense([rows.shapes for rows in batches], counts),
        times=_dense([rows.times for rows in batches], counts),
        durations=_dense([rows.durations for rows in batches], counts),
        queues=_dense([rows.queues for rows in batches], counts),
        lines=_dense([rows.lines for rows in batches], counts),
        args=_sparse([rows.args for rows in batches], starts),
        sources=_sparse([rows.sources for rows in batches], starts),
        pre_lines=_sparse([rows.pre_lines for rows in batches], starts),
        calls=_joined_calls([rows.calls for rows in batches], counts),
        ids=_sparse([rows.ids for rows in batches], starts),
        queue_ticks=_dense([rows.queue_ticks for rows in batches], counts),
    )


def _dense(columns: Sequence[Sequence[int]], counts: Sequence[int]) -> Sequence[int]:
    """The columns in one; an empty one is zeros unless all are empty."""
    if not any(columns):
        return ()
    filled = (column or repeat(0, count) for column, count in zip(columns, counts, strict=True))
    return list(chain.from_iterable(filled))


def _sparse(columns: Sequence[Sparse[_Value]], starts: Sequence[int]) -> Sparse[_Value]:
    if not any(columns):
        return columns[0]
    return Sparse(
        {
            start + at: value
            for column, start in zip(columns, starts, strict=False)
            for at, value in column.items()
        }
    )


def _joined_calls(columns: Sequence[HandlerTimes], counts: Sequence[int]) -> HandlerTimes:
    if not any(columns):
        return HandlerTimes()
    ends, durations = [0], list[int]()
    for (own_ends, own), count in zip(columns, counts, strict=True):
        known = len(durations)
        ends += [known + end for end in own_ends[1:]] if own else repeat(known, count)
        durations += own
    return HandlerTimes(ends, durations)
