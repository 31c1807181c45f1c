"""A stream of a recording: rows are written as they come, and again as larger records.

What comes in a moment is a small record, which takes more bytes a row than a large one and gives a
reader more chunks. So once there are rows for a whole record, or many small ones, a joined record
of the same rows is written, whose head says how many records before it it replaces.
"""

from __future__ import annotations

from typing import NamedTuple

from am_dbg.egress.record_copy import WaitingChunk
from am_dbg.egress.record_stream import RecordStream, sealed_part
from am_dbg.egress.recording_file import RecordingFile
from am_dbg.store.chunk import Chunk
from am_dbg.store.packed.bodies import pack_rows_body
from am_dbg.store.packed.heads import (
    RECORD_CHUNKS_MAX,
    RECORD_ROWS_MAX,
    RowsHead,
    pack_rows_head,
)
from amtracer.errors import WireError
from amtracer.files.records import compressed
from amtracer.wire.messages import HelloMessage

LOOSE_RECORDS_MAX = 256
"""Small records after which they are joined."""


class _Piece(NamedTuple):
    """Rows of a chunk that are in small records."""

    machine: int
    schema: int
    unit_ns: int
    low: int
    high: int


class LiveRecordStream(RecordStream):
    """A stream in the file of a recording; `flush` writes what waits.

    No record is copied into it: all rows may be joined.
    """

    def __init__(self, file: RecordingFile, number: int, hello: HelloMessage) -> None:
        self._file = file
        self._pieces: dict[Chunk, _Piece] = {}
        self._piece_rows = 0
        super().__init__(file.records, number, hello)

    def rows(self, machine: int, chunk: Chunk, low: int, high: int) -> None:
        """Write the rows of a chunk from `low` up to `high`."""
        run = self._finished(machine)
        self._join_if_full(chunk, high - low)
        super().rows(machine, chunk, low, high)
        before = self._pieces.get(chunk)
        first = low if before is None else before.low
        self._pieces[chunk] = _Piece(machine, run.schema, run.unit, first, high)
        self._piece_rows += high - low

    def join(self) -> None:
        """Write one record of the rows of all small ones, and new openings a second time."""
        self.flush_rows()
        pieces, self._pieces, self._piece_rows = self._pieces, {}, 0
        if self._file.loose > 1:
            self._write_joined([self._joined(*one) for one in pieces.items()])
        self._file.keep_loose()
        self.repeat_opening()

    def _join_if_full(self, chunk: Chunk, rows: int) -> None:
        is_full = chunk not in self._pieces and len(self._pieces) >= RECORD_CHUNKS_MAX
        has_rows = self._piece_rows + rows > RECORD_ROWS_MAX
        if is_full or has_rows or self._file.loose >= LOOSE_RECORDS_MAX:
            self.join()

    def _joined(self, chunk: Chunk, piece: _Piece) -> WaitingChunk:
        part = sealed_part(chunk, piece.low, piece.high)
        segment = self._segment(part.dictionary)
        head = part.head(piece.machine, piece.schema, segment, piece.unit_ns)
        return WaitingChunk(head, part, piece.unit_ns)

    def _write_joined(self, waiting: list[WaitingChunk]) -> None:
        """Replace the small records, unless their rows are too large for one."""
        waiting.sort(key=lambda one: (one.head.machine, one.head.first_row))
        chunks = list(map(self._packed, waiting))
        heads = tuple(one.head for one in chunks)
        head = RowsHead(self._number, self._file.loose, heads, b"")
        try:
            stored_head = compressed(pack_rows_head(head))
            body = compressed(pack_rows_body(chunks))
        except WireError:
            return
        self._file.replace_loose(stored_head, body, head.rows)

    def _add_rows(self, stored_head: bytes, body: bytes, rows: int) -> None:
        self._file.add_loose(stored_head, body, rows)
