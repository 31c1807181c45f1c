"""A session file that grows with the store, so that a kill costs little."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from am_dbg.cli import collect as collecting
from am_dbg.cli import commands as cli
from am_dbg.cli.collect import collect
from am_dbg.cli.exit_codes import Exit
from am_dbg.egress.export import export_session
from am_dbg.egress.live_recording import LiveRecording
from am_dbg.ingest.importing import import_session
from am_dbg.store import GapKind, Store
from amtracer.address import listen_address
from amtracer.errors import CutSessionError, LimitError, SessionAccessError
from amtracer.files.record_walk import MemoryBytes, Record, RecordWalk
from amtracer.files.records import RecordKind
from amtracer.files.session import SessionWriter
from amtracer.wire.codec import unpack_messages
from amtracer.wire.messages import MachineMessage
from tests.dbg.histories import HistoryPlayer
from tests.wire.streams import HELLO


class Source:
    """Programs that feed a store, and a recording of it."""

    def __init__(self, path: Path) -> None:
        self.store = Store()
        self.words: list[str] = []
        self.recording = LiveRecording(self.store, self.words.append)
        self.path = path

    def open(self) -> None:
        self.recording.open(str(self.path))

    def feed(self, player: HistoryPlayer, stream: int) -> None:
        player.writer.flush()
        for message in player.messages:
            self.store.feed(stream, message)
        player.messages.clear()
        self.recording.write_new()

    def begin(self, player: HistoryPlayer) -> int:
        stream = self.store.open_stream("program", live=True)
        self.feed(player, stream)
        return stream


def recovered(path: Path) -> Store:
    """What the file holds so far."""
    store = Store()
    with pytest.raises(CutSessionError):
        import_session(store, str(path))
    return store


def refuse(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path / "run.msgpack.br")


def transit(player: HistoryPlayer, at: int) -> None:
    player.transit(player.machines[at % len(player.machines)], (at % 8, at, at, at % 7, 4))


def test_what_was_kept_is_in_the_file(source: Source) -> None:
    """After each keep everything so far can be read, of all programs, as it was reported."""
    one, two = HistoryPlayer("one"), HistoryPlayer("two")
    one.enter(0)
    two.enter(1, (0, 1, 0))
    two.enter(1, (0, 0, 2))
    source.open()
    streams = [source.begin(one), source.begin(two)]
    for at in range(30):
        for player, stream in zip((one, two), streams, strict=True):
            transit(player, at)
            source.feed(player, stream)
        copy = recovered(source.path)
        assert copy.transitions == source.store.transitions
    for track, original in zip(copy.tracks, source.store.tracks, strict=True):
        assert (track.key, track.ticks) == (original.key, original.ticks)
        for number in range(1, track.count + 1):
            assert track.transition(number) == original.transition(number)
            assert track.row_at(number) == original.row_at(number)


def test_lost_connections_and_lost_transitions_are_kept_as_gaps(source: Source) -> None:
    """Where a program came back, the file has the number of missing transitions."""
    player = HistoryPlayer("same")
    player.enter(0)
    source.open()
    stream = source.begin(player)
    transit(player, 1)
    source.feed(player, stream)
    source.store.close_stream(stream, "connection lost")
    source.recording.write_new()
    again = HistoryPlayer("same")
    again.writer.machine(
        "m0",
        again.writer.schema(source.store.tracks[0].states),
        ticks=source.store.tracks[0].ticks,
        row=8,
        tx_prefix=source.store.tracks[0].identity.tx_prefix,
    )
    again.machines = player.machines
    again.machines[0].number = 0
    stream = source.begin(again)
    again.drop(again.machines[0], (0, 4))
    transit(again, 1)
    source.feed(again, stream)

    gaps = recovered(source.path).tracks[0].gaps
    assert [(gap.after_number, gap.lost, gap.kind) for gap in gaps[:2]] == [
        (1, 7, GapKind.RECONNECTED),
        (1, 4, GapKind.DROPPED),
    ]


def test_what_comes_last_is_kept_without_a_transition_after_it(source: Source) -> None:
    """Losses, a new schema and ends are in the file as soon as they are shown."""
    left, stays = HistoryPlayer("left"), HistoryPlayer("stays")
    left.enter(0, (0, 0, 0))
    stays.enter(1, (0, 1, 0))
    source.open()
    streams = [source.begin(left), source.begin(stays)]
    transit(left, 1)
    left.drop(left.machines[0], (1, 1_000))
    source.feed(left, streams[0])
    transit(stays, 1)
    stays.change_schema(stays.machines[0], (0, 3))
    source.feed(stays, streams[1])
    source.store.close_stream(streams[0])
    source.recording.write_new()

    gone, cut = recovered(source.path).tracks
    assert [(gap.after_number, gap.lost) for gap in gone.gaps] == [(1, 1_000)]
    assert [gap.kind for gap in cut.gaps] == [GapKind.SCHEMA, GapKind.CUT]
    assert [gone.ticks, cut.ticks] == [track.ticks for track in source.store.tracks]
    assert cut.states == source.store.tracks[1].states


def test_a_recording_that_is_closed_is_whole(source: Source) -> None:
    """Its end message is there; closing again is no matter, and nothing more is kept."""
    player = HistoryPlayer()
    player.enter(0)
    source.recording.write_new()
    source.open()
    source.begin(player)
    source.recording.close()
    source.recording.close()
    source.recording.write_new()

    assert import_session(Store(), str(source.path)) == 0


def test_a_full_disk_ends_the_recording_and_not_the_collection(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is reported once; what came before stays readable."""
    player = HistoryPlayer()
    player.enter(0)
    source.open()
    stream = source.begin(player)
    transit(player, 1)
    source.feed(player, stream)
    monkeypatch.setattr(os, "write", refuse)
    for at in range(3):
        transit(player, at)
        source.feed(player, stream)
    source.recording.close()

    assert len(source.words) == 1
    assert source.words[0].endswith("run.msgpack.br: no space left on device")
    assert recovered(source.path).transitions == 1
    assert source.store.transitions == 4


def test_a_disk_that_is_full_at_the_end_leaves_a_cut_file(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without room for the end message the file opens as far as it goes."""
    player = HistoryPlayer()
    player.enter(0)
    source.open()
    source.begin(player)
    monkeypatch.setattr(os, "write", refuse)
    source.recording.close()

    assert "the recording stays cut" in source.words[0]
    assert len(recovered(source.path).tracks) == 1


def test_what_no_stream_can_hold_ends_the_recording(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A schema that no stream takes is reported; the collection goes on."""

    def refuse(_: object) -> int:
        raise LimitError("states of a schema", 5, 4)

    source.open()
    for name in range(3):
        player = HistoryPlayer()
        player.enter(0, (0, name, 0))
        if name == 2:
            monkeypatch.setattr(source.recording._stream, "schema", refuse)
        source.begin(player)

    assert len(source.words) == 1
    assert "states of a schema" in source.words[0]
    assert len(recovered(source.path).tracks) == 2
    assert len(source.store.tracks) == 3


def test_what_a_killed_debugger_kept_is_set_aside(source: Source) -> None:
    """Recording again under the same name reports the new name of the cut recording."""
    player = HistoryPlayer()
    player.enter(0)
    source.open()
    stream = source.begin(player)
    transit(player, 1)
    source.feed(player, stream)
    assert source.recording._writer is not None
    source.recording._writer.release()  # as a kill does
    again = Source(source.path)
    again.open()
    again.recording.close()

    kept = source.path.with_name("run.cut.msgpack.br")
    assert recovered(kept).transitions == 1
    assert again.words == [f"the earlier recording is kept as {kept}"]


# The collection that has such a recording.


def collected(path: Path, wait: Callable[[], None]) -> None:
    collect(listen_address(":0"), str(path), wait)


def test_a_collection_has_its_file_from_the_beginning(tmp_path: Path) -> None:
    """While programs can connect there is a file already."""
    path = tmp_path / "run.msgpack.br"
    collected(path, lambda: assert_cut(path))

    assert import_session(Store(), str(path)) == 0
    assert os.listdir(tmp_path) == ["run.msgpack.br"]


def assert_cut(path: Path) -> None:
    assert list(recovered(path).tracks) == []


def test_where_nothing_can_be_written_is_reported_before_anything_is_collected(
    tmp_path: Path,
) -> None:
    """Nobody collects for hours what then cannot be written."""
    with pytest.raises(SessionAccessError, match="no such file or directory"):
        collected(tmp_path / "none" / "run.msgpack.br", pytest.fail)


def test_a_file_that_is_being_recorded_is_left_to_its_writer(tmp_path: Path) -> None:
    """Neither a collection nor an export takes its place."""
    path = tmp_path / "run.msgpack.br"
    with SessionWriter(path, live=True) as writer:
        writer.write(HELLO)
        with pytest.raises(SessionAccessError, match="another process is writing it"):
            collected(path, pytest.fail)
        with pytest.raises(SessionAccessError, match="another process is writing it"):
            export_session(Store(), path)
        assert os.listdir(tmp_path) == ["run.msgpack.br"]

    assert import_session(Store(), str(path)) == 0


def test_an_export_that_fails_at_the_end_leaves_what_grew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that grew is whole by then."""
    path = tmp_path / "run.msgpack.br"

    def fail(*_: object) -> None:
        raise SessionAccessError("run", "no space left on device")

    monkeypatch.setattr(collecting, "export_session", fail)
    with pytest.raises(SessionAccessError):
        collected(path, lambda: None)

    assert import_session(Store(), str(path)) == 0


def test_a_machine_is_written_twice_however_often_it_is_kept(source: Source) -> None:
    """Once as it comes, and once more in case that this record is damaged."""
    player = HistoryPlayer()
    player.enter(0)
    source.open()
    source.begin(player)
    for _ in range(5):
        source.recording.write_new()
    source.recording.close()

    bytes_ = MemoryBytes(source.path.read_bytes())
    opening = [found for found in RecordWalk(bytes_) if isinstance(found, Record)]
    messages = [
        message
        for record in opening
        if record.header.kind == RecordKind.OPENING
        for _, message in unpack_messages(record.body(bytes_), "")
    ]
    assert sum(isinstance(message, MachineMessage) for message in messages) == 2


def test_a_cut_recording_is_converted_as_far_as_it_goes(
    source: Source, capsys: pytest.CaptureFixture[str]
) -> None:
    """The new file is whole, its machines keep the mark; that something is missing is reported."""
    player = HistoryPlayer()
    player.enter(0)
    source.open()
    stream = source.begin(player)
    for at in range(5):
        transit(player, at)
    source.feed(player, stream)
    target = source.path.with_name("mended.msgpack.br")
    code = cli.run(["convert", str(source.path), str(target)])
    store = Store()

    assert code == Exit.BAD_INPUT
    assert "cut: 5 transitions recovered" in capsys.readouterr().err
    assert import_session(store, str(target)) == 5
    assert [gap.kind for gap in store.tracks[0].gaps] == [GapKind.CUT]
