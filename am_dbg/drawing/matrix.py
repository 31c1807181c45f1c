"""Draws the matrix of relations between states, with names at the left and numbers above."""

from __future__ import annotations

from am_dbg.projection.grids.matrix import MatrixView
from am_dbg.projection.steps import HOW_TO_SEND_STEPS
from am_dbg.spans import BLANK, Role, Span, SpanLine, cursor_role, left, line, pad, right, wrap

CELL = 4
BEFORE_CELLS = 5
"""Cells of the number before the name of a row."""
HEADER_ROWS = 4
NAME_MAX = 22


def name_width(names: tuple[str, ...], width: int) -> int:
    """Room for the names of the rows."""
    longest = max((len(name) for name in names), default=0)
    return min(longest, NAME_MAX, width // 3)


def matrix_columns(names: tuple[str, ...], width: int) -> int:
    """How many states fit beside each other."""
    return max(1, (width - name_width(names, width) - 6) // CELL)


def draw_matrix(view: MatrixView, width: int, height: int, *, lit: bool = False) -> list[SpanLine]:
    """State numbers, called states, tick growth, then the table."""
    names = name_width(view.names, width)
    head = [
        _numbers(view, names, width),
        _values("called", view.called, view, names, width),
        _values("ticks", view.growth, view, names, width),
        BLANK,
    ]
    if not view.is_sent:
        words = f" no steps were sent, so what acted on what is unknown; {HOW_TO_SEND_STEPS}"
        return [*head, *(line(row, width) for row in wrap([Span(words, Role.QUIET)], width))]
    rows = []
    for place, cells in enumerate(view.cells[: max(0, height - HEADER_ROWS)]):
        index = view.first_row + place
        picked = index == view.selected
        spans = [
            Span(right(str(index), 4), Role.QUIET),
            Span(" "),
            Span(
                left(view.names[index], names),
                Role.PLAIN if any(cells) else Role.QUIET,
                bold=picked,
            ),
            *_cells(cells, view),
        ]
        rows.append(line(spans, width, cursor_role(picked, lit=lit)))
    return head + rows


def matrix_window(view: MatrixView) -> str:
    """Which rows and columns are shown, empty if these are all: ↓ 0-19 → 0-12 of 45."""
    rows, columns = len(view.cells), len(view.called)
    parts = [
        f"{sign} {first}-{first + shown - 1}"
        for sign, first, shown in (("↓", view.first_row, rows), ("→", view.first_column, columns))
        if 0 < shown < view.states
    ]
    return f"{' '.join(parts)} of {view.states}" if parts else ""


def place_in_matrix(view: MatrixView, width: int, row: int, column: int) -> int | None:
    """The index of the state at a place of the pane: the row's; above the rows, the column's."""
    if row >= HEADER_ROWS:
        place = row - HEADER_ROWS
        return view.first_row + place if place < len(view.cells) else None
    place = (column - name_width(view.names, width) - BEFORE_CELLS) // CELL
    return view.first_column + place if 0 <= place < len(view.called) else None


def _numbers(view: MatrixView, names: int, width: int) -> SpanLine:
    spans = [Span(" " * (names + BEFORE_CELLS))]
    for place in range(len(view.called)):
        index = view.first_column + place
        picked = index == view.selected
        spans.append(
            Span(right(str(index), CELL), Role.FOCUS if picked else Role.QUIET, bold=picked)
        )
    return line(spans, width)


def _values(
    title: str, values: tuple[int, ...], view: MatrixView, names: int, width: int
) -> SpanLine:
    spans = [
        Span(left(" " * BEFORE_CELLS + title, names + BEFORE_CELLS), Role.QUIET),
        *_cells(values, view),
    ]
    return line(spans, width)


def _cells(values: tuple[int, ...], view: MatrixView) -> list[Span]:
    spans = []
    for place, value in enumerate(values):
        called = bool(view.called[place])
        role = Role.FOCUS if value and called else Role.PLAIN if value else Role.QUIET
        text = str(value)
        spans += [
            pad(CELL - len(text)),
            Span(text[:CELL], role, bool(value), bool(value) and called),
        ]
    return spans
