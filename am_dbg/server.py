"""Takes connections of programs, on a thread and an event loop of its own.

Each connection has a decoder and a stream of its own, so a bad peer costs one quiet log
line and its own connection; what it said before stays. A peer is a client only once a
whole first message came, with the token if one is asked for; whoever connects and says
nothing, or something else, leaves no trace but a line in the log. A peer that is refused
for what its user has to mend, the token or its version, tries again and again: that is told
once for each host and outage, to the user too.

When the process may open no more sockets, those who connect wait. The loop tries again
every second, those who are connected go on, and the user is told once.

The sink (the store) is called on this thread only, also for other work on it given to
`call`. After changes the listener is called at most ten times a second, on this thread.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from am_dbg.doors import (
    Door,
    FrameDoor,
    Peer,
    RefusedPeerError,
    ReturnedStreamError,
    Sink,
    Speaker,
    door_for,
    speaker_for,
)
from am_dbg.listening import BACKLOG, all_listening_sockets
from am_dbg.outages import Outages
from amtracer import limits
from amtracer.address import Address
from amtracer.errors import VersionError, WireError
from amtracer.schema import Message

__all__ = ["FIRST_BYTES_S_MAX", "PUBLISH_EVERY_S", "Server"]

PUBLISH_EVERY_S = 0.1
FIRST_BYTES_S_MAX = 10.0
"""How long a connection may take to its first whole message before it is closed."""
_STOP_S_MAX = 15.0
_SETTLING_MAX = 100
"""How often it is waited for those who connect while the server stops."""
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


class Server:
    """Listens from `start` to `stop`, feeding a sink.

    `connections` counts those that are open. `addresses` tells where it listens, with the
    port that was chosen for port 0. With a `token` only those are let in who say it.
    `warned` is given a line for the user, on the ingest thread. `own_name` is that of this
    debugger, by which it knows what comes back to it.
    """

    def __init__(
        self,
        sink: Sink,
        listener: Callable[[], None] = lambda: None,
        *,
        doors: Sequence[Door] = (),
        token: bytes = b"",
        own_name: str = "",
        warned: Callable[[str], None] = lambda _: None,
        connections_max: int = limits.CONNECTIONS_MAX,
        publish_every_s: float = PUBLISH_EVERY_S,
        first_bytes_s_max: float = FIRST_BYTES_S_MAX,
    ) -> None:
        self.sink = sink
        self.token = token
        self.own_name = own_name
        self._warned = warned
        self._outages = Outages()
        self._is_exhausted = False
        self._is_stopping = False
        self._listener = listener
        self.doors: tuple[Door, ...] = (FrameDoor(), *doors)
        self.connections_max = connections_max
        self.first_bytes_s_max = first_bytes_s_max
        self._publish_every_s = publish_every_s
        self._published_at = float("-inf")
        self._publishing: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=self._run, name="am-dbg ingest", daemon=True)
        self._open: set[_Connection] = set()
        self._put_off: dict[Callable[[], None], asyncio.TimerHandle] = {}
        self.addresses: tuple[Address, ...] = ()

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def start(self, *places: Address) -> None:
        """Start the thread, listening at these places; `ListenError` if one is not free.

        Without a place it only serves `call`.
        """
        sockets = all_listening_sockets(places)
        self.addresses = tuple(_address_of(sock) for sock in sockets)
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._faulted)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(sockets), self._loop).result()

    def stop(self) -> None:
        """Close everything; streams end with a reason. Again is no matter."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop)
            self._thread.join(_STOP_S_MAX)

    def call(self, work: Callable[[], _Result]) -> Future[_Result]:
        """Do this on the ingest thread, between two messages, and publish afterwards."""

        async def run() -> _Result:
            try:
                return work()
            finally:
                self.changed()

        return asyncio.run_coroutine_threadsafe(run(), self._loop)

    # On the ingest thread.

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()

    async def _listen(self, sockets: list[socket.socket]) -> None:
        self._servers = [
            await self._loop.create_server(lambda: _Connection(self), sock=sock, backlog=BACKLOG)
            for sock in sockets
        ]

    async def _stop(self) -> None:
        if self._is_stopping:
            return
        self._is_stopping = True
        for connection in list(self._open):
            connection.end("the debugger stopped listening")
        await self._settle()
        while self._put_off:
            next(iter(self._put_off))()
        for server in self._servers:
            server.close()
        self._publish()
        self._loop.stop()

    async def _settle(self) -> None:
        """Let those who are just being accepted come in, to be sent away.

        A server that is closed before loses their sockets, which then stay open.
        """
        await asyncio.sleep(0)
        for _ in range(_SETTLING_MAX):
            accepting = asyncio.all_tasks() - {asyncio.current_task()}
            if not accepting:
                return
            await asyncio.gather(*accepting, return_exceptions=True)

    def admit(self, connection: _Connection) -> bool:
        """Count a connection in, unless there are too many or this is the end."""
        if self._is_stopping:
            return False
        if len(self._open) >= self.connections_max:
            _log.info("%s refused: %d connections are open", connection.label, self.connections)
            return False
        self._open.add(connection)
        if self._is_exhausted:
            self._is_exhausted = False
            _log.info("connections are accepted again")
        return True

    def leave(self, connection: _Connection) -> None:
        """Count a connection out."""
        self._open.discard(connection)

    def complain(self, connection: _Connection, error: WireError) -> None:
        """Log what a peer did wrong; the same again and again is told once to the user."""
        is_new = self._outages.begins((connection.host, str(error)), self._loop.time())
        level = _levels(error)[0 if is_new else 1]
        if level == logging.WARNING:
            why = error.why if isinstance(error, RefusedPeerError) else error
            self._warned(f"a program at {connection.host} was refused: {why}")
        _log.log(level, "%s closed: %s", connection.label, error)

    def _faulted(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What the loop could not hand to a connection; it goes on by itself."""
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in _EXHAUSTED:
            _log.error("%s", context["message"], exc_info=error)
        elif not self._is_exhausted:
            self._is_exhausted = True
            reason = os.strerror(error.errno or 0).lower()
            words = f"{reason}: whoever connects now has to wait until another leaves"
            _log.info("%d connections are open, %s", self.connections, words)
            self._warned(words)

    def later(self, delay_s: float, work: Callable[[], None]) -> None:
        """Do this after a while, when the server stops at the latest."""

        def run() -> None:
            self._put_off.pop(run).cancel()
            work()

        self._put_off[run] = self._loop.call_later(delay_s, run)

    def changed(self) -> None:
        """Publish soon."""
        if self._publishing is None:
            due = self._published_at + self._publish_every_s
            self._publishing = self._loop.call_at(due, self._publish)

    def _publish(self) -> None:
        self._publishing = None
        self._published_at = self._loop.time()
        self._listener()


class _Watched:
    """The sink of one connection; it tells when a stream begins and when something changed."""

    def __init__(self, sink: Sink, changed: Callable[[], None], begun: Callable[[], None]) -> None:
        self._changed = changed
        self._begun = begun
        self._sink = sink

    def open_stream(self, label: str, *, live: bool) -> int:
        self._begun()
        self._changed()
        return self._sink.open_stream(label, live=live)

    def feed(self, stream: int, message: Message) -> None:
        self._sink.feed(stream, message)
        self._changed()

    def close_stream(self, stream: int, reason: str = "") -> None:
        self._sink.close_stream(stream, reason)
        self._changed()


class _Connection(asyncio.Protocol):
    """One peer: finds its door, then passes what it hears to the speaker."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._sink = _Watched(server.sink, server.changed, self._cancel_timer)
        self._head = b""
        self._speaker: Speaker | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.host, self.label = _names_of(transport.get_extra_info("peername"))
        if not self._server.admit(self):
            transport.abort()
            return
        wait_s = self._server.first_bytes_s_max
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(wait_s, self._give_up)

    def data_received(self, data: bytes) -> None:
        self._guarded(lambda: self._hear(data))

    def _hear(self, data: bytes) -> None:
        if self._speaker is None:
            data = self._head = self._head + data
            door = door_for(data, self._server.doors)
            if door is None:
                return
            server = self._server
            peer = Peer(
                self.label,
                self._sink,
                self._transport.write,
                server.token,
                server.own_name,
                server.later,
                self._guarded,
            )
            self._speaker = speaker_for(door, peer)
        self._speaker.feed(data)

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do a part of this connection's work; what goes wrong ends this connection only."""
        try:
            work()
        except WireError as error:
            self._server.complain(self, error)
            self.end(str(error))
        except Exception:  # noqa: BLE001  # protects the other connections and the loop
            _log.exception("%s closed: a fault of the debugger", self.label)
            self.end("a fault of the debugger")

    def connection_lost(self, error: Exception | None) -> None:
        self._server.leave(self)
        self._cancel_timer()
        self._close_speaker("connection lost")

    def end(self, reason: str) -> None:
        """Close it from this side; its streams end with the reason."""
        self._close_speaker(reason)
        self._transport.abort()

    def _give_up(self) -> None:
        reason = "it said nothing that is whole"
        _log.info("%s closed: %s", self.label, reason)
        self.end(reason)

    def _close_speaker(self, reason: str) -> None:
        speaker, self._speaker = self._speaker, None
        if speaker is not None:
            speaker.close(reason)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _address_of(sock: socket.socket) -> Address:
    host, port = sock.getsockname()[:2]
    return Address(host, port)


def _levels(error: WireError) -> tuple[int, int]:
    """How loud it is told the first time, and again and again after that."""
    if isinstance(error, (RefusedPeerError, VersionError)):
        return logging.WARNING, logging.INFO
    if isinstance(error, ReturnedStreamError):
        return logging.INFO, logging.DEBUG
    return logging.INFO, logging.INFO


def _names_of(peername: object) -> tuple[str, str]:
    """The host of a peer, and its whole address."""
    if isinstance(peername, tuple) and len(peername) >= 2:
        address = Address(str(peername[0]), int(peername[1]))
        return address.host, str(address)
    return "an unknown place", "a peer"
