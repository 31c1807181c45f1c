"""A descriptor that the program closed belongs to another file: it is not written or closed."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from amtracer.address import Address
from amtracer.errors import SessionAccessError
from amtracer.files.atomic import AtomicFile
from amtracer.files.descriptors import OwnedDescriptor
from amtracer.files.session import SessionWriter, read_session
from amtracer.send.sinks import FileSink, SinkError, SocketSink
from tests.wire.streams import HELLO

Taken = tuple[int, Callable[[], bytes]]
"""A descriptor that got the number, and a function that reads all bytes written to it."""


def take_by_file(fd: int, folder: Path) -> Taken:
    path = folder / "database"
    new = os.open(path, os.O_RDWR | os.O_CREAT)
    return placed(new, fd), path.read_bytes


def take_by_socket(fd: int, _: Path) -> Taken:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    return placed(ours.detach(), fd), lambda: received(theirs)


def take_by_pipe(fd: int, _: Path) -> Taken:
    reading, writing = os.pipe()
    if reading == fd:
        reading = os.dup(reading)
    os.set_blocking(reading, False)
    return placed(writing, fd), lambda: piped(reading)


def placed(new: int, fd: int) -> int:
    """Have the new descriptor the number of the old one."""
    if new != fd:
        os.dup2(new, fd)
        os.close(new)
    return fd


def received(sock: socket.socket) -> bytes:
    with sock:
        try:
            return sock.recv(100)
        except BlockingIOError:
            return b""


def piped(fd: int) -> bytes:
    try:
        return os.read(fd, 100)
    except BlockingIOError:
        return b""
    finally:
        os.close(fd)


TAKERS = pytest.mark.parametrize("take", [take_by_file, take_by_socket, take_by_pipe])


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


@TAKERS
def test_a_recording_goes_on_in_its_own_file(
    take: Callable[[int, Path], Taken], tmp_path: Path
) -> None:
    """The file is opened again; the new owner of its number gets nothing and stays open."""
    path = tmp_path / "run.msgpack.br"
    writer = SessionWriter(path, live=True)
    writer.write(HELLO)
    writer.flush()
    fd = writer._file._file.fd
    os.close(fd)
    taken, read_written = take(fd, tmp_path)
    writer.flush()
    writer.close()

    assert is_open(taken)
    assert read_written() == b""
    assert [type(message).__name__ for message in read_session(path)] == [
        "HelloMessage",
        "EndMessage",
    ]
    os.close(taken)


def test_a_closed_descriptor_that_nobody_has_is_no_trouble(tmp_path: Path) -> None:
    """What is not published yet goes on under its other name."""
    file = AtomicFile(tmp_path / "a")
    file.write(b"one ")
    os.close(file._file.fd)
    file.write(b"two")
    file.commit()

    assert (tmp_path / "a").read_bytes() == b"one two"


@pytest.mark.parametrize("change", [b"longer than it was", b"", None])
def test_a_file_that_changed_meanwhile_is_not_written(change: bytes | None, tmp_path: Path) -> None:
    """One that was written to, cut or removed is left as it is, with the reason."""
    path = tmp_path / "a"
    file = AtomicFile(path)
    file.write(b"ours")
    file.publish()
    os.close(file._file.fd)
    if change is None:
        path.unlink()
    else:
        path.write_bytes(change)

    with pytest.raises(SessionAccessError, match="the program closed its descriptor"):
        file.write(b"more")
    assert change is None or path.read_bytes() == change


def test_the_same_file_at_another_place_is_not_ours(tmp_path: Path) -> None:
    """The program itself may have the file open, to write somewhere else in it."""
    path = tmp_path / "a"
    path.write_bytes(b"12345678")
    fd = os.open(path, os.O_RDWR)
    owned = OwnedDescriptor(fd, 0)
    assert owned.is_ours

    os.lseek(fd, 4, os.SEEK_SET)
    assert not owned.is_ours
    os.close(fd)


def test_a_sink_reports_what_happened_to_its_file(tmp_path: Path) -> None:
    """Nothing more is recorded when the file is gone with the descriptor."""
    path = tmp_path / "run.msgpack.br"
    sink = FileSink(path)
    sink.open()
    sink.write(HELLO)
    assert sink._writer is not None
    os.close(sink._writer._file._file.fd)
    path.unlink()
    sink._writer.unflushed = 1
    sink._writer._flushed_at = -1e9

    with pytest.raises(SinkError, match="the program closed its descriptor") as caught:
        sink.push()
    assert caught.value.lasting
    sink.drop()


@TAKERS
def test_nothing_is_sent_through_a_connection_that_is_another_s(
    take: Callable[[int, Path], Taken], tmp_path: Path
) -> None:
    """The sink lets go of the number and says that it is not connected."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sink = SocketSink(Address("127.0.0.1", server.getsockname()[1]))
        sink.open()
        sink.write(HELLO)
        assert sink._socket is not None
        fd = sink._socket.fileno()
        os.close(fd)
        taken, read_written = take(fd, tmp_path)

        with pytest.raises(SinkError, match="the program closed the connection's descriptor"):
            sink.push()
        sink.close()

    assert is_open(taken)
    assert read_written() == b""
    os.close(taken)


@TAKERS
def test_dropping_a_connection_closes_nothing_of_others(
    take: Callable[[int, Path], Taken], tmp_path: Path
) -> None:
    """A forked child lets go of what it inherited, which others may have replaced."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sink = SocketSink(Address("127.0.0.1", server.getsockname()[1]))
        sink.open()
        assert sink._socket is not None
        fd = sink._socket.fileno()
        os.close(fd)
        taken, read_written = take(fd, tmp_path)
        sink.drop()

    assert is_open(taken)
    assert read_written() == b""
    os.close(taken)
