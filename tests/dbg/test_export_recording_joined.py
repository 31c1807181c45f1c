"""A recording that grows replaces small records by larger ones, and loses nothing by that."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from am_dbg.egress import live_record_stream
from am_dbg.egress.live_recording import LiveRecording
from am_dbg.ingest.importing import import_session
from am_dbg.store import Store
from am_dbg.store.packed.heads import RowsHead, unpack_rows_head
from amtracer.errors import CutSessionError, SessionError
from amtracer.files.record_walk import MemoryBytes, Record, RecordWalk
from amtracer.files.records import RecordKind
from tests.dbg.histories import HistoryPlayer
from tests.dbg.model import histories
from tests.dbg.test_export_copying import contents


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records are joined after three small ones, or seven rows."""
    monkeypatch.setattr(live_record_stream, "LOOSE_RECORDS_MAX", 3)
    monkeypatch.setattr(live_record_stream, "RECORD_ROWS_MAX", 7)


def rows_heads(path: Path) -> list[RowsHead]:
    source = MemoryBytes(path.read_bytes())
    records = [found for found in RecordWalk(source) if isinstance(found, Record)]
    return [
        unpack_rows_head(record.head(source))
        for record in records
        if record.header.kind == RecordKind.ROWS
    ]


def recorded(player: HistoryPlayer, path: Path) -> Iterator[tuple[Store, LiveRecording]]:
    """Record what a program sends, message by message; yields after each."""
    store = Store()
    recording = LiveRecording(store, pytest.fail)
    recording.open(str(path))
    stream = store.open_stream("program", live=True)
    for message in player.messages:
        store.feed(stream, message)
        recording.write_new()
        yield store, recording
    recording.close()
    yield store, recording


def recovered(path: Path) -> Store:
    store = Store()
    with pytest.raises(CutSessionError):
        import_session(store, str(path))
    return store


def long_run(transitions: int = 30) -> HistoryPlayer:
    player = HistoryPlayer(batch_rows=1)
    machine = player.enter(0)
    for at in range(transitions):
        player.transit(machine, (at % 8, at, at, at % 7, 4))
    player.writer.flush()
    return player


@settings(max_examples=40)
@given(histories)
def test_a_recording_has_what_the_store_has(history: list[tuple[int, ...]]) -> None:
    """Whatever came, in whichever pieces: every field, gap and clock is in the closed file."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "run.msgpack.br")
        player = HistoryPlayer(batch_rows=2, segment_rows=9).play(history)
        player.writer.flush()
        *_, (store, _) = recorded(player, path)
        copy = Store()
        import_session(copy, str(path))
        assert contents(copy.tracks) == contents(store.tracks)


def test_a_kill_costs_nothing_that_was_written(tmp_path: Path) -> None:
    """After every message the file has all transitions, each once."""
    path = tmp_path / "run.msgpack.br"
    for store, recording in recorded(long_run(), path):
        if recording._writer is not None:
            assert recovered(path).transitions == store.transitions


def test_small_records_are_replaced_while_the_file_grows(tmp_path: Path) -> None:
    """A joined record says how many records before it have the same rows."""
    path = tmp_path / "run.msgpack.br"
    for _, recording in recorded(long_run(), path):
        if recording._writer is not None:
            heads = rows_heads(path)
    assert {head.replaces for head in heads} == {0, 3}
    assert sum(head.rows for head in heads) > 30


def test_a_closed_recording_has_every_row_once(tmp_path: Path) -> None:
    """The file is copied without what was replaced, and no part of it is left."""
    path = tmp_path / "run.msgpack.br"
    for _ in recorded(long_run(), path):
        pass
    heads = rows_heads(path)
    assert sum(head.rows for head in heads) == 30
    assert not any(head.replaces for head in heads)
    assert os.listdir(tmp_path) == ["run.msgpack.br"]


def test_a_damaged_record_of_a_recording_costs_only_its_own_rows(tmp_path: Path) -> None:
    """If a small record was replaced, its damage costs nothing, and never another record."""
    path = tmp_path / "run.msgpack.br"
    for _, recording in recorded(long_run(), path):
        if recording._writer is not None:
            data = path.read_bytes()
    path.write_bytes(data)
    expected = recovered(path)
    source = MemoryBytes(data)
    records = [found for found in RecordWalk(source) if isinstance(found, Record)]
    joined_rows = sum(head.rows for head in rows_heads(path) if head.replaces)
    assert 0 < joined_rows < 30
    for record in records:
        if record.header.kind == RecordKind.ROWS:
            wrong = bytearray(data)
            wrong[record.end - 1] ^= 1
            path.write_bytes(wrong)
            store = Store()
            with pytest.raises(SessionError):
                import_session(store, str(path))
            missing = expected.transitions - store.transitions
            head = unpack_rows_head(record.head(source))
            is_twice = bool(head.replaces) or head.chunks[-1].first_row < joined_rows
            assert missing == (0 if is_twice else head.rows)


def test_without_room_for_a_copy_the_recording_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that grew is whole; its replaced records are skipped."""
    path = tmp_path / "run.msgpack.br"
    write = os.write
    grown = recorded(long_run(), path)

    def refuse_others(fd: int, data: bytes) -> int:
        if os.fstat(fd).st_ino != inode:
            raise OSError(28, "No space left on device")
        return write(fd, data)

    for at, _ in enumerate(grown):
        if at == 0:
            inode = path.stat().st_ino
            monkeypatch.setattr(os, "write", refuse_others)
    store = Store()

    assert import_session(store, str(path)) == 30
    assert any(head.replaces for head in rows_heads(path))
    assert os.listdir(tmp_path) == ["run.msgpack.br"]
