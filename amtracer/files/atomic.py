"""Atomic writing: a file appears whole or not at all.

The file is written under another name in the same folder and renamed when it is whole, so a
reader never sees half of it and what was there before stays until then. The other name
follows from the file's own, so a killed writer leaves at most one such file for each name,
which the next writer takes over. A lock prevents two writers of one file, and prevents the
replacement of a file that is still recorded: what its writer writes would be lost.

A program may close the descriptor, and open another file that gets its number (see
`amtracer.files.descriptors`). Then the file is opened again, if it still exists, its lock is
free and it ends where the writing stopped. Otherwise the writing ends.
"""

from __future__ import annotations

import os
import stat
import zlib
from contextlib import suppress
from typing import Protocol

from amtracer.errors import SessionAccessError, SessionBusyError
from amtracer.files.descriptors import OwnedDescriptor
from amtracer.files.locks import is_locked, lock

PathLike = str | bytes | os.PathLike[str] | os.PathLike[bytes]


_FLAGS = (
    os.O_RDWR
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
)


class _BusyError(Exception):
    """Another writer has the file open."""


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

    A new file's mode follows the umask. Trouble is a `SessionAccessError`, a
    `SessionBusyError` when another writer is at the file.
    """

    def __init__(self, path: PathLike) -> None:
        self.shown = shown(path)
        try:
            self._path = os.path.realpath(os.fsdecode(path))
            self._part = part_path(self._path)
            self._refuse_special()
            self._file = self._open()
        except (OSError, ValueError, _BusyError) as error:
            raise self._error(error) from error
        self._published = False
        self.closed = False

    def write(self, data: bytes) -> None:
        """Write all of it; after trouble the unfinished file is gone."""
        try:
            file = self._own()
            view = memoryview(data)
            while view:
                written = os.write(file.fd, view)
                file.place += written
                view = view[written:]
        except (OSError, ValueError, _BusyError) as error:
            self.abort()
            raise self._error(error) from error

    def publish(self) -> None:
        """Let the file appear now, before it is whole; writing goes on."""
        try:
            self._refuse_special()
            os.replace(self._part, self._path)
        except (OSError, ValueError, _BusyError) as error:
            self.abort()
            raise self._error(error) from error
        self._published = True

    def commit(self) -> None:
        """Bring everything to the disk, let the file appear, close it.

        That can take a while, and an interrupt gives the new file up. A new file that
        appeared before and is not there any more is trouble too.
        """
        try:
            if self._published and not self._file.is_at(self._path):
                raise ValueError("removed or replaced while it was recorded")
            os.fsync(self._own().fd)
            if not self._published:
                self.publish()
            self.release()
        except (OSError, ValueError, _BusyError) as error:
            raise self._error(error) from error
        finally:
            self.abort()

    def abort(self) -> None:
        """Close it and remove what has not appeared."""
        if self.closed:
            return
        if not self._published and self._file.is_at(self._part):
            with suppress(FileNotFoundError):
                os.unlink(self._part)
        self.release()

    def release(self) -> None:
        """Close the descriptor only; what is written stays where it is."""
        if not self.closed:
            self.closed = True
            self._file.close()

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
            raise _BusyError

    def _open(self) -> OwnedDescriptor:
        while True:
            fd = os.open(self._part, _FLAGS | os.O_CREAT, 0o666)
            try:
                if not lock(fd):
                    raise _BusyError
                file = OwnedDescriptor(fd, 0)
                if file.is_at(self._part):  # or another writer has renamed it
                    os.ftruncate(fd, 0)
                    return file
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)

    def _own(self) -> OwnedDescriptor:
        """The file, opened again if the program has closed its descriptor."""
        if not self._file.is_ours:
            self._file = self._reopened(self._file)
        return self._file

    def _reopened(self, gone: OwnedDescriptor) -> OwnedDescriptor:
        fd = -1
        try:
            fd = os.open(self._path if self._published else self._part, _FLAGS)
            if gone.is_same(fd) and os.fstat(fd).st_size == gone.place and lock(fd):
                os.lseek(fd, gone.place, os.SEEK_SET)
                return OwnedDescriptor(fd, gone.place)
            reason = "the file is another one now"
        except OSError as error:
            reason = reason_of(error)
        if fd >= 0:
            os.close(fd)
        raise ValueError(f"the program closed its descriptor, and it cannot be reopened: {reason}")

    def _error(self, error: Exception) -> SessionAccessError:
        if isinstance(error, _BusyError):
            return SessionBusyError(self.shown)
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        return SessionAccessError(self.shown, reason)


def is_being_written(path: str) -> bool:
    """Whether a live recording of this name goes on, here or in another process."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        fd = os.open(path, flags)
    except OSError:
        return False
    try:
        return is_locked(fd)
    except OSError:  # a file system without locks, where nobody can record
        return False
    finally:
        os.close(fd)
