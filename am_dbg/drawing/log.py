"""Draws the log: a row for each transition, with its log lines below."""

from __future__ import annotations

from am_dbg.drawing.filters import query_note
from am_dbg.drawing.marking import marked
from am_dbg.projection.filtering.filter_line import NO_FILTER, FilterLineView
from am_dbg.projection.log.entries import EntryKind, StateChange, StateWord, TransitionEntry
from am_dbg.projection.log.line_parts import spans_of
from am_dbg.projection.log.view import LogView
from am_dbg.projection.log.window import LogRow, RowKind
from am_dbg.projection.times import axis_time, count, second_time
from am_dbg.spans import (
    BLANK,
    CURSOR_MARK,
    GAP,
    SPACE,
    Role,
    Span,
    SpanLine,
    cursor_role,
    fit,
    line,
    pad,
    right,
    spread,
    width_of,
    width_of_spans,
    wrap,
)

NARROW = 60
"""Below this width times have no microseconds, and log lines are indented less."""
NARROW_INDENT = 4
TIME_WIDTH = 10
KIND_ROLES = {
    EntryKind.ADD: Role.ADDED,
    EntryKind.REMOVE: Role.REMOVED,
    EntryKind.SET: Role.FOCUS,
    EntryKind.CHECK: Role.QUIET,
    EntryKind.EVAL: Role.QUIET,
    EntryKind.CANCELED: Role.CANCELED,
    EntryKind.ERROR: Role.ERROR,
}
_CHANGE_ROLES = {
    StateChange.ADDED: Role.ADDED,
    StateChange.REMOVED: Role.REMOVED,
    StateChange.NONE: Role.QUIET,
}


def log_title_note(view: LogView, filter_line: FilterLineView = NO_FILTER) -> str:
    """The note at the right of the log's title; what a query hides is counted apart."""
    if view.hints:
        return ""
    others = view.hidden - filter_line.hidden
    hidden = f" · {count(others)} hidden" if others > 0 else ""
    note = query_note(filter_line) or ("" if view.scope else "f filters")
    return f"{view.level}{note and ' · '}{note}{hidden}"


def draw_log(view: LogView, width: int, *, lit: bool = False) -> list[SpanLine]:
    """One line per row of the view; without a machine, how to get one."""
    if view.hints:
        return [BLANK, *(row for hint in view.hints for row in _hint_lines(hint, width))]
    return [_row(row, view, width, lit) for row in view.rows]


def _hint_lines(hint: str, width: int) -> list[SpanLine]:
    """A hint over as many lines as it needs, indented as it is."""
    indent = 2 + len(hint) - len(hint.lstrip(" "))
    rows = wrap([Span(hint.strip(), Role.QUIET)], max(1, width - indent - 1))
    return [line([pad(indent), *row], width) for row in rows]


def _row(row: LogRow, view: LogView, width: int, lit: bool) -> SpanLine:
    if row.kind is RowKind.ENTRY and row.entry is not None:
        return _entry_line(row, row.entry, view, width, lit)
    if row.kind is RowKind.LINE:
        spans = marked(spans_of(row.parts), view.needle)
        indent = text_column(view.number_digits, width) if width >= NARROW else NARROW_INDENT
        return line([pad(indent), *spans], width)
    if row.kind is RowKind.GAP:
        return line(rule(row.text, Role.CANCELED, width), width)
    if row.kind is RowKind.SECOND:
        return line(rule(axis_time(row.time_ns)[:8], Role.QUIET, width), width)
    spans = [
        CURSOR_MARK if row.is_current else SPACE,
        Span(right("0", view.number_digits + 1), Role.PLAIN if row.is_current else Role.QUIET),
        pad(text_column(view.number_digits, width) - view.number_digits - 2),
        Span("initial structure", Role.QUIET, bold=row.is_current),
    ]
    return line(spans, width, cursor_role(row.is_current, lit=lit))


def text_column(number_digits: int, width: int) -> int:
    """The column at which the states of a transition begin, and its log lines if there is room."""
    gap = 2 if width >= NARROW else 1
    return number_digits + 2 + 2 + time_width(width, NARROW) + gap + 2


def time_width(width: int, narrow: int) -> int:
    """The cells of a time in a log of some width; below `narrow` it has no microseconds."""
    return TIME_WIDTH if width >= narrow else TIME_WIDTH - 4


def _entry_line(
    row: LogRow, entry: TransitionEntry, view: LogView, width: int, lit: bool
) -> SpanLine:
    current = row.is_current
    number = right(str(entry.number), view.number_digits + 1)
    head = [
        CURSOR_MARK if current else SPACE,
        Span(number, Role.PLAIN if current else Role.QUIET, bold=current),
        Span(row.mark or " ", Role.FLAG, bold=True),
        SPACE,
        Span(second_time(entry.time_ns)[: time_width(width, NARROW)], Role.QUIET),
        GAP if width >= NARROW else SPACE,
        Span(entry.kind.value, KIND_ROLES[entry.kind], bold=True),
        Span(" "),
        *entry_words(entry, bold=current),
    ]
    if entry.note:
        head += [Span("  "), Span(entry.note, Role.QUIET)]
    if entry.args:
        head += [Span("  "), Span(entry.args, Role.QUIET)]
    head = marked(head, view.needle)
    tail = [Span(entry.flags, Role.FLAG), Span(" ")] if entry.flags and width >= NARROW else []
    if width_of_spans(head) > width and width < NARROW:
        return SpanLine(tuple(fit(head, width)), cursor_role(current, lit=lit))
    return line(spread(head, tail, width), width, cursor_role(current, lit=lit))


def entry_words(entry: TransitionEntry, *, bold: bool) -> list[Span]:
    """The states of a transition: those that were called, then those that relations changed."""
    spans: list[Span] = []
    for word in entry.called:
        if spans:
            spans.append(Span(" "))
        spans.append(Span(entry.written(word), _called_role(entry, word), bold=bold))
    for word in entry.implied:
        if spans:
            spans.append(Span(" "))
        spans.append(Span(entry.written(word), _CHANGE_ROLES[word.change]))
    return spans or [Span("nothing", Role.QUIET)]


def _called_role(entry: TransitionEntry, word: StateWord) -> Role:
    if entry.kind is EntryKind.CANCELED:
        return Role.CANCELED
    if entry.kind is EntryKind.ERROR and word.change is not StateChange.REMOVED:
        return Role.ERROR
    return _CHANGE_ROLES[word.change]


def rule(text: str, role: Role, width: int) -> list[Span]:
    """A line across the pane with a text near its left end; without room, the text alone."""
    head = f" ── {text} "
    if width_of(head) > width:
        return [Span(f" {text}", role)]
    return [Span(head, role), Span("─" * max(0, width - width_of(head) - 1), role), Span(" ")]
