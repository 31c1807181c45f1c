"""What tests of session format 3 share: files taken apart, changed, and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from am_dbg.egress.export import export_session
from am_dbg.ingest.importing import import_session
from am_dbg.store import Store, Track
from am_dbg.store.chunk import Chunk
from am_dbg.store.chunk_columns import ColumnCheck
from am_dbg.store.packed.bodies import PackedChunk, pack_rows_body
from am_dbg.store.packed.body_reader import RowsBody
from am_dbg.store.packed.heads import RowsHead, pack_rows_head, unpack_rows_head
from amtracer.errors import SessionError
from amtracer.files.record_walk import MemoryBytes, Record, RecordWalk
from amtracer.files.records import RecordKind, RecordWriter, compressed, content_of


class Content(NamedTuple):
    """A record without its framing; the parts of a body are the contents of its streams."""

    kind: int
    head: bytes
    parts: tuple[bytes, ...]
    rows: int = 0


def contents(data: bytes) -> list[Content]:
    """The records of a whole file, without its end."""
    source = MemoryBytes(data)
    found = [one for one in RecordWalk(source) if isinstance(one, Record)]
    return [_content(one, source) for one in found if one.header.kind != RecordKind.END]


def _content(record: Record, source: MemoryBytes) -> Content:
    import msgpack

    kind, head, stored = record.header.kind, record.head(source), record.stored(source)[1]
    if kind == RecordKind.DEFINITIONS:
        shapes = msgpack.unpackb(head)[8]
        return Content(kind, head, (content_of(stored[:shapes]), content_of(stored[shapes:])))
    rows = unpack_rows_head(head).rows if kind == RecordKind.ROWS else 0
    return Content(kind, head, (content_of(stored),), rows)


def file_of(records: Iterable[Content]) -> bytes:
    """A file of these records: every checksum and the end are right."""
    pieces: list[bytes] = []
    writer = RecordWriter(pieces.append)
    writer.begin()
    for record in records:
        parts = [compressed(part) for part in record.parts]
        head = record.head
        if record.kind == RecordKind.DEFINITIONS and len(parts) == 2:
            head = _with_length(head, len(parts[0]))
        writer.add_stored(
            RecordKind(record.kind), compressed(head), b"".join(parts), rows=record.rows
        )
    writer.end()
    return b"".join(pieces)


def _with_length(head: bytes, shapes: int) -> bytes:
    """The head of definitions with another length of the shapes."""
    import msgpack

    try:
        values = list(msgpack.unpackb(head))
        values[8] = shapes
    except (ValueError, IndexError, TypeError):
        return head
    return bytes(msgpack.packb(values))


def changed(data: bytes, change: Callable[[Content], Content | None]) -> bytes:
    """A file whose records were changed, or left out where `change` returns None."""
    return file_of(one for one in map(change, contents(data)) if one is not None)


def exported(store: Store, folder: Path) -> bytes:
    """A store as a file, with all ids."""
    path = folder / "whole.msgpack.br"
    export_session(store, path, all_ids=True)
    return path.read_bytes()


def imported(data: bytes, folder: Path) -> tuple[Store, SessionError | None]:
    """The store of a file, and what was reported of it."""
    path = folder / "changed.msgpack.br"
    path.write_bytes(data)
    store = Store()
    try:
        import_session(store, str(path))
    except SessionError as error:
        return store, error
    return store, None


def every_row(chunk: Chunk) -> Iterable[int]:
    """The numbers of all rows of a chunk."""
    return range(chunk.first, chunk.last + 1)


def some_rows(chunk: Chunk) -> Iterable[int]:
    """The first, the middle and the last row of a chunk."""
    return {chunk.first, (chunk.first + chunk.last) // 2, chunk.last}


def row_values(
    track: Track, rows_of: Callable[[Chunk], Iterable[int]] = every_row
) -> dict[int, Any]:
    """Everything of transitions that are not damaged, by row."""
    found = {}
    for chunk in track.chunks:
        chunk.can_be_read()
    for chunk in track.chunks:
        if chunk.is_damaged:
            continue
        for number in rows_of(chunk):
            clocks = (track.clock_before(number), track.clock_at(number))
            record = track.transition(number)
            row = track.row_at(number)
            found[row] = (replace(record, number=row), clocks, track.schema_at(number))
    return found


def track_values(track: Track) -> tuple[Any, ...]:
    """Everything of a track."""
    rows = [
        (track.transition(n), track.clock_before(n), track.clock_at(n), track.row_at(n))
        for n in range(track.first, track.count + 1)
    ]
    return (
        (track.key, track.identity, track.first, track.count, track.row_next, track.row_start),
        rows,
        list(track.gaps),
        (track.snapshot, track.states, track.ticks, track.ended, track.gone),
        ([*track.notes.all()], track.later, [*track.open.beyond(0)]),
        [track.schema_at(number) for number in range(track.first, track.count + 1)],
    )


def row_errors(whole: Sequence[dict[int, Any]], found: Sequence[dict[int, Any]]) -> list[Any]:
    """The rows of some tracks that are there and are not as they were."""
    return [
        (at, row)
        for at, (before, after) in enumerate(zip(whole, found, strict=False))
        for row, value in after.items()
        if before.get(row) != value
    ]


def split_rows(record: Content) -> list[Content]:
    """A record of rows as one record for each of its chunks; any other as it is."""
    if record.kind != RecordKind.ROWS:
        return [record]
    head = unpack_rows_head(record.head)
    units = [1] * len(head.chunks)
    body = RowsBody(head, record.parts[0], units)
    split = []
    for at, chunk in enumerate(head.chunks):
        columns = body.columns(at, ColumnCheck())
        own = pack_rows_head(RowsHead(head.stream, 0, (chunk,), b""))
        packed = pack_rows_body([PackedChunk(chunk, columns, 1)])
        split.append(Content(record.kind, own, (packed,), chunk.rows))
    return split
