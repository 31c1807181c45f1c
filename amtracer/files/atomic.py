"""Atomic writing: a file appears whole or not at all.

The file is written under another name in the same folder and renamed when it is whole. So no
reader gets half of a file, and an earlier file stays until then. The other name follows from
the file's own name, so a killed writer leaves at most one such file for each name, and the next
writer uses it. A lock prevents two writers of one file. It also prevents the replacement of a
file that is still being recorded, because the rest of the recording would be lost.

A program may close the descriptor, and open another file that gets its number (see
`amtracer.files.descriptors`). Then the file is opened again, if it still exists, its lock is
free and it ends where the writing stopped. Otherwise the writing ends.
"""

from __future__ import annotations

import os
import stat
import zlib
from contextlib import suppress

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


def shown(path: PathLike) -> str:
    """The path for a user: on one line, without control characters or invalid text."""
    text = os.fsdecode(path)
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def reason_of(error: OSError) -> str:
    """The system's reason for an error, without the path."""
    return (error.strerror or str(error)).lower()


def part_path(path: str) -> str:
    """The path of a file that is not whole; short, because names have a maximum length."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".am-{zlib.crc32(os.fsencode(name)):08x}.part")


class AtomicFile:
    """Opens a file for writing; `commit` makes it appear, `abort` removes it.

    The mode of a new file follows the umask. Raises `SessionAccessError`, and
    `SessionBusyError` if another writer has the file open.
    """

    def __init__(self, path: PathLike) -> None:
        self.shown: str = shown(path)
        try:
            self._path = os.path.realpath(os.fsdecode(path))
            self._part = part_path(self._path)
            self._refuse_special()
            self._file = self._open()
        except (OSError, ValueError, _BusyError) as error:
            raise self._error(error) from error
        self._published = False
        self.closed: bool = False

    def write(self, data: bytes) -> None:
        """Write all of it; an error removes the unfinished file."""
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
        """Make the file appear now, before it is whole; writing continues."""
        try:
            self._refuse_special()
            os.replace(self._part, self._path)
        except (OSError, ValueError, _BusyError) as error:
            self.abort()
            raise self._error(error) from error
        self._published = True

    def commit(self) -> None:
        """Flush everything to the disk, make the file appear and close it.

        That can take a while; an interrupt removes the new file. If the file has appeared
        earlier and was removed or replaced since, that is an error too.
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
        """Close the file and remove it if it has not appeared."""
        if self.closed:
            return
        if not self._published and self._file.is_at(self._part):
            with suppress(FileNotFoundError):
                os.unlink(self._part)
        self.release()

    def release(self) -> None:
        """Close the descriptor only; the written data stays."""
        if not self.closed:
            self.closed = True
            self._file.close()

    def _refuse_special(self) -> None:
        """Refuse devices, folders and live recordings, which a file must not replace."""
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
                if file.is_at(self._part):  # false if another writer has renamed it
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

    def _reopened(self, closed: OwnedDescriptor) -> OwnedDescriptor:
        fd = -1
        try:
            fd = os.open(self._path if self._published else self._part, _FLAGS)
            if closed.is_same(fd) and os.fstat(fd).st_size == closed.place and lock(fd):
                os.lseek(fd, closed.place, os.SEEK_SET)
                return OwnedDescriptor(fd, closed.place)
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
    """Whether this or another process records to the file at this path."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        fd = os.open(path, flags)
    except OSError:
        return False
    try:
        return is_locked(fd)
    except OSError:  # a file system without locks, on which no recording is possible
        return False
    finally:
        os.close(fd)
