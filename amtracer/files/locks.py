"""File locks of writers, and a check for a lock that does not take it.

If a check took the lock for a moment, a writer that begins at that moment would find the file
locked. Linux can report who has a lock (of an open file, so it ends with the descriptor and all
its copies). On other systems a check has to try the lock, so a writer tries several times.
"""

from __future__ import annotations

import os
import struct
import sys
import time

if sys.platform != "win32":
    import fcntl

_FLOCK = struct.Struct("hhqqi0q")
"""Type, origin of the start, start, length (0 for the whole file), process."""
_HAS_LOCK_QUERY = hasattr(fcntl, "F_OFD_GETLK") if sys.platform != "win32" else False
_TRIES = 50
_PAUSE_S = 0.001


def lock(fd: int) -> bool:
    """Take the lock of an open file; False if another has it."""
    if sys.platform == "win32":  # pragma: no cover
        return True
    if _HAS_LOCK_QUERY:
        try:
            fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
        except (BlockingIOError, PermissionError):
            return False
        return True
    for _ in range(_TRIES):  # pragma: no cover
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_S)
        else:
            return True
    return False  # pragma: no cover


def is_locked(fd: int) -> bool:
    """Whether another open file has the lock."""
    if sys.platform == "win32":  # pragma: no cover
        return False
    if _HAS_LOCK_QUERY:
        query = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = fcntl.fcntl(fd, fcntl.F_OFD_GETLK, query)
        return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)
    try:  # pragma: no cover
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
