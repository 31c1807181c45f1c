"""Checks that a file descriptor is still the one that was opened, before each use.

A daemon closes every descriptor it finds. The numbers are given out again, so what was a
session file or a connection is then a database of the program. Code that holds a descriptor
for longer than a call therefore keeps its identity, device and inode, and compares them
before each use: nothing is read, written or closed that is not the same. A file's place is
compared too, since a file that was removed may leave its inode to another.

Between the check and the use the program could still be quicker, by some microseconds.
"""

from __future__ import annotations

import os


class OwnedDescriptor:
    """A descriptor of ours; `place` is where a file's next byte goes, -1 if it has no place."""

    __slots__ = ("_what", "fd", "place")

    def __init__(self, fd: int, place: int = -1) -> None:
        self.fd = fd
        self.place = place
        self._what = _identity(fd)

    @property
    def is_ours(self) -> bool:
        """Whether the descriptor still is what it was."""
        try:
            if _identity(self.fd) != self._what:
                return False
            return self.place < 0 or os.lseek(self.fd, 0, os.SEEK_CUR) == self.place
        except OSError:
            return False

    def is_same(self, fd: int) -> bool:
        """Whether another descriptor refers to the same file."""
        return _identity(fd) == self._what

    def is_at(self, path: str) -> bool:
        """Whether a name refers to it, also when the descriptor is gone."""
        try:
            named = os.stat(path)
        except OSError:
            return False
        return (named.st_dev, named.st_ino) == self._what

    def close(self) -> None:
        """Close it, unless it is another's."""
        if self.is_ours:
            os.close(self.fd)


def _identity(fd: int) -> tuple[int, int]:
    stat = os.fstat(fd)
    return stat.st_dev, stat.st_ino
