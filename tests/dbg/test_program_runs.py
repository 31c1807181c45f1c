"""Which machines are one run of a program: by the process, or by the root of their tree."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg import reports
from am_dbg.egress.export import selected
from am_dbg.egress.live_replay import LiveReplay
from am_dbg.egress.track_replay import TrackReplay
from am_dbg.projection.machine_order import MachineOrder
from am_dbg.projection.runs.program_runs import program_runs
from am_dbg.projection.runs.run_list import RunList
from am_dbg.projection.runs.run_rows import run_name
from am_dbg.store import Store
from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire.messages import HelloMessage, MachineMessage, Message, Shape, StateDef
from tests.dbg.histories import write_messages

STATES = (StateDef("A", multi=True),)
ADD = Shape(0, (0,), 1, ((0, 1),))
SECOND_NS = 1_000_000_000


class ConnectedProgram:
    """A connection over which a program sends its machines."""

    def __init__(
        self, store: Store, session: str, program: str = "", at_s: int = 1, **more: str
    ) -> None:
        self.store = store
        self.stream = store.open_stream(session, live=True)
        facts = {"program": program, **more} if program else {}
        self.at_ns = at_s * SECOND_NS
        hello = HelloMessage(1, session, self.at_ns, 0, process=facts)
        self.writer = StreamWriter(lambda message: store.feed(self.stream, message), hello)

    def machine(self, id: str, parent: str = "") -> int:
        schema = self.writer.schema(STATES)
        prefix = f"{self.stream:08x}{self.writer.machines:08x}"
        number = self.writer.machine(id, schema, parent=parent, tx_prefix=prefix)
        self.writer.record(number, ADD, self.at_ns + SECOND_NS)
        self.writer.flush()
        return number

    def dispose(self, machine: int) -> None:
        self.writer.gone(machine)
        self.writer.flush()

    def leave(self) -> None:
        self.store.close_stream(self.stream, "connection lost")


def pool(
    store: Store, session: str, program: str = "pool.py", at_s: int = 1, **more: str
) -> ConnectedProgram:
    connected = ConnectedProgram(store, session, program, at_s, **more)
    connected.machine("pool")
    connected.machine("worker", parent="pool")
    return connected


def runs(store: Store) -> list[tuple[str, int, list[str]]]:
    """Program, number and machines of each run, in the order of the list."""
    return [
        (run.program, run.number, [machine.track.key for machine in run.machines])
        for run in program_runs(MachineOrder(store).machines)
    ]


TWO_RUNS = [("pool", 2, ["pool#2", "worker#2"]), ("pool", 1, ["pool", "worker"])]


def two_runs() -> Store:
    store = Store()
    for at_s, session in ((1, "one"), (3, "two")):
        pool(store, session, at_s=at_s).leave()
    return store


def test_a_process_is_a_run_of_its_program() -> None:
    """The newest one comes first, and children are below the parent of their run."""
    assert runs(two_runs()) == TWO_RUNS


def test_all_roots_of_a_process_are_one_run() -> None:
    """Whatever their names are, and whenever they enter."""
    store = Store()
    program = ConnectedProgram(store, "s", "app.py")
    for name in ("b", "a", "b"):
        program.machine(name)

    assert runs(store) == [("app", 1, ["a", "b", "b#2"])]


@pytest.mark.parametrize("name", ["", "am-dbg"])
def test_without_a_name_the_root_stands_for_the_program(name: str) -> None:
    """A machine of a Go program has a connection of its own, so a tree is a run."""
    store = Store()
    for at in range(2):
        connected = [ConnectedProgram(store, f"{at} {one}", name) for one in ("par", "chi")]
        connected[0].machine("par")
        connected[1].machine("chi", parent="par")
        for one in connected:
            one.leave()

    assert runs(store) == [("par", 2, ["par#2", "chi#2"]), ("par", 1, ["par", "chi"])]


def test_two_roots_of_one_name_at_once_are_two_programs() -> None:
    """They are connected at the same time, so they are two processes."""
    store = Store()
    for session in ("one", "two"):
        ConnectedProgram(store, session).machine("root")

    assert runs(store) == [("root", 1, ["root"]), ("root", 1, ["root#2"])]
    assert names(store) == ["root", "root#2"]


def names(store: Store) -> list[str]:
    """The runs as they are named wherever they stand."""
    return [run_name(run) for run in program_runs(MachineOrder(store).machines)]


def test_two_processes_at_once_are_two_programs_with_their_pids() -> None:
    """Each has its own children; neither is an earlier run of the other, also after they ended."""
    store = Store()
    at_once = [pool(store, f"s{pid}", pid=pid) for pid in ("11", "12")]

    side_by_side = [("pool", 1, ["pool", "worker"]), ("pool", 1, ["pool#2", "worker#2"])]
    assert runs(store) == side_by_side
    assert names(store) == ["pool (pid 11)", "pool (pid 12)"]
    for one in at_once:
        one.leave()
    assert runs(store) == side_by_side


def test_a_process_continues_the_line_of_one_that_ended() -> None:
    """The one beside it stays a program of its own."""
    store = Store()
    pool(store, "s1", pid="11")
    pool(store, "s2", pid="12").leave()
    pool(store, "s3", pid="13")

    assert names(store) == ["pool (pid 11)", "pool (pid 13) run 2", "pool (pid 12) run 1"]
    listed = list_of(store, hides=False)
    newest = listed.runs[1]
    assert listed.newest_run(listed.runs[2]) is newest
    assert listed.earlier_runs(newest) == [listed.runs[2]]
    assert listed.earlier_runs(listed.runs[0]) == []


def test_programs_of_one_name_and_two_paths_are_two_programs() -> None:
    """Also if one started after the other ended."""
    store = Store()
    for pid, path in (("11", "a"), ("12", "b"), ("13", "a")):
        pool(store, f"s{pid}", pid=pid, **{"path hash": path}).leave()

    assert names(store) == ["pool (pid 13) run 2", "pool (pid 11) run 1", "pool (pid 12)"]


@pytest.mark.parametrize("pid", ["", "1"])
def test_without_a_pid_of_its_own_a_program_is_named_by_its_process(pid: str) -> None:
    """The pid is not known, or it is that of a process in another container."""
    store = Store()
    for session in ("abcdefgh", "ijklmnop"):
        pool(store, session, pid=pid)

    assert names(store) == ["pool (process abcdef)", "pool (process ijklmn)"]


def test_a_file_shows_by_its_times_what_ran_at_once() -> None:
    """An export holds no connections; the run that began after both had ended continues one."""
    store, messages = Store(), list[Message]()
    for pid, at_s in (("11", 1), ("12", 1), ("13", 5)):
        pool(store, f"s{pid}", at_s=at_s, pid=pid)
    write_messages(store, selected(store), messages.append)

    copy = taken_in(messages)
    assert names(copy) == ["pool (pid 13) run 2", "pool (pid 11) run 1", "pool (pid 12)"]


def test_a_machine_that_is_made_again_begins_no_run() -> None:
    """Its program disposed the one before, and is still connected."""
    store = Store()
    program = ConnectedProgram(store, "s")
    program.dispose(program.machine("job"))
    program.machine("job")

    assert runs(store) == [("job", 1, ["job", "job#2"])]


def test_names_of_programs_are_safe() -> None:
    """What a program calls itself never reaches the terminal as it is."""
    store = Store()
    pool(store, "s", "evil\x1b[2J.py")

    assert [program for program, _, _ in runs(store)] == ["evil\\x1b[2J"]


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["start", "enter", "leave", "remove", "look"]),
        st.sampled_from(["", "a.py", "b.py"]),
        st.sampled_from(["m", "n", "o"]),
        st.integers(0, 9),
    )
)


@given(ACTS, st.booleans())
def test_a_list_that_follows_the_programs_equals_a_new_one(
    acts: list[tuple[str, str, str, int]], hides: bool
) -> None:
    """Whatever came, ended or was removed between two looks, also while ended runs are hidden."""
    store, programs = Store(), list[ConnectedProgram]()
    kept = list_of(store, hides)
    for at, (act, program, name, which) in enumerate(acts):
        if act == "start":
            programs.append(ConnectedProgram(store, str(at), program))
        elif act == "enter" and programs:
            programs[which % len(programs)].machine(name, parent="" if which % 2 else "m")
        elif act == "leave" and programs:
            programs.pop(which % len(programs)).leave()
        elif act == "remove" and store.tracks:
            store.remove(store.tracks[which % len(store.tracks)])
        elif act == "look":
            assert kept.rows(None) == list_of(store, hides).rows(None)
            assert kept.hidden == list_of(store, hides).hidden
    assert kept.rows(None) == list_of(store, hides).rows(None)


def list_of(store: Store, hides: bool) -> RunList:
    listed = RunList(store, MachineOrder(store))
    listed.hide_ended(hides=hides)
    return listed


def taken_in(messages: list[Message], *, live: bool = False) -> Store:
    store = Store()
    stream = -1
    for message in messages:
        if isinstance(message, HelloMessage):
            stream = store.open_stream("copy", live=live)
        store.feed(stream, message)
    return store


def test_an_export_keeps_the_runs() -> None:
    """Each process is a stream of its own in the file."""
    messages: list[Message] = []
    store = two_runs()
    write_messages(store, selected(store), messages.append)

    assert runs(taken_in(messages)) == TWO_RUNS
    entries = [one for one in messages if isinstance(one, MachineMessage)]
    assert {(entry.program, entry.process) for entry in entries} == {("", "")}


def test_a_debugger_that_records_or_forwards_keeps_the_runs() -> None:
    """It sends all programs in one stream, with the name and the process of each machine."""
    store, messages = two_runs(), list[Message]()
    hello = HelloMessage(1, "recorded", 9 * SECOND_NS, 0, process={"program": "am-dbg"})
    replay = LiveReplay(store, TrackReplay)
    replay.begin(StreamWriter(messages.append, hello))
    while replay.send(100):
        pass

    copy = taken_in(messages)
    assert runs(copy) == TWO_RUNS
    again: list[Message] = []
    write_messages(copy, selected(copy), again.append)
    assert runs(taken_in(again)) == TWO_RUNS


@pytest.mark.parametrize("paths", [("x", "x"), ("x", "y")], ids=["same path", "other paths"])
def test_a_debugger_that_records_or_forwards_keeps_pids_and_paths(paths: tuple[str, str]) -> None:
    """They distinguish two runs of one program from two programs of the same name."""
    store, messages = Store(), list[Message]()
    for at_s, path in enumerate(paths, 1):
        more = {"pid": str(40 + at_s), "path hash": path}
        pool(store, f"session {at_s}", at_s=2 * at_s, **more).leave()
    replay = LiveReplay(store, TrackReplay)
    replay.begin(StreamWriter(messages.append, HelloMessage(1, "recorded", 9 * SECOND_NS, 0)))
    while replay.send(100):
        pass

    copy = taken_in(messages)

    assert named_runs(copy) == named_runs(store)
    assert {run[2] for run in named_runs(copy)} == {"41", "42"}
    assert {run[1] for run in named_runs(copy)} == ({1, 2} if paths[0] == paths[1] else {1})


def named_runs(store: Store) -> list[tuple[str, int, str]]:
    """The name, the number and the pid of each run."""
    return [(run.name, run.number, run.pid) for run in program_runs(MachineOrder(store).machines)]


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wall times are local; here that is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("utc")
def test_the_list_of_a_session_names_its_runs() -> None:
    """With times and reasons, as text and as JSON; a single run is not worth a line."""
    store = Store(clock=lambda: 5 * SECOND_NS)
    pool(store, "one").leave()
    assert "runs" not in reports.session_value(store)
    assert list(reports.machine_lines(store))[-2].startswith("worker")

    pool(store, "two")
    assert list(reports.machine_lines(store))[-3:] == [
        "pool run 2: 2 machines, since 1970-01-01 00:00:01.000 000",
        (
            "pool run 1: 2 machines, since 1970-01-01 00:00:01.000 000,"
            " ended 1970-01-01 00:00:05.000 000 (connection lost)"
        ),
        "4 machines, 4 transitions",
    ]
    assert reports.session_value(store)["runs"][1] == {
        "program": "pool",
        "run": 1,
        "machines": ["pool", "worker"],
        "started": "1970-01-01T00:00:01.000000000Z",
        "ended": "1970-01-01T00:00:05.000000000Z",
        "reason": "connection lost",
    }
