"""A session file of version 3 leads to the same store as the messages of the session."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from am_dbg.ingest import importing
from am_dbg.ingest.importing import import_session
from am_dbg.store import GapKind, Store
from amtracer.errors import CutSessionError, TrailingBytesError
from amtracer.files.record_walk import MemoryBytes, Record, RecordWalk
from amtracer.files.records import RecordKind
from tests.dbg.histories import HistoryPlayer, stored
from tests.dbg.model import histories
from tests.dbg.record_files import (
    Content,
    contents,
    exported,
    file_of,
    imported,
    row_values,
    split_rows,
    track_values,
)

EXPORTS = [
    pytest.param(path, id=path.name, marks=[pytest.mark.slow] * (path.stat().st_size > 100_000))
    for path in sorted((Path(__file__).parents[2] / "exports").glob("*.msgpack.br"))
]


@pytest.mark.parametrize("path", EXPORTS)
def test_every_kept_session_is_the_same_in_version_3(path: Path, tmp_path: Path) -> None:
    """Every transition, clock, gap, note, line and snapshot of every machine."""
    before = Store()
    import_session(before, str(path))

    after, error = imported(exported(before, tmp_path), tmp_path)

    assert error is None
    assert after.transitions == before.transitions
    for one, other in zip(before.tracks, after.tracks, strict=True):
        assert track_values(one) == track_values(other)


@settings(max_examples=40)
@given(st.lists(histories, min_size=1, max_size=3), st.integers(1, 9), st.integers(5, 40))
def test_any_session_is_the_same_in_version_3(
    streams: list[list[tuple[int, ...]]], batch_rows: int, segment_rows: int
) -> None:
    """Machines that come, change, lose transitions and leave, in one stream or several."""
    limits = {"batch_rows": batch_rows, "segment_rows": segment_rows}
    players = [
        HistoryPlayer(f"session {at}", **limits).play(history) for at, history in enumerate(streams)
    ]
    before = stored(*players)
    for stream in range(len(players)):
        before.close_stream(stream)
    with TemporaryDirectory() as folder:
        after, error = imported(exported(before, Path(folder)), Path(folder))

    assert error is None
    for one, other in zip(before.tracks, after.tracks, strict=True):
        assert track_values(one)[1:] == track_values(other)[1:]


def test_a_large_file_is_read_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing differs from a file in memory."""
    data = session(tmp_path)
    whole, _ = imported(data, tmp_path)
    monkeypatch.setattr(importing, "READ_AT_ONCE_BYTES_MAX", 0)

    found, error = imported(data, tmp_path)

    assert error is None
    assert [track_values(one) for one in found.tracks] == [
        track_values(one) for one in whole.tracks
    ]


def test_a_large_file_that_is_changed_or_cut_later_is_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record is checked again when it is read, and a short read is no exception."""
    monkeypatch.setattr(importing, "READ_AT_ONCE_BYTES_MAX", 0)
    for change in (lambda data: data[:200], lambda data: data[:-400] + bytes(400)):
        data = session(tmp_path)
        found, error = imported(data, tmp_path)
        assert error is None
        (tmp_path / "changed.msgpack.br").write_bytes(change(data))

        for track in found.tracks:
            for number in range(1, track.count + 1):
                assert track.transition(number).id

        assert found.damage
        assert [gap.kind for gap in found.tracks[0].gaps] == [GapKind.DAMAGED]


def test_a_cut_file_has_what_is_before_the_cut(tmp_path: Path) -> None:
    """The machines that were not at their end have a gap that says so."""
    data = session(tmp_path)
    records = [one for one in RecordWalk(MemoryBytes(data)) if isinstance(one, Record)]
    for record in records:
        for at in (record.offset, record.offset + 5, record.end - 1):
            found, error = imported(data[:at], tmp_path)

            has_rows = at >= next(one.end for one in records if one.header.kind == RecordKind.ROWS)
            assert isinstance(error, CutSessionError)
            assert error.transitions == found.transitions == (24 if has_rows else 0)
            cut = [track.gaps[-1].kind for track in found.tracks if not track.ended or track.gaps]
            assert set(cut) <= {GapKind.CUT}


def test_bytes_after_the_end_are_reported(tmp_path: Path) -> None:
    """The session itself is whole."""
    found, error = imported(session(tmp_path) + b"more", tmp_path)

    assert isinstance(error, TrailingBytesError)
    assert found.transitions == 24
    assert not any(track.gaps for track in found.tracks)


def test_a_lost_record_is_a_gap_up_to_the_next_transition(tmp_path: Path) -> None:
    """The gap counts the transitions, and the clock after it is right."""
    player = HistoryPlayer(segment_rows=4)
    machine = player.enter(0)
    for at in range(12):
        player.transit(machine, (1 + at % 2, at % 2, at % 2, 0, 4))
    player.writer.flush()
    whole = stored(player)
    records = one_chunk_each(exported(whole, tmp_path))
    rows = [at for at, record in enumerate(records) if record.kind == RecordKind.ROWS]
    for lost, gap in zip(rows, ((0, 4), (4, 4), (8, 4)), strict=True):
        data = file_of(record for at, record in enumerate(records) if at != lost)

        found, _ = imported(data, tmp_path)

        (track,) = found.tracks
        expected = row_values(whole.tracks[0])
        assert [(one.after_number, one.lost, one.kind) for one in track.gaps] == [
            (*gap, GapKind.DAMAGED)
        ]
        assert row_values(track) == {
            row: value for row, value in expected.items() if not gap[0] <= row < gap[0] + 4
        }


def one_chunk_each(data: bytes) -> list[Content]:
    """The records of a file, those of rows split into one for each chunk."""
    return [part for record in contents(data) for part in split_rows(record)]


def session(folder: Path) -> bytes:
    """A file of two machines with twelve transitions each."""
    player = HistoryPlayer()
    machines = [player.enter(0, (0, name, 0)) for name in range(2)]
    for at in range(12):
        for machine in machines:
            player.transit(machine, (1 + at % 2, at % 2, at % 2, 0, 4))
    player.writer.flush()
    return exported(stored(player), folder)
