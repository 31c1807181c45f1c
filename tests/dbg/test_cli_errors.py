"""The command `am-dbg errors`: all errors of a session in order of time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import Exit
from am_dbg.egress.export import export_session
from am_dbg.store import Store
from tests.screens.stories import Story
from tests.screens.test_across_machines import pool_story


def saved(store: Store, folder: Path) -> str:
    path = folder / "session.msgpack"
    export_session(store, path)
    return str(path)


def test_each_error_has_a_line_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Time, machine and number, text, place in the code; then how many there are."""
    code = cli.run(["errors", saved(pool_story().store(), tmp_path)])
    lines = capsys.readouterr().out.splitlines()

    assert code == Exit.DONE
    assert lines == [
        "2023-11-14T22:13:20.006000000Z  worker-2/2  ValueError: no file  io.py:7 in go",
        "1 error in 1 machine",
    ]


def test_json_has_a_value_for_each_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program gets the address to go on with, and the place in parts."""
    code = cli.run(["errors", saved(pool_story().store(), tmp_path), "--json"])
    value = json.loads(capsys.readouterr().out)

    assert code == Exit.DONE
    assert (value["errors"], value["machines"]) == (1, 1)
    assert value["list"] == [
        {
            "machine": "worker-2",
            "number": 2,
            "address": "mach://worker-2/2",
            "time": "2023-11-14T22:13:20.006000000Z",
            "time_ns": 1_700_000_000_006_000_000,
            "called": ["Exception"],
            "accepted": True,
            "text": "ValueError: no file",
            "file": "a/io.py",
            "line": 7,
            "function": "go",
        }
    ]


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_session_without_errors_says_so(
    options: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No error is a result, not a failure."""
    story = Story()
    story.machine("calm").add("Start")
    code = cli.run(["errors", saved(story.store(), tmp_path), *options])
    out = capsys.readouterr().out

    assert code == Exit.DONE
    assert json.loads(out)["list"] == [] if options else out == "no errors\n"
