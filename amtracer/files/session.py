"""Session files: the messages of one or more streams, compressed, with an end mark.

A file is one brotli stream of a magic frame, the frames of the messages and an end frame
that counts and sums up all before it. Extension `.msgpack.br`. Several streams may follow
one another; each begins with its hello.

brotli finds no damage, so every frame has a checksum and the end frame one over all. A
changed bit is reported unless it decompresses to the very same content, as a few do. So
these faults can be distinguished, each an error of its own with one line of text: empty,
something else, cut, changed, too new, too large, followed by other bytes. What was read
before the error is whole frames whose checksums are right.
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
from amtracer.wire import limits
from amtracer.wire.codec import FILE, Decoder, FrameWriter, magic_frame
from amtracer.wire.messages import BatchMessage, LaterLinesMessage, Message, OpenWorkMessage
from amtracer.wire.sniff import looks_like

FLUSH_TRANSITIONS = 1_024
"""A live recording is readable up to here at the latest, or"""
FLUSH_S = 1.0
"""up to this long ago, when its owner calls `flush_if_due`;"""
FLUSH_AT_REST_S = 0.1
"""so soon when the last message written is one that a machine at rest sends."""

_AT_REST = (LaterLinesMessage, OpenWorkMessage)
_CHUNK_BYTES = 64 * 1024
_HEAD_BYTES = 512


def _compressor() -> brotli.Compressor:
    return brotli.Compressor(quality=5, lgwin=20)


@cache
def _start() -> bytes:
    """How every file of this version begins: the magic, flushed."""
    compressor = _compressor()
    return bytes(compressor.process(magic_frame(FILE)) + compressor.flush())


class SessionWriter:
    """Writes a session file; it appears whole at `close`.

    With `live` it appears at once and can be read while it grows, up to the last flush:
    every 1,024 transitions, or a second after the one before if the owner calls
    `flush_if_due`; `unflushed` counts what waits for that. It destroys nothing: a recording in
    its place that holds transitions gets the name `set_aside`, and what is no recording is
    refused. Only an older one set aside before is replaced. One that another process wrote
    after this program began stays where it is, which is a `SessionBusyError`: of processes
    that run together none takes the place of another.
    Leaving the context by an exception removes what has not appeared.

    Trouble with the disk is a `SessionAccessError`. One thread at a time.
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
        self.unflushed = 0
        self.set_aside = ""
        self._file = AtomicFile(path)
        self._place = os.path.realpath(os.fsdecode(path))
        with ExitStack() as begun:
            begun.callback(self._file.abort)
            self._write(self._frames.magic())
            self.flush()
            if live:
                self.set_aside = _set_aside(self._place)
                self._file.publish()
                _note_recorded(self._place)
            begun.pop_all()

    def write(self, message: Message) -> None:
        """Add one message; `WireError` if it cannot be written, and the file is as before."""
        self._write(self._frames.write(message))
        if self._live and isinstance(message, BatchMessage):
            self.unflushed += len(message.shapes)
            if self.unflushed >= FLUSH_TRANSITIONS:
                self.flush()
        elif isinstance(message, _AT_REST):
            self._flush_s = FLUSH_AT_REST_S
            self.unflushed += 1

    def flush_if_due(self) -> None:
        """Make readable what is older than a second, or less; for live recordings."""
        if self.unflushed and self._clock() - self._flushed_at >= self._flush_s:
            self.flush()

    def flush(self) -> None:
        """Make readable all that was written; it stays so when this process is killed."""
        self._write(self._frames.flush())
        self._file.write(self._compressor.flush())
        self.unflushed = 0
        self._flush_s = FLUSH_S
        self._flushed_at = self._clock()

    def close(self) -> None:
        """Write the end mark and let the file appear; a second call does nothing."""
        if self._file.closed:
            return
        try:
            self._write(self._frames.end())
            self._file.write(self._compressor.finish())
            self._file.commit()
            _note_recorded(self._place)
        finally:
            self._file.abort()

    def abort(self) -> None:
        """Give up: what has not appeared is removed, what was there before stays."""
        self._file.abort()

    def release(self) -> None:
        """Only release the file, as a forked child must; nothing is written."""
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


class _Found(Enum):
    """What a recording finds in its place, with the mark under which that is kept."""

    NOTHING = ""
    CUT = "cut"
    WHOLE = "before"


def aside_path(path: str, mark: str) -> str:
    """Where a recording goes when another takes its name: `run.cut.msgpack.br`.

    There is one such place for each name and mark, so a program that is started for ever
    leaves three files at most.
    """
    folder, name = os.path.split(path)
    stem, dot, extension = name.partition(".")
    return os.path.join(folder, f"{stem}.{mark}{dot}{extension}")


_recorded: dict[str, int] = {}
"""The inode of the last file that this process wrote under each name."""


def _note_recorded(path: str) -> None:
    with suppress(OSError):
        _recorded[path] = os.stat(path).st_ino


def _set_aside(path: str) -> str:
    """Give a recording that holds transitions another name, which is returned.

    It keeps the one it has until it is replaced, so it is always there under one of them.
    What is no recording is left as it is: a `SessionAccessError`.
    """
    found = _found_at(path)
    if found is _Found.NOTHING:
        return ""
    there = os.stat(path)
    if there.st_mtime > BEGAN_S and _recorded.get(path) != there.st_ino:
        raise SessionBusyError(shown(path), "another process has written it since this one began")
    aside = aside_path(path, found.value)
    _found_at(aside)
    try:
        with suppress(FileNotFoundError):
            os.unlink(aside)
        try:
            os.link(path, aside)
        except OSError:  # not every file system has a second name for a file
            os.rename(path, aside)
    except OSError as error:
        reason = f"what is there cannot become {shown(os.path.basename(aside))}: "
        raise SessionAccessError(shown(path), reason + reason_of(error)) from error
    return aside


def _found_at(path: str) -> _Found:
    """What is there; `SessionAccessError` for what no recording may replace.

    It is decoded up to the first transition only, the rest would take the program's time.
    """
    if not os.path.lexists(path):
        return _Found.NOTHING
    if is_being_written(path):
        raise SessionBusyError(shown(path))
    try:
        if not any(isinstance(message, BatchMessage) for message in read_session(path)):
            return _Found.NOTHING
    except (EmptySessionError, CutSessionError):
        return _Found.NOTHING
    except ForeignSessionError as error:
        reason = f"{error.reason}; a recording does not replace it"
        raise SessionAccessError(shown(path), reason) from error
    except (SessionVersionError, SessionTooLargeError):
        return _Found.WHOLE
    except (DamagedSessionError, TrailingBytesError):
        return _Found.CUT
    return _Found.WHOLE if _is_whole(path) else _Found.CUT


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
    """Open for reading without waiting for a writer; a folder or device is refused."""
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


def read_session(
    file: BinaryIO | PathLike, *, bytes_max: int = limits.SESSION_BYTES_MAX
) -> Iterator[Message]:
    """The messages of a session file, as they are read; memory stays bounded.

    Whatever is wrong is one `SessionError` after the messages that were good.
    """
    if isinstance(file, str | bytes | os.PathLike):
        with open_session(file) as opened:
            yield from _Reading(opened, shown(file), bytes_max).messages()
    else:
        name = getattr(file, "name", None)
        label = shown(name) if isinstance(name, str | bytes) else "session"
        yield from _Reading(file, label, bytes_max).messages()


class _Reading:
    """One way through a file, and the error for an early end."""

    def __init__(self, file: BinaryIO, name: str, bytes_max: int) -> None:
        self._file = file
        self._name = name
        self._bytes_max = bytes_max
        self._head = b""
        self._read = 0
        self._transitions = 0

    def messages(self) -> Iterator[Message]:
        inflater, decoder = Inflater(self._bytes_max), Decoder(FILE)
        while chunk := self._chunk():
            try:
                for piece in inflater.feed(chunk):
                    for message in decoder.feed(piece):
                        if isinstance(message, BatchMessage):
                            self._transitions += len(message.shapes)
                        yield message
            except InflateError as error:
                raise self._not_inflated(decoder, len(chunk)) from error
            except TooLargeError as error:
                raise SessionTooLargeError(self._name, self._bytes_max) from error
            except VersionError as error:
                raise SessionVersionError(self._name, error.found, error.low, error.high) from error
            except ForeignPeerError as error:
                raise self._not_ours(error.looks_like) from error
            except WireError as error:
                raise DamagedSessionError(self._name, str(error), self._transitions) from error
        if not (inflater.finished and decoder.ended):
            raise self._ended_early(decoder)

    def _chunk(self) -> bytes:
        try:
            chunk = self._file.read(_CHUNK_BYTES)
        except OSError as error:
            raise SessionAccessError(self._name, reason_of(error)) from error
        self._read += len(chunk)
        self._head += chunk[: _HEAD_BYTES - len(self._head)]
        return chunk

    def _not_inflated(self, decoder: Decoder, chunk_bytes: int) -> Exception:
        if not decoder.started and not self._head.startswith(_start()):
            return self._not_ours("")
        if self._is_whole_before(chunk_bytes):
            return TrailingBytesError(self._name, self._transitions)
        return DamagedSessionError(self._name, "cannot be decompressed", self._transitions)

    def _not_ours(self, content: str) -> Exception:
        """Something else, unless it begins as our files do but for a byte or two."""
        start = _start()
        if sum(a != b for a, b in zip(self._head, start, strict=False)) <= 2 < len(self._head):
            return DamagedSessionError(self._name, "its beginning", 0)
        looks = f"{content}, compressed" if content else looks_like(self._head)
        return ForeignSessionError(self._name, looks)

    def _ended_early(self, decoder: Decoder) -> Exception:
        if not self._head:
            return EmptySessionError(self._name)
        start = _start()
        if decoder.started or start.startswith(self._head) or self._head.startswith(start):
            return CutSessionError(self._name, self._transitions)
        return self._not_ours("")

    def _is_whole_before(self, chunk_bytes: int) -> bool:
        """Read again, the last chunk byte by byte, to see if a whole session ends in it.

        brotli refuses a chunk in which the stream ends as a whole, and says no more. Counts
        the transitions again. False for what cannot be read twice.
        """
        if not self._file.seekable():
            return False
        self._file.seek(-self._read, os.SEEK_CUR)
        inflater, decoder = Inflater(self._bytes_max), Decoder(FILE)
        pieces = [_CHUNK_BYTES] * ((self._read - chunk_bytes) // _CHUNK_BYTES) + [1] * chunk_bytes
        transitions = 0
        try:
            for size in pieces:
                for piece in inflater.feed(self._file.read(size)):
                    for message in decoder.feed(piece):
                        if isinstance(message, BatchMessage):
                            transitions += len(message.shapes)
        except (InflateError, WireError, TooLargeError, OSError):
            pass
        if not (inflater.finished and decoder.ended):
            return False
        self._transitions = transitions
        return True
