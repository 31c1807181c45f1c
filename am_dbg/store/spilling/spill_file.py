"""A temporary file without a name, to which records of a store are moved.

Nobody else can open the file, and the system frees it when the last descriptor is closed, even if
the process is killed. After `end`, only the loaders of what was moved hold the descriptor, and
readers that are still looking. So it is closed when nothing of the file is needed any longer.

One thread appends, any thread reads what was appended before.
"""

from __future__ import annotations

import os
import tempfile
from weakref import WeakKeyDictionary, finalize, ref

from am_dbg.store.loading.column_cache import ColumnCache
from am_dbg.store.loading.record_file import KeptRecord, RecordFile
from am_dbg.store.track import Track
from amtracer.files.record_walk import MemoryBytes, Record
from amtracer.files.records import HEADER_BYTES, RecordKind, RecordWriter, header_of


class UnnamedFile:
    """The bytes of a temporary file that has no name; `size` counts whole appends."""

    def __init__(self) -> None:
        with tempfile.TemporaryFile(prefix="am-dbg-", buffering=0) as file:
            self._fd = os.dup(file.fileno())
        self.size = 0
        finalize(self, os.close, self._fd).atexit = False

    def read(self, offset: int, size: int) -> bytes:
        """Bytes at an offset, fewer only at the end."""
        pieces: list[bytes] = []
        while size and (piece := os.pread(self._fd, size, offset)):
            pieces.append(piece)
            offset += len(piece)
            size -= len(piece)
        return b"".join(pieces)

    def append(self, data: bytes) -> None:
        """Append; after an OSError the next append writes over what this one has written."""
        written = 0
        while written < len(data):
            written += os.pwrite(self._fd, data[written:], self.size + written)
        self.size += len(data)


class SpillFile:
    """The records of one temporary file.

    `lasts` has for each track the newest transition that was moved here. OSError if the file
    cannot be made or a record cannot be written.
    """

    def __init__(self, cache: ColumnCache) -> None:
        source = UnnamedFile()
        self._source = ref(source)
        self._records: RecordFile | None = RecordFile(source, cache)
        self._writer: RecordWriter | None = RecordWriter(source.append)
        self.lasts: WeakKeyDictionary[Track, int] = WeakKeyDictionary()

    @property
    def size(self) -> int:
        """Bytes on the disk; 0 once nothing needs the file."""
        source = self._source()
        return 0 if source is None else source.size

    @property
    def is_needed(self) -> bool:
        """Whether something that was moved here can still be read."""
        return self._source() is not None

    @property
    def records(self) -> RecordFile:
        """What loaders need of the file, until its end."""
        assert self._records is not None  # nothing is moved to a file that ended
        return self._records

    def add(self, kind: RecordKind, head: bytes, body: bytes) -> Record:
        """Append a record whose head and body are compressed; returns its place."""
        assert self._writer is not None  # nothing is moved to a file that ended
        offset = self._writer.add_stored(kind, head, body)
        header = header_of(self.records.source.read(offset, HEADER_BYTES))
        if header is None:
            raise OSError("what was written cannot be read")
        return Record(offset, header)

    def end(self) -> None:
        """Nothing more is appended: from now on only loaders hold the file."""
        self._records = self._writer = None


def kept_in_memory(cache: ColumnCache, kind: RecordKind, head: bytes, body: bytes) -> KeptRecord:
    """A record that is in no file."""
    written: list[bytes] = []
    RecordWriter(written.append).add_stored(kind, head, body)
    header = header_of(written[0])
    assert header is not None  # it was written just now
    file = RecordFile(MemoryBytes(written[0]), cache)
    return KeptRecord(file, Record(0, header), WeakKeyDictionary(), len(written[0]))
