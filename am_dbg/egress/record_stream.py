"""Writes one stream of a store into a session file of version 3.

Messages are checked and numbered as on a connection. Those that open the stream go before
everything, the others become events with the row before which they happened. Rows are written as
whole chunks: column by column, without decoding them. A record of a file is copied if all of its
chunks are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, groupby

import msgpack

from am_dbg.egress.record_copy import (
    MachineChunk,
    WaitingChunk,
    copy_rows,
    copy_segment,
    whole_records,
    write_definitions,
)
from am_dbg.egress.track_replay import TrackReplay
from am_dbg.store import Track
from am_dbg.store.chunk import Chunk
from am_dbg.store.definitions.shape_table import ShapeTable
from am_dbg.store.definitions.text_table import TextTable
from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.facts import IndexedSchema
from am_dbg.store.loading.record_file import ChunkLoader, RowsRecord
from am_dbg.store.packed.bodies import PackedChunk, pack_rows_body
from am_dbg.store.packed.definitions import PartHead, part_ends
from am_dbg.store.packed.heads import (
    HAS_OWN_IDS,
    RECORD_CHUNKS_MAX,
    RECORD_ROWS_MAX,
    RowsHead,
    pack_rows_head,
)
from am_dbg.store.packed.text_lists import pack_text_lists
from amtracer.encode.stream_writer import StreamWriter
from amtracer.errors import WireError
from amtracer.files.records import RecordKind, RecordWriter, compressed
from amtracer.wire import limits
from amtracer.wire.codec import joined_messages, pack_placed
from amtracer.wire.messages import (
    HelloMessage,
    LaterLinesMessage,
    LeftMessage,
    MachineMessage,
    Message,
    RefusedMessage,
    SchemaMessage,
    TroubleMessage,
)
from amtracer.wire.truncate import Lines, cut_text

EVENTS_MAX = 4_096
"""Events of one record."""
EVENT_BYTES_MAX = limits.MIB
"""Bytes of events, after which they are written; a record of an opening has about as many."""
OWN_TEXTS_MAX = 16_384
"""Texts of later lines in one segment."""
_NO_SEGMENT = -1

KeepsId = Callable[[str], bool]


class RecordStream(StreamWriter):
    """A stream in a file of records; `flush` writes what waits, `finish` ends it."""

    def __init__(
        self, records: RecordWriter, number: int, hello: HelloMessage, keeps_id: KeepsId = bool
    ) -> None:
        self._records = records
        self._number = number
        self._keeps_id = keeps_id
        self._copies: dict[RowsRecord, list[MachineChunk]] = {}
        self._opening: list[bytes] = []
        self._once: list[bytes] = []
        """What opens the stream and was written once."""
        self._events: list[bytes] = []
        self._event_bytes = 0
        self._chunks: list[WaitingChunk] = []
        self._rows = 0
        self._segments: dict[int, PartHead] = {}
        self._segments_begun = 0
        self._same_schemas: dict[tuple[int, int], bool] = {}
        self._with_rows: set[int] = set()
        self._own_texts = TextTable()
        self._own_part: PartHead | None = None
        self._row = -1
        super().__init__(self._take, hello)

    def rows(self, machine: int, chunk: Chunk, low: int, high: int) -> None:
        """Write the rows of a chunk from `low` up to `high`."""
        run = self._finished(machine)
        run.row = chunk.row_first + high
        self._with_rows.add(machine)
        part = sealed_part(chunk, low, high)
        loader = part.loader
        if isinstance(loader, ChunkLoader) and loader.record in self._copies:
            self._copy(loader.record)
            return
        segment = self._segment(part.dictionary)
        if self._rows + part.rows > RECORD_ROWS_MAX or len(self._chunks) >= RECORD_CHUNKS_MAX:
            self.flush_rows()
        head = part.head(machine, run.schema, segment, run.unit)
        self._chunks.append(WaitingChunk(head, part, run.unit))
        self._rows += part.rows

    def plan_copies(self, machines: Iterable[tuple[int, Track]]) -> None:
        """Copy each record of which all chunks are among the rows of these machines."""
        self._copies = {
            record: chunks
            for record, chunks in whole_records(machines).items()
            if not self._drops_ids(record.head)
        }

    def _copy(self, record: RowsRecord) -> None:
        """Copy a record, unless it was copied with another of its chunks."""
        chunks, self._copies[record] = self._copies[record], []
        if chunks:
            heads = [
                chunk.head(
                    machine, self.schema(chunk.schema.states), self._segment(chunk.dictionary), unit
                )
                for machine, chunk, unit in chunks
            ]
            self.flush_rows()
            self._flush_opening()
            copy_rows(self._records, record, self._number, heads)

    def events_at(self, row: int) -> None:
        """Place the next events before this row; -1 for where the machine is."""
        self._row = row

    def later_lines(self, machine: int, lines: Lines, missing: int = 0) -> None:
        """The machine wrote these lines after its last transition; see `LaterLinesMessage`."""
        if not lines:
            return
        row = self._finished(machine).row
        if len(self._own_texts.texts) + len(lines) > OWN_TEXTS_MAX:
            self._define_own()
            self._own_texts, self._own_part = TextTable(), None
        part = self._own_part = self._own_part or self._begin_segment_part()
        table = self._own_texts
        first = len(table.texts)
        table.texts.extend([cut_text(text).encode("utf-8", "surrogatepass") for _, text in lines])
        table.define_lines([(level, first + at) for at, (level, _) in enumerate(lines)])
        message = LaterLinesMessage(machine, len(table.line_ends) - 2, missing)
        self._add_event(row, part.segment, message)

    def flush(self) -> None:
        """Write everything that waits."""
        self.flush_rows()
        self._define_own()
        self._flush_events()
        self._flush_opening()

    def finish(self) -> None:
        """Write everything that waits, and where machines end: nothing follows.

        So a reader knows how many transitions it lacks.
        """
        for machine, run in enumerate(self._machines):
            if run is not None and machine in self._with_rows:
                self._add_event(run.row, _NO_SEGMENT, LeftMessage(machine))
        self.flush()
        self.repeat_opening()

    def _take(self, message: Message) -> None:
        """Keep a message for the record in which it belongs."""
        if isinstance(message, HelloMessage | SchemaMessage | MachineMessage):
            self._opening.append(pack_placed(0, message))
            return
        if isinstance(message, RefusedMessage | TroubleMessage):
            row = 0  # it names its own row, which may be one that never comes
        else:
            machine: int = message.machine  # type: ignore[union-attr]  # all others have one
            row = self._row if self._row >= 0 else self._row_of(machine)
        self._add_event(row, _NO_SEGMENT, message)

    def _add_event(self, row: int, segment: int, message: Message) -> None:
        packed = pack_placed((row, segment), message)
        self._events.append(packed)
        self._event_bytes += len(packed)
        if len(self._events) >= EVENTS_MAX or self._event_bytes >= EVENT_BYTES_MAX:
            self._flush_events()

    def _row_of(self, machine: int) -> int:
        return self._machine(machine).row

    def _drops_ids(self, head: RowsHead) -> bool:
        return self._keeps_id is not bool and any(chunk.has_own_ids for chunk in head.chunks)

    def _packed(self, waiting: WaitingChunk) -> PackedChunk:
        head, chunk, unit_ns = waiting
        columns = chunk.columns
        if head.flags & HAS_OWN_IDS and self._keeps_id is not bool:
            columns = columns.with_ids(self._keeps_id)
            head = head._replace(
                flags=head.flags if columns.ids is not None else head.flags & ~HAS_OWN_IDS
            )
        return PackedChunk(head, columns, unit_ns)

    def _segment(self, dictionary: SegmentDictionary) -> int:
        """The number of a segment; its definitions are written before rows that use them."""
        part = self._segments.get(dictionary.serial)
        if part is None:
            part = self._begin_segment_part()
            self._flush_opening()
            if self._has_schemas(dictionary.schemas):
                part = copy_segment(self._records, dictionary, part)
        counts = dictionary.counts
        if part_ends(part) != (counts.shapes, counts.texts, counts.line_sets):
            schemas = _LazySchemas(self, dictionary)
            part = self._define(dictionary.shape_table, dictionary.text_table, part, schemas)
        self._segments[dictionary.serial] = part
        return part.segment

    def _begin_segment_part(self) -> PartHead:
        """The next segment, of which nothing is defined."""
        number = self._segments_begun
        self._segments_begun += 1
        return PartHead(self._number, number, 0, 0, 0, 0, 0, 0, 0)

    def _define_own(self) -> None:
        """Define the texts of later lines."""
        if self._own_part is not None:
            self._own_part = self._define(ShapeTable(), self._own_texts, self._own_part, {})

    def _has_schemas(self, schemas: Sequence[IndexedSchema]) -> bool:
        """Whether these schemas have the same numbers in the stream."""
        key = (id(schemas), len(schemas))
        known = self._same_schemas.get(key)
        if known is None:
            numbers = [self._schemas.get(schema.states) for schema in schemas]
            known = self._same_schemas[key] = numbers == list(range(len(schemas)))
        return known

    def _define(
        self, shapes: ShapeTable, texts: TextTable, known: PartHead, schemas: Mapping[int, int]
    ) -> PartHead:
        """Define what follows a part of a segment; returns the last part."""
        self._flush_opening()
        written = write_definitions(self._records, shapes, texts, known, schemas)
        return [known, *written][-1]

    def flush_rows(self) -> None:
        """Write the chunks that wait as one record."""
        chunks, self._chunks, self._rows = self._chunks, [], 0
        if chunks:
            self._flush_opening()
            self._write_rows(list(map(self._packed, chunks)))

    def _write_rows(self, chunks: Sequence[PackedChunk]) -> None:
        """Write chunks as a record, or as several if they are too large for one."""
        texts = pack_text_lists([(one.head.rows, one.columns) for one in chunks])
        head = RowsHead(self._number, 0, tuple(one.head for one in chunks), texts)
        try:
            stored_head = compressed(pack_rows_head(head))
            body = compressed(pack_rows_body(chunks))
        except WireError:
            if len(chunks) == 1:
                raise
            half = len(chunks) // 2
            self._write_rows(chunks[:half])
            self._write_rows(chunks[half:])
            return
        self._add_rows(stored_head, body, head.rows)

    def _add_rows(self, stored_head: bytes, body: bytes, rows: int) -> None:
        self._records.add_stored(RecordKind.ROWS, stored_head, body, rows=rows)

    def _flush_events(self) -> None:
        if self._events:
            self._flush_opening()
            body = joined_messages(self._events)
            self._records.add(RecordKind.EVENTS, self._stream_head(), body)
            self._events, self._event_bytes = [], 0

    def _flush_opening(self) -> None:
        opening, self._opening = self._opening, []
        self._write_opening(opening)
        self._once += opening

    def repeat_opening(self) -> None:
        """Write what opens the stream a second time, as far as it was written once.

        Without a name, its states or its unit of time nothing of a machine can be read.
        """
        self._flush_opening()
        once, self._once = self._once, []
        self._write_opening(once)

    def _write_opening(self, packed: Sequence[bytes]) -> None:
        sizes = accumulate(map(len, packed))
        parts = groupby(zip(packed, sizes, strict=True), lambda one: one[1] // EVENT_BYTES_MAX)
        for _, part in parts:
            body = joined_messages([message for message, _ in part])
            self._records.add(RecordKind.OPENING, self._stream_head(), body)

    def _stream_head(self) -> bytes:
        packed: bytes = msgpack.packb((self._number,))
        return packed


def sealed_part(chunk: Chunk, low: int, high: int) -> Chunk:
    """The chunk itself if it is complete and these are all of its rows."""
    is_all = chunk.is_sealed and (low, high) == (0, chunk.rows)
    return chunk if is_all else chunk.part(low, high)


class _LazySchemas(dict[int, int]):
    """The numbers that the schemas of a segment have in a stream; found when they are needed."""

    def __init__(self, stream: RecordStream, dictionary: SegmentDictionary) -> None:
        super().__init__()
        self._stream = stream
        self._dictionary = dictionary

    def __missing__(self, schema: int) -> int:
        number = self[schema] = self._stream.schema(self._dictionary.schemas[schema].states)
        return number


class ChunkReplay(TrackReplay):
    """Replays a track into a stream of records, chunk by chunk."""

    def __init__(
        self, writer: RecordStream, track: Track, first: int, *, goes_on: bool = False
    ) -> None:
        super().__init__(writer, track, first, goes_on=goes_on)
        self._stream = writer

    @property
    def machine(self) -> int:
        """The number of the machine in the stream."""
        return self._machine

    def _can_replay(self, chunk: Chunk) -> bool:
        """Whether the rows are not known to be damaged; copying them does not read them."""
        return not chunk.is_damaged

    def _replay_chunk(
        self, chunk: Chunk, low: int, high: int, stops: Sequence[int]
    ) -> Iterator[int]:
        """Send rows as a chunk, and the open work with the rows before which it was there."""
        self._stream.rows(self._machine, chunk, low - chunk.first, high - chunk.first + 1)
        self.next = high + 1
        for stop in stops:
            self._stream.events_at(chunk.row_first + stop - chunk.first + 1)
            self._send_open_work(stop)
        self._stream.events_at(-1)
        yield high - low + 1
