"""Sinks for a sender's messages: a debugger over TCP, or a file.

Only the sender thread uses them. They raise `SinkError` with a text for the user. To send waits
at most `WAIT_S`, so a sender that has to stop is not held up.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol

from amtracer.address import Address
from amtracer.env import token_from_env
from amtracer.errors import SessionBusyError, SessionError
from amtracer.files.atomic import PathLike, reason_of, shown
from amtracer.files.descriptors import OwnedDescriptor
from amtracer.files.processes import is_child
from amtracer.files.session import FLUSH_S, SessionWriter
from amtracer.wire import limits
from amtracer.wire.codec import WIRE, FrameWriter
from amtracer.wire.messages import HelloMessage, Message

CONNECT_S_MAX = 5.0
"""Time limit for a new connection."""
UNSENT_BYTES_MAX = 4 * 1024 * 1024
"""Bytes kept for a debugger that does not read, about 300,000 transitions."""
WAIT_S = 0.1
"""Time limit for one attempt to send."""
_SEND_BYTES = 64 * 1024
_PATHS_MAX = 16
"""File names that are tried for a recording while other processes use them."""

_log = logging.getLogger("amtracer")


class SinkError(Exception):
    """Nothing can be sent now; if it is `lasting`, another attempt will fail too."""

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.lasting = lasting


class Sink(Protocol):
    """One destination; `open` and `write` raise SinkError."""

    name: str
    trouble: str
    """The words before the name in the log line of an outage."""
    sent: int
    """A counter that grows while data is sent."""
    batch_s: float
    """Seconds for which events wait for others, so that they are sent together."""

    @property
    def idle_s(self) -> float | None:
        """Seconds after which `push` must be called if nothing is written; None for never."""

    def open(self) -> None:
        """Connect, or open the file."""

    def write(self, message: Message) -> None:
        """Add a message of the stream."""

    def push(self) -> bool:
        """Send what was written; False if the other side does not accept it now."""

    @property
    def has_room(self) -> bool:
        """Whether more may be written before the other side accepts data."""

    def renew(self) -> bool:
        """Prepare for another stream; False while the present one is still being sent."""

    def close(self) -> None:
        """End the stream in order, if it is open."""

    def drop(self) -> None:
        """Close at once, without an end message."""


class SocketSink:
    """A debugger at an address; the only sink that gets the token of the environment."""

    trouble = "cannot reach"
    batch_s: float = limits.BATCH_AGE_S_MAX

    def __init__(self, address: Address) -> None:
        self.name: str = f"a debugger at {address}"
        self.sent: int = 0
        self._address = address
        self._socket: socket.socket | None = None
        self._descriptor: OwnedDescriptor | None = None
        self._is_ending = False
        self._buffer = bytearray()
        self._frames = FrameWriter(WIRE)

    def open(self) -> None:
        # As bytes: to encode a text Python imports a module on first use, and a child that is
        # forked during that import would wait for it for ever.
        peer = (self._address.host.encode("ascii"), self._address.port)
        try:
            self._socket = socket.create_connection(
                peer,  # type: ignore[arg-type]  # a host name may be bytes
                timeout=CONNECT_S_MAX,
            )
            self._descriptor = OwnedDescriptor(self._socket.fileno())
            _refuse_self_connection(self._socket)
            self._socket.settimeout(WAIT_S)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            self.drop()
            raise SinkError(reason_of(error)) from error
        self._frames = FrameWriter(WIRE)
        self._is_ending = False
        self._buffer[:] = self._frames.magic()

    def write(self, message: Message) -> None:
        if type(message) is HelloMessage:
            message = replace(message, token=token_from_env())
        self._buffer += self._frames.write(message)

    @property
    def idle_s(self) -> float | None:
        return WAIT_S if self._buffer else None

    @property
    def has_room(self) -> bool:
        return len(self._buffer) < UNSENT_BYTES_MAX

    def push(self) -> bool:
        sock, buffer = self._socket, self._buffer
        if sock is None:
            raise SinkError("not connected")
        if not self._is_ours:
            self.drop()
            raise SinkError("the program closed the connection's descriptor")
        buffer += self._frames.flush()
        try:
            self._check_connection(sock)
            sock.settimeout(WAIT_S if self.has_room else 0)
            while buffer:
                sent = sock.send(bytes(buffer[:_SEND_BYTES]), _NO_SIGNAL)
                del buffer[:sent]
                self.sent += sent
        except (TimeoutError, BlockingIOError):
            return False
        except OSError as error:
            self.drop()
            raise SinkError(reason_of(error)) from error
        return True

    def renew(self) -> bool:
        """Connect again, because a connection has one stream."""
        if not self._send_end():
            return False
        self.drop()
        self.open()
        return True

    def close(self) -> None:
        if self._socket is None:
            return
        try:
            self._send_end()
        except (SinkError, OSError):
            return
        finally:
            self.drop()

    def _send_end(self) -> bool:
        """Send everything and the end message; False if some of it is still unsent."""
        if not self._is_ending:
            self._is_ending = True
            self._buffer += self._frames.end()
        if not self.push():
            return False
        if self._socket is not None:
            self._socket.shutdown(socket.SHUT_WR)
        return True

    def drop(self) -> None:
        if self._socket is not None:
            if not self._is_ours:  # the number belongs to another file, so do not close it
                self._socket.detach()
            self._socket.close()
            self._socket = self._descriptor = None

    @property
    def _is_ours(self) -> bool:
        return self._descriptor is None or self._descriptor.is_ours

    def _received(self, data: bytes) -> None:
        """Drop what the debugger sent: a tracer has asked nothing."""

    def _check_connection(self, sock: socket.socket) -> None:
        """Raise if the debugger has closed the connection, before more is sent and lost."""
        sock.setblocking(False)
        try:
            data = sock.recv(_SEND_BYTES)
            if data == b"":
                raise ConnectionResetError(0, "connection closed")
            self._received(data)
        except BlockingIOError:
            return


def _refuse_self_connection(sock: socket.socket) -> None:
    """Raise if a socket is connected to itself.

    If nobody listens at a local port, the system may choose the same port for the socket and
    connect it to itself. Then no debugger could listen there any more.
    """
    if sock.getsockname() == sock.getpeername():
        raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))


_NO_SIGNAL = getattr(socket, "MSG_NOSIGNAL", 0)
"""A flag against SIGPIPE, whose default action would end the process."""


def absolute_path(path: PathLike) -> str:
    """The absolute path without links; unchanged if the current folder is gone."""
    text = os.fsdecode(path)
    try:
        return os.path.realpath(text)
    except (OSError, ValueError):
        return text


class FileSink:
    """A session file, recorded live.

    Each process has its own file. If the process was forked or started by `multiprocessing`,
    the name contains its pid, even if no other process records, so that no process replaces
    the file of another. The same holds if another process writes the file, or has written it
    since the program began; if that name is taken too, a number follows. A file that is no
    recording is not replaced, see `SessionWriter`. An error at the end is logged in one line.
    """

    trouble = "cannot record"
    has_room = True
    batch_s: float = limits.FILE_BATCH_AGE_S_MAX

    def __init__(self, path: PathLike, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = absolute_path(path)
        self._clock = clock
        self._writer: SessionWriter | None = None
        self.name: str = shown(self._path)
        self.sent: int = 0

    @property
    def idle_s(self) -> float | None:
        return FLUSH_S if self._writer is not None and self._writer.unflushed else None

    def open(self) -> None:
        for path in self._paths():
            try:
                self._writer = SessionWriter(path, live=True, clock=self._clock)
            except SessionBusyError:
                continue
            except SessionError as error:
                self.name = shown(path)
                raise SinkError(error.reason, lasting=True) from error
            self.name = shown(path)
            return
        raise SinkError("other processes are writing it", lasting=True)

    def _paths(self) -> Iterator[str]:
        """The paths for the recording, the preferred one first."""
        if not is_child():
            yield self._path
        yield path_of_process(self._path)
        for number in range(2, _PATHS_MAX):
            yield path_of_process(self._path, f"-{number}")

    def write(self, message: Message) -> None:
        if self._writer is not None:
            try:
                self._writer.write(message)
                self.sent += 1
            except SessionError as error:
                self._writer = None
                raise SinkError(error.reason, lasting=True) from error

    def push(self) -> bool:
        try:
            if self._writer is not None:
                self._writer.flush_if_due()
        except SessionError as error:
            self._writer = None
            raise SinkError(error.reason, lasting=True) from error
        return True

    def renew(self) -> bool:
        """Do nothing, because a file holds any number of streams."""
        return True

    def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.close()
            except SessionError as error:
                _log.warning("amtracer: %s", error)
                writer.release()

    def drop(self) -> None:
        if self._writer is not None:
            self._writer.release()
            self._writer = None


def path_of_process(path: str, mark: str = "") -> str:
    """`run.msgpack.br` with the pid and a mark: `run.123.msgpack.br`, `run.123-2.msgpack.br`."""
    folder, name = os.path.split(path)
    stem, dot, extension = name.partition(".")
    return os.path.join(folder, f"{stem}.{os.getpid()}{mark}{dot}{extension}")
