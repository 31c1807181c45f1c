"""Reads a session file of the Go debugger as our messages.

The file (`.gob.br`) is a brotli stream of one gob value: a list of machines, each with its schema
and all its transitions. Neither format has a checksum or an end mark. The reader reports these
faults: empty, foreign, cut, damaged, too large, followed by other bytes. Of a cut or damaged file
everything before the damage is read.

Times are those of arrival at the debugger that wrote the file, so there are no durations.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import BinaryIO

from am_dbg.ingest.golang.convert import Converter
from am_dbg.ingest.golang.gob import GobStream, GobValue
from am_dbg.ingest.golang.log import shift_guess
from am_dbg.ingest.golang.primitives import GobError
from am_dbg.ingest.golang.records import GoSchema, schema_of
from amtracer.encode.stream_writer import StreamWriter
from amtracer.errors import (
    CutSessionError,
    DamagedSessionError,
    EmptySessionError,
    ForeignSessionError,
    SessionAccessError,
    SessionError,
    SessionTooLargeError,
    TrailingBytesError,
    WireError,
)
from amtracer.files.atomic import PathLike, reason_of, shown
from amtracer.files.inflate import InflateError, Inflater, TooLargeError
from amtracer.files.session import open_session
from amtracer.wire import limits
from amtracer.wire.messages import PROTOCOL_VERSION, HelloMessage, Message
from amtracer.wire.sniff import looks_like

_CHUNK_BYTES = 64 * 1024
_HEAD_BYTES = 4_096
_UNKNOWN = looks_like(b"\0\1")
_SCHEMA, _TRANSITIONS = "MsgStruct", "MsgTxs"


def read_go_session(
    file: BinaryIO | PathLike, *, bytes_max: int = limits.SESSION_BYTES_MAX
) -> Iterator[Message]:
    """The messages of a session of the Go debugger.

    A fault is one `SessionError` after the good messages.
    """
    if isinstance(file, str | bytes | os.PathLike):
        with open_session(file) as opened:
            name = shown(file)
            content = _loaded(opened, name, bytes_max)
    else:
        label = getattr(file, "name", None)
        name = shown(label) if isinstance(label, str | bytes) else "session"
        content = _loaded(file, name, bytes_max)
    yield from _messages(content, name, bytes_max)


@dataclass(slots=True)
class _Content:
    """The content of a file: its values, and the error that ended the reading."""

    stream: GobStream
    head: bytes = b""
    """First bytes of the file."""
    plain_head: bytes = b""
    """First bytes after decompression."""
    values: list[GobValue] = field(default_factory=list)
    finished: bool = False
    """Whether the compressed stream is complete."""
    error: Exception | None = None

    @property
    def value(self) -> GobValue | None:
        """The session, or its part before the fault."""
        return self.values[0] if self.values else self.stream.unfinished()


def _loaded(file: BinaryIO, name: str, bytes_max: int) -> _Content:
    chunks: list[bytes] = []
    content = _inflated(_remembered(_chunks(file, name), chunks), bytes_max)
    if isinstance(content.error, InflateError):
        # brotli refuses the whole chunk in which its stream ends
        last = chunks[-1]
        singly = (last[at : at + 1] for at in range(len(last)))
        content = _inflated([*chunks[:-1], *singly], bytes_max)
    return content


def _chunks(file: BinaryIO, name: str) -> Iterator[bytes]:
    try:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
    except OSError as error:
        raise SessionAccessError(name, reason_of(error)) from error


def _remembered(chunks: Iterable[bytes], into: list[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        into.append(chunk)
        yield chunk


def _inflated(chunks: Iterable[bytes], bytes_max: int) -> _Content:
    inflater = Inflater(bytes_max)
    content = _Content(GobStream(bytes_max))
    try:
        for chunk in chunks:
            content.head += chunk[: _HEAD_BYTES - len(content.head)]
            for piece in _pieces(inflater, chunk):
                content.plain_head += piece[: _HEAD_BYTES - len(content.plain_head)]
                content.values += content.stream.feed(piece)
    except (InflateError, TooLargeError, GobError) as error:
        content.error = error
    content.finished = inflater.finished
    return content


def _pieces(inflater: Inflater, chunk: bytes) -> Iterator[bytes]:
    """All content of a chunk; the decompressor can return it in several calls."""
    more = True
    while more:
        more = False
        for piece in inflater.feed(chunk):
            more = True
            yield piece
        chunk = b""


def _messages(content: _Content, name: str, bytes_max: int) -> Iterator[Message]:
    if isinstance(content.error, TooLargeError):
        raise SessionTooLargeError(name, bytes_max)
    value = content.value
    if value is None or not _is_list_of_machines(value):
        raise _nothing_in(content, name)
    conversion = _Conversion(content, value, name)
    broken: WireError | None = None
    try:
        yield from conversion.messages()
    except WireError as error:
        broken = error
    trouble = _trouble(content, broken, name, conversion.converter.transitions)
    if trouble is not None:
        raise trouble


def _is_list_of_machines(value: GobValue) -> bool:
    names = {name for name, _ in value.element_fields()}
    return {_SCHEMA, _TRANSITIONS} <= names


def _nothing_in(content: _Content, name: str) -> SessionError:
    """The error for a file without machines: empty, cut at its beginning, damaged or foreign."""
    if not content.head:
        return EmptySessionError(name)
    if content.stream.types.defined:
        if content.value is not None:
            return ForeignSessionError(name, "another gob stream, compressed")
        if content.error is not None:
            return DamagedSessionError(name, str(content.error), 0)
        return CutSessionError(name, 0)
    if content.plain_head:
        return ForeignSessionError(name, f"{looks_like(content.plain_head)}, compressed")
    looks = looks_like(content.head)
    if content.error is None and looks == _UNKNOWN:
        return CutSessionError(name, 0)
    return ForeignSessionError(name, looks)


def _trouble(
    content: _Content, broken: WireError | None, name: str, transitions: int
) -> SessionError | None:
    """The error to raise after the good part, None for a whole file."""
    if isinstance(content.error, InflateError):
        if content.finished and content.values:
            return TrailingBytesError(name, transitions)
        return DamagedSessionError(name, "cannot be decompressed", transitions)
    if len(content.values) > 1 or (content.values and not content.stream.idle):
        return TrailingBytesError(name, transitions)
    error = content.error or (broken if content.values else None)
    if error is not None:
        return DamagedSessionError(name, str(error), transitions)
    if not content.finished or not content.values:
        return CutSessionError(name, transitions)
    return None


class _Conversion:
    """Converts a session to messages, machine after machine."""

    def __init__(self, content: _Content, value: GobValue, name: str) -> None:
        self._value = value
        self._out: list[Message] = []
        hello = HelloMessage(
            PROTOCOL_VERSION,
            f"go-{zlib.crc32(content.head):08x}",
            wall_ns=0,
            mono_ns=0,
            origin="go",
            process={"program": PurePath(name).name, "library": "asyncmachine-go"},
        )
        self._writer = StreamWriter(self._out.append, hello, batch_rows=limits.BATCH_ROWS_MAX)
        types = value.types
        self.converter = Converter(self._writer, lambda: shift_guess(types))

    def messages(self) -> Iterator[Message]:
        """The messages; a `WireError` is raised after the good ones."""
        broken: WireError | None = None
        try:
            for _ in self._converted():
                yield from self._out
                self._out.clear()
        except WireError as error:
            broken = error
        self.converter.settle()
        self._writer.flush()
        yield from self._out
        if broken is not None:
            raise broken

    def _converted(self) -> Iterator[None]:
        """Convert schemas and transitions; yield after each."""
        waiting: GoSchema | None = None
        machine, place = "", -1
        for at, name, value in self._value.walk():
            if at != place:
                self._enter(waiting)
                waiting, machine, place = None, "", at
            if name == _SCHEMA:
                waiting = schema_of(value)
                machine = waiting.machine
            elif name == _TRANSITIONS:
                if waiting is not None:
                    self.converter.schema(waiting, value)
                    waiting = None
                self.converter.transition(value, machine_id=machine)
            yield
        self._enter(waiting)

    def _enter(self, schema: GoSchema | None) -> None:
        """Let a machine without transitions enter."""
        if schema is not None:
            self.converter.schema(schema)
