"""`am-dbg diff` on a real terminal: the comparison, the debugger on one side, and back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from am_dbg.cli.exit_codes import Exit
from am_dbg.egress.export import export_session
from tests.dbg.test_comparison import twin
from tests.screens.test_terminal import ALTERNATE_OFF, CURSOR_ON, Terminal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there are no ptys"),
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """Two sessions that differ."""
    paths = str(tmp_path / "good.msgpack.br"), str(tmp_path / "bad.msgpack.br")
    for path, fault in zip(paths, ("", "reader"), strict=True):
        export_session(twin(fault=fault).store(), path)
    return paths


@pytest.fixture
def comparison(files: tuple[str, str]) -> Iterator[Terminal]:
    """The command on a terminal, with the screen open."""
    opened = Terminal("diff", *files)
    try:
        opened.until(b"2 machines differ")
        yield opened
    finally:
        opened.close()


def test_a_terminal_shows_the_comparison(comparison: Terminal) -> None:
    """Q ends with the exit code of a difference, and the terminal is as before."""
    comparison.type(b"q")

    assert comparison.ended() == Exit.DIFFERENT
    assert ALTERNATE_OFF in comparison.output
    assert CURSOR_ON in comparison.output


def test_a_side_opens_in_the_debugger_and_closes_again(comparison: Terminal) -> None:
    """Enter opens the transition under the cursor; q returns to the comparison."""
    comparison.type(b"\r")
    comparison.until(b"filters")
    seen = len(comparison.output)
    comparison.type(b"q")
    while b"2 machines differ" not in comparison.output[seen:]:
        assert comparison.read(10.0)
    comparison.type(b"q")

    assert comparison.ended() == Exit.DIFFERENT


def test_equal_sessions_open_no_screen(files: tuple[str, str]) -> None:
    """Without a difference there is nothing to look at: one line, and exit code 0."""
    terminal = Terminal("diff", files[0], files[0])
    try:
        assert terminal.ended() == Exit.DONE
        assert b"no difference" in terminal.output
        assert ALTERNATE_OFF not in terminal.output
    finally:
        terminal.close()


def test_an_unknown_theme_is_refused(files: tuple[str, str]) -> None:
    """The options of colours are those of the debugger's screen."""
    terminal = Terminal("diff", *files, "--theme", "drak")
    try:
        assert terminal.ended() == Exit.BAD_INPUT
        assert b"dark" in terminal.output
    finally:
        terminal.close()
