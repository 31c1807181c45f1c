"""A file that appears whole or not at all.

It is written under another name in the same folder and renamed when it is whole, so a
reader never sees half of it and what was there before stays until then. The other name
follows from the file's own, so a killed writer leaves at most one such file for each name,
which the next writer takes over. A lock keeps two writers of one file apart, and lets nobody
replace a file that is still recorded: what its writer writes would be nowhere.
"""

from __future__ import annotations

import os
import stat
import sys
import zlib
from contextlib import suppress
from typing import Protocol

from amtracer.errors import SessionAccessError

if sys.platform != "win32":
    import fcntl

__all__ = ["AtomicFile", "PathLike", "is_being_written", "part_path", "reason_of", "shown"]

PathLike = str | bytes | os.PathLike[str] | os.PathLike[bytes]


class Writable(Protocol):
    """What a writer of bytes needs; a file or this."""

    def write(self, data: bytes, /) -> object: ...


def shown(path: PathLike) -> str:
    """The path for people: on one line, without control characters or broken text."""
    text = os.fsdecode(path)
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def reason_of(error: OSError) -> str:
    """What the system says, without the path, which our texts name themselves."""
    return (error.strerror or str(error)).lower()


def part_path(path: str) -> str:
    """Where the file is while it is not whole; short, for names as long as allowed."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".am-{zlib.crc32(os.fsencode(name)):08x}.part")


class AtomicFile:
    """Opens for writing at once; `commit` makes the file appear, `abort` leaves no trace.

    A new file's mode follows the umask. Trouble is a `SessionAccessError`.
    """

    def __init__(self, path: PathLike) -> None:
        self.shown = shown(path)
        try:
            self._path = os.path.realpath(os.fsdecode(path))
            self._part = part_path(self._path)
            self._refuse_special()
            self._fd = self._open()
        except (OSError, ValueError) as error:
            raise self._error(error) from error
        self._pending = bytearray()
        self._published = False
        self.closed = False

    def write(self, data: bytes) -> None:
        """Write all of it; after trouble the unfinished file is gone."""
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            self.abort()
            raise self._error(error) from error

    def publish(self) -> None:
        """Let the file appear now, before it is whole; writing goes on."""
        try:
            self._refuse_special()
            os.replace(self._part, self._path)
        except (OSError, ValueError) as error:
            self.abort()
            raise self._error(error) from error
        self._published = True

    def commit(self) -> None:
        """Bring everything to the disk, let the file appear, close it.

        That can take a while, and whoever interrupts it gives the new file up. One that
        appeared before and is not there any more is trouble too.
        """
        try:
            os.fsync(self._fd)
            if not self._published:
                self.publish()
            elif not _same_file(self._fd, self._path):
                raise ValueError("removed or replaced while it was recorded")
            self.release()
        except (OSError, ValueError) as error:
            raise self._error(error) from error
        finally:
            self.abort()

    def abort(self) -> None:
        """Close it and remove what has not appeared."""
        if self.closed:
            return
        if not self._published:
            with suppress(FileNotFoundError):
                os.unlink(self._part)
        self.release()

    def release(self) -> None:
        """Close the descriptor only; what is written stays where it is."""
        if not self.closed:
            self.closed = True
            os.close(self._fd)

    def _refuse_special(self) -> None:
        """Renaming over a device, a folder or a live recording would destroy or fail late."""
        try:
            mode = os.stat(self._path).st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "no regular file"
            raise ValueError(f"cannot write, it is {what}")
        if is_being_written(self._path):
            raise ValueError("another writer is at it")

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        while True:
            fd = os.open(self._part, flags | getattr(os, "O_BINARY", 0), 0o666)
            try:
                _lock(fd)
                if _same_file(fd, self._part):
                    os.ftruncate(fd, 0)
                    return fd
            except (OSError, ValueError):
                os.close(fd)
                raise
            os.close(fd)

    def _error(self, error: Exception) -> SessionAccessError:
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        return SessionAccessError(self.shown, reason)


def _lock(fd: int) -> None:
    if sys.platform != "win32":
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError("another writer is at it") from None


def _same_file(fd: int, path: str) -> bool:
    """Whether the name still stands for the open file; another writer may have renamed it."""
    try:
        named = os.stat(path)
    except FileNotFoundError:
        return False
    opened = os.fstat(fd)
    return (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino)


def is_being_written(path: str) -> bool:
    """Whether a live recording of this name goes on, here or in another process."""
    if sys.platform == "win32":
        return False
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(fd)
