"""`am-dbg check MODULE:NAME`: a schema of a program is imported and checked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import Exit

SHOP = """
import machine as am
print("the module was imported")

class GoodStates(am.StatesBase):
    Open: str = am.state(auto=True)
    Closed: str = am.state(remove=Open)

class BadStates(am.StatesBase):
    Open: str = am.state(require="Door")

class Handlers:
    def OpenClosed(self, e): ...
    def OpenEnd(self, e): ...

class Groups:
    states = GoodStates

PLAIN = {"Open": am.State(), "End": am.State(remove=["Open"])}
MACHINES = [am.Machine(None, BadStates, id="one"), am.Machine(None, BadStates, id="two")]
NUMBER = 5
BROKEN = {"Any": am.State()}
"""


@pytest.fixture
def check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Checks in a directory with the module `shop14`; gives the exit code, data and words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "shop14.py").write_text(SHOP)

    def check(*arguments: str) -> tuple[int, str, str]:
        code = cli.run(["check", *arguments])
        return code, *capsys.readouterr()

    yield check
    for name in ("shop14", "other14"):
        sys.modules.pop(name, None)


def test_a_schema_without_a_fault_has_no_finding(check: Any) -> None:
    """The exit code is 0; what the module prints is not among the data."""
    code, out, words = check("shop14:GoodStates")

    assert (code, out) == (Exit.DONE, "shop14:GoodStates checked: no finding\n")
    assert words == "the module was imported\n"


def test_each_finding_is_two_lines(check: Any) -> None:
    """What happens, and how it is meant; the exit code is 1."""
    code, out, _ = check("shop14:BadStates")

    assert code == Exit.FOUND == 1
    assert out.splitlines() == [
        "unreachable: Open requires Door, which is not defined, so Open is never active.",
        '    Define it, `"Door": State()`, or leave it out.',
        "shop14:BadStates checked: 1 finding",
    ]


def test_findings_are_json_on_request(check: Any) -> None:
    """With the fields of `machine.Finding`."""
    code, out, _ = check("shop14:MACHINES", "--json")

    value = json.loads(out)
    (finding,) = value["findings"]
    assert (code, value["schema"]) == (Exit.FOUND, "shop14:MACHINES")
    assert (finding["kind"], finding["states"]) == ("unreachable", ["Open", "Door"])
    assert finding["machines"] == ["one", "two"]
    assert finding["happens"]
    assert finding["meant"]


def test_findings_of_machines_name_them(check: Any) -> None:
    """By their ids."""
    assert check("shop14:MACHINES")[1].startswith("unreachable (one, two): Open requires Door")


def test_handlers_are_checked_with_a_schema(check: Any) -> None:
    """Both are named in the same way."""
    code, out, _ = check("shop14:PLAIN", "--handlers", "shop14:Handlers")

    assert code == Exit.FOUND
    assert out.startswith("ambiguous: OpenEnd of Handlers is the End handler of Open and")


def test_a_name_may_be_inside_of_another(check: Any) -> None:
    """As attributes are written in code."""
    assert check("shop14:Groups.states")[0] == Exit.DONE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none14:States"], "there is no module none14, here or installed"),
        (["shop14.states:States"], "there is no module shop14.states"),
        (["shop14:GodStates"], "shop14:GodStates: there is no GodStates; did you mean GoodStates"),
        (["shop14:Xyzzy"], "shop14:Xyzzy: there is no Xyzzy\n"),
        (["shop14:NUMBER"], "shop14:NUMBER: a schema is a mapping of names to State"),
        (["shop14:BROKEN"], "shop14:BROKEN: invalid state name"),
        (["shop14:PLAIN", "--handlers", "Handlers"], "'Handlers' is not MODULE:NAME"),
        (["shop14.py", "--handlers", "shop14:Handlers"], "--handlers is for a schema"),
    ],
)
def test_what_cannot_be_checked_is_named(arguments: list[str], words: str, check: Any) -> None:
    """The exit code is the one for bad input."""
    code, out, said = check(*arguments)

    assert (code, out) == (Exit.BAD_INPUT, "")
    assert words in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import none14", "other14 cannot be imported: No module named 'none14'"),
        ("raise ValueError('no')", "other14 cannot be imported: ValueError: no"),
        ("raise SystemExit(3)", "other14 cannot be imported: it ends the program"),
        ("x = (", "other14 cannot be imported: SyntaxError: "),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_with_the_reason(
    text: str, words: str, check: Any, tmp_path: Path
) -> None:
    """Whatever its code raises."""
    (tmp_path / "other14.py").write_text(text)

    code, _, said = check("other14:States")

    assert code == Exit.BAD_INPUT
    assert words in said


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_file_of_that_name_is_read(kind: str, check: Any, tmp_path: Path) -> None:
    """Nothing is imported then."""
    path = tmp_path / "shop14:GoodStates"
    if kind == "file":
        path.write_bytes(b"no session")
    else:
        path.symlink_to(tmp_path / "nowhere")

    code, _, words = check("shop14:GoodStates")

    assert code == Exit.BAD_INPUT
    assert "the module was imported" not in words
    assert "shop14" not in sys.modules


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:1/a", "a:", ":a", "a/b:c", "a-b:c", "C:\\x", "-x:y"]
)
def test_what_is_no_name_in_a_module_is_a_file(target: str) -> None:
    """So an address or a path leads to no import."""
    from am_dbg.cli.check_schema import is_place

    assert not is_place(target)
