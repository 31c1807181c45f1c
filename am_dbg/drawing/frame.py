"""Draws the border of a pane: title left, count right, highlighted while it has the focus."""

from __future__ import annotations

from collections.abc import Sequence

from am_dbg.spans import BLANK, SPACE, Ink, Line, Run, cut, fit, width_of

SIDES = 2
"""The cells that a frame takes from the width and from the height of a pane."""


def framed(
    lines: Sequence[Line], title: str, note: str, width: int, height: int, *, lit: bool
) -> list[Line]:
    """The lines with a border around them, exactly `height` rows of `width` cells."""
    ink = Ink.PLACE if lit else Ink.LINE
    inner = max(0, width - SIDES)
    side = Run("│", ink)
    rows = [top_border(title, note, width, lit=lit)]
    for index in range(max(0, height - SIDES)):
        line = lines[index] if index < len(lines) else BLANK
        rows.append(Line(tuple(fit(line.runs, inner)), line.ground, side))
    rows.append(Line((Run("╰" + "─" * inner + "╯", ink),)))
    return rows[:height]


def top_border(title: str, note: str, width: int, *, lit: bool) -> Line:
    """The upper edge with a title at the left and a note at the right."""
    ink = Ink.PLACE if lit else Ink.LINE
    inner = max(0, width - SIDES)
    head = cut(f" {title} ", max(0, inner - 2))
    tail = f" {note} " if note else ""
    if width_of(head) + width_of(tail) + 3 > inner:
        tail = ""
    middle = inner - width_of(head) - width_of(tail) - 2
    return Line(
        (
            Run("╭─", ink),
            Run(head, Ink.PLAIN if lit else Ink.QUIET, bold=lit),
            Run("─" * middle, ink),
            Run(tail, Ink.QUIET),
            Run("─╮", ink),
        )
        if middle >= 0
        else (Run("╭" + "─" * inner + "╮", ink),)
    )


def with_scroll_bar(rows: Sequence[Line], top: int, total: int) -> list[Line]:
    """The rows with one more column, which holds a thumb when there is more than fits."""
    shown = len(rows)
    size = max(1, shown * shown // total) if total > shown else 0
    start = (shown - size) * top // max(1, total - shown)
    return [
        Line((*row.runs, _THUMB if start <= place < start + size else SPACE), row.ground)
        for place, row in enumerate(rows)
    ]


_THUMB = Run("▐", Ink.LINE)
