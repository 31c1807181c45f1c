"""Copies records of a session file of version 3 into another one, without decoding them.

A record of rows is copied if all its chunks are written one after another in its order: local
numbers in its body mean the same everywhere, because the head translates them. A segment is copied
if the stream has the same numbers for its schemas. Every copied record is checked by its CRC32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from am_dbg.store.chunk import Chunk
from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.loading.record_file import ChunkLoader, RowsRecord, SegmentLoader
from am_dbg.store.packed.definitions import PartHead, pack_part_head
from am_dbg.store.packed.heads import ChunkHead, RowsHead, pack_rows_head
from amtracer.files.records import RecordKind, RecordWriter, compressed


class WaitingChunk(NamedTuple):
    """A chunk that is to be written: its head in the stream, and the unit of its times."""

    head: ChunkHead
    chunk: Chunk
    unit_ns: int

    @property
    def loader(self) -> ChunkLoader | None:
        """Where it is in a file."""
        loader = self.chunk.loader
        return loader if isinstance(loader, ChunkLoader) else None

    @property
    def record(self) -> RowsRecord | None:
        """The record that begins with it."""
        loader = self.loader
        return loader.record if loader is not None and loader.index == 0 else None


def completed_record(waiting: Sequence[WaitingChunk]) -> RowsRecord | None:
    """The record whose chunks are the last ones of `waiting`, if these are all of it."""
    loader = waiting[-1].loader
    if loader is None:
        return None
    record, count = loader.record, len(loader.record.head.chunks)
    if loader.index != count - 1 or count > len(waiting):
        return None
    own = zip(waiting[-count:], record.units_ns, strict=True)
    is_all = all(_is_chunk(one, record, at, unit) for at, (one, unit) in enumerate(own))
    return record if is_all else None


def _is_chunk(one: WaitingChunk, record: RowsRecord, index: int, unit_ns: int) -> bool:
    loader = one.loader
    if loader is None or one.unit_ns != unit_ns:
        return False
    return loader.record is record and loader.index == index


def copy_rows(
    records: RecordWriter, record: RowsRecord, stream: int, chunks: Sequence[WaitingChunk]
) -> None:
    """Copy a record, with the numbers that its chunks have in a stream."""
    stored_head, body = record.stored()
    head = RowsHead(stream, 0, tuple(one.head for one in chunks), record.head.texts)
    if head != record.head:
        stored_head = compressed(pack_rows_head(head))
    records.add_stored(RecordKind.ROWS, stored_head, body, rows=head.rows)


def copy_segment(records: RecordWriter, dictionary: SegmentDictionary, known: PartHead) -> PartHead:
    """Copy the definitions of a segment if they are in a file; returns the last part."""
    loader = dictionary.loader
    if not isinstance(loader, SegmentLoader):
        return known
    head = known
    for part in loader.parts:
        stored_head, body = loader.stored(part)
        head = part.head._replace(stream=known.stream, segment=known.segment)
        if head != part.head:
            stored_head = compressed(pack_part_head(head))
        records.add_stored(RecordKind.DEFINITIONS, stored_head, body)
    return head
