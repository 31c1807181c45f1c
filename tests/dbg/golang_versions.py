"""One Go program as four releases of its library sent it, and what the program itself saw.

`go-versions.json.xz` holds for each release the three connections of the program, a parent,
a child and a machine that is disposed soon, in both directions, and the record of a tracer
of its own; for the last release also a session of the Go debugger.
"""

from __future__ import annotations

import json
import lzma
import socket
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from am_dbg.ingest.golang.live import GoConnection
from am_dbg.store import LogLine, Store, Track
from amtracer.wire.vocabulary import ShapeFlag
from tests.dbg.golang_history import DATA
from tests.wire.serving import WAIT_S, Debugger

VERSIONS = ("v0.13.0", "v0.15.2", "v0.19.1", "v0.19.1-nolog")
SESSION = "v0.19.1 session"
PARENT, CHILD = "go-par", "go-chi"
LEVEL_SHIFTS = {"v0.13.0": 2}
_TYPES = ("add", "remove", "set", "eval")


@cache
def recorded(version: str) -> Mapping[str, Any]:
    """The connections of a release, or its session, and what the program saw."""
    everything = json.loads(lzma.decompress((DATA / "go-versions.json.xz").read_bytes()))
    found: Mapping[str, Any] = everything[version]
    return found


def connections(version: str) -> list[tuple[bytes, bytes]]:
    """What the program sent on each connection, and what it was answered."""
    return [
        (bytes.fromhex(one["sent"]), bytes.fromhex(one["answered"]))
        for one in recorded(version)["connections"]
    ]


def read(version: str) -> Store:
    """All connections of a release, one after the other, without a socket."""
    store = Store()
    for at, (sent, _) in enumerate(connections(version)):
        stream = store.open_stream(f"{at}", live=True)
        GoConnection(lambda message, to=stream: store.feed(to, message), "s").receive(sent, 1)
    return store


def calls_of(sent: bytes) -> list[bytes]:
    """A connection cut after each call, which is two values and their types."""
    calls: list[bytes] = []
    values = begin = at = 0
    while at < len(sent):
        size, body = _number(sent, at)
        at = body + size
        if not _number(sent, body)[0] & 1:
            values += 1
            if values % 2 == 0:
                calls.append(sent[begin:at])
                begin = at
    return calls


def _number(data: bytes, at: int) -> tuple[int, int]:
    first = data[at]
    if first < 128:
        return first, at + 1
    end = at + 257 - first
    return int.from_bytes(data[at + 1 : end], "big"), end


def play(debugger: Debugger, version: str) -> None:
    """Send all connections at the same time, each call after the answer to the one before."""
    address = debugger.address
    peers = [
        (socket.create_connection((address.host, address.port), WAIT_S), calls_of(sent), answered)
        for sent, answered in connections(version)
    ]
    for round_ in range(max(len(calls) for _, calls, _ in peers)):
        for peer, calls, _ in peers:
            if round_ < len(calls):
                peer.sendall(calls[round_])
    for peer, _, answered in peers:
        received = b""
        while len(received) < len(answered):
            received += peer.recv(65_536)
        assert received == answered
        peer.close()


def has_read(debugger: Debugger, machines: int) -> bool:
    """Whether so many machines have come and gone, and all they sent is read."""
    tracks = list(debugger.store.tracks)
    return len(tracks) == machines and not any(track.connected for track in tracks)


def seen(version: str, machine: str) -> Iterator[dict[str, Any]]:
    """What the program saw, without checks where those are not sent."""
    for record in recorded(version)["truth"]["recs"][machine]:
        if not (record["check"] and version.endswith("nolog")):
            yield record


def levelled(version: str, machine: str, texts: list[str] | None) -> list[LogLine]:
    """Lines of the program with our levels and without the machine's name."""
    shift = LEVEL_SHIFTS.get(version, 1)
    lines = []
    for entry in texts or []:
        level, _, text = entry.partition(" ")
        text = text.removeprefix(f"[{machine[:5]}] ")
        lines.append((max(min(int(level), 1), int(level) - shift), text))
    return lines


def as_seen(track: Track, number: int) -> dict[str, Any]:
    """A stored transition in the words of the program's own record."""
    transition = track.transition(number)
    states, flags = track.schema_at(number), transition.shape.flags
    return {
        "id": transition.id,
        "time": list(track.clock_at(number)),
        "accepted": bool(flags & ShapeFlag.ACCEPTED),
        "check": bool(flags & ShapeFlag.CHECK),
        "type": _TYPES[transition.shape.type],
        "called": [states[index].name for index in transition.shape.called],
        "auto": bool(flags & ShapeFlag.AUTO),
        "queue_len": transition.queue_len,
        "qtick": transition.queue_tick,
        "steps": len(transition.shape.steps),
    }
