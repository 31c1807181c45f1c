"""The server: many programs at one port, and none of them can hurt the others."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import pytest

from am_dbg.ingest.listen import ListenError, listening_sockets
from am_dbg.ingest.protocols import HEAD_BYTES_MAX, Peer, Receiver, protocol_for
from am_dbg.ingest.server import Server
from amtracer.address import Address, listen_address
from amtracer.errors import ForeignPeerError, WireError
from amtracer.wire.codec import StreamTotals, encode, magic_frame
from amtracer.wire.messages import GoneMessage, Message
from tests.wire.streams import HELLO, stream_bytes

WAIT_S = 10


class KeptStreams:
    """A sink that keeps its messages, and lets a test wait for them."""

    def __init__(self) -> None:
        self.labels: list[str] = []
        self.messages: list[tuple[int, Message]] = []
        self.closed: dict[int, str] = {}
        self.threads: set[int] = set()
        self.published = 0
        self._changed = threading.Condition()

    def open_stream(self, label: str, *, live: bool) -> int:
        assert live
        self._note(self.labels.append, label)
        return len(self.labels) - 1

    def feed(self, stream: int, message: Message) -> None:
        if message == GoneMessage(13):
            raise WireError("machine 13 is not defined")
        if message == GoneMessage(14):
            raise ZeroDivisionError
        self._note(self.messages.append, (stream, message))

    def gathering(self) -> AbstractContextManager[None]:
        return nullcontext()

    def close_stream(self, stream: int, reason: str = "") -> None:
        self._note(self.closed.__setitem__, stream, reason)

    def stand_apart(self, stream: int) -> None:
        raise AssertionError("no machine came back")

    def publish(self) -> None:
        self.published += 1
        self._note(lambda: None)

    def _note(self, act: Callable[..., Any], *args: Any) -> None:
        with self._changed:
            act(*args)
            self.threads.add(threading.get_ident())
            self._changed.notify_all()

    def wait_for(self, happened: Callable[[], object]) -> None:
        """Until it happened; the test fails when it takes long."""
        with self._changed:
            assert self._changed.wait_for(happened, WAIT_S)

    def has_streams(self, count: int) -> bool:
        return len(self.labels) == count

    def of(self, stream: int) -> list[Message]:
        return [message for number, message in self.messages if number == stream]


@pytest.fixture
def kept() -> KeptStreams:
    return KeptStreams()


@pytest.fixture
def serve(kept: KeptStreams) -> Iterator[Callable[..., Server]]:
    """Starts a server at a free port; it is stopped after the test."""
    servers: list[Server] = []

    def start(address: str = ":0", **options: Any) -> Server:
        server = Server(kept, kept.publish, **options)
        server.start(listen_address(address))
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


def connect(server: Server) -> socket.socket:
    address = server.addresses[0]
    return socket.create_connection((address.host, address.port), timeout=WAIT_S)


def ended(peer: socket.socket) -> bool:
    """Whether the server closes the connection."""
    try:
        return peer.recv(1) == b""
    except ConnectionError:
        return True


def test_messages_of_a_connection_reach_the_sink(
    serve: Callable[..., Server], kept: KeptStreams
) -> None:
    """A program's messages come in order, on one thread, under the peer's address."""
    with connect(serve()) as peer:
        label = "{}:{}".format(*peer.getsockname())
        peer.sendall(stream_bytes([HELLO, GoneMessage(1)]))
        kept.wait_for(lambda: len(kept.messages) == 2)

    assert kept.of(0) == [HELLO, GoneMessage(1)]
    assert kept.labels == [label]
    assert kept.threads.isdisjoint({threading.get_ident()})
    assert len(kept.threads) == 1


def test_each_connection_is_a_stream(serve: Callable[..., Server], kept: KeptStreams) -> None:
    """Bytes of two programs that come mixed are never mixed up."""
    server = serve()
    with connect(server) as one, connect(server) as two:
        data = stream_bytes([HELLO, *(GoneMessage(at) for at in range(10))])
        for at in range(len(data)):
            one.sendall(data[at : at + 1])
            two.sendall(data[at : at + 1])
        kept.wait_for(lambda: len(kept.messages) == 22)

    assert kept.of(0) == kept.of(1)


def test_a_lost_connection_closes_its_stream(
    serve: Callable[..., Server], kept: KeptStreams
) -> None:
    """Without an end message the stream ends with a reason."""
    with connect(serve()) as peer:
        peer.sendall(stream_bytes([HELLO]))
    kept.wait_for(lambda: kept.closed)

    assert kept.closed == {0: "connection lost"}


def test_an_end_message_closes_without_a_reason(
    serve: Callable[..., Server], kept: KeptStreams
) -> None:
    """A program that says goodbye was not cut off."""
    totals = StreamTotals()
    for frame in (magic_frame(), encode(HELLO)):
        totals.add(frame)
    with connect(serve()) as peer:
        peer.sendall(stream_bytes([HELLO, totals.message()]))
    kept.wait_for(lambda: kept.closed)

    assert kept.closed == {0: ""}


FOREIGN = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + b"r" * 50,
    "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
    "noise": b"\x01\xfe\x9a\x77" * 20,
    "msgpack": b"\x91" * 3_000,
    "length": b"\0\0\0\xff",
    "huge length": b"\xff\xff\xff\xff",
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_stranger_is_sent_away_with_one_quiet_line(
    serve: Callable[..., Server], kept: KeptStreams, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Foreign first bytes end the connection; there is no client and no loud word."""
    caplog.set_level(logging.INFO, "am_dbg.ingest.server")
    with connect(serve()) as peer:
        peer.sendall(FOREIGN[kind])
        assert ended(peer)

    assert kept.labels == []
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert "closed:" in caplog.text


def test_a_connection_that_sends_nothing_is_no_client(
    serve: Callable[..., Server], kept: KeptStreams
) -> None:
    """A port scan leaves nothing behind, and the next program is served."""
    server = serve()
    for _ in range(100):
        connect(server).close()
    with connect(server) as peer:
        peer.sendall(stream_bytes([HELLO]))
        kept.wait_for(lambda: kept.messages)

    assert len(kept.labels) == 1


def test_a_silent_connection_is_ended(serve: Callable[..., Server], kept: KeptStreams) -> None:
    """A silent peer does not keep its place for ever; one that spoke does."""
    server = serve(first_bytes_s_max=0.05)
    with connect(server) as speaking, connect(server) as silent:
        speaking.sendall(stream_bytes([HELLO]))
        assert ended(silent)
        speaking.sendall(encode(GoneMessage(1)))
        kept.wait_for(lambda: len(kept.messages) == 2)


def test_a_bad_peer_costs_only_its_own_connection(
    serve: Callable[..., Server], kept: KeptStreams
) -> None:
    """Its earlier messages stay, its stream has the reason of the end, the others continue."""
    server = serve()
    with connect(server) as good, connect(server) as bad:
        good.sendall(stream_bytes([HELLO]))
        kept.wait_for(lambda: kept.labels)
        bad.sendall(stream_bytes([HELLO, GoneMessage(1)]) + b"\0\0\0\1xxxx\x90")
        assert ended(bad)
        good.sendall(encode(GoneMessage(2)))
        kept.wait_for(lambda: GoneMessage(2) in kept.of(0))

    assert kept.of(1) == [HELLO, GoneMessage(1)]
    assert kept.closed[1] == "frame 3: checksum is wrong"


def test_what_the_sink_refuses_ends_the_connection(
    serve: Callable[..., Server], kept: KeptStreams
) -> None:
    """The rules of a stream are the sink's, and break it as those of a frame do."""
    with connect(serve()) as peer:
        peer.sendall(stream_bytes([HELLO, GoneMessage(13)]))
        assert ended(peer)
    kept.wait_for(lambda: kept.closed)

    assert kept.closed == {0: "machine 13 is not defined"}


def test_a_fault_of_ours_ends_one_connection(
    serve: Callable[..., Server], kept: KeptStreams, caplog: pytest.LogCaptureFixture
) -> None:
    """An unforeseen error is logged as ours, and the server goes on."""
    server = serve()
    with connect(server) as peer:
        peer.sendall(stream_bytes([HELLO, GoneMessage(14)]))
        assert ended(peer)
    with connect(server) as peer:
        peer.sendall(stream_bytes([HELLO]))
        kept.wait_for(lambda: len(kept.labels) == 2)

    assert "a fault of the debugger" in caplog.text


def test_too_many_connections_are_refused(serve: Callable[..., Server], kept: KeptStreams) -> None:
    """At the limit all are served, one past it is sent away, until a place is free."""
    server = serve(connections_max=2)
    with connect(server) as one, connect(server) as two:
        for peer in (one, two):
            peer.sendall(stream_bytes([HELLO]))
        kept.wait_for(lambda: len(kept.labels) == 2)
        with connect(server) as three:
            assert ended(three)
    kept.wait_for(lambda: len(kept.closed) == 2)
    with connect(server) as four:
        four.sendall(stream_bytes([HELLO]))
        kept.wait_for(lambda: len(kept.labels) == 3)


def test_it_publishes_once_for_many_messages(
    serve: Callable[..., Server], kept: KeptStreams
) -> None:
    """A flood of messages is one publication for each interval."""
    with connect(serve(publish_every_s=30)) as peer:
        peer.sendall(stream_bytes([HELLO, *[GoneMessage(20)] * 1_000]))
        kept.wait_for(lambda: len(kept.messages) == 1_001 and kept.published)

    assert kept.published == 1


def test_a_change_is_published_soon(serve: Callable[..., Server], kept: KeptStreams) -> None:
    """The last change is published too, after the interval."""
    with connect(serve(publish_every_s=0.01)) as peer:
        peer.sendall(stream_bytes([HELLO]))
        kept.wait_for(lambda: kept.published)
        before = kept.published
        peer.sendall(encode(GoneMessage(1)))
        kept.wait_for(lambda: kept.published > before)


def test_other_work_is_done_on_the_same_thread(
    serve: Callable[..., Server], kept: KeptStreams
) -> None:
    """An import feeds the store between two messages; its error is its caller's."""
    server = serve()
    server.call(lambda: kept.open_stream("file", live=True)).result(WAIT_S)
    with connect(server) as peer:
        peer.sendall(stream_bytes([HELLO]))
        kept.wait_for(lambda: kept.messages)

    assert kept.labels[0] == "file"
    assert len(kept.threads) == 1
    with pytest.raises(ZeroDivisionError):
        server.call(lambda: 1 // 0).result(WAIT_S)


def test_stopping_ends_all_streams(serve: Callable[..., Server], kept: KeptStreams) -> None:
    """After stop nothing is open, every stream has a reason, and the port is free."""
    server = serve()
    with connect(server) as peer:
        peer.sendall(stream_bytes([HELLO]))
        kept.wait_for(lambda: kept.messages)
        server.stop()
        assert ended(peer)

    assert kept.closed == {0: "the debugger stopped listening"}
    assert server.connections == 0
    server.stop()


def test_a_port_may_be_used_again_at_once(serve: Callable[..., Server], kept: KeptStreams) -> None:
    """Stopping and starting at the same port works, connections or not."""
    first = serve()
    address = str(first.addresses[0])
    for at in range(5):
        with connect(first) as peer:
            peer.sendall(stream_bytes([HELLO]))
            kept.wait_for(partial(kept.has_streams, at + 1))
            first.stop()
        first = serve(address)

    assert str(first.addresses[0]) == address


def test_a_port_in_use_is_reported_with_advice(serve: Callable[..., Server]) -> None:
    """One text names the address, the reason and what to do."""
    address = str(serve().addresses[0])

    with pytest.raises(ListenError, match="in use, perhaps by another am-dbg; stop that one"):
        serve(address)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("no-such-host.invalid:0", "the host is not known"),
        (f"{'x' * 100}:0", "the host is not known"),
        ("203.0.113.7:0", "this machine has no such address"),
    ],
)
def test_a_place_elsewhere_is_reported(
    serve: Callable[..., Server], address: str, reason: str
) -> None:
    """Only this machine's own addresses can be listened at."""
    with pytest.raises(ListenError, match=reason):
        serve(address)


def test_places_are_listened_at_together_or_not_at_all(kept: KeptStreams) -> None:
    """When one place is not free, none is taken."""
    free = listening_sockets(listen_address(":0"))[0]
    port = free.getsockname()[1]
    free.close()

    with pytest.raises(ListenError):
        Server(kept).start(listen_address(f":{port}"), listen_address("203.0.113.7:0"))
    again = listening_sockets(listen_address(f":{port}"))
    assert len(again) == 1
    again[0].close()


def test_localhost_is_all_its_numbers_with_one_port(serve: Callable[..., Server]) -> None:
    """Whether a program finds 127.0.0.1 or ::1 first, it reaches the server."""
    addresses = serve("localhost:0").addresses

    assert all(address.is_loopback for address in addresses)
    assert len({address.port for address in addresses}) == 1
    assert len(set(addresses)) == len(addresses)


class Parrot:
    """A door for a protocol that repeats everything."""

    peers = "parrots"
    sends_token = False

    def recognises(self, head: bytes) -> bool | None:
        return head[:1] == b"P" if len(head) > 3 else None

    def open(self, peer: Peer) -> Receiver:
        return ParrotReceiver(peer)


class ParrotReceiver:
    unfinished = whole = 0

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def go_on(self) -> None:
        raise AssertionError("nothing was held")

    def feed(self, data: bytes) -> None:
        self._peer.send(data)

    def close(self, reason: str) -> None:
        self._peer.sink.open_stream(reason, live=True)


def test_another_protocol_may_be_spoken_at_the_port(
    serve: Callable[..., Server], kept: KeptStreams
) -> None:
    """The first bytes choose the protocol, which receives all bytes and may answer."""
    server = serve(protocols=[Parrot()])
    with connect(server) as parrot, connect(server) as program:
        parrot.sendall(b"Po")
        parrot.sendall(b"lly")
        assert parrot.recv(5) == b"Polly"
        program.sendall(stream_bytes([HELLO]))
        kept.wait_for(lambda: kept.messages)
    kept.wait_for(lambda: "connection lost" in kept.labels)


def test_a_door_must_know_in_time() -> None:
    """After enough bytes a connection that no door knows is foreign."""
    silent = Parrot()
    silent.recognises = lambda head: None  # type: ignore[method-assign]

    assert protocol_for(b"x" * (HEAD_BYTES_MAX - 1), [silent]) is None
    with pytest.raises(ForeignPeerError, match="text"):
        protocol_for(b"x" * HEAD_BYTES_MAX, [silent])


def test_a_server_without_a_place_only_works(kept: KeptStreams) -> None:
    """An import without listening uses the same thread."""
    server = Server(kept, kept.publish)
    server.start()

    assert server.call(lambda: 5).result(WAIT_S) == 5
    assert server.addresses == ()
    server.stop()


def test_addresses_are_shown_with_their_port(serve: Callable[..., Server]) -> None:
    """The port chosen for port 0 is reported."""
    address = serve("127.0.0.1:0").addresses[0]

    assert address.port > 0
    assert address == Address("127.0.0.1", address.port)
