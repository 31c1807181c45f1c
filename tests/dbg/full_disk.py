"""A disk without room, as a file."""

from __future__ import annotations

import errno
import io
import os
from typing import Any


class FullDisk(io.BytesIO):
    """A file to which nothing can be written."""

    def write(self, _: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
