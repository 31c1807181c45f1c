"""Export then import gives the same session, whatever is in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg import reports as text
from am_dbg.egress.convert import addressed
from am_dbg.egress.export import Selection, export_session, file_name_for, selected
from am_dbg.errors import DebuggerError
from am_dbg.ingest.importing import import_session
from am_dbg.store import GapKind, Store, Track
from amtracer.encode.stream_writer import StreamWriter
from amtracer.errors import SessionAccessError
from amtracer.wire.messages import HelloMessage, Message, Shape, Source, StateDef
from tests.dbg.histories import SMALL_CHUNKS, HistoryPlayer, stored, write_messages
from tests.dbg.model import histories
from tests.transitions import RecordedTransition, write_transition


def taken_in(messages: list[Message]) -> Store:
    """A store that imports messages as a session file gives them."""
    store, stream = Store(), -1
    for message in messages:
        if isinstance(message, HelloMessage):
            stream = store.open_stream("copy", live=False)
        store.feed(stream, message)
    return store


def copied(store: Store, selection: list[Selection] | None = None) -> Store:
    messages: list[Message] = []
    write_messages(store, selection or selected(store), messages.append)
    return taken_in(messages)


def same(copy: Store, store: Store) -> bool:
    """Whether all tracks are the same; an odd id of the original need not be the same."""
    odd = [odd_ones(track) for track in store.tracks]
    copies, originals = (
        [all_of(track, numbers) for track, numbers in zip(one.tracks, odd, strict=True)]
        for one in (copy, store)
    )
    return copies == originals


def odd_ones(track: Track) -> set[int]:
    numbers = range(1, track.count + 1)
    return {number for number in numbers if track.tx_id_at(number).startswith("own-")}


def all_of(track: Track, without_id: set[int]) -> dict[str, Any]:
    """Everything that can be asked of a track, but for the ids of some transitions."""
    numbers = range(1, track.count + 1)
    transitions = [track.transition(number) for number in numbers]
    return {
        "machine": text.machine_value(track),
        "states": [track.schema_at(number) for number in range(track.count + 1)],
        "clocks": [track.clock_at(number) for number in range(track.count + 1)],
        "before": [track.clock_before(number) for number in numbers],
        "now": (track.states, track.ticks, track.gone),
        "gaps": list(track.gaps),
        "transitions": [
            {
                name: getattr(one, name)
                for name in one.__slots__
                if name != "id" or one.number not in without_id
            }
            for one in transitions
        ],
    }


def without_runs(store: Store) -> dict[str, Any]:
    """A session without the runs of programs that have no name: connections show those."""
    return {name: value for name, value in text.session_value(store).items() if name != "runs"}


@given(histories)
def test_an_exported_session_is_imported_as_it_was(history: list[tuple[int, ...]]) -> None:
    """Order of machines, numbers, clocks, gaps and all fields come back."""
    player = HistoryPlayer(batch_rows=4, segment_rows=9).play(history)
    store = stored(player, limits=SMALL_CHUNKS)
    copy = copied(store)

    assert same(copy, store)
    assert text.session_value(copy) == text.session_value(store)


@given(histories, histories)
def test_machines_of_several_streams_keep_order_and_keys(
    one: list[tuple[int, ...]], two: list[tuple[int, ...]]
) -> None:
    """Streams that came mixed are exported so that every key is the same afterwards."""
    store, tellings = Store(), [HistoryPlayer("s1").play(one), HistoryPlayer("s2").play(two)]
    streams = [store.open_stream(f"program {at}", live=True) for at in range(2)]
    for at in range(max(len(player.messages) for player in tellings)):
        for stream, player in zip(streams, tellings, strict=True):
            if at < len(player.messages):
                store.feed(stream, player.messages[at])

    copy = copied(store)
    assert without_runs(copy) == without_runs(store)
    assert same(copy, store)


@given(histories, st.integers(1, 20), st.integers(0, 20))
def test_a_range_of_one_machine_is_a_session_of_its_own(
    history: list[tuple[int, ...]], low: int, count: int
) -> None:
    """What lies before the range becomes the clock it begins with, and a late entry."""
    store = stored(
        HistoryPlayer(batch_rows=4, segment_rows=9).play([(0, 0, 0, 0, 0, 0, 0), *history])
    )
    track = max(store.tracks, key=lambda one: one.count)
    (copy,) = copied(store, selected(store, track, (low, low + count))).tracks

    numbers = range(max(low, 1), min(low + count, track.count) + 1)
    assert copy.count == len(numbers)
    for at, number in enumerate(numbers, 1):
        before, after = track.transition(number), copy.transition(at)
        assert (after.shape, after.time_ns, after.lines) == (
            before.shape,
            before.time_ns,
            before.lines,
        )
        assert copy.clock_at(at) == track.clock_at(number)
        assert copy.schema_at(at) == track.schema_at(number)
        if not before.id.startswith("own-"):
            assert after.id == before.id


@pytest.mark.parametrize(("all_ids", "first"), [(False, f"p{1:016x}"), (True, "random-1")])
def test_odd_ids_are_kept_where_something_refers_to_them(all_ids: bool, first: str) -> None:
    """Of ids that follow no rule those stay that some source names, or all when asked."""
    messages: list[Message] = []
    writer = StreamWriter(messages.append, HelloMessage(1, "", 0, 0))
    machine = writer.machine("m", writer.schema((StateDef("A"),)), tx_prefix="p")
    shape = Shape(0, (0,), 1)
    for id_ in ("random-1", "random-2"):
        write_transition(writer, machine, RecordedTransition(shape, 1, id=id_))
    write_transition(
        writer, machine, RecordedTransition(shape, 2, source=Source("m", "random-2", 0))
    )
    writer.flush()
    store = taken_in(messages)
    again: list[Message] = []
    write_messages(store, selected(store), again.append, all_ids=all_ids)
    (track,) = taken_in(again).tracks

    assert [track.tx_id_at(number) for number in (1, 2, 3)] == [
        first,
        "random-2",
        f"p{3:016x}",
    ]


def test_what_came_while_exporting_is_not_in_the_file() -> None:
    """The file holds what there was when the export began."""
    player = HistoryPlayer()
    machine = player.enter(0)
    player.transit(machine, (1, 0, 0, 0, 4))
    player.writer.flush()
    store = stored(player)
    selection = selected(store)
    begun = len(player.messages)
    player.transit(machine, (1, 0, 0, 0, 4))
    player.writer.flush()
    for message in player.messages[begun:]:
        store.feed(0, message)

    assert store.tracks[0].count == 2
    assert copied(store, selection).tracks[0].count == 1


def test_a_cut_or_reconnected_history_stays_one() -> None:
    """The kinds of gaps are kept, also in an export of an export."""
    player = HistoryPlayer()
    machine = player.enter(0)
    player.writer.dropped(machine.number, 3, (0, 0, 0), "reconnected", GapKind.RECONNECTED)
    player.transit(machine, (1, 0, 0, 0, 4))
    player.writer.flush()
    store = stored(player)
    store.close_stream(0, "connection lost")

    gaps = copied(copied(store)).tracks[0].gaps
    assert gaps == store.tracks[0].gaps
    assert [gap.kind for gap in gaps] == [GapKind.RECONNECTED, GapKind.CUT]


def test_a_file_is_written_whole_and_read_again(tmp_path: Path) -> None:
    """Export reports what it wrote, and importing the file brings that many."""
    player = HistoryPlayer()
    machine = player.enter(0)
    for _ in range(50):
        player.transit(machine, (3, 1, 5, 4, 4))
    player.writer.flush()
    store = stored(player)
    path = tmp_path / "session.msgpack.br"
    written = export_session(store, path)

    copy = Store()
    assert import_session(copy, str(path)) == written.transitions == 50
    assert written.machines == 1
    assert written.size == path.stat().st_size
    assert same(copy, store)


def test_progress_is_reported_and_may_end_the_export(tmp_path: Path) -> None:
    """What the progress raises ends the export and leaves the old file alone."""
    player = HistoryPlayer()
    machine = player.enter(0)
    for _ in range(12_500):
        player.transit(machine, (1, 0, 0, 0, 4))
    player.writer.flush()
    path = tmp_path / "session.msgpack.br"
    path.write_bytes(b"old")
    reported: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        reported.append((done, total))
        if len(reported) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_session(stored(player), path, progress=stop)
    (first, _), (second, total) = reported
    assert 1_000 <= first < second < total == 12_500
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["session.msgpack.br"]


@pytest.mark.parametrize("name", ["missing/x.msgpack.br", "", "file/x.msgpack.br", "x" * 300])
def test_where_nothing_can_be_written_is_reported(tmp_path: Path, name: str) -> None:
    """A folder that is not there, is a file or has too long a name is a SessionAccessError."""
    (tmp_path / "file").write_text("")

    with pytest.raises(SessionAccessError):
        export_session(stored(HistoryPlayer()), tmp_path / name)


@pytest.mark.parametrize(
    ("id_", "name"),
    [
        ("worker-1", "worker-1"),
        ("../../x", "_.._x"),
        ("/etc/passwd", "_etc_passwd"),
        ("", "machine"),
        ("...", "machine"),
        ("a\0b\n\x1b[2J", "a_b___2J"),
        ("Zoë", "Zoë"),
        ("x" * 500, "x" * 200),
        ("状" * 500, "状" * 66),
    ],
)
def test_a_machine_id_never_becomes_a_path(id_: str, name: str) -> None:
    """A file named after a machine stays in its folder and is not hidden."""
    assert file_name_for(id_) == name


def machines_of_odd_ids() -> Store:
    player = HistoryPlayer()
    for id_ in ("plain", "a/b", "../../etc/passwd", "range", "range/1-2"):
        number = player.writer.machine(
            id_, player.writer.schema((StateDef("A"),)), tx_prefix=f"{id_[:1]}x"
        )
        for at in range(9):
            write_transition(player.writer, number, RecordedTransition(Shape(0, (0,), 1), at))
    player.writer.flush()
    return stored(player)


@pytest.mark.parametrize(
    ("address", "key", "numbers", "name"),
    [
        ("mach://plain", "plain", (1, 9), "plain"),
        ("mach://plain/", "plain", (1, 9), "plain"),
        ("mach://plain/4", "plain", (4, 4), "plain-4"),
        ("mach://plain/4-6", "plain", (4, 6), "plain-4-6"),
        ("mach://plain/4-", "plain", (4, 9), "plain-4-"),
        ("mach://plain/px0000000000000005", "plain", (5, 5), "plain-5"),
        ("mach://a/b/2-3", "a/b", (2, 3), "a_b-2-3"),
        ("mach://../../etc/passwd", "../../etc/passwd", (1, 9), "_.._etc_passwd"),
        ("mach://range/1-2", "range/1-2", (1, 9), "range_1-2"),
        ("mach://range/1-2/3-4", "range/1-2", (3, 4), "range_1-2-3-4"),
    ],
)
def test_an_address_reports_what_is_written_and_where(
    address: str, key: str, numbers: tuple[int, int], name: str
) -> None:
    """A machine, one of its transitions or a range of them, in a file of this folder."""
    (part,), file_name = addressed(machines_of_odd_ids(), address)

    assert (part.track.key, (part.first, part.last)) == (key, numbers)
    assert file_name == f"{name}.msgpack.br"
    assert os.path.basename(file_name) == file_name


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("mach://none", "no machine 'none'"),
        ("mach://none/1-2", "no machine 'none'"),
        ("mach://plain/99", "no transition '99'"),
        ("mach://", "no machine"),
    ],
)
def test_an_address_of_nothing_is_reported(address: str, reason: str) -> None:
    """Nothing is written for a machine that is not there."""
    with pytest.raises(DebuggerError, match=reason):
        addressed(machines_of_odd_ids(), address)
