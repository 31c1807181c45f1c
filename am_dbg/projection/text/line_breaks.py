"""Breaks rows of text at a width: at spaces where possible, inside words where necessary.

A long row becomes several, of which all but the first are indented, so the reader sees where a
row begins. Places are offsets in the joined text of a row, so the pieces of a row keep their
roles and links wherever they are broken. A row of ASCII is measured by its length; everything
else cell by cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from rich.cells import cell_len

from am_dbg.spans import Span

WIDTH_MIN = 8
"""A row is never broken into pieces narrower than this."""


@lru_cache(maxsize=8192)
def breaks(text: str, width: int, indent: int = 0, first: int | None = None) -> tuple[int, ...]:
    """Where the rows after the first one begin; empty if the text fits.

    `indent` cells of each row but the first are left free; `first` is the room in the first
    row if it is not `width`.
    """
    room = max(WIDTH_MIN, width if first is None else first)
    rest = max(WIDTH_MIN, width - indent)
    starts: list[int] = []
    start = 0
    while (end := _end_of_row(text, start, room)) < len(text):
        starts.append(end)
        start, room = end, rest
    return tuple(starts)


def _end_of_row(text: str, start: int, room: int) -> int:
    """Where the row that begins at `start` ends: behind a space, or inside a long word."""
    end = _fitting(text, start, room)
    if end >= len(text):
        return len(text)
    if text[end] == " ":
        return end + 1
    space = text.rfind(" ", start, end)
    is_indentation = not text[start:space].strip(" ")
    return end if space < 0 or is_indentation else space + 1


def _fitting(text: str, start: int, room: int) -> int:
    """The end of the longest piece from `start` on that fits into `room` cells."""
    if text.isascii():
        return min(len(text), start + room)
    used, at = 0, start
    while at < len(text):
        used += cell_len(text[at])
        if used > room:
            break
        at += 1
    return max(at, min(len(text), start + 1))


def broken(spans: Sequence[Span], width: int, indent: int = 0) -> list[list[Span]]:
    """A row of spans as rows of at most `width` cells; all but the first are indented."""
    text = "".join(span.text for span in spans)
    indent = min(indent, width // 2)
    starts = breaks(text, width, indent)
    if not starts:
        return [list(spans)]
    margin = [Span(" " * indent)] if indent else []
    rows = [[*margin * bool(at), *row] for at, row in enumerate(_split(spans, starts))]
    return [_trimmed(row) for row in rows]


def _split(spans: Iterable[Span], starts: Sequence[int]) -> list[list[Span]]:
    """The spans cut at some offsets of their joined text."""
    rows: list[list[Span]] = [[]]
    at, cuts = 0, list(starts)
    for span in spans:
        text = span.text
        while cuts and cuts[0] < at + len(text):
            head = cuts.pop(0) - at
            if head:
                rows[-1].append(span._replace(text=text[:head]))
            rows.append([])
            text, at = text[head:], at + head
        if text:
            rows[-1].append(span._replace(text=text))
        at += len(text)
    return rows


def _trimmed(row: list[Span]) -> list[Span]:
    """A row without the space at its end, at which it was broken."""
    if row and row[-1].text.endswith(" "):
        row = [*row[:-1], row[-1]._replace(text=row[-1].text.rstrip(" "))]
    return [span for span in row if span.text]
