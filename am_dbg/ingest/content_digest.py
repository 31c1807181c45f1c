"""The digest of a session's content, by which a session is known wherever its file is."""

from __future__ import annotations

import os
from hashlib import blake2b
from typing import BinaryIO

DIGEST_BYTES_MAX = 32 * 1024 * 1024
"""Of a larger session, only the first and the last bytes go into the digest, with the size."""


def digest_of(file: BinaryIO) -> str:
    """The digest of a file's content; the position in the file stays. Empty if it cannot seek."""
    if not file.seekable():
        return ""
    at = file.tell()
    try:
        size = file.seek(0, os.SEEK_END)
        digest = blake2b(str(size).encode(), digest_size=16)
        file.seek(0)
        digest.update(file.read(DIGEST_BYTES_MAX))
        if size > DIGEST_BYTES_MAX:
            file.seek(max(DIGEST_BYTES_MAX, size - DIGEST_BYTES_MAX))
            digest.update(file.read(DIGEST_BYTES_MAX))
        return digest.hexdigest()
    finally:
        file.seek(at)
