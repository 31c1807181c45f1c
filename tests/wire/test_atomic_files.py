"""A file that appears whole or not at all, whatever goes wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from amtracer.errors import SessionAccessError
from amtracer.files import atomic
from amtracer.files.atomic import AtomicFile, is_being_written, part_path
from amtracer.files.session import SessionWriter


def refuse(*_: object, **__: object) -> None:
    raise OSError(5, "Input/output error")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_trouble_at_the_end_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """A disk that fails while the file is finished costs the new file only."""
    (tmp_path / "a").write_bytes(b"old")
    file = AtomicFile(tmp_path / "a")
    file.write(b"new")
    monkeypatch.setattr(os, call, refuse)

    with pytest.raises(SessionAccessError, match="a: input/output error"):
        file.commit()
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"
    assert file.closed


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_an_interrupt_at_the_end_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Bringing a large file to the disk takes a while, in which a user may change their mind."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(os, call, interrupt)
    for made in (AtomicFile, SessionWriter):
        writer = made(tmp_path / "a")
        with pytest.raises(KeyboardInterrupt):
            writer.commit() if isinstance(writer, AtomicFile) else writer.close()
        assert names(tmp_path) == ["a"]
        assert (tmp_path / "a").read_bytes() == b"old"


def test_an_interrupt_at_the_beginning_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that could not be made has no unfinished file."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        SessionWriter(tmp_path / "a")
    assert names(tmp_path) == []


def test_giving_up_twice_is_no_matter(tmp_path: Path) -> None:
    """Nor does a removal of the unfinished file."""
    file = AtomicFile(tmp_path / "a")
    os.unlink(part_path(str(tmp_path / "a")))
    file.abort()
    file.abort()
    file.release()

    assert names(tmp_path) == []


def test_a_writer_that_was_overtaken_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between opening and locking, another writer may rename the unfinished file."""
    path = str(tmp_path / "a")
    lock = atomic.lock
    overtaken: list[int] = []

    def overtake(fd: int) -> bool:
        taken = lock(fd)
        if not overtaken:
            overtaken.append(fd)
            os.replace(part_path(path), path)
        elif len(overtaken) == 1:
            overtaken.append(fd)
            os.unlink(part_path(path))
        return taken

    monkeypatch.setattr(atomic, "lock", overtake)
    file = AtomicFile(path)
    file.write(b"mine")
    file.commit()

    assert (tmp_path / "a").read_bytes() == b"mine"
    assert len(overtaken) == 2


def test_a_live_recording_is_known_by_its_lock(tmp_path: Path) -> None:
    """The lock of a file that appeared early shows whether its writer is still writing."""
    path = str(tmp_path / "a")
    assert not is_being_written(path)
    file = AtomicFile(path)
    file.publish()

    assert is_being_written(path)
    file.commit()
    assert not is_being_written(path)


def test_a_special_file_is_never_written_over(tmp_path: Path) -> None:
    """A device would be replaced by a plain file."""
    with pytest.raises(SessionAccessError, match="it is no regular file"):
        AtomicFile("/dev/null")
    with pytest.raises(SessionAccessError, match="embedded null"):
        AtomicFile(str(tmp_path) + "/a\0b")
