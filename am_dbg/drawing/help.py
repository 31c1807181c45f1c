"""Draws the help: keys at the left, marks at the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from am_dbg.drawing.pane_keys import pane_rows
from am_dbg.keys import KEYS, Key, help_rows
from am_dbg.projection.clean import clean
from am_dbg.projection.filtering.machine_filter import MACHINE_FORMS
from am_dbg.query.query_keys import FORMS
from am_dbg.spans import BLANK, Role, Span, SpanLine, fit, left, line, pad, width_of, wrap

KEYS_WIDTH = 74
MARKS_WIDTH = 42
GAP = 3
FORM_WIDTH = 20
NARROW = 60
"""Below this width signs have less room, and a long one has a row of its own."""
NARROW_SIGN = 6


@dataclass(frozen=True, slots=True)
class HelpSection:
    """A heading with its rows: a sign, the role of the sign, and what it means."""

    title: str
    rows: tuple[tuple[str, Role, str], ...]
    sign_width: int


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
            ("~name", Role.QUIET, "called, but stayed as it was"),
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
            ("✗", Role.CANCELED, "canceled"),
            ("b", Role.FLAG, "bookmark"),
            ("┊2 s", Role.QUIET, "nothing happened for that long"),
            ("┆", Role.CANCELED, "something is missing here"),
        ),
    ),
)


def draw_help(
    width: int,
    table: Sequence[Key] = KEYS,
    notices: Sequence[str] = (),
    *,
    pane: str = "",
    needle: str = "",
) -> list[SpanLine]:
    """The faults of the start, then two columns; without room, one below the other.

    The keys of the focused pane come first. With a `needle`, only the rows that have all of its
    words are left, or whole sections with such a title.
    """
    left_side, right_side = _narrowed(_keys(table, pane), needle), _narrowed(_MARK_LIST, needle)
    if needle.strip():
        rows = _drawn((*left_side, *right_side), width, is_narrow=width < NARROW)
        return rows or [SpanLine((Span(f"nothing here has '{clean(needle)}'", Role.QUIET),))]
    head = [SpanLine(tuple(row)) for text in notices for row in _noticed(text, width)]
    return [*head, *([BLANK] if head else []), *_columns(left_side, right_side, width)]


def _noticed(text: str, width: int) -> list[list[Span]]:
    return wrap([Span(clean(text), Role.CANCELED)], width)


def _columns(
    keys: Sequence[HelpSection], marks: Sequence[HelpSection], width: int
) -> list[SpanLine]:
    if width < KEYS_WIDTH + GAP + MARKS_WIDTH:
        return _drawn((*keys, *marks), width, is_narrow=width < NARROW)
    rows = []
    sides = (_drawn(keys, KEYS_WIDTH), _drawn(marks, MARKS_WIDTH))
    for one, other in zip_longest(*sides, fillvalue=BLANK):
        rows.append(SpanLine((*fit(one.spans, KEYS_WIDTH + GAP), *other.spans)))
    return rows


def _keys(table: Sequence[Key], pane: str) -> tuple[HelpSection, ...]:
    """The keys of the pane, all keys, and what may be typed into searches and filters."""
    own = pane_rows(pane, table) if pane else ()
    groups = [(f"{pane.capitalize()}, where you are", own)] if own else []
    sections = [
        HelpSection(title, tuple((signs, Role.PLAIN, text) for signs, text in rows), 16)
        for title, rows in (*groups, *help_rows(table))
    ]
    return (*sections, *_FORM_LIST)


def _narrowed(sections: Sequence[HelpSection], needle: str) -> list[HelpSection]:
    """What is left of the sections for the words of a needle."""
    words = needle.split()
    found = []
    for section in sections:
        rows = tuple(
            row for row in section.rows if _has(words, f"{section.title} {row[0]} {row[2]}")
        )
        found += [replace(section, rows=rows)] if rows else []
    return found


def _has(words: Sequence[str], text: str) -> bool:
    """Whether a text has all words; those without capitals are found in any case."""
    return all(word in (text.lower() if word.islower() else text) for word in words)


def _drawn(
    sections: Sequence[HelpSection], width: int, *, is_narrow: bool = False
) -> list[SpanLine]:
    rows: list[SpanLine] = []
    for section in sections:
        rows += [BLANK] if rows else []
        title = wrap([Span(section.title, Role.FOCUS, bold=True)], width)
        rows += [SpanLine(tuple(row)) for row in title]
        for sign, role, text in section.rows:
            indent = NARROW_SIGN if is_narrow else section.sign_width
            rows += explained(
                Span(sign, role, bold=True),
                Span(text, Role.QUIET),
                indent,
                width,
                has_own_row=is_narrow,
            )
    return rows


def explained(
    sign: Span, text: Span, indent: int, width: int, *, has_own_row: bool = False
) -> list[SpanLine]:
    """A sign with what it means, which wraps; a sign that is too long may have its own row."""
    size = max(indent, width_of(sign.text) + 2)
    head, start = [], sign._replace(text=left(sign.text, size))
    if size > indent and has_own_row:
        size = indent
        head, start = [line([sign], width)], pad(indent)
    parts = wrap([text], max(1, width - size))
    starts = (start, *[pad(size)] * (len(parts) - 1))
    return [*head, *(line([at, *part], width) for at, part in zip(starts, parts, strict=True))]


_MARK_LIST = tuple(HelpSection(title, marks, 8) for title, marks in _MARKS)
_FORM_LIST = tuple(
    HelpSection(title, tuple((form, Role.PLAIN, text) for form, text in forms), FORM_WIDTH)
    for title, forms in _FORMS
)
