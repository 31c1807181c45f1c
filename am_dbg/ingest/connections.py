"""One connection to the debugger: recognises its protocol and passes its bytes to a receiver.

When a program reconnects, its old connection can still be open: either its end comes after data
that was not read yet, or the host is gone and no end will come. So the new connection is not read
while the system probes the old host. When the old connection ends, the machine continues in its
track. If the old connection is alive, it keeps its track, and machines of the new connection get
other tracks.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from am_dbg.errors import MachineTakenError
from am_dbg.ingest.protocols import (
    Peer,
    PeerProtocol,
    Receiver,
    StreamSink,
    protocol_for,
    receiver_for,
)
from am_dbg.ingest.timeouts import ConnectionProgress, Timeouts
from amtracer.address import Address
from amtracer.errors import WireError
from amtracer.wire.messages import MachineMessage, Message

ANSWER_BYTES_MAX = 1024 * 1024
"""The most bytes of answers that wait for a peer that does not read them."""
_SILENT_S, _ASK_EVERY_S, _UNANSWERED_MAX = 30, 10, 3
"""After so many seconds of silence the system probes a host, so often; the host is gone if it
answers none of so many probes."""

_log = logging.getLogger("am_dbg.ingest.server")


class ConnectionOwner(Protocol):
    """The methods of the server that a connection calls."""

    sink: StreamSink
    protocols: tuple[PeerProtocol, ...]
    token: bytes
    own_name: str
    takes_records: Callable[[], bool]
    timeouts: Timeouts
    give_way: Callable[[], None]

    def now(self) -> float:
        """Seconds of the server's clock, without those in which it was busy."""

    def admit(self, connection: Connection) -> bool:
        """Add a connection; False if there are too many or the server stops."""

    def leave(self, connection: Connection) -> None:
        """Remove a connection."""

    def changed(self) -> None:
        """Publish soon."""

    def report_fault(self, connection: Connection, error: WireError) -> None:
        """Report what a peer did wrong."""

    def later(self, delay_s: float, work: Callable[[], None]) -> None:
        """Call a function after a while, or earlier when the server stops."""

    def began(self, stream: int, connection: Connection) -> None:
        """The connection feeds this stream."""

    def ended(self, stream: int) -> None:
        """The stream is closed."""

    def hold(self, connection: Connection, error: MachineTakenError) -> None:
        """Hold a connection until the other stream of its machine ended or is alive."""


class Connection(asyncio.Protocol):
    """One peer."""

    def __init__(self, server: ConnectionOwner) -> None:
        self._server = server
        self._sink = _ConnectionSink(server, self)
        self._head = b""
        self._receiver: Receiver | None = None
        self.host, self.label = "an unknown place", "a peer"
        self.progress = ConnectionProgress(server.timeouts, server.now())
        self.held_since: float | None = None

    @property
    def unfinished(self) -> int:
        """Bytes of an incomplete frame."""
        return self._receiver.unfinished if self._receiver else len(self._head)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.host, self.label = _names_of(transport.get_extra_info("peername"))
        if not self._server.admit(self):
            transport.abort()
            return
        self.probe(_SILENT_S, _ASK_EVERY_S)

    def data_received(self, data: bytes) -> None:
        self._server.give_way()
        self._guarded(lambda: self._receive(data))

    def _receive(self, data: bytes) -> None:
        if self._receiver is None:
            data = self._head = self._head + data
            protocol = protocol_for(data, self._server.protocols)
            if protocol is None:
                return
            server, self._head = self._server, b""
            peer = Peer(
                self.label,
                self._sink,
                self._send,
                server.token,
                server.own_name,
                server.takes_records(),
                server.later,
                self._guarded,
            )
            self._receiver = receiver_for(protocol, peer)
        with self._server.sink.gathering():
            self._receiver.feed(data)
        self._note_progress()

    def go_on(self) -> None:
        """Feed what was held, and continue to read."""
        self.held_since = None
        self.progress.go_on(self._server.now())
        self._guarded(self._take_held)
        if self.held_since is None and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._server.leave(self)
        self._close_receiver("connection lost")

    def end(self, reason: str) -> None:
        """Close it from this side; its streams end with this reason."""
        self._close_receiver(reason)
        self._transport.abort()

    def start_new_tracks(self) -> None:
        """From now on, its machines start new tracks."""
        self._sink.start_new_tracks()

    def probe(self, silent_s: int = 1, every_s: int = 1) -> None:
        """Let the system probe whether the other host is still there."""
        sock = self._transport.get_extra_info("socket")
        idle = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None))
        options = (
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
            (socket.IPPROTO_TCP, idle, silent_s),
            (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", None), every_s),
            (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", None), _UNANSWERED_MAX),
        )
        for level, option, value in options:
            if sock is not None and option is not None:
                with contextlib.suppress(OSError):  # the system probes at its own pace
                    sock.setsockopt(level, option, value)

    def _take_held(self) -> None:
        if self._receiver is not None:
            with self._server.sink.gathering():
                self._receiver.go_on()
            self._note_progress()

    def _guarded(self, work: Callable[[], None]) -> None:
        """Call a function for this connection; an error ends only this connection."""
        try:
            work()
        except MachineTakenError as taken:
            self.held_since = self._server.now()
            self._transport.pause_reading()
            self._server.hold(self, taken)
        except WireError as error:
            self._server.report_fault(self, error)
            self.end(str(error))
        except Exception:  # noqa: BLE001  # protects the other connections and the loop
            _log.exception("%s closed: a fault of the debugger", self.label)
            self.end("a fault of the debugger")

    def _note_progress(self) -> None:
        receiver = self._receiver
        if receiver is not None:
            self.progress.received(receiver.unfinished, receiver.whole, self._server.now())

    def _send(self, data: bytes) -> None:
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > ANSWER_BYTES_MAX:
            raise WireError("it does not read the answers to its calls")

    def _close_receiver(self, reason: str) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.close(reason)


class _ConnectionSink:
    """The sink of one connection; it reports streams and changes to the server."""

    def __init__(self, server: ConnectionOwner, connection: Connection) -> None:
        self._server = server
        self._connection = connection
        self._streams: list[int] = []

    def open_stream(self, label: str, *, live: bool) -> int:
        server = self._server
        self._connection.progress.sent_message(server.now())
        stream = server.sink.open_stream(label, live=live)
        self._streams.append(stream)
        server.began(stream, self._connection)
        server.changed()
        return stream

    def feed(self, stream: int, message: Message) -> None:
        self._server.sink.feed(stream, message)
        if type(message) is MachineMessage:
            self._connection.progress.sent_machine()
        self._server.changed()

    def gathering(self) -> AbstractContextManager[None]:
        return self._server.sink.gathering()

    def close_stream(self, stream: int, reason: str = "") -> None:
        self._server.sink.close_stream(stream, reason)
        self._server.ended(stream)
        self._server.changed()

    def start_new_tracks(self, *_: int) -> None:
        for stream in self._streams:
            self._server.sink.start_new_tracks(stream)


def _names_of(peername: object) -> tuple[str, str]:
    """The host of a peer, and its whole address."""
    if isinstance(peername, tuple) and len(peername) >= 2:
        address = Address(str(peername[0]), int(peername[1]))
        return address.host, str(address)
    return "an unknown place", "a peer"
