"""Decompresses a brotli stream piece by piece, with bounded memory.

brotli has no checksum and does not report by itself that a stream was cut; the caller must
check the content and ask `finished`. One call may return twice the requested size, and a
kilobyte may stand for a gigabyte, so the total is counted here.
"""

from __future__ import annotations

from collections.abc import Iterator

import brotli

from amtracer.wire import limits


class InflateError(Exception):
    """The bytes are no brotli stream, or one followed by others."""


class TooLargeError(Exception):
    """The content is larger than allowed."""


class Inflater:
    """One brotli stream; `total_max` bounds what it may become."""

    def __init__(self, total_max: int = limits.SESSION_BYTES_MAX) -> None:
        self._decompressor = brotli.Decompressor()
        self._total_max = total_max
        self._failed = False
        self.total = 0

    @property
    def finished(self) -> bool:
        """True once the stream came to its own end."""
        return not self._failed and bool(self._decompressor.is_finished())

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The content that `data` adds, in pieces of a few megabytes at most.

        The decompressor may hold content back although it would accept more data; of a cut
        stream that would be lost, so it is asked until it has nothing more to give.
        """
        if self.finished:
            if data:
                raise InflateError("bytes after the end of the stream")
            return
        limit = limits.INFLATE_CALL_BYTES_MAX // 4
        while True:
            try:
                piece = self._decompressor.process(data, output_buffer_limit=limit)
            except brotli.error as error:
                self._failed = True
                raise InflateError(str(error)) from error
            self.total += len(piece)
            if self.total > self._total_max:
                raise TooLargeError
            if piece:
                yield piece
            if self.finished or (not piece and self._decompressor.can_accept_more_data()):
                return
            data = b""
