"""A program sends to a debugger, which forwards to a second, which forwards to a third."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from am_dbg.egress.forward import RouteForwarder
from am_dbg.ingest.importing import import_session
from am_dbg.store import GapKind, Store
from amtracer.errors import CutSessionError
from tests.wire.serving import ROOT, Debugger

ROUND_S = 0.01

PROGRAM = """
import sys
import amtracer, machine as am
from amtracer.send import sender

sender.RETRY_S_MAX = 0.2  # nobody waits for long here
mach = am.Machine(None, {"A": am.State(multi=True)}, id="m")
amtracer.attach(mach)
for line in sys.stdin:
    word = line.strip()
    if word.isdigit():
        for _ in range(int(word)):
            mach.add1("A")
    elif word == "pause":
        amtracer.pause(mach)
    elif word == "resume":
        amtracer.resume(mach)
amtracer.close()
"""


class Program:
    """A program that runs the commands it receives."""

    def __init__(self, address: object) -> None:
        environment = {key: v for key, v in os.environ.items() if not key.startswith("AM_")}
        environment |= {"PYTHONPATH": str(ROOT), "AM_DBG_ADDR": str(address)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, text=True, env=environment
        )

    def send(self, *words: object) -> None:
        assert self.process.stdin is not None
        for word in words:
            self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def end(self) -> None:
        """In order."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.wait(60)


class Chain:
    """Three debuggers, each forwarding to the next one."""

    def __init__(self) -> None:
        self.debuggers = [Debugger() for _ in range(3)]
        self.forwarders = [
            RouteForwarder(one.store, after.address, round_s=ROUND_S)
            for one, after in zip(self.debuggers, self.debuggers[1:], strict=False)
        ]
        for forwarder in self.forwarders:
            forwarder.start()
        self.program = Program(self.debuggers[0].address)

    def wait_for_all(self, *expected: tuple[int, int, bool, bool]) -> None:
        """Until everyone shows these: transitions, lost ones, whether connected, whether cut."""
        for debugger in self.debuggers:
            debugger.wait_for(lambda store=debugger.store: shown(store) == list(expected))

    def break_off(self) -> None:
        """The program's connection is lost."""
        server = self.debuggers[0]._server
        for connection in list(server._open):
            server._loop.call_soon_threadsafe(connection.end, "cut for a test")

    def stop(self) -> None:
        self.program.process.kill()
        self.program.end()
        for forwarder in self.forwarders:
            forwarder.stop()
        for debugger in self.debuggers:
            debugger.stop()


def shown(store: Store) -> list[tuple[int, int, bool, bool]]:
    return [
        (
            track.count,
            sum(max(0, gap.lost) for gap in track.gaps),
            track.connected,
            any(gap.kind is GapKind.CUT for gap in track.gaps),
        )
        for track in store.tracks
    ]


@pytest.fixture
def chain() -> Iterator[Chain]:
    made = Chain()
    yield made
    made.stop()


def test_a_pause_at_the_end_reaches_all_debuggers(chain: Chain) -> None:
    """Without a transition after it, all debuggers count it, have the ticks and show the end."""
    chain.program.send(10, "pause", 1_000, "resume")
    chain.wait_for_all((10, 1_000, True, False))
    assert {debugger.track("m").ticks for debugger in chain.debuggers} == {(2_019, 0)}
    chain.program.end()

    chain.wait_for_all((10, 1_000, False, False))
    assert {debugger.track("m").gaps[0].reason for debugger in chain.debuggers} == {"paused"}


def test_all_debuggers_show_a_killed_program_as_cut(chain: Chain) -> None:
    """The last debugger distinguishes it from a program that ended."""
    chain.program.send(10)
    chain.wait_for_all((10, 0, True, False))
    chain.program.process.kill()

    chain.wait_for_all((10, 0, False, True))


def test_a_program_that_connects_again_continues_in_all_debuggers(chain: Chain) -> None:
    """Its track is the same, connected, with a gap for the time between."""
    chain.program.send(10)
    chain.wait_for_all((10, 0, True, False))
    for times in range(1, 4):
        chain.break_off()
        chain.wait_for_all((5 + 5 * times, 0, False, True))
        chain.program.send(5)
        chain.wait_for_all((10 + 5 * times, 0, True, False))
    chain.program.end()

    chain.wait_for_all((25, 0, False, False))
    for debugger in chain.debuggers:
        gaps = debugger.track("m").gaps
        assert [gap.kind for gap in gaps] == [GapKind.RECONNECTED] * 3


def test_a_killed_recording_has_the_last_events(tmp_path: Path) -> None:
    """A pause at the end and the end of the program are in the file before it is closed."""
    path = tmp_path / "run.msgpack.br"
    command = [sys.executable, "-m", "am_dbg", "record", str(path), "-l", ":0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as recorder:
        assert recorder.stderr is not None
        found = re.search(r"listening at (\S+),", recorder.stderr.readline())
        assert found
        program = Program(found[1])
        program.send(10, "pause", 1_000, "resume")
        program.end()
        while shown(opened(path)) != [(10, 1_000, False, False)]:
            assert recorder.poll() is None
        recorder.kill()

    (track,) = opened(path).tracks
    assert [(gap.lost, gap.reason) for gap in track.gaps] == [(1_000, "paused")]
    assert track.ticks == (2_019, 0)


def opened(path: Path) -> Store:
    """The store with a file that is not closed."""
    store = Store()
    with pytest.raises(CutSessionError):
        import_session(store, str(path))
    return store
