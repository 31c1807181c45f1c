"""Keeps data that cannot be read twice in a temporary file without a name.

A pipe and a download can be larger than the memory that is left. The file has no name, so the
system frees it with its last reader, however the process ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from tempfile import TemporaryFile
from typing import BinaryIO, cast


def temporary_file() -> BinaryIO:
    """An empty file without a name; OSError if there is no folder for it."""
    return cast("BinaryIO", TemporaryFile(buffering=0))


def keep(file: BinaryIO, chunks: Iterable[bytes], bytes_max: int) -> bool:
    """Write chunks and go back to the begin; False if they are too many, with some not written.

    OSError if the disk is full.
    """
    for chunk in chunks:
        if file.tell() + len(chunk) > bytes_max:
            return False
        left = memoryview(chunk)
        while left:
            left = left[file.write(left) :]
    file.seek(0)
    return True
