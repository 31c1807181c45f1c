"""Drops the fine log lines of segments on the disk when they are older than the limit of their age.

The rest of the texts of such a segment is written again. The texts of segments are in temporary
files of their own, so the bytes of a file are given back once the lines of all its segments are
over. Only segments that a debugger has moved there lose lines, and only those of live programs: a
session file that was opened stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import ref

from am_dbg.store.definitions.old_lines import LEVEL_KEPT, newest, texts_of_rows, without_fine_lines
from am_dbg.store.definitions.text_table import TextTable
from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.store import Store


class OldLinesOnDisk:
    """The segments on the disk that have fine lines; `drop` drops those that are too old.

    `move` writes the definitions of a segment with other texts. Everything happens on the thread
    that feeds the store.
    """

    def __init__(self, store: Store, move: Callable[[SegmentDictionary, TextTable], None]) -> None:
        self._store = store
        self._move = move
        self._segments: list[ref[SegmentDictionary]] = []

    def add(self, dictionary: SegmentDictionary, texts: TextTable) -> None:
        """Note a segment that was moved, if it has lines to drop."""
        is_live = self._store.streams[dictionary.stream].live
        if is_live and max(texts.line_levels, default=0) > LEVEL_KEPT:
            self._segments.append(ref(dictionary))

    def drop(self) -> None:
        """Drop the lines of segments whose transitions are all older than the limit."""
        before = self._store.clock() - self._store.lines_ttl_ns
        self._segments = [one for one in self._segments if self._is_newer(one(), before)]

    def _is_newer(self, dictionary: SegmentDictionary | None, before: int) -> bool:
        """Whether a segment is too new; one that is old loses its lines."""
        if dictionary is None or not dictionary.holders:
            return False
        if newest(dictionary) >= before:
            return True
        kept = texts_of_rows(dictionary)
        self._move(dictionary, without_fine_lines(dictionary.text_table, kept))
        return False
