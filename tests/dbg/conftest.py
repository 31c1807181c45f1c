"""What tests of the debugger's data side share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from am_dbg import app
from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import Exit
from am_dbg.options import RunOptions


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[..., RunOptions]:
    """Runs the screen with these words; gives what it is asked for."""

    def ask(*words: str) -> RunOptions:
        given: list[RunOptions] = []

        def run(options: RunOptions, _: object) -> int:
            given.append(options)
            return 0

        monkeypatch.setattr(app, "run", run)
        monkeypatch.setattr("am_dbg.cli.screen.why_no_screen", lambda: "")
        assert cli.run(list(words)) == Exit.DONE
        return given[0]

    return ask


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the files of all examples of a test."""
    return tmp_path_factory.mktemp("model")
