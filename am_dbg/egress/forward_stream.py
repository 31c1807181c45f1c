"""A stream to another debugger: finished chunks as records if it takes them, all else as frames.

A record is sent when the first of its chunks has its turn; each chunk then has a message of its
own at its place among the other messages of its machine. So a record can hold chunks of many
machines. A record on the disk is copied if all its chunks are of machines that this stream has; a
large chunk in memory becomes a record of its own, column by column. Chunks that are small, that
still grow, or of which a part was sent before are sent as transitions.

Definitions go before the chunks that use them, and those on the disk are copied too: a message
gives the numbers that their schemas have in the stream. A segment that grows is sent as it grows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from weakref import WeakKeyDictionary

from am_dbg.egress.record_copy import (
    MachineChunk,
    copy_rows,
    whole_records,
    write_definitions,
)
from am_dbg.egress.track_replay import TrackReplay
from am_dbg.store import Track
from am_dbg.store.chunk import Chunk
from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.loading.record_file import ChunkLoader, RowsRecord, SegmentLoader
from am_dbg.store.packed.bodies import PackedChunk, pack_rows_body
from am_dbg.store.packed.definitions import PartHead, pack_part_head, part_ends
from am_dbg.store.packed.heads import RowsHead, pack_rows_head
from am_dbg.store.packed.text_lists import pack_text_lists
from amtracer.encode.stream_writer import StreamFullError, StreamWriter
from amtracer.errors import WireError
from amtracer.files.records import RecordKind, RecordWriter, compressed
from amtracer.wire.limits import PIECE_BYTES_MAX, RECORD_SEGMENTS_MAX
from amtracer.wire.messages import (
    ChunkMessage,
    HelloMessage,
    Message,
    OpenWorkItem,
    PieceMessage,
    RecordSchemasMessage,
)

CHUNK_ROWS_MIN = 256
"""A chunk in memory with fewer rows is sent as transitions."""
_UNPLANNED_MIN = 64
"""Chunks on the disk that no plan has, after which the next plan is made; then twice as many."""


class ForwardStream(StreamWriter):
    """A stream to a debugger; `takes_records` says whether it takes records, from now on.

    `tracks` gives the machines whose records may be sent.
    """

    def __init__(
        self,
        emit: Callable[[Message], None],
        hello: HelloMessage,
        takes_records: Callable[[], bool],
        tracks: Callable[[], Iterable[Track]],
    ) -> None:
        self.takes_records = takes_records
        self._tracks = tracks
        self._records = RecordWriter(self._send_pieces)
        self._sent_records = 0
        self._places: WeakKeyDictionary[Chunk, tuple[int, int]] = WeakKeyDictionary()
        """The record and the place within it of chunks that had no turn yet."""
        self._plan: dict[RowsRecord, list[MachineChunk]] = {}
        self._unplanned = self._unplanned_max = 0
        self._segments: dict[int, PartHead] = {}
        self._schema_counts: dict[int, int] = {}
        self._before = 0
        super().__init__(emit, hello)

    def prepare(self, chunk: Chunk, unit_ns: int) -> bool:
        """Send the record of a finished chunk if it was not sent; False if it cannot be one."""
        try:
            self._define_segment(chunk.dictionary)
            return chunk in self._places or self._send_record(chunk, unit_ns)
        except StreamFullError:
            raise
        except WireError:  # it is too large, or damaged on the disk: its rows are read one by one
            return False

    def place(self, machine: int, chunk: Chunk) -> None:
        """The next transitions of a machine are a chunk whose record was sent."""
        run = self._finished(machine)
        run.row = chunk.row_first + chunk.rows
        record, index = self._places.pop(chunk)
        segment = self._segments[chunk.dictionary.serial].segment
        self._emit(ChunkMessage(machine, record, index, segment))

    def work_before(self, row: int) -> None:
        """The next open work was there before this row; -1 for the present."""
        self._before = row + 1

    def open_work(
        self, machine: int, work: Sequence[OpenWorkItem], more: int = 0, before: int = 0
    ) -> None:
        """The open work of the machine, at the place that `work_before` gave."""
        super().open_work(machine, work, more, before or self._before)

    # Records.

    def _send_pieces(self, data: bytes) -> None:
        for at in range(0, len(data), PIECE_BYTES_MAX):
            piece = data[at : at + PIECE_BYTES_MAX]
            self._emit(PieceMessage(len(data) - at - len(piece), piece))

    def _send_record(self, chunk: Chunk, unit_ns: int) -> bool:
        record = self._planned(chunk)
        if record is not None:
            self._copy(record, self._plan.pop(record))
            return True
        return chunk.rows >= CHUNK_ROWS_MIN and self._pack(chunk, unit_ns)

    def _planned(self, chunk: Chunk) -> RowsRecord | None:
        """The record of a chunk, if the whole record may be copied."""
        loader = chunk.loader
        if not isinstance(loader, ChunkLoader):
            return None
        if loader.record not in self._plan:
            self._unplanned += 1
            if self._unplanned > self._unplanned_max:
                self._plan = whole_records(enumerate(self._tracks()))
                self._unplanned = 0
                self._unplanned_max = max(_UNPLANNED_MIN, 2 * self._unplanned_max)
        return loader.record if loader.record in self._plan else None

    def _copy(self, record: RowsRecord, chunks: Sequence[MachineChunk]) -> None:
        machines: dict[int, int] = {}
        heads = [
            chunk.head(machines.setdefault(machine, len(machines)), 0, 0, unit_ns)
            for machine, chunk, unit_ns in chunks
        ]
        copy_rows(self._records, record, 0, heads)
        self._count_record([chunk for _, chunk, _ in chunks])

    def _pack(self, chunk: Chunk, unit_ns: int) -> bool:
        """Send a record of one chunk; False if its columns are damaged."""
        columns = chunk.columns
        if chunk.is_damaged:
            return False
        packed = PackedChunk(chunk.head(0, 0, 0, unit_ns), columns, unit_ns)
        head = RowsHead(0, 0, (packed.head,), pack_text_lists([(chunk.rows, columns)]))
        stored_head, body = compressed(pack_rows_head(head)), compressed(pack_rows_body([packed]))
        self._records.add_stored(RecordKind.ROWS, stored_head, body)
        self._count_record([chunk])
        return True

    def _count_record(self, chunks: Sequence[Chunk]) -> None:
        for index, chunk in enumerate(chunks):
            self._places[chunk] = (self._sent_records, index)
        self._sent_records += 1

    # Definitions.

    def _define_segment(self, dictionary: SegmentDictionary) -> None:
        """Send the definitions of a segment that were not sent yet."""
        known = self._segments.get(dictionary.serial)
        if known is None:
            number = len(self._segments)
            if number >= RECORD_SEGMENTS_MAX:
                what = "segments of the records of a stream"
                raise StreamFullError(what, number + 1, RECORD_SEGMENTS_MAX)
            known = self._segments[dictionary.serial] = PartHead(0, number, 0, 0, 0, 0, 0, 0, 0)
        self._send_schemas(dictionary, known.segment)
        counts = dictionary.counts[:3]
        for copied in self._copied_parts(dictionary, known):
            known = self._segments[dictionary.serial] = copied
        if part_ends(known) != counts:
            tables = dictionary.shape_table, dictionary.text_table
            schemas = dict(enumerate(range(len(dictionary.schemas))))
            for written in write_definitions(self._records, *tables, known, schemas):
                self._segments[dictionary.serial] = written

    def _send_schemas(self, dictionary: SegmentDictionary, segment: int) -> None:
        schemas = list(dictionary.schemas)
        if self._schema_counts.get(segment) != len(schemas):
            numbers = tuple([self.schema(schema.states) for schema in schemas])
            self._emit(RecordSchemasMessage(segment, numbers))
            self._schema_counts[segment] = len(schemas)

    def _copied_parts(self, dictionary: SegmentDictionary, known: PartHead) -> Iterator[PartHead]:
        """Copy parts that are on the disk as long as each begins where the one before ended."""
        loader = dictionary.loader
        if not isinstance(loader, SegmentLoader):
            return
        for part in list(loader.parts):
            head = part.head
            if (head.shape_first, head.text_first, head.set_first) == part_ends(known):
                known = head._replace(stream=0, segment=known.segment)
                stored_head, body = loader.stored(part)
                stored_head = compressed(pack_part_head(known))
                self._records.add_stored(RecordKind.DEFINITIONS, stored_head, body)
                yield known


class ForwardReplay(TrackReplay):
    """Replays a track into a stream to another debugger, finished chunks as they are."""

    def __init__(
        self, writer: ForwardStream, track: Track, first: int, *, goes_on: bool = False
    ) -> None:
        super().__init__(writer, track, first, goes_on=goes_on)
        self._stream = writer
        self._ready: Chunk | None = None

    def replay_to(self, last: int) -> Iterator[int]:
        """Replay up to this number, or to the end of its chunk if that is finished."""
        if self._stream.takes_records():
            for chunk in self.track.chunks:
                if chunk.is_sealed and chunk.first <= last <= chunk.last:
                    last = chunk.last
        return super().replay_to(last)

    def _can_replay(self, chunk: Chunk) -> bool:
        """Whether the rows can be sent; those of a record are not read for that."""
        self._ready = None
        is_whole = chunk.is_sealed and not chunk.is_damaged and self.next <= chunk.first
        if is_whole and self._stream.takes_records():
            is_ready = self._stream.prepare(chunk, self.track.identity.unit_ns)
            self._ready = chunk if is_ready else None
        if self._ready is not None:
            return True
        return super()._can_replay(chunk)

    def _replay_chunk(
        self, chunk: Chunk, low: int, high: int, stops: Sequence[int]
    ) -> Iterator[int]:
        if chunk is not self._ready or (low, high) != (chunk.first, chunk.last):
            yield from super()._replay_chunk(chunk, low, high, stops)
            return
        self._stream.place(self._machine, chunk)
        self.next = high + 1
        for stop in stops:
            self._stream.work_before(chunk.row_first + stop - chunk.first + 1)
            self._send_open_work(stop)
        self._stream.work_before(-1)
        yield high - low + 1
