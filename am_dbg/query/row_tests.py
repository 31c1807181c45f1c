"""Conditions on rows: each makes the flags of the first rows of a chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from itertools import compress
from threading import get_ident
from weakref import WeakKeyDictionary

from am_dbg.query.flags import FlagTable, both, either, marked, opposite
from am_dbg.query.shape_tests import touching_like
from am_dbg.query.terms import ignores_case
from am_dbg.query.times import WrittenTime
from am_dbg.store import Track
from am_dbg.store.chunk import Chunk
from am_dbg.store.columns import looked_up

REMEMBERED_CHUNKS_MAX = 4_096
"""Chunks of which a condition keeps its flags, one byte for each transition."""

WORDS_MAX = 8
"""Words whose conditions are kept."""

RowTest = Callable[[Chunk, int], bytes | None]
"""A condition on rows: the flags of the first rows of a chunk, None when all of them pass."""


_WORDS: dict[tuple[int, str, int], RowTest] = {}
"""The conditions of the words that were looked for last, of each thread by itself."""


def remembered(test: RowTest) -> RowTest:
    """A condition whose flags of complete chunks are kept while those exist.

    Sets that share the condition, such as the errors among the visible transitions, share them.
    """
    return _Remembered(test)


class _Remembered:
    """A condition with the flags that it has found."""

    def __init__(self, test: RowTest) -> None:
        self._test = test
        self._kept: WeakKeyDictionary[Chunk, bytes | None] = WeakKeyDictionary()

    def __call__(self, chunk: Chunk, rows: int) -> bytes | None:
        if self._has(chunk):
            return self._kept[chunk]
        flags = self._test(chunk, rows)
        is_whole = chunk.is_sealed and rows == chunk.rows
        if is_whole and len(self._kept) < REMEMBERED_CHUNKS_MAX:
            self._kept[chunk] = flags
        return flags

    def known_count(self, chunk: Chunk) -> int | None:
        """How many rows of a sealed chunk pass, if that is known without its rows."""
        if self._has(chunk):
            flags = self._kept[chunk]
            return chunk.rows if flags is None else flags.count(1)
        return known_count(self._test, chunk)

    def preparing(self, chunk: Chunk) -> Iterator[int]:
        """Make what the flags of a chunk need, in steps that yield their size."""
        if not self._has(chunk):
            yield from preparing(self._test, chunk)

    def _has(self, chunk: Chunk) -> bool:
        """Whether the flags of a chunk are kept; those of one that is damaged now are wrong."""
        return chunk in self._kept and not chunk.is_damaged


def known_count(test: RowTest, chunk: Chunk) -> int | None:
    """How many rows of a sealed chunk pass, if its head and its lists say it."""
    return test.known_count(chunk) if isinstance(test, _Remembered | _Containing) else None


def preparing(test: RowTest, chunk: Chunk) -> Iterator[int]:
    """Make what a condition needs for a chunk, in steps; most conditions need nothing."""
    if isinstance(test, _Remembered | _Containing):
        yield from test.preparing(chunk)


def not_requested_by(machine: str) -> RowTest:
    """Rows that no transition of this machine requested."""

    def test(chunk: Chunk, rows: int) -> bytes | None:
        by_machine = chunk.rows_asked_by(machine)
        if not by_machine:
            return None
        return opposite(marked(by_machine, rows))

    return test


def none_of(tests: Sequence[RowTest]) -> RowTest:
    """Rows that at least one of these conditions refuses."""

    def test(chunk: Chunk, rows: int) -> bytes:
        answers = [flags for test in tests if (flags := test(chunk, rows)) is not None]
        return opposite(reduce(both, answers)) if answers else bytes(rows)

    return test


def between(track: Track, after: WrittenTime | None, before: WrittenTime | None) -> RowTest:
    """Rows whose wall time lies between two times, both included."""

    def test(chunk: Chunk, rows: int) -> bytes | None:
        started = track.time_at(track.first)
        low = after.at(started) if after else chunk.time_min
        high = before.at(started) if before else chunk.time_max
        if low <= chunk.time_min and chunk.time_max <= high:
            return None
        if chunk.time_max < low or high < chunk.time_min:
            return bytes(rows)
        return bytes(low <= chunk.time(row) <= high for row in range(rows))

    return test


def longer(duration_ns: int) -> RowTest:
    """Rows that took at least this long."""
    return lambda chunk, rows: bytes(chunk.duration(row) >= duration_ns for row in range(rows))


def containing(word: str, level: int) -> RowTest:
    """Rows with a text in a log line up to a level, an argument or the name of a state.

    Sets that look for the same word share the condition, and so what it has found.
    """
    key = (get_ident(), word, level)
    found = _WORDS.pop(key, None)
    _WORDS[key] = found = found or remembered(_Containing(word, level))
    while len(_WORDS) > WORDS_MAX:
        _WORDS.pop(next(iter(_WORDS)), None)
    return found


class _Containing:
    """Rows with a text, by tables over the shapes, the texts and the sets of lines."""

    def __init__(self, word: str, level: int) -> None:
        folded = ignores_case(word)
        needle = word.encode("utf-8", "surrogatepass")
        self._names = FlagTable(lambda dictionary: dictionary.shape_count, touching_like(word))
        self._texts = texts = FlagTable(
            lambda dictionary: dictionary.text_count,
            lambda dictionary, *bounds: dictionary.texts_containing(needle, *bounds, folded=folded),
        )
        self._sets = FlagTable(
            lambda dictionary: dictionary.line_set_count,
            lambda dictionary, *bounds: dictionary.line_sets_containing(
                texts.of(dictionary), *bounds, level
            ),
        )

    def __call__(self, chunk: Chunk, rows: int) -> bytes:
        shapes, lines, texts, line_sets = self._flags(chunk)
        flags = marked(chunk.rows_with_texts(texts, line_sets), rows)
        if 1 in shapes:
            flags = either(flags, chunk.shapes.spread(shapes, rows))
        if 1 in lines:
            flags = either(flags, chunk.lines.spread(lines, rows))
        return flags

    def known_count(self, chunk: Chunk) -> int | None:
        """How many rows of a sealed chunk pass, if only one of the palettes has the word."""
        shapes, lines, texts, line_sets = self._flags(chunk)
        if 0 not in shapes or 0 not in lines:
            return chunk.rows
        is_in_both = 1 in shapes and 1 in lines
        if is_in_both or chunk.may_have_texts(texts, line_sets):
            return None
        column, flags = (chunk.shapes, shapes) if 1 in shapes else (chunk.lines, lines)
        return sum(compress(column.counts, flags)) if 1 in flags else 0

    def _flags(self, chunk: Chunk) -> tuple[bytes, bytes, bytes, bytes]:
        """The flags of the shapes and sets of lines of a chunk; of all texts, and of all sets.

        Those of sets begin with one for no lines. Palettes are taken first, see `FlagTable`.
        """
        dictionary = chunk.dictionary
        shape_palette, line_palette = chunk.shapes.palette[:], chunk.lines.palette[:]
        texts, line_sets = self._texts.of(dictionary), b"\0" + self._sets.of(dictionary)
        shapes = looked_up(self._names.of(dictionary), shape_palette)
        return shapes, looked_up(line_sets, line_palette), texts, line_sets

    def preparing(self, chunk: Chunk) -> Iterator[int]:
        """Make the tables of the dictionary of a chunk, in steps."""
        for table in (self._texts, self._sets, self._names):
            yield from table.making(chunk.dictionary)
