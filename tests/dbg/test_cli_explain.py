"""The commands that explain a session: `why`, their JSON and their exit codes."""

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
            "since": {"number": 5, "cause": "called", "state": None},
            "gives_way": True,
        }
    ]
    assert (value["since"], value["refused"], value["last_called"]) == (None, None, None)
    refused = data(run, "why", session, "mach://worker", "Ping")["refused"]
    assert (refused["number"], refused["times"]) == (6, 2)


def test_why_of_a_state_that_is_active(run: Run, session: Path) -> None:
    """Since when, and by which cause."""
    assert run("why", session, "mach://worker", "Start")[1].splitlines() == [
        "mach://worker/6  ● Start 1",
        "└ active since tx 1 (called)",
    ]
    assert data(run, "why", session, "mach://worker", "Start")["since"]["number"] == 1


def test_a_state_that_does_not_exist_is_refused_with_a_near_one(run: Run, session: Path) -> None:
    """A wrong argument has the exit code of all wrong arguments."""
    code, out, words = run("why", session, "mach://worker", "Strat")

    assert (code, out) == (Exit.BAD_INPUT, "")
    assert words == "am-dbg: machine 'worker' has no state 'Strat': did you mean Start\n"
    assert "it has Start, Ready" in run("why", session, "mach://worker", "Qqq")[2]
