"""A program may make more machines than a stream has numbers for; none of them is lost."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

import amtracer
import machine as am
from am_dbg.egress.live_recording import LiveRecording
from am_dbg.ingest.importing import import_session
from am_dbg.store import GapKind, Store
from amtracer.files.session import read_session
from amtracer.send.registry import _senders
from amtracer.wire import limits
from amtracer.wire.messages import HelloMessage
from tests.wire.serving import Debugger, run

STATES = {"A": am.State(multi=True)}
MANY = """
import os, sys, amtracer, machine as am
STATES = {"A": am.State(), "B": am.State()}

def used():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

long = am.Machine(None, {"M": am.State(multi=True)}, id="long")
amtracer.attach(long)
peaks = []
for number in range(int(sys.argv[1])):
    mach = am.Machine(None, STATES, id=f"request-{number}")
    amtracer.attach(mach)
    mach.add1("A")
    mach.dispose()
    if number % 1_000 == 0:
        long.add1("M")
        peaks.append(used())
amtracer.close()
half = len(peaks) // 2
print(max(peaks[half:]) - max(peaks[:half]))
"""


@pytest.fixture
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MACHINES_PER_CONNECTION_MAX", 20)


@pytest.mark.usefixtures("_few")
def test_a_recording_continues_in_another_stream(tmp_path: Path) -> None:
    """Machines that live on have one history in the file, without a gap."""
    path = tmp_path / "run.msgpack.br"
    lasting = am.Machine(None, STATES, id="lasting")
    amtracer.record(lasting, path)
    for number in range(50):
        mach = am.Machine(None, STATES, id=f"short-{number}")
        amtracer.record(mach, path)
        mach.add1("A")
        mach.dispose_force()
        lasting.add1("A")
    amtracer.close()
    store = Store()
    import_session(store, str(path))

    assert sum(isinstance(message, HelloMessage) for message in read_session(path)) == 3
    assert Counter({track.key: track.count for track in store.tracks}) == {
        "lasting": 50,
        **{f"short-{number}": 1 for number in range(50)},
    }
    assert all(not track.gaps for track in store.tracks)


@pytest.mark.usefixtures("_few")
def test_a_recording_of_a_debugger_continues_in_another_stream(tmp_path: Path) -> None:
    """It receives more machines, from many programs, than a stream has numbers for."""
    store = Store()
    words: list[str] = []
    recording = LiveRecording(store, words.append)
    recording.open(str(tmp_path / "kept.msgpack.br"))
    for number in range(5):
        path = tmp_path / f"{number}.msgpack.br"
        for at in range(15):
            mach = am.Machine(None, STATES, id=f"m-{number}-{at}")
            amtracer.record(mach, path)
            mach.add1("A")
        amtracer.close()
        stream = -1
        for message in read_session(path):
            if isinstance(message, HelloMessage):
                stream = store.open_stream("program", live=True)
            store.feed(stream, message)
        recording.write_new()
    recording.close()
    kept = Store()
    import_session(kept, str(tmp_path / "kept.msgpack.br"))

    assert words == []
    assert len(kept.tracks) == 75
    assert {track.count for track in kept.tracks} == {1}


def test_streams_of_different_files_are_kept_apart(tmp_path: Path) -> None:
    """The same file opened twice shows every machine twice."""
    path = tmp_path / "run.msgpack.br"
    mach = am.Machine(None, STATES, id="m")
    amtracer.record(mach, path)
    mach.add1("A")
    amtracer.close()
    store = Store()
    for _ in range(2):
        import_session(store, str(path))

    assert [track.key for track in store.tracks] == ["m", "m#2"]


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is read from /proc")
def test_forty_thousand_machines_in_a_file(tmp_path: Path) -> None:
    """All machines are there, and the last needs no more memory than the first."""
    path = tmp_path / "run.msgpack.br"
    done = run(MANY, 40_000, AM_DBG_FILE=path)
    machines = Counter(type(message).__name__ for message in read_session(path))

    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) < 4_000_000
    assert machines["GoneMessage"] >= 40_000


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is read from /proc")
def test_forty_thousand_machines_over_a_socket() -> None:
    """One connection follows another, and live machines continue in the next."""
    debugger = Debugger()
    try:
        done = run(MANY, 40_000, AM_DBG_ADDR=debugger.address)
        debugger.wait_for(lambda: len(debugger.store.tracks) == 40_001)
        long = debugger.track("long")
        lost = [gap for gap in long.gaps if gap.kind is not GapKind.RECONNECTED]
    finally:
        debugger.stop()

    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) < 4_000_000
    assert (long.count, lost) == (40, [])
    assert not _senders or all(sender.ended for sender in _senders.values())
