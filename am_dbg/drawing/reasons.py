"""Draws the reasons for which a state is not active, as lines of a tree."""

from __future__ import annotations

from collections.abc import Iterable

from am_dbg.projection.reasons.why_not_rows import ReasonRow
from am_dbg.spans import Role, Span, SpanLine


def draw_reasons(rows: Iterable[ReasonRow]) -> list[SpanLine]:
    """A line for each reason, as long as its text."""
    return [SpanLine((Span(row.branch, Role.QUIET), *row.spans)) for row in rows]
