"""Copies records of a session file of version 3 into another one, without decoding them.

A record of rows is copied if all its chunks are written: local numbers in its body mean the same
everywhere, because the head translates them. It is copied when the first of its chunks has its
turn, since readers order the rows of a machine by themselves. A segment is copied if the stream has
the same numbers for its schemas. Every copied record is checked by its CRC32.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from am_dbg.store import Track
from am_dbg.store.chunk import Chunk
from am_dbg.store.definitions.shape_table import ShapeTable
from am_dbg.store.definitions.text_table import TextTable
from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.loading.record_file import ChunkLoader, RowsRecord, SegmentLoader
from am_dbg.store.packed.definitions import (
    PartHead,
    pack_part_head,
    pack_shapes,
    pack_texts,
    parts_of,
)
from am_dbg.store.packed.heads import ChunkHead, RowsHead, pack_rows_head
from amtracer.files.records import RecordKind, RecordWriter, compressed


class WaitingChunk(NamedTuple):
    """A chunk that is to be written: its head in the stream, and the unit of its times."""

    head: ChunkHead
    chunk: Chunk
    unit_ns: int


class MachineChunk(NamedTuple):
    """A chunk of a record, and the number of its machine in the stream that is written."""

    machine: int
    chunk: Chunk
    unit_ns: int


def whole_records(
    machines: Iterable[tuple[int, Track]],
) -> dict[RowsRecord, list[MachineChunk]]:
    """The records of which all chunks belong to these machines, with the chunks in order."""
    found: dict[RowsRecord, dict[int, MachineChunk]] = {}
    for machine, track in machines:
        unit_ns = track.identity.unit_ns
        for chunk in track.chunks:
            loader = chunk.loader
            if not isinstance(loader, ChunkLoader) or chunk.is_damaged:
                continue
            if loader.record.units_ns[loader.index] == unit_ns:
                of_record = found.setdefault(loader.record, {})
                of_record[loader.index] = MachineChunk(machine, chunk, unit_ns)
    return {
        record: [chunks[index] for index in range(len(chunks))]
        for record, chunks in found.items()
        if len(chunks) == len(record.head.chunks)
    }


def copy_rows(
    records: RecordWriter, record: RowsRecord, stream: int, heads: Sequence[ChunkHead]
) -> None:
    """Copy a record, with the numbers that its chunks have in a stream."""
    stored_head, body = record.stored()
    head = RowsHead(stream, 0, tuple(heads), record.packed_lists())
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


def write_definitions(
    records: RecordWriter,
    shapes: ShapeTable,
    texts: TextTable,
    known: PartHead,
    schemas: Mapping[int, int],
) -> Iterator[PartHead]:
    """Write the definitions that follow a part of a segment; gives each part once it is written."""
    for head in parts_of(shapes, texts, known):
        stop = head.shape_first + head.shapes
        shape_part = compressed(pack_shapes(shapes, head.shape_first, stop, schemas))
        text_part = compressed(
            pack_texts(
                texts,
                range(head.text_first, head.text_first + head.texts),
                range(head.set_first, head.set_first + head.sets),
            )
        )
        packed = pack_part_head(head._replace(shapes_bytes=len(shape_part)))
        records.add_stored(RecordKind.DEFINITIONS, compressed(packed), shape_part + text_part)
        yield head
