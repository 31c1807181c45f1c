"""An export of a store that grows meanwhile, and what the file has of it."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from am_dbg.cli import commands as cli
from am_dbg.egress.convert import write_json_lines
from am_dbg.egress.export import PROGRESS_TRANSITIONS, ExportResult, export_session, selected
from am_dbg.ingest.importing import import_session
from am_dbg.store import Store, Track
from amtracer.errors import SessionAccessError
from tests.dbg.histories import HistoryPlayer, stored

BEFORE = 3 * PROGRESS_TRANSITIONS
AFTER = 40 * 7
WAIT_S = 60


def grown(transitions: int) -> HistoryPlayer:
    player = HistoryPlayer(batch_rows=7)
    for name in range(3):
        player.enter(0, (0, name, 0))
    for at in range(transitions):
        machine = player.machines[at % 3]
        player.transit(machine, (at % 8, at % 11, at % 7, at % 5, 4))
    player.writer.flush()
    return player


class Feeder(threading.Thread):
    """Feeds a store some messages whenever the export has come a bit further."""

    def __init__(self, store: Store, player: HistoryPlayer) -> None:
        super().__init__(daemon=True)
        self.turn = threading.Barrier(2, timeout=WAIT_S)
        self.fed = 0
        self._store = store
        self._telling = player

    def run(self) -> None:
        messages = iter(self._telling.messages)
        while True:
            try:
                self.turn.wait()
            except threading.BrokenBarrierError:
                return
            for _ in range(20):
                message = next(messages, None)
                if message is not None:
                    self._store.feed(0, message)
                    self.fed += 1


def history(track: Track) -> list[object]:
    numbers = range(1, track.count + 1)
    return [(track.transition(number), track.clock_at(number)) for number in numbers]


@pytest.mark.slow
def test_what_arrives_meanwhile_changes_nothing_of_an_export(tmp_path: Path) -> None:
    """While it is written, on another thread, transitions come in; it holds those from before."""
    player = grown(BEFORE)
    store = stored(player, live=True)
    player.messages.clear()
    for at in range(AFTER):
        player.transit(player.machines[at % 3], (at % 8, at, at, at % 5, 4))
    player.leave(player.machines[0])
    player.writer.flush()
    feeder = Feeder(store, player)
    feeder.start()
    before = [history(track) for track in store.tracks]
    reported: list[int] = []

    def progress(done: int, total: int) -> None:
        reported.append(done)
        feeder.turn.wait()

    path = tmp_path / "cut.msgpack.br"
    written = export_session(store, path, progress=progress)
    feeder.turn.abort()
    feeder.join(WAIT_S)
    copy = Store()
    import_session(copy, str(path))

    assert feeder.fed > 20
    assert reported == [1_000, 2_000, 3_000]
    assert written.transitions == copy.transitions == BEFORE
    assert [history(track) for track in copy.tracks] == before
    assert store.transitions > BEFORE


@pytest.mark.slow
def test_every_export_of_a_growing_store_is_a_part_of_the_next(tmp_path: Path) -> None:
    """However feeding and writing fall together, a file holds a beginning of each history."""
    player = grown(2_000)
    store = Store()
    stream = store.open_stream("program", live=True)
    exports: list[list[list[object]]] = []
    over = threading.Event()

    def feed() -> None:
        for message in player.messages:
            store.feed(stream, message)
        over.set()

    feeder = threading.Thread(target=feed)
    feeder.start()
    while not over.is_set() or not exports or len(exports[-1]) < 3:
        path = tmp_path / "now.msgpack.br"
        export_session(store, path)
        copy = Store()
        import_session(copy, str(path))
        exports.append([history(track) for track in copy.tracks])
    feeder.join(WAIT_S)
    export_session(store, path)
    copy = Store()
    import_session(copy, str(path))
    whole = [history(track) for track in copy.tracks]

    assert sum(map(len, whole)) == 2_000
    for tracks in exports:
        assert all(part == full[: len(part)] for part, full in zip(tracks, whole, strict=False))


Writer = Callable[[Store, str], ExportResult]


def write_session(store: Store, path: str) -> ExportResult:
    return export_session(store, path)


def write_lines(store: Store, path: str) -> ExportResult:
    return write_json_lines(store, path, selected(store))


@pytest.mark.parametrize("write", [write_session, write_lines])
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o027, 0o640)])
def test_the_mode_follows_the_umask_and_the_size_is_reported(
    write: Writer, umask: int, mode: int, tmp_path: Path
) -> None:
    """A history can hold secrets, in any format; the user decides who can read it."""
    path = tmp_path / "out"
    before = os.umask(umask)
    try:
        written = write(stored(grown(30)), str(path))
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert written == ExportResult(3, 30, path.stat().st_size)


def test_a_convert_reports_machines_transitions_and_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The size of an export is shown to the user who shares it."""
    source, target = tmp_path / "in.msgpack.br", tmp_path / "out.msgpack.br"
    export_session(stored(grown(30)), source)
    cli.run(["convert", str(source), str(target)])

    size = target.stat().st_size
    assert capsys.readouterr().err == (
        f"am-dbg: {target}: 3 machines, 30 transitions, {size:,} bytes\n"
    )


@pytest.mark.parametrize("write", [write_session, write_lines])
@pytest.mark.parametrize(
    "place",
    [
        "/proc/out",
        "/proc/self/out",
        "/dev/full",
        "/dev/null",
        "/dev/stdout/out",
        "no/out",
        "file/out",
    ],
)
def test_where_no_file_can_be_is_reported(write: Writer, place: str, tmp_path: Path) -> None:
    """Folders of the system, devices and folders that are files or missing: one line each."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SessionAccessError) as raised:
        write(stored(grown(3)), str(tmp_path / place))

    assert "\n" not in str(raised.value)
    assert sorted(os.listdir(tmp_path)) == ["file"]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_is_drawn_on_terminals_only(
    is_terminal: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """There it goes on one line and disappears; a log gets nothing of it."""
    source, target = tmp_path / "in.msgpack.br", tmp_path / "out.jsonl"
    export_session(stored(grown(2_100)), source)
    monkeypatch.setattr("am_dbg.cli.output.is_terminal", lambda _: is_terminal)
    monkeypatch.setattr("am_dbg.cli.output.is_dumb", lambda: False)
    cli.run(["convert", str(source), str(target)])
    words = capsys.readouterr().err

    assert ("\rreading " in words) == is_terminal
    assert ("\rwriting  47 %\rwriting  95 %\r" in words) == is_terminal
    assert words.splitlines()[-1].startswith("am-dbg: ")
    assert words.count("\n") == 1
