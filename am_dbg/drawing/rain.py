"""Draws the rain (a row per transition, a column per state) with the state names above it."""

from __future__ import annotations

from functools import lru_cache

from am_dbg.projection.grids.rain import RainRow, RainView
from am_dbg.projection.times import clock_time
from am_dbg.spans import (
    CURSOR_MARK,
    SPACE,
    Role,
    Span,
    SpanLine,
    cursor_role,
    left,
    line,
    right,
    width_of,
)

CELL = 2
BEFORE_CELLS = 3
"""Cells beside the number that stand before the first state."""
HEADER_MAX = 12
HEADER_SHARE = 3
HEADER_MIN = 3
"""Rows for the names in short panes; so few letters have no mark where they are cut."""
NARROW = 60
"""Below this width the rows have no time."""
TIME_ROOM = 18
_ROLES = {
    ".": Role.QUIET,
    "1": Role.ADDED,
    "2": Role.ADDED,
    "|": Role.REMOVED,
    "c": Role.CANCELED,
    "*": Role.HANDLER,
    " ": Role.QUIET,
}
BORDER = Span("│ ", Role.QUIET)
"""Stands between the columns of two machines, and takes a cell."""


def header_height(names: tuple[str, ...], height: int) -> int:
    """Rows for the names, which stand upright; short panes cut them."""
    longest = max((len(_letters(name)) for name in names), default=0)
    share = max(height // HEADER_SHARE, min(HEADER_MIN, height // 2), 1)
    return min(longest, HEADER_MAX, share)


def rain_columns(width: int) -> int:
    """How many states fit beside the number, and the time if there is room for it."""
    return max(1, (width - (6 + TIME_ROOM if width >= NARROW else 8)) // CELL)


def merged_rain_columns(width: int, names: int) -> int:
    """How many states and borders fit beside names of a width; narrow panes show no names."""
    return rain_columns(width - names - 1 if width >= NARROW else width)


def _names_width(view: RainView, width: int) -> int:
    """The cells of the column of names with a space behind it; 0 without the column."""
    return view.name_width + 1 if view.groups and width >= NARROW else 0


def merged_head_rows(names: tuple[str, ...], height: int) -> int:
    """The rows above the first transition of several machines: their names, and the states."""
    return header_height(names, height) + 1


def draw_rain(view: RainView, width: int, height: int, *, lit: bool = False) -> list[SpanLine]:
    """Names upright, then one line per transition."""
    top = header_height(view.names, height)
    rows = [_machines(view, width)] if view.groups else []
    rows += [_names(view, place, top, width) for place in range(top)]
    return rows + [_row(row, view, width, lit) for row in view.rows[: height - len(rows)]]


def place_in_rain(
    view: RainView, width: int, height: int, row: int, column: int
) -> tuple[RainRow | None, int | None]:
    """The row at a place of the pane, and the column of a state there."""
    line = row - header_height(view.names, height) - bool(view.groups)
    found = view.rows[line] if 0 <= line < len(view.rows) else None
    place = (column - _names_width(view, width) - view.number_digits - BEFORE_CELLS) // CELL
    for group in view.groups[1:]:
        if place == group.column:
            return found, None
        place -= place > group.column
    return found, place if 0 <= place < len(view.names) else None


@lru_cache(maxsize=4096)
def _letters(name: str) -> tuple[str, ...]:
    """The characters that stand below each other, each with its accents of no width."""
    letters: list[str] = []
    for char in name:
        if width_of(char) or not letters:
            letters.append(char)
        else:
            letters[-1] += char
    return tuple(letters)


def _machines(view: RainView, width: int) -> SpanLine:
    """The names of the machines above their columns."""
    before = _names_width(view, width) + view.number_digits + BEFORE_CELLS
    spans = [Span(" " * before)]
    for group in view.groups:
        spans += [BORDER] if group.column else []
        spans.append(Span(left(group.name, group.size * CELL), Role.PLAIN))
    return line(spans, width)


def _borders(view: RainView) -> frozenset[int]:
    """The columns that have a border before them."""
    return frozenset(group.column for group in view.groups[1:])


def _names(view: RainView, place: int, height: int, width: int) -> SpanLine:
    before = _names_width(view, width) + view.number_digits + BEFORE_CELLS
    spans, borders = [Span(" " * before)], _borders(view)
    for index, name in enumerate(view.names):
        spans += [BORDER] if index in borders else []
        letters = _letters(name)
        skipped = max(0, height - len(letters))
        letter = letters[place - skipped] if place >= skipped else ""
        if len(letters) > height > HEADER_MIN and place == height - 1:
            letter = "…"
        picked = index == view.selected
        role = Role.ERROR if index in view.errors else Role.FOCUS if picked else Role.QUIET
        spans.append(Span(left(letter, CELL), role, bold=picked))
    return line(spans, width)


def _row(row: RainRow, view: RainView, width: int, lit: bool) -> SpanLine:
    current = row.is_current
    number = right(str(row.number), view.number_digits)
    room, borders = _names_width(view, width), _borders(view)
    machine = [Span(left(row.machine, room - 1)), SPACE] if room else []
    spans = [
        CURSOR_MARK if current else SPACE,
        *machine,
        Span(number, Role.PLAIN if current else Role.QUIET, bold=current),
        Span("  "),
    ]
    for index, cell in enumerate(row.cells):
        spans += [BORDER] if index in borders else []
        role = _ROLES[cell]
        if index in view.errors and cell in "12":
            role = Role.ERROR
        elif index == view.selected and cell == ".":
            role = Role.PLAIN
        spans += [Span(cell, role, cell == "2", index in row.called), Span(" ")]
    spans += [Span(" "), Span(clock_time(row.time_ns), Role.QUIET)] if width >= NARROW else []
    return line(spans, width, cursor_role(current, lit=lit))
