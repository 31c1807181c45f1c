"""Draws the tree of states, with arcs for the relations that steps used."""

from __future__ import annotations

from am_dbg.drawing.frame import with_scroll_bar
from am_dbg.projection.states import Arc, ReferenceRow, StateRow, StatesView
from am_dbg.projection.times import count
from am_dbg.spans import HERE, SPACE, Ground, Ink, Line, Run, line, right, spread

MARKS_WIDTH = 4
FLAGS_WIDTH = 3
ARC_WIDTH_MIN = 34

_MARK_INKS = {"+": Ink.ADDED, "-": Ink.REMOVED, "*": Ink.HANDLER, "!": Ink.CANCELED}
_RELATION_INKS = {"add": Ink.ADDED, "remove": Ink.REMOVED, "require": Ink.HANDLER}


def draw_states(view: StatesView, width: int, *, lit: bool = False) -> list[Line]:
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
        else:
            drawn = _reference(row, inner, lit)
        rows.append(Line((*drawn.runs, *_gutter(lanes, place)), drawn.ground))
    return with_scroll_bar(rows, view.top, view.total_rows)


def _state(row: StateRow, width: int, digits: int, marks: int, lit: bool) -> Line:
    dot = (
        Run("●", Ink.ERROR if row.is_error else Ink.ADDED) if row.is_active else Run("○", Ink.QUIET)
    )
    ink = Ink.PLAIN
    if row.is_active and row.is_error:
        ink = Ink.ERROR
    elif not row.is_active and not row.tick and not row.is_touched:
        ink = Ink.QUIET
    name = Run(row.name, ink, bold=row.is_active, underline=row.is_called)
    fold = HERE if row.is_selected else Run("▾" if row.is_open else " ", Ink.QUIET)
    head = [fold, dot, Run(" "), name]
    tail = [
        Run(right(count(row.tick), digits), Ink.PLAIN if row.tick else Ink.QUIET),
        Run(" "),
        *_marks(row.marks, marks),
        Run(" "),
        Run("M" if row.is_multi else " ", Ink.FLAG),
        Run("a" if row.is_auto else " ", Ink.FLAG),
    ]
    return line(spread(head, tail, width), width, _ground(row, lit))


def _ground(row: StateRow | ReferenceRow, lit: bool) -> Ground:
    if row.is_selected:
        return Ground.CURSOR if lit else Ground.MARKED
    return Ground.NONE


def _marks(marks: str, width: int) -> list[Run]:
    shown = marks if len(marks) <= width else "…" + marks[-(width - 1) :]
    return [
        *(Run(mark, _MARK_INKS.get(mark, Ink.QUIET), bold=True) for mark in shown),
        Run(" " * (width - len(shown))),
    ]


def _reference(row: ReferenceRow, width: int, lit: bool) -> Line:
    branch = "└ " if row.is_last else "├ "
    ink = _RELATION_INKS.get(row.relation, Ink.QUIET) if row.is_step else Ink.QUIET
    target_ink = Ink.PLACE if row.is_related else Ink.PLAIN if row.is_step else Ink.QUIET
    arrow = "▸ " if row.is_current else ""
    runs = [
        HERE if row.is_selected else SPACE,
        Run("   " + branch, Ink.QUIET),
        Run(f"{row.relation} ", ink, bold=row.is_current),
        Run(arrow, Ink.PLACE),
        Run(row.target, target_ink, bold=row.is_current),
    ]
    return line(runs, width, _ground(row, lit))


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


def _gutter(lanes: list[list[Arc]], row: int) -> list[Run]:
    """The piece of every arc in one row: from its start (╮ or ╯) to the arrow at its end."""
    if not lanes:
        return []
    cells = [" "] * (len(lanes) + 1)
    inks = [Ink.QUIET] * (len(lanes) + 1)
    for lane, arcs in enumerate(lanes, start=1):
        for arc in arcs:
            low, high = sorted((arc.start, arc.end))
            if not low <= row <= high:
                continue
            ink = Ink.PLACE if arc.is_current else Ink.QUIET
            inks[lane] = ink
            if row in (arc.start, arc.end):
                cells[lane] = "╮" if row == low else "╯"
                for crossed in range(1, lane):
                    if cells[crossed] == " ":
                        cells[crossed], inks[crossed] = "─", ink
                cells[0] = "◂" if row == arc.end else "─" if cells[0] == " " else cells[0]
                inks[0] = ink
            else:
                cells[lane] = "│"
    return [Run(cell, ink) for cell, ink in zip(cells, inks, strict=True)]
