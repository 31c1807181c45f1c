"""Live Go programs are answered as they expect, and nothing they send is lost."""

from __future__ import annotations

import socket
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.ingest.golang.gob import GobStream
from am_dbg.ingest.golang.live import GoConnection
from am_dbg.ingest.golang.primitives import GobError
from am_dbg.ingest.golang.protocol import GoProtocol, GoReceiver
from am_dbg.ingest.golang.recognition import FIRST_BYTES, looks_like_go
from am_dbg.ingest.golang.records import record_of
from am_dbg.ingest.protocols import Peer
from am_dbg.ingest.server import Server
from am_dbg.store import Store
from amtracer.address import Address
from amtracer.wire.messages import BatchMessage, HelloMessage, MachineMessage, Message
from tests.dbg.golang_bytes import INT, TEXT, UINT, message, slice_of, struct_of, text, uint
from tests.dbg.golang_history import live, meant, reported, stored

RECORDED = ("parent", "child", "schemachange")
NOW = 1_800_000_000_000_000_000
REQUEST = struct_of(64, "Request", ServiceMethod=TEXT, Seq=UINT)


def request(method: str, number: int) -> bytes:
    numbered = b"\x01" + uint(number) if number else b""
    return message(64, b"\x01" + text(method) + numbered + b"\0")


class Program:
    """A connection, with what it sent and what it was answered."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.answers = b""
        self.connection = GoConnection(self.messages.append, "session")

    def send(self, data: bytes, step: int = 0, now: int = NOW) -> Program:
        step = step or max(1, len(data))
        for at in range(0, len(data), step):
            self.answers += self.connection.receive(data[at : at + step], now + at)
        return self


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("step", [1, 7, 1_000, 0])
def test_recorded_programs_are_answered_byte_for_byte(name: str, step: int) -> None:
    """The answers are those a program of that library got, however its bytes come."""
    program = Program().send(live(name)["bytes"], step)

    assert program.answers == live(f"{name}-reply")["bytes"]
    assert program.connection.refused == 0


@pytest.mark.parametrize("name", RECORDED)
def test_every_recorded_transition_is_reported(name: str) -> None:
    """Clocks, steps and log lines are those another decoder found, in names or not."""
    values = live(name)["values"]
    schemas = [value for value in values if "StatesIndex" in value]
    records = [value for value in values if "Clocks" in value]
    track = stored(Program().send(live(name)["bytes"], 500).messages).tracks[0]

    assert track.id == schemas[0]["ID"]
    assert list(reported(track)) == [meant(one, schemas[-1]["StatesIndex"]) for one in records]


def test_a_transition_has_the_time_its_last_byte_came() -> None:
    """Arrival is the only time a Go program gives."""
    recorded = live("parent")
    program = Program().send(recorded["bytes"], 1)
    track = stored(program.messages).tracks[0]
    ends = [
        end
        for end, value in zip(recorded["ends"], recorded["values"], strict=True)
        if "Clocks" in value
    ]

    assert [track.time_at(number) - NOW for number in range(1, track.count + 1)] == [
        end - 1 for end in ends
    ]


def test_what_was_reported_is_passed_on_with_its_answer() -> None:
    """No transition waits in a batch once the program was answered."""
    recorded = live("child")
    program = Program()
    for start, end in zip([0, *recorded["ends"]], recorded["ends"], strict=False):
        program.send(recorded["bytes"][start:end])
        rows = sum(len(m.shapes) for m in program.messages if isinstance(m, BatchMessage))
        assert rows == max(0, program.connection.calls - 1)


def test_a_machine_shows_before_its_first_transition() -> None:
    """Its schema alone brings it in, with parent and tags."""
    recorded = live("child")
    program = Program().send(recorded["bytes"][: recorded["ends"][1]])
    machine = program.messages[-1]

    assert isinstance(program.messages[0], HelloMessage)
    assert program.messages[0].origin == "go"
    assert isinstance(machine, MachineMessage)
    assert (machine.id, machine.parent, machine.tags) == ("live-child", "live-parent", ("child",))


def schema_value(id: str, *names: str, type_id: int = 65) -> bytes:
    listed = uint(len(names)) + b"".join(map(text, names))
    return message(type_id, b"\x01" + text(id) + b"\x01" + listed + b"\0")


SCHEMA_TYPE = slice_of(66, TEXT) + struct_of(65, "DbgMsgStruct", ID=TEXT, StatesIndex=66)
TRANSITION_TYPE = (
    slice_of(71, UINT)
    + slice_of(72, INT)
    + struct_of(70, "DbgMsgTx", MachineID=TEXT, ID=TEXT, Clocks=71, CalledStatesIdxs=72)
)


def transition_value(id: str, clocks: bytes, called: int = 0) -> bytes:
    listed = uint(len(clocks)) + clocks
    body = b"\x02" + text("t1") + b"\x01" + listed + b"\x01\x01" + uint(2 * called) + b"\0"
    return message(70, (b"\x01" + text(id) + b"\x01" + body[1:]) if id else body)


def test_a_schema_may_change_within_a_connection() -> None:
    """History before keeps its states; what follows has the new ones."""
    program = Program().send(
        REQUEST
        + request("RPCServer.DbgMsgStruct", 0)
        + SCHEMA_TYPE
        + schema_value("m", "A", "B")
        + request("RPCServer.DbgMsgTx", 1)
        + TRANSITION_TYPE
        + transition_value("m", b"\0\0", 1)
        + request("RPCServer.DbgMsgSchema", 2)
        + schema_value("m", "B", "C", "A")
        + request("RPCServer.DbgMsgTx", 3)
        + transition_value("m", b"\0\0\0", 2)
    )
    track = stored(program.messages).tracks[0]

    assert program.connection.refused == 0
    assert [state.name for state in track.schema_at(1)] == ["A", "B"]
    assert [state.name for state in track.schema_at(2)] == ["B", "C", "A"]
    assert [track.transition(number).shape.called for number in (1, 2)] == [(1,), (2,)]


def test_what_another_debugger_forwards_is_taken_as_if_sent() -> None:
    """Forwarded values are wrapped, and may be of many machines on one connection."""
    wrapped = struct_of(80, "DbgMsgSchemaFwd", MsgStruct=65, ConnId=TEXT)
    wrapped += struct_of(81, "DbgMsgTx", MsgTx=70, ConnId=TEXT)
    data = REQUEST + SCHEMA_TYPE + TRANSITION_TYPE + wrapped
    for number, machine in enumerate(("one", "two")):
        schema = b"\x01" + text(machine) + b"\x01\x01" + text("A") + b"\0"
        data += request("RPCServer.DbgMsgSchemaFwd", 2 * number)
        data += message(80, b"\x01" + schema + b"\x01" + text("conn") + b"\0")
        transition = b"\x01" + text(machine) + b"\x01" + text("t") + b"\x01\x01\x01\0"
        data += request("RPCServer.DbgMsgTxFwd", 2 * number + 1)
        data += message(81, b"\x01" + transition + b"\0")
    store = stored(Program().send(data).messages)

    assert [(track.id, track.count) for track in store.tracks] == [("one", 1), ("two", 1)]


def test_an_unknown_call_is_answered_with_an_error() -> None:
    """The program learns that it is not understood, the connection goes on."""
    odd = struct_of(90, "Odd", Thing=TEXT)
    program = Program().send(
        REQUEST + request("RPCServer.Odd", 5) + odd + message(90, b"\x01\x01x\0")
    )

    assert b"rpc: can't find method RPCServer.Odd" in program.answers
    assert program.connection.refused == 1
    program.send(request("RPCServer.DbgMsgStruct", 6) + SCHEMA_TYPE + schema_value("m", "A"))
    assert stored(program.messages).find("m") is not None


def test_answers_name_calls_of_any_number() -> None:
    """A long connection counts beyond what fits in a byte."""
    program = Program().send(REQUEST)
    for number in (127, 128, 70_000):
        program.send(request("RPCServer.DbgMsgStruct", number))
        program.send(SCHEMA_TYPE if number == 127 else b"").send(schema_value("m", "A"))

    numbers = [value.decode() for value in GobStream().feed(program.answers)][::2]
    assert [value.get("Seq") for value in map(record_of, numbers)] == [127, 128, 70_000]


def test_a_transition_of_an_unknown_machine_is_counted_and_answered() -> None:
    """It harms nobody; the reason can be shown."""
    program = Program().send(
        REQUEST + request("RPCServer.DbgMsgTx", 1) + TRANSITION_TYPE + transition_value("m", b"\0")
    )

    assert program.answers.endswith(b"\x03\x0c\0\0")
    assert program.connection.refused == 1
    assert "unknown machine 'm'" in program.connection.last_refusal


def test_clocks_of_any_length_and_called_states_out_of_range_are_survived() -> None:
    """What cannot be shown is counted and leaves a gap."""
    data = REQUEST + SCHEMA_TYPE + TRANSITION_TYPE
    data += request("x", 0) + schema_value("m", "A", "B")
    for number, value in enumerate(
        (
            transition_value("m", b"\0"),
            transition_value("m", b"\0\0\0\0"),
            transition_value("m", b"\0\0", 9),
            transition_value("m", b"\0\0"),
        )
    ):
        data += request("x", number) + value
    program = Program().send(data)
    track = stored(program.messages).tracks[0]

    assert track.count == 3
    assert program.connection.refused == 1
    assert [gap.lost for gap in track.gaps if gap.lost] == [1]


class Wire:
    """What a receiver sends back, and the store it feeds."""

    def __init__(self) -> None:
        self.store = Store()
        self.sent = b""

    def send(self, data: bytes) -> None:
        self.sent += data

    def receiver(self) -> GoReceiver:
        return GoProtocol(lambda: NOW).open(Peer("127.0.0.1:9", self.store, self.send))


def test_a_protocol_feeds_the_store_and_answers() -> None:
    """A recorded program that leaves between two calls ends its stream as whole."""
    wire = Wire()
    receiver = wire.receiver()
    receiver.feed(live("child")["bytes"])
    (track,) = wire.store.tracks
    assert (track.id, track.count, track.connected) == ("live-child", 6, True)
    assert track.time_at(1) == NOW

    receiver.close("connection lost")

    assert wire.sent == live("child-reply")["bytes"]
    assert (track.connected, list(track.gaps)) == (False, [])


def test_a_program_that_leaves_within_a_call_shows_as_cut() -> None:
    """Half a call is an incomplete call."""
    wire = Wire()
    receiver = wire.receiver()
    receiver.feed(live("child")["bytes"][:-1])
    receiver.close("connection lost")
    (track,) = wire.store.tracks

    assert [gap.reason for gap in track.gaps] == ["connection lost"]


def test_a_stranger_opens_no_stream() -> None:
    """Nothing appears in the list of machines or streams."""
    wire = Wire()
    receiver = wire.receiver()
    with pytest.raises(GobError):
        receiver.feed(b"\x2e" + b"\0" * 60)
    receiver.close("no calls")

    assert list(wire.store.streams) == []


def test_a_go_program_is_let_in_at_the_port_of_the_debugger() -> None:
    """The same port takes both kinds of programs; the first bytes distinguish them."""
    store = Store()
    server = Server(store, protocols=(GoProtocol(),))
    server.start(Address("127.0.0.1", 0))
    answer = live("parent-reply")["bytes"]
    try:
        address = server.addresses[0]
        with socket.create_connection((address.host, address.port), timeout=20) as connection:
            connection.sendall(live("parent")["bytes"])
            received = b""
            while len(received) < len(answer) and (piece := connection.recv(65_536)):
                received += piece
    finally:
        server.stop()

    assert received == answer
    assert [(track.id, track.count) for track in store.tracks] == [("live-parent", 27)]


def test_a_stranger_reports_no_hello() -> None:
    """Bytes that are no calls raise the one error and leave no stream behind."""
    program = Program()
    with pytest.raises(GobError):
        program.send(b"\0\0\0\0")
    with pytest.raises(GobError, match="where a request belongs"):
        Program().send(SCHEMA_TYPE + schema_value("m", "A"))

    assert program.messages == []


def test_the_first_bytes_report_a_go_program() -> None:
    """Enough of them say yes or no; fewer may say nothing yet, but never the wrong thing."""
    for name in RECORDED:
        first = live(name)["bytes"]
        assert looks_like_go(first[:FIRST_BYTES]) is True
        assert {looks_like_go(first[:size]) for size in range(FIRST_BYTES)} <= {None, True}
    for number in (64, 70, 300):
        assert looks_like_go(struct_of(number, "Request", ServiceMethod=TEXT, Seq=UINT)) is True


@pytest.mark.parametrize(
    "first",
    [
        b"GET / HTTP/1.1\r\n",
        b"SSH-2.0-OpenSSH",
        b"\x16\x03\x01\x02\0\x01\0",
        b"\0\0\0\x08\0\0\0\0",
        b"\xff\xff\xff\xff",
        struct_of(64, "Responses", ServiceMethod=TEXT),
    ],
)
def test_other_protocols_are_no_go_programs(first: bytes) -> None:
    """They are kept apart from their second byte on, mostly."""
    assert looks_like_go(first) is False


@given(st.binary(max_size=40))
def test_any_first_bytes_get_an_answer(first: bytes) -> None:
    """With so many bytes the answer is yes or no."""
    assert looks_like_go(first) in (
        (True, False) if len(first) >= FIRST_BYTES else (True, False, None)
    )


@pytest.mark.slow
@given(st.data())
def test_a_damaged_connection_reports_messages_or_one_error(data: st.DataObject) -> None:
    """Whatever comes, the messages a store gets are ones it takes."""
    recorded = bytearray(live("schemachange")["bytes"])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(recorded) - 1))
        recorded[at] = data.draw(st.integers(0, 255))
    program = Program()
    with suppress(GobError):
        program.send(bytes(recorded), data.draw(st.sampled_from([11, 4_000, 0])))

    stored(program.messages)


@given(st.binary(max_size=200), st.integers(1, 50))
def test_any_bytes_are_answered_or_one_error(data: bytes, step: int) -> None:
    """A connection never fails in another way."""
    with suppress(GobError):
        Program().send(REQUEST + data, step)
