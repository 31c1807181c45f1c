"""Where a sender's bytes go: what a debugger or a file can do to it."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from amtracer.address import Address
from amtracer.files.session import FLUSH_S, read_session
from amtracer.send import sinks as sinks
from amtracer.send.sinks import FileSink, SinkError, SocketSink, path_of_process
from amtracer.wire.messages import GoneMessage, StringsMessage
from tests.wire.streams import HELLO, decoded

LARGE = StringsMessage(0, ("x" * 60_000,) * 16)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        yield server


@pytest.fixture
def sink(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> SocketSink:
    """A sink to the listener that does not wait for long."""
    monkeypatch.setattr(sinks, "WAIT_S", 0.01)
    return SocketSink(Address("127.0.0.1", listener.getsockname()[1]))


def read_all(peer: socket.socket) -> bytes:
    """Until the other side says that no more comes."""
    data = b""
    while chunk := peer.recv(1 << 20):
        data += chunk
    return data


def push_for_ever(sink: SocketSink) -> None:
    while True:
        sink.push()


def write_much(sink: FileSink) -> None:
    for at in range(100_000):
        sink.write(StringsMessage(0, (str(at * 7_919 * 7_919),) * 50))


def test_messages_arrive_with_an_end(listener: socket.socket, sink: SocketSink) -> None:
    """Opening sends the magic, closing the end message."""
    sink.open()
    sink.write(HELLO)
    assert sink.push()
    sink.close()
    sink.close()
    peer, _ = listener.accept()
    with peer:
        messages = decoded(read_all(peer))

    assert messages[0] == HELLO
    assert len(messages) == 2
    assert sink.sent > 0


def test_who_does_not_read_is_not_waited_for(
    listener: socket.socket, sink: SocketSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot go out waits, up to a limit, and goes out later."""
    monkeypatch.setattr(sinks, "UNSENT_BYTES_MAX", 1_000_000)
    sink.open()
    peer, _ = listener.accept()
    sink.write(HELLO)
    count = 0
    while sink.has_room:
        sink.write(LARGE)
        count += 1
        sink.push()
    assert not sink.push()
    assert sink.idle_s is not None

    peer.settimeout(20)
    data = b""
    while not sink.push():
        data += peer.recv(1 << 20)
    assert sink.idle_s is None
    sink.close()
    with peer:
        assert decoded(data + read_all(peer)).count(LARGE) == count


@pytest.mark.parametrize("manner", ["reset", "close", "half"])
def test_a_debugger_that_went_away_is_noticed_before_sending(
    listener: socket.socket, sink: SocketSink, manner: str
) -> None:
    """Nothing more is sent into the void, whether it slammed the door, said goodbye or half."""
    sink.open()
    peer, _ = listener.accept()
    if manner == "reset":
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if manner == "half":
        peer.shutdown(socket.SHUT_WR)
    else:
        peer.close()
    with pytest.raises(SinkError, match=r"closed|reset"):
        push_for_ever(sink)
    with pytest.raises(SinkError, match="not connected"):
        sink.push()
    sink.close()
    peer.close()


def test_closing_after_a_loss_raises_nothing(listener: socket.socket, sink: SocketSink) -> None:
    """The end of a program is quiet even when the debugger is gone."""
    sink.open()
    peer, _ = listener.accept()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    sink.write(HELLO)

    sink.close()
    sink.drop()


def test_a_refused_connection_is_reported(sink: SocketSink, listener: socket.socket) -> None:
    """The system's own words, without a number."""
    listener.close()

    with pytest.raises(SinkError, match="^connection refused$"):
        sink.open()


def test_an_unknown_host_name_is_reported() -> None:
    """A host that cannot be found is an outage like any other."""
    with pytest.raises(SinkError, match=r"\w"):
        SocketSink(Address("no-such-host.invalid", 1)).open()


# Files.


def test_a_file_is_recorded(tmp_path: Path) -> None:
    """Written live, whole after closing."""
    sink = FileSink(tmp_path / "a")
    sink.open()
    sink.write(HELLO)
    assert sink.push()
    sink.close()
    sink.close()

    assert next(read_session(tmp_path / "a")) == HELLO
    assert sink.sent == 1
    assert sink.idle_s is None


def test_a_file_in_use_is_left_alone(tmp_path: Path) -> None:
    """The second recording has the pid in its name."""
    first, second = FileSink(tmp_path / "a.msgpack.br"), FileSink(tmp_path / "a.msgpack.br")
    first.open()
    second.open()
    first.drop()
    second.close()

    assert second.name.endswith(f"a.{os.getpid()}.msgpack.br")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"a.{os.getpid()}.msgpack.br",
        "a.msgpack.br",
    ]


def test_a_pid_goes_before_the_extension() -> None:
    """However many dots there are."""
    pid = os.getpid()

    assert path_of_process("/x/run.msgpack.br") == f"/x/run.{pid}.msgpack.br"
    assert path_of_process("run") == f"run.{pid}"


def test_a_place_where_nothing_can_be_written_is_lasting(tmp_path: Path) -> None:
    """Trying again would not help."""
    with pytest.raises(SinkError, match="no such file or directory") as caught:
        FileSink(tmp_path / "none" / "a").open()
    assert caught.value.lasting


@pytest.mark.parametrize("step", ["write", "push", "close"])
def test_a_disk_that_fails_ends_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """One word, and nothing more is tried; what was written stays."""
    now = [0.0]
    sink = FileSink(tmp_path / "a", clock=lambda: now[0])
    sink.open()
    sink.write(HELLO)
    sink._writer.unflushed = 1  # type: ignore[union-attr]
    now[0] = 5.0
    real = os.write
    limit = 0 if step != "write" else 10_000

    def full(fd: int, data: bytes) -> int:
        nonlocal limit
        limit -= len(data)
        if limit < 0:
            raise OSError(28, "No space left on device")
        return real(fd, data)

    monkeypatch.setattr(os, "write", full)
    if step == "close":
        sink.close()
    elif step == "push":
        with pytest.raises(SinkError, match="no space left") as caught:
            sink.push()
        assert caught.value.lasting
    else:
        with pytest.raises(SinkError, match="no space left"):
            write_much(sink)
    sink.write(GoneMessage(0))
    assert sink.push()
    sink.drop()

    assert (tmp_path / "a").exists()


def test_a_connection_to_itself_is_no_debugger(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt that began at the very port it went to is one where nobody listens."""
    with socket.socket() as itself:
        itself.bind(("127.0.0.1", 0))
        place = itself.getsockname()
        itself.connect(place)
        monkeypatch.setattr(socket, "create_connection", lambda *_, **__: itself)
        sink = SocketSink(Address(*place))
        with pytest.raises(SinkError, match="connection refused"):
            sink.open()

        assert itself.fileno() == -1


def test_a_file_waits_for_longer_batches_than_a_debugger() -> None:
    """Nobody looks at it while it grows, and it is readable once a second all the same."""
    assert SocketSink.batch_s < FileSink.batch_s < FLUSH_S
