"""The protocols of the debugger's port, recognised by the first bytes.

A `PeerProtocol` recognises its connections and makes a `Receiver` for each of them. The receiver
turns bytes into our messages, so behind it there is only one protocol.

If a debugger has a token, a peer must send the same token before its data is used, and a protocol
that cannot send a token is refused. A token never leaves this module, whether one is required or
not.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Protocol

from am_dbg.errors import MachineTakenError
from am_dbg.hops import has_passed
from amtracer.errors import ForeignPeerError, WireError
from amtracer.wire.codec import WIRE, FrameReader, encode, magic_frame
from amtracer.wire.messages import AnswerMessage, EndMessage, HelloMessage, Message
from amtracer.wire.sniff import looks_like

HEAD_BYTES_MAX = 64
"""After so many bytes every protocol must recognise its connections."""


class StreamSink(Protocol):
    """Receives messages; the store is one."""

    def open_stream(self, label: str, *, live: bool) -> int:
        """Open a stream and return its number."""

    def feed(self, stream: int, message: Message) -> None:
        """Take a message; WireError if it is refused, and nothing of it is kept.

        After a `MachineTakenError` the same message can be fed again.
        """

    def gathering(self) -> AbstractContextManager[None]:
        """A context within which what is fed can wait; at its end everything is taken in."""

    def close_stream(self, stream: int, reason: str = "") -> None:
        """End a stream; with a reason if it is not complete."""

    def start_new_tracks(self, stream: int) -> None:
        """From now on, machines that enter this stream start new tracks."""


class RefusedPeerError(WireError):
    """A peer that does not send the required token; the text contains no token."""

    def __init__(self, why: str) -> None:
        super().__init__(f"refused, {why}")
        self.why = why


class ReturnedStreamError(WireError):
    """A stream that this debugger forwarded and that came back."""

    def __init__(self) -> None:
        super().__init__("its data was forwarded by this debugger")


@dataclass(frozen=True, slots=True)
class Peer:
    """The other side of a connection, as its receiver sees it.

    `token` is the required token, empty if every peer is accepted. `own_name` is the name of this
    debugger (see `am_dbg.hops`), `takes_records` its answer to a debugger that asks. `later` calls
    a function on the ingest thread after so many seconds, or earlier when the server stops. `guard`
    calls a function and ends the connection if it raises. Without a server both call it at once.
    """

    label: str
    sink: StreamSink
    send: Callable[[bytes], None]
    token: bytes = field(default=b"", repr=False)
    own_name: str = ""
    takes_records: bool = False
    later: Callable[[float, Callable[[], None]], None] = lambda _, work: work()
    guard: Callable[[Callable[[], None]], None] = lambda work: work()


class Receiver(Protocol):
    """Receives the bytes of one connection; the ingest thread only.

    `unfinished` counts the bytes of an incomplete frame or call, `whole` the complete ones.
    """

    @property
    def unfinished(self) -> int: ...

    @property
    def whole(self) -> int: ...

    def feed(self, data: bytes) -> None:
        """Take bytes, also those that recognised the protocol; WireError ends the connection.

        After a `MachineTakenError` the rest waits for `go_on`.
        """

    def go_on(self) -> None:
        """Feed the held message again, and everything after it."""

    def close(self, reason: str) -> None:
        """The connection ended; close its streams."""


class PeerProtocol(Protocol):
    """A protocol of the port.

    `peers` are the programs that use it, in words; `sends_token` is whether they can send a token.
    """

    peers: str
    sends_token: bool

    def recognises(self, head: bytes) -> bool | None:
        """Whether a connection that begins so uses it; None for too few bytes."""

    def open(self, peer: Peer) -> Receiver:
        """A receiver for a connection that it recognised."""


def receiver_for(protocol: PeerProtocol, peer: Peer) -> Receiver:
    """A receiver of the protocol; `RefusedPeerError` if it cannot send the required token."""
    if peer.token and not protocol.sends_token:
        raise RefusedPeerError(f"{protocol.peers} cannot send the token that is required")
    return protocol.open(peer)


def protocol_for(head: bytes, protocols: Sequence[PeerProtocol]) -> PeerProtocol | None:
    """The protocol that recognises the first bytes of a connection, None for too few bytes.

    Raises `ForeignPeerError` as soon as every protocol has refused.
    """
    answers = [protocol.recognises(head) for protocol in protocols]
    for protocol, answer in zip(protocols, answers, strict=True):
        if answer:
            return protocol
    if None in answers and len(head) < HEAD_BYTES_MAX:
        return None
    raise ForeignPeerError(looks_like(head))


class FrameProtocol:
    """Our own protocol: a magic frame, then messages."""

    peers = "tracers"
    sends_token = True

    def recognises(self, head: bytes) -> bool | None:
        """It checks length and kind; the decoder checks the rest of the magic."""
        start = magic_frame(WIRE)[:3]
        return head.startswith(start) if len(head) >= len(start) else self._maybe(head, start)

    def open(self, peer: Peer) -> Receiver:
        """A receiver that opens its stream with the first message."""
        return _FrameReceiver(peer)

    def _maybe(self, head: bytes, start: bytes) -> bool | None:
        return None if start.startswith(head) else False


class _FrameReceiver:
    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._decoder = FrameReader(WIRE, in_columns=True)
        self._stream: int | None = None
        self._ended = False
        self._is_over = False
        self._held: Iterator[Message] = iter(())

    @property
    def unfinished(self) -> int:
        return self._decoder.pending_bytes

    @property
    def whole(self) -> int:
        return self._decoder.frames

    def feed(self, data: bytes) -> None:
        self._take(self._decoder.feed(data))

    def go_on(self) -> None:
        held, self._held = self._held, iter(())
        self._take(held)

    def _take(self, messages: Iterator[Message]) -> None:
        sink = self._peer.sink
        for message in messages:
            if self._is_over:
                return
            if self._stream is None or type(message) is HelloMessage:
                message = self._admit(message)
            if self._stream is None:
                self._stream = sink.open_stream(self._peer.label, live=True)
            try:
                sink.feed(self._stream, message)
            except MachineTakenError:
                self._held = chain((message,), messages)
                raise
            if type(message) is EndMessage:
                self._ended = True

    def _admit(self, first: Message) -> Message:
        """Check the token of the first message; return the message without it."""
        required = self._peer.token
        hello = first if type(first) is HelloMessage else None
        sent = b"" if hello is None else hello.token
        if required and not hmac.compare_digest(sent, required):
            raise RefusedPeerError("it sends another token" if sent else "it sends no token")
        if hello is None:
            return first
        if has_passed(hello, self._peer.own_name):
            raise ReturnedStreamError
        if hello.asks:
            answer = AnswerMessage(int(self._peer.takes_records))
            self._peer.send(magic_frame(WIRE) + encode(answer))
        return replace(hello, token=b"", asks=0)

    def close(self, reason: str) -> None:
        self._is_over = True
        if self._stream is not None:
            self._peer.sink.close_stream(self._stream, "" if self._ended else reason)
            self._stream = None
