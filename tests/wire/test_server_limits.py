"""What one connection, and the whole debugger, accepts: at each limit, and one past it."""

from __future__ import annotations

import inspect
import logging
import socket
from collections.abc import Iterable, Iterator

import pytest

from am_dbg.ingest.golang.gob import MESSAGE_BYTES_MAX
from am_dbg.ingest.golang.protocol import GoProtocol
from am_dbg.ingest.server import Server
from am_dbg.store import Store
from amtracer.files.session import read_session
from amtracer.wire import limits
from amtracer.wire.codec import encode, magic_frame
from amtracer.wire.messages import MachineMessage, Message, SchemaMessage, StringsMessage
from tests.dbg.golang_bytes import BYTES, TEXT, UINT, int_, message, struct_of, text, uint
from tests.wire.serving import Debugger, connect
from tests.wire.streams import HELLO, STATES


@pytest.fixture
def debugger(caplog: pytest.LogCaptureFixture) -> Iterator[Debugger]:
    caplog.set_level(logging.INFO, "am_dbg.ingest.server")
    debugger = Debugger(protocols=(GoProtocol(),))
    yield debugger
    debugger.stop()


def bytes_of(messages: Iterable[Message]) -> bytes:
    return b"".join(map(encode, messages))


def ended(peer: socket.socket) -> bool:
    try:
        while peer.recv(4_096):
            continue
    except ConnectionError:
        return True
    return True


BEGUN = magic_frame() + bytes_of([HELLO, SchemaMessage(0, STATES)])


def test_a_connection_may_have_ten_thousand_machines(
    debugger: Debugger, caplog: pytest.LogCaptureFixture
) -> None:
    """One more costs the connection; those before it stay."""
    most = limits.MACHINES_PER_CONNECTION_MAX
    with connect(debugger) as peer:
        peer.sendall(BEGUN + bytes_of(MachineMessage(at, f"m{at}", 0) for at in range(most)))
        debugger.wait_for(lambda: len(debugger.store.tracks) == most)
        assert caplog.records == []
        peer.sendall(encode(MachineMessage(most, "more", 0)))
        assert ended(peer)

    assert len(debugger.store.tracks) == most
    assert len(caplog.records) == 1


def test_a_debugger_has_so_many_machines_of_all_connections(
    debugger: Debugger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection with one more is ended; the others go on."""
    assert limits.MACHINES_PER_SERVER_MAX == 100_000
    monkeypatch.setattr(limits, "MACHINES_PER_SERVER_MAX", 3)
    with connect(debugger) as one, connect(debugger) as two:
        one.sendall(BEGUN + bytes_of(MachineMessage(at, "m", 0) for at in range(2)))
        debugger.wait_for(lambda: len(debugger.store.tracks) == 2)
        two.sendall(BEGUN + encode(MachineMessage(0, "m", 0)))
        debugger.wait_for(lambda: len(debugger.store.tracks) == 3)
        two.sendall(encode(MachineMessage(1, "m", 0)))
        assert ended(two)
        before = debugger.store.version
        one.sendall(encode(StringsMessage(0, ("still heard",))))
        debugger.wait_for(lambda: debugger.store.version > before)

    (line,) = (record.getMessage() for record in caplog.records)
    assert line.endswith("machines: 4 is over the limit of 3")


def test_a_debugger_takes_a_thousand_connections_that_send_nothing_else() -> None:
    """The limits of a server and of a reader of files are those that are listed."""
    reading = inspect.signature(read_session).parameters["bytes_max"]

    assert Server(Store()).connections_max == limits.CONNECTIONS_MAX == 1_000
    assert reading.default == limits.SESSION_BYTES_MAX == 1 << 30


def strings_of_size(size: int) -> bytes:
    """A frame whose body has so many bytes."""
    fill = StringsMessage(0, ("x" * 60_000,) * 17)
    rest = size - (len(encode(fill)) - 8) - 3
    return encode(StringsMessage(0, (*fill.texts, "y" * rest)))


def test_a_frame_of_a_connection_may_have_a_mebibyte(debugger: Debugger) -> None:
    """One byte more is refused by its length alone."""
    frame = strings_of_size(limits.WIRE_FRAME_BYTES_MAX)
    assert len(frame) == 8 + limits.WIRE_FRAME_BYTES_MAX
    with connect(debugger) as peer:
        peer.sendall(BEGUN + frame + encode(MachineMessage(0, "after it", 0)))
        debugger.wait_for(lambda: debugger.store.find("after it"))
        peer.sendall((limits.WIRE_FRAME_BYTES_MAX + 1).to_bytes(4, "big"))
        assert ended(peer)


REQUEST = struct_of(64, "Request", ServiceMethod=TEXT, Seq=UINT)
CALL = message(64, b"\x01" + text("RPCServer.Much") + b"\0")
MUCH = struct_of(65, "Much", Bytes=BYTES)


def go_value(size: int) -> bytes:
    """A message of so many bytes, its length not counted."""
    start, end = int_(65) + b"\x01", b"\0"
    fill = size - len(start) - len(end)
    fill -= len(uint(fill))
    body = start + uint(fill) + b"x" * fill + end
    assert len(body) == size
    return uint(size) + body


def test_a_message_of_a_go_program_may_have_four_mebibytes(
    debugger: Debugger, caplog: pytest.LogCaptureFixture
) -> None:
    """It is answered; one byte more is refused by its length alone."""
    with connect(debugger) as peer:
        peer.sendall(REQUEST + CALL + MUCH + go_value(MESSAGE_BYTES_MAX))
        assert peer.recv(4_096)
        assert caplog.records == []
        peer.sendall(CALL + uint(MESSAGE_BYTES_MAX + 1))
        assert ended(peer)

    assert len(caplog.records) == 1
