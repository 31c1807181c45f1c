"""Draws two transitions of one machine side by side."""

from __future__ import annotations

from am_dbg.projection.difference import DifferenceView, StateDifference
from am_dbg.projection.times import count, duration
from am_dbg.spans import BLANK, Ink, Line, Run, left, right, width_of


def draw_difference(view: DifferenceView) -> list[Line]:
    """A heading, then a row per state that differs."""
    heading = Line(
        (
            Run(view.machine, bold=True),
            Run(f"  tx {view.first} → tx {view.second}"),
            Run(f"   {duration(view.span_ns)}   t+{count(view.time_sum)}", Ink.QUIET),
        )
    )
    names = max((width_of(row.name) for row in view.states), default=0)
    rows = [_row(row, names) for row in view.states]
    tail = Line((Run(f"{count(view.same)} states are the same", Ink.QUIET),))
    return [heading, BLANK, *rows, *([BLANK] if rows else []), tail]


def _row(row: StateDifference, names: int) -> Line:
    gained, lost = row.is_active and not row.was_active, row.was_active and not row.is_active
    ink = Ink.ADDED if gained else Ink.REMOVED if lost else Ink.PLAIN
    return Line(
        (
            Run("+ " if gained else "- " if lost else "  ", ink, bold=True),
            Run(left(row.name, names + 2), ink),
            _dot(row.was_active),
            Run(right(_tick(row.before), 6)),
            Run("  →  ", Ink.QUIET),
            _dot(row.is_active),
            Run(right(_tick(row.after), 6)),
        )
    )


def _dot(is_active: bool) -> Run:
    return Run("●", Ink.ADDED) if is_active else Run("○", Ink.QUIET)


def _tick(tick: int | None) -> str:
    return "gone" if tick is None else count(tick)
