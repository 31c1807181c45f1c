"""Sinks for a sender's bytes: a debugger over TCP, or a file.

Both are used by the sender thread only. Trouble is an `SinkError` with a word for the
user. Nothing here waits for longer than `WAIT_S`, so a sender that has to stop does.
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
"""How long a connection may take to be made."""
UNSENT_BYTES_MAX = 4 * 1024 * 1024
"""Bytes kept for a debugger that does not read, good for some 300,000 transitions."""
WAIT_S = 0.1
"""How long one attempt to send may block."""
_SEND_BYTES = 64 * 1024
_PLACES_MAX = 16
"""Names that are tried for a recording while others use them."""

_log = logging.getLogger("amtracer")


class SinkError(Exception):
    """Nothing can be sent now; `lasting` says that trying again is of no use."""

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.lasting = lasting


class Sink(Protocol):
    """One destination; `open` and `write` raise SinkError."""

    name: str
    trouble: str
    """The words before the name in a log line about an outage."""
    sent: int
    """Grows while something is sent."""
    batch_s: float
    """How long events may wait for others, so that they are sent together."""

    @property
    def idle_s(self) -> float | None:
        """How soon `push` must be called although nothing is written; None for never."""

    def open(self) -> None:
        """Make a new stream possible."""

    def write(self, message: Message) -> None:
        """Add a message of the stream."""

    def push(self) -> bool:
        """Send what was written; False if the other side does not take it now."""

    @property
    def has_room(self) -> bool:
        """Whether more may be written before something is taken."""

    def renew(self) -> bool:
        """Let another stream follow when one is full; False while that is still being sent."""

    def close(self) -> None:
        """End the stream well, if it is open."""

    def drop(self) -> None:
        """Close at once, without an end to the stream."""


class SocketSink:
    """A debugger at an address.

    The token of this process's environment is sent to it; no other sink ever receives the
    token.
    """

    trouble = "cannot reach"
    batch_s = limits.BATCH_AGE_S_MAX

    def __init__(self, address: Address) -> None:
        self.name = f"a debugger at {address}"
        self.sent = 0
        self._address = address
        self._socket: socket.socket | None = None
        self._owned: OwnedDescriptor | None = None
        self._is_ending = False
        self._buffer = bytearray()
        self._frames = FrameWriter(WIRE)

    def open(self) -> None:
        # As bytes: a text would be encoded by a module that Python loads on first use, here,
        # and a child forked meanwhile would wait for that import for ever.
        place = (self._address.host.encode("ascii"), self._address.port)
        try:
            self._socket = socket.create_connection(
                place,  # type: ignore[arg-type]  # a host name may be bytes
                timeout=CONNECT_S_MAX,
            )
            self._owned = OwnedDescriptor(self._socket.fileno())
            _refuse_itself(self._socket)
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
            self._refuse_closed(sock)
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
        """A connection has one stream, so another connection follows."""
        if not self._ended():
            return False
        self.drop()
        self.open()
        return True

    def close(self) -> None:
        if self._socket is None:
            return
        try:
            self._ended()
        except (SinkError, OSError):
            return
        finally:
            self.drop()

    def _ended(self) -> bool:
        """Whether everything was sent, with an end mark after it."""
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
            if not self._is_ours:  # let the number go, or closing it would close another's
                self._socket.detach()
            self._socket.close()
            self._socket = self._owned = None

    @property
    def _is_ours(self) -> bool:
        return self._owned is None or self._owned.is_ours

    def _refuse_closed(self, sock: socket.socket) -> None:
        """Notice that the debugger went away, before more is sent and lost."""
        sock.setblocking(False)
        try:
            if sock.recv(_SEND_BYTES) == b"":
                raise ConnectionResetError(0, "connection closed")
        except BlockingIOError:
            return


def _refuse_itself(sock: socket.socket) -> None:
    """Where nobody listens, an attempt may by chance begin at the very port it goes to.

    The system then connects it to itself, and a debugger could not listen there any more.
    """
    if sock.getsockname() == sock.getpeername():
        raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))


_NO_SIGNAL = getattr(socket, "MSG_NOSIGNAL", 0)
"""A program may have restored the default of SIGPIPE, which ends the process."""


def whole_path(path: PathLike) -> str:
    """The path from the root on, without links; as it is when the folder we are in is gone."""
    text = os.fsdecode(path)
    try:
        return os.path.realpath(text)
    except (OSError, ValueError):
        return text


class FileSink:
    """A session file, recorded live.

    Each process has one of its own. One that was forked or started by `multiprocessing` has
    its pid in the name, even if no other process records, as there may be many and none may
    take the place of another. So has any process that finds another at the file, or what
    another wrote since the program began; if that name is taken too, a number follows. A
    file that is no recording is left, see `SessionWriter`. A file that is not whole at the
    end costs one line in the log.
    """

    trouble = "cannot record"
    has_room = True
    batch_s = limits.FILE_BATCH_AGE_S_MAX

    def __init__(self, path: PathLike, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = whole_path(path)
        self._clock = clock
        self._writer: SessionWriter | None = None
        self.name = shown(self._path)
        self.sent = 0

    @property
    def idle_s(self) -> float | None:
        return FLUSH_S if self._writer is not None and self._writer.unflushed else None

    def open(self) -> None:
        for path in self._places():
            try:
                self._writer = SessionWriter(path, live=True, clock=self._clock)
            except SessionBusyError:
                continue
            except SessionError as error:
                self.name = shown(path)
                raise SinkError(error.reason, lasting=True) from error
            self.name = shown(path)
            return
        raise SinkError("other writers are at it", lasting=True)

    def _places(self) -> Iterator[str]:
        """Where it may be recorded, the best place first."""
        if not is_child():
            yield self._path
        yield path_of_process(self._path)
        for number in range(2, _PLACES_MAX):
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
        """A file holds any number of streams."""
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
    """`run.msgpack.br` with the pid, and a mark: `run.123.msgpack.br`, `run.123-2.msgpack.br`."""
    folder, name = os.path.split(path)
    stem, dot, extension = name.partition(".")
    return os.path.join(folder, f"{stem}.{os.getpid()}{mark}{dot}{extension}")
