"""Draws the border of a pane: title left, count right, highlighted while it has the focus."""

from __future__ import annotations

from collections.abc import Sequence

from am_dbg.spans import BLANK, SPACE, Role, Span, SpanLine, cut, fit, width_of

SIDES = 2
"""The cells that a frame takes from the width and from the height of a pane."""


def framed(
    lines: Sequence[SpanLine], title: str, note: str, width: int, height: int, *, lit: bool
) -> list[SpanLine]:
    """The lines with a border around them, exactly `height` rows of `width` cells."""
    role = Role.FOCUS if lit else Role.FRAME
    inner = max(0, width - SIDES)
    side = Span("│", role)
    rows = [top_border(title, note, width, lit=lit)]
    for index in range(max(0, height - SIDES)):
        line = lines[index] if index < len(lines) else BLANK
        rows.append(SpanLine(tuple(fit(line.spans, inner)), line.role, side))
    rows.append(SpanLine((Span("╰" + "─" * inner + "╯", role),)))
    return rows[:height]


def top_border(title: str, note: str, width: int, *, lit: bool) -> SpanLine:
    """The upper edge with a title at the left and a note at the right."""
    role = Role.FOCUS if lit else Role.FRAME
    inner = max(0, width - SIDES)
    head = cut(f" {title} ", max(0, inner - 2))
    tail = f" {note} " if note else ""
    if width_of(head) + width_of(tail) + 3 > inner:
        tail = ""
    middle = inner - width_of(head) - width_of(tail) - 2
    return SpanLine(
        (
            Span("╭─", role),
            Span(head, Role.PLAIN if lit else Role.QUIET, bold=lit),
            Span("─" * middle, role),
            Span(tail, Role.QUIET),
            Span("─╮", role),
        )
        if middle >= 0
        else (Span("╭" + "─" * inner + "╮", role),)
    )


def with_scroll_bar(rows: Sequence[SpanLine], top: int, total: int) -> list[SpanLine]:
    """The rows with one more column, which holds a thumb when there is more than fits."""
    shown = len(rows)
    size = max(1, shown * shown // total) if total > shown else 0
    start = (shown - size) * top // max(1, total - shown)
    return [
        SpanLine((*row.spans, _THUMB if start <= place < start + size else SPACE), row.role)
        for place, row in enumerate(rows)
    ]


_THUMB = Span("▐", Role.FUTURE)
