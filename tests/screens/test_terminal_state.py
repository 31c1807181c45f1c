"""The debugger on a real terminal keeps what the next start begins with."""

from __future__ import annotations

from pathlib import Path

from tests.screens.stories import files_story
from tests.screens.test_terminal import Terminal, pytestmark, session_file

__all__ = ["pytestmark"]


def test_a_session_file_opens_where_it_was_left(tmp_path: Path) -> None:
    """Also under another name, because its content counts."""
    path = Path(session_file(files_story(), tmp_path))
    first = Terminal("-l", "-1", "-i", str(path))
    first.until(b"tx 14")
    first.type(b"\x1b[D\x1b[D")
    first.until(b"tx 12")
    first.type(b"q")
    assert first.ended() == 0

    moved = path.rename(tmp_path / "moved.msgpack.br")
    second = Terminal("-l", "-1", "-i", str(moved))
    second.until(b"as you left it: mach://worker/12")
    second.type(b"q")

    assert second.ended() == 0


def test_start_options_come_from_the_configuration(tmp_path: Path) -> None:
    """A fault in the file is shown with its line, and the rest is used."""
    config = tmp_path / "config.toml"
    config.write_text('[start]\nlisten-on = "-1"\nview = "tree-rain"\nreder = true\n')
    path = session_file(files_story(), tmp_path)
    opened = Terminal("-i", path, size=(200, 45), AM_DBG_CONFIG=str(config))
    opened.until(b"config.toml:4")
    opened.until(b" Rain ")
    opened.type(b"q")

    assert opened.ended() == 0
