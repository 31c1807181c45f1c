"""Draws the timeline: a row of density and a row of time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from am_dbg.projection.timeline import Column, TimelineView
from am_dbg.projection.times import axis_time, duration
from am_dbg.spans import Role, Span, SpanLine, line, width_of

BLOCKS = "▁▂▃▄▅▆▇█"
LABEL_SHIFT_MAX = 12
"""How many cells the times of both ends may move to make room for marks; an arrow then shows
to which end a time belongs."""
CURSOR_GAP = 2
"""Cells between the cursor and a time, which otherwise reads as the time of the cursor."""


def draw_timeline(view: TimelineView, width: int, *, lit: bool = False) -> list[SpanLine]:
    """Two lines; the columns of the view stand one cell from the edges."""
    if view.is_empty:
        return [line([Span(" " + "▁" * (width - 2), Role.FRAME)], width), line([], width)]
    return [_density(view, width), _axis(view, width, lit)]


def _density(view: TimelineView, width: int) -> SpanLine:
    cells = [
        (BLOCKS[min(column.level, len(BLOCKS) - 1)], _role(column, is_past=place <= view.cursor))
        for place, column in enumerate(view.columns)
    ]
    return _line_of(cells, width)


def _line_of(cells: Sequence[tuple[str, Role]], width: int) -> SpanLine:
    """A line with a span for all neighbours of one role."""
    spans = [Span(" ")]
    for role, group in groupby(cells, key=itemgetter(1)):
        spans.append(Span("".join(char for char, _ in group), role))
    return line(spans, width)


def _role(column: Column, *, is_past: bool) -> Role:
    sign = _sign(column)
    if sign:
        return sign[1]
    return Role.FOCUS if is_past else Role.FUTURE


def _sign(column: Column) -> tuple[str, Role] | None:
    """What is wrong in a column, as a mark."""
    if column.has_error:
        return "E", Role.ERROR
    return ("✗", Role.CANCELED) if column.has_canceled else None


def _axis(view: TimelineView, width: int, lit: bool) -> SpanLine:
    """Marks first, then what can be written between them: pauses, and the times of both ends."""
    cells: list[tuple[str, Role]] = [("─", Role.FOCUS if lit else Role.FRAME)] * len(view.columns)
    _mark(cells, view)
    start, end = axis_time(view.start_ns), axis_time(view.end_ns)
    if len(cells) >= 3 * width_of(start):
        last = len(cells) - width_of(end)
        shifts = range(1, LABEL_SHIFT_MAX + width_of(start))
        _write_end(view, cells, [(0, start), *((at, f"◂{start}") for at in shifts)])
        _write_end(view, cells, [(last, end), *((last - 1 - at, f"{end}▸") for at in shifts)])
    for pause in view.pauses:
        _write(cells, pause.column, f"┊{duration(pause.span_ns)}─")
    return _line_of(cells, width)


def _write_end(
    view: TimelineView, cells: list[tuple[str, Role]], places: Sequence[tuple[int, str]]
) -> None:
    """Write the time of an end at the first of some places that is free and not at the cursor."""
    for start, text in places:
        is_near = start - CURSOR_GAP <= view.cursor < start + width_of(text) + CURSOR_GAP
        if not is_near and _write(cells, start, text):
            return


def _mark(cells: list[tuple[str, Role]], view: TimelineView) -> None:
    """Write the marks, which are visible without colour too; the cursor covers all others.

    Neighbours of one kind have one mark, at the first of them that nothing covers.
    """
    covered = {view.cursor, *view.bookmarks}
    for sign, run in groupby(enumerate(view.columns), key=lambda one: _sign(one[1])):
        places = [place for place, _ in run]
        for place in places:
            if view.columns[place].has_gap:
                cells[place] = ("┆", Role.CANCELED)
        if sign:
            cells[next((one for one in places if one not in covered), places[0])] = sign
    for place in view.bookmarks:
        cells[place] = ("b", Role.FLAG)
    if 0 <= view.cursor < len(cells):
        cells[view.cursor] = ("▲", Role.PLAIN)


def _write(cells: list[tuple[str, Role]], start: int, text: str) -> bool:
    """Write a text if nothing else is written there; returns whether it was."""
    spot = cells[max(0, start) : start + len(text)]
    if len(spot) < len(text) or any(char != "─" for char, _ in spot):
        return False
    cells[start : start + len(text)] = [
        (char, role if char == "─" else Role.QUIET)
        for char, (_, role) in zip(text, spot, strict=True)
    ]
    return True
