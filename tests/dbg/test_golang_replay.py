"""Recorded connections of Go programs, played to a debugger over real sockets."""

from __future__ import annotations

import hashlib
import json
import socket
from collections import Counter
from collections.abc import Iterator

import pytest

from am_dbg.ingest.golang.gob import GobStream
from am_dbg.ingest.golang.protocol import GoProtocol
from am_dbg.store import GapKind
from tests.dbg.golang_history import as_json, live, meant, reported
from tests.dbg.golang_versions import has_read
from tests.reference import dumps
from tests.wire.serving import WAIT_S, Debugger

RECORDED = {
    "parent": "live-go-session",
    "child": "live-go-session-child",
    "schemachange": "live-go-session-schemachange",
}
PIECES = {
    "whole": 1 << 20,
    "in packets": 1_460,
    "in sevens": 7,
    "byte by byte": pytest.param(1, marks=pytest.mark.slow),
}


@pytest.fixture
def debugger() -> Iterator[Debugger]:
    debugger = Debugger(protocols=(GoProtocol(),))
    yield debugger
    debugger.stop()


def played(debugger: Debugger, data: bytes, answer: bytes, piece: int) -> bytes:
    """Send in pieces, read the answers meanwhile as far as they have come."""
    address = debugger.address
    received = bytearray()
    with socket.create_connection((address.host, address.port), timeout=WAIT_S) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(data), piece):
            peer.sendall(data[at : at + piece])
        while len(received) < len(answer) and (chunk := peer.recv(65_536)):
            received += chunk
    return bytes(received)


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_program_is_answered_and_kept_whole(
    debugger: Debugger, name: str, piece: int
) -> None:
    """The answers are the recorded ones, and each transition is the one that was sent."""
    recorded, reply = live(name), live(f"{name}-reply")
    received = played(debugger, recorded["bytes"], reply["bytes"], piece)

    assert received == reply["bytes"]
    assert [as_json(value.decode()) for value in GobStream().feed(received)] == reply["values"]
    records = [value for value in recorded["values"] if "Clocks" in value]
    names = [value["StatesIndex"] for value in recorded["values"] if "StatesIndex" in value][-1]
    debugger.wait_for(lambda: has_read(debugger, 1))
    (track,) = debugger.store.tracks
    assert list(reported(track)) == [meant(record, names) for record in records]


def test_all_recorded_programs_are_kept_beside_each_other(debugger: Debugger) -> None:
    """Of three programs two have one id; they mix neither answers nor histories."""
    for name in RECORDED:
        reply = live(f"{name}-reply")["bytes"]
        assert played(debugger, live(name)["bytes"], reply, 1_460) == reply

    debugger.wait_for(lambda: has_read(debugger, len(RECORDED)))
    counts = Counter(track.count for track in debugger.store.tracks)
    expected = Counter(
        sum("Clocks" in value for value in live(name)["values"]) for name in RECORDED
    )
    assert counts == expected
    assert debugger.store.transitions == sum(expected.elements())


def test_the_schema_that_grew_while_recorded_loses_nothing(debugger: Debugger) -> None:
    """Eleven states with ten ticks at first: no transition is missing, no clock goes back."""
    recorded = live("schemachange")
    played(debugger, recorded["bytes"], live("schemachange-reply")["bytes"], 1_460)
    records = [value for value in recorded["values"] if "Clocks" in value]
    schemas = [value["StatesIndex"] for value in recorded["values"] if "StatesIndex" in value]

    debugger.wait_for(lambda: has_read(debugger, 1))
    (track,) = debugger.store.tracks
    assert len(records[0]["Clocks"]) < len(schemas[0])
    assert track.count == len(records)
    assert [gap for gap in track.gaps if gap.kind is not GapKind.SCHEMA and gap.lost] == []
    assert [state.name for state in track.states] == schemas[-1]
    for number, record in enumerate(records, 1):
        clock = track.clock_at(number)
        assert list(clock[: len(record["Clocks"])]) == record["Clocks"]
        assert track.tx_id_at(number) == record["ID"]
        assert all(a <= b for a, b in zip(track.clock_at(number - 1), clock, strict=False))


def test_the_recorded_data_is_that_of_the_reference() -> None:
    """What these tests play is, byte for byte, what was recorded."""
    folder = dumps()
    expected = json.loads((folder / "live-go-session.expected.json").read_text())["streams"]
    for name, file in RECORDED.items():
        for ours, theirs in ((name, f"{file}.bin"), (f"{name}-reply", f"{file}.reply.bin")):
            data = (folder / theirs).read_bytes()
            assert live(ours)["bytes"] == data
            assert hashlib.sha256(data).hexdigest() == expected[theirs]["sha256"]
            values = [as_json(value.decode()) for value in GobStream().feed(data)]
            assert values == [one["value"] for one in expected[theirs]["messages"]]
            assert len(values) == expected[theirs]["n_messages"]
