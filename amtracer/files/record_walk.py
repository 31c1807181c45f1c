"""Walks over the records of a file and checks every byte of them.

A record is right if its CRC32 is. One that is not is skipped by its lengths if a right record
or the end of the file follows there, else by a search for the next right record. So one changed
bit costs one record, and what is skipped is reported with its place.

A hostile file may hold a possible header every few bytes, each of a long record. So the search
checks only a limited number of bytes; if they are used up, the rest of the file is damage.

Bytes come from memory or from a descriptor. A descriptor is read without moving its position,
so several threads can read; a short read is damage. A record is checked again when it is
read, because a file on a disk may change after the walk.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple, Protocol

from amtracer.errors import DamagedRecordError
from amtracer.files.records import (
    BEGINNING,
    HEADER_BYTES,
    RECORD_MAGIC,
    RecordHeader,
    RecordKind,
    RecordsEnd,
    content_of,
    end_of,
    header_of,
    next_crc,
    record_crc,
)
from amtracer.wire.limits import MIB

SEARCH_BYTES_MAX = 256 * MIB
"""Bytes of wrong records that one walk checks while it searches for a right one."""
_PIECE_BYTES = MIB


class ByteSource(Protocol):
    """Where the bytes of a file are."""

    @property
    def size(self) -> int:
        """The number of bytes."""
        ...

    def read(self, offset: int, size: int) -> bytes:
        """Bytes at an offset; fewer only at the end of the file."""
        ...


class MemoryBytes:
    """A file that is in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        return len(self._data)

    def read(self, offset: int, size: int) -> bytes:
        return self._data[offset : offset + size]


class DescriptorBytes:
    """A file that stays on the disk; `size` is that of the beginning of the walk."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._size = os.fstat(fd).st_size

    @property
    def size(self) -> int:
        return self._size

    def read(self, offset: int, size: int) -> bytes:
        wanted = max(0, min(size, self._size - offset))
        pieces: list[bytes] = []
        while wanted and (piece := os.pread(self._fd, wanted, offset)):
            pieces.append(piece)
            offset += len(piece)
            wanted -= len(piece)
        return b"".join(pieces)


class Record(NamedTuple):
    """A right record: its place in the file, and its header."""

    offset: int
    header: RecordHeader

    @property
    def end(self) -> int:
        """The offset after it."""
        return self.offset + self.header.size

    def head(self, source: ByteSource) -> bytes:
        """The content of its head."""
        return content_of(self.stored(source)[0])

    def body(self, source: ByteSource) -> bytes:
        """The content of its body."""
        return content_of(self.stored(source)[1])

    def stored(self, source: ByteSource) -> tuple[bytes, bytes]:
        """Its head and its body as stored; a `DamagedRecordError` if they were changed."""
        data = source.read(self.offset, self.header.size)
        if len(data) != self.header.size or header_of(data) != self.header:
            raise DamagedRecordError("was changed", where=f"record at {self.offset:,}")
        content = data[HEADER_BYTES:]
        if record_crc(data[:HEADER_BYTES], content) != self.header.crc:
            raise DamagedRecordError("was changed", where=f"record at {self.offset:,}")
        return content[: self.header.head_bytes], content[self.header.head_bytes :]


class BadKind(Enum):
    """Why bytes of a file are skipped."""

    BEGINNING = "its beginning is damaged"
    DAMAGED = "damaged"
    CUT = "cut"
    TRAILING = "other bytes after the end"


class BadBytes(NamedTuple):
    """Bytes of a file that are no right record."""

    offset: int
    size: int
    kind: BadKind


class RecordWalk:
    """One walk over a file of format 3; iterate it once, then ask `end` and `is_whole`."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._records = self._crc = 0
        self._search_left = SEARCH_BYTES_MAX
        self._is_clean = True
        self.end: RecordsEnd | None = None
        """What the end says; None if the file was cut."""

    @property
    def is_whole(self) -> bool:
        """Whether the file has its end, and before it exactly what was written."""
        return self._is_clean and self.end is not None and self.end[::2] == self._seen

    @property
    def _seen(self) -> tuple[int, int]:
        return self._records, self._crc

    def __iter__(self) -> Iterator[Record | BadBytes]:
        """The right records and the bytes between them, in the order of the file."""
        beginning = self._source.read(0, len(BEGINNING))
        if beginning != BEGINNING:
            is_cut = BEGINNING.startswith(beginning)
            kind = BadKind.CUT if is_cut else BadKind.BEGINNING
            yield self._bad(0, len(beginning), kind)
        at = len(BEGINNING)
        while at < self._source.size and self.end is None:
            found = self._right_at(at)
            if found is None:
                next_at, kind = self._after_bad(at)
                yield self._bad(at, next_at, kind)
                at = next_at
            else:
                self._count(found)
                yield found
                at = found.end
        if at < self._source.size:
            yield self._bad(at, self._source.size, BadKind.TRAILING)

    def _bad(self, low: int, high: int, kind: BadKind) -> BadBytes:
        self._is_clean = False
        return BadBytes(low, high - low, kind)

    def _count(self, record: Record) -> None:
        if record.header.kind != RecordKind.END:
            self._records += 1
            self._crc = next_crc(self._crc, record.header)
            return
        try:
            self.end = end_of(record.head(self._source))
        except DamagedRecordError:
            self._is_clean = False

    def _right_at(self, at: int) -> Record | None:
        """The record at an offset, if it is right."""
        header = self._header_at(at)
        if header is None or at + header.size > self._source.size:
            return None
        data = self._source.read(at, header.size)
        right = record_crc(data[:HEADER_BYTES], data[HEADER_BYTES:]) == header.crc
        return Record(at, header) if right and len(data) == header.size else None

    def _header_at(self, at: int) -> RecordHeader | None:
        return header_of(self._source.read(at, HEADER_BYTES))

    def _after_bad(self, at: int) -> tuple[int, BadKind]:
        """Where to go on after a bad record, and what the bytes up to there are."""
        size = self._source.size
        header = self._header_at(at)
        if header is not None:
            after = at + header.size
            if after == size or (after < size and self._right_at(after) is not None):
                return after, BadKind.DAMAGED
        found = self._search(at + 1)
        if found < size:
            return found, BadKind.DAMAGED
        is_cut = size - at < HEADER_BYTES if header is None else at + header.size > size
        return size, BadKind.CUT if is_cut else BadKind.DAMAGED

    def _search(self, at: int) -> int:
        """The offset of the next right record, the size of the file if there is none."""
        size, overlap = self._source.size, len(RECORD_MAGIC) - 1
        while at < size:
            piece = self._source.read(at, _PIECE_BYTES + overlap)
            if not piece:
                return size
            index = piece.find(RECORD_MAGIC)
            while index >= 0:
                if self._is_right(at + index):
                    return at + index
                if self._search_left <= 0:
                    return size
                index = piece.find(RECORD_MAGIC, index + 1)
            at += _PIECE_BYTES
        return size

    def _is_right(self, at: int) -> bool:
        """Whether a right record is at an offset; the bytes that this checks are counted."""
        header = self._header_at(at)
        if header is None or at + header.size > self._source.size:
            return False
        self._search_left -= header.size
        return self._right_at(at) is not None
