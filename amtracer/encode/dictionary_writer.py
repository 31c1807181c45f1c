"""Assigns numbers to what repeats: shapes, texts, sets of log lines and of arguments.

A definition is sent once, before its first use; after that its number is used. New definitions
are gathered and sent together, because a frame for each would be larger than most of them. A
text without its last word is a head. The next text with the same head is sent as the head's
number and the word. The log lines of a transition mostly follow from its shape, so the line set
that came first with a shape is part of the shape's definition.

The tables are bounded. `full` means that the definitions of the next transition might not fit;
the stream writer then begins a new segment and calls `clear`. The size limit of a table starts
small and doubles if a segment was too short, up to the limits of a reader. So a program whose
every transition is new defines everything once, as if there were no dictionary.
"""

from __future__ import annotations

from collections.abc import Callable

from amtracer.wire import limits
from amtracer.wire.messages import (
    ArgsMessage,
    LinesMessage,
    Message,
    Shape,
    ShapeMessage,
    StringsMessage,
    TextWithKnownHead,
    TextWithNewHead,
)
from amtracer.wire.truncate import Args, Lines, cut_args, cut_lines, cut_shape

_STRINGS_FULL = limits.STRINGS_MAX - 2 * limits.LINES_MAX - 2 * limits.ARGS_MAX
_TEXT_BYTES_FULL = limits.SEGMENT_TEXT_BYTES_MAX - 3 * limits.TRANSITION_TEXT_BYTES_MAX
_NEW_BYTES_MAX = 256 * 1024
_PARTS_FULL = 256 * 1024
"""Steps, lines and arguments of all definitions: as objects they take up to 50 MB."""
_NUMBER_BYTES = 4
_ROWS_PER_ENTRY_MIN = 8
"""A segment with fewer transitions for each entry of a full table was too short."""
_HEAD_CHARS_MIN = 12
"""Characters from which a head saves bytes."""


class DictionaryWriter:
    """The sender's half of a segment's dictionary; one thread at a time.

    `known` maps the number of a schema and the identity of a shape to the shape's number,
    without comparing shapes. By the number of a shape, `calls` has the number of its handler
    calls, and `usual_lines` the line set, plus 1, with which it was defined.
    """

    def __init__(
        self, emit: Callable[[Message], None], start: int = limits.DICTIONARY_START
    ) -> None:
        self._emit = emit
        self._entries_max = start
        self.clear()

    def clear(self) -> None:
        """Empty all tables, for a new segment."""
        self.full: bool = False
        self._strings_max = min(self._entries_max, _STRINGS_FULL)
        self.calls: list[int] = []
        self.usual_lines: list[int] = []
        self.known: dict[tuple[int, int], int] = {}
        self._shapes: dict[tuple[int, Shape], int] = {}
        self._strings: dict[str, int] = {}
        self._heads: dict[str, int] = {}
        self._line_sets: dict[Lines, int] = {}
        self._arg_sets: dict[Args, int] = {}
        self._text_bytes = 0
        self._parts = 0
        self._new_strings: list[str | TextWithNewHead | TextWithKnownHead] = []
        self._new_text_bytes = 0
        self._new_lines: list[tuple[tuple[int, int], ...]] = []
        self._new_args: list[tuple[int, ...]] = []
        self._new_shapes: list[ShapeMessage] = []
        self._new_bytes = 0

    def grow(self, rows: int) -> None:
        """Allow twice the entries if a full segment of `rows` transitions was too short."""
        if rows < _ROWS_PER_ENTRY_MIN * self._entries_max:
            self._entries_max = min(2 * self._entries_max, limits.SHAPES_MAX)

    def shape(self, schema: int, shape: Shape, lines: int = 0) -> int:
        """The number of a shape that `known` does not have by identity.

        A new shape is defined with these lines as its usual ones.
        """
        new = len(self._shapes)
        number = self._shapes.setdefault((schema, shape), new)  # hashing a shape is costly
        if number == new:
            self.known[schema, id(shape)] = number  # the key above keeps the object alive
            kept = cut_shape(shape)
            self.calls.append(kept.calls)
            self.usual_lines.append(lines)
            self._new_shapes.append(ShapeMessage(number, schema, kept, lines))
            self._defined(new, len(kept.steps))
        return number

    def lines(self, lines: Lines) -> int:
        """The number of a set of log lines plus 1, 0 for none."""
        if not lines:
            return 0
        number = self._line_sets.get(lines)
        if number is None:
            string = self.string
            texts = [(level, string(text)) for level, text in cut_lines(lines)]
            self._new_lines.append(tuple(texts))
            number = self._line_sets[lines] = len(self._line_sets)
            self._defined(number + 1, len(texts))  # a transition has two sets
        return number + 1

    def args(self, args: Args) -> int:
        """The number of a set of arguments."""
        number = self._arg_sets.get(args)
        if number is None:
            texts = tuple(map(self.string, cut_args(args)))
            self._new_args.append(texts)
            number = self._arg_sets[args] = len(self._arg_sets)
            self._defined(number, len(texts))
        return number

    def _defined(self, number: int, parts: int) -> None:
        """Note a new definition; check if those of the next transition might not fit."""
        self._parts += parts
        if number + 1 >= self._entries_max or self._parts > _PARTS_FULL:
            self.full = True
        self._new_bytes += _NUMBER_BYTES * parts
        if self._new_bytes > _NEW_BYTES_MAX:
            self.define()

    def string(self, text: str) -> int:
        """The number of a text that fits the limits."""
        number = self._strings.get(text)
        if number is None:
            number = self._strings[text] = len(self._strings)
            size = len(text)
            if not text.isascii():
                raw = text.encode("utf-8", "backslashreplace")
                text, size = raw.decode(), len(raw)
            self._new_strings.append(text if size <= _HEAD_CHARS_MIN else self._split(text))
            self._text_bytes += size
            self._new_text_bytes += size
            if number + 1 >= self._strings_max or self._text_bytes > _TEXT_BYTES_FULL:
                self.full = True
            if self._new_text_bytes > _NEW_BYTES_MAX:
                self._define_strings()
        return number

    def _split(self, text: str) -> str | TextWithNewHead | TextWithKnownHead:
        """A new text, in two parts if it has a head."""
        chars = text.rfind(" ") + 1
        if chars < _HEAD_CHARS_MIN:
            return text
        new = len(self._heads)
        head = self._heads.setdefault(text[:chars], new)
        return (
            TextWithNewHead(text, chars) if head == new else TextWithKnownHead(head, text[chars:])
        )

    def define(self) -> None:
        """Send the gathered definitions; call it before a message that uses their numbers."""
        if self._new_strings:
            self._define_strings()
        if self._new_lines:
            first = len(self._line_sets) - len(self._new_lines)
            self._emit(LinesMessage(first, tuple(self._new_lines)))
            self._new_lines.clear()
        if self._new_args:
            first = len(self._arg_sets) - len(self._new_args)
            self._emit(ArgsMessage(first, tuple(self._new_args)))
            self._new_args.clear()
        for message in self._new_shapes:
            self._emit(message)
        self._new_shapes.clear()
        self._new_bytes = 0

    def _define_strings(self) -> None:
        first = len(self._strings) - len(self._new_strings)
        self._emit(StringsMessage(first, tuple(self._new_strings)))
        self._new_strings.clear()
        self._new_text_bytes = 0
