"""Opens a session file of version 3: takes in the heads of its records, and no row.

The file is walked once. Heads of rows become chunks whose columns a loader gives, definitions
become dictionaries whose tables a loader gives. Everything else is messages as on a connection, and
they are checked as these are. An event has the row of its machine before which it happened, so the
chunks and events of a machine are put in order by rows: an event of a row is after all rows below
it.

Damage costs only itself. Bytes that are no record are skipped; the rows that were there are a gap,
as the next chunk or event of the machine shows.
"""

from __future__ import annotations

from collections.abc import Callable

from am_dbg.ingest.stream_filling import (
    Event,
    PlacedChunk,
    PlacedEvent,
    StreamFilling,
    StreamParts,
)
from am_dbg.store import Store
from am_dbg.store.loading.record_file import (
    ChunkLoader,
    Part,
    RecordFile,
    RowsRecord,
    SegmentLoader,
    check_order,
)
from am_dbg.store.packed.definitions import unpack_part_head
from am_dbg.store.packed.heads import RowsHead, unpack_rows_head
from am_dbg.store.packed.values import unpack_stream_number
from am_dbg.store.values import DAMAGE_MAX, Damage
from amtracer.errors import (
    CutSessionError,
    DamagedSessionError,
    SessionError,
    TrailingBytesError,
    WireError,
)
from amtracer.files.record_walk import BadBytes, BadKind, ByteSource, Record, RecordWalk
from amtracer.files.records import RecordKind
from amtracer.wire.codec import unpack_messages
from amtracer.wire.messages import HelloMessage, MachineMessage, Message, SchemaMessage

_PROGRESS_RECORDS = 64

OnRecord = Callable[[int, int], None]


class RecordsImport:
    """Takes a file of records into a store; `give_way` is called every few milliseconds.

    The progress is that of the reading; it is also reported while machines get their transitions.
    """

    def __init__(
        self,
        store: Store,
        label: str,
        source: ByteSource,
        give_way: Callable[[], None] = lambda: None,
    ) -> None:
        self.transitions = 0
        self.damage: list[Damage] = []
        """Everything that is wrong, up to a limit."""
        self._store = store
        self._label = label
        self._source = source
        self._give_way = give_way
        self._progress: OnRecord = lambda _done, _total: None
        self._file = RecordFile(source, store.loaded)
        self._streams: dict[int, StreamParts] = {}
        self._rows: list[tuple[Record, RowsHead]] = []
        self._has_trailing = self._is_cut = False
        self._replaced = self._missing = 0
        self._rows_read = 0

    def run(self, progress: OnRecord | None = None) -> int:
        """Take in everything; a SessionError for damage or a cut comes after the good rest."""
        self._progress = progress or self._progress
        walk = RecordWalk(self._source)
        for count, found in enumerate(walk):
            self._give_way()
            self._is_cut = isinstance(found, Record) or found.kind is BadKind.CUT
            if isinstance(found, BadBytes):
                self._skip(found)
                continue
            try:
                self._take(found)
            except WireError as error:
                self._keep(Damage(str(error), found.offset))
            if count % _PROGRESS_RECORDS == 0:
                self._progress(found.end, self._source.size)
        self._is_cut = self._is_cut and walk.end is None
        self._place_rows()
        before = -1
        cut = self._reason_of_cut
        for number, parts in self._streams.items():
            if parts.rows_lost:
                what = f"{parts.rows_lost:,} transitions of machines whose opening is damaged"
                self._keep(Damage(f"stream {number}: {what}"))
        for at, parts in enumerate(self._streams.values(), start=1):
            before = self._open_stream(parts, before, cut if at == len(self._streams) else "")
        if walk.end is not None and not self._replaced:
            self._note_missing(walk.end.rows - self._rows_read)
        fault = self._fault(walk)
        if fault is not None:
            raise fault
        return self.transitions

    def _pause(self) -> None:
        """Between two machines: give way, and report how far the reading is."""
        self._give_way()
        self._progress(self._source.size, self._source.size)

    def _skip(self, bad: BadBytes) -> None:
        if bad.kind is BadKind.TRAILING:
            self._has_trailing = True
        elif bad.kind is not BadKind.CUT:
            self._keep(Damage(f"{bad.size:,} bytes {bad.kind.value}", bad.offset))

    def _keep(self, *damage: Damage) -> None:
        self.damage += damage[: max(0, DAMAGE_MAX - len(self.damage))]

    def _fault(self, walk: RecordWalk) -> SessionError | None:
        if self.damage:
            return DamagedSessionError(self._label, self.damage[0].text, self.transitions)
        if self._has_trailing:
            return TrailingBytesError(self._label, self.transitions)
        if walk.end is None:
            return CutSessionError(self._label, self.transitions)
        if not walk.is_whole:
            return DamagedSessionError(self._label, "records are missing", self.transitions)
        return None

    def _take(self, record: Record) -> None:
        """Take the head of a record, and the whole of a small one."""
        kind = record.header.kind
        if kind == RecordKind.ROWS:
            self._take_rows(record, unpack_rows_head(record.head(self._source)))
        elif kind == RecordKind.DEFINITIONS:
            self._take_part(record)
        elif kind in (RecordKind.OPENING, RecordKind.EVENTS):
            stream = self._stream(unpack_stream_number(record.head(self._source)))
            data, where = record.body(self._source), f"record at {record.offset:,}"
            for place, message in unpack_messages(data, where):
                if kind == RecordKind.OPENING:
                    self._take_opening(stream, message)
                else:
                    self._take_event(stream, place, message)

    def _stream(self, number: int) -> StreamParts:
        return self._streams.setdefault(number, StreamParts())

    def _take_opening(self, stream: StreamParts, message: Message) -> None:
        if not isinstance(message, HelloMessage | SchemaMessage | MachineMessage):
            raise WireError("an opening with another message")
        stream.opening.add(message)

    def _take_event(self, stream: StreamParts, place: object, message: Message) -> None:
        match place:
            case (int(row), int(segment), *_) if isinstance(message, Event):
                items = stream.items.setdefault(message.machine, [])
                items.append(PlacedEvent(row, segment, message))
            case _:
                raise WireError("an event without a place")

    def _take_part(self, record: Record) -> None:
        head = unpack_part_head(record.head(self._source))
        segments = self._stream(head.stream).segments
        loader = segments.get(head.segment)
        check_order(loader.parts if loader else (), head)
        if loader is None:
            loader = segments[head.segment] = SegmentLoader(self._file)
        loader.add(Part(head, record, self._source))

    def _take_rows(self, record: Record, head: RowsHead) -> None:
        self._rows_read += head.rows
        for _ in range(head.replaces):
            if not self._rows or not _has_all(head, self._rows[-1][1]):
                break  # one of the replaced records was damaged
            del self._rows[-1]
            self._replaced += 1
        self._rows.append((record, head))

    def _place_rows(self) -> None:
        """Hand the chunks of all records to their machines."""
        for record, head in self._rows:
            self._give_way()
            stream = self._stream(head.stream)
            units = [stream.opening.unit_ns(chunk.machine) for chunk in head.chunks]
            rows = RowsRecord(self._file, record, head, units)
            for index, chunk in enumerate(head.chunks):
                if units[index]:
                    items = stream.items.setdefault(chunk.machine, [])
                    items.append(PlacedChunk(chunk, ChunkLoader(rows, index)))
                else:
                    stream.rows_lost += chunk.rows

    def _open_stream(self, parts: StreamParts, before: int, cut: str) -> int:
        """Feed one stream to the store; its number there."""
        store = self._store
        number = store.open_stream(self._label, live=False, after=before)
        filling = StreamFilling(store, number, parts, self._pause)
        filling.fill(has_end=not cut)
        self._keep(*filling.damage)
        self.transitions += filling.transitions
        self._missing += filling.missing
        store.close_stream(number, cut)
        return number

    @property
    def _reason_of_cut(self) -> str:
        """Why the last stream has no end; empty if it has one."""
        if not self._is_cut:
            return ""
        return CutSessionError(self._label, sum(head.rows for _, head in self._rows)).reason

    def _note_missing(self, rows: int) -> None:
        """Note the transitions that were lost after everything that was read of their machines."""
        if rows > self._missing:
            self._keep(Damage(f"{rows - self._missing:,} more transitions damaged"))


def _has_all(joined: RowsHead, head: RowsHead) -> bool:
    """Whether a record has all transitions of another one."""
    spans: dict[int, tuple[int, int]] = {}
    for chunk in joined.chunks:
        low, _ = spans.get(chunk.machine, (chunk.first_row, 0))
        spans[chunk.machine] = low, chunk.first_row + chunk.rows
    return joined.stream == head.stream and all(
        spans.get(chunk.machine, (1, 0))[0] <= chunk.first_row
        and chunk.first_row + chunk.rows <= spans.get(chunk.machine, (1, 0))[1]
        for chunk in head.chunks
    )
