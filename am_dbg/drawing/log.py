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
    SPACE,
    Role,
    Span,
    SpanLine,
    cursor_role,
    fit,
    line,
    right,
    spread,
    width_of,
    width_of_spans,
)

NARROW = 60
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
        return [BLANK, *(line([Span(f"  {hint}", Role.QUIET)], width) for hint in view.hints)]
    return [_row(row, view, width, lit) for row in view.rows]


def _row(row: LogRow, view: LogView, width: int, lit: bool) -> SpanLine:
    if row.kind is RowKind.ENTRY and row.entry is not None:
        return _entry_line(row, row.entry, view, width, lit)
    if row.kind is RowKind.LINE:
        spans = marked(spans_of(row.parts), view.needle)
        return line([Span(" " * text_column(view.number_digits)), *spans], width)
    if row.kind is RowKind.GAP:
        return line(rule(row.text, Role.CANCELED, width), width)
    if row.kind is RowKind.SECOND:
        return line(rule(axis_time(row.time_ns)[:8], Role.QUIET, width), width)
    spans = [
        CURSOR_MARK if row.is_current else SPACE,
        Span(right("0", view.number_digits + 1), Role.PLAIN if row.is_current else Role.QUIET),
        Span(" " * (TIME_WIDTH + 5)),
        Span("initial structure", Role.QUIET, bold=row.is_current),
    ]
    return line(spans, width, cursor_role(row.is_current, lit=lit))


def text_column(number_digits: int) -> int:
    """The column at which the states and the log lines of a transition begin."""
    return number_digits + 2 + 2 + TIME_WIDTH + 2 + 2


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
        Span(second_time(entry.time_ns), Role.QUIET),
        Span("  "),
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
        spans.append(Span(word.name, _called_role(entry, word), bold=bold))
    for word in entry.implied:
        if spans:
            spans.append(Span(" "))
        spans.append(Span(word.change.value + word.name, _CHANGE_ROLES[word.change]))
    return spans or [Span("nothing", Role.QUIET)]


def _called_role(entry: TransitionEntry, word: StateWord) -> Role:
    if entry.kind is EntryKind.CANCELED:
        return Role.CANCELED
    if entry.kind is EntryKind.ERROR and word.change is not StateChange.REMOVED:
        return Role.ERROR
    return _CHANGE_ROLES[word.change]


def rule(text: str, role: Role, width: int) -> list[Span]:
    """A line across the pane with a text near its left end."""
    head = f" ── {text} "
    return [Span(head, role), Span("─" * max(0, width - width_of(head) - 1), role), Span(" ")]
