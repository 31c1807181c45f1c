"""Breaks the rows of the log that are wider than the pane: log lines, and what a row lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from am_dbg.projection.log.entries import StateChange, TransitionEntry
from am_dbg.projection.log.line_parts import LinePart, PartKind, parts_of
from am_dbg.projection.text.line_breaks import breaks
from am_dbg.projection.times import counted
from am_dbg.spans import width_of

ROWS_MAX = 600
"""The most rows below a transition after breaking."""
INDENT = 2
KIND_WIDTH = 2
"""The sign of an entry and the space behind it, which stand left of its states."""
FLAGS_WIDTH = 5
"""The room at the right of an entry that its flags may take."""


def wrapped(lines: Sequence[tuple[LinePart, ...]], width: int) -> tuple[tuple[LinePart, ...], ...]:
    """The rows of log lines in at most `width` cells, up to a limit."""
    rows: list[tuple[LinePart, ...]] = []
    for parts in lines:
        rows.extend(_broken(parts, width))
        if len(rows) > ROWS_MAX:
            left_out = counted(len(lines), "row")
            return (*rows[:ROWS_MAX], parts_of(f"… of {left_out} in all; v shows them", 1))
    return tuple(rows)


def _broken(parts: tuple[LinePart, ...], width: int) -> list[tuple[LinePart, ...]]:
    """One row as several; the rest of a trace's row is indented as the row is."""
    is_trace = bool(parts) and parts[0].kind is PartKind.TRACE
    room = width - INDENT if is_trace else width
    starts = breaks("".join(part.text for part in parts), room, INDENT)
    if not starts:
        return [parts]
    first, *rest = _split(parts, starts)
    margin = LinePart(PartKind.TEXT, " " * INDENT)
    return [first, *(row if is_trace else (margin, *row) for row in rest)]


def _split(parts: Sequence[LinePart], starts: Sequence[int]) -> list[tuple[LinePart, ...]]:
    rows: list[list[LinePart]] = [[]]
    at, cuts = 0, list(starts)
    for part in parts:
        text = part.text
        while cuts and cuts[0] < at + len(text):
            head = cuts.pop(0) - at
            if head:
                rows[-1].append(LinePart(part.kind, text[:head]))
            rows.append([])
            text, at = text[head:], at + head
        if text:
            rows[-1].append(LinePart(part.kind, text))
        at += len(text)
    return [_trimmed(row) for row in rows]


def _trimmed(row: list[LinePart]) -> tuple[LinePart, ...]:
    """A row without the space at its end, at which it was broken."""
    if row:
        row[-1] = LinePart(row[-1].kind, row[-1].text.rstrip(" "))
    return tuple(row)


def wrapped_entry(
    entry: TransitionEntry, width: int
) -> tuple[TransitionEntry, tuple[LinePart, ...]]:
    """An entry that fits, and a row below it with what does not fit beside its called states."""
    room = width + KIND_WIDTH - FLAGS_WIDTH
    used = width_of(" ".join(map(entry.written, (*entry.called, *entry.implied))))
    tail = sum(width_of(text) + 2 for text in (entry.note, entry.args) if text)
    if used + tail <= room:
        return entry, ()
    implied = list(entry.implied)
    while implied and used > room:
        used -= width_of(implied.pop().name) + 2
    rest = [
        LinePart(
            PartKind.ADDED if word.change is StateChange.ADDED else PartKind.REMOVED,
            f"{word.change.value}{word.name} ",
        )
        for word in entry.implied[len(implied) :]
    ]
    has_room = not rest and used + width_of(entry.note) + 2 <= room
    below = (entry.args,) if has_room else (entry.note, entry.args)
    rest += [LinePart(PartKind.KEY, f"{text}  ") for text in below if text]
    note = entry.note if has_room else ""
    return replace(entry, implied=tuple(implied), note=note, args=""), tuple(rest)
