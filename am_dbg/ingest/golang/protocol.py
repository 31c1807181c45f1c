"""Recognises live Go programs at the debugger's port."""

from __future__ import annotations

import time
from collections.abc import Callable

from am_dbg.ingest.golang.backlog import Backlog
from am_dbg.ingest.golang.recognition import looks_like_go
from am_dbg.ingest.protocols import Peer
from amtracer.errors import WireError
from amtracer.wire.messages import Message


class GoProtocol:
    """The protocol of Go programs; `now_ns` is the clock for the arrival of their transitions.

    Calls are answered at once and read in slices (`am_dbg.ingest.golang.backlog`).
    """

    peers = "Go programs"
    sends_token = False

    def __init__(
        self, now_ns: Callable[[], int] = time.time_ns, backlog: Backlog | None = None
    ) -> None:
        self._now_ns = now_ns
        self._backlog = Backlog() if backlog is None else backlog

    def recognises(self, head: bytes) -> bool | None:
        """Each of its connections begins with the type of a request."""
        return looks_like_go(head)

    def open(self, peer: Peer) -> GoReceiver:
        """A receiver that opens its stream with the first request."""
        return GoReceiver(peer, self._now_ns, self._backlog)


class GoReceiver:
    """Receives the calls of one Go program and answers them.

    Go programs send no end: a program that leaves between two calls ended in order. Its stream
    ends when everything that it sent is read.
    """

    def __init__(self, peer: Peer, now_ns: Callable[[], int], backlog: Backlog) -> None:
        from am_dbg.ingest.golang.live import GoConnection

        self._peer = peer
        self._now_ns = now_ns
        self._backlog = backlog
        self._stream: int | None = None
        self._reason: str | None = None
        self._failed = False
        self.connection = GoConnection(self._feed, f"go {peer.label}")

    @property
    def unfinished(self) -> int:
        """Bytes of an incomplete call, at least 1 if there is one."""
        return 0 if self.connection.idle else max(1, self.connection.pending_bytes)

    @property
    def whole(self) -> int:
        """How many calls were answered."""
        return self.connection.calls

    def go_on(self) -> None:
        """Do nothing: machines of Go programs do not reconnect, so nothing is held."""

    def feed(self, data: bytes) -> None:
        """Take bytes and answer the calls they complete; WireError ends the connection."""
        waiting, size = self.waiting, self.waiting_bytes
        try:
            answers = self.connection.answer(data, self._now_ns())
        except WireError:
            self._failed = True
            raise
        finally:
            self._backlog.grew(self, self.waiting - waiting, self.waiting_bytes - size)
        if answers:
            self._peer.send(answers)
        self._backlog.settle(self._peer.later)

    @property
    def waiting(self) -> int:
        """How many calls are answered and not read yet."""
        return self.connection.waiting

    @property
    def waiting_bytes(self) -> int:
        return self.connection.waiting_bytes

    def read(self, is_enough: Callable[[], bool]) -> None:
        """Read waiting calls until `is_enough` returns True; an error ends the connection."""
        self._peer.guard(lambda: self._read(is_enough))
        if self._reason is not None and not self.waiting:
            self._end()

    def close(self, reason: str) -> None:
        """End the stream; with the reason if it ended within a call or after an error."""
        self._reason = reason
        if not self.waiting:
            self._end()

    def _read(self, is_enough: Callable[[], bool]) -> None:
        try:
            self.connection.read(is_enough)
        except WireError:
            self._failed = True
            raise

    def _end(self) -> None:
        if self._stream is not None:
            whole = self.connection.idle and not self._failed
            self._peer.sink.close_stream(self._stream, "" if whole else self._reason or "")
            self._stream = None

    def _feed(self, message: Message) -> None:
        if self._stream is None:
            self._stream = self._peer.sink.open_stream(self._peer.label, live=True)
        self._peer.sink.feed(self._stream, message)
