"""The protocols spoken at the debugger's port, recognised by the first bytes.

A `PeerProtocol` recognises its connections and makes a `Receiver` for each of them. The receiver
turns bytes into our messages, so behind it there is only one protocol.

A debugger may be given a token. Then a peer must send the same token before its data is
passed on, and a protocol that cannot carry a token is refused. A token is never passed on
beyond this point, whether one was required or not.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Protocol

from am_dbg.errors import MachineTakenError
from am_dbg.hops import has_passed
from amtracer.errors import ForeignPeerError, WireError
from amtracer.wire.codec import WIRE, FrameReader, magic_frame
from amtracer.wire.messages import EndMessage, HelloMessage, Message
from amtracer.wire.sniff import looks_like

HEAD_BYTES_MAX = 64
"""After so many bytes every protocol must know whether a connection speaks it."""


class StreamSink(Protocol):
    """Where messages go; the store is one."""

    def open_stream(self, label: str, *, live: bool) -> int:
        """Begin a stream and return its number."""

    def feed(self, stream: int, message: Message) -> None:
        """Take a message; WireError if it breaks a rule, and nothing of it is kept.

        After a `MachineTakenError` the same message may be given again.
        """

    def close_stream(self, stream: int, reason: str = "") -> None:
        """End a stream; the reason says why it was not whole."""

    def start_new_tracks(self, stream: int) -> None:
        """From here on the machines of a stream are none that were there before."""


class RefusedPeerError(WireError):
    """A peer that does not send the token of this debugger; the text shows no token."""

    def __init__(self, why: str) -> None:
        super().__init__(f"refused, {why}")
        self.why = why


class ReturnedStreamError(WireError):
    """A stream that this debugger has sent on itself, and that comes back."""

    def __init__(self) -> None:
        super().__init__("what it sends has been here before")


@dataclass(frozen=True, slots=True)
class Peer:
    """The other side of a connection, as its receiver sees it.

    `token` is what it must send, empty when every peer is accepted. `own_name` is that of this
    debugger (see `am_dbg.hops`). `later` does something on the ingest thread after so
    many seconds, when the server stops at the latest; `guard` does something at whose
    errors the connection ends. Without a server both do it at once.
    """

    label: str
    sink: StreamSink
    send: Callable[[bytes], None]
    token: bytes = field(default=b"", repr=False)
    own_name: str = ""
    later: Callable[[float, Callable[[], None]], None] = lambda _, work: work()
    guard: Callable[[Callable[[], None]], None] = lambda work: work()


class Receiver(Protocol):
    """One connection's protocol; the ingest thread only.

    `unfinished` counts the bytes that are kept because a frame or a call is not whole,
    `whole` the frames or calls that were.
    """

    @property
    def unfinished(self) -> int: ...

    @property
    def whole(self) -> int: ...

    def feed(self, data: bytes) -> None:
        """Take bytes, the first ones included; WireError ends the connection.

        After a `MachineTakenError` the rest waits for `go_on`.
        """

    def go_on(self) -> None:
        """Take again what was held, and what came after it."""

    def close(self, reason: str) -> None:
        """The connection is over; close the streams that were opened."""


class PeerProtocol(Protocol):
    """A protocol that may be spoken at the port.

    `peers` names the programs that speak it, `sends_token` is whether they can send a token.
    """

    peers: str
    sends_token: bool

    def recognises(self, head: bytes) -> bool | None:
        """Whether a connection that begins so is meant for it; None for too few bytes."""

    def open(self, peer: Peer) -> Receiver:
        """A receiver for a connection it recognised."""


def receiver_for(protocol: PeerProtocol, peer: Peer) -> Receiver:
    """A receiver of the protocol; `RefusedPeerError` if that cannot carry the required token."""
    if peer.token and not protocol.sends_token:
        raise RefusedPeerError(f"{protocol.peers} cannot send the token that is required")
    return protocol.open(peer)


def protocol_for(head: bytes, protocols: Sequence[PeerProtocol]) -> PeerProtocol | None:
    """The protocol that a connection's first bytes speak, None for too few bytes.

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
        """Recognised by its length and kind; the decoder checks the rest of the magic."""
        start = magic_frame(WIRE)[:3]
        return head.startswith(start) if len(head) >= len(start) else self._maybe(head, start)

    def open(self, peer: Peer) -> Receiver:
        """A receiver that opens its stream when the first message comes."""
        return _FrameReceiver(peer)

    def _maybe(self, head: bytes, start: bytes) -> bool | None:
        return None if start.startswith(head) else False


class _FrameReceiver:
    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._decoder = FrameReader(WIRE)
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
                message = self._let_in(message)
            if self._stream is None:
                self._stream = sink.open_stream(self._peer.label, live=True)
            try:
                sink.feed(self._stream, message)
            except MachineTakenError:
                self._held = chain((message,), messages)
                raise
            if type(message) is EndMessage:
                self._ended = True

    def _let_in(self, first: Message) -> Message:
        """The first message without its token, if that is the required one."""
        asked = self._peer.token
        hello = first if type(first) is HelloMessage else None
        said = b"" if hello is None else hello.token
        if asked and not hmac.compare_digest(said, asked):
            raise RefusedPeerError("it sends another token" if said else "it sends no token")
        if hello is None:
            return first
        if has_passed(hello, self._peer.own_name):
            raise ReturnedStreamError
        return replace(hello, token=b"")

    def close(self, reason: str) -> None:
        self._is_over = True
        if self._stream is not None:
            self._peer.sink.close_stream(self._stream, "" if self._ended else reason)
            self._stream = None
