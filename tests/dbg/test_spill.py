"""History that memory has no room for is on the disk, and nobody who reads notices it."""

from __future__ import annotations

import errno
import gc
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

import machine as am
from am_dbg.cli.session import read_session
from am_dbg.egress.convert import write_json_lines
from am_dbg.egress.export import export_session, selected
from am_dbg.ingest.importing import import_session
from am_dbg.query import Filters, Hits, Visible
from am_dbg.store import Store, Track
from am_dbg.store.spilling import spill
from am_dbg.store.spilling.spill import FILES_PER_DISK, GROWN_ROWS, ROWS_PER_CALL, Spill
from am_dbg.store.spilling.spill_file import UnnamedFile
from amtracer.files.records import compressed
from amtracer.files.session import SessionWriter
from amtracer.wire.messages import (
    MachineMessage,
    Message,
    Run,
    SchemaMessage,
    SegmentMessage,
    ShapeMessage,
)
from tests.dbg.histories import SMALL_CHUNKS, HistoryPlayer, hello, stored
from tests.dbg.model import histories
from tests.dbg.test_store_weights import AGAIN, FACTOR, opening, rows, states, walked
from tests.wire.test_redacting import SECRET, STRUCT, hide, spoken
from tests.wire.tracing import FakeSender, StreamRecorder

MEGABYTE = 1_000_000
ROWS = 1_000
DISK_MAX = 64_000


def batches(count: int, *, segments: bool = False) -> Iterator[Message]:
    """The messages of one machine with so many batches of rows."""
    yield from (*opening(), ShapeMessage(0, 0, AGAIN))
    for number in range(count):
        if segments and number:
            yield from (SegmentMessage(), ShapeMessage(0, 0, AGAIN))
        own = {at: os.urandom(8).hex() for at in range(0, ROWS, 8)}
        yield rows(ROWS * number, ROWS, ids=own)


def fed(store: Store, messages: Iterator[Message]) -> Track:
    stream = store.open_stream("fed", live=False)
    for message in messages:
        store.feed(stream, message)
    return store.tracks[0]


def moving(**rest: object) -> tuple[Store, Spill]:
    """A store that moves everything that it can."""
    store = Store(bytes_max=1)
    return store, Spill(store, **{"disk_max": 10**9, **rest})  # type: ignore[arg-type]


def lines_of(store: Store, folder: Path) -> str:
    """All that a store knows of its transitions."""
    path = folder / "lines.jsonl"
    write_json_lines(store, str(path), selected(store))
    return path.read_text(encoding="utf-8", errors="surrogatepass")


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(histories)
def test_what_was_moved_answers_as_what_was_not(history: list[tuple[int, ...]]) -> None:
    """Every transition, clock, filter and hit is the same, whatever the history is."""
    player = HistoryPlayer(batch_rows=4, segment_rows=9).play(history)
    with tempfile.TemporaryDirectory() as folder:
        plain = stored(player, limits=SMALL_CHUNKS)
        store = Store(bytes_max=1, chunk_limits=SMALL_CHUNKS)
        moved = Spill(store, 10**9)
        stream = store.open_stream("played", live=False)
        for message in player.messages:
            store.feed(stream, message)
        store.close_stream(stream)
        moved.make_room()

        for track, other in zip(store.tracks, plain.tracks, strict=True):
            assert all(chunk.is_loaded for chunk in track.chunks)
            assert _answers(track) == _answers(other)
        assert lines_of(store, Path(folder)) == lines_of(plain, Path(folder))
        again, written = Store(), str(Path(folder, "moved.msgpack.br"))
        export_session(store, written, all_ids=True)
        import_session(again, written)
        assert lines_of(again, Path(folder)) == lines_of(plain, Path(folder))
        assert list(store.ended_segments()) == []


def _answers(track: Track) -> list[object]:
    shown = Visible(track, Filters(text="start"))
    numbers = range(track.first, track.count + 1)
    hits = Hits(Visible(track, Filters(empty=True)), "boom")
    clocks = [track.clock_at(number) for number in numbers]
    ids = [track.number_of(track.tx_id_at(number)) for number in numbers]
    return [shown.count, hits.count, clocks, ids, track.count, track.gaps]


@pytest.mark.parametrize("segments", [True, False])
def test_a_session_of_moved_history_is_written_whole(segments: bool, tmp_path: Path) -> None:
    """It is read back with everything that the store had."""
    store, again = moving()[0], Store()
    fed(store, batches(12, segments=segments))
    store.close_stream(0)
    export_session(store, str(tmp_path / "moved"), all_ids=True)
    import_session(again, str(tmp_path / "moved"))

    (one,), (other,) = store.tracks, again.tracks
    assert (one.count, one.gaps, one.ticks) == (other.count, other.gaps, other.ticks)
    for number in range(1, one.count + 1, 61):
        assert one.transition(number) == other.transition(number)
        assert one.clock_at(number) == other.clock_at(number)


@pytest.mark.slow
def test_half_of_the_limit_stays_free() -> None:
    """History is moved as it arrives, and all of it can be read."""
    plain, store = Store(), Store(bytes_max=MEGABYTE)
    Spill(store, 10**9)
    fed(plain, batches(200))
    track = fed(store, batches(200))

    assert store.size() < 0.6 * MEGABYTE < plain.size()
    assert (track.first, track.count) == (1, 200 * ROWS)
    assert track.transition(ROWS).number == ROWS
    assert store.is_whole


def test_chunks_that_grow_slowly_are_moved_too() -> None:
    """Many machines with little history each do not fill the memory."""
    store, _ = moving()
    stream = store.open_stream("fed", live=True)
    store.feed(stream, hello("s"))
    store.feed(stream, SchemaMessage(0, states(2)))
    for number in range(20):
        store.feed(stream, MachineMessage(number, f"m{number}", 0, ticks=(1, 0)))
    store.feed(stream, ShapeMessage(0, 0, AGAIN))
    for number in range(20):
        store.feed(stream, replace(rows(0, GROWN_ROWS), runs=(Run(number, 0, GROWN_ROWS),)))
        store.feed(stream, replace(rows(0, 1), runs=(Run(number, GROWN_ROWS, 1),)))

    for track in store.tracks:
        assert [chunk.is_loaded for chunk in track.chunks] == [True, False]
        assert track.count == GROWN_ROWS + 1
        assert track.clock_at(track.count) == (1 + 2 * track.count, 0)


def test_one_message_moves_only_a_part() -> None:
    """A program that sends does not wait until half of the memory is free again."""
    plain, store = Store(), Store(bytes_max=10 * MEGABYTE)
    fed(plain, batches(200))
    fed(store, batches(200))
    store.bytes_max = plain.size() * 3 // 2
    Spill(store, 10**9).make_room()
    moved = sum(chunk.rows for chunk in store.tracks[0].chunks if chunk.is_loaded)

    assert ROWS_PER_CALL <= moved < 2 * ROWS_PER_CALL
    assert store.size() > store.bytes_max // 2


def test_what_is_loaded_again_keeps_to_the_limit_too() -> None:
    """A search through all history does not bring it back into memory."""
    store = Store(bytes_max=MEGABYTE)
    Spill(store, 10**9)
    track = fed(store, batches(100))
    for number in range(1, track.count, ROWS):
        track.transition(number)

    assert 0 < store.loaded.bytes <= MEGABYTE // 8


def test_what_was_moved_weighs_what_it_takes() -> None:
    """The memory of heads and loaders counts."""
    store, _ = moving()
    fed(store, batches(100))
    gc.collect()

    assert 1 / FACTOR < store.size() / walked(store) < FACTOR


def test_the_oldest_history_is_dropped_when_the_disk_limit_is_reached() -> None:
    """Numbers stay, the files stay below their limit, and it is reported once."""
    words: list[str] = []
    store, moved = moving(disk_max=DISK_MAX, before_drop=lambda: None, warned=words.append)
    track = fed(store, batches(80))

    assert 1 < track.first < track.count == 80 * ROWS
    assert track.transition(track.first).number == track.first
    assert moved.disk_bytes < DISK_MAX * (1 + 2 / FILES_PER_DISK)
    assert not store.is_whole
    assert words == ["the oldest history is dropped (--max-disk allows 0 MB)"]


def test_what_is_dropped_is_reported_before() -> None:
    """So a recording can write it to its file first."""
    firsts: list[int] = []
    store, _ = moving(disk_max=DISK_MAX, before_drop=lambda: firsts.append(store.tracks[0].first))
    fed(store, batches(80))

    assert firsts[0] == 1
    assert firsts == sorted(set(firsts))


def test_a_store_that_must_stay_whole_drops_nothing_for_the_disk() -> None:
    """What the disk limit does not allow stays in memory."""
    words: list[str] = []
    store, moved = moving(disk_max=DISK_MAX, warned=words.append)
    track = fed(store, batches(80))

    assert (track.first, track.count) == (1, 80 * ROWS)
    assert moved.disk_bytes < DISK_MAX * (1 + 2 / FILES_PER_DISK)
    assert [line.partition(" (")[2] for line in words] == ["--max-disk allows 0 MB)"]


def test_a_full_disk_costs_no_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was moved before can be read, the rest stays in memory, and it is reported once."""
    words: list[str] = []
    store, moved = moving(warned=words.append)
    messages = list(batches(80))
    stream = store.open_stream("fed", live=False)
    for message in messages[:40]:
        store.feed(stream, message)
    before = moved.disk_bytes

    def refuse(fd: int, data: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", refuse)
    for message in messages[40:]:
        store.feed(stream, message)
    (track,) = store.tracks

    assert before == moved.disk_bytes > 0
    assert [track.transition(number).number for number in (1, track.count)] == [1, track.count]
    assert len(words) == 1
    assert words[0].endswith("takes no more history: no space left on device")


def test_a_full_disk_takes_new_history_for_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that may drop history goes on with the room that there is."""
    store, moved = moving(before_drop=lambda: None)
    messages, real = list(batches(80)), os.pwrite

    def refuse(fd: int, data: bytes, offset: int) -> int:
        if moved.disk_bytes + len(data) > DISK_MAX:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", refuse)
    track = fed(store, iter(messages))

    assert 0 < moved.disk_bytes <= DISK_MAX
    assert 1 < track.first < track.count == 80 * ROWS
    assert all(chunk.is_loaded for chunk in track.chunks[:-1])
    assert track.transition(track.first).number == track.first


def test_a_folder_that_cannot_be_written_costs_no_history(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Everything stays in memory."""
    words: list[str] = []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    store, moved = moving(warned=words.append)
    track = fed(store, batches(20))

    assert moved.disk_bytes == 0
    assert track.transition(1).number == 1
    assert len(words) == 1


def test_an_append_that_failed_halfway_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is written over it."""
    file, left = UnnamedFile(), [4]
    real = os.pwrite

    def scarce(fd: int, data: bytes, offset: int) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "full")
        written = real(fd, data[: left[0]], offset)
        left[0] -= written
        return written

    monkeypatch.setattr(os, "pwrite", scarce)
    with pytest.raises(OSError, match="full"):
        file.append(b"abcdefgh")
    left[0] = 100
    file.append(b"xyz")

    assert (file.size, file.read(0, 3)) == (3, b"xyz")


def test_nobody_else_can_open_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It has no name, so a killed process leaves nothing, and only its user may read it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    file = UnnamedFile()
    file.append(b"secret")
    found = os.fstat(file._fd)

    assert list(tmp_path.iterdir()) == []
    assert (found.st_nlink, stat.S_IMODE(found.st_mode)) == (0, 0o600)
    assert not os.get_inheritable(file._fd)


def test_files_are_freed_when_nothing_of_them_is_needed() -> None:
    """All but the one that is written, when a machine or a stream is removed."""
    store, moved = moving(disk_max=FILES_PER_DISK * 4_000)
    track = fed(store, batches(20))
    before = moved.disk_bytes
    store.close_stream(0)
    store.forget_stream(0)
    del track
    gc.collect()

    assert before > 8_000
    assert moved.disk_bytes < 8_000


@pytest.mark.parametrize("hides", [True, False])
def test_a_hidden_text_is_never_on_the_disk(hides: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hooks of a program hide it before it is sent."""
    written: list[bytes] = []

    def compress(content: bytes) -> bytes:
        written.append(content)
        return compressed(content)

    monkeypatch.setattr(spill, "compressed", compress)
    mach, sender, recorder = am.Machine(None, STRUCT, id="m"), FakeSender(), StreamRecorder()
    sender.trace(mach, **({"redact": hide} if hides else {}))
    spoken(mach)
    recorder.begin()
    recorder.record(sender.events)
    recorder.writer.flush()
    store, _ = moving()
    fed(store, iter((*recorder.messages, SegmentMessage())))
    store.close_stream(0)
    store.on_pressure()  # type: ignore[misc]

    content = b"".join(written)
    assert store.tracks[0].chunks[0].is_loaded
    assert b"extern" in content
    assert (SECRET.encode() in content) is not hides


@pytest.mark.slow
def test_a_session_larger_than_memory_is_read(tmp_path: Path) -> None:
    """Commands read it whole and keep to the limit of their memory."""
    path = str(tmp_path / "large.msgpack.br")
    with SessionWriter(path) as file:
        for message in batches(600):
            file.write(message)
    whole = Store()
    import_session(whole, path)
    store, error = read_session(path, 1)

    assert whole.size() > 2 * MEGABYTE > 2 * store.size()
    assert error is None
    assert store.transitions == whole.transitions == 600 * ROWS
