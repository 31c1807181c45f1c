"""Draws two transitions of one machine side by side."""

from __future__ import annotations

from am_dbg.projection.difference import DifferenceView, StateDifference
from am_dbg.projection.times import count, duration
from am_dbg.spans import BLANK, Role, Span, SpanLine, left, right, width_of


def draw_difference(view: DifferenceView) -> list[SpanLine]:
    """A heading, then a row per state that differs."""
    heading = SpanLine(
        (
            Span(view.machine, bold=True),
            Span(f"  tx {view.first} → tx {view.second}"),
            Span(f"   {duration(view.span_ns)}   t+{count(view.time_sum)}", Role.QUIET),
        )
    )
    names = max((width_of(row.name) for row in view.states), default=0)
    rows = [_row(row, names) for row in view.states]
    tail = SpanLine((Span(f"{count(view.same)} states are the same", Role.QUIET),))
    return [heading, BLANK, *rows, *([BLANK] if rows else []), tail]


def _row(row: StateDifference, names: int) -> SpanLine:
    gained, lost = row.is_active and not row.was_active, row.was_active and not row.is_active
    role = Role.ADDED if gained else Role.REMOVED if lost else Role.PLAIN
    return SpanLine(
        (
            Span("+ " if gained else "- " if lost else "  ", role, bold=True),
            Span(left(row.name, names + 2), role),
            _dot(row.was_active),
            Span(right(_tick(row.before), 6)),
            Span("  →  ", Role.QUIET),
            _dot(row.is_active),
            Span(right(_tick(row.after), 6)),
        )
    )


def _dot(is_active: bool) -> Span:
    return Span("●", Role.ADDED) if is_active else Span("○", Role.QUIET)


def _tick(tick: int | None) -> str:
    return "gone" if tick is None else count(tick)
