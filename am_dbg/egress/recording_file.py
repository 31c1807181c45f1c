"""The file of a recording: records of session format 3 that can be read while it grows.

Small records of rows are replaced by larger ones as the file grows; a reader skips those that were
replaced. At the end the file is copied without them. If there is no room for a copy, it stays as it
is, which is whole too.
"""

from __future__ import annotations

import os
from contextlib import ExitStack

from am_dbg.store.packed.heads import pack_rows_head, unpack_rows_head
from amtracer.errors import SessionError
from amtracer.files.atomic import AtomicFile
from amtracer.files.record_walk import DescriptorBytes, Record, RecordWalk
from amtracer.files.records import RecordKind, RecordWriter, compressed
from amtracer.files.session import open_session, remember_written, set_aside_earlier


class RecordingFile:
    """A file that exists from its beginning; an earlier recording at its path is `set_aside`.

    Everything that was added is in the file, even if the process is killed. Errors are a
    `SessionError`. One thread at a time.
    """

    def __init__(self, path: str) -> None:
        self._path = os.path.realpath(path)
        self._file = AtomicFile(path)
        self._loose: list[int] = []
        self._replaced: set[int] = set()
        self.records = RecordWriter(self._file.write)
        with ExitStack() as begun:
            begun.callback(self._file.abort)
            self.records.begin()
            self.set_aside = set_aside_earlier(self._path)
            self._file.publish()
            remember_written(self._path)
            begun.pop_all()

    @property
    def loose(self) -> int:
        """Records of rows that a larger one can replace."""
        return len(self._loose)

    def add_loose(self, head: bytes, body: bytes, rows: int) -> None:
        """Write a record of rows, compressed already, that another one may replace."""
        self._loose.append(self.records.add_stored(RecordKind.ROWS, head, body, rows=rows))

    def replace_loose(self, head: bytes, body: bytes, rows: int) -> None:
        """Write a record of the rows of all loose ones; its head says that it replaces them."""
        self.records.add_stored(RecordKind.ROWS, head, body, rows=rows)
        self._replaced.update(self._loose)
        self._loose.clear()

    def keep_loose(self) -> None:
        """Leave the loose records as they are."""
        self._loose.clear()

    def close(self) -> None:
        """Write the end, and the file again without what was replaced if there is room."""
        self.records.end()
        self._file.commit()
        remember_written(self._path)
        if self._replaced:
            try:
                _copy_without(self._path, self._replaced)
            except SessionError:  # the file is whole as it is
                return
            remember_written(self._path)

    def release(self) -> None:
        """Close the descriptor; the file stays cut."""
        self._file.release()


def _copy_without(path: str, replaced: set[int]) -> None:
    """Write a file of records again without those at some offsets."""
    with open_session(path) as opened:
        source = DescriptorBytes(opened.fileno())
        file = AtomicFile(path)
        try:
            records = RecordWriter(file.write)
            records.begin()
            for found in RecordWalk(source):
                if isinstance(found, Record) and found.offset not in replaced:
                    _copy(found, source, records)
            records.end()
            file.commit()
        finally:
            file.abort()


def _copy(record: Record, source: DescriptorBytes, records: RecordWriter) -> None:
    kind = record.header.kind
    if kind == RecordKind.END:
        return
    head, body = record.stored(source)
    rows = 0
    if kind == RecordKind.ROWS:
        content = unpack_rows_head(record.head(source))
        rows = content.rows
        if content.replaces:
            head = compressed(pack_rows_head(content._replace(replaces=0)))
    records.add_stored(RecordKind(kind), head, body, rows=rows)
