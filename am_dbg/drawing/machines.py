"""Draws the list of machines."""

from __future__ import annotations

from am_dbg.drawing.frame import with_scroll_bar
from am_dbg.projection.machines import MachineRow, MachinesView, Origin
from am_dbg.projection.times import count
from am_dbg.spans import HERE, SPACE, Ground, Ink, Line, Run, line, right, spread

DEPTH_MAX = 6
_DOTS = {
    Origin.LIVE: Run("●", Ink.ADDED),
    Origin.GONE: Run("○", Ink.QUIET),
    Origin.RECORDED: Run("▪", Ink.QUIET),
    Origin.DISPOSED: Run("▫", Ink.QUIET),
}


def draw_machines(view: MachinesView, width: int, *, lit: bool = False) -> list[Line]:
    """One line per row of the view."""
    digits = max((len(count(row.until)) for row in view.rows), default=1)
    after_digits = max((len(count(row.after)) + 1 for row in view.rows if row.after), default=0)
    rows = [_row(row, width - 1, digits, after_digits, lit) for row in view.rows]
    return with_scroll_bar(rows, view.top, view.total)


def _row(row: MachineRow, width: int, digits: int, after_digits: int, lit: bool) -> Line:
    ground = Ground.NONE
    if row.is_selected:
        ground = Ground.CURSOR if lit else Ground.MARKED
    ink = _name_ink(row)
    head = [
        HERE if row.is_selected else SPACE,
        *_marks(row),
        Run(" "),
        Run(_branch(row.depth), Ink.QUIET),
        Run(row.name, ink, bold=row.is_selected),
    ]
    tail = [Run(right(count(row.until), digits), Ink.QUIET if not row.until else Ink.PLAIN)]
    if after_digits:
        after = f"+{count(row.after)}" if row.after else ""
        tail.append(Run(right(after, after_digits + 1), Ink.QUIET))
    return line(spread(head, tail, width), width, ground)


def _marks(row: MachineRow) -> list[Run]:
    inks = {"E": Ink.ERROR, "!": Ink.ERROR, "e": Ink.CANCELED}
    ink = inks.get(row.mark, Ink.ADDED)
    return [_DOTS[row.origin], Run(row.mark or " ", ink, bold=row.mark in ("E", "!"))]


def _name_ink(row: MachineRow) -> Ink:
    if row.is_error:
        return Ink.ERROR
    return Ink.PLAIN if row.until or row.is_selected else Ink.QUIET


def _branch(depth: int) -> str:
    depth = min(depth, DEPTH_MAX)
    return "  " * (depth - 1) + "└ " if depth else ""
