"""Spans: runs of text with a meaning, in lines, from which everything on the screen is drawn.

A run says what its text *means*, never which colour it has: themes turn meanings into
colours, and a screen without colour still shows the marks that are part of the text. Lines
are values, so two drawings can be compared and equal lines share one drawn strip.

Widths are terminal cells. Text that goes into a run has been through
`am_dbg.projection.clean` when it came from outside.
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


class Ink(IntEnum):
    """The meanings of a piece of text; QUIET is for what is not needed now, LINE for frames."""

    PLAIN = 0
    QUIET = 1
    LINE = 2
    PLACE = 3
    ADDED = 4
    REMOVED = 5
    ERROR = 6
    CANCELED = 7
    HANDLER = 8
    FLAG = 9
    FUTURE = 10


class Ground(IntEnum):
    """The background of a whole line.

    CURSOR is the reader's place in the pane with the focus, MARKED in another one, RAISED
    the inside of a dialog.
    """

    NONE = 0
    CURSOR = 1
    MARKED = 2
    RAISED = 3


class Run(NamedTuple):
    """A piece of text with one meaning; `link` says where a click on it leads."""

    text: str
    ink: Ink = Ink.PLAIN
    bold: bool = False
    underline: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a pane; `edge` is drawn at both ends, outside of the ground."""

    runs: tuple[Run, ...] = ()
    ground: Ground = Ground.NONE
    edge: Run | None = None

    @property
    def text(self) -> str:
        """The line as plain text, which is also what is copied and printed."""
        text = "".join(run.text for run in self.runs)
        return self.edge.text + text + self.edge.text if self.edge else text

    @property
    def width(self) -> int:
        width = sum(cell_len(run.text) for run in self.runs)
        return width + 2 * cell_len(self.edge.text) if self.edge else width

    def link_at(self, x: int) -> str:
        """Where a click on this column leads; empty when nowhere."""
        x -= cell_len(self.edge.text) if self.edge else 0
        if x < 0:
            return ""
        for run in self.runs:
            width = cell_len(run.text)
            if x < width:
                return run.link
            x -= width
        return ""


BLANK = Line()
SPACE = Run(" ")
HERE = Run("▸", Ink.PLACE, bold=True)
"""Marks the row of the cursor, for screens that show no background."""


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


def left(text: str, width: int) -> str:
    """The text cut or padded to exactly `width` cells, at the left."""
    text = cut(text, width)
    return text + " " * (width - cell_len(text))


def right(text: str, width: int) -> str:
    """The text cut or padded to exactly `width` cells, at the right."""
    text = cut(text, width)
    return " " * (width - cell_len(text)) + text


def pad(width: int) -> Run:
    """Empty space of `width` cells."""
    return Run(" " * max(0, width))


def width_of_runs(runs: Iterable[Run]) -> int:
    """How many cells a row of runs takes."""
    return sum(cell_len(run.text) for run in runs)


def fit(runs: Iterable[Run], width: int) -> list[Run]:
    """The runs in exactly `width` cells: cut with a mark, or padded."""
    fitted: list[Run] = []
    room = width
    for run in runs:
        size = cell_len(run.text)
        if size > room:
            if run.text.isspace():
                fitted.append(pad(room))
            elif room > 0:
                fitted.append(run._replace(text=cut(run.text, room)))
            elif fitted:
                fitted[-1] = _with_mark(fitted[-1])
            room = width - width_of_runs(fitted)
            break
        if size:
            fitted.append(run)
            room -= size
    if room > 0:
        fitted.append(pad(room))
    return fitted


def _with_mark(run: Run) -> Run:
    width = cell_len(run.text)
    text = set_cell_size(run.text, width - 1).rstrip(" ") + CUT_MARK
    return run._replace(text=left(text, width))


def spread(
    left_runs: Iterable[Run], right_runs: Iterable[Run], width: int, filler: Run = SPACE
) -> list[Run]:
    """Both sides of a row: the right side is kept whole, the left side is cut.

    If the left side would lose more than half of its row, the right side is dropped instead.
    """
    tail = list(right_runs)
    size = width_of_runs(tail)
    head = list(left_runs)
    if size > width // 2 and width_of_runs(head) + size + 1 > width:
        tail, size = [], 0
    if not tail:
        return fit(head, width)
    room = width - size - 1
    used = width_of_runs(head)
    if used > room:
        return [*fit(head, room), SPACE, *tail]
    return [*head, filler._replace(text=filler.text * (width - size - used)), *tail]


def line(runs: Iterable[Run], width: int, ground: Ground = Ground.NONE) -> Line:
    """A line of exactly `width` cells."""
    return Line(tuple(fit(runs, width)), ground)


def wrap(runs: Iterable[Run], width: int) -> list[list[Run]]:
    """Break runs at spaces into rows of at most `width` cells; long words are chopped."""
    rows: list[list[Run]] = [[]]
    room = width
    for run in runs:
        for word in _words(run.text, width):
            size = cell_len(word)
            if size > room:
                rows.append([])
                room = width
                if word.isspace():
                    continue
            rows[-1].append(run._replace(text=word))
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


def _merged(runs: list[Run]) -> list[Run]:
    """Neighbours of one kind joined, so that a row has as few runs as possible."""
    merged: list[Run] = []
    for run in runs:
        if merged and merged[-1][1:] == run[1:]:
            merged[-1] = run._replace(text=merged[-1].text + run.text)
        else:
            merged.append(run)
    return merged
