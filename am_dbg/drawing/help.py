"""Draws the help: keys at the left, marks at the right."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from am_dbg.keys import KEYS, Key, help_rows
from am_dbg.projection.clean import clean
from am_dbg.projection.filtering.machine_filter import MACHINE_FORMS
from am_dbg.query.query_keys import FORMS
from am_dbg.spans import BLANK, Role, Span, SpanLine, fit, left, width_of, wrap

KEYS_WIDTH = 74
MARKS_WIDTH = 42
GAP = 3
FORM_WIDTH = 20

_FORMS = (
    ("Queries: filter (F) and search (/)", FORMS),
    ("Filter of the machines (F in their list)", MACHINE_FORMS),
)

_MARKS: tuple[tuple[str, tuple[tuple[str, Role, str], ...]], ...] = (
    (
        "Log",
        (
            ("+", Role.ADDED, "states added"),
            ("-", Role.REMOVED, "states removed"),
            ("=", Role.FOCUS, "states set"),
            ("✗", Role.CANCELED, "canceled"),
            ("E", Role.ERROR, "error"),
            ("?", Role.QUIET, "check only, nothing changed"),
            ("a", Role.FLAG, "started by auto states"),
            ("q", Role.FLAG, "queued by the machine itself"),
            ("b", Role.FLAG, "bookmark"),
        ),
    ),
    (
        "States",
        (
            ("●", Role.ADDED, "active"),
            ("○", Role.QUIET, "inactive"),
            ("M", Role.FLAG, "multi"),
            ("a", Role.FLAG, "auto"),
            ("name", Role.PLAIN, "underlined: was called"),
            ("+", Role.ADDED, "step: to be activated"),
            ("-", Role.REMOVED, "step: to be deactivated"),
            ("*", Role.HANDLER, "step: a handler ran"),
            ("!", Role.CANCELED, "step: canceled"),
            ("─╮", Role.QUIET, "step: a relation, its target at ◂"),
        ),
    ),
    (
        "Machines",
        (
            ("●", Role.ADDED, "connected"),
            ("○", Role.QUIET, "disconnected"),
            ("▪", Role.QUIET, "recorded"),
            ("▫", Role.QUIET, "recorded until it was disposed"),
            ("S", Role.ADDED, "Start is active"),
            ("R", Role.ADDED, "Ready is active"),
            ("E", Role.ERROR, "an error is active"),
            ("e", Role.CANCELED, "an error within 100 transitions"),
            ("20 +72", Role.PLAIN, "until this moment, and after it"),
        ),
    ),
    (
        "Rain",
        (
            (".", Role.QUIET, "inactive"),
            ("1", Role.ADDED, "active"),
            ("2", Role.ADDED, "active and touched"),
            ("|", Role.REMOVED, "just removed"),
            ("c", Role.CANCELED, "called, but canceled"),
            ("*", Role.HANDLER, "touched"),
        ),
    ),
    (
        "Timeline",
        (
            ("▁█", Role.FOCUS, "transitions per second"),
            ("▲", Role.PLAIN, "here"),
            ("E", Role.ERROR, "error"),
            ("┊2 s", Role.QUIET, "nothing happened for that long"),
            ("┆", Role.CANCELED, "something is missing here"),
        ),
    ),
)


def draw_help(
    width: int, table: Sequence[Key] = KEYS, notices: Sequence[str] = ()
) -> list[SpanLine]:
    """The faults of the start, then two columns; without room, one below the other."""
    head = [SpanLine(tuple(row)) for text in notices for row in _noticed(text, width)]
    return [*head, *([BLANK] if head else []), *_columns(width, table)]


def _noticed(text: str, width: int) -> list[list[Span]]:
    return wrap([Span(clean(text), Role.CANCELED)], width)


def _columns(width: int, table: Sequence[Key]) -> list[SpanLine]:
    keys = [*_keys(min(KEYS_WIDTH, width), table), *_forms(min(KEYS_WIDTH, width))]
    marks = _marks(min(MARKS_WIDTH, width))
    if width < KEYS_WIDTH + GAP + MARKS_WIDTH:
        return [*keys, BLANK, *marks]
    rows = []
    for one, other in zip_longest(keys, marks, fillvalue=BLANK):
        rows.append(SpanLine((*fit(one.spans, KEYS_WIDTH + GAP), *other.spans)))
    return rows


def _keys(width: int, table: Sequence[Key]) -> list[SpanLine]:
    rows: list[SpanLine] = []
    for title, keys in help_rows(table):
        rows += [BLANK] if rows else []
        rows.append(SpanLine((Span(title, Role.FOCUS, bold=True),)))
        for signs, text in keys:
            spans = [Span(left(signs, max(16, width_of(signs) + 2)), Role.PLAIN, bold=True)]
            rows.append(SpanLine(tuple(fit([*spans, Span(text, Role.QUIET)], width))))
    return rows


def _forms(width: int) -> list[SpanLine]:
    """What may be typed into the lines of the search and of the filters."""
    rows: list[SpanLine] = []
    for title, forms in _FORMS:
        rows += [BLANK, SpanLine((Span(title, Role.FOCUS, bold=True),))]
        for form, text in forms:
            spans = [Span(left(form, FORM_WIDTH), Role.PLAIN, bold=True), Span(text, Role.QUIET)]
            rows.append(SpanLine(tuple(fit(spans, width))))
    return rows


def _marks(width: int) -> list[SpanLine]:
    rows: list[SpanLine] = []
    for title, marks in _MARKS:
        rows += [BLANK] if rows else []
        rows.append(SpanLine((Span(title, Role.FOCUS, bold=True),)))
        for mark, role, text in marks:
            spans = [Span(left(mark, 8), role, bold=True), Span(text, Role.QUIET)]
            rows.append(SpanLine(tuple(fit(spans, width))))
    return rows
