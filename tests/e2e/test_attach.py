"""A program attached to a debugger: everything arrives, once, under the right name."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import multiprocessing
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import amtracer
import machine as am
from am_dbg.store.values import GapKind
from amtracer.files.session import read_session
from amtracer.send import registry as process
from amtracer.send.registry import _senders
from amtracer.tracer import attaching_from_env
from tests.wire.serving import Debugger, run

STRUCT = {"A": am.State(), "M": am.State(multi=True)}


@pytest.fixture
def debugger() -> Iterator[Debugger]:
    made = Debugger()
    yield made
    amtracer.close()
    _senders.clear()
    made.stop()


@pytest.fixture(autouse=True)
def _plain_machines() -> Iterator[None]:
    """New machines of one test must not be attached in the next one."""
    yield
    attaching_from_env._for_new = None


def toggle(mach: am.Machine, times: int) -> None:
    for _ in range(times):
        mach.add1("M")


def test_the_debugger_shows_everything_an_attached_machine_did(debugger: Debugger) -> None:
    """Ticks, transitions and schema at the debugger are those of the machine."""
    mach = am.Machine(None, STRUCT, id="m", tags=["t:1"])
    amtracer.attach(mach, str(debugger.address))
    toggle(mach, 100)
    mach.add1("A", {"who": "me"})
    debugger.wait_for_count("m", 101)
    track = debugger.track("m")

    assert track.clock_at(101) == tuple(mach.time())
    assert track.tags == ("t:1",)
    assert track.transition(101).args == (("who", "'me'"),)
    assert track.transition(101).id == mach.tx_prefix + f"{101:016x}"
    assert list(track.gaps) == []


def test_a_machine_is_attached_once(debugger: Debugger, monkeypatch: pytest.MonkeyPatch) -> None:
    """By code, by environment and as a child: one tracer, one connection, one track."""
    monkeypatch.setenv("AM_DBG_ADDR", str(debugger.address))
    amtracer.attach_from_env()
    amtracer.attach_from_env()
    parent = am.Machine(None, STRUCT, id="parent")
    amtracer.attach(parent, str(debugger.address))
    amtracer.attach(parent)
    child = am.Machine(None, STRUCT, id="child", parent=parent)
    amtracer.dbg_env(child)
    toggle(child, 3)
    debugger.wait_for_count("child", 3)

    assert len(child.tracers()) == len(parent.tracers()) == 1
    assert [track.key for track in debugger.store.tracks] == ["parent", "child"]
    assert debugger.streams == 1
    assert debugger.track("child").parent == "parent"


def test_attaching_without_an_address_follows_the_environment(
    debugger: Debugger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The environment sets the destination; without one nothing is bound."""
    silent = am.Machine(None, STRUCT, id="silent")
    amtracer.attach(silent)
    amtracer.dbg_env(silent)
    monkeypatch.setenv("AM_DBG_ADDR", str(debugger.address))
    monkeypatch.setenv("AM_DBG_FILE", str(tmp_path / "a.msgpack.br"))
    both = am.Machine(None, STRUCT, id="both")
    amtracer.attach(both)
    toggle(both, 5)
    debugger.wait_for_count("both", 5)
    amtracer.close()

    assert silent.tracers() == []
    assert len(both.tracers()) == 2
    assert sum(len(getattr(m, "shapes", ())) for m in read_session(tmp_path / "a.msgpack.br")) == 5


def test_new_machines_are_attached_as_the_environment_sets(
    debugger: Debugger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `attach_from_env` every machine is traced, with log lines of the wanted level."""
    monkeypatch.setenv("AM_DBG_ADDR", str(debugger.address))
    monkeypatch.setenv("AM_LOG", "2")
    amtracer.attach_from_env()
    mach = am.Machine(None, STRUCT, id="new")
    toggle(mach, 1)
    debugger.wait_for_count("new", 1)

    assert "[add] M" in [text for _, text in debugger.track("new").transition(1).lines]


def test_an_empty_environment_changes_nothing() -> None:
    """Without a destination new machines are not attached."""
    amtracer.attach_from_env()
    mach = am.Machine(None, STRUCT)

    assert mach.tracers() == []
    assert attaching_from_env._for_new is None


def test_a_wrong_address_in_the_environment_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The program continues without a tracer; one line names the address and the right form."""
    monkeypatch.setenv("AM_DBG_ADDR", "localhost:99999")
    for _ in range(3):
        amtracer.attach(am.Machine(None, STRUCT))

    assert len(caplog.records) == 1
    assert "AM_DBG_ADDR: 'localhost:99999' is not an address" in caplog.text


def test_a_wrong_address_in_code_is_raised() -> None:
    """A mistake of the programmer raises at once."""
    with pytest.raises(ValueError, match="give 1, :PORT"):
        amtracer.attach(am.Machine(None, STRUCT), "host:port")


def test_equal_ids_are_kept_apart(debugger: Debugger) -> None:
    """Two machines of one id, and one that comes after a disposal, never mix."""
    machines = [am.Machine(None, STRUCT, id="same") for _ in range(2)]
    for number, mach in enumerate(machines, 1):
        amtracer.attach(mach, str(debugger.address))
        toggle(mach, number)
    machines[0].dispose_force()
    machines.append(am.Machine(None, STRUCT, id="same"))
    amtracer.attach(machines[2], str(debugger.address))
    toggle(machines[2], 3)
    debugger.wait_for_count("same#3", 3)

    assert [track.count for track in debugger.store.tracks] == [1, 2, 3]


@pytest.mark.parametrize(
    "name", ["x" * 10_000, "a/../b", "nul\0", "line\nbreak", "\x1b[31m", "ü€😀", "\udc80"]
)
def test_any_id_is_sent(debugger: Debugger, name: str) -> None:
    """Ids are data, whatever they contain."""
    mach = am.Machine(None, STRUCT, id=name)
    amtracer.attach(mach, str(debugger.address))
    toggle(mach, 1)
    debugger.wait_for(lambda: debugger.store.transitions == 1)

    assert debugger.store.tracks[0].id == name.encode("utf-8", "backslashreplace").decode()


def test_a_machine_without_an_id_gets_a_unique_one(debugger: Debugger) -> None:
    """Machines can be distinguished without names."""
    machines = [am.Machine(None, STRUCT, id="") for _ in range(2)]
    for mach in machines:
        amtracer.attach(mach, str(debugger.address))
        toggle(mach, 1)
    debugger.wait_for(lambda: debugger.store.transitions == 2)

    assert [track.key for track in debugger.store.tracks] == [mach.id for mach in machines]
    assert all(mach.id for mach in machines)


@pytest.mark.parametrize("log_id", [True, False])
@pytest.mark.parametrize("name", ["m", "üö€😀x", "[m] "])
@pytest.mark.parametrize("line", ["", "x", "a\nb\r\0c", "ü" * 3])
def test_any_log_line_is_sent(debugger: Debugger, line: str, name: str, log_id: bool) -> None:
    """Empty and odd lines are kept as they are, with an id before them or without."""
    mach = am.Machine(None, STRUCT, id=name, log_id=log_id)
    amtracer.attach(mach, str(debugger.address))
    mach.set_logger_empty(am.LogLevel.CHANGES)
    mach.log_lvl(am.LogLevel.CHANGES, "%s", line)
    toggle(mach, 1)
    debugger.wait_for_count(name, 1)

    assert (int(am.LogLevel.CHANGES), line) in debugger.track(name).transition(1).pre_lines


class Unprintable:
    """None of its methods may be called to show it."""

    def __repr__(self) -> str:
        raise AssertionError

    __str__ = __format__ = __len__ = __bool__ = __iter__ = __repr__  # type: ignore[assignment]


ODD: dict[str, tuple[object, str]] = {
    "surrogate": ("a\udc80", "'a\\udc80'"),
    "large": (2**64, str(2**64)),
    "larger": (2**2_000, "<int of 2,001 bits>"),
    "nan": (math.nan, "nan"),
    "inf": (-math.inf, "-inf"),
    "decimal": (decimal.Decimal("1.10"), "Decimal(1.10)"),
    "moment": (dt.datetime(2024, 2, 3), "datetime(2024-02-03 00:00:00)"),  # noqa: DTZ001
    "enum": (am.Result.QUEUED, "Result.QUEUED"),
    "set": ({1}, "{1}"),
    "bytes": (b"\xff\0", "b'\\xff\\x00'"),
    "nested": (((1, (2, ())),), "((1, (2, …)))"),
    "host": (Unprintable(), "<Unprintable>"),
    "clé\n\0": (1, "1"),
}


def test_odd_arguments_arrive(debugger: Debugger) -> None:
    """A transition is sent with a text for every argument, of any type."""
    mach = am.Machine(None, STRUCT, id="m")
    amtracer.attach(mach, str(debugger.address))
    mach.add1("M", {key: value for key, (value, _) in ODD.items()})
    debugger.wait_for_count("m", 1)

    assert dict(debugger.track("m").transition(1).args) == {k: text for k, (_, text) in ODD.items()}
    assert debugger.streams == 1


def test_many_threads_may_attach_and_mutate(debugger: Debugger) -> None:
    """Machines of several threads share a connection, and nothing is lost."""

    def work(name: str) -> None:
        mach = am.Machine(None, STRUCT, id=name)
        amtracer.attach(mach, str(debugger.address))
        toggle(mach, 500)

    threads = [threading.Thread(target=work, args=(f"m{at}",)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    debugger.wait_for(lambda: debugger.store.transitions == 4_000)

    assert debugger.streams == 1
    assert all(not track.gaps for track in debugger.store.tracks)


@pytest.mark.slow
def test_a_debugger_that_restarts_gets_the_machines_again(debugger: Debugger) -> None:
    """Machines are sent again, from the transition that they reached."""
    mach = am.Machine(None, STRUCT, id="m")
    amtracer.attach(mach, str(debugger.address))
    toggle(mach, 10)
    debugger.wait_for_count("m", 10)
    address = debugger.address
    debugger.stop()
    toggle(mach, 10)
    again = Debugger(str(address))
    try:
        toggle(mach, 10)
        again.wait_for(lambda: again.store.find("m"))
        toggle(mach, 1)
        again.wait_for(lambda: again.track("m").clock_at(again.track("m").count)[1] == 61)
        track = again.track("m")
        gaps = [(gap.lost, gap.kind) for gap in track.gaps]
        assert sum(lost for lost, _ in gaps) + track.count == 31
        assert gaps[0][1] is GapKind.LATE
    finally:
        amtracer.close()
        again.stop()


def test_a_lost_connection_is_a_gap_of_the_right_length(debugger: Debugger) -> None:
    """The same debugger, another connection: one track, and what is missing is counted."""
    mach = am.Machine(None, STRUCT, id="m")
    amtracer.attach(mach, str(debugger.address))
    toggle(mach, 10)
    debugger.wait_for_count("m", 10)
    for connection in list(debugger._server._open):
        debugger._server._loop.call_soon_threadsafe(connection.end, "cut for a test")
    debugger.wait_for(lambda: not debugger.track("m").connected)
    toggle(mach, 10)
    debugger.wait_for(lambda: debugger.streams == 2 and debugger.track("m").connected)
    toggle(mach, 10)
    debugger.wait_for(
        lambda: debugger.track("m").count + sum(g.lost for g in debugger.track("m").gaps) == 30
    )

    assert len(debugger.store.tracks) == 1
    track = debugger.track("m")
    assert track.clock_at(track.count) == tuple(mach.time())


def test_a_change_of_schema_reaches_the_debugger(debugger: Debugger) -> None:
    """Old transitions keep the old states, new ones have the new."""
    mach = am.Machine(None, STRUCT, id="m")
    amtracer.attach(mach, str(debugger.address))
    toggle(mach, 2)
    mach.set_struct({**STRUCT, "New": am.State()}, ["New", *mach.state_names()])
    mach.add1("New")
    debugger.wait_for_count("m", 3)
    track = debugger.track("m")

    assert [state.name for state in track.schema_at(2)] == ["A", "M", "Exception"]
    assert [state.name for state in track.schema_at(3)] == ["New", "A", "M", "Exception"]
    assert track.clock_at(3) == tuple(mach.time())


def test_a_disposed_machine_is_shown_as_gone(debugger: Debugger) -> None:
    """Its history stays."""
    mach = am.Machine(None, STRUCT, id="m")
    amtracer.attach(mach, str(debugger.address))
    toggle(mach, 2)
    mach.dispose_force()
    debugger.wait_for(lambda: debugger.store.find("m") and debugger.track("m").gone)

    assert debugger.track("m").count == 2


# Recording into a file.


def counted(path: Path) -> int:
    """Transitions in a whole session file."""
    return sum(len(getattr(message, "shapes", ())) for message in read_session(path))


def test_a_recording_is_whole_after_closing(tmp_path: Path) -> None:
    """All machines recorded to one path share the file."""
    path = tmp_path / "run.msgpack.br"
    machines = [am.Machine(None, STRUCT, id=f"m{at}") for at in range(3)]
    for mach in machines:
        amtracer.record(mach, path)
        toggle(mach, 100)
    amtracer.close()

    assert counted(path) == 300
    assert [p.name for p in tmp_path.iterdir()] == ["run.msgpack.br"]


PROGRAM = """
import sys, os
import amtracer, machine as am
mach = am.Machine(None, {"M": am.State(multi=True)}, id="m")
amtracer.attach(mach)
for _ in range(5000): mach.add1("M")
"""


@pytest.mark.slow
def test_a_program_that_ends_at_once_is_recorded_whole(tmp_path: Path) -> None:
    """The end of the program makes the file whole."""
    path = tmp_path / "run.msgpack.br"
    done = run(PROGRAM, AM_DBG_FILE=path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert counted(path) == 5_000


@pytest.mark.slow
def test_a_file_that_cannot_be_recorded_is_reported_in_one_line(tmp_path: Path) -> None:
    """The program does the same as without a recording."""
    done = run(PROGRAM, AM_DBG_FILE=tmp_path / "none" / "run.msgpack.br")

    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert "(no such file or directory); nothing more is recorded" in done.stderr


def test_a_missing_folder_does_not_disturb_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a relative path leads nowhere, one line reports it and nothing is raised."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setenv("AM_DBG_FILE", "run.msgpack.br")
    mach = am.Machine(None, STRUCT, id="m")
    amtracer.dbg_env(mach)
    toggle(mach, 1)
    amtracer.close()

    assert mach.tick("M") > 0


@pytest.mark.slow
def test_processes_that_share_a_path_record_into_separate_files(tmp_path: Path) -> None:
    """The second process puts its process id into the name."""
    path = tmp_path / "run.msgpack.br"
    mach = am.Machine(None, STRUCT, id="first")
    amtracer.record(mach, path)
    toggle(mach, 1)
    sender = _senders[f"file:{path}"]
    while not sender.ended and not path.exists():
        threading.Event().wait(0.01)
    done = run(PROGRAM + "print(os.getpid())", AM_DBG_FILE=path)
    amtracer.close()

    assert counted(path) == 1
    assert counted(tmp_path / f"run.{done.stdout.strip()}.msgpack.br") == 5_000


# Processes.


@pytest.mark.slow
def test_a_program_that_ends_at_once_arrives_whole(debugger: Debugger) -> None:
    """All 5,000 transitions of a program that does nothing else are there."""
    done = run(PROGRAM, AM_DBG_ADDR=debugger.address)
    debugger.wait_for_count("m", 5_000)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    debugger.wait_for(lambda: not debugger.track("m").connected)
    assert list(debugger.track("m").gaps) == []


@pytest.mark.slow
def test_two_programs_with_one_id_are_two_tracks(debugger: Debugger) -> None:
    """The same program twice at the same time is two histories."""
    program = PROGRAM + "mach.add1('M', {'end': True})"
    threads = [
        threading.Thread(target=run, args=(program,), kwargs={"AM_DBG_ADDR": debugger.address})
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    debugger.wait_for(lambda: debugger.store.transitions == 10_002)
    tracks = debugger.store.tracks

    assert [(track.key, track.count, list(track.gaps)) for track in tracks] == [
        ("m", 5_001, []),
        ("m#2", 5_001, []),
    ]
    for track in tracks:
        assert track.clock_at(5_001)[0] == 10_001
        assert len({track.transition(at).id[:16] for at in range(1, 5_002)}) == 1


FORKING = """
import os, sys, threading, time
import amtracer, machine as am
STRUCT = {"M": am.State(multi=True)}
mach = am.Machine(None, STRUCT, id="m")
idle = am.Machine(None, STRUCT, id="idle")
amtracer.attach(mach); amtracer.attach(idle)
stop = False
def work():
    while not stop:
        mach.add1("M")
        short = am.Machine(None, STRUCT, id="short", parent=mach)
        amtracer.attach(short)
        amtracer.pause(short); amtracer.resume(short)
        short.dispose_force()
        time.sleep(0)
thread = threading.Thread(target=work); thread.start()
other = am.Machine(None, STRUCT, id="other")
amtracer.attach(other)
for at in range(FORKS):
    other.add1("M")
    pid = os.fork()
    if not pid:
        for _ in range(100): other.add1("M")
        if at % 2: os._exit(0)
        amtracer.close()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
stop = True
thread.join()
"""
FORKS = 12


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_forked_children_are_sessions_of_their_own(debugger: Debugger) -> None:
    """Each child goes on from where it was made, on its own connection; none breaks another.

    Meanwhile another thread mutates, attaches and pauses, so whatever lock there is may be
    held when a child is made. A child that ends without a word may be silent.
    """
    done = run(FORKING.replace("FORKS", str(FORKS)), AM_DBG_ADDR=debugger.address)
    assert (done.returncode, done.stderr) == (0, "")

    def reached() -> list[tuple[int, list[int]]]:
        others = [track for track in debugger.store.tracks if track.id == "other"]
        return sorted(
            (track.count, [gap.lost for gap in track.gaps if gap.lost > 0]) for track in others
        )

    spoken = [(100, [row]) for row in range(1, FORKS + 1, 2)]
    debugger.wait_for(
        lambda: (
            all(one in reached() for one in [(FORKS, []), *spoken])
            and not any(track.connected for track in debugger.store.tracks)
        )
    )
    sessions = [track.identity.session for track in debugger.store.tracks if track.id == "other"]

    assert len(sessions) == len(set(sessions))
    assert len([track for track in debugger.store.tracks if track.id == "idle"]) == 1
    assert {stream.reason for stream in debugger.store.streams} <= {"", "connection lost"}


@pytest.mark.slow
def test_the_sender_thread_imports_nothing(debugger: Debugger) -> None:
    """A child forked while another thread imports would wait for that import for ever."""
    program = (
        "import sys\nimport amtracer.tracer, logging, threading\n"
        "import machine._calling.watchdog\n"  # by the thread that attaches
        "before = set(sys.modules)\n" + PROGRAM + "amtracer.close()\n"
        "print(sorted(set(sys.modules) - before))"
    )

    assert run(program, AM_DBG_ADDR=debugger.address).stdout == "[]\n"


POOL = """
import multiprocessing, sys
import amtracer, machine as am

def work(at):
    mach = am.Machine(None, {"M": am.State(multi=True)}, id=f"w{at}")
    amtracer.attach(mach)
    for _ in range(50): mach.add1("M")
    return mach.tick("M")

if __name__ == "__main__":
    mach = am.Machine(None, {"M": am.State(multi=True)}, id="parent")
    amtracer.attach(mach)
    mach.add1("M")
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(8) as pool:
        assert pool.map(work, range(16)) == [99] * 16
        pool.close()
        pool.join()
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_pools_of_processes_are_traced(debugger: Debugger, tmp_path: Path, method: str) -> None:
    """Workers started in any way are traced, and end without hanging."""
    program = tmp_path / "pool.py"
    program.write_text(POOL)
    done = run(program, method, AM_DBG_ADDR=debugger.address)
    assert (done.returncode, done.stderr) == (0, "")
    workers: Callable[[], list[int]] = lambda: [  # noqa: E731  # looked at again and again
        track.count for track in debugger.store.tracks if track.id.startswith("w")
    ]
    debugger.wait_for(lambda: workers() == [50] * 16)


LOOP = """
import asyncio, selectors
import amtracer, machine as am

class Policy(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self):
        return asyncio.SelectorEventLoop(selectors.SelectSelector())

async def main():
    mach = am.Machine(None, {"M": am.State(multi=True)}, id="m")
    async def MState(event):
        await asyncio.sleep(0)
    mach.bind_handlers({"MState": MState})
    amtracer.attach(mach)
    for _ in range(50):
        mach.add1("M")
        await asyncio.sleep(0)

asyncio.set_event_loop_policy(Policy())
asyncio.run(main())
"""

GREEN = """
from gevent import monkey
monkey.patch_all()
import gevent
import amtracer, machine as am
mach = am.Machine(None, {"M": am.State(multi=True)}, id="m")
amtracer.attach(mach)
def work():
    for _ in range(25):
        mach.add1("M")
        gevent.sleep(0)
gevent.joinall([gevent.spawn(work), gevent.spawn(work)])
"""


@pytest.mark.slow
def test_a_program_on_another_event_loop_is_traced(debugger: Debugger) -> None:
    """Whatever loop a policy makes, the tracer has a thread of its own."""
    done = run(LOOP, AM_DBG_ADDR=debugger.address)
    debugger.wait_for_count("m", 50)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_a_program_of_green_threads_is_traced(debugger: Debugger) -> None:
    """With everything patched the sender is a green thread too; nothing hangs at the end."""
    pytest.importorskip("gevent")
    with socket.create_server(("127.0.0.1", 0)) as stuck:
        held_up = run(GREEN, AM_DBG_ADDR=f"127.0.0.1:{stuck.getsockname()[1]}")
    done = run(GREEN, AM_DBG_ADDR=debugger.address)

    assert held_up.returncode == done.returncode == 0
    debugger.wait_for_count("m", 50)


def test_a_forked_child_is_a_session_of_its_own(debugger: Debugger) -> None:
    """Also without another fork: new senders start, and the machines continue."""
    mach = am.Machine(None, STRUCT, id="m")
    quiet = am.Machine(None, STRUCT, id="quiet")
    for one in (mach, quiet):
        amtracer.attach(one, str(debugger.address))
    toggle(mach, 10)
    debugger.wait_for_count("m", 10)
    amtracer.close()
    process._restart_in_child()
    toggle(mach, 5)
    debugger.wait_for_count("m#2", 5)

    assert [track.key for track in debugger.store.tracks] == ["m", "quiet", "m#2"]
    assert debugger.track("m#2").clock_at(5) == tuple(mach.time())


def test_a_machine_may_be_attached_from_its_own_handler(debugger: Debugger) -> None:
    """The running transition is the first one that is sent."""
    mach = am.Machine(None, STRUCT, id="m")
    address = str(debugger.address)

    class Attaching:
        def MState(self, event: am.Event) -> None:
            if event.machine.tick("M") == 5:
                amtracer.attach(event.machine, address)

    mach.bind_handlers(Attaching())
    toggle(mach, 5)
    debugger.wait_for_count("m", 3)
    track = debugger.track("m")

    assert track.clock_at(0)[1] == 3
    assert track.clock_at(3) == tuple(mach.time())


def test_log_lines_are_printed_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`AM_DEBUG=2` prints what otherwise only the debugger shows."""
    monkeypatch.setenv("AM_LOG", "2")
    amtracer.dbg_env(quiet := am.Machine(None, STRUCT, id="quiet"))
    monkeypatch.setenv("AM_DEBUG", "2")
    amtracer.dbg_env(loud := am.Machine(None, STRUCT, id="loud"))
    toggle(quiet, 1)
    toggle(loud, 1)

    assert quiet.log_level == loud.log_level == am.LogLevel.OPS
    assert "[loud] [add] M" in (out := capsys.readouterr().out)
    assert "quiet" not in out


@pytest.mark.parametrize(
    ("variables", "level", "prints"),
    [
        ({}, 0, True),
        ({"AM_LOG": "3"}, 3, False),
        ({"AM_LOG": "0"}, 0, True),
        ({"AM_LOG": "loud"}, 0, True),
        ({"AM_DEBUG": "1", "AM_LOG": "1"}, 1, False),
        ({"AM_DEBUG": "2", "AM_LOG": "1"}, 1, True),
        ({"AM_DEBUG": "2"}, 0, True),
        ({"AM_TEST_RUNNER": "1", "AM_LOG": "4", "AM_DEBUG": "2"}, 0, True),
    ],
)
def test_the_environment_sets_the_log_level_and_where_lines_go(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], level: int, prints: bool
) -> None:
    """A level without `AM_DEBUG=2` removes the logger, so that only the debugger gets lines."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    mach = am.Machine(None, STRUCT)
    amtracer.dbg_env(mach)

    assert mach.log_level == level
    assert (mach.get_logger() is not None) is prints


def test_a_test_runner_is_not_traced(debugger: Debugger, monkeypatch: pytest.MonkeyPatch) -> None:
    """`AM_TEST_RUNNER` switches `dbg_env` off, but not `attach`."""
    monkeypatch.setenv("AM_DBG_ADDR", str(debugger.address))
    monkeypatch.setenv("AM_TEST_RUNNER", "1")
    mach = am.Machine(None, STRUCT)
    amtracer.dbg_env(mach)
    assert mach.tracers() == []
    amtracer.attach(mach)

    assert len(mach.tracers()) == 1


def test_hooks_apply_to_machines_attached_by_the_environment(
    debugger: Debugger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every new machine hides its sensitive data."""
    monkeypatch.setenv("AM_DBG_ADDR", str(debugger.address))
    monkeypatch.setenv("AM_LOG", "1")
    amtracer.attach_from_env(redact=str.upper, args_filter=lambda id, args: {"id": id})
    mach = am.Machine(None, STRUCT, id="m")
    mach.add1("M", {"x": 1})
    debugger.wait_for_count("m", 1)
    transition = debugger.track("m").transition(1)

    assert transition.args == (("id", "'M'"),)
    assert (1, "[STATE] +M") in transition.lines


def test_the_package_lists_its_functions() -> None:
    """Functions are loaded at their first use, and `dir` lists them."""
    assert set(amtracer.__all__) <= set(dir(amtracer))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        amtracer.nothing  # noqa: B018
