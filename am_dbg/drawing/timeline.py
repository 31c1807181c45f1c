"""Draws the timeline: a row of density and a row of time."""

from __future__ import annotations

from collections.abc import Iterable

from am_dbg.projection.timeline import Column, TimelineView
from am_dbg.projection.times import axis_time, duration
from am_dbg.spans import Ink, Line, Run, line, width_of

BLOCKS = "▁▂▃▄▅▆▇█"
LABEL_SHIFT_MAX = 12
"""How many cells the times of both ends may move to make room for marks."""


def draw_timeline(view: TimelineView, width: int, *, lit: bool = False) -> list[Line]:
    """Two lines; the columns of the view stand one cell from the edges."""
    if view.is_empty:
        return [line([Run(" " + "▁" * (width - 2), Ink.LINE)], width), line([], width)]
    return [_density(view, width), _axis(view, width, lit)]


def _density(view: TimelineView, width: int) -> Line:
    runs = [Run(" ")]
    for place, column in enumerate(view.columns):
        ink = _ink(column, is_past=place <= view.cursor)
        text = BLOCKS[min(column.level, len(BLOCKS) - 1)]
        if runs[-1].ink is ink and len(runs) > 1:
            runs[-1] = Run(runs[-1].text + text, ink)
        else:
            runs.append(Run(text, ink))
    return line(runs, width)


def _ink(column: Column, *, is_past: bool) -> Ink:
    if column.has_error:
        return Ink.ERROR
    if column.has_canceled:
        return Ink.CANCELED
    return Ink.PLACE if is_past else Ink.FUTURE


def _axis(view: TimelineView, width: int, lit: bool) -> Line:
    """Marks first, then what can be written between them: pauses, and the times of both ends."""
    cells: list[tuple[str, Ink]] = [("─", Ink.PLACE if lit else Ink.LINE)] * len(view.columns)
    _mark(cells, view)
    start, end = axis_time(view.start_ns), axis_time(view.end_ns)
    if len(cells) >= 3 * width_of(start):
        _write_near(cells, range(LABEL_SHIFT_MAX), start)
        last = len(cells) - width_of(end)
        _write_near(cells, range(last, last - LABEL_SHIFT_MAX, -1), end)
    for pause in view.pauses:
        _write_near(cells, (pause.column,), f"┊{duration(pause.span_ns)}─")
    runs = [Run(" ")]
    for char, ink in cells:
        if len(runs) > 1 and runs[-1].ink is ink:
            runs[-1] = Run(runs[-1].text + char, ink)
        else:
            runs.append(Run(char, ink))
    return line(runs, width)


def _mark(cells: list[tuple[str, Ink]], view: TimelineView) -> None:
    """Write the marks, which are visible without colour too; the cursor covers all others."""
    for place, column in enumerate(view.columns):
        if column.has_error and not (place and view.columns[place - 1].has_error):
            cells[place] = ("E", Ink.ERROR)
        elif column.has_gap:
            cells[place] = ("┆", Ink.CANCELED)
    for place in view.bookmarks:
        cells[place] = ("b", Ink.FLAG)
    if 0 <= view.cursor < len(cells):
        cells[view.cursor] = ("▲", Ink.PLAIN)


def _write_near(cells: list[tuple[str, Ink]], starts: Iterable[int], text: str) -> None:
    """Write a text at the first of some places where nothing else is written."""
    for start in starts:
        spot = cells[start : start + len(text)]
        if len(spot) == len(text) and all(char == "─" for char, _ in spot):
            cells[start : start + len(text)] = [
                (char, ink if char == "─" else Ink.QUIET)
                for char, (_, ink) in zip(text, spot, strict=True)
            ]
            return
