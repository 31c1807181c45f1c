"""Drops the fine log lines of segments that ended long ago, when memory has to be freed.

Numbers of texts and of sets stay. A set loses its lines above a level, and a text that nothing else
uses becomes empty. Segments on the disk are those of
`am_dbg.store.spilling.old_lines_on_disk`.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise

from am_dbg.store.definitions.text_table import TextTable
from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.store import Store

LEVEL_KEPT = 1
"""Lines up to this level are never dropped for their age."""


def drop_old_lines(store: Store, ttl_ns: int) -> None:
    """Drop fine lines of segments in memory whose live transitions are all older than `ttl_ns`."""
    before = store.clock() - ttl_ns
    for dictionary in store.ended_segments():
        is_live = store.streams[dictionary.stream].live
        has_fine = max(dictionary.text_table.line_levels, default=0) > LEVEL_KEPT
        if is_live and has_fine and newest(dictionary) < before:
            with store.lock:
                table = without_fine_lines(dictionary.text_table, texts_of_rows(dictionary))
                dictionary.replace_texts(table)
                store.add_bytes(dictionary.weigh())


def without_fine_lines(table: TextTable, kept: Collection[int]) -> TextTable:
    """The table without lines above the level, and without texts that only these lines use."""
    made = TextTable()
    for low, high in pairwise(table.line_ends):
        lines = zip(table.line_levels[low:high], table.line_texts[low:high], strict=True)
        made.define_lines([line for line in lines if line[0] <= LEVEL_KEPT])
    for low, high in pairwise(table.arg_ends):
        made.define_args(table.arg_texts[low:high])
    unused = set(table.line_texts).difference(made.line_texts, made.arg_texts, kept)
    texts = (b"" if at in unused else table.texts[at] for at in range(len(table.texts)))
    made.texts.extend(list(texts))
    return made


def newest(dictionary: SegmentDictionary) -> int:
    """The time of the newest transition of a segment."""
    chunks = (
        chunk
        for track in dictionary.holders
        for chunk in track.chunks
        if chunk.dictionary is dictionary
    )
    return max((chunk.time_max for chunk in chunks), default=0)


def texts_of_rows(dictionary: SegmentDictionary) -> set[int]:
    """The texts of the arguments of all transitions of a segment."""
    used: set[int] = set()
    for track in dictionary.holders:
        for chunk in track.chunks:
            if chunk.dictionary is dictionary and chunk.columns.args is not None:
                used.update(chunk.columns.args.parts()[2])
    return used
