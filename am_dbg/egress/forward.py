"""Forwards what arrives to another debugger, on a separate thread.

The forwarder reads the store like any reader, several times a second, and sends what is new. It
never delays what arrives. The other debugger can start late, go away, or read slowly: what was
not sent yet stays in the store and is sent later. Finished history goes as records if the other
debugger takes them (see `am_dbg.egress.forward_stream`). After a reconnect machines continue where
they were, because this side sends the same session again; data that was in transit when the
connection broke becomes a gap there.

Only data of programs is forwarded, not imported sessions. The forwarder sends the token of its
own environment, never a token that a program sent.

Data that came through other debuggers is forwarded over separate connections, one for each
route. So a debugger that finds its own name on a route can refuse this route alone (see
`am_dbg.hops`).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator

from am_dbg.egress.asking_sink import AskingSink
from am_dbg.egress.forward_stream import ForwardReplay, ForwardStream
from am_dbg.egress.live_replay import LiveReplay
from am_dbg.hops import HOPS_MAX, is_too_long, route_of, with_route
from am_dbg.store import Store, Track
from am_dbg.store.stream import Stream
from amtracer.address import Address
from amtracer.encode.stream_writer import StreamFullError
from amtracer.errors import WireError
from amtracer.send.sinks import SinkError
from amtracer.wire.messages import PROTOCOL_VERSION, HelloMessage

ROUND_S = 0.1
"""How often the forwarder looks for something new."""
ANSWER_S = 0.3
"""How long a connection waits for the answer whether the other side takes records."""
HELD_S = 5.0
"""How long a connection must hold to end an outage; an outage is logged once."""
PAUSE_S_MAX = 10.0
"""The longest pause between two attempts to connect."""
ROWS_AT_ONCE_MAX = 10_000
"""Transitions that are written before they are sent."""
ROUTES_MAX = 64
"""The most routes, and so connections; data of further routes is not forwarded."""

STOP_S_MAX = 1.0
"""How long a stop waits until the rest is sent."""

_log = logging.getLogger(__name__)


class Forwarding:
    """Forwards all routes to one other debugger, from `start` to `stop`."""

    def __init__(
        self, store: Store, address: Address, own_name: str, *, round_s: float = ROUND_S
    ) -> None:
        self._store = store
        self._address = address
        self._own_name = own_name
        self._round_s = round_s
        self._by_route: dict[str, RouteForwarder] = {}
        self._left_out: set[str] = set()
        self._seen = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"am-dbg routes to {address}", daemon=True
        )

    def start(self) -> None:
        """Begin to connect and send."""
        self._add("")
        self._thread.start()

    def stop(self) -> None:
        """Send the rest and end the connections; a second call does nothing."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for forwarder in self._by_route.values():
            forwarder.ask_to_stop()
        deadline = time.monotonic() + STOP_S_MAX
        for forwarder in self._by_route.values():
            forwarder.stop(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while not self._stopping.wait(self._round_s):
            self._look()

    def _look(self) -> None:
        """Find new routes; a stream without a hello is looked at again later."""
        for stream in self._store.streams[self._seen :]:
            if stream.hello is None and stream.open:
                return
            self._seen += 1
            if stream.live:
                self._add(route_of(stream.hello))

    def _add(self, route: str) -> None:
        if route in self._by_route:
            return
        if is_too_long(route):
            self._leave_out(f"data that came through {HOPS_MAX} debuggers")
        elif len(self._by_route) >= ROUTES_MAX:
            self._leave_out(f"data of more than {ROUTES_MAX} routes")
        else:
            forwarder = RouteForwarder(
                self._store, self._address, self._own_name, route, round_s=self._round_s
            )
            self._by_route[route] = forwarder
            forwarder.start()

    def _leave_out(self, what: str) -> None:
        if what not in self._left_out:
            self._left_out.add(what)
            _log.warning("%s is not forwarded to %s", what, self._address)


class RouteForwarder:
    """Forwards one route to one other debugger, from `start` to `stop`."""

    def __init__(
        self,
        store: Store,
        address: Address,
        own_name: str = "",
        route: str = "",
        *,
        round_s: float = ROUND_S,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._address = address
        facts = {"program": "am-dbg", "pid": str(os.getpid())}
        self._facts = with_route(facts, route, own_name)
        self._route = route
        self._sink = AskingSink(address)
        self._round_s = round_s
        self._answer_s = answer_s
        self._session = f"forwarded-{os.urandom(8).hex()}"
        self._store = store
        self._replay = LiveReplay[ForwardStream](store, ForwardReplay, self._concerns)
        self._writer: ForwardStream | None = None
        self._is_reported = False
        self._is_full = False
        self._is_idle = False
        self._has_sent = False
        self._connected_at = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"am-dbg forward to {address}", daemon=True
        )

    def start(self) -> None:
        """Begin to connect and send."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Ask it to send the rest and end the connection."""
        self._stopping.set()

    def stop(self, wait_s: float = STOP_S_MAX) -> None:
        """Ask it to stop and wait; a second call does nothing."""
        self.ask_to_stop()
        if self._thread.is_alive():
            self._thread.join(wait_s)

    def _run(self) -> None:
        retry_s = self._round_s
        while not self._stopping.is_set():
            pause_s = self._round_s
            try:
                self._round()
                if time.monotonic() - self._connected_at >= HELD_S:
                    retry_s, self._is_reported = self._round_s, False
            except SinkError as error:
                self._is_idle = self._was_only_quiet()
                if not self._is_reported and not self._is_idle:
                    self._log_outage(error)
                self._writer, self._is_reported = None, not self._is_idle
                self._replay.lose_reader()
                pause_s = retry_s = min(retry_s * 2, PAUSE_S_MAX)
            except WireError as error:
                _log.error("forwarding to %s ended: %s", self._address, error)
                break
            self._stopping.wait(pause_s)
        self._end()

    def _round(self) -> None:
        """Connect if necessary, and send what is new as far as the other side reads it.

        The other side ends a connection on which nothing is sent for a while. After that a
        connection is opened only when there is something to send.

        After the hello it waits for the next round: a debugger that refuses the hello closes the
        connection until then, and nothing is lost.
        """
        if self._writer is None:
            if self._is_idle and not self._replay.has_some:
                return
            self._connect()
            self._sink.push()
            return
        if self._is_full:
            self._renew()
            return
        if not self._sink.push() or self._waits_for_answer:
            return
        while self._sink.push() and self._send_some():
            if self._stopping.is_set():
                break

    @property
    def _waits_for_answer(self) -> bool:
        """Whether the other side may still answer that it takes records."""
        waited_s = time.monotonic() - self._connected_at
        return not self._sink.has_answer and waited_s < self._answer_s

    def _concerns(self, stream: Stream) -> bool:
        """Whether a stream is of the route."""
        return stream.live and route_of(stream.hello) == self._route

    def _tracks(self) -> Iterator[Track]:
        """The machines of the route."""
        streams = self._store.streams
        return (track for track in self._store.tracks if self._concerns(streams[track.stream]))

    def _renew(self) -> None:
        """Continue over another connection once all is sent; its stream has new numbers."""
        if self._sink.renew():
            self._is_full = False
            self._begin(whole=False)

    def _connect(self) -> None:
        self._sink.open()
        self._has_sent = False
        self._connected_at = time.monotonic()
        self._is_full = False
        self._begin(whole=True)

    def _begin(self, *, whole: bool) -> None:
        hello = HelloMessage(
            PROTOCOL_VERSION,
            self._session,
            time.time_ns(),
            time.monotonic_ns(),
            process=self._facts,
        )
        self._writer = ForwardStream(
            self._sink.write, hello, lambda: self._sink.takes_records, self._tracks
        )
        self._replay.begin(self._writer, whole=whole)

    def _send_some(self) -> bool:
        """Write a part of what is new; return whether there was any."""
        try:
            has_sent = self._replay.send(ROWS_AT_ONCE_MAX)
        except StreamFullError:
            assert self._writer is not None  # it is full
            self._writer.flush()
            self._is_full = self._has_sent = True
            return False
        self._has_sent = self._has_sent or has_sent
        return has_sent

    def _was_only_quiet(self) -> bool:
        """Whether the ended connection had held, and nothing was sent on it."""
        held_s = time.monotonic() - self._connected_at
        return self._writer is not None and not self._has_sent and held_s >= HELD_S

    def _log_outage(self, error: SinkError) -> None:
        if self._route:
            words = "nothing that came through other debuggers is forwarded to %s: %s"
            _log.info(words, self._address, error)
        else:
            _log.warning("nothing is forwarded to %s: %s", self._address, error)

    def _end(self) -> None:
        """End the connection in order; what cannot be sent now is dropped."""
        if self._writer is not None:
            try:
                self._send_some()
            except WireError as error:
                _log.error("forwarding to %s ended: %s", self._address, error)
        self._sink.close()
