"""The log lines of a level that the log shows below a transition, and after the last one."""

from __future__ import annotations

from am_dbg.projection.clean import clean_lines
from am_dbg.projection.log.line_parts import LinePart, is_change_line, is_extern_line, parts_of
from am_dbg.projection.times import count
from am_dbg.store import LaterLines, TransitionRecord

ROWS_PER_TRANSITION_MAX = 120
LATER_TITLE = "log lines since the last transition"
LATER_ROWS_MAX = 20
"""The most rows of lines after the last transition; the newest are kept."""


def lines_below(transition: TransitionRecord, level: int) -> tuple[tuple[LinePart, ...], ...]:
    """The log lines up to a level; lines written before the transition come first.

    The line with the change is left out, because the row shows it already. Lines marked as
    coming from outside the library are shown at every level.
    """
    rows: list[tuple[LinePart, ...]] = []
    for entry_level, text in (*transition.pre_lines, *transition.lines):
        is_shown = entry_level <= level or is_extern_line(text)
        if not is_shown or is_change_line(text):
            continue
        rows.extend(parts_of(row, index) for index, row in enumerate(clean_lines(text)))
        if len(rows) > ROWS_PER_TRANSITION_MAX:
            rest = len(transition.lines) + len(transition.pre_lines)
            return (
                *rows[:ROWS_PER_TRANSITION_MAX],
                parts_of(f"… {count(rest)} lines in all; v shows them", 1),
            )
    return tuple(rows)


def later_lines(later: LaterLines, level: int) -> tuple[tuple[LinePart, ...], ...]:
    """The newest log lines up to a level that a machine wrote after its last transition."""
    shown = [text for at, text in later.lines if at <= level or is_extern_line(text)]
    rows = [parts_of(row, index) for text in shown for index, row in enumerate(clean_lines(text))]
    hidden = later.missing + max(0, len(rows) - LATER_ROWS_MAX)
    if hidden and rows:
        rows = [parts_of(f"… {count(hidden)} earlier lines", 1), *rows[-LATER_ROWS_MAX:]]
    return tuple(rows)
