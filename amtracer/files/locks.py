"""File locks of writers, and a check for a lock that never takes it.

If a check took the lock for a moment, a writer that begins at that moment would believe
that somebody else writes. Linux can ask who has a lock (of an open file, so it goes with
the descriptor and all its copies). Elsewhere a check has to try, so a writer tries again.
"""

from __future__ import annotations

import os
import struct
import sys
import time

if sys.platform != "win32":
    import fcntl

_FLOCK = struct.Struct("hhqqi0q")
"""Type, from where, start, length (0 for all there will be), process."""
_CAN_ASK = hasattr(fcntl, "F_OFD_GETLK") if sys.platform != "win32" else False
_TRIES = 50
_PAUSE_S = 0.001


def lock(fd: int) -> bool:
    """Take the lock of an open file; False if another has it."""
    if sys.platform == "win32":  # pragma: no cover
        return True
    if _CAN_ASK:
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
    if _CAN_ASK:
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = fcntl.fcntl(fd, fcntl.F_OFD_GETLK, asked)
        return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)
    try:  # pragma: no cover
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
