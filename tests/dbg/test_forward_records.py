"""Finished history is forwarded as records, to a debugger that says that it takes them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from am_dbg.egress.asking_sink import AskingSink
from am_dbg.egress.convert import write_json_lines
from am_dbg.egress.export import selected
from am_dbg.egress.forward import RouteForwarder
from am_dbg.egress.forward_stream import CHUNK_ROWS_MIN
from am_dbg.ingest.memory import use_disk
from am_dbg.store import GapKind, Store
from am_dbg.store.chunk import ChunkLimits
from am_dbg.store.spilling.spill import Spill
from am_dbg.store.track import Track
from amtracer.address import Address
from amtracer.wire.codec import FrameReader, FrameWriter
from amtracer.wire.messages import (
    BatchMessage,
    ChunkMessage,
    EndMessage,
    HelloMessage,
    Message,
    OpenWorkItem,
    OpenWorkMessage,
    PieceMessage,
    RecordSchemasMessage,
)
from tests.dbg.histories import HistoryPlayer
from tests.wire.serving import WAIT_S, Debugger, connect

ROUND_S = 0.005
CHUNKS = ChunkLimits(rows=CHUNK_ROWS_MIN, piece_rows=CHUNK_ROWS_MIN)
RECORD_KINDS = (PieceMessage, RecordSchemasMessage, ChunkMessage)


class Taker(Debugger):
    """A debugger that takes records; `taken` counts the messages by their class."""

    def __init__(self) -> None:
        super().__init__(takes_records=lambda: True)
        self.taken: list[type] = []
        use_disk(self.store, 10**9)
        feed = self.store.feed

        def counted(stream: int, message: Message) -> None:
            self.taken.append(type(message))
            feed(stream, message)

        self.store.feed = counted  # type: ignore[method-assign]

    def end_connections(self) -> None:
        """End all connections from this side."""
        for connection in list(self._server._open):
            connection.end("away")


@pytest.fixture
def debugger() -> Iterator[Taker]:
    """Another debugger that listens."""
    debugger = Taker()
    yield debugger
    debugger.stop()


class Backlog:
    """A store with the history of one program that has ended or goes on."""

    def __init__(
        self, machines: int = 1, *, is_moved: bool = False, segment_rows: int = 10_000
    ) -> None:
        self.player = HistoryPlayer("session", segment_rows=segment_rows)
        self.machines = [self.player.enter(which) for which in range(machines)]
        self.store = Store(bytes_max=is_moved, chunk_limits=CHUNKS)
        self.spill = Spill(self.store, 10**9) if is_moved else None
        self.plain = Store(chunk_limits=CHUNKS) if is_moved else self.store
        """A store that moves nothing: its rows are read without the disk."""
        self.stream = self.store.open_stream("program", live=True)
        if is_moved:
            self.plain.open_stream("program", live=True)

    def make(self, rounds: int) -> None:
        """Each machine makes a transition in each round."""
        for at in range(rounds):
            for machine in self.machines:
                self.player.transit(machine, (at % 8, at, at, at % 7, 4))
        self.feed()

    def feed(self, *more: Message) -> None:
        self.player.writer.flush()
        for message in (*self.player.messages, *more):
            self.store.feed(self.stream, message)
            if self.plain is not self.store:
                self.plain.feed(self.stream, message)
        self.player.messages.clear()

    def end(self) -> None:
        self.store.close_stream(self.stream)
        if self.plain is not self.store:
            self.plain.close_stream(self.stream)
        if self.spill is not None:
            self.spill.make_room()


def forwarded(store: Store, address: Address, route: str = "") -> RouteForwarder:
    sending = RouteForwarder(store, address, "own", route, round_s=ROUND_S, answer_s=WAIT_S)
    sending.start()
    return sending


def lines_of(store: Store, folder: Path) -> str:
    """All that a store knows of its transitions."""
    path = folder / "lines.jsonl"
    write_json_lines(store, str(path), selected(store))
    return path.read_text(encoding="utf-8", errors="surrogatepass")


def counts(store: Store) -> list[tuple[str, int, bool]]:
    return [(track.key, track.count, track.ended) for track in store.tracks]


def shown(track: Track) -> tuple[object, ...]:
    """What is shown of a machine beside its transitions."""
    reports = [track.open.at(number) for number in range(track.count + 1)]
    return list(track.gaps), track.ticks, track.states, track.gone, reports


def check_same(store: Store, other: Store, folder: Path) -> None:
    """Both stores have the same machines, with the same transitions."""
    assert lines_of(other, folder) == lines_of(store, folder)
    for track, copy in zip(store.tracks, other.tracks, strict=True):
        assert shown(copy) == shown(track)
        assert not copy.damaged


@pytest.mark.parametrize("is_moved", [False, True])
def test_history_goes_as_records(debugger: Taker, tmp_path: Path, is_moved: bool) -> None:
    """The other side has the same transitions, and got no finished chunk as transitions."""
    backlog = Backlog(3, is_moved=is_moved, segment_rows=1_200)
    backlog.make(600)
    backlog.end()

    sending = forwarded(backlog.store, debugger.address)
    debugger.wait_for(lambda: counts(debugger.store) == counts(backlog.store))
    sending.stop()

    whole = [c for t in backlog.store.tracks for c in t.chunks if c.rows >= CHUNK_ROWS_MIN]
    assert debugger.taken.count(ChunkMessage) >= len(whole) >= 3
    check_same(backlog.plain, debugger.store, tmp_path)


def test_neither_side_reads_the_rows_of_a_record(debugger: Taker) -> None:
    """History on the disk is copied: nothing of it is decompressed here or there."""
    backlog = Backlog(3, is_moved=True, segment_rows=2_000)
    backlog.make(1_000)
    backlog.end()
    backlog.store.loaded.clear()

    sending = forwarded(backlog.store, debugger.address)
    debugger.wait_for(lambda: counts(debugger.store) == counts(backlog.store))
    sending.stop()

    assert debugger.taken.count(BatchMessage) == 0
    assert debugger.store.size() < backlog.plain.size() // 3
    assert (backlog.store.loaded.bytes, debugger.store.loaded.bytes) == (0, 0)


def test_history_goes_on_after_records(debugger: Taker, tmp_path: Path) -> None:
    """A machine that goes on sends transitions after its records, and then records again."""
    backlog = Backlog(2)
    backlog.make(400)
    sending = forwarded(backlog.store, debugger.address)
    for _ in range(3):
        debugger.wait_for(lambda: counts(debugger.store) == counts(backlog.store))
        backlog.player.drop(backlog.machines[0], (1, 3))
        backlog.make(20)
        backlog.make(280)
    debugger.wait_for(lambda: counts(debugger.store) == counts(backlog.store))
    sending.stop()

    assert {BatchMessage, ChunkMessage} <= set(debugger.taken)
    check_same(backlog.plain, debugger.store, tmp_path)
    assert GapKind.DROPPED in [gap.kind for gap in debugger.store.tracks[0].gaps]


def test_open_work_within_a_record_keeps_its_place(debugger: Taker, tmp_path: Path) -> None:
    """Reports of open work are after the same transitions as before."""
    backlog = Backlog()
    for at in range(4):
        backlog.make(100)
        item = OpenWorkItem("when", f"A{at}", "", 1, 0)
        backlog.feed(OpenWorkMessage(0, (item,)))
    backlog.make(400)
    backlog.end()

    sending = forwarded(backlog.store, debugger.address)
    debugger.wait_for(lambda: counts(debugger.store) == counts(backlog.store))
    sending.stop()

    assert ChunkMessage in debugger.taken
    check_same(backlog.plain, debugger.store, tmp_path)


def test_a_chain_copies_what_was_received_as_records(debugger: Taker, tmp_path: Path) -> None:
    """A debugger in the middle passes records on, and reads nothing of them."""
    middle = Taker()
    backlog = Backlog(2, is_moved=True, segment_rows=600)
    backlog.make(600)
    backlog.end()

    first = forwarded(backlog.store, middle.address)
    middle.wait_for(lambda: counts(middle.store) == counts(backlog.store))
    first.stop()
    middle.wait_for(lambda: not middle.connections)
    second = forwarded(middle.store, debugger.address, "own")
    debugger.wait_for(lambda: counts(debugger.store) == counts(middle.store))
    second.stop()
    middle.stop()

    assert middle.store.loaded.bytes == debugger.store.loaded.bytes == 0
    assert lines_of(debugger.store, tmp_path) == lines_of(backlog.plain, tmp_path)


def test_a_debugger_that_comes_back_gets_the_rest(debugger: Taker, tmp_path: Path) -> None:
    """A second connection continues behind what was sent over the first one."""
    backlog = Backlog(2)
    backlog.make(600)
    sending = forwarded(backlog.store, debugger.address)
    debugger.wait_for(lambda: counts(debugger.store) == counts(backlog.store))
    debugger.call(debugger.end_connections).result()
    backlog.make(600)
    debugger.wait_for(lambda: [t.count for t in debugger.store.tracks] == [1_200, 1_200])
    sending.stop()

    lines = [
        line for line in lines_of(debugger.store, tmp_path).splitlines() if "recon" not in line
    ]
    assert lines == lines_of(backlog.plain, tmp_path).splitlines()
    assert debugger.streams == 2


def test_only_machines_of_the_route_are_sent(debugger: Taker) -> None:
    """Nothing of a machine that came by another route is sent, neither its rows nor its name."""
    backlog, other = Backlog(1, is_moved=True), HistoryPlayer("other")
    machine = other.enter(1)
    for at in range(300):
        other.transit(machine, (at % 8, at, at, at % 7, 4))
    other.writer.flush()
    stream = backlog.store.open_stream("other", live=True)
    for message in other.messages:
        if isinstance(message, HelloMessage):
            message = replace(message, process={"forwarded by": "another"})
        backlog.store.feed(stream, message)
    backlog.store.close_stream(stream)
    backlog.make(300)
    backlog.end()

    sending = forwarded(backlog.store, debugger.address)
    debugger.wait_for(lambda: [track.count for track in debugger.store.tracks] == [300])
    sending.stop()

    assert debugger.store.tracks[0].identity.tx_prefix == backlog.machines[0].prefix
    rows = {chunk.loader.record for track in debugger.store.tracks for chunk in track.chunks}  # type: ignore[union-attr]
    assert sum(len(record.head.chunks) for record in rows) == len(debugger.store.tracks[0].chunks)


def test_a_record_with_rows_of_a_removed_machine_is_not_copied(debugger: Taker) -> None:
    """The other rows of such a record are sent as transitions."""
    backlog = Backlog(2, is_moved=True)
    backlog.make(100)
    backlog.end()
    kept, removed = backlog.store.tracks
    assert kept.chunks[0].loader.record is removed.chunks[0].loader.record  # type: ignore[union-attr]
    backlog.store.remove(removed)

    sending = forwarded(backlog.store, debugger.address)
    debugger.wait_for(lambda: counts(debugger.store) == [(kept.key, 100, True)])
    sending.stop()

    assert ChunkMessage not in debugger.taken


class OldDebugger:
    """A peer that reads and never answers."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = Address("127.0.0.1", self._server.getsockname()[1])
        self.messages: list[Message] = []
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        reader = FrameReader()
        peer, _ = self._server.accept()
        with self._server, peer:
            while data := peer.recv(65_536):
                self.messages += reader.feed(data)
        self.ended.set()


def test_a_debugger_that_does_not_answer_gets_transitions(tmp_path: Path) -> None:
    """A peer that does not know the question gets all history in frames that it knows."""
    backlog, old = Backlog(2), OldDebugger()
    backlog.make(600)
    backlog.end()

    sending = RouteForwarder(backlog.store, old.address, round_s=ROUND_S, answer_s=0.0)
    sending.start()
    sending.stop(WAIT_S)
    assert old.ended.wait(WAIT_S)

    assert not [message for message in old.messages if isinstance(message, RECORD_KINDS)]
    copy = Store(chunk_limits=CHUNKS)
    stream = copy.open_stream("copy", live=True)
    for message in old.messages:
        copy.feed(stream, message)
    assert isinstance(old.messages[-1], EndMessage)
    assert lines_of(copy, tmp_path) == lines_of(backlog.plain, tmp_path)


def test_a_sender_that_does_not_ask_gets_no_answer(debugger: Taker) -> None:
    """A debugger writes nothing to a program that did not ask."""
    frames = FrameWriter()
    with connect(debugger) as peer:
        hello = HelloMessage(2, "s", 0, 0)
        peer.sendall(frames.magic() + frames.write(hello) + frames.end())
        peer.shutdown(socket.SHUT_WR)
        assert peer.recv(1) == b""


def test_the_answer_says_whether_records_are_taken(debugger: Taker) -> None:
    """A debugger without room on the disk answers at once that it takes none."""
    plain = Debugger()
    for other, takes in ((debugger, True), (plain, False)):
        sink = AskingSink(other.address)
        sink.open()
        sink.write(HelloMessage(2, "s", 0, 0))
        wait_for_answer(sink)
        assert sink.takes_records is takes
        sink.close()
    plain.stop()


def wait_for_answer(sink: AskingSink) -> None:
    """Ask again and again, because the sink reads only when it is asked."""
    waiting = threading.Event()
    for _ in range(int(WAIT_S / ROUND_S)):
        sink.push()
        if sink.has_answer:
            return
        waiting.wait(ROUND_S)
    raise AssertionError("no answer")
