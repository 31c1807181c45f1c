"""Draws the tree of states, with arcs for the relations that steps used."""

from __future__ import annotations

from am_dbg.drawing.frame import with_scroll_bar
from am_dbg.drawing.reasons import draw_reasons
from am_dbg.projection.states import Arc, ReferenceRow, StateRow, StatesView, WhyNotRow
from am_dbg.projection.times import count
from am_dbg.spans import CURSOR_MARK, SPACE, Role, Span, SpanLine, cursor_role, line, right, spread

MARKS_WIDTH = 4
ARC_WIDTH_MIN = 34

_MARK_ROLES = {"+": Role.ADDED, "-": Role.REMOVED, "*": Role.HANDLER, "!": Role.CANCELED}
_RELATION_ROLES = {"add": Role.ADDED, "remove": Role.REMOVED, "require": Role.HANDLER}


def draw_states(view: StatesView, width: int, *, lit: bool = False) -> list[SpanLine]:
    """One line per row of the view; arcs stand right of the rows when there is room."""
    lanes = _lanes(view.arcs, len(view.rows)) if width >= ARC_WIDTH_MIN else []
    gutter = len(lanes) + 1 if lanes else 0
    inner = width - 1 - gutter
    digits = max(
        (len(count(row.tick)) for row in view.rows if isinstance(row, StateRow)), default=1
    )
    marks = max(
        (len(row.marks) for row in view.rows if isinstance(row, StateRow)), default=MARKS_WIDTH
    )
    marks = min(max(marks, 2), 8)
    rows = []
    for place, row in enumerate(view.rows):
        if isinstance(row, StateRow):
            drawn = _state(row, inner, digits, marks, lit)
        elif isinstance(row, WhyNotRow):
            drawn = _why_not(row, inner, lit)
        else:
            drawn = _reference(row, inner, lit)
        rows.append(SpanLine((*drawn.spans, *_gutter(lanes, place)), drawn.role))
    return with_scroll_bar(rows, view.top, view.total_rows)


def _state(row: StateRow, width: int, digits: int, marks: int, lit: bool) -> SpanLine:
    dot = (
        Span("●", Role.ERROR if row.is_error else Role.ADDED)
        if row.is_active
        else Span("○", Role.QUIET)
    )
    role = Role.PLAIN
    if row.is_active and row.is_error:
        role = Role.ERROR
    elif not row.is_active and not row.tick and not row.is_touched:
        role = Role.QUIET
    name = Span(row.name, role, bold=row.is_active, underline=row.is_called)
    fold = CURSOR_MARK if row.is_selected else Span("▾" if row.is_open else " ", Role.QUIET)
    head = [fold, dot, Span(" "), name]
    tail = [
        Span(right(count(row.tick), digits), Role.PLAIN if row.tick else Role.QUIET),
        Span(" "),
        *_marks(row.marks, marks),
        Span(" "),
        Span("M" if row.is_multi else " ", Role.FLAG),
        Span("a" if row.is_auto else " ", Role.FLAG),
    ]
    return line(spread(head, tail, width), width, cursor_role(row.is_selected, lit=lit))


def _marks(marks: str, width: int) -> list[Span]:
    shown = marks if len(marks) <= width else "…" + marks[-(width - 1) :]
    return [
        *(Span(mark, _MARK_ROLES.get(mark, Role.QUIET), bold=True) for mark in shown),
        Span(" " * (width - len(shown))),
    ]


def _reference(row: ReferenceRow, width: int, lit: bool) -> SpanLine:
    branch = "└ " if row.is_last else "├ "
    role = _RELATION_ROLES.get(row.relation, Role.QUIET) if row.is_step else Role.QUIET
    target_role = Role.FOCUS if row.is_related else Role.PLAIN if row.is_step else Role.QUIET
    arrow = "▸ " if row.is_current else ""
    spans = [
        CURSOR_MARK if row.is_selected else SPACE,
        Span("   " + branch, Role.QUIET),
        Span(f"{row.relation} ", role, bold=row.is_current),
        Span(arrow, Role.FOCUS),
        Span(row.target, target_role, bold=row.is_current),
    ]
    return line(spans, width, cursor_role(row.is_selected, lit=lit))


def _why_not(row: WhyNotRow, width: int, lit: bool) -> SpanLine:
    mark = CURSOR_MARK if row.is_selected else SPACE
    spans = [mark, Span("   "), *draw_reasons([row.reason])[0].spans]
    return line(spans, width, cursor_role(row.is_selected, lit=lit))


def _lanes(arcs: tuple[Arc, ...], height: int) -> list[list[Arc]]:
    """Arcs side by side: those that overlap get lanes of their own, at most four."""
    lanes: list[list[Arc]] = []
    for arc in sorted(arcs, key=lambda arc: abs(arc.start - arc.end)):
        low, high = sorted((arc.start, arc.end))
        for lane in lanes:
            if all(high < min(a.start, a.end) or low > max(a.start, a.end) for a in lane):
                lane.append(arc)
                break
        else:
            if len(lanes) < 4:
                lanes.append([arc])
    return lanes


def _gutter(lanes: list[list[Arc]], row: int) -> list[Span]:
    """The piece of every arc in one row: from its start (╮ or ╯) to the arrow at its end."""
    if not lanes:
        return []
    cells = [" "] * (len(lanes) + 1)
    roles = [Role.QUIET] * (len(lanes) + 1)
    for lane, arcs in enumerate(lanes, start=1):
        for arc in arcs:
            low, high = sorted((arc.start, arc.end))
            if not low <= row <= high:
                continue
            role = Role.FOCUS if arc.is_current else Role.QUIET
            roles[lane] = role
            if row in (arc.start, arc.end):
                cells[lane] = "╮" if row == low else "╯"
                for crossed in range(1, lane):
                    if cells[crossed] == " ":
                        cells[crossed], roles[crossed] = "─", role
                cells[0] = "◂" if row == arc.end else "─" if cells[0] == " " else cells[0]
                roles[0] = role
            else:
                cells[lane] = "│"
    return [Span(cell, role) for cell, role in zip(cells, roles, strict=True)]
