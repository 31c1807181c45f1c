"""A file that lists the machines while the debugger runs."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from am_dbg.client_list import ClientList
from tests.dbg.telling import Telling, stored


def told(*names: int) -> Telling:
    telling = Telling()
    for name in names:
        telling.enter(0, (0, name, 0))
    return telling


def test_the_list_is_written_and_follows_the_store(tmp_path: Path) -> None:
    """After the start there is a list, after the stop it tells of everything."""
    path = tmp_path / "clients.txt"
    store = stored(told(0))
    keeper = ClientList(store, str(path), round_s=60)
    keeper.start()
    stream = store.open_stream("more", live=True)
    for message in told(1).messages:
        store.feed(stream, message)
    keeper.stop()
    keeper.stop()

    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line.split()[0] for line in lines] == ["machine", "m0", "m1", "2"]
    assert "#a #b" in lines[1]


def test_a_file_that_cannot_be_written_is_told_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Trouble with the file is one line in the log, the debugger goes on."""
    keeper = ClientList(stored(told(0)), str(tmp_path / "no" / "clients.txt"), round_s=0.001)
    with caplog.at_level(logging.ERROR):
        keeper.start()
        keeper.stop()

    assert len(caplog.records) == 1
