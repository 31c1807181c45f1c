"""Session files: the messages of one or more streams, compressed, with an end message.

A file is one brotli stream: a magic frame, the frames of the messages, and an end frame with
the number, size and checksum of all frames before it. The extension is `.msgpack.br`. Several
streams may follow one another; each begins with its hello.

brotli does not detect damage, so every frame has a checksum and the end frame has one of all
frames. A changed bit is detected unless it decompresses to the same content, as a few do. Each
fault has its own error with one line of text: empty, another format, cut, damaged, another
version, too large, followed by other bytes. All messages before the error are valid.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from enum import Enum
from functools import cache
from types import TracebackType
from typing import BinaryIO, Self

import brotli

from amtracer.errors import (
    CutSessionError,
    DamagedSessionError,
    EmptySessionError,
    ForeignPeerError,
    ForeignSessionError,
    SessionAccessError,
    SessionBusyError,
    SessionTooLargeError,
    SessionVersionError,
    TrailingBytesError,
    VersionError,
    WireError,
)
from amtracer.files.atomic import AtomicFile, PathLike, is_being_written, reason_of, shown
from amtracer.files.inflate import InflateError, Inflater, TooLargeError
from amtracer.files.processes import BEGAN_S
from amtracer.files.record_walk import BadKind, DescriptorBytes, Record, RecordWalk
from amtracer.files.records import (
    BEGINNING,
    RECORD_MAGIC,
    RECORDS_VERSION,
    RecordKind,
    begins_records,
)
from amtracer.wire import limits
from amtracer.wire.codec import FILE, FrameReader, FrameWriter, magic_frame
from amtracer.wire.messages import BatchMessage, LaterLinesMessage, Message, OpenWorkMessage
from amtracer.wire.sniff import looks_like

FLUSH_TRANSITIONS = 1_024
"""A live recording is flushed after this many transitions, or"""
FLUSH_S = 1.0
"""after this time, if its owner calls `flush_if_due`;"""
FLUSH_AT_REST_S = 0.1
"""after this time if an idle machine has sent a message."""

_MAGIC_BYTES = 19
"""Bytes at the beginning of a file of format 3 that are its compressed magic."""

_AT_REST = (LaterLinesMessage, OpenWorkMessage)
_CHUNK_BYTES = 64 * 1024
_HEAD_BYTES = 512


def _compressor() -> brotli.Compressor:
    return brotli.Compressor(quality=5, lgwin=20)


@cache
def _start() -> bytes:
    """The beginning of every file of this version: the magic, flushed."""
    compressor = _compressor()
    return bytes(compressor.process(magic_frame(FILE)) + compressor.flush())


class SessionWriter:
    """Writes a session file; it appears whole at `close`.

    With `live` it appears at once and can be read while it grows, up to the last flush: every
    1,024 transitions, or a second after the last flush if the owner calls `flush_if_due`.
    `unflushed` counts the transitions and other messages since then. An earlier recording at
    the path that holds transitions is renamed to `set_aside`; it replaces only an older one of
    that name. If another process wrote the file after this program began, the writer raises
    `SessionBusyError`, so no process replaces the file of another. Other files are not
    replaced either. An exception in the context removes a file that has not appeared.

    Raises `SessionAccessError` for errors of the disk. One thread at a time.
    """

    def __init__(
        self,
        path: PathLike,
        *,
        live: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._live = live
        self._clock = clock
        self._compressor = _compressor()
        self._frames = FrameWriter(FILE)
        self.unflushed: int = 0
        self.set_aside: str = ""
        self._file = AtomicFile(path)
        self._path = os.path.realpath(os.fsdecode(path))
        with ExitStack() as begun:
            begun.callback(self._file.abort)
            self._write(self._frames.magic())
            self.flush()
            if live:
                self.set_aside = set_aside_earlier(self._path)
                self._file.publish()
                remember_written(self._path)
            begun.pop_all()

    def write(self, message: Message) -> None:
        """Add one message; after a `WireError` the file is unchanged."""
        self._write(self._frames.write(message))
        if self._live and isinstance(message, BatchMessage):
            self.unflushed += len(message.shapes)
            if self.unflushed >= FLUSH_TRANSITIONS:
                self.flush()
        elif isinstance(message, _AT_REST):
            self._flush_s = FLUSH_AT_REST_S
            self.unflushed += 1

    def flush_if_due(self) -> None:
        """Flush if the last flush is old enough; for live recordings."""
        if self.unflushed and self._clock() - self._flushed_at >= self._flush_s:
            self.flush()

    def flush(self) -> None:
        """Make all written data readable, even if this process is killed."""
        self._write(self._frames.flush())
        self._file.write(self._compressor.flush())
        self.unflushed = 0
        self._flush_s = FLUSH_S
        self._flushed_at = self._clock()

    def close(self) -> None:
        """Write the end message and make the file appear; a second call does nothing."""
        if self._file.closed:
            return
        try:
            self._write(self._frames.end())
            self._file.write(self._compressor.finish())
            self._file.commit()
            remember_written(self._path)
        finally:
            self._file.abort()

    def abort(self) -> None:
        """Remove the file if it has not appeared; an earlier file stays."""
        self._file.abort()

    def release(self) -> None:
        """Close the descriptor without writing; for a forked child."""
        self._file.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None or self._live:
            self.close()
        else:
            self.abort()

    def _write(self, frames: bytes) -> None:
        compressed = self._compressor.process(frames)
        if compressed:
            self._file.write(compressed)


class _Existing(Enum):
    """An existing file at the path of a recording; the value marks its new name."""

    NOTHING = ""
    CUT = "cut"
    WHOLE = "before"


def aside_path(path: str, mark: str) -> str:
    """The new path of a recording that another one replaces: `run.cut.msgpack.br`.

    There is one such path for each name and mark, so a program that is started many times
    leaves at most three files.
    """
    folder, name = os.path.split(path)
    stem, dot, extension = name.partition(".")
    return os.path.join(folder, f"{stem}.{mark}{dot}{extension}")


_written_inodes: dict[str, int] = {}
"""The inode of the last file that this process wrote at each path."""


def remember_written(path: str) -> None:
    """Note that the file at a path is one that this process wrote."""
    with suppress(OSError):
        _written_inodes[path] = os.stat(path).st_ino


def set_aside_earlier(path: str) -> str:
    """Give a recording that holds transitions another name, and return that.

    It keeps its present name until it is replaced, so one of the names always exists. Raises
    `SessionAccessError` for a file that is no recording.
    """
    found = _existing_at(path)
    if found is _Existing.NOTHING:
        return ""
    there = os.stat(path)
    if there.st_mtime > BEGAN_S and _written_inodes.get(path) != there.st_ino:
        raise SessionBusyError(shown(path), "another process has written it since this one began")
    aside = aside_path(path, found.value)
    _existing_at(aside)
    try:
        with suppress(FileNotFoundError):
            os.unlink(aside)
        try:
            os.link(path, aside)
        except OSError:  # not every file system has hard links
            os.rename(path, aside)
    except OSError as error:
        reason = f"what is there cannot become {shown(os.path.basename(aside))}: "
        raise SessionAccessError(shown(path), reason + reason_of(error)) from error
    return aside


def _existing_at(path: str) -> _Existing:
    """The kind of file at a path; `SessionAccessError` if no recording may replace it.

    The file is decoded only up to its first transition, because the program waits.
    """
    if not os.path.lexists(path):
        return _Existing.NOTHING
    if is_being_written(path):
        raise SessionBusyError(shown(path))
    if os.path.isfile(path):
        try:
            with open_session(path) as file:
                if session_version(file) == RECORDS_VERSION:
                    return _existing_records(file)
        except OSError as error:
            raise SessionAccessError(shown(path), reason_of(error)) from error
    try:
        if not any(isinstance(message, BatchMessage) for message in read_session(path)):
            return _Existing.NOTHING
    except (EmptySessionError, CutSessionError):
        return _Existing.NOTHING
    except ForeignSessionError as error:
        reason = f"{error.reason}; a recording does not replace it"
        raise SessionAccessError(shown(path), reason) from error
    except (SessionVersionError, SessionTooLargeError):
        return _Existing.WHOLE
    except (DamagedSessionError, TrailingBytesError):
        return _Existing.CUT
    return _Existing.WHOLE if _is_whole(path) else _Existing.CUT


def _existing_records(file: BinaryIO) -> _Existing:
    """The kind of a file of format 3; one that was cut before its first rows is nothing."""
    walk = RecordWalk(DescriptorBytes(file.fileno()))
    has_rows = is_damaged = False
    for found in walk:
        if isinstance(found, Record):
            has_rows = has_rows or found.header.kind == RecordKind.ROWS
        else:
            is_damaged = is_damaged or found.kind is not BadKind.CUT
    if walk.is_whole:
        return _Existing.WHOLE if has_rows else _Existing.NOTHING
    is_damaged = is_damaged or walk.end is not None
    return _Existing.CUT if has_rows or is_damaged else _Existing.NOTHING


def _is_whole(path: str) -> bool:
    """Whether a session file is not cut."""
    inflater = Inflater()
    try:
        with open_session(path) as file:
            while chunk := file.read(_CHUNK_BYTES):
                for _ in inflater.feed(chunk):
                    pass
    except TooLargeError:
        return True
    except (OSError, InflateError):
        return False
    return inflater.finished


def open_session(path: PathLike) -> BinaryIO:
    """Open for reading without waiting for a writer; refuse folders and devices."""
    name = shown(path)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
            raise ForeignSessionError(name, "a folder" if stat.S_ISDIR(mode) else "a device")
        fd = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
        os.set_blocking(fd, True)
        return open(fd, "rb", buffering=0)
    except (OSError, ValueError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        raise SessionAccessError(name, reason) from error


def session_version(file: BinaryIO) -> int:
    """3 if a file that can be read twice is made of records, else 0: `read_session` reads it.

    The position in the file does not move. A damaged beginning before a record, and a beginning
    that is cut after its version, are of version 3 too.
    """
    here = file.tell()
    data = file.read(len(BEGINNING) + len(RECORD_MAGIC))
    file.seek(here)
    is_cut = len(data) >= _MAGIC_BYTES and BEGINNING.startswith(data)
    return RECORDS_VERSION if is_cut or begins_records(data) else 0


def read_session(
    file: BinaryIO | PathLike,
    *,
    bytes_max: int = limits.SESSION_BYTES_MAX,
    in_columns: bool = False,
) -> Iterator[Message]:
    """The messages of a session file, as they are read; memory is bounded.

    With `in_columns`, several shapes can be one `ShapesMessage`, which is faster.
    Every fault is one `SessionError`, after the valid messages.
    """
    if isinstance(file, str | bytes | os.PathLike):
        with open_session(file) as opened:
            yield from _Reading(opened, shown(file), bytes_max, in_columns).messages()
    else:
        name = getattr(file, "name", None)
        label = shown(name) if isinstance(name, str | bytes) else "session"
        yield from _Reading(file, label, bytes_max, in_columns).messages()


class _Reading:
    """One reading of a file."""

    def __init__(self, file: BinaryIO, name: str, bytes_max: int, in_columns: bool) -> None:
        self._file = file
        self._in_columns = in_columns
        self._name = name
        self._bytes_max = bytes_max
        self._head = b""
        self._read = 0
        self._transitions = 0

    def messages(self) -> Iterator[Message]:
        inflater = Inflater(self._bytes_max)
        reader = FrameReader(FILE, in_columns=self._in_columns)
        while chunk := self._chunk():
            try:
                for piece in inflater.feed(chunk):
                    for message in reader.feed(piece):
                        if isinstance(message, BatchMessage):
                            self._transitions += len(message.shapes)
                        yield message
            except InflateError as error:
                raise self._inflate_error(reader, len(chunk)) from error
            except TooLargeError as error:
                raise SessionTooLargeError(self._name, self._bytes_max) from error
            except VersionError as error:
                raise SessionVersionError(self._name, error.found, error.low, error.high) from error
            except ForeignPeerError as error:
                raise self._foreign_error(error.looks_like) from error
            except WireError as error:
                raise DamagedSessionError(self._name, str(error), self._transitions) from error
        if not (inflater.finished and reader.ended):
            raise self._cut_error(reader)

    def _chunk(self) -> bytes:
        try:
            chunk = self._file.read(_CHUNK_BYTES)
        except OSError as error:
            raise SessionAccessError(self._name, reason_of(error)) from error
        self._read += len(chunk)
        self._head += chunk[: _HEAD_BYTES - len(self._head)]
        return chunk

    def _inflate_error(self, reader: FrameReader, chunk_bytes: int) -> Exception:
        if not reader.started and not self._head.startswith(_start()):
            return self._foreign_error("")
        if self._ends_whole(chunk_bytes):
            return TrailingBytesError(self._name, self._transitions)
        return DamagedSessionError(self._name, "cannot be decompressed", self._transitions)

    def _foreign_error(self, content: str) -> Exception:
        """Another format, or damage if only one or two bytes of the beginning differ."""
        start = _start()
        if sum(a != b for a, b in zip(self._head, start, strict=False)) <= 2 < len(self._head):
            return DamagedSessionError(self._name, "its beginning", 0)
        format_ = f"{content}, compressed" if content else looks_like(self._head)
        return ForeignSessionError(self._name, format_)

    def _cut_error(self, reader: FrameReader) -> Exception:
        if not self._head:
            return EmptySessionError(self._name)
        start = _start()
        if reader.started or start.startswith(self._head) or self._head.startswith(start):
            return CutSessionError(self._name, self._transitions)
        return self._foreign_error("")

    def _ends_whole(self, chunk_bytes: int) -> bool:
        """Whether a whole session ends in the last chunk, which is read again byte by byte.

        brotli refuses the whole chunk in which a stream ends. Counts the transitions again.
        False if the file cannot be read twice.
        """
        if not self._file.seekable():
            return False
        self._file.seek(-self._read, os.SEEK_CUR)
        inflater, reader = Inflater(self._bytes_max), FrameReader(FILE)
        pieces = [_CHUNK_BYTES] * ((self._read - chunk_bytes) // _CHUNK_BYTES) + [1] * chunk_bytes
        transitions = 0
        try:
            for size in pieces:
                for piece in inflater.feed(self._file.read(size)):
                    for message in reader.feed(piece):
                        if isinstance(message, BatchMessage):
                            transitions += len(message.shapes)
        except (InflateError, WireError, TooLargeError, OSError):
            pass
        if not (inflater.finished and reader.ended):
            return False
        self._transitions = transitions
        return True
