"""Sources of a session, and the errors for what is none."""

from __future__ import annotations

import gzip
import io
import os
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import brotli
import pytest

from am_dbg.egress.export import export_session
from am_dbg.ingest import importing, intake
from am_dbg.ingest.importing import ImportSource, OnRead, import_session, open_source
from am_dbg.ingest.intake import ImportProgress, Intake
from am_dbg.ingest.temporary import temporary_file
from am_dbg.store import GapKind, Store
from amtracer.errors import (
    CutSessionError,
    DamagedSessionError,
    EmptySessionError,
    ForeignSessionError,
    SessionAccessError,
    SessionError,
    SessionTooLargeError,
    TrailingBytesError,
)
from amtracer.files.record_walk import DescriptorBytes
from amtracer.files.session import SessionWriter
from amtracer.wire.codec import FILE, StreamTotals, encode, magic_frame
from amtracer.wire.messages import BatchMessage, Message, Run
from tests.dbg.full_disk import FullDisk
from tests.dbg.histories import HistoryPlayer, hello, stored

TRANSITIONS = 40


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A session file of one machine."""
    player = HistoryPlayer()
    machine = player.enter(0)
    for at in range(TRANSITIONS):
        player.transit(machine, (at % 8, at, at, 4, 4))
    player.writer.flush()
    path = tmp_path / "good.msgpack.br"
    export_session(stored(player), path)
    return path


def file_of(path: Path, messages: list[Message]) -> Path:
    """A session file with a right end message, whatever the messages are."""
    frames = [magic_frame(FILE), *(encode(message, FILE) for message in messages)]
    totals = StreamTotals()
    for frame in frames:
        totals.add(frame)
    path.write_bytes(brotli.compress(b"".join([*frames, encode(totals.message(), FILE)])))
    return path


def test_a_file_is_taken_in_whole(session: Path) -> None:
    """All transitions come, in a stream that is not live, and progress is reported."""
    store = Store()
    reported: list[tuple[int, int]] = []

    assert import_session(store, str(session), lambda *it: reported.append(it)) == TRANSITIONS
    assert store.transitions == TRANSITIONS
    assert not store.tracks[0].connected
    assert store.streams[0].label == str(session)
    assert reported[-1][1] == session.stat().st_size


def test_an_import_is_reported_twice_a_second_and_at_its_end(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each report paints the screen, so a short import has none before the last one."""
    clock = [0.0]
    reported: list[tuple[float, bool]] = []
    over = threading.Event()

    def reading(_: object, source: ImportSource, report: OnRead, **__: object) -> None:
        source.close()
        for _ in range(5):
            clock[0] += 0.25
            report(1, 2)

    def imported(progress: ImportProgress) -> None:
        reported.append((clock[0], progress.is_over))
        if progress.is_over:
            over.set()

    monkeypatch.setattr(intake, "monotonic", lambda: clock[0])
    monkeypatch.setattr(intake, "import_session", reading)
    reader = Intake(Store(), lambda: None, imported)
    reader.start(source=open_source(str(session)))
    assert over.wait(30)
    reader.stop()

    assert reported == [(0.5, False), (1.0, False), (1.25, True)]


def test_the_content_decides_and_not_the_name(session: Path) -> None:
    """A session file is read under any name."""
    other = session.rename(session.with_name("session.gob.br"))

    assert import_session(Store(), str(other)) == TRANSITIONS


def test_a_pipe_is_read_like_a_file(session: Path) -> None:
    """What a shell offers as `<(command)` gives the same."""
    reading, writing = os.pipe()
    os.write(writing, session.read_bytes())
    os.close(writing)
    try:
        assert import_session(Store(), f"/dev/fd/{reading}") == TRANSITIONS
    finally:
        os.close(reading)


def test_standard_input_is_read_like_a_file(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` stands for standard input, if that is no terminal."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(session.read_bytes())))

    assert import_session(Store(), "-") == TRANSITIONS


def test_standard_input_is_kept_on_the_disk(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes to a file without a name, from which a large session is read record by record."""
    file = temporary_file()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(session.read_bytes())))
    monkeypatch.setattr(importing, "READ_AT_ONCE_BYTES_MAX", 0)
    monkeypatch.setattr(importing, "temporary_file", lambda: file)

    with closing(open_source("-")) as source:
        found = os.fstat(file.fileno())
        assert isinstance(source.records, DescriptorBytes)
        assert source.label == "standard input"
        assert import_session(Store(), source) == TRANSITIONS

    assert stat.S_ISREG(found.st_mode)
    assert (found.st_nlink, found.st_size) == (0, session.stat().st_size)
    assert file.closed


def test_standard_input_that_fills_the_disk_is_reported(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is freed, and the error names what happened."""
    full = FullDisk()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(session.read_bytes())))
    monkeypatch.setattr(importing, "temporary_file", lambda: full)

    with pytest.raises(SessionAccessError, match="^standard input: no space left on device"):
        open_source("-")
    assert full.closed


@pytest.mark.parametrize("stdin", [None, "closed", "terminal"])
def test_standard_input_that_gives_nothing_is_reported(
    stdin: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closed or a terminal: nobody waits for a session to be typed."""
    given = Terminal(io.BytesIO())
    if stdin == "closed":
        given.close()
    monkeypatch.setattr(sys, "stdin", given if stdin else None)

    with pytest.raises(SessionAccessError, match="^standard input: (closed|a terminal)"):
        open_source("-")


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def test_a_pipe_without_end_is_refused_at_a_limit(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read twice is kept on the disk up to a limit."""
    size = session.stat().st_size
    for limit, is_enough in ((size, True), (size - 1, False)):
        monkeypatch.setattr(importing, "INPUT_BYTES_MAX", limit)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(session.read_bytes())))
        if is_enough:
            open_source("-").close()
        else:
            with pytest.raises(SessionTooLargeError):
                open_source("-")


def test_the_same_file_twice_is_there_twice(session: Path) -> None:
    """Each import adds machines of its own, nothing is mixed."""
    store = Store()
    for _ in range(3):
        import_session(store, str(session))

    assert [(track.key, track.count) for track in store.tracks] == [
        ("m0", TRANSITIONS),
        ("m0#2", TRANSITIONS),
        ("m0#3", TRANSITIONS),
    ]


def made(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


BAD: dict[str, tuple[Callable[[Path, Path], Path], type[SessionError], str]] = {
    "missing": (lambda folder, _: folder / "nothing", SessionAccessError, "no such file"),
    "folder": (lambda folder, _: folder, ForeignSessionError, "a folder"),
    "device": (lambda *_: Path("/dev/zero"), ForeignSessionError, "a device"),
    "empty": (lambda folder, _: made(folder / "e", b""), EmptySessionError, "empty"),
    "text": (lambda folder, _: made(folder / "t", b"hello\n"), ForeignSessionError, "text"),
    "gzip": (
        lambda folder, good: made(folder / "g", gzip.compress(good.read_bytes())),
        ForeignSessionError,
        "gzip",
    ),
    "brotli": (
        lambda folder, _: made(folder / "b", brotli.compress(b"some text")),
        ForeignSessionError,
        "text, compressed",
    ),
    "cut": (
        lambda folder, good: made(folder / "c", good.read_bytes()[:-1]),
        CutSessionError,
        "cut",
    ),
    "joined": (
        lambda folder, good: made(folder / "j", good.read_bytes() * 2),
        TrailingBytesError,
        "40 transitions followed by other bytes",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_session_is_reported_in_one_line(
    what: str, session: Path, tmp_path: Path
) -> None:
    """The error names the file and what is wrong with it."""
    make, error, reason = BAD[what]
    path = make(tmp_path, session)

    with pytest.raises(error, match=reason) as raised:
        import_session(Store(), str(path))
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


def test_a_pipe_nobody_writes_to_is_empty(tmp_path: Path) -> None:
    """A named pipe without a writer does not hold the reader."""
    path = tmp_path / "pipe"
    os.mkfifo(path)

    with pytest.raises(EmptySessionError):
        open_source(str(path))


def test_a_name_with_control_characters_is_shown_escaped(tmp_path: Path) -> None:
    """A file name is text from outside like any other."""
    name = os.fsdecode(b"\x1b[2J\n\xff.br")

    with pytest.raises(SessionAccessError) as raised:
        import_session(Store(), str(tmp_path / name))
    assert "\\x1b[2J\\n\\udcff.br: no such file" in str(raised.value)


def test_odd_names_are_read_when_they_name_a_session(session: Path) -> None:
    """Invalid UTF-8 and a leading dash are no matter to the file system."""
    other = session.with_name(os.fsdecode(b"-\xff"))
    session.rename(other)

    assert import_session(Store(), str(other)) == TRANSITIONS


@pytest.mark.parametrize("address", ["ftp://host/x", "mach://m/1", "file://host/x", "s3://b/c"])
def test_other_schemes_are_refused(address: str) -> None:
    """Only http, https and local files are read."""
    with pytest.raises(SessionAccessError, match="only http|another host"):
        open_source(address)


def test_a_file_address_names_a_local_file(session: Path) -> None:
    """`file://` followed by a path is that file."""
    assert import_session(Store(), f"file://{session}") == TRANSITIONS


def test_messages_that_do_not_fit_are_damage(session: Path, tmp_path: Path) -> None:
    """A file whose checksums are right but whose content is not is refused at that place."""
    player = HistoryPlayer()
    player.transit(player.enter(0), (1, 0, 0, 0, 4))
    player.writer.flush()
    messages: list[Message] = [*player.messages, BatchMessage((Run(0, 9, 1),), (0,), (1,))]
    store = Store()

    with pytest.raises(DamagedSessionError, match="after 1 transitions.*row 9 where row 1"):
        import_session(store, str(file_of(tmp_path / "bad", messages)))
    (gap,) = store.tracks[0].gaps
    assert (gap.after_number, gap.kind) == (1, GapKind.CUT)


def test_a_file_may_hold_several_streams(tmp_path: Path) -> None:
    """Each hello begins a stream of its own."""
    one, two = HistoryPlayer("s"), HistoryPlayer("s")
    for player in (one, two):
        player.transit(player.enter(0), (1, 0, 0, 0, 4))
        player.writer.flush()
    store = Store()
    import_session(store, str(file_of(tmp_path / "two", [*one.messages, *two.messages])))

    assert [(track.key, track.stream) for track in store.tracks] == [("m0", 0), ("m0#2", 1)]
    assert not any(stream.open for stream in store.streams)


def test_a_file_without_a_hello_is_damaged(tmp_path: Path) -> None:
    """The first message names the sender."""
    messages: list[Message] = [BatchMessage((Run(0, 0, 1),), (0,), (1,))]

    with pytest.raises(DamagedSessionError, match="hello"):
        import_session(Store(), str(file_of(tmp_path / "none", messages)))


def test_a_session_without_machines_is_a_session(tmp_path: Path) -> None:
    """A program that made no machine, and a collection to which none came, are no errors."""
    store = Store()

    assert import_session(store, str(file_of(tmp_path / "quiet", [hello()]))) == 0
    assert import_session(store, str(file_of(tmp_path / "nobody", []))) == 0
    assert list(store.tracks) == []


def test_opening_reports_what_is_no_session_before_anything_is_read(session: Path) -> None:
    """An opened source has its first message; closing it lets the file go."""
    source = open_source(str(session))

    assert source.label == str(session)
    assert 0 < source.bytes_read <= source.bytes_total == session.stat().st_size
    source.close()
    assert source.bytes_read == source.bytes_total


def test_all_that_a_killed_recording_flushed_is_recovered(tmp_path: Path) -> None:
    """However much was flushed before the end, nothing of it is held back."""
    player = HistoryPlayer("s", batch_rows=16)
    machine = player.enter(0)
    for at in range(6_000):
        player.transit(machine, (at % 8, at % 9, at % 7, at % 5, at % 4))
    path = tmp_path / "killed.msgpack.br"
    writer = SessionWriter(path, live=True)
    sent = 0
    for message in player.messages:
        writer.write(message)
        sent += len(message.shapes) if isinstance(message, BatchMessage) else 0
    flushed = sent - writer.unflushed
    writer.release()
    store = Store()

    with pytest.raises(CutSessionError):
        import_session(store, str(path))
    assert store.transitions == flushed > 4_000
