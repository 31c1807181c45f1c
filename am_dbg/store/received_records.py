"""The records of one live stream: another debugger sends finished history in this form.

A record comes in pieces and is written to the disk as it came; only its head is read. Its chunks
then wait until their machines have their turn, because a record can hold chunks of many machines,
and what happened between two chunks comes as messages. The definitions of a segment come in parts
and grow: a part begins where the one before ended.

A record that does not fit ends the stream. Its rows and its definitions are read when a reader
needs them, and are then compared with the head (see `am_dbg.store.loading.chunk_check`).

Unfinished pieces and waiting heads count as memory of the stream, and so do records that the disk
refused, until the stream is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from am_dbg.store.definitions.shape_check import check_table
from am_dbg.store.dictionary import DefinitionCounts, SegmentDictionary, TableLoader
from am_dbg.store.facts import IndexedSchema
from am_dbg.store.loading.record_file import (
    ChunkLoader,
    KeepRecord,
    KeptRecord,
    Part,
    ReceivedRecord,
    SegmentLoader,
)
from am_dbg.store.packed.definitions import PartHead, part_ends, unpack_part_head
from am_dbg.store.packed.heads import ChunkHead, RowsHead, unpack_rows_head
from am_dbg.store.track import Track
from am_dbg.store.weights import CHUNK_BYTES
from amtracer.errors import DamagedRecordError, LimitError, WireError
from amtracer.files.records import (
    HEADER_BYTES,
    PACKED_BYTES_MAX,
    RecordKind,
    content_of,
    header_of,
    record_crc,
)
from amtracer.wire.messages import ChunkMessage, PieceMessage, RecordSchemasMessage

RECORD_BYTES_MAX = HEADER_BYTES + 2 * PACKED_BYTES_MAX
"""Bytes of one record."""
_NUMBER_BYTES = 8


class RecordStore(Protocol):
    """The methods of the store that the records of a stream need."""

    keep_record: KeepRecord | None

    def new_dictionary(self, schemas: list[IndexedSchema], stream: int) -> SegmentDictionary: ...

    def close_dictionary(
        self, dictionary: SegmentDictionary, *, is_adopted: bool = False
    ) -> None: ...

    def hold_dictionary(self, dictionary: SegmentDictionary) -> None: ...

    def load_definitions_from(
        self, dictionary: SegmentDictionary, loader: TableLoader, counts: DefinitionCounts
    ) -> None: ...


@dataclass
class _Segment:
    """A segment whose definitions grow: its dictionary, its schemas, and what loads its tables."""

    dictionary: SegmentDictionary
    schemas: list[IndexedSchema]
    numbers: tuple[int, ...] = ()
    loader: SegmentLoader | None = None

    def check(self, head: PartHead, body: bytes) -> None:
        """Refuse a part that does not begin where the one before ended."""
        parts = self.loader.parts if self.loader else ()
        ends = part_ends(parts[-1].head) if parts else (0, 0, 0)
        if ends != (head.shape_first, head.text_first, head.set_first):
            raise WireError("definitions that do not begin where the ones before ended")
        if head.shapes_bytes > len(body):
            raise WireError("definitions that are shorter than their head says")

    def add(self, head: PartHead, kept: KeptRecord) -> SegmentLoader:
        """Take in a part."""
        if self.loader is None:
            self.loader = SegmentLoader(kept.file)
            self.loader.checked_by(lambda table: check_table(table, self.schemas))
        self.loader.add(Part(head, kept.record, kept.file.source))
        return self.loader


@dataclass
class _WaitingRecord:
    """A record of which some chunks had no turn yet."""

    kept: KeptRecord
    record: ReceivedRecord
    units_ns: list[int]
    chunks: set[int]
    weight: int


class ReceivedRecords:
    """Takes in the records of one live stream; `add_bytes` counts what it keeps meanwhile."""

    def __init__(self, store: RecordStore, stream: int, add_bytes: Callable[[int], None]) -> None:
        self._store = store
        self._stream = stream
        self._add_bytes = add_bytes
        self._pieces = bytearray()
        self._left = 0
        self._segments: dict[int, _Segment] = {}
        self._waiting: dict[int, _WaitingRecord] = {}
        self._records = 0

    def add_piece(self, message: PieceMessage) -> None:
        """Take a piece; with the last one, take in the record."""
        size = len(message.data) + message.left
        if self._pieces and size != self._left:
            raise WireError("a piece of another record")
        if size > RECORD_BYTES_MAX:
            raise LimitError("bytes of a record", size, RECORD_BYTES_MAX)
        if not message.data:
            raise WireError("a piece of a record without bytes")
        self._pieces += message.data
        self._left = message.left
        self._add_bytes(len(message.data))
        if not message.left:
            self._take(self._taken_pieces())

    def add_schemas(
        self, message: RecordSchemasMessage, schemas: Callable[[int], IndexedSchema]
    ) -> None:
        """Begin a segment, or add schemas to it; `schemas` gives those of the stream."""
        number, numbers = message.segment, message.schemas
        segment = self._segments.get(number)
        known = segment.numbers if segment else ()
        if number > len(self._segments) or numbers[: len(known)] != known:
            raise WireError("schemas of a segment out of order")
        added = list(map(schemas, numbers[len(known) :]))
        if segment is None:
            segment = self._segments[number] = self._new_segment()
        segment.schemas += added
        segment.numbers = numbers

    def chunk(
        self, message: ChunkMessage, schema: int, unit_ns: int
    ) -> tuple[ChunkHead, SegmentDictionary, ChunkLoader]:
        """The chunk that a machine takes next, its definitions, and what loads its columns."""
        waiting = self._waiting.get(message.record)
        segment = self._segments.get(message.segment)
        if waiting is None or message.chunk not in waiting.chunks:
            raise WireError("a chunk that was not sent, or had its turn")
        if segment is None or segment.loader is None:
            raise WireError("a chunk without definitions")
        head = waiting.record.head.chunks[message.chunk]
        waiting.units_ns[message.chunk] = unit_ns
        loader = ChunkLoader(waiting.record, message.chunk)
        head = head._replace(machine=message.machine, schema=schema, segment=message.segment)
        return head, segment.dictionary, loader

    def placed(self, message: ChunkMessage, track: Track) -> None:
        """A machine took a chunk: its record waits only for the others."""
        waiting = self._waiting[message.record]
        waiting.chunks.discard(message.chunk)
        waiting.kept.lasts[track] = track.count
        self._store.hold_dictionary(self._segments[message.segment].dictionary)
        if not waiting.chunks:
            del self._waiting[message.record]
            self._add_bytes(-waiting.weight)

    def close(self) -> None:
        """Forget what is unfinished."""
        self._add_bytes(-len(self._taken_pieces()))
        self._add_bytes(-sum(one.weight for one in self._waiting.values()))
        self._waiting.clear()
        self._segments.clear()

    def _taken_pieces(self) -> bytes:
        data = bytes(self._pieces)
        self._pieces.clear()
        self._left = 0
        return data

    def _new_segment(self) -> _Segment:
        schemas: list[IndexedSchema] = []
        dictionary = self._store.new_dictionary(schemas, self._stream)
        self._store.close_dictionary(dictionary, is_adopted=True)
        return _Segment(dictionary, schemas)

    def _take(self, data: bytes) -> None:
        """Take in a whole record."""
        self._add_bytes(-len(data))
        header = header_of(data)
        if header is None or header.size != len(data):
            raise DamagedRecordError("no record")
        content = data[HEADER_BYTES:]
        if record_crc(data[:HEADER_BYTES], content) != header.crc:
            raise DamagedRecordError("its checksum is wrong")
        head, body = content[: header.head_bytes], content[header.head_bytes :]
        if header.kind == RecordKind.DEFINITIONS:
            self._take_part(head, body)
        elif header.kind == RecordKind.ROWS:
            self._take_rows(head, body)
        else:
            raise WireError(f"a record of the kind {header.kind}")

    def _take_part(self, stored_head: bytes, body: bytes) -> None:
        head = unpack_part_head(content_of(stored_head))
        segment = self._segments.get(head.segment)
        if segment is None:
            raise WireError("definitions of a segment without schemas")
        segment.check(head, body)
        loader = segment.add(head, self._keep(RecordKind.DEFINITIONS, stored_head, body))
        self._store.hold_dictionary(segment.dictionary)
        self._store.load_definitions_from(segment.dictionary, loader, loader.counts)

    def _take_rows(self, stored_head: bytes, body: bytes) -> None:
        head = unpack_rows_head(content_of(stored_head))
        kept = self._keep(RecordKind.ROWS, stored_head, body)
        units_ns = [0] * len(head.chunks)
        record = ReceivedRecord(kept.file, kept.record, head._replace(texts=b""), units_ns)
        weight = _weight(head)
        chunks = set(range(len(head.chunks)))
        self._waiting[self._records] = _WaitingRecord(kept, record, units_ns, chunks, weight)
        self._records += 1
        self._add_bytes(weight)

    def _keep(self, kind: RecordKind, head: bytes, body: bytes) -> KeptRecord:
        keep = self._store.keep_record
        if keep is None:
            raise WireError("records, which are not taken here")
        kept = keep(kind, head, body)
        self._add_bytes(kept.memory)
        return kept


def _weight(head: RowsHead) -> int:
    """Bytes of a head in memory, about."""
    return sum(CHUNK_BYTES + _NUMBER_BYTES * _numbers(chunk) for chunk in head.chunks)


def _numbers(chunk: ChunkHead) -> int:
    """How many numbers the head of a chunk has."""
    counts: Sequence[Sequence[int]] = (*chunk.shapes, *chunk.lines, *chunk.facts)
    return len(chunk.ticks) + len(chunk.ticks_end) + sum(map(len, counts))
