"""The commands that explain a session, `why`, `when`, `next`: their output and exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import Exit
from am_dbg.egress.export import export_session
from amtracer.wire.messages import Source
from amtracer.wire.vocabulary import StepFlag
from tests.screens.stories import BLOCK, RELATION, REMOVE, Story

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
    """A worker that a handler failed, that its pool asked, and that has two errors."""
    story = Story()
    pool = story.machine("pool")
    worker = story.machine("worker", parent="pool")
    pool.add("Start")
    worker.add("Start", source=Source("pool", pool.tx(1), 1))
    worker.cancel("Ping", steps=(worker.handler("PingEnter", StepFlag.FAILED),))
    worker.add("Exception", args=(("err", "OSError('no host')"),))
    worker.add("ProcessingFile")
    worker.add(
        "FileProcessed",
        removed=("ProcessingFile",),
        steps=(
            worker.step(RELATION, "FileProcessed", "ProcessingFile", relation=BLOCK),
            worker.step(REMOVE, target="ProcessingFile"),
        ),
    )
    worker.cancel("Ping")
    path = tmp_path / "session.msgpack.br"
    export_session(story.store(), path)
    return path


def data(run: Run, *arguments: str | Path) -> Any:
    code, out, words = run(*arguments, "--json")
    assert (code, words) == (Exit.DONE, "")
    return json.loads(out)


def test_why_explains_a_transition(run: Run, session: Path) -> None:
    """The paragraph of the reader on one line, then the transitions that led to it."""
    code, out, _ = run("why", session, "mach://worker/1")

    assert code == Exit.DONE
    assert out.splitlines()[1:] == [
        "pool requested it at its t1. Start was activated. Nothing blocked it.",
        "source   mach://pool/1  t1  add Start",
        "blocked  InProgress  auto, requires ProcessingFile",
    ]


def test_why_as_json_has_the_facts_behind_the_paragraph(run: Run, session: Path) -> None:
    """The handler that denied, the error, the sources."""
    value = data(run, "why", session, "mach://worker/2")

    assert value["accepted"] is False
    assert (value["denial"]["handler"], value["denial"]["failed"]) == ("PingEnter", True)
    assert value["error"] == {
        "text": "OSError: no host",
        "path": None,
        "line": None,
        "function": None,
    }
    assert value["why"].startswith("Canceled: PingEnter failed: OSError: no host.")
    assert value["sources"] == []
    assert data(run, "why", session, "mach://worker/1")["sources"][0]["address"] == "mach://pool/1"


def test_show_has_the_reason_of_a_canceled_transition(run: Run, session: Path) -> None:
    """The first line and the JSON say what canceled it; an accepted one has no reason."""
    code, out, _ = run("show", session, "mach://worker/2")

    assert code == Exit.DONE
    assert "  canceled: failed in PingEnter" in out.splitlines()[1]
    assert data(run, "show", session, "mach://worker/2")["reason"] == "failed in PingEnter"
    assert "reason" not in data(run, "show", session, "mach://worker/1")


def test_why_lists_blocked_auto_states(run: Run, session: Path) -> None:
    """The machine logs them at its highest level only; here they follow from the ticks."""
    assert run("why", session, "mach://worker/2")[1].splitlines()[-1] == (
        "blocked  InProgress  auto, requires ProcessingFile"
    )
    assert data(run, "why", session, "mach://worker/2")["blocked_auto"] == [
        {
            "state": "InProgress",
            "requires": ["ProcessingFile"],
            "kept_out_by": [],
            "held_back_since": None,
        }
    ]


def test_why_without_a_place_means_the_newest_transition(run: Run, session: Path) -> None:
    """A number before the first transition shows the start."""
    assert data(run, "why", session, "mach://worker")["number"] == 6
    assert data(run, "why", session, "mach://worker/0")["number"] == 0
    assert "initial structure" in run("why", session, "mach://worker/0")[1]


def test_why_explains_a_state_that_is_not_active(run: Run, session: Path) -> None:
    """With the same rows as the screen."""
    _, out, _ = run("why", session, "mach://worker", "ProcessingFile")

    assert out.splitlines() == [
        "mach://worker/6  ○ ProcessingFile 2",
        "├ ○ since tx 5 (removed by FileProcessed)",
        "├ requirements met, kept out by nothing",
        "├ a call replaces ● FileProcessed  since tx 5 (called)",
        "└ last call: tx 4",
    ]


def test_why_of_a_state_as_json(run: Run, session: Path) -> None:
    """Requirements are nested; what does not apply is null or empty."""
    value = data(run, "why", session, "mach://worker", "InProgress")

    assert (value["active"], value["auto"], value["blocked"]) == (False, True, True)
    required = value["requires"][0]
    assert (required["state"], required["defined"]) == ("ProcessingFile", True)
    assert required["why_not"]["kept_out_by"] == [
        {
            "state": "FileProcessed",
            "since": {"number": 5, "cause": "called", "state": None, "requested_by": None},
            "gives_way": True,
            "added": False,
        }
    ]
    assert (value["since"], value["refused"], value["last_called"]) == (None, None, None)
    refused = data(run, "why", session, "mach://worker", "Ping")["refused"]
    assert (refused["number"], refused["times"]) == (6, 2)


def test_why_of_a_state_that_is_active(run: Run, session: Path) -> None:
    """Since when, by which cause, and which machine requested it."""
    assert run("why", session, "mach://worker", "Start")[1].splitlines() == [
        "mach://worker/6  ● Start 1",
        "└ active since tx 1 (called, by pool)",
    ]
    assert data(run, "why", session, "mach://worker", "Start")["since"] == {
        "number": 1,
        "cause": "called",
        "state": None,
        "requested_by": "pool",
    }


def test_a_state_that_does_not_exist_is_refused_with_a_near_one(run: Run, session: Path) -> None:
    """A wrong argument has the exit code of all wrong arguments."""
    code, out, words = run("why", session, "mach://worker", "Strat")

    assert (code, out) == (Exit.BAD_INPUT, "")
    assert words == "am-dbg: machine 'worker' has no state 'Strat': did you mean Start\n"
    assert "it has Start, Ready" in run("why", session, "mach://worker", "Qqq")[2]


def test_when_lists_the_activations_of_a_state(run: Run, session: Path) -> None:
    """From and to, when, how long, and by which causes."""
    code, out, _ = run("when", session, "mach://worker", "ProcessingFile")

    assert code == Exit.DONE
    row, total = out.splitlines()
    assert row.split("  ")[-1] == "called; removed by FileProcessed"
    assert row.split()[:5] == ["4", "->", "5", "2023-11-14T22:13:20.005000000Z", "1.00"]
    assert total == "worker: ProcessingFile was activated 1 time"
    started = run("when", session, "mach://worker", "Start")[1].splitlines()[0]
    assert started.endswith("called, by mach://pool/1")
    assert "1 ->     now" in started
    assert run("when", session, "mach://worker", "Logged")[1] == (
        "worker: Logged was activated 0 times\n"
    )


def test_when_as_json(run: Run, session: Path) -> None:
    """An activation that goes on has no end and no duration."""
    assert data(run, "when", session, "mach://worker", "Logged")["activations"] == []
    assert data(run, "when", session, "mach://worker", "Start")["activations"] == [
        {
            "from": {
                "number": 1,
                "time": "2023-11-14T22:13:20.002000000Z",
                "time_ns": 1_700_000_000_002_000_000,
                "cause": "called",
                "state": None,
                "requested_by": {"machine": "pool", "number": 1},
            },
            "to": None,
            "duration_ns": None,
        }
    ]
    one = data(run, "when", session, "mach://worker", "ProcessingFile")["activations"][0]
    assert (one["to"]["cause"], one["to"]["state"]) == ("relation", "FileProcessed")
    assert one["duration_ns"] == 1_000_000


def test_when_refuses_a_state_that_never_existed(run: Run, session: Path) -> None:
    """The message names a near one."""
    code, out, words = run("when", session, "mach://worker", "Redy")

    assert (code, out) == (Exit.BAD_INPUT, "")
    assert "did you mean Ready" in words


def test_next_finds_the_next_transition_that_went_wrong(run: Run, session: Path) -> None:
    """The place itself does not count; a failed handler is an error too."""
    found = [
        data(run, "next", session, f"mach://worker{place}", *kinds)["number"]
        for place, kinds in (
            ("", ("--error",)),
            ("/2", ("--error",)),
            ("/2", ("--canceled",)),
            ("/2", ("--canceled", "--error")),
        )
    ]

    assert found == [2, 3, 6, 3]
    assert run("next", session, "mach://worker", "--error")[1].startswith("mach://worker/2  ")


def test_next_in_all_machines_goes_on_in_time(run: Run, session: Path) -> None:
    """From a machine without errors to the first one of another."""
    value = data(run, "next", session, "mach://pool/1", "--error", "--all")

    assert (value["machine"], value["number"]) == ("worker", 2)


def test_next_without_a_hit_has_an_exit_code_and_names_other_machines(
    run: Run, session: Path
) -> None:
    """A script sees the code, a person reads where to look."""
    nothing = run("next", session, "mach://pool/1", "--error")

    assert nothing == (
        Exit.NOT_FOUND,
        "",
        "am-dbg: no error after mach://pool/1: 2 in 1 other machine, see --all\n",
    )
    assert run("next", session, "mach://worker/5", "--error", "--all")[0] == Exit.NOT_FOUND
    assert "2 up to here" in run("next", session, "mach://worker/5", "--error")[2]


def test_next_needs_a_kind(run: Run, session: Path) -> None:
    """Without one it is not clear what to look for."""
    code, _, words = run("next", session, "mach://worker")

    assert code == Exit.BAD_INPUT
    assert "give --error or --canceled" in words


def test_next_reads_the_intact_part_of_a_damaged_session(run: Run, session: Path) -> None:
    """The hit is printed; the exit code is that of a damaged file."""
    session.write_bytes(session.read_bytes()[:-3])

    code, _, words = run("next", session, "mach://worker", "--error")

    assert code == Exit.BAD_INPUT
    assert words
