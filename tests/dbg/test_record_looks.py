"""Looks into a file of records: what they load, and what happens to the file meanwhile."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from am_dbg.egress.export import export_session
from am_dbg.ingest import importing
from am_dbg.ingest.importing import import_session
from am_dbg.query import ALL, Filters, Hits, Visible, canceled, errors
from am_dbg.store import Store, Track
from tests.dbg.histories import SMALL_CHUNKS, HistoryPlayer, stored

ROWS = 200


def session(path: Path, *, own_ids: bool = False) -> HistoryPlayer:
    """A file of two machines that take turns."""
    player = HistoryPlayer(batch_rows=4, segment_rows=50)
    machines = [player.enter(0), player.enter(1)]
    for at in range(ROWS):
        extra = 7 if own_ids else at % 7
        player.transit(machines[at % 2], (at % 8, at % 9, at % 8, extra, at % 7))
    player.writer.flush()
    export_session(stored(player, limits=SMALL_CHUNKS), path, all_ids=True)
    return player


def opened(path: Path) -> Store:
    """A store of which nothing is loaded."""
    store = Store()
    import_session(store, str(path))
    return store


def ask_counts(track: Track) -> object:
    visible = Visible(track, Filters(auto=False, empty=False))
    return visible.count, errors(visible).count, canceled(visible).count


def ask_places(track: Track) -> object:
    return track.row_at(9), track.number_at_row(9), track.schema_at(9), track.gaps_after(9)


def ask_strange_ids(track: Track) -> object:
    return track.number_of("no id of this machine"), track.number_of("f" * 32)


@pytest.mark.parametrize(
    "ask", [ask_counts, ask_places, ask_strange_ids], ids=lambda ask: ask.__name__
)
def test_what_heads_know_loads_no_rows(ask: Callable[[Track], object], tmp_path: Path) -> None:
    """Counts by facts, places by number and ids of nobody are answered without a body."""
    session(tmp_path / "file")
    store = opened(tmp_path / "file")

    answers = [ask(track) for track in store.tracks]

    assert answers
    assert store.loaded.bytes == 0


def test_own_ids_load_only_chunks_that_have_some(tmp_path: Path) -> None:
    """An id that follows no rule is found, and its neighbours follow the rule."""
    player = session(tmp_path / "file", own_ids=True)
    store = opened(tmp_path / "file")

    for machine, track in zip(player.machines, store.tracks, strict=True):
        for number, record in enumerate(machine.past, 1):
            assert track.number_of(record["id"]) == number
    assert store.loaded.bytes > 0


def everything(track: Track) -> list[object]:
    """All transitions and clocks of a track."""
    numbers = range(1, track.count + 1)
    return [(track.transition(number), track.clock_at(number)) for number in numbers]


@pytest.mark.parametrize("what", ["renamed", "removed", "replaced"])
def test_a_file_that_is_renamed_or_replaced_is_read_on(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that was opened is the one that is read, whatever has its name later."""
    monkeypatch.setattr(importing, "READ_AT_ONCE_BYTES_MAX", 0)
    path = tmp_path / "file"
    session(path)
    expected = [everything(track) for track in opened(path).tracks]
    store = opened(path)
    if what == "renamed":
        path.rename(tmp_path / "other")
    elif what == "removed":
        path.unlink()
    else:
        (tmp_path / "new").write_bytes(bytes(path.stat().st_size))
        os.replace(tmp_path / "new", path)

    assert [everything(track) for track in store.tracks] == expected


def test_threads_that_look_at_once_see_the_same(tmp_path: Path) -> None:
    """The cache holds one record, so readers load all the time what others need."""
    session(tmp_path / "file")
    expected = [everything(track) for track in opened(tmp_path / "file").tracks]
    hits = [Hits(Visible(track, ALL), "boom").count for track in opened(tmp_path / "file").tracks]
    store = opened(tmp_path / "file")
    store.loaded.bytes_max = 1
    start = threading.Barrier(4)

    def read() -> tuple[list[list[object]], list[int]]:
        start.wait(30)
        seen = [everything(track) for track in store.tracks]
        return seen, [Hits(Visible(track, ALL), "boom").count for track in store.tracks]

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        assert all(reader.result(60) == (expected, hits) for reader in readers)
