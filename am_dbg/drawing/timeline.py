"""The timeline: a row of density, a row of time."""

from __future__ import annotations

from am_dbg.ink import Ink, Line, Run, line, width_of
from am_dbg.projection.timeline import Column, TimelineView
from am_dbg.projection.times import axis_time, duration

__all__ = ["draw_timeline"]

BLOCKS = "▁▂▃▄▅▆▇█"


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
    inner = len(view.columns)
    start, end = axis_time(view.start_ns), axis_time(view.end_ns)
    if inner < 3 * width_of(start):
        start = end = ""
    cells: list[tuple[str, Ink]] = [("─", Ink.PLACE if lit else Ink.LINE)] * inner
    for place, char in enumerate(start):
        cells[place] = (char, Ink.QUIET)
    for place, char in enumerate(reversed(end), start=1):
        cells[-place] = (char, Ink.QUIET)
    for place, column in enumerate(view.columns):
        if column.has_error and not (place and view.columns[place - 1].has_error):
            cells[place] = ("E", Ink.ERROR)
        elif column.has_gap:
            cells[place] = ("┆", Ink.CANCELED)
    for pause in view.pauses:
        _label(cells, pause.column, f"┊{duration(pause.span_ns)}")
    for place in view.bookmarks:
        cells[place] = ("b", Ink.FLAG)
    if 0 <= view.cursor < inner:
        cells[view.cursor] = ("▲", Ink.PLAIN)
    runs = [Run(" ")]
    for char, ink in cells:
        if len(runs) > 1 and runs[-1].ink is ink:
            runs[-1] = Run(runs[-1].text + char, ink)
        else:
            runs.append(Run(char, ink))
    return line(runs, width)


def _label(cells: list[tuple[str, Ink]], place: int, text: str) -> None:
    """Write a text onto the axis where nothing else is written."""
    spot = range(place, place + len(text))
    if spot.stop < len(cells) and all(cells[at][0] == "─" for at in (*spot, spot.stop)):
        for at, char in zip(spot, text, strict=True):
            cells[at] = (char, Ink.QUIET)
