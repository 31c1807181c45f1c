"""Writing a session file: whole or not at all, unless it records live."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import brotli
import msgpack
import pytest

from amtracer.errors import CutSessionError, SessionAccessError, WireError
from amtracer.files.atomic import part_path
from amtracer.files.session import FLUSH_S, FLUSH_TRANSITIONS, SessionWriter, read_session
from amtracer.wire.messages import BatchMessage, GoneMessage, Message, Run
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
        "import os, sys; from amtracer.files.session import SessionWriter\n"
        "SessionWriter(sys.argv[1]); os.kill(os.getpid(), 9)"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=60)
    assert names(tmp_path) == [os.path.basename(part_path(str(path)))]

    SessionWriter(path).close()
    assert names(tmp_path) == ["a"]


def test_two_writers_of_one_file_are_kept_apart(tmp_path: Path) -> None:
    """The second writer is refused, the first continues."""
    first = SessionWriter(tmp_path / "a")
    with pytest.raises(SessionAccessError, match="a: another process is writing it"):
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
def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path, name: str, reason: str) -> None:
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
    """An error while writing is raised; the old file stays, and no other file is left."""
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
        "import os, sys; from amtracer.files.session import SessionWriter\n"
        "from amtracer.wire.messages import BatchMessage, Run\n"
        "writer = SessionWriter(sys.argv[1], live=True)\n"
        "for at in range(2000): writer.write(BatchMessage((Run(0, at, 1),), (0,), (1,)))\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=60)

    assert len(recovered(path)) == FLUSH_TRANSITIONS


def test_a_live_recording_is_closed_after_an_error(tmp_path: Path) -> None:
    """A recording that an exception ends is whole."""
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


NEWER = msgpack.packb([0, "amsf", 99])
NEWER_MAGIC = len(NEWER).to_bytes(4, "big") + zlib.crc32(NEWER).to_bytes(4, "big") + NEWER


def whole_recording(path: Path, *messages: Message) -> bytes:
    """What a writer of these messages leaves that ended in order."""
    with SessionWriter(path, live=True) as writer:
        for message in (HELLO, *messages):
            writer.write(message)
    return path.read_bytes()


def test_a_whole_recording_is_set_aside_by_the_next_one(tmp_path: Path) -> None:
    """Of those that were there the newest whole and the newest cut one are kept."""
    path = tmp_path / "run.msgpack.br"
    for row in range(3):
        whole = whole_recording(path, rows(row, 1))
    cut = cut_recording(path, rows(3, 1))
    with SessionWriter(path, live=True) as writer:
        writer.write(HELLO)

    assert names(tmp_path) == ["run.before.msgpack.br", "run.cut.msgpack.br", "run.msgpack.br"]
    assert (tmp_path / "run.before.msgpack.br").read_bytes() == whole
    assert (tmp_path / "run.cut.msgpack.br").read_bytes() == cut


@pytest.mark.parametrize("was", ["whole", "cut", "empty", "nothing"])
def test_a_recording_without_transitions_is_replaced(tmp_path: Path, was: str) -> None:
    """There is nothing in it to keep."""
    path = tmp_path / "run.msgpack.br"
    if was == "empty":
        path.touch()
    elif was != "nothing":
        {"whole": whole_recording, "cut": cut_recording}[was](path)
    SessionWriter(path, live=True).close()

    assert names(tmp_path) == ["run.msgpack.br"]
    assert len(list(read_session(path))) == 1


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda data: data[:-40] + bytes(40), "run.cut.msgpack.br"),
        (lambda data: data + b"more", "run.cut.msgpack.br"),
        (lambda data: brotli.compress(NEWER_MAGIC), "run.before.msgpack.br"),
    ],
    ids=["damaged", "with bytes after it", "of a newer version"],
)
def test_what_cannot_be_read_now_is_set_aside_too(
    tmp_path: Path, change: Callable[[bytes], bytes], name: str
) -> None:
    """A recording is one also where this program does not understand it."""
    path = tmp_path / "run.msgpack.br"
    found = change(whole_recording(path, *(rows(row, 1) for row in range(50))))
    path.write_bytes(found)
    SessionWriter(path, live=True).close()

    assert names(tmp_path) == sorted([name, "run.msgpack.br"])
    assert (tmp_path / name).read_bytes() == found


@pytest.mark.parametrize("at", ["run.msgpack.br", "run.before.msgpack.br"])
@pytest.mark.parametrize("content", [b"precious text", b"\x8b\x02\x80text\x03", b"\0" * 100])
def test_what_is_no_recording_is_never_replaced_by_one(
    tmp_path: Path, at: str, content: bytes
) -> None:
    """Neither in its place nor where an older one goes; nothing is changed."""
    path = tmp_path / "run.msgpack.br"
    whole_recording(path, rows(0, 1))
    (tmp_path / at).write_bytes(content)
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    with pytest.raises(SessionAccessError, match=f"{at}: not a session file, looks like .*"):
        SessionWriter(path, live=True)

    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


def test_a_recording_that_goes_on_is_never_set_aside(tmp_path: Path) -> None:
    """Neither one in the place nor one that has the name for older ones."""
    path, aside = tmp_path / "run.msgpack.br", tmp_path / "run.before.msgpack.br"
    whole_recording(path, rows(0, 1))
    for busy in (aside, path):
        writer = SessionWriter(busy, live=True)
        with pytest.raises(SessionAccessError, match="another process is writing it"):
            SessionWriter(path, live=True)
        writer.close()

    assert names(tmp_path) == ["run.before.msgpack.br", "run.msgpack.br"]


def test_a_recording_that_cannot_be_set_aside_stays(tmp_path: Path) -> None:
    """A name that is too long, or a folder without permission, is reported."""
    path = tmp_path / ("x" * 255)
    found = cut_recording(path, rows(0, 1))
    with pytest.raises(SessionAccessError, match="cannot become x*.cut: file name too long"):
        SessionWriter(path, live=True)

    assert names(tmp_path) == ["x" * 255]
    assert path.read_bytes() == found


def test_a_recording_is_set_aside_where_a_file_has_one_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no second name can be given it is renamed."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    path = tmp_path / "run.msgpack.br"
    found = whole_recording(path, rows(0, 1))
    monkeypatch.setattr(os, "link", refuse)
    SessionWriter(path, live=True).close()

    assert (tmp_path / "run.before.msgpack.br").read_bytes() == found
    assert len(list(read_session(path))) == 1


def test_a_recording_behind_a_link_is_set_aside_where_it_is(tmp_path: Path) -> None:
    """The link stays, and leads to the new one."""
    (tmp_path / "there").mkdir()
    real, link = tmp_path / "there" / "real.msgpack.br", tmp_path / "run.msgpack.br"
    found = whole_recording(real, rows(0, 1))
    link.symlink_to(real)
    SessionWriter(link, live=True).close()

    assert link.is_symlink()
    assert (tmp_path / "there" / "real.before.msgpack.br").read_bytes() == found
    assert len(list(read_session(link))) == 1


@pytest.mark.parametrize("is_replaced", [True, False])
def test_a_recording_whose_file_was_removed_reports_it(tmp_path: Path, is_replaced: bool) -> None:
    """What it wrote is nowhere; what took its place stays."""
    path = tmp_path / "run.msgpack.br"
    writer = SessionWriter(path, live=True)
    path.unlink()
    if is_replaced:
        path.write_bytes(b"other")
    with pytest.raises(SessionAccessError, match="removed or replaced while it was recorded"):
        writer.close()
    writer.close()

    assert names(tmp_path) == ["run.msgpack.br"] * is_replaced


def test_an_export_replaces_a_cut_recording(tmp_path: Path) -> None:
    """A writer of whole files replaces the file, because its user named it."""
    path = tmp_path / "run.msgpack.br"
    cut_recording(path, rows(0, 1))
    SessionWriter(path).close()

    assert names(tmp_path) == ["run.msgpack.br"]
