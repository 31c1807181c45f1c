"""Gives numbers to what repeats: shapes, texts and sets of log lines of one segment.

A definition goes out once, before its first use, and its number is used from then on.
New texts and line sets are gathered and go out together, because a frame for each would
cost more than most of them.

The tables are bounded. `full` says that what the next transition defines might not fit;
whoever writes then begins a new segment with `clear`. How large they may grow starts small
and doubles when a segment was over too soon, up to the limits of a reader. A program whose
every transition is new thus defines everything once, at the cost of plain encoding.
"""

from __future__ import annotations

from collections.abc import Callable

from amtracer import limits
from amtracer.cutting import Lines, cut_lines, cut_shape
from amtracer.schema import LinesMessage, Message, Shape, ShapeMessage, StringsMessage

__all__ = ["Dictionary"]

_STRINGS_FULL = limits.STRINGS_MAX - 2 * limits.LINES_MAX - 2 * limits.ARGS_MAX
_TEXT_BYTES_FULL = limits.SEGMENT_TEXT_BYTES_MAX - 3 * limits.TRANSITION_TEXT_BYTES_MAX
_NEW_TEXT_BYTES_MAX = 256 * 1024
_ROWS_PER_ENTRY_MIN = 8
"""A segment with fewer transitions for each entry of a full table was over too soon."""


class Dictionary:
    """The sender's half of a segment's dictionary; its writer's thread only."""

    def __init__(
        self, emit: Callable[[Message], None], start: int = limits.DICTIONARY_START
    ) -> None:
        self._emit = emit
        self._entries_max = start
        self.clear()

    def clear(self) -> None:
        """Begin with nothing, for a new segment."""
        self.full = False
        self._known: dict[tuple[int, int], int] = {}
        self._shapes: dict[tuple[int, Shape], int] = {}
        self._strings: dict[str, int] = {}
        self._line_sets: dict[Lines, int] = {}
        self._text_bytes = 0
        self._new_strings: list[str] = []
        self._new_text_bytes = 0
        self._new_lines: list[LinesMessage] = []

    def defined(self) -> None:
        """Something new was defined, so look whether it is full."""
        most = self._entries_max
        self.full = (
            len(self._shapes) >= most
            or len(self._line_sets) >= most - 1
            or len(self._strings) >= min(most, _STRINGS_FULL)
            or self._text_bytes > _TEXT_BYTES_FULL
        )

    def grow(self, rows: int) -> None:
        """Allow twice the entries if a full segment of `rows` transitions was too short."""
        if rows < _ROWS_PER_ENTRY_MIN * self._entries_max:
            self._entries_max = min(2 * self._entries_max, limits.SHAPES_MAX)

    def shape(self, schema: int, shape: Shape) -> int:
        """The number of a shape; the very same object is found without comparing."""
        number = self._known.get((schema, id(shape)))
        return self._shape(schema, shape) if number is None else number

    def _shape(self, schema: int, shape: Shape) -> int:
        new = len(self._shapes)
        number = self._shapes.setdefault((schema, shape), new)  # hashing a shape is costly
        if number == new:
            self._known[schema, id(shape)] = number  # the key above keeps the object alive
            self._emit(ShapeMessage(number, schema, cut_shape(shape)))
            self.defined()
        return number

    def lines(self, lines: Lines) -> int:
        """The number of a set of log lines plus 1, 0 for none."""
        if not lines:
            return 0
        number = self._line_sets.get(lines)
        if number is None:
            kept = cut_lines(lines)
            entries = tuple((level, self.string(text)) for level, text in kept)
            number = len(self._line_sets)
            self._line_sets[lines] = number
            self._new_lines.append(LinesMessage(number, entries))
            self.defined()
        return number + 1

    def string(self, text: str) -> int:
        """The number of a text that fits the limits."""
        number = self._strings.get(text)
        if number is None:
            number = len(self._strings)
            self._strings[text] = number
            self._new_strings.append(text)
            size = len(text) if text.isascii() else len(text.encode("utf-8", "backslashreplace"))
            self._text_bytes += size
            self._new_text_bytes += size
            if self._new_text_bytes > _NEW_TEXT_BYTES_MAX:
                self._define_strings()
        return number

    def define(self) -> None:
        """Send what was gathered; call it before a message that uses the numbers."""
        if self._new_strings:
            self._define_strings()
        for message in self._new_lines:
            self._emit(message)
        self._new_lines.clear()

    def _define_strings(self) -> None:
        first = len(self._strings) - len(self._new_strings)
        self._emit(StringsMessage(first, tuple(self._new_strings)))
        self._new_strings.clear()
        self._new_text_bytes = 0
