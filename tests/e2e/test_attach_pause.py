"""A pause in the debugger: one gap with a count, and the current state of the machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import amtracer
import machine as am
from am_dbg.ingest.importing import import_session
from am_dbg.store import Gap, GapKind, Store
from amtracer.files.session import read_session
from amtracer.send import registry as process
from amtracer.send.registry import _senders
from amtracer.wire.messages import BatchMessage, DroppedMessage
from tests.wire.serving import Debugger

STRUCT = {"A": am.State(), "M": am.State(multi=True)}


@pytest.fixture
def debugger() -> Iterator[Debugger]:
    made = Debugger()
    yield made
    amtracer.resume()
    amtracer.close()
    _senders.clear()
    made.stop()


def toggle(mach: am.Machine, times: int) -> None:
    for _ in range(times):
        mach.add1("M")


def attached(debugger: Debugger, name: str = "m") -> am.Machine:
    mach = am.Machine(None, STRUCT, id=name)
    amtracer.attach(mach, str(debugger.address))
    return mach


def gaps(debugger: Debugger, key: str) -> list[tuple[int, int, str]]:
    """The transition before each gap, the number of missing ones, and the reason."""
    track = debugger.track(key)
    return [(gap.after_number, gap.lost, gap.reason) for gap in track.gaps]


def test_a_pause_is_one_gap(debugger: Debugger) -> None:
    """The gap follows the last transition before the pause; it has a count and a reason."""
    mach = attached(debugger)
    toggle(mach, 10)
    amtracer.pause(mach)
    toggle(mach, 1_000)
    mach.add1("A")
    amtracer.resume(mach)
    toggle(mach, 5)
    debugger.wait_for_count("m", 15)
    track = debugger.track("m")

    assert gaps(debugger, "m") == [(10, 1_001, "paused")]
    assert track.clock_at(15) == tuple(mach.time())
    assert track.transition(11).id == mach.tx_prefix + f"{1_012:016x}"


def test_a_resumed_machine_is_shown_with_its_current_ticks(debugger: Debugger) -> None:
    """The debugger gets the ticks also without a further transition."""
    mach = attached(debugger)
    amtracer.pause(mach)
    toggle(mach, 3)
    mach.add1("A")
    amtracer.resume(mach)
    debugger.wait_for(lambda: debugger.store.find("m") and debugger.track("m").gaps)

    assert debugger.track("m").ticks == tuple(mach.time())


def test_a_machine_attached_in_a_pause_appears_when_it_ends(debugger: Debugger) -> None:
    """The debugger then shows its beginning and one gap."""
    amtracer.pause()
    mach = attached(debugger)
    child = am.Machine(None, STRUCT, id="child", parent=mach)
    toggle(mach, 2)
    toggle(child, 3)
    amtracer.resume()
    toggle(child, 1)
    debugger.wait_for_count("child", 1)

    assert gaps(debugger, "m") == [(0, 2, "paused")]
    assert gaps(debugger, "child") == [(0, 3, "paused")]
    assert debugger.track("child").parent == "m"


def test_a_connection_lost_in_a_pause_is_made_again(debugger: Debugger) -> None:
    """The new connection begins where the machine paused; the pause is counted when it ends."""
    mach = attached(debugger)
    toggle(mach, 10)
    debugger.wait_for_count("m", 10)
    amtracer.pause(mach)
    toggle(mach, 10)
    for connection in list(debugger._server._open):
        debugger._server._loop.call_soon_threadsafe(connection.end, "cut for a test")
    debugger.wait_for(lambda: debugger.streams == 2 and debugger.track("m").connected)
    amtracer.resume(mach)
    toggle(mach, 1)
    debugger.wait_for_count("m", 11)

    assert gaps(debugger, "m")[-1] == (10, 10, "paused")
    assert sum(lost for _, lost, _ in gaps(debugger, "m")) == 10
    assert debugger.track("m").clock_at(11) == tuple(mach.time())


def test_a_child_forked_in_a_pause_is_paused(debugger: Debugger) -> None:
    """It sends nothing until it is resumed, then its current state."""
    mach = attached(debugger)
    other = attached(debugger, "other")
    toggle(mach, 10)
    debugger.wait_for_count("m", 10)
    amtracer.pause(mach)
    amtracer.close()
    process._restart_in_child()
    toggle(mach, 5)
    toggle(other, 1)
    debugger.wait_for_count("other#2", 1)
    assert debugger.store.find("m#2") is None
    amtracer.resume(mach)
    toggle(mach, 2)
    debugger.wait_for_count("m#2", 2)

    assert gaps(debugger, "m#2") == [(0, 15, "recorded from here on")]
    assert debugger.track("m#2").clock_at(2) == tuple(mach.time())


def test_a_recording_is_paused_too(tmp_path: Path) -> None:
    """A machine with several destinations pauses for all of them."""
    mach = am.Machine(None, STRUCT, id="m")
    for name in "ab":
        amtracer.record(mach, tmp_path / name)
    toggle(mach, 3)
    amtracer.pause(mach)
    toggle(mach, 4)
    amtracer.resume(mach)
    toggle(mach, 2)
    amtracer.close()

    for name in "ab":
        messages = list(read_session(tmp_path / name))
        rows = [len(one.shapes) for one in messages if isinstance(one, BatchMessage)]
        dropped = [one for one in messages if isinstance(one, DroppedMessage)]
        assert rows == [3, 2]
        assert [(one.count, one.reason) for one in dropped] == [(4, "paused")]


def test_a_machine_that_ends_in_a_pause_is_marked(debugger: Debugger, tmp_path: Path) -> None:
    """The number of missing transitions is unknown; a machine that was resumed has no mark."""
    paused, resumed = attached(debugger), attached(debugger, "resumed")
    path = tmp_path / "run.msgpack.br"
    for mach in (paused, resumed):
        amtracer.record(mach, path)
        toggle(mach, 3)
        amtracer.pause(mach)
    toggle(paused, 4)
    amtracer.resume(resumed)
    amtracer.close()
    debugger.wait_for(lambda: [one.connected for one in debugger.store.tracks] == [False] * 2)
    store = Store()
    import_session(store, str(path))

    for one in (store, debugger.store):
        assert [list(track.gaps) for track in one.tracks] == [
            [Gap(3, 0, "paused", GapKind.DROPPED)],
            [],
        ]


def test_threads_may_pause_and_mutate_at_the_same_time(debugger: Debugger) -> None:
    """No transition is sent twice on one connection, and all are sent or counted."""
    machines = [attached(debugger, f"m{at}") for at in range(3)]
    done = threading.Event()

    def switch() -> None:
        while not done.is_set():
            amtracer.pause()
            amtracer.resume()

    switching = threading.Thread(target=switch)
    working = [threading.Thread(target=toggle, args=(one, 1_000)) for one in machines]
    switching.start()
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()
    done.set()
    switching.join()
    for one in machines:
        toggle(one, 100)
    debugger.wait_for(
        lambda: (
            sum(track.row_next for track in debugger.store.tracks) == 3 * 1_100
            and len(debugger.store.tracks) == 3
        )
    )

    assert debugger.streams == 1
    for one in machines:
        track = debugger.track(one.id)
        assert track.count + sum(gap.lost for gap in track.gaps) == 1_100
        assert track.clock_at(track.count) == tuple(one.time())
