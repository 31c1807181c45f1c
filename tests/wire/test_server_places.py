"""Which connections a debugger keeps, ends and refuses."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from am_dbg.ingest import connections
from am_dbg.ingest.golang.protocol import GoProtocol
from am_dbg.ingest.timeouts import MACHINE_S_MAX, Timeouts
from am_dbg.store import GapKind
from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire.codec import encode, magic_frame
from amtracer.wire.messages import MachineMessage, Message, SchemaMessage, Shape, StringsMessage
from tests.dbg.golang_bytes import TEXT, UINT, message, struct_of, text
from tests.transitions import RecordedTransition, write_transition
from tests.wire.serving import Debugger, connect
from tests.wire.streams import HELLO, STATES

BEGUN = magic_frame() + encode(HELLO)
REQUEST = struct_of(64, "Request", ServiceMethod=TEXT, Seq=UINT)
CALL = message(64, b"\x01" + text("RPCServer.DbgMsgTx") + b"\0")
TOGGLE = [Shape(0, (0,), 1, ((0, 1),)), Shape(1, (0,), 1, ((0, -1),))]


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def words() -> list[str]:
    return []


@pytest.fixture
def serve(clock: Clock, words: list[str]) -> Iterator[Callable[..., Debugger]]:
    begun: list[Debugger] = []

    def serve(**options: Any) -> Debugger:
        debugger = Debugger(protocols=(GoProtocol(),), clock=clock, warned=words.append, **options)
        begun.append(debugger)
        return debugger

    yield serve
    for debugger in begun:
        debugger.stop()


def ended(peer: socket.socket) -> bool:
    try:
        while peer.recv(4_096):
            continue
    except ConnectionError:
        return True
    return True


def is_open(peer: socket.socket) -> bool:
    peer.settimeout(0.01)
    try:
        return peer.recv(1) != b""
    except TimeoutError:
        return True


def later(debugger: Debugger, clock: Clock, seconds: float) -> None:
    """So many seconds pass, and the debugger looks around."""

    def look() -> None:
        clock.now += seconds
        debugger._server.check_connections()

    debugger.call(look).result()


def program(row: int, count: int, session: str = "s", prefix: str = "p") -> bytes:
    """A program whose machine `m` makes transitions from a row on."""
    messages: list[Message] = []
    writer = StreamWriter(messages.append, replace(HELLO, session=session))
    ticks = (row, *(0 for _ in STATES[1:]))
    number = writer.machine("m", writer.schema(STATES), ticks=ticks, row=row, tx_prefix=prefix)
    for at in range(row, row + count):
        write_transition(writer, number, RecordedTransition(TOGGLE[at % 2], 1_000 + at))
    writer.flush()
    return magic_frame() + b"".join(map(encode, messages))


@pytest.mark.parametrize(
    "said",
    [BEGUN, REQUEST + CALL, BEGUN + encode(StringsMessage(0, ("x" * 900,)))[:500]],
    ids=["hello", "half a call of Go", "half a frame"],
)
def test_who_brings_no_machine_loses_the_place(
    serve: Callable[..., Debugger], clock: Clock, said: bytes
) -> None:
    """A silent program that has a machine stays beside it."""
    debugger = serve()
    with connect(debugger) as idle, connect(debugger) as quiet:
        quiet.sendall(BEGUN + encode(SchemaMessage(0, STATES)) + encode(MachineMessage(0, "m", 0)))
        idle.sendall(said)
        debugger.wait_for(lambda: debugger.connections == 2 and debugger.store.find("m"))
        debugger.wait_for(lambda: all(one._receiver for one in debugger._server._open))
        later(debugger, clock, MACHINE_S_MAX - 1)
        assert is_open(idle)
        later(debugger, clock, 1)
        assert ended(idle)
        later(debugger, clock, 1_000_000)
        assert is_open(quiet)


def test_a_frame_that_is_never_whole_costs_a_program_its_place(
    serve: Callable[..., Debugger], clock: Clock
) -> None:
    """Also when it has a machine: a program that sends single bytes uses memory."""
    debugger = serve(timeouts=Timeouts(frame_s_max=5))
    with connect(debugger) as peer:
        frame = encode(StringsMessage(0, ("x" * 60_000,)))
        peer.sendall(program(0, 2) + frame[:100])
        debugger.wait_for_count("m", 2)
        later(debugger, clock, 4)
        assert is_open(peer)
        later(debugger, clock, 2)
        assert ended(peer)

    assert debugger.track("m").gaps[-1].reason == "it sent a part of a frame and not the rest"


def test_those_for_whom_there_is_no_place_are_reported_once(
    serve: Callable[..., Debugger], clock: Clock, words: list[str]
) -> None:
    """The user reads how many there were; the next outage is another line."""
    debugger = serve(connections_max=1)
    with connect(debugger) as first:
        first.sendall(program(0, 1))
        debugger.wait_for_count("m", 1)
        for count in (5, 1):
            for _ in range(count):
                with connect(debugger) as other:
                    assert ended(other)
            for _ in range(3):
                later(debugger, clock, 1)
            later(debugger, clock, 100)

    end = "refused: 1 are open, which is the limit"
    assert words == [f"5 connections were {end}", f"1 connection was {end}"]


def test_nobody_takes_the_place_of_a_program_that_is_alive(
    serve: Callable[..., Debugger], clock: Clock
) -> None:
    """A program with the same session and prefix waits, then gets a track of its own."""
    debugger = serve()
    with connect(debugger) as alive, connect(debugger) as forged:
        alive.sendall(program(0, 2))
        debugger.wait_for_count("m", 2)
        forged.sendall(program(100, 1))
        debugger.wait_for(lambda: debugger._server._held)
        assert [track.key for track in debugger.store.tracks] == ["m"]
        later(debugger, clock, 11)
        debugger.wait_for_count("m#2", 1)
        alive.sendall(encode(StringsMessage(0, ("still here",))))
        assert is_open(alive)

    assert debugger.track("m").count == 2
    assert debugger.track("m#2").gaps[0].kind is GapKind.LATE


def test_a_program_that_is_back_goes_on_when_its_old_connection_ends(
    serve: Callable[..., Debugger],
) -> None:
    """It waits unread; nothing of what it said meanwhile is lost."""
    debugger = serve()
    with connect(debugger) as new:
        with connect(debugger) as old:
            old.sendall(program(0, 2))
            debugger.wait_for_count("m", 2)
            new.sendall(program(4, 3))
            debugger.wait_for(lambda: debugger._server._held)
        debugger.wait_for_count("m", 5)
        assert debugger.track("m").connected

    assert [track.key for track in debugger.store.tracks] == ["m"]
    assert [(gap.lost, gap.kind) for gap in debugger.track("m").gaps[:1]] == [
        (2, GapKind.RECONNECTED)
    ]


def test_the_system_is_asked_whether_the_old_host_is_still_there(
    serve: Callable[..., Debugger],
) -> None:
    """Every connection has keepalive on; while another waits for its end it is asked often."""
    if not hasattr(socket, "TCP_KEEPIDLE"):
        pytest.skip("no such option here")
    debugger = serve()
    with connect(debugger) as old, connect(debugger) as new:
        old.sendall(program(0, 2))
        debugger.wait_for_count("m", 2)
        (connection,) = debugger._server._feeders.values()
        sock = connection._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == connections._SILENT_S
        new.sendall(program(4, 3))
        debugger.wait_for(lambda: debugger._server._held)
        idle = debugger.call(lambda: sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE))
        assert idle.result() == 1


def test_unfinished_frames_together_have_a_limit(
    serve: Callable[..., Debugger], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection that uses most memory ends, the others stay."""
    monkeypatch.setattr("am_dbg.ingest.server.UNFINISHED_BYTES_MAX", 100_000)
    debugger = serve()
    frame = encode(StringsMessage(0, ("x" * 60_000,) * 3))
    with connect(debugger) as large, connect(debugger) as small:
        for peer, size in ((large, 90_000), (small, 20_000)):
            peer.sendall(BEGUN + frame[:size])
        debugger.wait_for(lambda: debugger.streams == 2)
        debugger.wait_for(lambda: sum(one.unfinished for one in debugger._server._open) == 110_000)
        later(debugger, clock, 0)
        assert ended(large)
        assert is_open(small)
