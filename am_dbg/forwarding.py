"""Sends everything that is received on to other debuggers.

Each stream goes on as a stream of its own, a connection for each, on one thread for each
address. A debugger that is not there when a stream begins, goes away, or does not keep up
misses the rest of that stream, with a line in the log: later messages call numbers that
were defined before, so nobody can join in the middle. The program that sent it and the
debugger it was sent to notice nothing.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence

from am_dbg.doors import Sink
from amtracer.address import Address
from amtracer.errors import WireError
from amtracer.outlets import OutletError, SocketOutlet
from amtracer.schema import EndMessage, Message

__all__ = ["WAITING_MAX", "ForwardingSink"]

WAITING_MAX = 100_000
"""Messages that wait for one debugger; with one more, the streams it has end there."""

_log = logging.getLogger(__name__)


class ForwardingSink:
    """A sink that passes what it takes to another one and to debuggers elsewhere.

    What the other sink refuses is not sent on.
    """

    def __init__(self, sink: Sink, addresses: Sequence[Address]) -> None:
        self._sink = sink
        self._relays = [Relay(address) for address in addresses]

    def open_stream(self, label: str, *, live: bool) -> int:
        """Begin a stream here and there; only live ones go on."""
        stream = self._sink.open_stream(label, live=live)
        if live:
            for relay in self._relays:
                relay.put(stream, None, opens=True)
        return stream

    def feed(self, stream: int, message: Message) -> None:
        """Take a message; WireError if the sink refuses it."""
        self._sink.feed(stream, message)
        if type(message) is not EndMessage:  # it counts other frames than those sent on
            for relay in self._relays:
                relay.put(stream, message)

    def close_stream(self, stream: int, reason: str = "") -> None:
        """End a stream here and there."""
        self._sink.close_stream(stream, reason)
        for relay in self._relays:
            relay.put(stream, None)

    def stop(self) -> None:
        """Bring out what waits, as far as it goes without waiting."""
        for relay in self._relays:
            relay.stop()


class Relay:
    """One debugger elsewhere, served by a thread of its own.

    `put` never waits. A stream's connection is made when its turn comes.
    """

    def __init__(self, address: Address, waiting_max: int = WAITING_MAX) -> None:
        self._address = address
        self._waiting_max = waiting_max
        self._waiting: deque[tuple[int, Message | None, bool]] = deque()
        self._outlets: dict[int, SocketOutlet] = {}
        self._called = threading.Event()
        self._overrun = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"am-dbg to {address}", daemon=True)
        self._thread.start()

    def put(self, stream: int, message: Message | None, *, opens: bool = False) -> None:
        """A stream opens, has a message, or (neither) closes."""
        if len(self._waiting) >= self._waiting_max:
            self._overrun = True
        if not self._overrun:
            self._waiting.append((stream, message, opens))
            self._called.set()

    def stop(self) -> None:
        """End the thread after what it has in hand."""
        self._stopping = True
        self._called.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        while not self._stopping:
            self._called.wait(0.1 if self._outlets else None)
            self._called.clear()
            while self._waiting:
                self._serve(*self._waiting.popleft())
            if self._overrun:
                self._give_up_all()
            for stream in list(self._outlets):
                self._push(stream)
        for outlet in self._outlets.values():
            outlet.close()

    def _serve(self, stream: int, message: Message | None, opens: bool) -> None:
        if opens:
            self._open(stream)
        elif stream in self._outlets:
            if message is None:
                self._outlets.pop(stream).close()
            else:
                self._write(stream, message)

    def _open(self, stream: int) -> None:
        outlet = SocketOutlet(self._address)
        try:
            outlet.open()
        except OutletError as error:
            _log.info("%s is not forwarded to: %s", self._address, error)
        else:
            self._outlets[stream] = outlet

    def _write(self, stream: int, message: Message) -> None:
        try:
            self._outlets[stream].write(message)
        except WireError as error:
            self._lose(stream, str(error))
        else:
            if not self._outlets[stream].has_room:
                self._push(stream)

    def _push(self, stream: int) -> None:
        try:
            if not self._outlets[stream].push() and not self._outlets[stream].has_room:
                self._lose(stream, "it does not keep up")
        except OutletError as error:
            self._lose(stream, str(error))

    def _lose(self, stream: int, reason: str) -> None:
        self._outlets.pop(stream).drop()
        _log.info("%s misses the rest of a stream: %s", self._address, reason)

    def _give_up_all(self) -> None:
        for stream in list(self._outlets):
            self._lose(stream, "it does not keep up")
        self._overrun = False
