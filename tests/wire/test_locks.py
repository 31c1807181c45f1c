"""Looking at the lock of a file never takes it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from amtracer.files import atomic
from amtracer.files.atomic import AtomicFile, is_being_written
from amtracer.files.locks import is_locked, lock


def test_a_check_finds_a_lock_and_does_not_take_it(tmp_path: Path) -> None:
    """A writer that begins between two checks gets the lock; a second writer does not."""
    path = tmp_path / "a"
    first, second, looking = (os.open(path, os.O_RDWR | os.O_CREAT) for _ in range(3))
    reading = os.open(path, os.O_RDONLY)

    assert not is_locked(looking)
    assert not is_locked(reading)
    assert lock(first)
    assert is_locked(looking)
    assert is_locked(reading)
    assert not lock(second)
    os.close(first)
    assert not is_locked(looking)
    assert lock(second)
    for fd in (second, looking, reading):
        os.close(fd)


def test_closing_another_descriptor_of_the_file_keeps_the_lock(tmp_path: Path) -> None:
    """The lock is that of an open file, not of a process."""
    file = AtomicFile(tmp_path / "a")
    file.publish()
    os.close(os.open(tmp_path / "a", os.O_RDWR))

    assert is_being_written(str(tmp_path / "a"))
    file.abort()


def test_a_file_system_without_locks_has_no_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that cannot be had says that nobody writes."""

    def fail(_: int) -> bool:
        raise OSError

    monkeypatch.setattr(atomic, "is_locked", fail)
    (tmp_path / "a").touch()

    assert not is_being_written(str(tmp_path / "a"))
