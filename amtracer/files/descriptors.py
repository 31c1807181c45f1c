"""Checks that a file descriptor is still the one that was opened, before each use.

A program that becomes a daemon closes all its descriptors. The system uses their numbers again,
so the number of a session file or a connection may later be a database of the program. Code
that holds a descriptor for longer than one call therefore keeps its identity, device and inode,
and compares them before each use. It reads, writes and closes nothing else. The position in a
file is compared too, because another file may get the inode of a removed one.

The program can still close a descriptor in the microseconds between the check and the use.
"""

from __future__ import annotations

import os


class OwnedDescriptor:
    """A descriptor that this package opened; `place` is the position in a file, -1 for none."""

    __slots__ = ("_identity", "fd", "place")

    def __init__(self, fd: int, place: int = -1) -> None:
        self.fd: int = fd
        self.place: int = place
        self._identity = _identity(fd)

    @property
    def is_ours(self) -> bool:
        """Whether the descriptor is still the one that was opened."""
        try:
            if _identity(self.fd) != self._identity:
                return False
            return self.place < 0 or os.lseek(self.fd, 0, os.SEEK_CUR) == self.place
        except OSError:
            return False

    def is_same(self, fd: int) -> bool:
        """Whether another descriptor refers to the same file."""
        return _identity(fd) == self._identity

    def is_at(self, path: str) -> bool:
        """Whether a path refers to the file, even if the descriptor is closed."""
        try:
            named = os.stat(path)
        except OSError:
            return False
        return (named.st_dev, named.st_ino) == self._identity

    def close(self) -> None:
        """Close the descriptor, if it is still the one that was opened."""
        if self.is_ours:
            os.close(self.fd)


def _identity(fd: int) -> tuple[int, int]:
    stat = os.fstat(fd)
    return stat.st_dev, stat.st_ino
