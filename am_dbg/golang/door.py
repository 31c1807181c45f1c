"""The door of live Go programs at the debugger's port."""

from __future__ import annotations

import time
from collections.abc import Callable

from am_dbg.doors import Peer
from am_dbg.golang.live import GoConnection, looks_like_go
from amtracer.errors import WireError
from amtracer.schema import Message

__all__ = ["GoDoor"]


class GoDoor:
    """Lets Go programs in; `now_ns` is the clock that tells when their transitions came."""

    peers = "Go programs"
    says_token = False

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._now_ns = now_ns

    def recognises(self, head: bytes) -> bool | None:
        """By the request type each of its connections begins with."""
        return looks_like_go(head)

    def open(self, peer: Peer) -> GoSpeaker:
        """A speaker that opens its stream with the first request."""
        return GoSpeaker(peer, self._now_ns)


class GoSpeaker:
    """Listens to one Go program and answers it.

    Go programs say no farewell: one that leaves between two calls has ended as it should.
    """

    def __init__(self, peer: Peer, now_ns: Callable[[], int]) -> None:
        self._peer = peer
        self._now_ns = now_ns
        self._stream: int | None = None
        self._failed = False
        self.connection = GoConnection(self._pass_on, f"go {peer.label}")

    def feed(self, data: bytes) -> None:
        """Take bytes and answer the calls they complete; WireError ends the connection."""
        try:
            answers = self.connection.receive(data, self._now_ns())
        except WireError:
            self._failed = True
            raise
        if answers:
            self._peer.send(answers)

    def close(self, reason: str) -> None:
        """End the stream, with the reason when it was within a call or after an error."""
        if self._stream is not None:
            whole = self.connection.idle and not self._failed
            self._peer.sink.close_stream(self._stream, "" if whole else reason)
            self._stream = None

    def _pass_on(self, message: Message) -> None:
        if self._stream is None:
            self._stream = self._peer.sink.open_stream(self._peer.label, live=True)
        self._peer.sink.feed(self._stream, message)
