"""The log pane: a window of rows around the cursor.

A row is a transition; its log lines of the chosen level hang below it, gaps and seconds
stand between. The window is worked out from its first transition (`top`) forward, so the
cost of a view is bounded by its height. `top` is part of the view and is handed back in
with the next call: as long as the cursor stays inside the window, nothing moves.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from am_dbg.projection.log.entries import TransitionEntry, entry_of
from am_dbg.projection.log.gaps import gap_text
from am_dbg.projection.log.line_parts import LinePart
from am_dbg.projection.log.lines import later_lines, lines_below
from am_dbg.projection.note_texts import notes_between
from am_dbg.projection.steps import Moment
from am_dbg.projection.times import SECOND
from am_dbg.query import Visible
from am_dbg.store import Gap, GapKind, LaterLines, Track, TransitionRecord
from am_dbg.store.facts import ShapeFacts
from amtracer.wire.vocabulary import LEVEL_WORDS, MutationKind

ROWS_AROUND = 2


class RowKind(Enum):
    """What a row of the log is."""

    ENTRY = "entry"
    LINE = "line"
    GAP = "gap"
    SECOND = "second"
    START = "start"


@dataclass(frozen=True, slots=True)
class LogRow:
    """One row of the log; `number` is the transition it belongs to."""

    kind: RowKind
    number: int
    entry: TransitionEntry | None = None
    parts: tuple[LinePart, ...] = ()
    text: str = ""
    time_ns: int = 0
    is_current: bool = False
    mark: str = ""


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What the log shows beside transitions: seconds as headings, bookmarks as marks."""

    seconds: bool = False
    bookmarks: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class LogView:
    """What the log pane shows; `number_digits` is the width of its number column."""

    rows: tuple[LogRow, ...] = ()
    top: int = 0
    level: str = "changes"
    hidden: int = 0
    total: int = 0
    number_digits: int = 4
    needle: str = ""
    hints: tuple[str, ...] = ()


def project_log(
    moment: Moment,
    visible: Visible,
    top: int,
    height: int,
    options: LogOptions = LogOptions(),
    *,
    follow: bool = True,
    needle: str = "",
) -> LogView:
    """The rows from `top` on, moved as little as shows the cursor when `follow` is set."""
    window = _Window(moment, visible, height, options)
    if follow:
        top = window.top_showing(moment.number, top)
    rows = window.rows_from(top)
    return LogView(
        rows=tuple(rows),
        top=top,
        level=LEVEL_WORDS[min(visible.filters.level, len(LEVEL_WORDS) - 1)],
        hidden=moment.track.count - moment.track.first + 1 - visible.count,
        total=moment.track.count,
        number_digits=max(4, len(str(moment.track.count))),
        needle=needle,
    )


def scrolled_top(
    moment: Moment, visible: Visible, top: int, by: int, height: int, options: LogOptions
) -> int:
    """The first transition of the window after scrolling by some transitions."""
    window = _Window(moment, visible, height, options)
    low = window.before_first
    for _ in range(abs(by)):
        number = visible.next(top) if by > 0 else (visible.previous(top) or low)
        if number is None:
            break
        top = number
    return min(top, window.top_ending_at(visible.last()))


class _Window:
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

    def rows_from(self, top: int) -> list[LogRow]:
        rows: list[LogRow] = []
        number: int | None = top
        while number is not None and len(rows) < self.height:
            rows.extend(self.rows_of(number))
            following = self.visible.next(number)
            if following is None:
                rows.extend(self._trailing_rows(number))
            number = following
        return rows[: self.height]

    def rows_of(self, number: int) -> list[LogRow]:
        """All rows of a transition: what stands before it, itself, its lines."""
        if number <= self.before_first:
            is_current = self.moment.number == number
            return [LogRow(RowKind.START, number, is_current=is_current)]
        rows = self._rows_before(number)
        entry, lines = _entry(self.track, number, self.visible.filters.level)
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
        rows = [LogRow(RowKind.GAP, before, text=gap_text(gap)) for gap in self.gaps[first:last]]
        notes = notes_between(self.track, after, before)
        return [*rows, *(LogRow(RowKind.GAP, before, text=text) for _, text in notes)]

    def _trailing_rows(self, after: int) -> list[LogRow]:
        """What stands below the last visible transition: gaps, and lines written since."""
        rows, last = self._gap_rows(after, self.track.count + 1), self.track.count
        parts = later_lines(self.track.later, self.visible.filters.level)
        if parts:
            rows.append(LogRow(RowKind.GAP, last + 1, text="log lines since the last transition"))
            rows += [LogRow(RowKind.LINE, last, parts=one) for one in parts]
        return rows

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
        return used + min(len(self.rows_of(at)), 2) <= room

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
def _entry(
    track: Track, number: int, level: int
) -> tuple[TransitionEntry, tuple[tuple[LinePart, ...], ...]]:
    """The row of a transition, cached because a held transition never changes."""
    transition = track.transition(number)
    return entry_of(track, transition), hanging_lines(transition, level)


def entry_of(track: Track, transition: TransitionRecord) -> Entry:
    """The row of one transition."""
    number, shape = transition.number, transition.shape
    facts = track.facts_at(number)
    states = track.schema_at(number)
    called = tuple(
        StateWord(name_at(states, index), _change(facts.added, facts.removed, index))
        for index in shape.called
    )
    implied = tuple(
        StateWord(name_at(states, index), Change.ADDED if growth > 0 else Change.REMOVED)
        for index, growth in shape.changes
        if index not in shape.called
    )
    note = ""
    if facts.is_canceled:
        note = denial_of(shape, states, transition.lines, has_steps=has_steps(track, shape)).note
    return Entry(
        number=number,
        time_ns=transition.time_ns,
        sign=_sign(shape.type, facts.is_canceled, facts.is_error, facts.is_check),
        called=called,
        implied=implied,
        args=args_text(transition, {state.name for state in states}),
        note=note,
        flags=_flags(track, transition, facts),
        origin=clean_name(transition.source.machine) if transition.source else "",
    )


def _change(added: int, removed: int, index: int) -> Change:
    if added >> index & 1:
        return Change.ADDED
    return Change.REMOVED if removed >> index & 1 else Change.NONE


def _sign(type_: int, canceled: bool, error: bool, check: bool) -> Sign:
    if error:
        return Sign.ERROR
    if canceled:
        return Sign.CANCELED
    if check:
        return Sign.CHECK
    return _SIGNS.get(type_, Sign.EVAL)


def _flags(track: Track, transition: TransitionRecord, facts: ShapeFacts) -> str:
    queued = transition.source is not None and transition.source.machine == track.id
    marks = {
        "a": facts.is_auto,
        "q": queued and not facts.is_auto,
        Sign.CHECK.value: facts.is_check and facts.is_canceled,
    }
    return "".join(mark for mark, is_set in marks.items() if is_set)


def args_text(transition: TransitionRecord, names: set[str]) -> str:
    """The arguments as `key=value` words; older sessions have them in their log line only."""
    if transition.args:
        return clean(" ".join(f"{key}={value}" for key, value in transition.args))
    return clean(state_line_args(transition.lines, names))


def hanging_lines(transition: TransitionRecord, level: int) -> tuple[tuple[LinePart, ...], ...]:
    """The log lines up to a level, those since the transition before first.

    The line with the change is left out, because the row shows it already. Lines marked as
    coming from outside the library are shown at every level.
    """
    rows: list[tuple[LinePart, ...]] = []
    for entry_level, text in (*transition.pre_lines, *transition.lines):
        is_shown = entry_level <= level or is_extern_line(text)
        if not is_shown or is_change_line(text):
            continue
        rows.extend(parts_of(row, index) for index, row in enumerate(clean_lines(text)))
        if len(rows) > ROWS_PER_TRANSITION_MAX:
            rest = len(transition.lines) + len(transition.pre_lines)
            return (
                *rows[:ROWS_PER_TRANSITION_MAX],
                parts_of(f"… {count(rest)} lines in all; copy them with y", 1),
            )
    return tuple(rows)


def later_lines(later: LaterLines, level: int) -> tuple[tuple[LinePart, ...], ...]:
    """The newest log lines up to a level that a machine wrote after its last transition."""
    shown = [text for at, text in later.lines if at <= level or text.startswith("[extern")]
    rows = [parts_of(row, index) for text in shown for index, row in enumerate(clean_lines(text))]
    hidden = later.missing + max(0, len(rows) - LATER_ROWS_MAX)
    if hidden and rows:
        rows = [parts_of(f"… {count(hidden)} earlier lines", 1), *rows[-LATER_ROWS_MAX:]]
    return tuple(rows)


def gap_text(gap: Gap) -> str:
    """A break in the history, in words."""
    reason = clean(gap.reason)
    if gap.lost > 0:
        lost = counted(gap.lost, "transition")
    else:
        lost = "an unknown number of transitions"
    texts = {
        GapKind.LATE: f"recording began after {lost}",
        GapKind.DROPPED: f"{lost} lost",
        GapKind.RECONNECTED: f"reconnected, {lost} missing" if gap.lost else "reconnected",
        GapKind.SCHEMA: "the schema changed",
        GapKind.CUT: "the recording ends here without an end",
        GapKind.TRIMMED: f"{lost} removed to save memory",
    }
    is_news = bool(reason) and gap.reason not in _REASONS_SAID
    return texts[gap.kind] + (f": {reason}" if is_news else "")


_REASONS_SAID = {
    "dropped",
    "reconnected",
    "recorded from here on",
    "schema changed",
    "trimmed to save memory",
}
"""Reasons of the store for a gap that the words of the gap say already."""
