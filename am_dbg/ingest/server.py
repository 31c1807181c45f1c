"""Accepts connections of programs, on a thread and an event loop of its own.

Each connection has its own decoder and stream, so a bad peer loses only its own connection and
gets a quiet log line; what it sent before stays. A stream opens with the first whole message, if
it has the required token. A connection that sends nothing, or something else, only gets a line in
the log. A peer that is refused for its token or its version tries again and again; its user must
fix that, so it is also reported to the user, once for each host and outage
(`am_dbg.ingest.fault_log`).

A connection that sends nothing useful is closed after some seconds (`am_dbg.ingest.timeouts`); the
server checks this once a second. If the limit of connections is reached, new ones are refused, and
their number is reported to the user once for each outage. If the process can open no more sockets,
new connections wait: the loop tries again every second, existing connections continue, and this is
reported to the user once.

The sink (the store) is called only on this thread; `call` runs other work on it here. After
changes the listener is called at most ten times a second, on this thread.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from am_dbg.errors import MachineTakenError
from am_dbg.ingest.connections import Connection
from am_dbg.ingest.fault_log import FaultLog
from am_dbg.ingest.listen import BACKLOG, all_listening_sockets
from am_dbg.ingest.memory import MEGABYTE
from am_dbg.ingest.protocols import (
    FrameProtocol,
    PeerProtocol,
    RefusedPeerError,
    ReturnedStreamError,
    StreamSink,
)
from am_dbg.ingest.timeouts import FIRST_BYTES_S_MAX, Timeouts
from am_dbg.log_once import QUIET_S
from am_dbg.store import Store
from am_dbg.store.eviction import free_memory
from amtracer.address import Address
from amtracer.errors import VersionError, WireError
from amtracer.wire import limits

PUBLISH_EVERY_S = 0.1
UNFINISHED_BYTES_MAX = 64 * 1024 * 1024
"""The most bytes of incomplete frames of all connections together."""
_CHECK_EVERY_S = 1.0
"""Seconds between two checks of all connections."""
_STOP_S_MAX = 15.0
_SETTLING_MAX = 100
"""How often a stopping server waits for connections that are being accepted."""
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


class Server:
    """Listens from `start` to `stop` and feeds a sink.

    `connections` counts open connections. `addresses` are the places where it listens, with the
    real port for port 0. With a `token` only peers that send it are accepted. `warned` gets lines
    for the user, on the ingest thread. `own_name` is the name of this debugger, by which it
    recognises its own data. `takes_records` is asked when another debugger wants to send records.
    `clock` returns seconds. `give_way` is called before data is taken in.
    """

    def __init__(
        self,
        sink: StreamSink,
        listener: Callable[[], None] = lambda: None,
        *,
        protocols: Sequence[PeerProtocol] = (),
        token: bytes = b"",
        own_name: str = "",
        takes_records: Callable[[], bool] = lambda: False,
        warned: Callable[[str], None] = lambda _: None,
        connections_max: int = limits.CONNECTIONS_MAX,
        publish_every_s: float = PUBLISH_EVERY_S,
        first_bytes_s_max: float = FIRST_BYTES_S_MAX,
        timeouts: Timeouts | None = None,
        clock: Callable[[], float] = time.monotonic,
        give_way: Callable[[], None] = lambda: None,
    ) -> None:
        self.sink = sink
        self.token = token
        self.own_name = own_name
        self.takes_records = takes_records
        self.give_way = give_way
        self._warned = warned
        self._faults = FaultLog(warned)
        self._is_stopping = False
        self._listener = listener
        self.protocols: tuple[PeerProtocol, ...] = (FrameProtocol(), *protocols)
        self.connections_max = connections_max
        self.timeouts = timeouts or Timeouts(first_bytes_s_max=first_bytes_s_max)
        self._clock = clock
        self._stalled_s = 0.0
        self._refused = RefusedConnections()
        self._publish_every_s = publish_every_s
        self._published_at = float("-inf")
        self._publishing: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=self._run, name="am-dbg ingest", daemon=True)
        self._open: set[Connection] = set()
        self._put_off: dict[Callable[[], None], asyncio.TimerHandle] = {}
        self._feeders: dict[int, Connection] = {}
        self._held: dict[Connection, int] = {}
        self.addresses: tuple[Address, ...] = ()

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def start(self, *places: Address) -> None:
        """Start the thread, listening at these places; `ListenError` if one is not free.

        Without a place it only runs `call`.
        """
        sockets = all_listening_sockets(places)
        self.addresses = tuple(_address_of(sock) for sock in sockets)
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._faulted)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(sockets), self._loop).result()

    def stop(self) -> None:
        """Close everything; streams end with a reason. A second call does nothing."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop)
            self._thread.join(_STOP_S_MAX)

    def call(self, work: Callable[[], _Result]) -> Future[_Result]:
        """Call a function on the ingest thread, between two messages, and publish afterwards."""

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
            await self._loop.create_server(lambda: Connection(self), sock=sock, backlog=BACKLOG)
            for sock in sockets
        ]
        self._check_again(self._loop.time())

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
        self._report_refused(self.now())
        self._publish()
        self._loop.stop()

    async def _settle(self) -> None:
        """Wait until connections that are being accepted were refused.

        If the server were closed before that, their sockets would stay open.
        """
        await asyncio.sleep(0)
        for _ in range(_SETTLING_MAX):
            accepting = asyncio.all_tasks() - {asyncio.current_task()}
            if not accepting:
                return
            await asyncio.gather(*accepting, return_exceptions=True)

    def now(self) -> float:
        """Seconds of the clock, without those in which this thread was busy."""
        return self._clock() - self._stalled_s

    def admit(self, connection: Connection) -> bool:
        """Add a connection; False if there are too many or the server stops."""
        if self._is_stopping:
            return False
        if len(self._open) >= self.connections_max:
            self._refused.add(self.now())
            return False
        self._open.add(connection)
        return True

    def leave(self, connection: Connection) -> None:
        """Remove a connection."""
        self._open.discard(connection)
        self._held.pop(connection, None)

    def began(self, stream: int, connection: Connection) -> None:
        """The connection feeds this stream."""
        self._feeders[stream] = connection

    def ended(self, stream: int) -> None:
        """The stream is closed; connections that waited for it continue."""
        self._feeders.pop(stream, None)
        for connection in [one for one, other in self._held.items() if other == stream]:
            self._loop.call_soon(self._go_on, connection)

    def hold(self, connection: Connection, error: MachineTakenError) -> None:
        """Hold a connection until the other stream of its machine ended or is alive."""
        self._held[connection] = error.stream
        rival = self._feeders.get(error.stream)
        if rival is not None:
            rival.probe()

    def free_memory(self, store: Store) -> None:
        """Free memory of a store; report and close connections whose streams were ended for it."""
        for ended in free_memory(store, store.bytes_max):
            connection = self._feeders.get(ended.stream)
            if connection is not None:
                limit = f"--max-mem allows {store.bytes_max // MEGABYTE:,} MB"
                line = f"{connection.label} was closed: {ended.reason} ({limit})"
                levels = (logging.WARNING, logging.INFO)
                self._faults.report(
                    connection.host, "memory", line, self.now(), levels=levels, words=line
                )
                connection.end(ended.reason)

    def report_fault(self, connection: Connection, error: WireError) -> None:
        """Report the fault of a peer; a repeated fault is reported once."""
        why = error.why if isinstance(error, RefusedPeerError) else error
        is_users = isinstance(error, (RefusedPeerError, VersionError))
        words = f"a program at {connection.host} was refused: {why}" if is_users else ""
        self._report(connection, str(error), _levels(error), words)

    def _report(
        self,
        connection: Connection,
        reason: str,
        levels: tuple[int, int] = (logging.INFO, logging.INFO),
        words: str = "",
    ) -> None:
        line = f"{connection.label} closed: {reason}"
        self._faults.report(connection.host, reason, line, self.now(), levels=levels, words=words)

    def _faulted(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Report an error of the loop; the loop continues."""
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in _EXHAUSTED:
            _log.error("%s", context["message"], exc_info=error)
            return
        reason = os.strerror(error.errno or 0).lower()
        words = f"{reason}: new connections wait until another one ends"
        line = f"{self.connections} connections are open, {words}"
        self._faults.report("", reason, line, self.now(), words=words)

    def check_connections(self) -> None:
        """Close connections whose time is over, and report what is due."""
        now = self.now()
        for connection in list(self._open):
            if connection.held_since is not None:
                if now - connection.held_since >= self.timeouts.taken_s_max:
                    self._give_own_tracks(connection)
            elif reason := connection.progress.overdue(now):
                self._report(connection, reason)
                connection.end(reason)
        self._keep_unfinished_small()
        self._report_refused(now)
        self._faults.settle(now)

    def _check_again(self, due: float) -> None:
        """Check regularly; time in which this thread was busy does not count for connections."""
        self._stalled_s += max(0.0, self._loop.time() - due - _CHECK_EVERY_S)
        self.check_connections()
        if not self._is_stopping:
            due = self._loop.time() + min(_CHECK_EVERY_S, self.timeouts.shortest_s / 2)
            self._loop.call_at(due, self._check_again, due)

    def _keep_unfinished_small(self) -> None:
        """Close connections with the largest incomplete frames while all exceed the limit."""
        kept = {one: one.unfinished for one in self._open}
        total = sum(kept.values())
        for connection in sorted(kept, key=lambda one: -kept[one]):
            if total <= UNFINISHED_BYTES_MAX:
                return
            total -= kept[connection]
            reason = "unfinished frames take too much memory"
            self._report(connection, reason)
            connection.end(reason)

    def _report_refused(self, now: float) -> None:
        count = self._refused.to_report(now, at_once=self._is_stopping)
        if count:
            were = "connection was" if count == 1 else "connections were"
            words = (
                f"{count:,} {were} refused: {self.connections_max:,} are open, which is the limit"
            )
            _log.warning("%s", words)
            self._warned(words)

    def later(self, delay_s: float, work: Callable[[], None]) -> None:
        """Call a function after a while, or earlier when the server stops."""

        def run() -> None:
            self._put_off.pop(run).cancel()
            work()

        self._put_off[run] = self._loop.call_later(delay_s, run)

    def _go_on(self, connection: Connection) -> None:
        if self._held.pop(connection, None) is not None:
            connection.go_on()

    def _give_own_tracks(self, connection: Connection) -> None:
        """Let a connection start new tracks, because the old one is alive."""
        reason = "it reports to be back, but that program is still connected"
        line = f"{connection.label}: {reason}; it gets tracks of its own"
        self._faults.report(connection.host, reason, line, self.now())
        connection.start_new_tracks()
        self._go_on(connection)

    def changed(self) -> None:
        """Publish soon."""
        if self._publishing is None:
            due = self._published_at + self._publish_every_s
            self._publishing = self._loop.call_at(due, self._publish)

    def _publish(self) -> None:
        self._publishing = None
        self._published_at = self._loop.time()
        self._listener()


def _address_of(sock: socket.socket) -> Address:
    host, port = sock.getsockname()[:2]
    return Address(host, port)


def _levels(error: WireError) -> tuple[int, int]:
    """The log levels of a fault that begins and of one that continues."""
    if isinstance(error, (RefusedPeerError, VersionError)):
        return logging.WARNING, logging.INFO
    if isinstance(error, ReturnedStreamError):
        return logging.INFO, logging.DEBUG
    return logging.INFO, logging.INFO


class RefusedConnections:
    """Counts refused connections, to report them once for each outage."""

    def __init__(self) -> None:
        self._count = 0
        self._first = self._last = float("-inf")
        self._is_reported = False

    def add(self, now: float) -> None:
        """Count one more."""
        if now - self._last > QUIET_S:
            self._count, self._first, self._is_reported = 0, now, False
        self._count += 1
        self._last = now

    def to_report(self, now: float, *, at_once: bool = False) -> int:
        """The number to report now, 0 if there is nothing to report yet."""
        is_due = at_once or now - self._first >= _CHECK_EVERY_S
        if not self._count or self._is_reported or not is_due:
            return 0
        self._is_reported = True
        return self._count
