"""Very many programs at once: nothing is lost, and each limit that is reached is reported.

The crowd sends 20 transitions each; AM_STRESS_S, 1 unless that is set, multiplies them.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from am_dbg.ingest.importing import import_session
from am_dbg.store import Store
from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire.codec import encode, magic_frame
from amtracer.wire.messages import Message, Shape, StateDef
from tests.transitions import RecordedTransition, write_transition
from tests.wire.serving import ROOT, WAIT_S, Debugger, connect
from tests.wire.streams import HELLO, stream_bytes

pytestmark = pytest.mark.slow

CLIENTS = 300
TRANSITIONS = 20 * max(1, round(float(os.environ.get("AM_STRESS_S", "1"))))
COMERS = 2_000
AT_ONCE = 250
"""Fewer than the connections that a debugger takes, also when it closes none meanwhile."""
STATES = tuple(StateDef(f"S{at}") for at in range(8))


@pytest.fixture
def debugger() -> Iterator[Debugger]:
    debugger = Debugger()
    yield debugger
    debugger.stop()


def client(name: str, transitions: int) -> list[bytes]:
    """What a program sends, a piece for each few transitions; its states take turns."""
    pieces: list[bytes] = []
    messages: list[Message] = []
    writer = StreamWriter(messages.append, replace(HELLO, session=name))
    number = writer.machine(name, writer.schema(STATES), tx_prefix="aa")
    for at in range(transitions):
        state, growth = at % 8, 1 if at // 8 % 2 == 0 else -1
        shape = Shape(at // 8 % 2, (state,), 1, ((state, growth),))
        write_transition(
            writer, number, RecordedTransition(shape, 1_000 + at, lines=((1, f"{name} {at}"),))
        )
        if at % 7 == 0:
            writer.flush()
            pieces.append(b"".join(map(encode, messages)))
            messages.clear()
    writer.flush()
    return [magic_frame() + pieces[0], *pieces[1:], b"".join(map(encode, messages))]


def send_in_turns(peers: list[socket.socket], streams: list[list[bytes]]) -> None:
    """A piece of each, then the next piece of each."""
    for at in range(max(map(len, streams))):
        for peer, pieces in zip(peers, streams, strict=True):
            if at < len(pieces):
                peer.sendall(pieces[at])


def test_three_hundred_programs_at_once_lose_nothing(debugger: Debugger) -> None:
    """Each transition of each is there, in order, with its clock and its line."""
    names = [f"m{at}" for at in range(CLIENTS)]
    streams = [client(name, TRANSITIONS) for name in names]
    peers = [connect(debugger) for _ in names]
    threads = [
        threading.Thread(target=send_in_turns, args=(peers[at::4], streams[at::4]))
        for at in range(4)
    ]
    for thread in threads:
        thread.start()
    debugger.wait_for(lambda: debugger.store.transitions == CLIENTS * TRANSITIONS)
    for thread in threads:
        thread.join()
    assert all(track.connected for track in debugger.store.tracks)
    for peer in peers:
        peer.close()
    debugger.wait_for(lambda: not any(track.connected for track in debugger.store.tracks))

    full, more = divmod(TRANSITIONS, 8)
    for name in names:
        track = debugger.track(name)
        assert track.count == TRANSITIONS
        assert track.ticks == tuple(full + (at < more) for at in range(8))
        for number in range(1, TRANSITIONS + 1):
            assert track.transition(number).lines == ((1, f"{name} {number - 1}"),)
        assert [gap.lost for gap in track.gaps if gap.lost > 0] == []


def test_two_thousand_programs_that_come_and_go_stay_in_the_list(debugger: Debugger) -> None:
    """Each has its history and is marked as disconnected; none takes a place for ever."""
    for first in range(0, COMERS, AT_ONCE):
        for at in range(first, first + AT_ONCE):
            with connect(debugger) as peer:
                peer.sendall(b"".join(client(f"m{at}", 1)))
        debugger.wait_for(lambda so_far=first + AT_ONCE: debugger.store.transitions == so_far)
    debugger.wait_for(lambda: not any(track.connected for track in debugger.store.tracks))

    tracks = debugger.store.tracks
    assert sorted(track.key for track in tracks) == sorted(f"m{at}" for at in range(COMERS))
    assert {track.count for track in tracks} == {1}
    assert debugger.connections == 0


def test_connections_that_the_system_has_no_room_for_wait(tmp_path: Path) -> None:
    """At the limit of open files one line is logged, no connection ends, and all data arrives."""
    path = tmp_path / "out.msgpack.br"
    record = [sys.executable, "-m", "am_dbg", "record", str(path), "-l", ":0"]
    limited = ["/bin/sh", "-c", 'ulimit -n 64; exec "$@"', "sh", *record]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(limited, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        found = re.search(r"listening at (\S+):(\d+),", process.stderr.readline())
        assert found
        place = (found[1], int(found[2]))
        peers = [socket.create_connection(place, timeout=WAIT_S) for _ in range(100)]
        for at, peer in enumerate(peers):
            peer.sendall(b"".join(client(f"m{at}", 3)))
        warning = process.stderr.readline()
        for peer in peers:
            peer.shutdown(socket.SHUT_WR)
        for peer in peers:
            with peer:
                assert peer.recv(1) == b""
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=WAIT_S)

    assert process.returncode == 0
    expected = "am-dbg: too many open files: new connections wait until another one ends\n"
    assert warning == expected
    assert words.replace(expected, "").startswith(f"am-dbg: {path}: 100 machines, 300 transitions,")
    store = Store()
    assert import_session(store, str(path)) == 300
    assert {track.count for track in store.tracks} == {3}


def test_a_crowd_that_connects_at_once_is_served(debugger: Debugger) -> None:
    """As many as may wait can connect before the first one is looked at."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        assert done.wait(WAIT_S)

    working = debugger.call(hold)
    assert held.wait(WAIT_S)
    peers = [connect(debugger) for _ in range(400)]
    done.set()
    working.result(WAIT_S)
    for at, peer in enumerate(peers):
        peer.sendall(stream_bytes([replace(HELLO, session=str(at))]))
    debugger.wait_for(lambda: debugger.streams == 400)
    for peer in peers:
        peer.close()
