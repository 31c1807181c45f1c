"""The timeline of all machines: the same columns and marks as for one, over their merged times.

Columns share the transitions evenly, as far as samples show: of a long history about
`SAMPLES_MAX` times are read. Each column begins at a time, so a mark, the cursor and a click find
their column by time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection
from functools import lru_cache

from am_dbg.projection.timeline import Column, Pause, TimelineView, heights
from am_dbg.query.across import Across, column_at
from am_dbg.query.cursor import Cursor

SAMPLES_MAX = 4_096
_Columns = tuple[tuple[int, ...], tuple[Column, ...], tuple[Pause, ...], int]


def project_merged_timeline(
    here: Cursor,
    merged: Across,
    errors: Across,
    canceled: Across,
    column_count: int,
    bookmarked: Collection[Cursor] = (),
) -> TimelineView:
    """The timeline of a merged set; `here` is the cursor."""
    if column_count < 1 or not merged.count:
        return TimelineView()
    counts = (errors.count, canceled.count)
    bounds, columns, pauses, end_ns = _columns(
        merged, errors, canceled, merged.count, counts, column_count
    )
    is_start = here.number < here.track.first
    return TimelineView(
        columns=columns,
        cursor=-1 if is_start else _middle(bounds, merged.key(here)[0]),
        start_ns=bounds[0],
        end_ns=end_ns,
        pauses=pauses,
        bookmarks=tuple(_middle(bounds, merged.key(place)[0]) for place in bookmarked),
        is_empty=False,
    )


def merged_time_at(merged: Across, column: int, column_count: int) -> int:
    """The time at which a column begins."""
    if not merged.count:
        return 0
    bounds, _, _ = _bounds(merged, merged.count, max(1, column_count))
    return bounds[max(0, min(column, len(bounds) - 1))]


def _middle(bounds: tuple[int, ...], time_ns: int) -> int:
    """The middle one of the columns that begin at the same time."""
    last = column_at(bounds, time_ns)
    return (bisect_left(bounds, bounds[last]) + last) // 2


@lru_cache(maxsize=4)
def _bounds(
    merged: Across, count: int, column_count: int
) -> tuple[tuple[int, ...], list[int], list[int]]:
    """The time at which each column begins; then the count and the time at which it ends."""
    first = merged.first()
    times = merged.sampled_times(SAMPLES_MAX) or [merged.key(first)[0] if first else 0]
    held = len(times)
    starts = [column * held // column_count for column in range(column_count)]
    ends = [
        max(start + 1, (column + 1) * held // column_count) for column, start in enumerate(starts)
    ]
    share = max(1, round(count / held))
    return (
        tuple(times[start] for start in starts),
        [end * share for end in ends],
        [times[end - 1] for end in ends],
    )


@lru_cache(maxsize=4)
def _columns(
    merged: Across,
    errors: Across,
    canceled: Across,
    count: int,
    _counts: tuple[int, int],
    column_count: int,
) -> _Columns:
    """The columns; they change with the data, the filters and their number only."""
    bounds, ends, times = _bounds(merged, count, column_count)
    levels, pauses = heights(ends, times)
    with_error = errors.columns_of(bounds)
    with_canceled = canceled.columns_of(bounds)
    columns = tuple(
        Column(level, at in with_error, at in with_canceled) for at, level in enumerate(levels)
    )
    return bounds, columns, pauses, times[-1]
