"""Draws a list of errors, canceled transitions or hits: a row for each, in columns."""

from __future__ import annotations

from am_dbg.projection.occurrences import Occurrence, OccurrenceKind, OccurrencesView
from am_dbg.projection.times import clock_time, count, counted, second_time
from am_dbg.spans import GAP, Role, Span, SpanLine, cut, fit, left, line, width_of

WIDE_TIME = 90
"""From this width on, times have hours and minutes."""
MACHINE_WIDTH_MAX = 28
PLACE_ROOM = 40
"""Cells behind the name from which on a row has the place beside the text."""
_ROLES = {
    OccurrenceKind.ERROR: Role.ERROR,
    OccurrenceKind.CANCELED: Role.CANCELED,
    OccurrenceKind.HIT: Role.PLAIN,
}


def occurrences_title(view: OccurrencesView) -> str:
    """`8 errors in 6 machines`; of a long list, how many rows are listed."""
    if not view.total:
        return f"no {view.kind.value}s"
    title = f"{counted(view.total, view.kind.value)} in {counted(view.machines, 'machine')}"
    listed = len(view.rows)
    return title if listed == view.total else f"{title}, the {count(listed)} around here"


def draw_occurrences(view: OccurrencesView, width: int) -> list[SpanLine]:
    """A line for each row: time, machine and number, text, and the place at the right."""
    names = [_name(row) for row in view.rows]
    name_width = min(MACHINE_WIDTH_MAX, width // 3, max(map(width_of, names), default=0))
    return [
        _line(row, left(name, name_width), _ROLES[view.kind], width)
        for row, name in zip(view.rows, names, strict=True)
    ]


def _name(row: Occurrence) -> str:
    return f"{row.machine}/{row.number}"


def _line(row: Occurrence, name: str, role: Role, width: int) -> SpanLine:
    time = clock_time(row.time_ns) if width >= WIDE_TIME else second_time(row.time_ns)
    head = [Span(time, Role.QUIET), GAP, Span(name, Role.FOCUS), GAP]
    room = width - sum(width_of(span.text) for span in head)
    where = cut(row.where, room // 2) if room >= PLACE_ROOM else ""
    text = left(row.text, max(0, room - width_of(where) - (2 if where else 0)))
    tail = [GAP, Span(where, Role.QUIET)] if where else []
    return line(fit([*head, Span(text, role), *tail], width), width)
