"""`am-dbg check`: everything in a session is read, and what is damaged is listed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import Exit
from am_dbg.reports.checked import ID_WIDTH_MIN
from amtracer.files.record_walk import MemoryBytes, Record, RecordWalk
from amtracer.files.records import RecordKind
from amtracer.wire.codec import pack_messages, unpack_messages
from amtracer.wire.messages import MachineMessage
from tests.dbg.record_files import Content, changed
from tests.dbg.test_damaged_records import UNTRUE_HEADS, session, with_body

EXPORTS = sorted((Path(__file__).parents[2] / "exports").glob("*.msgpack.br"))


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Checks a file with these bytes; gives the exit code, data and words."""

    def check(data: bytes, *more: str) -> tuple[int, str, str]:
        path = tmp_path / "checked.msgpack.br"
        path.write_bytes(data)
        code = cli.run(["check", str(path), *more])
        return code, *capsys.readouterr()

    return check


@pytest.mark.parametrize("path", EXPORTS, ids=lambda path: path.name)
def test_a_whole_session_of_any_version_has_no_fault(path: Path, check: Any) -> None:
    """The exit code is 0, and a line says what was checked."""
    code, out, words = check(path.read_bytes())

    assert (code, words) == (Exit.DONE, "")
    assert out.endswith(" checked: no fault\n")
    assert out.count("\n") == 1


def test_a_damaged_record_is_listed_with_the_transitions_that_it_had(
    check: Any, tmp_path: Path
) -> None:
    """The record by its place in the file, the transitions by machine, as the machine counts."""
    data = bytearray(session(tmp_path))
    rows = next(one for one in RecordWalk(MemoryBytes(bytes(data))) if is_rows(one))
    data[rows.end - 1] ^= 1

    code, out, words = check(bytes(data))

    assert code == Exit.BAD_INPUT
    assert out.splitlines() == [
        f"record at {rows.offset:,}: {rows.end - rows.offset} bytes damaged",
        "m0, transitions 1 to 12: damaged",
        "m1, transitions 1 to 12: damaged",
        "2 machines, 0 transitions checked: 3 faults",
    ]
    assert words.startswith("am-dbg: ")


def is_rows(found: object) -> Any:
    return isinstance(found, Record) and found.header.kind == RecordKind.ROWS


@pytest.mark.parametrize("what", ["growth", "facts", "least time"])
def test_what_a_head_says_is_compared_with_every_row(what: str, check: Any, tmp_path: Path) -> None:
    """No command but this one reads all rows."""
    code, out, _ = check(changed(session(tmp_path), UNTRUE_HEADS[what]), "--json")

    (damage,) = json.loads(out)["damage"]
    assert code == Exit.BAD_INPUT
    assert (damage["machine"], damage["first"], damage["last"]) == ("m0", 1, 12)
    assert "not those of their head" in damage["what"]


def test_definitions_are_read_too(check: Any, tmp_path: Path) -> None:
    """All transitions that need them are listed."""
    data = changed(session(tmp_path), with_body(RecordKind.DEFINITIONS, 1, b"\xc0"))

    code, out, _ = check(data, "--json")

    found = json.loads(out)
    assert code == Exit.BAD_INPUT
    assert [one["machine"] for one in found["damage"]] == ["m0", "m1"]
    assert (found["machines"], found["transitions"]) == (2, 24)


@pytest.mark.parametrize("keep", [0.6, 0.9])
@pytest.mark.parametrize("path", EXPORTS[1:3], ids=lambda path: path.name)
def test_a_cut_session_is_not_whole(path: Path, keep: float, check: Any) -> None:
    """The transitions before the cut are checked, and the exit code is 2."""
    data = path.read_bytes()

    code, out, words = check(data[: int(len(data) * keep)])

    assert code == Exit.BAD_INPUT
    assert out.startswith("cut: ")
    assert "cut: " in words


def test_a_missing_file_cannot_be_checked(tmp_path: Path) -> None:
    """The exit code is the one for bad input."""
    assert cli.run(["check", str(tmp_path / "none")]) == Exit.BAD_INPUT


ID = "a-very-long-id-" * 20


@pytest.fixture
def long_id(tmp_path: Path) -> bytes:
    """A session with a long id and rows that differ from their head."""

    def renamed(record: Content) -> Content:
        if record.kind != RecordKind.OPENING:
            return record
        messages = [
            (place, replace(one, id=ID) if isinstance(one, MachineMessage) else one)
            for place, one in unpack_messages(record.parts[0], "")
        ]
        return record._replace(parts=(pack_messages(messages),))

    return changed(changed(session(tmp_path), renamed), UNTRUE_HEADS["growth"])


@pytest.mark.parametrize(("width", "cells"), [(100, 24), (40, ID_WIDTH_MIN)])
def test_a_long_id_is_cut_in_the_middle(
    width: int, cells: int, long_id: bytes, check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ends of it stay, in a line as wide as the terminal if that leaves enough of it."""
    monkeypatch.setenv("COLUMNS", str(width))

    _, out, words = check(long_id)

    short, rest = out.splitlines()[0].split(", transitions 1 to 12")
    assert len(short) == cells
    assert short.startswith("a-very-")
    assert short.endswith("-id-")
    assert rest.endswith("their head")
    assert ID not in out + words


def test_a_long_id_is_whole_as_json(long_id: bytes, check: Any) -> None:
    """Programs get everything."""
    _, out, _ = check(long_id, "--json")

    assert json.loads(out)["damage"][0]["machine"] == ID
