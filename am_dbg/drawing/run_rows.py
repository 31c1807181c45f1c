"""Draws the headings of runs in the list of machines."""

from __future__ import annotations

from am_dbg.projection.runs.run_rows import RunRow
from am_dbg.spans import (
    CURSOR_MARK,
    SPACE,
    Role,
    Span,
    SpanLine,
    cursor_role,
    line,
    width_of,
    width_of_spans,
)


def draw_run_row(row: RunRow, width: int, *, lit: bool) -> SpanLine:
    """The heading with the longest of its notes that fits."""
    role = Role.FOCUS if row.is_newest else Role.PLAIN
    head = [
        CURSOR_MARK if row.is_selected else SPACE,
        Span("●", Role.ADDED) if row.is_connected else Span("○", Role.QUIET),
        Span("▾" if row.is_open else "▸", Role.QUIET),
        SPACE,
        Span(row.title, role, bold=row.is_newest or row.is_selected),
    ]
    room = width - width_of_spans(head) - len(_DOT)
    note = next((note for note in row.notes if width_of(note) <= room), "")
    tail = [Span(f"{_DOT}{note}", Role.QUIET)] if note else []
    return line([*head, *tail], width, cursor_role(row.is_selected, lit=lit))


_DOT = " · "
