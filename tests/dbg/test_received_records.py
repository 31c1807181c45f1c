"""Records of another debugger are checked like frames: what does not fit ends the stream."""

from __future__ import annotations

import errno
import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from am_dbg.egress import forward_stream
from am_dbg.egress.forward_stream import CHUNK_ROWS_MIN, ForwardReplay, ForwardStream
from am_dbg.egress.live_replay import LiveReplay
from am_dbg.ingest.memory import use_disk
from am_dbg.store import GapKind, Store
from am_dbg.store.chunk import ChunkLimits
from am_dbg.store.packed.definitions import pack_part_head, unpack_part_head
from am_dbg.store.packed.heads import RowsHead, pack_rows_head, unpack_rows_head
from am_dbg.store.received_records import RECORD_BYTES_MAX
from am_dbg.store.spilling.spill import Spill
from am_dbg.store.spilling.spill_file import UnnamedFile
from amtracer.errors import WireError
from amtracer.files.records import (
    HEADER_BYTES,
    RecordKind,
    RecordWriter,
    compressed,
    content_of,
    header_of,
)
from amtracer.wire.codec import FrameWriter
from amtracer.wire.limits import PIECE_BYTES_MAX
from amtracer.wire.messages import (
    BatchMessage,
    ChunkMessage,
    MachineMessage,
    Message,
    PieceMessage,
    RecordSchemasMessage,
)
from tests.dbg.histories import SMALL_CHUNKS, HistoryPlayer, hello
from tests.dbg.model import histories
from tests.dbg.test_forward_records import lines_of, shown
from tests.wire.serving import Debugger, connect

ROWS = 2 * CHUNK_ROWS_MIN
CHUNKS = ChunkLimits(rows=CHUNK_ROWS_MIN, piece_rows=CHUNK_ROWS_MIN)


def source() -> Store:
    """A store with one machine of two finished chunks."""
    player = HistoryPlayer("session")
    machine = player.enter(0)
    for at in range(ROWS):
        player.transit(machine, (at % 8, at, at, at % 7, 4))
    player.writer.flush()
    store = Store(chunk_limits=CHUNKS)
    stream = store.open_stream("program", live=True)
    for message in player.messages:
        store.feed(stream, message)
    store.close_stream(stream)
    return store


def sent() -> list[Message]:
    """What is sent of it to a debugger that takes records."""
    messages: list[Message] = []
    store = source()
    writer = ForwardStream(messages.append, hello("fwd"), lambda: True, lambda: store.tracks)
    replay = LiveReplay[ForwardStream](store, ForwardReplay)
    replay.begin(writer)
    while replay.send(ROWS):
        pass
    return messages


MESSAGES = sent()


def place_of(kind: type, nth: int = 0) -> int:
    return [at for at, message in enumerate(MESSAGES) if type(message) is kind][nth]


def receiving(*, live: bool = True) -> tuple[Store, int]:
    """A store that takes records, and a stream of it."""
    store = Store()
    use_disk(store, 10**9)
    return store, store.open_stream("debugger", live=live)


def feed(messages: Sequence[Message], store: Store, stream: int) -> None:
    for message in messages:
        store.feed(stream, message)


def record(kind: RecordKind, head: bytes, body: bytes) -> PieceMessage:
    """A record as one piece."""
    written: list[bytes] = []
    RecordWriter(written.append).add_stored(kind, head, body)
    return PieceMessage(0, written[0])


def rows_with(change: Callable[[RowsHead], RowsHead], body: bytes | None = None) -> PieceMessage:
    """The first record of rows with a changed head, or another body."""
    kind, head, own = parts_of(MESSAGES[place_of(PieceMessage, 1)])
    assert kind == RecordKind.ROWS
    changed = change(unpack_rows_head(content_of(head)))
    return record(RecordKind.ROWS, compressed(pack_rows_head(changed)), body or own)


def parts_of(message: Message) -> tuple[int, bytes, bytes]:
    """The kind, the stored head and the stored body of a record in one piece."""
    assert isinstance(message, PieceMessage)
    header = header_of(message.data)
    assert header is not None
    middle = HEADER_BYTES + header.head_bytes
    return header.kind, message.data[HEADER_BYTES:middle], message.data[middle:]


def with_(kind: type, nth: int, *instead: Message) -> list[Message]:
    """The messages with others in the place of one."""
    at = place_of(kind, nth)
    return [*MESSAGES[:at], *instead, *MESSAGES[at + 1 :]]


def chunk_with(**changes: int) -> list[Message]:
    """The messages with a changed message about the first chunk."""
    first = MESSAGES[place_of(ChunkMessage)]
    assert isinstance(first, ChunkMessage)
    return with_(ChunkMessage, 0, replace(first, **changes))


def of_chunk(**values: object) -> Callable[[RowsHead], RowsHead]:
    """A change of the head of the only chunk of a record."""
    return lambda head: head._replace(chunks=(head.chunks[0]._replace(**values),))  # type: ignore[arg-type]


def definitions_from(first: int) -> PieceMessage:
    """The definitions with another first shape."""
    _, head, body = parts_of(MESSAGES[place_of(PieceMessage)])
    part = unpack_part_head(content_of(head))._replace(shape_first=first)
    return record(RecordKind.DEFINITIONS, compressed(pack_part_head(part)), body)


def test_the_messages_of_a_record_are_taken() -> None:
    """Schemas, definitions, rows, and then the chunk at its place."""
    store, stream = receiving()
    feed(MESSAGES, store, stream)

    assert store.tracks[0].count == store.transitions == ROWS
    assert store.tracks[0].ticks == source().tracks[0].ticks


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        (with_(PieceMessage, 0), "without definitions"),
        (with_(PieceMessage, 1), "was not sent"),
        (with_(RecordSchemasMessage, 0), "segment without schemas"),
        (with_(RecordSchemasMessage, 0, RecordSchemasMessage(0, (9,))), "9 is not defined"),
        (with_(RecordSchemasMessage, 0, RecordSchemasMessage(1, (0,))), "out of order"),
        (with_(PieceMessage, 0, definitions_from(1)), "do not begin where"),
        (with_(PieceMessage, 0, record(RecordKind.EVENTS, b"", b"")), "of the kind 4"),
        (with_(PieceMessage, 0, PieceMessage(0, b"")), "without bytes"),
        (with_(PieceMessage, 0, PieceMessage(0, b"no record")), "no record"),
        (with_(PieceMessage, 0, PieceMessage(RECORD_BYTES_MAX, b"a")), "bytes of a record"),
        (with_(PieceMessage, 0, PieceMessage(9, b"a"), PieceMessage(9, b"a")), "another record"),
        (with_(PieceMessage, 1, record(RecordKind.ROWS, b"damaged", b"")), "decompress"),
        (with_(PieceMessage, 1, rows_with(of_chunk(first_row=1))), "do not follow"),
        (with_(PieceMessage, 1, rows_with(of_chunk(ticks=(2, 0, 0)))), "do not follow"),
        (with_(PieceMessage, 1, rows_with(of_chunk(touched=64))), "touched states"),
        (chunk_with(machine=1), "machine 1 is not defined"),
        (chunk_with(record=2), "was not sent"),
        (chunk_with(chunk=1), "was not sent"),
        (chunk_with(segment=1), "without definitions"),
        ([*MESSAGES, MESSAGES[place_of(ChunkMessage)]], "had its turn"),
    ],
)
def test_what_does_not_fit_ends_the_stream(messages: list[Message], why: str) -> None:
    """The fault is named, and what came before it stays."""
    store, stream = receiving()

    with pytest.raises(WireError, match=why):
        feed(messages, store, stream)
    store.close_stream(stream, why)

    assert store.tracks == [] or store.tracks[0].count == store.transitions


def test_a_changed_byte_of_a_record_ends_the_stream() -> None:
    """A record has its own checksum beside that of its frame."""
    store, stream = receiving()
    piece = MESSAGES[place_of(PieceMessage)]
    assert isinstance(piece, PieceMessage)
    damaged = piece.data[:-1] + bytes([piece.data[-1] ^ 1])

    with pytest.raises(WireError, match="checksum"):
        feed(with_(PieceMessage, 0, PieceMessage(0, damaged)), store, stream)


def test_rows_that_are_not_those_of_their_head_are_a_gap() -> None:
    """A body is read when a reader looks; then a wrong one is damage of its chunk."""
    store, stream = receiving()
    feed(with_(PieceMessage, 1, rows_with(lambda head: head, compressed(b"\x90"))), store, stream)
    track = store.tracks[0]
    track.transition(1)

    assert [(gap.kind, gap.lost) for gap in track.gaps] == [(GapKind.DAMAGED, CHUNK_ROWS_MIN)]
    assert track.count == ROWS
    assert track.transition(ROWS).shape == source().tracks[0].transition(ROWS).shape


def test_a_file_holds_no_records_in_pieces() -> None:
    """Only a connection of another debugger has them."""
    with pytest.raises(WireError, match="in a file"):
        feed(MESSAGES, *receiving(live=False))


def test_a_debugger_without_a_disk_takes_no_records() -> None:
    """It has answered so, and ends the stream of a peer that sends them."""
    store = Store()

    with pytest.raises(WireError, match="not taken here"):
        feed(MESSAGES, store, store.open_stream("debugger", live=True))


def test_what_the_disk_refuses_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost, it counts as memory, and the next answer is that no records are taken."""
    store, stream = receiving()
    assert store.takes_records
    monkeypatch.setattr(UnnamedFile, "append", _refuse)
    feed(MESSAGES, store, stream)

    assert not store.takes_records
    assert store.tracks[0].transition(ROWS) == source().tracks[0].transition(ROWS)
    pieces = [message.data for message in MESSAGES if isinstance(message, PieceMessage)]
    assert store.streams[stream].weight > sum(map(len, pieces))


def _refuse(*_: object) -> None:
    raise OSError(errno.ENOSPC, "no space left")


def test_unfinished_records_count_as_memory_until_the_stream_ends() -> None:
    """Pieces and heads that wait weigh, and weigh nothing after the end of the stream."""
    store, stream = receiving()
    feed(MESSAGES[: place_of(PieceMessage, 1)], store, stream)
    before = store.streams[stream].weight
    feed(MESSAGES[place_of(PieceMessage, 1) : place_of(ChunkMessage)], store, stream)
    assert store.streams[stream].weight - before > CHUNK_ROWS_MIN
    waiting = store.size()
    store.feed(stream, PieceMessage(PIECE_BYTES_MAX, bytes(PIECE_BYTES_MAX)))
    assert store.size() - waiting == PIECE_BYTES_MAX

    store.close_stream(stream)
    assert store.streams[stream].weight == before


def test_the_oldest_records_are_dropped_when_the_disk_has_its_limit() -> None:
    """Rows that came as records leave the disk as rows that were moved there do."""
    store = Store()
    spill = Spill(store, 1_000, before_drop=lambda: None)
    store.keep_record = spill.keep
    stream = store.open_stream("debugger", live=True)
    feed(MESSAGES, store, stream)

    assert store.tracks[0].first > 1
    assert store.tracks[0].count == ROWS


def test_definitions_grow_after_a_reader_looked() -> None:
    """A chunk finds the shapes of a part that came after the first ones were loaded."""
    player, messages = HistoryPlayer("session"), list[Message]()
    store, stream = Store(chunk_limits=CHUNKS), 0
    store.open_stream("program", live=True)
    writer = ForwardStream(messages.append, hello("fwd"), lambda: True, lambda: store.tracks)
    replay = LiveReplay[ForwardStream](store, ForwardReplay)
    replay.begin(writer)
    copy, copied = receiving()
    for part in range(3):
        machine = player.enter(part)
        for at in range(ROWS):
            player.transit(machine, (at % 8, at, at, at % 7, 4))
        player.writer.flush()
        feed(player.messages, store, stream)
        player.messages.clear()
        while replay.send(ROWS):
            pass
        feed(messages, copy, copied)
        messages.clear()
        assert copy.tracks[part].chunks[0].loader is not None
        assert copy.tracks[part].transition(1) == store.tracks[part].transition(1)
        assert not copy.tracks[part].damaged


def test_a_finished_chunk_is_sent_whole_though_fewer_rows_were_asked_for() -> None:
    """A portion ends with its chunk, because a part of a chunk is no record."""
    store, messages = source(), list[Message]()
    writer = ForwardStream(messages.append, hello("fwd"), lambda: True, lambda: store.tracks)
    replay = LiveReplay[ForwardStream](store, ForwardReplay)
    replay.begin(writer)
    replay.send(10)

    assert [type(message) for message in messages].count(ChunkMessage) == 1
    assert BatchMessage not in map(type, messages)


def test_a_removed_machine_takes_chunks_and_keeps_nothing() -> None:
    """Its chunks are checked like its transitions, so that the stream can go on."""
    store, stream = receiving()
    at = place_of(ChunkMessage)
    feed(MESSAGES[:at], store, stream)
    store.remove(store.tracks[0])
    feed(MESSAGES[at:], store, stream)

    assert (list(store.tracks), store.transitions) == ([], 0)


def test_definitions_that_were_dropped_count_again_with_their_chunk() -> None:
    """A segment without chunks can be dropped to free memory, and comes back with the next one."""
    store, stream = receiving()
    at = place_of(ChunkMessage)
    feed(MESSAGES[:at], store, stream)
    store.trim(1)
    feed(MESSAGES[at:], store, stream)
    held = store.weights()[stream]

    store.trim(1)

    assert store.tracks[0].first > 1
    assert store.weights()[stream] < held


def test_a_bad_record_ends_only_its_connection(caplog: pytest.LogCaptureFixture) -> None:
    """The debugger logs the fault, and keeps what came before."""
    caplog.set_level(logging.INFO)
    debugger = Debugger(takes_records=lambda: True)
    use_disk(debugger.store, 10**9)
    frames = FrameWriter()
    messages = with_(PieceMessage, 0, PieceMessage(0, b"no record"))
    upto = messages[: place_of(MachineMessage) + 1] + messages[place_of(PieceMessage) :][:1]
    with connect(debugger) as peer:
        peer.sendall(frames.magic() + b"".join(map(frames.write, upto)) + frames.flush())
        assert peer.recv(1) == b""
    debugger.wait_for(lambda: not debugger.connections)
    debugger.stop()

    assert "closed: PieceMessage: no record" in caplog.text
    assert [track.id for track in debugger.store.tracks] == ["m0"]


def forwarded(store: Store, *, as_records: bool) -> tuple[Callable[[int], bool], Store]:
    """A function that sends so many rows of what is new, and the store that takes them."""
    copy, stream = receiving()
    copy.chunk_limits = SMALL_CHUNKS
    writer = ForwardStream(
        lambda message: copy.feed(stream, message),
        hello("fwd"),
        lambda: as_records,
        lambda: store.tracks,
    )
    replay = LiveReplay[ForwardStream](store, ForwardReplay)
    replay.begin(writer)
    return replay.send, copy


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(histories, st.lists(st.integers(1, 40), min_size=1), st.booleans())
def test_records_bring_what_transitions_bring(
    history: list[tuple[int, ...]], steps: list[int], is_moved: bool
) -> None:
    """Whatever the history is and however it is sent, both copies are the same."""
    with (
        mock.patch.object(forward_stream, "CHUNK_ROWS_MIN", 1),
        tempfile.TemporaryDirectory() as folder,
    ):
        player = HistoryPlayer("session", batch_rows=4, segment_rows=9).play(history)
        store = Store(bytes_max=is_moved, chunk_limits=SMALL_CHUNKS)
        spill = Spill(store, 10**9)
        ways = [forwarded(store, as_records=as_records) for as_records in (True, False)]
        stream, messages = store.open_stream("played", live=True), iter(player.messages)
        while new := list(islice(messages, steps[len(store.tracks) % len(steps)])):
            feed(new, store, stream)
            spill.make_room()
            for send, _ in ways:
                send(steps[0])
        store.close_stream(stream)
        spill.make_room()
        for send, _ in ways:
            while send(steps[-1]):
                pass
        (_, copy), (_, other) = ways
        assert lines_of(copy, Path(folder)) == lines_of(other, Path(folder))
        for track, same in zip(copy.tracks, other.tracks, strict=True):
            assert shown(track) == shown(same)
