"""A session from standard input, with keys from the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from am_dbg.cli import terminal
from am_dbg.cli.exit_codes import Exit
from am_dbg.cli.terminal import is_standard_input, take_terminal
from tests.screens.stories import files_story
from tests.screens.test_terminal import ALTERNATE_OFF, CURSOR_ON, MOUSE_OFF, Terminal, session_file

LEFT = b"\x1b[D"

slow = pytest.mark.slow


@pytest.fixture
def session(tmp_path: Path) -> str:
    """The file of the story, whose main machine has 14 transitions."""
    return session_file(files_story(), tmp_path)


@slow
@pytest.mark.parametrize(
    "line",
    [
        "cat $1 | $AM -l -1 -i -",
        "$AM -l -1 -i - < $1",
        "cat $1 | $AM -l -1 -i /dev/stdin",
        "$AM -l -1 -i <(cat $1)",
    ],
)
def test_a_session_may_be_piped_into_the_screen(session: str, line: str) -> None:
    """All of it is read, then keys work, and the terminal is restored."""
    with closing(Terminal(session, line=line)) as opened:
        opened.until(b"tx 14")
        opened.type(LEFT)
        opened.until(b"tx 13")
        opened.type(b"q")

        assert opened.ended() == 0
        assert all(code in opened.output for code in (ALTERNATE_OFF, MOUSE_OFF, CURSOR_ON))


@slow
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("cat $1 | setsid -w $AM -l -1 -i -", b"standard input is not a terminal"),
        (
            "cat $1 | $AM -l -1 -i - | cat; exit ${PIPESTATUS[1]}",
            b"standard input is not a terminal",
        ),
        ("cat $1 | TERM=dumb $AM -l -1 -i -", b"TERM is dumb"),
        ("$AM -l -1 < /dev/null", b"standard input is not a terminal"),
        ("cat /dev/null | $AM -l -1 -i -", b"empty file"),
    ],
)
def test_without_a_source_of_keys_the_screen_is_refused(
    session: str, line: str, reason: bytes
) -> None:
    """Without a terminal for input or output, one line gives the reason."""
    with closing(Terminal(session, line=line)) as opened:
        assert opened.ended() == Exit.BAD_INPUT
        assert reason in opened.output
        assert opened.output.count(b"\n") == 1


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Standard input is the reading end of a pipe."""
    kept = os.dup(0)
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.close(reading)
    yield writing
    os.dup2(kept, 0)
    os.close(kept)
    os.close(writing)


def test_standard_input_is_recognised_by_all_its_names(pipe: int, tmp_path: Path) -> None:
    """A dash, a device or a descriptor; not another file."""
    names = ["-", "/dev/stdin", f"/proc/{os.getpid()}/fd/0"]

    assert all(map(is_standard_input, names))
    assert not any(map(is_standard_input, ["", "none", str(tmp_path), "http://host/x", "a\0b"]))


def test_input_is_not_replaced_without_a_terminal(
    pipe: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither without one for output nor without one for input."""
    before = os.fstat(0)
    take_terminal()
    assert os.path.samestat(os.fstat(0), before)

    monkeypatch.setattr(terminal, "is_terminal", lambda stream: stream is sys.stdout)
    monkeypatch.setattr(terminal, "CONTROLLING", "/nowhere/tty")
    take_terminal()
    assert os.path.samestat(os.fstat(0), before)


def test_input_is_replaced_by_the_terminal(
    pipe: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The descriptor keeps its number, so all its readers read the terminal."""
    stands_in = tmp_path / "tty"
    stands_in.write_text("keys")
    monkeypatch.setattr(terminal, "is_terminal", lambda stream: stream is sys.stdout)
    monkeypatch.setattr(terminal, "CONTROLLING", str(stands_in))
    take_terminal()

    assert os.read(0, 10) == b"keys"
