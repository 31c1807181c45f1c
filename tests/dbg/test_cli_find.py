"""`am-dbg find`: the transitions of all machines that a query finds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import Exit
from am_dbg.egress.export import export_session
from am_dbg.query.query_keys import FORMS
from tests.screens.stories import Story


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Two machines whose transitions alternate in time; the last one failed."""
    story = Story()
    pool, worker = story.machine("pool"), story.machine("worker-1", parent="pool")
    pool.add("Start")
    worker.add("Start", args=(("job", "a\x1bb"),))
    pool.add("Ready")
    worker.cancel("Ready")
    worker.add("Exception", lines=((1, "[state] +Exception"), (4, "the store hung up")))
    path = tmp_path / "two.msgpack.br"
    export_session(story.store(), path)
    return path


@pytest.fixture
def found(session: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a query; gives its lines, or its value when JSON is asked for."""

    def find(query: str, *more: str) -> Any:
        assert cli.run(["find", str(session), query, *more]) == Exit.DONE
        out, words = capsys.readouterr()
        assert words == ""
        return json.loads(out) if "--json" in more else out.splitlines()

    return find


def places(lines: list[str]) -> list[str]:
    """The place in each line but the last one."""
    return [line.split()[1] for line in lines[:-1]]


def test_the_transitions_of_all_machines_are_in_order_of_time(found: Any) -> None:
    """The last line has how many there are."""
    lines = found("state:Start")

    assert places(lines) == ["pool/1", "worker-1/1"]
    assert lines[-1] == "2 transitions in 2 machines"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("machine:worker", ["worker-1/1", "worker-1/2", "worker-1/3"]),
        ("machine:worker accepted:no", ["worker-1/2"]),
        ('error:yes "hung up"', ["worker-1/3"]),
        ("-state:Start -error:yes", ["pool/2", "worker-1/2"]),
    ],
)
def test_all_terms_of_a_query_have_to_hold(found: Any, query: str, expected: list[str]) -> None:
    """Log lines of every level are searched; a query may begin with a minus."""
    assert places(found(query)) == expected


def test_the_limit_leaves_out_the_later_ones(found: Any) -> None:
    """The last line counts those too."""
    lines = found("state:Start", "--limit", "1")

    assert places(lines) == ["pool/1"]
    assert lines[-1] == "1 of 2 transitions in 2 machines"
    assert found("state:Start", "--limit", "1", "--json")["found"] == 2


def test_a_query_that_finds_nothing_has_an_exit_code_of_its_own(
    session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message goes to standard error; JSON has an empty list."""
    assert cli.run(["find", str(session), "state:Nobody"]) == Exit.NOT_FOUND
    assert capsys.readouterr() == ("", "am-dbg: no transition found\n")

    assert cli.run(["find", str(session), "state:Nobody", "--json"]) == Exit.NOT_FOUND
    assert json.loads(capsys.readouterr().out) == {
        "query": "state:Nobody",
        "found": 0,
        "machines": 0,
        "transitions": [],
    }


def test_json_has_the_address_of_each_transition(found: Any) -> None:
    """`am-dbg show` accepts it."""
    value = found("machine:worker", "--json")

    assert [one["address"] for one in value["transitions"]] == [
        f"mach://worker-1/{number}" for number in (1, 2, 3)
    ]
    assert value["transitions"][0]["args"] == {"job": "a\x1bb"}
    assert value["transitions"][2]["added"] == ["Exception"]


def test_lines_hold_no_control_characters(found: Any) -> None:
    """An argument of a program cannot act on the terminal."""
    assert all(line.isprintable() for line in found("machine:worker"))


def test_a_key_that_does_not_exist_is_refused(
    session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script must not take a mistyped query for one that finds nothing."""
    assert cli.run(["find", str(session), "stat:Ready"]) == Exit.BAD_INPUT
    assert "query 'stat:Ready': no key stat: (did you mean state:)" in capsys.readouterr().err


def test_the_help_lists_every_form_of_a_query(capsys: pytest.CaptureFixture[str]) -> None:
    """The same forms as the help of the screen."""
    cli.run(["find", "--help"])
    out = capsys.readouterr().out

    assert all(form in out for form, _ in FORMS)
