"""Spans: pieces of text with a role, in lines, from which everything on the screen is drawn.

A role is what a text is, for example the name of a handler; it is no colour. Themes turn
roles into colours, and a screen without colour still shows the marks that are part of the
text. Lines are values, so two drawings can be compared and equal lines share one drawn strip.

Widths are terminal cells. Text from other programs passes `am_dbg.projection.clean` before
it becomes a span.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size

CUT_MARK = "…"
_CHARS_PER_CELL_MAX = 8
"""A character may have accents without a width of their own; more than these are cut."""


class Role(IntEnum):
    """What a piece of text is.

    QUIET is what the reader does not need now, FOCUS what the reader works with: the place,
    the pane with the focus, keys and headings. FRAME is for lines that divide the screen,
    FUTURE for graphics in the background. Neither is used for text: themes may draw them faint.
    """

    PLAIN = 0
    QUIET = 1
    FRAME = 2
    FOCUS = 3
    ADDED = 4
    REMOVED = 5
    ERROR = 6
    CANCELED = 7
    HANDLER = 8
    FLAG = 9
    FUTURE = 10


class LineRole(IntEnum):
    """What a whole line is, shown by its background.

    CURSOR is the reader's place in the pane with the focus, MARKED in another pane, DIALOG
    a line of a dialog, INPUT a line of text that the user types.
    """

    PLAIN = 0
    CURSOR = 1
    MARKED = 2
    DIALOG = 3
    INPUT = 4


class Span(NamedTuple):
    """A piece of text with one role; a click on it follows `link`."""

    text: str
    role: Role = Role.PLAIN
    bold: bool = False
    underline: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class SpanLine:
    """One row of a pane; `edge` is drawn at both ends, without the background of the line."""

    spans: tuple[Span, ...] = ()
    role: LineRole = LineRole.PLAIN
    edge: Span | None = None

    @property
    def text(self) -> str:
        """The line as plain text, which is also what is copied and printed."""
        text = "".join(span.text for span in self.spans)
        return self.edge.text + text + self.edge.text if self.edge else text

    @property
    def width(self) -> int:
        width = sum(cell_len(span.text) for span in self.spans)
        return width + 2 * cell_len(self.edge.text) if self.edge else width

    def link_at(self, x: int) -> str:
        """The link at a column; empty if there is none."""
        x -= cell_len(self.edge.text) if self.edge else 0
        if x < 0:
            return ""
        for span in self.spans:
            width = cell_len(span.text)
            if x < width:
                return span.link
            x -= width
        return ""


BLANK = SpanLine()
SPACE = Span(" ")
GAP = Span("  ")
WIDE_GAP = Span("   ")
CURSOR_MARK = Span("▸", Role.FOCUS, bold=True)
"""Marks the row of the cursor, for screens that show no background."""


def cursor_role(is_current: bool, *, lit: bool) -> LineRole:
    """The role of a line in a list; `lit` is set in the pane with the focus."""
    if not is_current:
        return LineRole.PLAIN
    return LineRole.CURSOR if lit else LineRole.MARKED


def width_of(text: str) -> int:
    """How many cells a text takes."""
    return cell_len(text)


@lru_cache(maxsize=8192)
def cut(text: str, width: int) -> str:
    """The text in at most `width` cells; a mark shows that something was cut off."""
    if width <= 0:
        return ""
    longest = width * _CHARS_PER_CELL_MAX
    if len(text) <= longest and cell_len(text) <= width:
        return text
    text = text[:longest]
    return set_cell_size(text, width - 1).rstrip(" ") + CUT_MARK


def cut_middle(text: str, width: int) -> str:
    """The text in at most `width` cells; a mark in the middle shows that something was cut out."""
    if cell_len(text) <= width:
        return text
    tail_width = max(0, width - 1) // 2
    start = len(text)
    while cell_len(text[start - 1 :]) <= tail_width:
        start -= 1
    return cut(text, width - cell_len(text[start:])) + text[start:]


def left(text: str, width: int) -> str:
    """The text cut or padded to exactly `width` cells, at the left."""
    text = cut(text, width)
    return text + " " * (width - cell_len(text))


def right(text: str, width: int) -> str:
    """The text cut or padded to exactly `width` cells, at the right."""
    text = cut(text, width)
    return " " * (width - cell_len(text)) + text


def pad(width: int) -> Span:
    """Empty space of `width` cells."""
    return Span(" " * max(0, width))


def width_of_spans(spans: Iterable[Span]) -> int:
    """How many cells a row of spans takes."""
    return sum(cell_len(span.text) for span in spans)


def fit(spans: Iterable[Span], width: int) -> list[Span]:
    """The spans in exactly `width` cells: cut with a mark, or padded."""
    fitted: list[Span] = []
    room = width
    for span in spans:
        size = cell_len(span.text)
        if size > room:
            if span.text.isspace():
                fitted.append(pad(room))
            elif room > 0:
                fitted.append(span._replace(text=cut(span.text, room)))
            elif fitted:
                fitted[-1] = _with_mark(fitted[-1])
            room = width - width_of_spans(fitted)
            break
        if size:
            fitted.append(span)
            room -= size
    if room > 0:
        fitted.append(pad(room))
    return fitted


def _with_mark(span: Span) -> Span:
    width = cell_len(span.text)
    text = set_cell_size(span.text, width - 1).rstrip(" ") + CUT_MARK
    return span._replace(text=left(text, width))


def spread(
    left_spans: Iterable[Span], right_spans: Iterable[Span], width: int, filler: Span = SPACE
) -> list[Span]:
    """Both sides of a row: the right side is kept whole, the left side is cut.

    If the left side would lose more than half of its row, the right side is dropped instead.
    """
    tail = list(right_spans)
    size = width_of_spans(tail)
    head = list(left_spans)
    if size > width // 2 and width_of_spans(head) + size + 1 > width:
        tail, size = [], 0
    if not tail:
        return fit(head, width)
    room = width - size - 1
    used = width_of_spans(head)
    if used > room:
        return [*fit(head, room), SPACE, *tail]
    return [*head, filler._replace(text=filler.text * (width - size - used)), *tail]


def line(spans: Iterable[Span], width: int, role: LineRole = LineRole.PLAIN) -> SpanLine:
    """A line of exactly `width` cells."""
    return SpanLine(tuple(fit(spans, width)), role)


def wrap(spans: Iterable[Span], width: int) -> list[list[Span]]:
    """Break spans at spaces into rows of at most `width` cells; long words are chopped."""
    rows: list[list[Span]] = [[]]
    room = width
    for span in spans:
        for word in _words(span.text, width):
            size = cell_len(word)
            if size > room:
                rows.append([])
                room = width
                if word.isspace():
                    continue
            rows[-1].append(span._replace(text=word))
            room -= size
    return [_merged(row) for row in rows]


def _words(text: str, width: int) -> Iterable[str]:
    start = 0
    for index, char in enumerate(text):
        if char == " ":
            if index > start:
                yield from chop_cells(text[start:index], width)
            yield " "
            start = index + 1
    if start < len(text):
        yield from chop_cells(text[start:], width)


def _merged(spans: list[Span]) -> list[Span]:
    """Neighbours of one kind joined, so that a row has as few spans as possible."""
    merged: list[Span] = []
    for span in spans:
        if merged and merged[-1][1:] == span[1:]:
            merged[-1] = span._replace(text=merged[-1].text + span.text)
        else:
            merged.append(span)
    return merged
