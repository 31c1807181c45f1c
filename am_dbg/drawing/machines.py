"""Draws the list of machines."""

from __future__ import annotations

from am_dbg.drawing.frame import with_scroll_bar
from am_dbg.drawing.run_rows import draw_run_row
from am_dbg.projection.machine_list import MachineSort
from am_dbg.projection.machines import MachineRow, MachineStatus, MachinesView
from am_dbg.projection.runs.run_rows import RunRow
from am_dbg.projection.times import count
from am_dbg.spans import (
    CURSOR_MARK,
    SPACE,
    Role,
    Span,
    SpanLine,
    cursor_role,
    cut,
    line,
    right,
    spread,
    width_of,
)

DEPTH_MAX = 6
TITLE_WIDTH = 15
"""Cells of the upper border that the note does not get: the title and the edges."""
FILTER_WIDTH = 24
"""The most cells of a filter in the note."""
_DOTS = {
    MachineStatus.LIVE: Span("●", Role.ADDED),
    MachineStatus.GONE: Span("○", Role.QUIET),
    MachineStatus.RECORDED: Span("▪", Role.QUIET),
    MachineStatus.DISPOSED: Span("▫", Role.QUIET),
}


def machines_title_note(view: MachinesView, width: int) -> str:
    """The note at the right of the list's title: filter, sort, and how many machines pass.

    Without room for all of it, the words of the filter go first, then what is left of it.
    """
    sort = "" if view.sort is MachineSort.TREE else view.sort.value
    passing = (
        f"{count(view.total)}/{count(view.in_all)}"
        if view.total < view.in_all
        else count(view.total)
    )
    by = f"by {sort}" if sort else ""
    given = cut(f"F {view.filter}", FILTER_WIDTH) if view.filter else ""
    variants = (
        (given, by, passing),
        (given and "F", by, passing),
        (by, passing),
        (by,),
    )
    notes = [" ".join(filter(None, variant)) for variant in variants]
    room = width - TITLE_WIDTH
    return next((note for note in notes if width_of(note) <= room), passing)


def draw_machines(view: MachinesView, width: int, *, lit: bool = False) -> list[SpanLine]:
    """One line per row of the view."""
    machines = [row for row in view.rows if not isinstance(row, RunRow)]
    digits = max((len(count(row.until)) for row in machines), default=1)
    after_digits = max((len(count(row.after)) + 1 for row in machines if row.after), default=0)
    if not view.rows and view.filter:
        return [line([Span(" no machine passes; F changes that", Role.QUIET)], width)]
    rows = [
        draw_run_row(row, width - 1, lit=lit)
        if isinstance(row, RunRow)
        else _row(row, width - 1, digits, after_digits, lit)
        for row in view.rows
    ]
    return with_scroll_bar(rows, view.top, view.row_count)


def _row(row: MachineRow, width: int, digits: int, after_digits: int, lit: bool) -> SpanLine:
    role = _name_role(row)
    head = [
        CURSOR_MARK if row.is_selected else SPACE,
        *_marks(row),
        Span("*", Role.FOCUS, bold=True) if row.is_chosen else SPACE,
        Span(_branch(row.depth), Role.QUIET),
        Span(row.name, role, bold=row.is_selected),
    ]
    tail = [Span(right(count(row.until), digits), Role.QUIET if not row.until else Role.PLAIN)]
    if after_digits:
        after = f"+{count(row.after)}" if row.after else ""
        tail.append(Span(right(after, after_digits + 1), Role.QUIET))
    return line(spread(head, tail, width), width, cursor_role(row.is_selected, lit=lit))


def _marks(row: MachineRow) -> list[Span]:
    roles = {"E": Role.ERROR, "!": Role.ERROR, "e": Role.CANCELED}
    role = roles.get(row.mark, Role.ADDED)
    return [_DOTS[row.status], Span(row.mark or " ", role, bold=row.mark in ("E", "!"))]


def _name_role(row: MachineRow) -> Role:
    if row.is_error:
        return Role.ERROR
    return Role.PLAIN if row.until or row.is_selected else Role.QUIET


def _branch(depth: int) -> str:
    depth = min(depth, DEPTH_MAX)
    return "  " * (depth - 1) + "└ " if depth else ""
