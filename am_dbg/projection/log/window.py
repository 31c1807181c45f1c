"""The window of the log: the rows of transitions around a place, counted only where needed.

A transition has a row, its log lines below it, and gaps or seconds above it. A window begins at
any of these rows, so it scrolls by rows however tall a transition is. It is worked out from
its first transition forward, so its cost is bounded by its height.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from am_dbg.projection.log.ends import end_text
from am_dbg.projection.log.entries import TransitionEntry, entry_of
from am_dbg.projection.log.gaps import gap_text
from am_dbg.projection.log.line_parts import LinePart
from am_dbg.projection.log.lines import LATER_TITLE, later_lines, lines_below
from am_dbg.projection.log.trace_arguments import without_traces
from am_dbg.projection.log.wrapping import wrapped, wrapped_entry
from am_dbg.projection.note_texts import notes_between
from am_dbg.projection.steps import Moment
from am_dbg.projection.times import SECOND
from am_dbg.query import Visible
from am_dbg.query.cursor import Cursor
from am_dbg.query.terms import has_text, parse
from am_dbg.store import Track

ROWS_AROUND = 2
TRAILING_ROWS = 3
"""Rows below the last transition that are shown with it, such as the end of its connection."""


class RowKind(Enum):
    """What a row of the log is."""

    ENTRY = "entry"
    LINE = "line"
    GAP = "gap"
    SECOND = "second"
    START = "start"


@dataclass(frozen=True, slots=True)
class LogRow:
    """One row of the log; `number` is the transition it belongs to.

    In the log of all machines, `machine` names its machine, `cause` the transition of another
    machine that requested it, and `place` is where a click goes.
    """

    kind: RowKind
    number: int
    entry: TransitionEntry | None = None
    parts: tuple[LinePart, ...] = ()
    text: str = ""
    time_ns: int = 0
    is_current: bool = False
    mark: str = ""
    machine: str = ""
    cause: str = ""
    place: Cursor | None = None


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What the log shows beside transitions: seconds as headings, bookmarks as marks.

    `width` is the room for log lines, over which they are broken; 0 leaves them whole.
    """

    seconds: bool = False
    bookmarks: frozenset[int] = frozenset()
    width: int = 0


PLAIN = LogOptions()
"""Transitions and whole log lines, nothing else."""


class LogPlace(NamedTuple):
    """Where a window begins: a transition, and how many of its rows are above the window."""

    number: int
    skip: int = 0


def line_text(row: LogRow) -> str:
    """A log line as plain text."""
    return "".join(part.text for part in row.parts)


def entry_text(row: LogRow) -> str:
    """What the row of a transition contains, as plain text."""
    if row.entry is None:
        return ""
    names = (word.name for word in (*row.entry.called, *row.entry.implied))
    return " ".join((*names, row.entry.note, row.entry.args))


def searched_words(needle: str) -> tuple[str, ...]:
    """What a row may contain that a search has found: its text, or else its words."""
    return (needle, *parse(needle).words) if needle else ()


def row_with(rows: Sequence[LogRow], words: Sequence[str]) -> tuple[int, bool]:
    """The row of a transition to show for a search, and whether it is one of its log lines."""
    above = (RowKind.GAP, RowKind.SECOND)
    entry = next((at for at, row in enumerate(rows) if row.kind not in above), 0)
    for word in words:
        if has_text(entry_text(rows[entry]), word):
            break
        for at, row in enumerate(rows):
            if has_text(line_text(row), word):
                return at, True
    return entry, False


class LogWindow:
    """Rows of transitions in both directions from a place."""

    def __init__(self, moment: Moment, visible: Visible, height: int, options: LogOptions) -> None:
        self.moment = moment
        self.track = moment.track
        self.visible = visible
        self.height = max(1, height)
        self.options = options
        self.gaps = self.track.gaps
        self.gap_numbers = [gap.after_number for gap in self.gaps]
        self.before_first = self.track.first - 1

    def rows_from(self, top: int, skip: int = 0) -> list[LogRow]:
        """The rows of a window that begins at a place."""
        rows: list[LogRow] = []
        number: int | None = top
        while number is not None and len(rows) < self.height + skip:
            rows.extend(self.rows_of(number))
            following = self.visible.next(number)
            if following is None:
                rows.extend(self._trailing_rows(number))
            number = following
        return rows[skip : skip + self.height]

    def rows_of(self, number: int) -> list[LogRow]:
        """All rows of a transition: what stands before it, itself, its lines."""
        if number <= self.before_first:
            is_current = self.moment.number == number
            return [LogRow(RowKind.START, number, is_current=is_current)]
        rows = self._rows_before(number)
        entry, lines = entry_and_lines(
            self.track, number, self.visible.filters.level, self.options.width
        )
        is_current = number == self.moment.number
        mark = "b" if number in self.options.bookmarks else ""
        rows.append(LogRow(RowKind.ENTRY, number, entry, is_current=is_current, mark=mark))
        rows.extend(LogRow(RowKind.LINE, number, parts=parts) for parts in lines)
        return rows

    def _rows_before(self, number: int) -> list[LogRow]:
        previous = self.visible.previous(number) or 0
        rows = self._gap_rows(previous, number)
        if self.options.seconds:
            second = self.track.time_at(number) // SECOND
            if not previous or self.track.time_at(previous) // SECOND != second:
                rows.append(LogRow(RowKind.SECOND, number, time_ns=second * SECOND))
        return rows

    def _gap_rows(self, after: int, before: int) -> list[LogRow]:
        """The gaps between two visible transitions."""
        first = bisect_left(self.gap_numbers, after)
        last = bisect_right(self.gap_numbers, before - 1)
        is_live = self.track.is_live
        texts = [gap_text(gap, is_live=is_live) for gap in self.gaps[first:last]]
        rows = [LogRow(RowKind.GAP, before, text=text) for text in texts]
        notes = notes_between(self.track, after, before)
        return [*rows, *(LogRow(RowKind.GAP, before, text=text) for _, text in notes)]

    def _trailing_rows(self, after: int) -> list[LogRow]:
        """What stands below the last visible transition: gaps, lines written since, the end."""
        rows, last = self._gap_rows(after, self.track.count + 1), self.track.count
        parts = later_lines(self.track.later, self.visible.filters.level)
        if parts:
            rows.append(LogRow(RowKind.GAP, last + 1, text=LATER_TITLE))
            parts = wrapped(parts, self.options.width) if self.options.width else parts
            rows += [LogRow(RowKind.LINE, last, parts=one) for one in parts]
        if end := end_text(self.track):
            rows.append(LogRow(RowKind.GAP, last + 1, text=end))
        return rows

    def place_showing(self, place: LogPlace, number: int, words: Sequence[str] = ()) -> LogPlace:
        """The place to start from so that a transition is on the screen.

        With the words of a search, the row of the transition that has the first of them which it
        has at all is on the screen, however many rows are above it.
        """
        at, is_line = row_with(self.rows_of(number), words)
        if (place.skip or is_line) and self._is_shown(place, number, at):
            return place
        top = LogPlace(self.top_showing(number, place.number))
        if not is_line or self._is_shown(top, number, at):
            return top
        return LogPlace(number, max(0, at - self.height // 3))

    def _is_shown(self, place: LogPlace, number: int, at: int) -> bool:
        """Whether a row of a transition is on a screen that begins at a place."""
        top, limit = place.number, self.height + place.skip
        if top > number:
            return False
        if self.visible.position_of(number) - self.visible.position_of(top) >= limit:
            return False
        while top < number:
            at += len(self.rows_of(top))
            following = self.visible.next(top)
            if following is None or at >= limit:
                return False
            top = following
        return place.skip <= at < limit

    def scrolled(self, place: LogPlace, by: int) -> LogPlace:
        """The place some rows further; there is no empty space below the last row."""
        number, skip = place.number, place.skip + by
        while skip < 0 and number > self.before_first:
            previous = self.visible.previous(number)
            number = self.before_first if previous is None else previous
            skip += len(self.rows_of(number))
        while skip > 0 and skip >= (size := len(self.rows_of(number))):
            following = self.visible.next(number)
            if following is None:
                break
            number, skip = following, skip - size
        return min(LogPlace(number, max(0, skip)), self._end())

    def _end(self) -> LogPlace:
        """The place from which the last row is at the bottom."""
        number = self.visible.last()
        rows = len(self.rows_of(number)) + (len(self._trailing_rows(number)) if number else 0)
        for previous in self._backwards(number):
            if rows >= self.height:
                break
            number = previous
            rows += len(self.rows_of(number))
        return LogPlace(number, max(0, rows - self.height))

    def rows_on(self, number: int, rows: int) -> int:
        """The transition whose entry is about so many rows further on, or back."""
        step = self.visible.next if rows > 0 else self.visible.previous
        left = abs(rows)
        while (further := step(number)) is not None:
            left -= len(self.rows_of(number if rows > 0 else further))
            if left < 0:
                break
            number = further
        return number

    def top_showing(self, number: int, top: int) -> int:
        """The place to start from so that a transition is on the screen."""
        if top <= number and self._ends_within(top, number):
            return min(top, self.top_ending_at(self.visible.last()))
        if top > number:
            near = self._back(number, ROWS_AROUND)
            one_up = self.visible.previous(top)
            return near if one_up is not None and one_up <= number else self._third(number)
        lowest = self._back(number, self.height - 1 - ROWS_AROUND)
        one_down = self.visible.previous(number)
        if one_down is not None and self._ends_within(top, one_down, slack=0):
            return min(lowest, self.top_ending_at(self.visible.last()))
        return min(self._third(number), self.top_ending_at(self.visible.last()))

    def _ends_within(self, top: int, number: int, slack: int = ROWS_AROUND) -> bool:
        """Whether a transition that is not above `top` ends on the screen."""
        used, at = 0, top
        room = self.height - (slack if number != self.visible.last() else 0)
        if self.visible.position_of(number) - self.visible.position_of(top) >= self.height:
            return False
        while at < number:
            used += len(self.rows_of(at))
            following = self.visible.next(at)
            if following is None or used >= room:
                return False
            at = following
        trailing = self._trailing_rows(at) if at == self.visible.last() and at else ()
        return used + min(len(self.rows_of(at)), 2) + min(len(trailing), TRAILING_ROWS) <= room

    def top_ending_at(self, number: int) -> int:
        """The place to start from so that this transition is the last on the screen."""
        trailing = len(self._trailing_rows(number)) if number else 0
        return self._back(number, self.height - len(self.rows_of(number)) - trailing)

    def _third(self, number: int) -> int:
        """A third of the screen above a transition; more when the one before is that tall."""
        top = self._back(number, self.height // 3)
        return self._back(number, self.height * 2 // 3) if top == number else top

    def _back(self, number: int, room: int) -> int:
        """Go back from a transition while the rows of those before it fit."""
        for previous in self._backwards(number):
            room -= len(self.rows_of(previous))
            if room < 0:
                break
            number = previous
        return number

    def _backwards(self, number: int) -> Iterator[int]:
        while number > self.before_first:
            previous = self.visible.previous(number)
            number = self.before_first if previous is None else previous
            yield number


@lru_cache(maxsize=4096)
def entry_and_lines(
    track: Track, number: int, level: int, width: int = 0
) -> tuple[TransitionEntry, tuple[tuple[LinePart, ...], ...]]:
    """The row of a transition, cached because a held transition never changes."""
    transition = track.transition(number)
    entry, lines = entry_of(track, transition), lines_below(transition, level)
    if not width:
        return entry, lines
    traces: tuple[tuple[LinePart, ...], ...] = ()
    if transition.args:
        args, traces = without_traces(transition.args, lines)
        entry = replace(entry, args=args)
    entry, rest = wrapped_entry(entry, width)
    return entry, wrapped((*((rest,) if rest else ()), *traces, *lines), width)
