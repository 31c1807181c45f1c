"""Imports a session into the store from a file, standard input or a web address.

The content decides how a session is read, not its name: it is one of our session files or one of
the Go debugger. Regular files are read in place; data that cannot be read twice (a pipe, a
download) goes to a temporary file first, up to a limit.

A crafted session can take more memory than its decompressed size. So memory is checked after each
message: a store with its own limit frees memory there, and if the rest is still too large, the
import ends.

Opening reads the first message, so that data that is no session is reported before anything else
happens. The rest comes message by message: an import into a running debugger runs on the ingest
thread, and the screen shows what was read so far.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import chain
from typing import BinaryIO

from am_dbg.ingest.collection import collection_postponed
from am_dbg.ingest.content_digest import digest_of
from am_dbg.ingest.memory import MEGABYTE, MEMORY_MB_MAX_DEFAULT
from am_dbg.ingest.records_import import RecordsImport
from am_dbg.ingest.temporary import keep, temporary_file
from am_dbg.store import Store
from amtracer.errors import (
    DamagedSessionError,
    ForeignSessionError,
    SessionAccessError,
    SessionError,
    SessionTooLargeError,
    TrailingBytesError,
    WireError,
)
from amtracer.files.atomic import reason_of, shown
from amtracer.files.record_walk import ByteSource, DescriptorBytes, MemoryBytes
from amtracer.files.records import RECORDS_VERSION
from amtracer.files.session import open_session, read_session, session_version
from amtracer.wire.messages import BatchMessage, EndMessage, HelloMessage, Message, SegmentMessage

INPUT_BYTES_MAX = 256 * 1024 * 1024
"""The most bytes of a pipe or a download, before decompression, that are read."""
MEMORY_BYTES_MAX = MEMORY_MB_MAX_DEFAULT * MEGABYTE
"""The most bytes of the store while a session is imported, by default."""
STANDARD_INPUT = "-"
READ_AT_ONCE_BYTES_MAX = 64 * MEGABYTE
"""A larger file of records is read where it is, record by record."""

_CHUNK_BYTES = 64 * 1024
_PROGRESS_MESSAGES = 256

OnRead = Callable[[int, int], None]
"""Called now and then with the bytes read and in all (0 if not known)."""


class ImportSource:
    """An open session: its first message was read, the rest can be read once.

    A file of records has no messages; `records` is where they are.
    """

    def __init__(
        self,
        label: str,
        file: BinaryIO,
        messages: Iterator[Message],
        records: ByteSource | None = None,
    ) -> None:
        self.label = label
        self.bytes_total = _size(file)
        self.records = records
        self._file = file
        self._messages = messages

    @property
    def bytes_read(self) -> int:
        """Bytes of the file that were read so far."""
        return self.bytes_total if self._file.closed else self._file.tell()

    def messages(self) -> Iterator[Message]:
        """The messages in order; a fault is one SessionError after the good ones."""
        with self._file:
            yield from self._messages

    def digest(self) -> str:
        """The digest of the content; the reading goes on where it is."""
        return "" if self._file.closed else digest_of(self._file)

    def close(self) -> None:
        """Close the file without reading it."""
        self._file.close()


def open_source(text: str) -> ImportSource:
    """Open a file name, `-` for standard input, or a web address; SessionError if that fails.

    `file://` is a local file. Any other text with `://` is refused unless a file of that name
    exists.
    """
    file = _opened(text)
    try:
        records = _records_of(file)
        messages = iter(()) if records is not None else _messages_of(file)
    except SessionError:
        file.close()
        raise
    return ImportSource(str(file.name), file, messages, records)


def import_session(
    store: Store,
    source: ImportSource | str,
    progress: OnRead | None = None,
    memory_max: int = MEMORY_BYTES_MAX,
    give_way: Callable[[], None] = lambda: None,
) -> int:
    """Import a whole session; return how many transitions it has.

    `give_way` is called every few milliseconds, while no lock is held.
    A session that takes more than `memory_max` bytes is too large. A stream with an error ends
    there; the streams after it are imported. After a SessionError the store has everything before
    the error, and unfinished tracks have a gap of the kind CUT.
    """
    opened = open_source(source) if isinstance(source, str) else source
    if opened.records is not None:
        with closing(opened), collection_postponed():
            return RecordsImport(store, opened.label, opened.records, give_way).run(progress)
    session = _SessionImport(store, opened.label)
    due = 0
    try:
        with store.gathering():
            for count, message in enumerate(opened.messages()):
                give_way()
                session.take(message)
                if count >= due or isinstance(message, SegmentMessage):
                    due = count + _PROGRESS_MESSAGES
                    if progress is not None:
                        store.settle()
                        progress(opened.bytes_read, opened.bytes_total)
                if store.size() > memory_max:
                    _refuse_too_large(store, opened.label, memory_max)
    except SessionError as error:
        is_whole = isinstance(error, TrailingBytesError)
        session.end("" if is_whole else error.reason)
        raise
    session.end()
    if session.trouble is not None:
        raise session.trouble
    return session.transitions


def _refuse_too_large(store: Store, label: str, memory_max: int) -> None:
    """Refuse a session whose transitions take too much memory, once none of them waits."""
    store.settle()
    if store.size() > memory_max:
        raise SessionTooLargeError(label, memory_max, "in memory")


class _SessionImport:
    """Feeds the streams of one file to the store, each from its own hello on."""

    def __init__(self, store: Store, label: str) -> None:
        self.transitions = 0
        self.trouble: DamagedSessionError | None = None
        """The error of the first damaged stream; others are only in their tracks."""
        self._store = store
        self._label = label
        self._stream = self._before = -1
        self._skips = False
        """Whether the present stream is damaged, so that its rest is skipped."""

    def take(self, message: Message) -> None:
        """Feed one message; a hello begins the next stream."""
        if isinstance(message, HelloMessage):
            self.end()
            self._skips = False
            self._stream = self._store.open_stream(self._label, live=False, after=self._before)
            self._before = self._stream
        if self._skips or (self._stream < 0 and isinstance(message, EndMessage)):
            return
        try:
            if self._stream < 0:
                raise WireError("no hello at its beginning")
            self._store.feed(self._stream, message)
        except WireError as error:
            self._end_damaged(error)
            return
        if isinstance(message, BatchMessage):
            self.transitions += len(message.shapes)

    def end(self, reason: str = "") -> None:
        """End the present stream; with a reason if it ended too early."""
        if self._stream >= 0:
            self._store.close_stream(self._stream, reason)
            self._stream = -1

    def _end_damaged(self, error: WireError) -> None:
        trouble = DamagedSessionError(self._label, str(error), self.transitions)
        trouble.__cause__ = error
        self.trouble = self.trouble or trouble
        self._skips = True
        self.end(trouble.reason)


def _records_of(file: BinaryIO) -> ByteSource | None:
    """Where the records of a file are, None if it is another kind of file.

    Up to a limit the file is read at once: all of it is checked, and no later fault of the disk
    can change what was shown.
    """
    if session_version(file) != RECORDS_VERSION:
        return None
    if _size(file) > READ_AT_ONCE_BYTES_MAX:
        return DescriptorBytes(os.dup(file.fileno()))
    return MemoryBytes(file.read())


def _messages_of(file: BinaryIO) -> Iterator[Message]:
    """Read a file in its format; the first message is already read.

    Both readers report faults; ours reports a file of neither format.
    """
    try:
        return _begun(read_session(file, in_columns=True))
    except ForeignSessionError as foreign:
        from am_dbg.ingest.golang.session import read_go_session

        file.seek(0)
        try:
            return _begun(read_go_session(file))
        except ForeignSessionError:
            raise foreign from None


def _begun(messages: Iterator[Message]) -> Iterator[Message]:
    first = next(messages, None)
    return messages if first is None else chain((first,), messages)


def _opened(text: str) -> BinaryIO:
    if text == STANDARD_INPUT:
        return _from_standard_input()
    scheme, found, rest = text.partition("://")
    if found and not os.path.exists(text):
        if scheme.lower() in ("http", "https"):
            from am_dbg.ingest.download import fetched

            return _named(fetched(text, INPUT_BYTES_MAX), shown(text))
        if scheme.lower() != "file":
            raise SessionAccessError(shown(text), "only http, https and file addresses are read")
        host, slash, path = rest.partition("/")
        if host not in ("", "localhost"):
            raise SessionAccessError(shown(text), "a file on another host")
        text = slash + path
    return _from_file(text)


def _from_file(path: str) -> BinaryIO:
    file = open_session(path)
    if file.seekable():
        return _named(file, shown(path))
    with file:
        return _kept(file, shown(path))


def _from_standard_input() -> BinaryIO:
    if sys.stdin is None or sys.stdin.closed:
        raise SessionAccessError("standard input", "closed")
    if sys.stdin.isatty():
        raise SessionAccessError("standard input", "a terminal, not a file or a pipe")
    return _kept(sys.stdin.buffer, "standard input")


def _kept(file: BinaryIO, name: str) -> BinaryIO:
    """All data of a file that cannot be read twice, in a temporary file."""
    with ExitStack() as on_error:
        try:
            kept = on_error.enter_context(temporary_file())
            is_whole = keep(kept, iter(lambda: file.read(_CHUNK_BYTES), b""), INPUT_BYTES_MAX)
        except OSError as error:
            raise SessionAccessError(name, reason_of(error)) from error
        if not is_whole:
            raise SessionTooLargeError(name, INPUT_BYTES_MAX)
        on_error.pop_all()
    return _named(kept, name)


def _size(file: BinaryIO) -> int:
    at = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(at)
    return size


def _named(file: BinaryIO, name: str) -> BinaryIO:
    """The file with a name for people, which the readers use in their errors."""
    vars(file)["name"] = name
    return file
