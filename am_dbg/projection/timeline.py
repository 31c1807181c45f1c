"""The timeline: a column per range of transitions, its height their rate in time.

Columns share the visible transitions evenly, so every step moves the cursor, every error
has a column and a click lands where it points, however uneven time was. Time shows as the
height of a column (transitions per second, on a logarithmic scale) and as marks where it
stood still. A column takes a handful of look-ups, whatever the track's size. The number of
columns is given, because a view with fewer columns is a different view, not the same one
drawn smaller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from am_dbg.projection.note_texts import notes_between
from am_dbg.projection.steps import Moment
from am_dbg.query import TransitionSet, Visible, canceled, errors
from am_dbg.store import Track
from am_dbg.store.chunk import CHUNK_LIMITS, Chunk

LEVELS = 7
DECADES_MAX = 5.0
CONTRAST = 1.6
"""Rates are seldom far apart on a logarithmic scale; this pulls them apart for the eye."""
PAUSE_NS_MIN = 1_000_000_000
PAUSES_MAX = 8


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its height from 0 to `LEVELS`, and what is among its transitions."""

    level: int = 0
    has_error: bool = False
    has_canceled: bool = False
    has_gap: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """A column before which nothing happened for a while."""

    column: int
    span_ns: int


@dataclass(frozen=True, slots=True)
class TimelineView:
    """What the timeline shows; `cursor` is a column, -1 before the first transition."""

    columns: tuple[Column, ...] = ()
    cursor: int = -1
    start_ns: int = 0
    end_ns: int = 0
    pauses: tuple[Pause, ...] = ()
    bookmarks: tuple[int, ...] = ()
    is_empty: bool = True


def project_timeline(
    moment: Moment, visible: Visible, column_count: int, bookmarks: Sequence[int] = ()
) -> TimelineView:
    """The timeline of a track, shared out over a number of columns."""
    track = moment.track
    first, last, count = visible.first(), visible.last(), visible.count
    if not first or column_count < 1 or not count:
        return TimelineView()
    columns, pauses = _columns(visible, track.version, count, column_count)
    return TimelineView(
        columns=columns,
        cursor=-1
        if moment.is_start
        else column_of(visible.position_of(moment.number), count, column_count),
        start_ns=track.time_at(first),
        end_ns=track.time_at(last),
        pauses=pauses,
        bookmarks=tuple(
            column_of(visible.position_of(number), count, column_count) for number in bookmarks
        ),
        is_empty=False,
    )


def column_of(position: int, count: int, column_count: int) -> int:
    """The middle one of the columns that stand for a position, counted from 1."""
    first, last = columns_of(position, count, column_count)
    return (first + last) // 2


def columns_of(position: int, count: int, column_count: int) -> tuple[int, int]:
    """The first and the last column of a position; one where positions share columns."""
    last = max(0, min(column_count, -(-position * column_count // count)) - 1)
    first = -(-(position - 1) * column_count // count)
    return min(first, last), last


def number_at(visible: Visible, column: int, column_count: int) -> int:
    """The visible transition that a column stands for."""
    count = visible.count
    if not count:
        return 0
    return visible.number_at(max(1, min(count, column * count // max(1, column_count) + 1)))


@lru_cache(maxsize=8)
def _columns(
    visible: Visible, version: int, count: int, column_count: int
) -> tuple[tuple[Column, ...], tuple[Pause, ...]]:
    """The columns; they change with the data, the filters and their number only."""
    ends = [
        max(column * count // column_count + 1, (column + 1) * count // column_count)
        for column in range(column_count)
    ]
    numbers = _numbers_at(visible, ends)
    times = _times_at(visible.track, numbers)
    levels, pauses = heights(ends, times)
    with_error = _marked(errors(visible), visible, count, column_count)
    with_canceled = _marked(canceled(visible), visible, count, column_count)
    gaps = {
        column_of(max(1, visible.position_of(gap.after_number)), count, column_count)
        for gap in visible.track.gaps
    }
    gaps |= {
        column_of(max(1, visible.position_of(number)), count, column_count)
        for number, _ in notes_between(visible.track, 0, visible.track.count)
    }
    columns = tuple(
        Column(levels[at], at in with_error, at in with_canceled, at in gaps)
        for at in range(column_count)
    )
    return columns, pauses


def _numbers_at(visible: Visible, positions: Sequence[int]) -> list[int]:
    """The visible numbers at ascending positions."""
    if positions[-1] <= 2 * len(positions):
        numbers = visible.numbers(1, positions[-1])
        return [numbers[position - 1] for position in positions]
    return [visible.number_at(position) for position in positions]


def _times_at(track: Track, numbers: Sequence[int]) -> list[int]:
    """The times of ascending numbers; about those if there are many transitions between them.

    A column that stands for a chunk of transitions or more has a height that no single time
    changes, and to look at rows in all of a long history takes long.
    """
    is_rough = numbers[-1] - numbers[0] >= CHUNK_LIMITS.rows * len(numbers)
    return [track.rough_time_at(at) if is_rough else track.time_at(at) for at in numbers]


def heights(ends: Sequence[int], times: Sequence[int]) -> tuple[list[int], tuple[Pause, ...]]:
    """Heights from the rate of each column; columns of one transition share its height."""
    rates: list[float] = []
    pauses: list[Pause] = []
    before_end, before_time = 0, times[0]
    rate = 0.0
    for column, (end, time) in enumerate(zip(ends, times, strict=True)):
        if end != before_end or not rates:
            span = max(1_000, time - before_time)
            rate = math.log10((end - before_end) * 1e9 / span)
            if span >= PAUSE_NS_MIN and rates:
                pauses.append(Pause(column, span))
            before_end, before_time = end, time
        rates.append(rate)
    if len(rates) > 1:
        first = next((at for at, end in enumerate(ends) if end != ends[0]), 0)
        rates[:first] = [rates[first]] * first
    top = max(rates)
    low = max(min(rates), top - DECADES_MAX)
    spread = max(top - low, 1e-9)
    levels = [
        round(LEVELS * (max(0.0, rate - low) / spread) ** CONTRAST) if top > low else LEVELS // 2
        for rate in rates
    ]
    longest = sorted(pauses, key=lambda pause: -pause.span_ns)[:PAUSES_MAX]
    return levels, tuple(sorted(longest, key=lambda pause: pause.column))


def _marked(found: TransitionSet, visible: Visible, count: int, column_count: int) -> set[int]:
    """The columns that hold a transition of a set.

    A chunk within one column is known by its number of hits. Rows are looked at only where a chunk
    with hits is in several columns that no other chunk has marked.
    """
    marked: set[int] = set()
    spread: list[tuple[Chunk, range]] = []
    for chunk, _ in found.by_chunk():
        first = columns_of(visible.position_of(chunk.first - 1) + 1, count, column_count)[0]
        last = columns_of(max(1, visible.position_of(chunk.last)), count, column_count)[1]
        if first >= last:
            marked.add(last)
        else:
            spread.append((chunk, range(first, last + 1)))
    for chunk, columns in spread:
        if not marked.issuperset(columns):
            marked |= _marked_in(chunk, found, visible, count, column_count)
    return marked


def _marked_in(
    chunk: Chunk, found: TransitionSet, visible: Visible, count: int, column_count: int
) -> set[int]:
    """The columns that hold a transition of a set in one chunk; one look-up per column found."""
    marked: set[int] = set()
    number = found.next(chunk.first - 1)
    while number is not None and number <= chunk.last:
        position = visible.position_of(number)
        first, last = columns_of(position, count, column_count)
        marked.update(range(first, last + 1))
        following = max(position, (last + 1) * count // column_count)
        if following >= count:
            break
        number = found.next(visible.number_at(following))
    return marked
