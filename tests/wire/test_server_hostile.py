"""Peers that mean harm, or nothing at all: each costs its own connection and little memory."""

from __future__ import annotations

import logging
import socket
import struct
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest

from am_dbg.ingest.golang.protocol import GoProtocol
from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire import limits
from amtracer.wire.codec import encode, magic_frame
from amtracer.wire.messages import (
    BatchMessage,
    HelloMessage,
    MachineMessage,
    Message,
    Run,
    SchemaChangedMessage,
    SchemaMessage,
    Shape,
    ShapeMessage,
)
from tests.dbg.golang_bytes import INT, TEXT, UINT, message, slice_of, struct_of, text, uint
from tests.wire.serving import Debugger, connect
from tests.wire.streams import HELLO, STATES, stream_bytes

MIB = 1024 * 1024
BEGUN = magic_frame() + encode(HELLO)
REQUEST = struct_of(64, "Request", ServiceMethod=TEXT, Seq=UINT)
CALL = message(64, b"\x01" + text("RPCServer.DbgMsgTx") + b"\0")


@pytest.fixture
def debugger(caplog: pytest.LogCaptureFixture) -> Iterator[Debugger]:
    """A debugger that takes programs of both kinds."""
    caplog.set_level(logging.INFO)
    debugger = Debugger(protocols=(GoProtocol(),))
    yield debugger
    debugger.stop()


def sent_until_closed(peer: socket.socket, data: bytes, piece: bytes = b"", pieces: int = 0) -> int:
    """Send, then pieces until the server closes; how many bytes that took."""
    count = 0
    try:
        peer.sendall(data)
        count = len(data)
        for _ in range(pieces):
            peer.sendall(piece)
            count += len(piece)
        while peer.recv(4_096):
            continue
    except ConnectionError:
        return count
    return count


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the server says, all of it quietly."""
    assert {record.levelname for record in caplog.records} <= {"INFO"}
    return [one.getMessage() for one in caplog.records if one.name == "am_dbg.ingest.server"]


def framed(body: bytes) -> bytes:
    return struct.pack(">II", len(body), zlib.crc32(body)) + body


def is_served(debugger: Debugger, id: str = "after") -> bool:
    """A later program is accepted."""
    messages: list[Message] = []
    writer = StreamWriter(messages.append, HELLO)
    writer.machine(id, writer.schema(STATES))
    with connect(debugger) as peer:
        peer.sendall(stream_bytes(messages))
        debugger.wait_for(lambda: debugger.store.find(id))
    return True


ANNOUNCED = {
    "an array of 4 GiB": b"\xdd\xff\xff\xff\xff",
    "a map of 4 GiB": b"\xdf\xff\xff\xff\xff",
    "a text of 4 GiB": b"\xdb\xff\xff\xff\xff",
    "bytes of 4 GiB": b"\xc6\xff\xff\xff\xff",
    "bytes of 200 MiB": b"\xc6" + (200 * MIB).to_bytes(4, "big"),
    "3,000 arrays": b"\x91" * 3_000,
    "a million arrays": b"\x91" * 1_000_000,
}


@pytest.mark.parametrize("start", ["alone", "as a frame", "in a frame"])
@pytest.mark.parametrize("what", ANNOUNCED)
def test_what_announces_more_than_it_may_is_dropped_at_once(
    debugger: Debugger, what: str, start: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a length nor a nesting costs memory; one line, and the others go on."""
    value = ANNOUNCED[what]
    data = {
        "alone": value,
        "as a frame": BEGUN + value + b"\0" * 8,
        "in a frame": BEGUN + framed(b"\x92\x63" + value),
    }[start]
    tracemalloc.start()
    try:
        with connect(debugger) as peer:
            sent_until_closed(peer, data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 16 * MIB
    assert len(lines(caplog)) == 1
    assert debugger.streams == (0 if start == "alone" else 1)
    assert is_served(debugger)


ENDLESS = {
    "a first frame": (b"\0\0\0\x20" + b"\0" * 4, b"\0" * 4_096, 16),
    "a frame over the limit": (BEGUN + struct.pack(">II", 200 * MIB, 0), b"\0" * 65_536, 4_000),
    "a frame at the limit": (
        BEGUN + struct.pack(">II", limits.WIRE_FRAME_BYTES_MAX, 0),
        b"\0" * 65_536,
        4_000,
    ),
    "a Go value": (REQUEST + CALL + b"\xfc" + struct.pack(">I", 200 * MIB), b"\0" * 65_536, 4_000),
    "a Go value at the limit": (
        REQUEST + CALL + b"\xfd" + (4 * MIB).to_bytes(3, "big"),
        b"\0" * 65_536,
        4_000,
    ),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_what_never_ends_is_dropped_at_the_limit(
    debugger: Debugger, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """However small the pieces, no more of it is kept than one message may have."""
    start, piece, pieces = ENDLESS[what]
    tracemalloc.start()
    try:
        with connect(debugger) as peer:
            sent_until_closed(peer, start, piece, pieces)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 32 * MIB
    assert len(lines(caplog)) == 1
    assert is_served(debugger)


STRANGERS = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + b"r" * 189,
    "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
    "noise": bytes(range(255, 0, -1)),
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_a_stranger_is_no_client_of_a_debugger_that_knows_both_kinds(
    debugger: Debugger, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One quiet line names what it may be; nothing else is there to be seen."""
    version = debugger.store.version
    with connect(debugger) as peer:
        sent_until_closed(peer, STRANGERS[kind])

    (line,) = lines(caplog)
    assert "closed: not a tracer, but " in line
    assert (debugger.streams, debugger.store.version) == (0, version)


def test_five_hundred_connects_leave_nothing_behind(
    debugger: Debugger, caplog: pytest.LogCaptureFixture
) -> None:
    """A port scan changes nothing on the screen, and takes nobody's place."""
    version = debugger.store.version
    for _ in range(500):
        connect(debugger).close()
    assert is_served(debugger)

    assert debugger.streams == 1
    assert len(debugger.store.tracks) == 1
    assert lines(caplog) == []
    assert debugger.store.version > version


AB = STATES[:2]
ADD = Shape(0, (0,), 1, ((0, 1),))
SAID: list[Message] = [
    HELLO,
    SchemaMessage(0, AB),
    SchemaMessage(1, STATES),
    MachineMessage(0, "m", 0),
    ShapeMessage(0, 0, ADD),
    BatchMessage((Run(0, 0, 1),), (0,), (100,)),
]
BAD: dict[str, tuple[list[Message], str]] = {
    "before its hello": ([SchemaMessage(0, AB)], "does not begin with a hello"),
    "before its machine": (
        [HELLO, BatchMessage((Run(0, 0, 1),), (0,), (1,))],
        "machine 0 is not defined",
    ),
    "before its schema": ([HELLO, MachineMessage(0, "m", 0)], "schema 0 is not defined"),
    "of an unknown machine": (
        [*SAID, BatchMessage((Run(7, 0, 1),), (0,), (1,))],
        "machine 7 is not defined",
    ),
    "of an unknown shape": (
        [*SAID, BatchMessage((Run(0, 1, 1),), (3,), (1,))],
        "shape that is not defined",
    ),
    "with a short clock": ([*SAID, SchemaChangedMessage(0, 0, (1,))], "1 ticks for 2 states"),
    "with a long clock": ([*SAID, SchemaChangedMessage(0, 0, (1, 0, 0))], "3 ticks for 2 states"),
    "that calls no state": (
        [*SAID, ShapeMessage(1, 0, ADD._replace(called=(2,)))],
        "called state",
    ),
    "that changes no state": (
        [*SAID, ShapeMessage(1, 0, ADD._replace(changes=((2, 1),)))],
        "changed state",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_transition_that_means_nothing_ends_its_connection(
    debugger: Debugger, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Earlier data stays and is marked as cut, the reason is logged, other programs continue."""
    messages, reason = BAD[what]
    with connect(debugger) as peer:
        sent_until_closed(peer, stream_bytes(messages))

    (line,) = lines(caplog)
    assert reason in line
    assert is_served(debugger)
    if "m" in [track.key for track in debugger.store.tracks]:
        track = debugger.track("m")
        assert (track.count, track.ticks, track.connected) == (1, (1, 0), False)
        assert reason in track.gaps[-1].reason


def go_schema(id: str, *names: str) -> bytes:
    listed = uint(len(names)) + b"".join(map(text, names))
    return message(65, b"\x01" + text(id) + b"\x01" + listed + b"\0")


def go_transition(id: str, clocks: bytes, called: int) -> bytes:
    fields = b"\x01" + text(id) + b"\x01" + text(f"t{called}{clocks.hex()}")
    listed = uint(len(clocks)) + clocks
    return message(70, fields + b"\x01" + listed + b"\x01\x01" + uint(2 * called) + b"\0")


GO_TYPES = (
    slice_of(66, TEXT)
    + struct_of(65, "DbgMsgStruct", ID=TEXT, StatesIndex=66)
    + slice_of(71, UINT)
    + slice_of(72, INT)
    + struct_of(70, "DbgMsgTx", MachineID=TEXT, ID=TEXT, Clocks=71, CalledStatesIdxs=72)
)


def go_calls(*values: bytes) -> bytes:
    """The bytes of calls with these values; the types are defined before the first one."""
    first, *rest = values
    return REQUEST + CALL + GO_TYPES + first + b"".join(CALL + value for value in rest)


def told_by_go(debugger: Debugger, id: str, transitions: int, *values: bytes) -> None:
    with connect(debugger) as peer:
        peer.sendall(go_calls(*values))
        debugger.wait_for_count(id, transitions)


def test_calls_of_go_programs_that_mean_nothing_are_answered_and_counted(
    debugger: Debugger, caplog: pytest.LogCaptureFixture
) -> None:
    """A clock too short goes on as before, one too long gets states without a name.

    An unknown machine and a state that is not there are counted, and shown as a loss.
    """
    told_by_go(
        debugger,
        "g",
        4,
        go_transition("nobody", b"\1", 0),
        go_schema("g", "A", "B"),
        go_transition("g", b"\1\0", 0),
        go_transition("g", b"\1", 0),
        go_transition("g", b"\1\1\1", 1),
        go_transition("g", b"\1\1", 9),
        go_transition("g", b"\2\1", 0),
    )

    track = debugger.track("g")
    assert [one.key for one in debugger.store.tracks] == ["g"]
    assert [track.clock_at(number) for number in range(1, 5)] == [
        (1, 0),
        (1, 0),
        (1, 1, 1),
        (2, 1, 1),
    ]
    assert [(gap.after_number, gap.lost) for gap in track.gaps if gap.lost > 0] == [(3, 1)]
    assert lines(caplog) == []


def test_a_go_program_may_send_its_schema_again_with_fewer_states(debugger: Debugger) -> None:
    """What it did before is read with the states it had then."""
    told_by_go(
        debugger,
        "g",
        3,
        go_schema("g", "A", "B", "C"),
        go_transition("g", b"\0\0\1", 2),
        go_schema("g", "C"),
        go_transition("g", b"\2", 0),
        go_schema("g", "B", "C", "D"),
        go_transition("g", b"\1\2\0", 0),
    )

    track = debugger.track("g")
    assert [[state.name for state in track.schema_at(number)] for number in (1, 2, 3)] == [
        ["A", "B", "C"],
        ["C"],
        ["B", "C", "D"],
    ]
    assert [track.transition(number).shape.called for number in (1, 2, 3)] == [(2,), (0,), (0,)]
    assert [track.clock_at(number) for number in (1, 2, 3)] == [(0, 0, 1), (2,), (1, 2, 0)]


def test_two_connections_may_bring_machines_of_one_id(debugger: Debugger) -> None:
    """Whatever they speak, each keeps a history of its own."""
    told_by_go(debugger, "m", 1, go_schema("m", "A", "B"), go_transition("m", b"\1\0", 0))
    with connect(debugger) as one, connect(debugger) as two:
        one.sendall(stream_bytes(SAID))
        debugger.wait_for_count("m#2", 1)
        two.sendall(stream_bytes([HelloMessage(1, "s2", 1, 1), *SAID[1:]]))
        debugger.wait_for_count("m#3", 1)
        assert [track.key for track in debugger.store.tracks] == ["m", "m#2", "m#3"]

    assert [track.count for track in debugger.store.tracks] == [1, 1, 1]


def test_a_connection_may_send_a_schema_with_fewer_states(debugger: Debugger) -> None:
    """Each transition is read with the states of its time, also when another id follows."""
    shrunk = (STATES[1],)
    remove = Shape(1, (0,), 1, ((0, 1),))
    with connect(debugger) as peer:
        peer.sendall(
            stream_bytes(
                [
                    *SAID,
                    SchemaMessage(2, shrunk),
                    SchemaChangedMessage(0, 2, (4,)),
                    ShapeMessage(1, 2, remove),
                    BatchMessage((Run(0, 1, 1),), (1,), (200,)),
                    MachineMessage(1, "m", 2),
                ]
            )
        )
        debugger.wait_for(lambda: debugger.store.find("m#2"))

    track = debugger.track("m")
    assert [[state.name for state in track.schema_at(number)] for number in (1, 2)] == [
        ["A", "B"],
        ["B"],
    ]
    assert [track.clock_at(number) for number in (0, 1, 2)] == [(0, 0), (1, 0), (5,)]
