"""Messages to frames and back. Knows no socket, no file and neither end.

A frame is a header and a body. The header is the length of the body and its CRC32, both
four bytes, big-endian. The body is a msgpack array `[kind, ...]`. The first frame, the
magic, tells what follows: a connection or a session file, and its version.

The rules of a reader:

- A length is checked against the limit before a byte of the body is kept.
- A body holds nil, booleans, integers, texts, byte strings and arrays, nested at most six
  deep. Maps and extension types are refused, so nothing in a body can build an object.
- An unknown kind is skipped and so are unknown fields at the end of a known one. Fields
  are positions; a missing one at the end has its default, if it has one.
- Any bytes, whole or one by one, give messages or one `WireError`, never another error.
  After an error the decoder stays failed: the place of the next frame is not known.

What a reader checks here is what one message tells alone: types, ranges, lengths of
columns, limits. That numbers are defined before they are used is a matter of the stream,
so of who keeps the stream's dictionary.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import msgpack

from amtracer import limits
from amtracer.bodies import body_of, message_of
from amtracer.errors import (
    ChecksumError,
    ForeignPeerError,
    FrameTooLargeError,
    VersionError,
    WireError,
)
from amtracer.fields import Body
from amtracer.looks import looks_like
from amtracer.schema import (
    DUMP_VERSION,
    DUMP_VERSION_MIN,
    PROTOCOL_VERSION,
    PROTOCOL_VERSION_MIN,
    EndMessage,
    HelloMessage,
    Kind,
    Message,
)

__all__ = ["FILE", "HEADER_BYTES", "WIRE", "Decoder", "Dialect", "Seal", "encode", "magic_frame"]

_HEADER = struct.Struct(">II")
HEADER_BYTES = _HEADER.size
_LENGTH_BYTES = 4
_MAGIC_START = b"\0\0\0"
"""Every stream begins so: the magic is short. No protocol told apart here does."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the magic says, which versions are read, how large a frame may be."""

    word: str
    version: int
    version_min: int
    frame_bytes_max: int


WIRE = Dialect("amtr", PROTOCOL_VERSION, PROTOCOL_VERSION_MIN, limits.WIRE_FRAME_BYTES_MAX)
FILE = Dialect("amsf", DUMP_VERSION, DUMP_VERSION_MIN, limits.FILE_FRAME_BYTES_MAX)


class Seal:
    """Counts frames and bytes and sums them up, for the end message and its check."""

    __slots__ = ("crc", "frames", "size")

    def __init__(self) -> None:
        self.frames = 0
        self.size = 0
        self.crc = 0

    def add(self, frame: bytes) -> None:
        self.frames += 1
        self.size += len(frame)
        self.crc = zlib.crc32(frame, self.crc)

    def message(self) -> EndMessage:
        """The end message that is right here."""
        return EndMessage(self.frames, self.size, self.crc)


def magic_frame(dialect: Dialect = WIRE) -> bytes:
    """First frame of every connection and file."""
    return _frame((int(Kind.MAGIC), dialect.word, dialect.version), limits.MAGIC_BYTES_MAX)


def encode(message: Message, dialect: Dialect = WIRE) -> bytes:
    """One frame; `WireError` when a value cannot be sent or the frame would be too large."""
    return _frame(body_of(message), dialect.frame_bytes_max)


def _frame(body: Body, bytes_max: int) -> bytes:
    try:
        packed: bytes = msgpack.packb(body, unicode_errors="backslashreplace")
    except (TypeError, ValueError, OverflowError) as error:
        raise WireError(str(error), where=f"message of kind {body[0]}") from error
    if len(packed) > bytes_max:
        raise FrameTooLargeError(len(packed), bytes_max, where=f"message of kind {body[0]}")
    return _HEADER.pack(len(packed), zlib.crc32(packed)) + packed


class Decoder:
    """Bytes in, messages out; one for each connection or file.

    Checks the magic, the versions and, when an end message comes, that it is right and
    that nothing follows.
    """

    def __init__(self, dialect: Dialect = WIRE) -> None:
        self._dialect = dialect
        self._buffer = bytearray()
        self._need = _LENGTH_BYTES
        self._seal = Seal()
        self._error: WireError | None = None
        self.ended = False

    @property
    def frames(self) -> int:
        """Whole frames read, the magic and skipped ones included."""
        return self._seal.frames

    @property
    def started(self) -> bool:
        """True once the magic was read."""
        return self._seal.frames > 0

    @property
    def pending(self) -> bytes:
        """What came and is no whole frame yet."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take bytes at once; the messages they complete are decoded as they are asked for."""
        if self._error is not None:
            raise self._error
        self._buffer += data
        return self._messages()

    def _messages(self) -> Iterator[Message]:
        try:
            if self.ended and self._buffer:
                raise WireError("bytes after the end")
            while len(self._buffer) >= self._need:
                frame = self._whole_frame()
                if frame is None:
                    break
                message = self._decoded(frame)
                if message is not None:
                    yield message
            self._refuse_foreign()
        except WireError as error:
            self._error = error
            self._buffer.clear()
            raise

    def _whole_frame(self) -> bytes | None:
        if not self.started:
            self._refuse_foreign()
        size = int.from_bytes(self._buffer[:_LENGTH_BYTES], "big")
        bytes_max = self._dialect.frame_bytes_max if self.started else limits.MAGIC_BYTES_MAX
        if size > bytes_max:
            raise FrameTooLargeError(size, bytes_max, where=self._where())
        end = HEADER_BYTES + size
        if len(self._buffer) < end:
            self._need = end
            return None
        frame = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._need = _LENGTH_BYTES
        return frame

    def _decoded(self, frame: bytes) -> Message | None:
        _, crc = _HEADER.unpack_from(frame)
        body = frame[HEADER_BYTES:]
        if zlib.crc32(body) != crc:
            raise ChecksumError("checksum is wrong", where=self._where())
        if not self.started:
            self._check_magic(_unpacked(body, self._where()))
            self._seal.add(frame)
            return None
        message = message_of(_unpacked(body, self._where()), self._where())
        if isinstance(message, HelloMessage):
            _check_version(
                "protocol version", message.version, PROTOCOL_VERSION_MIN, PROTOCOL_VERSION
            )
        if isinstance(message, EndMessage):
            self._check_end(message)
        self._seal.add(frame)
        return message

    def _check_magic(self, body: Body) -> None:
        match body:
            case (int(Kind.MAGIC), str(word), int(version), *_) if word == self._dialect.word:
                low, high = self._dialect.version_min, self._dialect.version
                _check_version("format version", version, low, high)
            case (int(Kind.MAGIC), str(word), *_):
                raise ForeignPeerError(f"a stream of frames named {word!r}")
            case _:
                raise ForeignPeerError("a stream of other frames")

    def _check_end(self, end: EndMessage) -> None:
        if end != self._seal.message():
            raise ChecksumError("the end mark does not fit what came before", where=self._where())
        if self._buffer:
            raise WireError("bytes after the end", where=self._where())
        self.ended = True

    def _refuse_foreign(self) -> None:
        """Before the magic, tell what the bytes are as soon as they cannot be ours."""
        if self.started or not self._buffer:
            return
        head = bytes(self._buffer[: limits.MAGIC_BYTES_MAX])
        if head[:3] != _MAGIC_START[: len(head)]:
            raise ForeignPeerError(looks_like(bytes(self._buffer[:512])))

    def _where(self) -> str:
        return f"frame {self._seal.frames}"


def _check_version(what: str, found: int, low: int, high: int) -> None:
    if not low <= found <= high:
        raise VersionError(what, found, low, high)


def _refuse_map(_: object) -> object:
    raise WireError("a map, which no body may hold")


def _refuse_extension(code: int, _: bytes) -> object:
    raise WireError(f"an extension type ({code}), which no body may hold")


def _unpacked(body: bytes, where: str) -> Body:
    """The border where whatever msgpack makes of bad bytes becomes one error."""
    try:
        value: object = msgpack.unpackb(
            body,
            use_list=False,
            object_hook=_refuse_map,
            ext_hook=_refuse_extension,
            max_ext_len=0,
            max_str_len=limits.TEXT_BYTES_MAX,
            max_bin_len=limits.TEXT_BYTES_MAX,
        )
    except WireError as error:
        raise WireError(error.what, where=where) from None
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise WireError(f"no valid msgpack ({error})", where=where) from error
    if type(value) is not tuple or not value or type(value[0]) is not int:
        raise WireError("a body that is no array beginning with a kind", where=where)
    return value
