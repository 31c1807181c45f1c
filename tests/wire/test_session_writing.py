"""Writing a session file: whole or not at all, unless it records live."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from amtracer.atomic import part_path
from amtracer.errors import CutSessionError, SessionAccessError, WireError
from amtracer.schema import BatchMessage, GoneMessage, Message, Run
from amtracer.session import FLUSH_S, FLUSH_TRANSITIONS, SessionWriter, read_session
from tests.wire.streams import HELLO


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def rows(first: int, count: int) -> BatchMessage:
    return BatchMessage((Run(0, first, count),), (0,) * count, (1,) * count)


def interrupted(writer: SessionWriter) -> None:
    with writer:
        writer.write(HELLO)
        raise RuntimeError


def much(writer: SessionWriter) -> None:
    with writer:
        for at in range(3_000):
            writer.write(BatchMessage((Run(0, at, 1),), (at,), (at * 7_919 * 7_919 * 7_919,)))


def recovered(path: Path) -> list[Message]:
    """What can be read of a file that is still growing."""
    found: list[Message] = []
    with pytest.raises(CutSessionError):
        found.extend(read_session(path))
    return found


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    """Until it is closed there is only the unfinished file, afterwards only the whole one."""
    path = tmp_path / "a.msgpack.br"
    writer = SessionWriter(path)
    writer.write(HELLO)

    assert names(tmp_path) == [os.path.basename(part_path(str(path)))]
    writer.close()
    assert names(tmp_path) == ["a.msgpack.br"]
    writer.close()


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    """Leaving the context by an exception keeps the old file and no litter."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError):
        interrupted(SessionWriter(path))

    assert names(tmp_path) == ["a"]
    assert path.read_bytes() == b"old"


def test_an_old_file_is_replaced(tmp_path: Path) -> None:
    """Writing over a file gives the new one."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with SessionWriter(path) as writer:
        writer.write(HELLO)

    assert next(read_session(path)) == HELLO


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_the_mode_follows_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    """A session may hold secrets; who may read it is the user's setting."""
    before = os.umask(umask)
    try:
        SessionWriter(tmp_path / "a").close()
    finally:
        os.umask(before)

    assert os.stat(tmp_path / "a").st_mode & 0o777 == mode


def test_a_message_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    """After a WireError the file goes on as if it had not been tried."""
    path = tmp_path / "a"
    with SessionWriter(path) as writer:
        writer.write(HELLO)
        with pytest.raises(WireError):
            writer.write(GoneMessage(2**70))
        writer.write(GoneMessage(1))

    assert list(read_session(path))[:2] == [HELLO, GoneMessage(1)]


def test_a_leftover_of_a_killed_writer_is_taken_over(tmp_path: Path) -> None:
    """There is at most one unfinished file for a name, and the next writer uses it up."""
    path = tmp_path / "a"
    program = (
        "import os, sys; from amtracer.session import SessionWriter\n"
        "SessionWriter(sys.argv[1]); os.kill(os.getpid(), 9)"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=60)
    assert names(tmp_path) == [os.path.basename(part_path(str(path)))]

    SessionWriter(path).close()
    assert names(tmp_path) == ["a"]


def test_two_writers_of_one_file_are_kept_apart(tmp_path: Path) -> None:
    """The second is told, the first goes on."""
    first = SessionWriter(tmp_path / "a")
    with pytest.raises(SessionAccessError, match="a: another writer is at it"):
        SessionWriter(tmp_path / "a")
    first.close()

    assert names(tmp_path) == ["a"]


def test_a_link_is_followed(tmp_path: Path) -> None:
    """What a link stands for is written; the link stays."""
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    SessionWriter(tmp_path / "link").close()

    assert (tmp_path / "link").is_symlink()
    assert len(list(read_session(tmp_path / "real"))) == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none/a", "no such file or directory"),
        ("file/a", "not a directory"),
        ("folder", "cannot write, it is a folder"),
        ("x" * 300, "file name too long"),
        ("fifo", "cannot write, it is no regular file"),
    ],
)
def test_where_nothing_can_be_written_is_told(tmp_path: Path, name: str, reason: str) -> None:
    """One line names the path and the reason, before anything is written."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(SessionAccessError, match=reason):
        SessionWriter(tmp_path / name)
    assert names(tmp_path) == ["fifo", "file", "folder"]


def test_a_name_as_long_as_allowed_works(tmp_path: Path) -> None:
    """The unfinished file's name is short whatever the file's own is."""
    SessionWriter(tmp_path / ("x" * 255)).close()

    assert names(tmp_path) == ["x" * 255]


def test_a_full_disk_keeps_what_was_there(tmp_path: Path) -> None:
    """Trouble while writing is told, leaves the old file and no litter."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, before[1]))
    try:
        with pytest.raises(SessionAccessError, match="a: file too large"):
            much(SessionWriter(path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert names(tmp_path) == ["a"]
    assert path.read_bytes() == b"old"


def test_a_live_recording_appears_at_once(tmp_path: Path) -> None:
    """It can be read while it grows, and opens as cut."""
    path = tmp_path / "a"
    writer = SessionWriter(path, live=True)

    assert names(tmp_path) == ["a"]
    assert recovered(path) == []
    writer.close()
    assert len(list(read_session(path))) == 1


def test_a_live_recording_is_flushed_by_transitions(tmp_path: Path) -> None:
    """A crash loses at most so many transitions."""
    writer = SessionWriter(tmp_path / "a", live=True, clock=lambda: 0.0)
    writer.write(HELLO)
    writer.write(rows(0, FLUSH_TRANSITIONS - 1))
    assert recovered(tmp_path / "a") == []

    writer.write(rows(FLUSH_TRANSITIONS - 1, 1))
    assert len(recovered(tmp_path / "a")) == 3
    writer.abort()


def test_a_live_recording_is_flushed_by_time(tmp_path: Path) -> None:
    """A crash loses at most what is younger than a second."""
    now = [0.0]
    writer = SessionWriter(tmp_path / "a", live=True, clock=lambda: now[0])
    writer.write(rows(0, 1))
    now[0] = FLUSH_S - 0.01
    writer.flush_if_due()
    assert recovered(tmp_path / "a") == []

    now[0] = FLUSH_S
    writer.flush_if_due()
    assert recovered(tmp_path / "a") == [rows(0, 1)]
    writer.abort()


def test_a_killed_recording_can_be_read(tmp_path: Path) -> None:
    """After a kill all but the last transitions are there, and the file is called cut."""
    path = tmp_path / "a"
    program = (
        "import os, sys; from amtracer.session import SessionWriter\n"
        "from amtracer.schema import BatchMessage, Run\n"
        "writer = SessionWriter(sys.argv[1], live=True)\n"
        "for at in range(2000): writer.write(BatchMessage((Run(0, at, 1),), (0,), (1,)))\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=60)

    assert len(recovered(path)) == FLUSH_TRANSITIONS


def test_a_live_recording_is_closed_after_an_error(tmp_path: Path) -> None:
    """What was recorded before an exception is whole."""
    with pytest.raises(RuntimeError):
        interrupted(SessionWriter(tmp_path / "a", live=True))

    assert next(read_session(tmp_path / "a")) == HELLO


def test_a_forked_child_lets_go_of_a_file(tmp_path: Path) -> None:
    """Releasing closes the file without writing to it or removing it."""
    writer = SessionWriter(tmp_path / "a", live=True)
    size = os.stat(tmp_path / "a").st_size
    writer.release()
    writer.close()
    writer.abort()

    assert os.stat(tmp_path / "a").st_size == size


def cut_recording(path: Path, *messages: Message) -> bytes:
    """What a killed writer of these messages leaves."""
    writer = SessionWriter(path, live=True)
    for message in (HELLO, *messages):
        writer.write(message)
    writer.flush()
    writer.release()
    return path.read_bytes()


def test_a_cut_recording_is_set_aside_by_the_next_one(tmp_path: Path) -> None:
    """A program that is killed and started again does not overwrite why it died."""
    path = tmp_path / "run.msgpack.br"
    for row in range(3):
        left = cut_recording(path, rows(row, 1))
    with SessionWriter(path, live=True) as writer:
        writer.write(HELLO)

    assert names(tmp_path) == ["run.cut.msgpack.br", "run.msgpack.br"]
    assert (tmp_path / "run.cut.msgpack.br").read_bytes() == left
    assert writer.set_aside == str(tmp_path / "run.cut.msgpack.br")


@pytest.mark.parametrize("was", ["whole", "without a transition", "something else", "nothing"])
def test_only_a_cut_recording_is_set_aside(tmp_path: Path, was: str) -> None:
    """What is whole, empty or something else is replaced as ever."""
    path = tmp_path / "run.msgpack.br"
    if was == "whole":
        with SessionWriter(path) as old:
            old.write(HELLO)
            old.write(rows(0, 1))
    elif was != "nothing":
        cut_recording(path)
        if was == "something else":
            path.write_bytes(b"text")
    SessionWriter(path, live=True).close()

    assert names(tmp_path) == ["run.msgpack.br"]


def test_a_cut_recording_that_cannot_be_set_aside_is_replaced(tmp_path: Path) -> None:
    """A name without room for another part does not keep a program from recording."""
    path = tmp_path / ("x" * 255)
    cut_recording(path, rows(0, 1))
    SessionWriter(path, live=True).close()

    assert names(tmp_path) == ["x" * 255]
    assert len(list(read_session(path))) == 1


def test_an_export_replaces_a_cut_recording(tmp_path: Path) -> None:
    """Who writes a whole file there was asked to."""
    path = tmp_path / "run.msgpack.br"
    cut_recording(path, rows(0, 1))
    SessionWriter(path).close()

    assert names(tmp_path) == ["run.msgpack.br"]
