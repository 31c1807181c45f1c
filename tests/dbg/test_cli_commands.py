"""The commands: their output, where it goes, and their exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import EXIT_TEXTS, Exit
from am_dbg.egress.export import export_session
from am_dbg.reports import machine_lines
from am_dbg.store import Store
from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire.messages import Message, Shape, Source, StateDef, StepDef
from amtracer.wire.vocabulary import ShapeFlag, StepFlag
from tests.dbg.histories import START_NS, hello
from tests.screens.stories import Story
from tests.transitions import RecordedTransition, write_transition

OK = int(ShapeFlag.ACCEPTED)
STATES = (StateDef("Start"), StateDef("Ready", auto=True), StateDef("Exception", multi=True))

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command; gives its exit code, data and words."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        code = cli.run([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A session of two machines, one of which asked the other."""
    messages: list[Message] = []
    writer = StreamWriter(messages.append, hello())
    schema = writer.schema(STATES)
    worker = writer.machine("worker", schema, tags=("io",), tx_prefix="aa")
    child = writer.machine("child/1", schema, parent="worker", tx_prefix="bb")
    start = Shape(0, (0,), OK, ((0, 1),), (StepDef(32, target=0), StepDef(2, -1, 5, source=0)))
    denied = Shape(
        0, (1,), 0, (), (StepDef(1, 2, source=1, target=0), StepDef(2, -1, StepFlag.DENIED, 1, 0))
    )
    write_transition(
        writer,
        worker,
        RecordedTransition(
            start,
            START_NS,
            duration_ns=1_500_000,
            queue_len=2,
            lines=((1, "[state] +Start"), (2, "trace\n\tline two\x1b[2J")),
            pre_lines=((2, "earlier"),),
            args=(("key", "v\u202e"),),
            handler_ns=(1_000,),
        ),
    )
    writer.dropped(worker, 2, (1, 2, 0), "queue full")
    write_transition(writer, worker, RecordedTransition(denied, START_NS + 1))
    asked = Source("worker", f"aa{1:016x}", 1)
    write_transition(writer, child, RecordedTransition(start, START_NS + 2, source=asked))
    writer.flush()
    store = Store()
    stream = store.open_stream("", live=False)
    for message in messages:
        store.feed(stream, message)
    path = tmp_path / "session.msgpack.br"
    export_session(store, path)
    return path


def data(run: Run, *arguments: str | Path) -> Any:
    code, out, words = run(*arguments, "--json")
    assert (code, words) == (Exit.DONE, "")
    return json.loads(out)


def test_list_shows_machines_and_their_totals(run: Run, session: Path) -> None:
    """The JSON of a list has each machine in order and the number of transitions."""
    assert data(run, "list", session) == {
        "machines": [
            {
                "id": "worker",
                "parent": "",
                "tags": ["io"],
                "states": 3,
                "transitions": 2,
                "time_sum": 3,
            },
            {
                "id": "child/1",
                "parent": "worker",
                "tags": [],
                "states": 3,
                "transitions": 1,
                "time_sum": 1,
            },
        ],
        "transitions": 3,
    }


def test_list_is_a_table_for_people(run: Run, session: Path) -> None:
    """Without JSON there is a line for each machine, and a last line with the totals."""
    code, out, _ = run("list", session)

    assert code == Exit.DONE
    assert out.splitlines() == [
        "machine  states  transitions  time  parent  tags",
        "worker        3            2     3          #io",
        "child/1       3            1     1  worker",
        "2 machines, 3 transitions",
    ]


def test_a_long_id_shifts_only_its_own_row() -> None:
    """Columns are as wide as their texts on a terminal, up to a limit."""
    story = Story()
    for name in ("i" * 1_000, "\u72b6\u614b", "two"):
        story.machine(name)
    _, long, wide, plain, _ = machine_lines(story.store())

    assert long.startswith("i" * 1_000 + "  ")
    assert len(plain) < 100
    assert [cell_len(line.rstrip()) for line in (wide, plain)] == [cell_len(plain)] * 2


def test_show_prints_a_whole_transition(run: Run, session: Path) -> None:
    """All data of a transition, with states by name."""
    shown = data(run, "show", session, "mach://worker/1")

    assert shown == {
        "machine": "worker",
        "number": 1,
        "id": f"aa{1:016x}",
        "type": "add",
        "called": ["Start"],
        "accepted": True,
        "auto": False,
        "check": False,
        "time": "2023-11-14T22:13:20.000000000Z",
        "time_ns": START_NS,
        "duration_ns": 1_500_000,
        "queue_len": 2,
        "time_sum": 1,
        "before": {"Start": 0, "Ready": 0, "Exception": 0},
        "after": {"Start": 1, "Ready": 0, "Exception": 0},
        "steps": [
            {
                "type": "requested",
                "relation": None,
                "source": None,
                "target": "Start",
                "handler": None,
                "result": None,
            },
            {
                "type": "handler",
                "relation": None,
                "source": "Start",
                "target": None,
                "handler": "StartState",
                "result": None,
                "duration_ns": 1_000,
            },
        ],
        "log": [
            {"level": 1, "text": "[state] +Start"},
            {"level": 2, "text": "trace\n\tline two\x1b[2J"},
        ],
        "pre_log": [{"level": 2, "text": "earlier"}],
        "open": None,
        "source": None,
        "args": {"key": "v\u202e"},
    }


def test_ticks_before_a_gap_and_after_it_differ(run: Run, session: Path) -> None:
    """A transition after lost ones starts with its own ticks, not those of the last known one."""
    shown = data(run, "show", session, "mach://worker/2")

    assert shown["before"] == shown["after"] == {"Start": 1, "Ready": 2, "Exception": 0}
    assert [step["result"] for step in shown["steps"]] == [None, "denied"]
    assert shown["steps"][0]["relation"] == "require"
    assert shown["steps"][1]["handler"] == "ReadyStart"


@pytest.mark.parametrize("place", ["1", f"bb{1:016x}", f"BB{1:016X}", "t1"])
def test_a_transition_is_found_by_number_id_and_machine_time(
    run: Run, session: Path, place: str
) -> None:
    """An id may contain slashes, and a place has three forms."""
    shown = data(run, "show", session, f"mach://child/1/{place}")

    assert (shown["machine"], shown["number"]) == ("child/1", 1)
    assert shown["source"] == {"machine": "worker", "id": f"aa{1:016x}", "time_sum": 1}


def test_show_prints_all_transitions_of_a_machine(run: Run, session: Path) -> None:
    """An address without a place means the whole history with its gaps."""
    shown = data(run, "show", session, "mach://worker")

    assert [one["number"] for one in shown["transitions"]] == [1, 2]
    assert shown["machine"]["gaps"] == [
        {"after": 1, "kind": "dropped", "lost": 2, "before": 0, "reason": "queue full"}
    ]
    code, out, _ = run("show", session, "mach://worker")
    assert (code, len(out.splitlines())) == (Exit.DONE, 3)
    assert "queue full, 2 transitions missing" in out.splitlines()[1]


def test_text_from_programs_is_harmless(run: Run, session: Path) -> None:
    """Escapes and direction marks become visible, and lines stay lines."""
    _, out, _ = run("show", session, "mach://worker/1")

    assert "\x1b" not in out
    assert "arg      key = v\\u202e" in out
    assert "log      2 trace\n               line two\\x1b[2J" in out


def test_json_is_plain_ascii(run: Run, session: Path) -> None:
    """JSON can be printed on any terminal."""
    _, out, _ = run("show", session, "mach://worker/1", "--json")

    assert out.isascii()
    assert "\x1b" not in out


def test_stats_count_the_whole_session(run: Run, session: Path) -> None:
    """Statistics are counts over the whole session."""
    stats = data(run, "stats", session)

    assert (stats["machines"], stats["transitions"], stats["canceled"]) == (2, 3, 1)
    assert (stats["gaps"], stats["lost"], stats["before"]) == (1, 2, 0)
    assert stats["busiest"] == {"worker": 2, "child/1": 1}
    code, out, _ = run("stats", session)
    assert code == Exit.DONE
    assert "lost                      2" in out


def test_convert_writes_the_same_session(run: Run, session: Path, tmp_path: Path) -> None:
    """The copy lists the same machines; a message reports that a file was replaced."""
    copy = tmp_path / "copy.msgpack.br"
    code, out, words = run("convert", session, copy)

    assert (code, out) == (Exit.DONE, "")
    assert words == (f"am-dbg: {copy}: 2 machines, 3 transitions, {copy.stat().st_size:,} bytes\n")
    assert data(run, "list", copy) == data(run, "list", session)
    assert "(replaced)" in run("convert", session, copy)[2]


def test_convert_writes_json_lines(run: Run, session: Path, tmp_path: Path) -> None:
    """A line for each machine, gap and transition, in order."""
    target = tmp_path / "out.jsonl"
    run("convert", session, target)
    lines = [json.loads(line) for line in target.read_text().splitlines()]

    assert [line["record"] for line in lines] == [
        "machine",
        "transition",
        "gap",
        "transition",
        "machine",
        "transition",
    ]
    assert lines[1]["before"] == {"Start": 0, "Ready": 0, "Exception": 0}


def test_transitions_before_a_part_do_not_count_as_lost(
    run: Run, session: Path, tmp_path: Path
) -> None:
    """Statistics, JSON and the history count them separately."""
    part, lines = tmp_path / "part.msgpack.br", tmp_path / "part.jsonl"
    run("convert", session, part, "--machine", "worker", "--numbers", "2-")
    run("convert", part, lines)
    stats = data(run, "stats", part)
    (gap,) = [
        one for one in map(json.loads, lines.read_text().splitlines()) if one["record"] == "gap"
    ]

    assert (stats["lost"], stats["before"]) == (0, 3)
    assert (gap["kind"], gap["lost"], gap["before"]) == ("late", 0, 3)
    assert run("show", part, "mach://worker")[1].splitlines()[0].endswith(", 3 transitions before")


def test_convert_writes_a_part(run: Run, session: Path, tmp_path: Path) -> None:
    """One machine, or a range of its numbers, makes a smaller session."""
    part = tmp_path / "part.msgpack.br"
    run("convert", session, part, "--machine", "worker", "--numbers", "2-")

    (machine,) = data(run, "list", part)["machines"]
    assert (machine["id"], machine["transitions"]) == ("worker", 1)
    assert data(run, "show", part, "mach://worker/1")["id"] == f"aa{4:016x}"


REFUSED = {
    "no file": (("list", "{dir}/none"), "none: no such file or directory"),
    "no argument": (("list",), "Missing argument 'FILE'. (see am-dbg --help)"),
    "option": (("list", "{file}", "--nope"), "No such option"),
    "command": (("frobnicate",), "No such command 'frobnicate'"),
    "address": (("show", "{file}", "25:99"), "no machine '25:99'"),
    "place": (("-t", "25:99"), "'25:99' is no place: give a number, t and a machine time"),
    "step": (("show", "{file}", "mach://worker/1/99"), "of 'worker' has no step '99': it has"),
    "machine time": (("show", "{file}", "mach://worker/t99"), "machine time ends at t"),
    "machine": (("show", "{file}", "mach://wroker/1"), "did you mean worker"),
    "transition": (("show", "{file}", "mach://worker/3"), "no transition '3': it has 1 to 2"),
    "id": (("show", "{file}", "mach://worker/zz"), "no transition 'zz'"),
    "ending": (("convert", "{file}", "{dir}/x.zip"), "unknown ending"),
    "range": (("convert", "{file}", "{dir}/x.jsonl", "--numbers", "b"), "no range of numbers"),
    "one machine": (("convert", "{file}", "{dir}/x.jsonl", "--machine", "q"), "no machine 'q'"),
    "folder": (("convert", "{file}", "{dir}/no/x.jsonl"), "no such file or directory"),
    "import": (("-i", "{dir}/none"), "none: no such file"),
    "listen": (("-l", "host:99999"), "'host:99999' is not an address"),
    "view": (("-v", "sideways"), "Invalid value for '-v'"),
    "terminal": ((), "no screen here"),
}


@pytest.mark.parametrize("numbers", ["2-1", "0", "3", "3-", "9999-99999"])
@pytest.mark.parametrize("ending", [".jsonl", ".msgpack.br"])
def test_an_empty_range_leaves_the_file_alone(
    run: Run, session: Path, tmp_path: Path, numbers: str, ending: str
) -> None:
    """The error for a range that is reversed or too high shows the existing range."""
    out = tmp_path / f"out{ending}"
    out.write_bytes(b"mine")
    code, _, words = run("convert", session, out, "--machine", "worker", "--numbers", numbers)

    assert code == Exit.BAD_INPUT
    assert words == f"am-dbg: no transition in the range {numbers}: machine 'worker' has 1 to 2\n"
    assert out.read_bytes() == b"mine"


def test_a_range_is_empty_if_no_machine_has_any_of_it(
    run: Run, session: Path, tmp_path: Path
) -> None:
    """Without a machine a range applies to all machines; the error shows the longest."""
    out = tmp_path / "out.jsonl"
    code, _, words = run("convert", session, out, "--numbers", "3-")

    assert code == Exit.BAD_INPUT
    assert words == "am-dbg: no transition in the range 3-: the machines have 1 to 2\n"
    assert run("convert", session, out, "--numbers", "2")[0] == Exit.DONE


def test_a_range_of_a_machine_without_transitions_is_refused(run: Run, tmp_path: Path) -> None:
    """The error reports that the machine has no transitions."""
    story = Story()
    story.machine("idle")
    path, out = tmp_path / "idle.msgpack.br", tmp_path / "out.jsonl"
    export_session(story.store(), path)
    code, _, words = run("convert", path, out, "--numbers", "1-")

    assert code == Exit.BAD_INPUT
    assert words == "am-dbg: no transition in the range 1-: the machines have none\n"
    assert run("convert", path, out)[0] == Exit.DONE


@pytest.mark.parametrize("numbers", ["0-1", "1-1", "1-99"])
def test_a_range_may_begin_before_or_end_after_the_history(
    run: Run, session: Path, tmp_path: Path, numbers: str
) -> None:
    """Its existing part is written."""
    out = tmp_path / "out.jsonl"

    assert run("convert", session, out, "--numbers", numbers)[0] == Exit.DONE
    assert '"transition"' in out.read_text(encoding="utf-8")


@pytest.mark.parametrize("what", REFUSED)
def test_bad_input_is_one_line_and_exit_code_2(
    run: Run, session: Path, tmp_path: Path, what: str
) -> None:
    """For any mistake, standard output gets nothing and standard error one line."""
    arguments, reason = REFUSED[what]
    given = [part.format(file=session, dir=tmp_path) for part in arguments]
    code, out, words = run(*given)

    assert (code, out) == (Exit.BAD_INPUT, "")
    assert words.startswith("am-dbg: ")
    assert words.count("\n") == 1
    assert reason in words


def test_the_intact_part_of_a_cut_recording_is_printed(
    run: Run, session: Path, tmp_path: Path
) -> None:
    """A message and the exit code report that the recording is cut."""
    from am_dbg.egress.export import selected
    from am_dbg.ingest.importing import import_session
    from am_dbg.store import Store
    from amtracer.files.session import SessionWriter
    from tests.dbg.histories import write_messages

    cut, store = tmp_path / "cut.msgpack.br", Store()
    import_session(store, str(session))
    writer = SessionWriter(cut, live=True, clock=iter(range(10, 10_000, 10)).__next__)
    write_messages(store, selected(store), writer.write)
    writer.flush()
    writer.release()  # as a killed program does
    code, out, words = run("list", cut)

    assert code == Exit.BAD_INPUT
    assert "3 transitions" in out.splitlines()[-1]
    assert words == f"am-dbg: {cut}: cut: 3 transitions recovered, the rest is missing\n"


def test_every_exit_code_is_explained() -> None:
    """The help lists all exit codes from one table."""
    assert set(EXIT_TEXTS) == set(Exit)


def test_an_interrupt_ends_quietly(
    run: Run, session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl+C during a long read is exit code 130 without a traceback."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("am_dbg.ingest.importing.import_session", interrupted)
    code, _, words = run("list", session)

    assert code == Exit.INTERRUPTED
    assert words.strip() == "am-dbg: interrupted"


def test_closed_standard_output_is_reported(
    run: Run, session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data without a destination is an error."""
    monkeypatch.setattr("sys.stdout", None)
    code, _, words = run("list", session)

    assert (code, words) == (Exit.BAD_INPUT, "am-dbg: standard output is closed\n")


def test_closed_standard_error_is_ignored(
    run: Run, session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages without a reader are not written anywhere else."""
    monkeypatch.setattr("sys.stderr", None)

    assert run("list", session.with_name("none"))[0] == Exit.BAD_INPUT
    assert run("list", session)[0] == Exit.DONE


def test_help_and_version_are_data(run: Run) -> None:
    """Both go to standard output."""
    code, out, words = run("--help")
    assert (code, words) == (Exit.DONE, "")
    assert "Exit codes:" in out
    code, out, words = run("--version")
    assert (code, words) == (Exit.DONE, "")
    assert out.startswith("am-dbg")
