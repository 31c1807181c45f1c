"""The matrix: which states acted on which in the current transition."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.projection.states import state_names
from am_dbg.projection.steps import Moment, has_steps


@dataclass(frozen=True, slots=True)
class MatrixView:
    """A square table: `cells[row][column]` sums the step types from column to row.

    Without a target a step counts for its own state. `called` and `growth` are the two rows
    above the table. `first_row` and `first_column` are where the window begins. `is_sent` is
    False if the program sent no steps, so the cells are unknown. `machine` is the name of the
    machine that the transition belongs to, if the scope has several.
    """

    names: tuple[str, ...] = ()
    called: tuple[int, ...] = ()
    growth: tuple[int, ...] = ()
    cells: tuple[tuple[int, ...], ...] = ()
    first_row: int = 0
    first_column: int = 0
    selected: int = -1
    tick_sum: int = 0
    time_sum: int = 0
    states: int = 0
    is_sent: bool = True
    machine: str = ""


def project_matrix(
    moment: Moment,
    columns: int,
    rows: int,
    selected: str = "",
    top: int = 0,
    *,
    follow: bool = True,
    machine: str = "",
) -> MatrixView:
    """The window of the table around the selected state, or from `top` on."""
    names = state_names(moment)
    size = len(names)
    at = names.index(selected) if selected in names else -1
    first_column = _start(at, 0, columns, size)
    first_row = _start(at if follow else -1, top, rows, size)
    shape = moment.shape
    called = set(shape.called) if shape else set()
    grown = dict(shape.changes) if shape and not moment.is_stepping else {}
    sums: dict[tuple[int, int], int] = {}
    for step in moment.done:
        source = step.source if step.source >= 0 else step.target
        target = step.target if step.target >= 0 else step.source
        if source >= 0:
            sums[target, source] = sums.get((target, source), 0) + step.type
    shown = range(first_column, min(size, first_column + columns))
    return MatrixView(
        names=names,
        called=tuple(int(index in called) for index in shown),
        growth=tuple(abs(grown.get(index, 0)) for index in shown),
        cells=tuple(
            tuple(sums.get((row, column), 0) for column in shown)
            for row in range(first_row, min(size, first_row + rows))
        ),
        first_row=first_row,
        first_column=first_column,
        selected=at,
        tick_sum=sum(abs(growth) for growth in grown.values()),
        time_sum=moment.track.time_sum(moment.settled),
        states=size,
        is_sent=shape is None or has_steps(moment.track, shape),
        machine=machine,
    )


def _start(selected: int, top: int, shown: int, size: int) -> int:
    """The first index of a window that shows the selected one."""
    start = top if selected < 0 or top <= selected < top + shown else selected - shown // 2
    return max(0, min(start, size - shown))
