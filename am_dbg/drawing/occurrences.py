"""Draws a list of errors, canceled transitions or hits: a row for each, in columns."""

from __future__ import annotations

from am_dbg.projection.occurrences import Occurrence, OccurrenceKind, OccurrencesView
from am_dbg.projection.times import clock_time, count, counted, second_time
from am_dbg.spans import GAP, SPACE, Role, Span, SpanLine, cut, left, line, width_of, width_of_spans

WIDE_TIME = 90
"""From this width on, times have hours and minutes."""
NARROW = 50
"""Below this width, times have no microseconds."""
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
    """A line for each row, in columns: time, machine and number, text, and the place if it fits."""
    share = width // 3 if width >= NARROW else 2 * width // 5
    name_width = min(MACHINE_WIDTH_MAX, share, max(map(_name_width, view.rows), default=0))
    heads = [_head(row, name_width, width) for row in view.rows]
    room = width - max(map(width_of_spans, heads), default=0)
    longest = max((width_of(row.where) for row in view.rows), default=0)
    where_width = min(longest, room // 2) if room >= PLACE_ROOM else 0
    role = _ROLES[view.kind]
    return [
        line([*head, *_text(row, role, room, where_width)], width)
        for row, head in zip(view.rows, heads, strict=True)
    ]


def _name_width(row: Occurrence) -> int:
    return width_of(f"{row.machine}/{row.number}")


def _name(row: Occurrence, width: int) -> str:
    """The machine and the number; a long name is cut, the number is not."""
    number = f"/{row.number}"
    return left(cut(row.machine, max(1, width - len(number))) + number, width)


def _head(row: Occurrence, name_width: int, width: int) -> list[Span]:
    time = clock_time(row.time_ns) if width >= WIDE_TIME else second_time(row.time_ns)
    gap = GAP if width >= NARROW else SPACE
    shown = time if width >= NARROW else time.partition(" ")[0]
    return [Span(shown, Role.QUIET), gap, Span(_name(row, name_width), Role.FOCUS), gap]


def _text(row: Occurrence, role: Role, room: int, where_width: int) -> list[Span]:
    if not where_width or not row.where:
        return [Span(cut(row.text, room), role)]
    text = left(row.text, max(0, room - where_width - len(GAP.text)))
    return [Span(text, role), GAP, Span(cut(row.where, where_width), Role.QUIET)]
