"""Draws the log of all machines: time, machine and number first, the cause of a row behind it."""

from __future__ import annotations

from am_dbg.drawing.log import KIND_ROLES, NARROW_INDENT, entry_words, rule, time_width
from am_dbg.drawing.marking import marked
from am_dbg.projection.log.entries import TransitionEntry
from am_dbg.projection.log.line_parts import spans_of
from am_dbg.projection.log.view import LogView
from am_dbg.projection.log.window import LogRow, RowKind
from am_dbg.projection.times import axis_time, second_time
from am_dbg.spans import (
    CURSOR_MARK,
    GAP,
    SPACE,
    Role,
    Span,
    SpanLine,
    cursor_role,
    left,
    line,
    pad,
    right,
    spread,
    width_of_spans,
)

NARROW = 70
"""Below this width times have no microseconds, names are cut, and log lines are indented less.

A cause is then shown only beside states that are whole.
"""
NARROW_NAME = 12


def draw_merged_log(view: LogView, width: int, *, lit: bool = False) -> list[SpanLine]:
    """One line for each row of the view."""
    return [_row(row, view, width, lit) for row in view.rows]


def _row(row: LogRow, view: LogView, width: int, lit: bool) -> SpanLine:
    if row.kind is RowKind.ENTRY and row.entry is not None:
        return _entry(row, row.entry, view, width, lit)
    if row.kind is RowKind.LINE:
        column = merged_text_column(view.name_width, view.number_digits, width)
        indent = column if width >= NARROW else NARROW_INDENT
        return line([pad(indent), *marked(spans_of(row.parts), view.needle)], width)
    if row.kind is RowKind.SECOND:
        return line(rule(axis_time(row.time_ns)[:8], Role.QUIET, width), width)
    return line(rule(row.text, Role.CANCELED, width), width)


def _name_width(names: int, width: int) -> int:
    return names if width >= NARROW else min(names, NARROW_NAME)


def merged_text_column(names: int, digits: int, width: int) -> int:
    """The column at which states begin, and log lines if there is room."""
    return 2 + time_width(width, NARROW) + 1 + _name_width(names, width) + 1 + digits + 1 + 2


def _entry(row: LogRow, entry: TransitionEntry, view: LogView, width: int, lit: bool) -> SpanLine:
    current = row.is_current
    name = left(row.machine, _name_width(view.name_width, width))
    head = [
        CURSOR_MARK if current else SPACE,
        Span(row.mark or " ", Role.FLAG, bold=True),
        Span(second_time(entry.time_ns)[: time_width(width, NARROW)], Role.QUIET),
        SPACE,
        Span(name, Role.FOCUS if current else Role.PLAIN, bold=current),
        SPACE,
        Span(right(str(row.number), view.number_digits), Role.QUIET, bold=current),
        SPACE,
        Span(entry.kind.value, KIND_ROLES[entry.kind], bold=True),
        SPACE,
        *entry_words(entry, bold=current),
    ]
    tail = [Span(f"◂ {row.cause}", Role.HANDLER), SPACE] if row.cause else []
    if width >= NARROW:
        tail += [Span(entry.flags, Role.FLAG), SPACE] if entry.flags else []
    elif width_of_spans([*head, *tail]) >= width:
        tail = []
    head += [span for text in (entry.note, entry.args) if text for span in _quiet(text)]
    fitted = spread(marked(head, view.needle), tail, width)
    return line(fitted, width, cursor_role(current, lit=lit))


def _quiet(text: str) -> tuple[Span, Span]:
    return (GAP, Span(text, Role.QUIET))
