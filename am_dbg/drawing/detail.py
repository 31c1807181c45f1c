"""Draws one transition in full: the row of tabs, then the rows of the open tab, broken to fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from am_dbg.drawing.marking import marked
from am_dbg.projection.detail.rows import DetailRow
from am_dbg.projection.detail.tabs import DetailTab
from am_dbg.projection.text.line_breaks import broken
from am_dbg.projection.text.traces import short_path
from am_dbg.projection.times import count
from am_dbg.spans import (
    BLANK,
    GAP,
    SPACE,
    LineRole,
    Role,
    Span,
    SpanLine,
    fit,
    line,
    pad,
    spread,
    width_of,
    width_of_spans,
)

MARGIN = 1
"""Empty columns at both sides of the text."""
HEAD_ROWS = 2
"""Rows above the text: the tabs, and an empty one."""


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """One row on the screen, and the index of the row that it is a part of."""

    spans: tuple[Span, ...]
    index: int


@dataclass(frozen=True, slots=True)
class DetailView:
    """The rows of the open tab that are on show, from `top` of `total`.

    `hit` is the row of the current hit of a search, `cursor` that of the step that Enter follows;
    -1 for none on show.
    """

    title: str = ""
    tab: DetailTab = DetailTab.WHY
    counts: tuple[tuple[DetailTab, int], ...] = ()
    rows: tuple[tuple[Span, ...], ...] = ()
    top: int = 0
    total: int = 0
    needle: str = ""
    hits: int = 0
    hit: int = -1
    cursor: int = -1
    is_cut: bool = False


def break_rows(rows: Sequence[DetailRow], width: int, *, wraps: bool) -> tuple[DrawnRow, ...]:
    """The rows of a tab as rows of the screen; paths of traces are cut from the left to fit."""
    room = max(1, width - 2 * MARGIN)
    drawn: list[DrawnRow] = []
    for index, row in enumerate(rows):
        spans = _with_short_path(row, room)
        pieces = broken(spans, room, row.indent) if wraps else [spans]
        drawn += [DrawnRow(tuple(piece), index) for piece in pieces]
    return tuple(drawn)


def _with_short_path(row: DetailRow, room: int) -> list[Span]:
    spans = list(row.spans)
    excess = width_of_spans(spans) - room
    if row.path >= 0 and excess > 0:
        path = spans[row.path]
        spans[row.path] = path._replace(text=short_path(path.text, len(path.text) - excess))
    return spans


def draw_detail(view: DetailView, width: int) -> list[SpanLine]:
    """The tabs with the place at the right, then the rows."""
    if not view.title:
        return []
    lines = _head(view, width)
    for at, row in enumerate(view.rows):
        is_marked = at in (view.hit, view.cursor)
        role = LineRole.CURSOR if is_marked else LineRole.PLAIN
        edge = Span("▸" if is_marked else " ", Role.FOCUS, bold=True)
        lines.append(SpanLine(tuple(fit([edge, *marked(row, view.needle)], width)), role))
    return lines


def _head(view: DetailView, width: int) -> list[SpanLine]:
    """The tabs with the place at the right; on narrow screens below them."""
    tail = [Span(_place(view), Role.QUIET), SPACE]
    tabs = _tabs(view)
    if width_of_spans([*tabs, *tail]) < width:
        return [line(spread(tabs, tail, width), width), BLANK]
    for gap, counted in ((GAP, True), (SPACE, True), (SPACE, False)):
        tabs = _tabs(view, gap, counted=counted)
        if width_of_spans(tabs) <= width + width_of(gap.text):
            break
    if width_of_spans(tail) > width:
        tail = [Span(_place(view, short=True), Role.QUIET), SPACE]
    return [line(tabs, width), line([pad(width - width_of_spans(tail)), *tail], width)]


def _place(view: DetailView, *, short: bool = False) -> str:
    """Which rows are on show, and how many a search has found."""
    last = view.top + len(view.rows)
    words = "found" if short else "rows with the text"
    found = f"{count(view.hits)} {words} · " if view.needle else ""
    if not view.top and last >= view.total:
        return f"{found}all rows"
    return f"{found}rows {count(view.top + 1)}–{count(last)} of {count(view.total)}"


def _tabs(view: DetailView, gap: Span = GAP, *, counted: bool = True) -> list[Span]:
    spans: list[Span] = []
    for tab, number in view.counts:
        is_open = tab is view.tab
        role = Role.FOCUS if is_open else Role.QUIET
        text = f"{tab.value} {count(number)}" if number and counted else tab.value
        link = f"action:{tab_action(tab)}"
        spans += [
            Span("▸" if is_open else " ", Role.FOCUS),
            Span(text, role, bold=is_open, underline=is_open, link=link),
            gap,
        ]
    return spans


def tab_action(tab: DetailTab) -> str:
    """The action that opens a tab."""
    return f"detail_{tab.name.lower()}"
