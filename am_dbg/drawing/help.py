"""Draws the help: keys at the left, marks at the right."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from am_dbg.keys import KEYS, Key, help_rows
from am_dbg.projection.clean import clean
from am_dbg.spans import BLANK, Ink, Line, Run, fit, left, width_of, wrap

KEYS_WIDTH = 74
MARKS_WIDTH = 42
GAP = 3

_MARKS: tuple[tuple[str, tuple[tuple[str, Ink, str], ...]], ...] = (
    (
        "Log",
        (
            ("+", Ink.ADDED, "states added"),
            ("-", Ink.REMOVED, "states removed"),
            ("=", Ink.PLACE, "states set"),
            ("✗", Ink.CANCELED, "canceled"),
            ("E", Ink.ERROR, "error"),
            ("?", Ink.QUIET, "check only, nothing changed"),
            ("a", Ink.FLAG, "started by auto states"),
            ("q", Ink.FLAG, "queued by the machine itself"),
            ("b", Ink.FLAG, "bookmark"),
        ),
    ),
    (
        "States",
        (
            ("●", Ink.ADDED, "active"),
            ("○", Ink.QUIET, "inactive"),
            ("M", Ink.FLAG, "multi"),
            ("a", Ink.FLAG, "auto"),
            ("name", Ink.PLAIN, "underlined: was called"),
            ("+", Ink.ADDED, "step: to be activated"),
            ("-", Ink.REMOVED, "step: to be deactivated"),
            ("*", Ink.HANDLER, "step: a handler ran"),
            ("!", Ink.CANCELED, "step: canceled"),
            ("─╮", Ink.QUIET, "step: a relation, its target at ◂"),
        ),
    ),
    (
        "Machines",
        (
            ("●", Ink.ADDED, "connected"),
            ("○", Ink.QUIET, "disconnected"),
            ("▪", Ink.QUIET, "recorded"),
            ("▫", Ink.QUIET, "recorded until it was disposed"),
            ("S", Ink.ADDED, "Start is active"),
            ("R", Ink.ADDED, "Ready is active"),
            ("E", Ink.ERROR, "an error is active"),
            ("e", Ink.CANCELED, "an error within 100 transitions"),
            ("20 +72", Ink.PLAIN, "until this moment, and after it"),
        ),
    ),
    (
        "Rain",
        (
            (".", Ink.QUIET, "inactive"),
            ("1", Ink.ADDED, "active"),
            ("2", Ink.ADDED, "active and touched"),
            ("|", Ink.REMOVED, "just removed"),
            ("c", Ink.CANCELED, "called, but canceled"),
            ("*", Ink.HANDLER, "touched"),
        ),
    ),
    (
        "Timeline",
        (
            ("▁█", Ink.PLACE, "transitions per second"),
            ("▲", Ink.PLAIN, "here"),
            ("E", Ink.ERROR, "error"),
            ("┊2 s", Ink.QUIET, "nothing happened for that long"),
            ("┆", Ink.CANCELED, "something is missing here"),
        ),
    ),
)


def draw_help(width: int, table: Sequence[Key] = KEYS, notices: Sequence[str] = ()) -> list[Line]:
    """The faults of the start, then two columns; without room, one below the other."""
    head = [Line(tuple(row)) for text in notices for row in _noticed(text, width)]
    return [*head, *([BLANK] if head else []), *_columns(width, table)]


def _noticed(text: str, width: int) -> list[list[Run]]:
    return wrap([Run(clean(text), Ink.CANCELED)], width)


def _columns(width: int, table: Sequence[Key]) -> list[Line]:
    keys = _keys(min(KEYS_WIDTH, width), table)
    marks = _marks(min(MARKS_WIDTH, width))
    if width < KEYS_WIDTH + GAP + MARKS_WIDTH:
        return [*keys, BLANK, *marks]
    rows = []
    for one, other in zip_longest(keys, marks, fillvalue=BLANK):
        rows.append(Line((*fit(one.runs, KEYS_WIDTH + GAP), *other.runs)))
    return rows


def _keys(width: int, table: Sequence[Key]) -> list[Line]:
    rows: list[Line] = []
    for title, keys in help_rows(table):
        rows += [BLANK] if rows else []
        rows.append(Line((Run(title, Ink.PLACE, bold=True),)))
        for signs, text in keys:
            runs = [Run(left(signs, max(16, width_of(signs) + 2)), Ink.PLAIN, bold=True)]
            rows.append(Line(tuple(fit([*runs, Run(text, Ink.QUIET)], width))))
    return rows


def _marks(width: int) -> list[Line]:
    rows: list[Line] = []
    for title, marks in _MARKS:
        rows += [BLANK] if rows else []
        rows.append(Line((Run(title, Ink.PLACE, bold=True),)))
        for mark, ink, text in marks:
            runs = [Run(left(mark, 8), ink, bold=True), Run(text, Ink.QUIET)]
            rows.append(Line(tuple(fit(runs, width))))
    return rows
