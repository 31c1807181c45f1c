"""Records: the framing of session format 3.

A file is a fixed beginning and records, nothing else. A record is a header, a head and a body:

    amR3 | kind, 1 byte | 3 zeros | bytes of head, 4 | bytes of body, 4 | CRC32, 4 | head | body

Numbers are big-endian. The CRC32 is over the 12 bytes before it, the head and the body. Head
and body are each a brotli stream of at most 8 MiB of content, so every record is read by
itself and damage stays within its record. The last record, the end, has the number of records
and rows before it, and the CRC32 over their CRC32s. A file whose last record is not an end was
cut.

The beginning is a brotli stream: the magic frame, flushed, then the header of a metadata block,
which a reader of the earlier formats decompresses up to the frame, and refuses by its version.

This module knows nothing of the content of records; `amtracer.files.record_walk` reads them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

import brotli

from amtracer.errors import DamagedRecordError, LimitError
from amtracer.files.inflate import InflateError, Inflater, TooLargeError
from amtracer.wire.limits import MIB

RECORDS_VERSION = 3
"""The format of session files that are made of records."""
CONTENT_BYTES_MAX = 8 * MIB
"""Content of one head or one body."""
PACKED_BYTES_MAX = CONTENT_BYTES_MAX + MIB // 16
"""One head or one body as stored; content that cannot be compressed becomes a little larger."""
RECORD_MAGIC = b"amR3"

BEGINNING = bytes.fromhex("87078000000008d7a705329300a4616d736603 f6ffff3f")
"""The magic frame `[0, "amsf", 3]`, compressed, and the header of a metadata block."""

_FIELDS = struct.Struct(">B3xII")
_CRC = struct.Struct(">I")
_END = struct.Struct(">QQI")
HEADER_BYTES = len(RECORD_MAGIC) + _FIELDS.size + _CRC.size


class RecordKind(IntEnum):
    """What a record holds; 9 is reserved for a directory."""

    OPENING = 1
    DEFINITIONS = 2
    ROWS = 3
    EVENTS = 4
    END = 5


class RecordHeader(NamedTuple):
    """The header of a record; lengths are those of the stored bytes."""

    kind: int
    head_bytes: int
    body_bytes: int
    crc: int

    @property
    def size(self) -> int:
        """Bytes of the whole record."""
        return HEADER_BYTES + self.head_bytes + self.body_bytes


class RecordsEnd(NamedTuple):
    """The content of the end: what was written before it."""

    records: int
    rows: int
    crc: int


def header_of(data: bytes) -> RecordHeader | None:
    """The header at the beginning of `data`, if there is a possible one."""
    if len(data) < HEADER_BYTES or not data.startswith(RECORD_MAGIC):
        return None
    at = len(RECORD_MAGIC)
    kind, head_bytes, body_bytes = _FIELDS.unpack_from(data, at)
    if data[at + 1 : at + 4] != b"\0\0\0" or max(head_bytes, body_bytes) > PACKED_BYTES_MAX:
        return None
    (crc,) = _CRC.unpack_from(data, at + _FIELDS.size)
    return RecordHeader(kind, head_bytes, body_bytes, crc)


def record_crc(header: bytes, content: bytes) -> int:
    """The CRC32 that a record with this header, head and body has."""
    return zlib.crc32(content, zlib.crc32(header[len(RECORD_MAGIC) : -_CRC.size]))


def begins_records(data: bytes) -> bool:
    """Whether a file that begins with `data` is of format 3, even if its beginning is damaged."""
    start = len(BEGINNING)
    return data.startswith(BEGINNING) or data[start:].startswith(RECORD_MAGIC)


def compressed(content: bytes) -> bytes:
    """A head or a body as stored."""
    if len(content) > CONTENT_BYTES_MAX:
        raise LimitError("bytes of a record", len(content), CONTENT_BYTES_MAX)
    return bytes(brotli.compress(content, quality=5, lgwin=20))


def content_of(stored: bytes) -> bytes:
    """The content of a stored head or body; memory is bounded."""
    inflater = Inflater(CONTENT_BYTES_MAX)
    try:
        content = b"".join(inflater.feed(stored))
    except InflateError as error:
        raise DamagedRecordError("cannot be decompressed") from error
    except TooLargeError as error:
        raise DamagedRecordError(f"more than {CONTENT_BYTES_MAX:,} bytes") from error
    if not inflater.finished:
        raise DamagedRecordError("its content is cut")
    return content


def end_of(content: bytes) -> RecordsEnd:
    """Decode the head of an end; fields that follow are skipped."""
    if len(content) < _END.size:
        raise DamagedRecordError("an end that is too short")
    return RecordsEnd(*_END.unpack_from(content))


def next_crc(crc: int, header: RecordHeader) -> int:
    """The CRC32 over the CRC32s of records, after one more."""
    return zlib.crc32(_CRC.pack(header.crc), crc)


class RecordWriter:
    """Writes records through `write`, which is given the bytes of one record at a time.

    `position` counts the bytes written. One thread at a time.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self.position: int = 0
        self._records = self._rows = self._crc = 0

    def begin(self) -> None:
        """Write the beginning of a file."""
        self._put(BEGINNING)

    def add(self, kind: RecordKind, head: bytes, body: bytes = b"", *, rows: int = 0) -> int:
        """Compress and write a record that holds so many rows; returns its offset."""
        return self.add_stored(kind, compressed(head), compressed(body), rows=rows)

    def add_stored(self, kind: RecordKind, head: bytes, body: bytes, *, rows: int = 0) -> int:
        """Write a record whose head and body are compressed already; returns its offset."""
        stored = max(len(head), len(body))
        if stored > PACKED_BYTES_MAX:
            raise LimitError("bytes of a record", stored, PACKED_BYTES_MAX)
        offset, content = self.position, head + body
        unsigned = RECORD_MAGIC + _FIELDS.pack(kind, len(head), len(body))
        crc = record_crc(unsigned + bytes(_CRC.size), content)
        self._put(unsigned + _CRC.pack(crc) + content)
        self._records += 1
        self._rows += rows
        self._crc = next_crc(self._crc, RecordHeader(kind, len(head), len(body), crc))
        return offset

    def end(self) -> None:
        """Write the end, after which nothing may follow."""
        self.add(RecordKind.END, _END.pack(self._records, self._rows, self._crc))

    def _put(self, data: bytes) -> None:
        self._write(data)
        self.position += len(data)
