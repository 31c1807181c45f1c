"""`am-dbg show --view`: what the panes of the screen show, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import Exit
from am_dbg.cli.show_views import SHOWN_VIEWS
from am_dbg.egress.export import export_session
from tests.screens.stories import files_story


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """The story of the processed file, as a session file."""
    path = tmp_path / "files.msgpack.br"
    export_session(files_story().store(), path)
    return path


@pytest.fixture
def shown(session: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Prints a view of an address; gives its text, or its value when JSON is asked for."""

    def show(view: str, address: str, *more: str) -> Any:
        assert cli.run(["show", str(session), address, "--view", view, *more]) == Exit.DONE
        out, words = capsys.readouterr()
        assert words == ""
        return json.loads(out) if more else out.splitlines()

    return show


def test_the_log_has_arguments_and_log_lines_below_each_transition(shown: Any) -> None:
    """An address with a number prints that transition alone."""
    whole, one = shown("log", "mach://worker"), shown("log", "mach://worker/13")

    assert one[0].split()[0] == "13"
    assert all(line.startswith(" " * 10) for line in one[1:])
    at = whole.index(one[0])
    assert whole[at : at + len(one)] == one


def test_the_states_have_their_ticks_and_relations(shown: Any) -> None:
    """What the transition did to a state stands beside it."""
    rows = shown("states", "mach://worker/13")
    value = shown("states", "mach://worker/13", "--json")["states"]

    assert rows[0].split()[:3] == ["●", "Start", "1"]
    assert "requires Start" in rows[1]
    exception = next(state for state in value if state["name"] == "Exception")
    assert exception["active"]
    assert exception["added"]


def test_states_before_the_first_transition_are_those_of_the_start(shown: Any) -> None:
    """Nothing is active then."""
    states = shown("states", "mach://worker/0", "--json")["states"]

    assert not any(state["active"] or state["called"] for state in states)


def test_the_steps_are_counted_from_1(shown: Any) -> None:
    """In the order in which they happened."""
    rows, steps = (shown("steps", "mach://worker/3", *more) for more in ((), ("--json",)))

    assert [row.split()[0] for row in rows] == [str(at) for at in range(1, len(rows) + 1)]
    assert len(steps["steps"]) == len(rows)
    assert shown("steps", "mach://worker/0") == []


def test_the_reader_has_its_sections(shown: Any) -> None:
    """The paragraph on the cause is one text in JSON."""
    rows = shown("reader", "mach://worker/13")
    value = shown("reader", "mach://worker/13", "--json")

    assert rows[0] == " Why"
    assert value["title"] == "tx 13"
    assert value["why"].endswith(".")
    assert {"sources", "executed", "waiting", "args"} <= value.keys()


def test_the_rain_has_a_character_for_each_state(shown: Any) -> None:
    """A legend and the names of the states come first."""
    rows = shown("rain", "mach://worker")
    value = shown("rain", "mach://worker", "--json")

    names = value["states"]
    assert [row.split() for row in rows[1 : len(names) + 1]] == [
        [str(at), name] for at, name in enumerate(names, 1)
    ]
    assert rows[-1].split()[-1] == value["rows"][-1]["cells"]
    assert {len(row["cells"]) for row in value["rows"]} == {len(names)}


@pytest.mark.parametrize("view", [view for view in SHOWN_VIEWS if view not in ("log", "rain")])
def test_a_view_of_a_machine_shows_its_newest_transition(shown: Any, view: str) -> None:
    """That is where the screen begins too."""
    assert shown(view, "mach://worker") == shown(view, "mach://worker/14")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--view", "log"), "--view needs an address: mach://ID or mach://ID/PLACE"),
        (("mach://worker/1", "--view", "rain"), "--view rain shows a whole machine"),
        (("mach://worker", "--view", "matrix"), "'matrix' is not one of 'log'"),
    ],
)
def test_a_view_that_cannot_be_shown_is_refused(
    session: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    """The message has what is allowed."""
    assert cli.run(["show", str(session), *words]) == Exit.BAD_INPUT
    assert message in capsys.readouterr().err
