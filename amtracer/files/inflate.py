"""Decompresses a brotli stream piece by piece, with bounded memory.

brotli has no checksum and does not report that a stream was cut, so the caller must check the
content and `finished`. One call may return twice the requested size, and a kilobyte may expand
to a gigabyte, so this module limits the total.
"""

from __future__ import annotations

from collections.abc import Iterator

import brotli

from amtracer.wire import limits


class InflateError(Exception):
    """The bytes are no brotli stream, or more bytes follow the stream."""


class TooLargeError(Exception):
    """The content is larger than allowed."""


class Inflater:
    """One brotli stream; `total_max` limits its decompressed size."""

    def __init__(self, total_max: int = limits.SESSION_BYTES_MAX) -> None:
        self._decompressor = brotli.Decompressor()
        self._total_max = total_max
        self._failed = False
        self.total: int = 0

    @property
    def finished(self) -> bool:
        """Whether the end of the stream was read."""
        return not self._failed and bool(self._decompressor.is_finished())

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The content that `data` adds, in pieces of a few megabytes at most.

        The decompressor may hold back content although it accepts more data, and the content
        of a cut stream would be lost. So it is called until it returns nothing more.
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
