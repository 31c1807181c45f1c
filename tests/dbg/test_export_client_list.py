"""A file that lists the machines while the debugger runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from am_dbg.egress.client_list import ClientList
from amtracer.errors import SessionAccessError
from tests.dbg.histories import HistoryPlayer, stored


def reported(*names: int) -> HistoryPlayer:
    player = HistoryPlayer()
    for name in names:
        player.enter(0, (0, name, 0))
    return player


def test_the_list_is_written_and_follows_the_store(tmp_path: Path) -> None:
    """After the start there is a list, after the stop it has everything."""
    path = tmp_path / "clients.txt"
    store = stored(reported(0))
    keeper = ClientList(store, str(path), round_s=60)
    keeper.start()
    stream = store.open_stream("more", live=True)
    for message in reported(1).messages:
        store.feed(stream, message)
    keeper.stop()
    keeper.stop()

    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line.split()[0] for line in lines] == ["machine", "m0", "m1", "2"]
    assert "#a #b" in lines[1]


def test_a_file_that_cannot_be_written_ends_the_start(tmp_path: Path) -> None:
    """The command fails before anything else happens."""
    keeper = ClientList(stored(reported(0)), str(tmp_path / "no" / "clients.txt"))

    with pytest.raises(SessionAccessError, match="no such file or directory"):
        keeper.start()
    keeper.stop()


def test_a_file_that_cannot_be_written_any_more_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The user and the log have one line that names the file; the debugger goes on."""
    folder, store, words = tmp_path / "lists", stored(reported(0)), list[str]()
    folder.mkdir()
    keeper = ClientList(store, str(folder / "c.txt"), warned=words.append, round_s=60)
    keeper.start()
    shutil.rmtree(folder)
    store.open_stream("more", live=True)
    keeper.stop()

    reason = f"{folder / 'c.txt'}: no such file or directory"
    assert words == [f"the list of machines is no longer written: {reason}"]
    assert caplog.messages == words
