"""Encodes messages as frames and decodes them; uses no sockets and no files.

A frame is a header and a body. The header is the length of the body and its CRC32, both
four bytes, big-endian. The body is a msgpack array `[kind, ...]`. The first frame, the
magic, names the kind of stream, a connection or a session file, and its version.

The rules of a reader:

- A length is checked against its limit before any byte of the body is stored.
- A body holds nil, booleans, integers, texts, byte strings and arrays, nested at most six
  deep. Maps and extension types are refused, so nothing in a body can build an object.
- A bundle is a body of bodies, for small messages. It holds no other bundle and no end.
- An unknown kind is skipped and so are unknown fields at the end of a known one. Fields
  are positions; a missing one at the end has its default, if it has one.
- Any bytes, together or one by one, give messages or one `WireError`, never another error.
  After an error the reader refuses all bytes: the position of the next frame is unknown.

This module checks each message alone: types, ranges, lengths of columns, limits. The owner of
the stream's dictionary checks that numbers are defined before they are used.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, repeat

import msgpack

from amtracer.errors import (
    ChecksumError,
    ForeignPeerError,
    FrameTooLargeError,
    LimitError,
    VersionError,
    WireError,
)
from amtracer.wire import limits
from amtracer.wire.bodies import body_of, message_of
from amtracer.wire.fields import Body
from amtracer.wire.messages import (
    DUMP_VERSION,
    DUMP_VERSION_MIN,
    PROTOCOL_VERSION,
    PROTOCOL_VERSION_MIN,
    EndMessage,
    HelloMessage,
    Message,
    MessageKind,
)
from amtracer.wire.shape_columns import read_shape_columns, run_key
from amtracer.wire.sniff import looks_like

_HEADER = struct.Struct(">II")
HEADER_BYTES = _HEADER.size
_LENGTH_BYTES = 4
_MAGIC_START = b"\0\0\0"
"""The beginning of every stream, because the magic is short; other protocols begin differently."""

_NEVER_BUNDLED = (int(MessageKind.BUNDLE), int(MessageKind.END))

Pack = Callable[[object], bytes]


@dataclass(frozen=True, slots=True)
class Dialect:
    """The word and the versions of a magic, and the limit of a frame.

    `allows_token`: a hello may hold a token. A connection allows it, a file does not, because
    others may read the file.
    """

    word: str
    version: int
    version_min: int
    frame_bytes_max: int
    allows_token: bool


WIRE = Dialect("amtr", PROTOCOL_VERSION, PROTOCOL_VERSION_MIN, limits.WIRE_FRAME_BYTES_MAX, True)
FILE = Dialect("amsf", DUMP_VERSION, DUMP_VERSION_MIN, limits.FILE_FRAME_BYTES_MAX, False)


class StreamTotals:
    """Counts frames and bytes and computes their CRC32, for the end message and its check."""

    __slots__ = ("crc", "frames", "size")

    def __init__(self) -> None:
        self.frames: int = 0
        self.size: int = 0
        self.crc: int = 0

    def add(self, frame: bytes) -> None:
        self.frames += 1
        self.size += len(frame)
        self.crc = zlib.crc32(frame, self.crc)

    def message(self) -> EndMessage:
        """The correct end message at this point."""
        return EndMessage(self.frames, self.size, self.crc)


def magic_frame(dialect: Dialect = WIRE) -> bytes:
    """The first frame of every connection and file."""
    return magic_frame_of(dialect.word, dialect.version)


def magic_frame_of(word: str, version: int) -> bytes:
    """The first frame of a kind of stream and its version."""
    return _frame(_packed((int(MessageKind.MAGIC), word, version)))


def encode(message: Message, dialect: Dialect = WIRE) -> bytes:
    """One frame; `WireError` if a value cannot be sent or the frame would be too large."""
    return _frame(_packed_message(message, dialect))


def pack_placed(place: object, message: Message) -> bytes:
    """A message for a session file without frames, with a value of its place."""
    packer = msgpack.Packer(unicode_errors="backslashreplace")
    body = _packed_message(message, FILE)
    return b"".join((packer.pack_array_header(2), packer.pack(place), body))


def joined_messages(packed: Sequence[bytes]) -> bytes:
    """Messages of `pack_placed` as one body."""
    return b"".join((msgpack.Packer().pack_array_header(len(packed)), *packed))


def pack_messages(messages: Iterable[tuple[object, Message]]) -> bytes:
    """Messages for a session file without frames, each with a value of its place."""
    return joined_messages([pack_placed(place, message) for place, message in messages])


def unpack_messages(data: bytes, where: str) -> Iterator[tuple[object, Message]]:
    """The messages of `pack_messages`, each checked alone; unknown kinds are skipped."""
    for pair in _unpacked_tuple(data, where):
        if type(pair) is not tuple or len(pair) < 2:
            raise WireError("a message without a place", where=where)
        message = message_of(_body_with_kind(pair[1], where), where)
        if message is not None:
            yield pair[0], _without_forbidden_token(message, FILE)


class FrameWriter:
    """Encodes messages as frames, for one connection or file.

    Small messages are gathered into bundles, because a header for each would be larger than
    most definitions. `flush` ends the bundle, `end` the stream.
    """

    def __init__(self, dialect: Dialect = WIRE) -> None:
        self._dialect = dialect
        self._pack: Pack = msgpack.Packer(unicode_errors="backslashreplace").pack
        self._totals = StreamTotals()
        self._bodies: list[bytes] = []
        self._size = 0

    def magic(self) -> bytes:
        """The first frame of the stream."""
        return self._counted(magic_frame(self._dialect))

    def write(self, message: Message) -> bytes:
        """The frames that are complete with this message, often none.

        Raises `WireError` if the message cannot be sent; the stream is then unchanged.
        """
        body = _packed_message(message, self._dialect, self._pack)
        done = b""
        if self._size + len(body) > limits.BUNDLE_BYTES or len(self._bodies) >= limits.BUNDLE_MAX:
            done = self.flush()
        self._bodies.append(body)
        self._size += len(body)
        return done

    def flush(self) -> bytes:
        """The gathered messages as one frame."""
        bodies = self._bodies
        if not bodies:
            return b""
        whole = bodies[0] if len(bodies) == 1 else _bundle(bodies)
        self._bodies = []
        self._size = 0
        return self._counted(_frame(whole))

    def end(self) -> bytes:
        """The gathered messages, and the end message."""
        return self.flush() + _frame(_packed(body_of(self._totals.message())))

    def _counted(self, frame: bytes) -> bytes:
        self._totals.add(frame)
        return frame


def _bundle(bodies: list[bytes]) -> bytes:
    """A body of bodies, joined without packing them again."""
    header: bytes = msgpack.Packer().pack_array_header(len(bodies) + 1)
    return b"".join((header, _packed(int(MessageKind.BUNDLE)), *bodies))


def _packed(value: object) -> bytes:
    packed: bytes = msgpack.packb(value, unicode_errors="backslashreplace")
    return packed


def _packed_message(message: Message, dialect: Dialect, pack: Pack = _packed) -> bytes:
    body = body_of(_without_forbidden_token(message, dialect))
    try:
        packed = pack(body)
    except (TypeError, ValueError, OverflowError) as error:
        raise WireError(str(error), where=f"message of kind {body[0]}") from error
    if len(packed) > dialect.frame_bytes_max:
        where = f"message of kind {body[0]}"
        raise FrameTooLargeError(len(packed), dialect.frame_bytes_max, where=where)
    return packed


def _without_forbidden_token(message: Message, dialect: Dialect) -> Message:
    """The message, without its token if the dialect does not allow one."""
    if type(message) is HelloMessage and not dialect.allows_token:
        return replace(message, token=b"")
    return message


def _frame(body: bytes) -> bytes:
    return _HEADER.pack(len(body), zlib.crc32(body)) + body


class FrameReader:
    """Decodes bytes as messages; one reader for each connection or file.

    Checks the magic and the versions. If an end message comes, it must be correct, and nothing
    may follow it. With `in_columns`, shapes that stand one after another in a frame are one
    `ShapesMessage`, which is several times faster.
    """

    def __init__(self, dialect: Dialect = WIRE, *, in_columns: bool = False) -> None:
        self._dialect = dialect
        self._in_columns = in_columns
        self._buffer = bytearray()
        self._need = _LENGTH_BYTES
        self._totals = StreamTotals()
        self._error: WireError | None = None
        self.ended: bool = False

    @property
    def frames(self) -> int:
        """The number of frames that were read, the magic and skipped frames included."""
        return self._totals.frames

    @property
    def started(self) -> bool:
        """Whether the magic was read."""
        return self._totals.frames > 0

    @property
    def pending_bytes(self) -> int:
        """The number of bytes of an incomplete frame."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[Message]:
        """Store the bytes now; decode the messages that they complete as the caller iterates."""
        if self._error is not None:
            raise self._error
        self._buffer += data
        return self._messages()

    def _messages(self) -> Iterator[Message]:
        try:
            if self.ended and self._buffer:
                raise WireError("bytes after the end")
            while len(self._buffer) >= self._need:
                frame = self._next_frame()
                if frame is None:
                    break
                yield from self._decoded(frame)
            self._refuse_foreign()
        except WireError as error:
            self._error = error
            self._buffer.clear()
            raise

    def _next_frame(self) -> bytes | None:
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

    def _decoded(self, frame: bytes) -> Iterator[Message]:
        _, crc = _HEADER.unpack_from(frame)
        body = frame[HEADER_BYTES:]
        where = self._where()
        if not self.started:
            self._check_magic(frame)
            self._totals.add(frame)
            return
        if zlib.crc32(body) != crc:
            raise ChecksumError("checksum is wrong", where=where)
        values = _unpacked(body, where)
        if values[0] == MessageKind.BUNDLE:
            yield from self._bundled(values, where)
        else:
            message = message_of(values, where)
            if isinstance(message, EndMessage):
                self._check_end(message)
            if message is not None:
                yield self._admitted(message)
        self._totals.add(frame)

    def _bundled(self, values: Body, where: str) -> Iterator[Message]:
        if len(values) - 1 > limits.BUNDLE_MAX:
            raise LimitError("messages in a frame", len(values) - 1, limits.BUNDLE_MAX, where=where)
        bodies = map(_body_with_kind, values[1:], repeat(where))
        if not self._in_columns:
            yield from self._one_by_one(bodies, where)
            return
        for key, run in groupby(bodies, run_key):
            if key is None:
                yield from self._one_by_one(run, where)
            else:
                yield from self._shapes(list(run), where)

    def _shapes(self, bodies: Sequence[Body], where: str) -> Iterator[Message]:
        columns = read_shape_columns(bodies, where)
        return self._one_by_one(bodies, where) if columns is None else iter((columns,))

    def _one_by_one(self, bodies: Iterable[Body], where: str) -> Iterator[Message]:
        for body in bodies:
            if body[0] in _NEVER_BUNDLED:
                raise WireError("a bundle or an end within a bundle", where=where)
            message = message_of(body, where)
            if message is not None:
                yield self._admitted(message)

    def _admitted(self, message: Message) -> Message:
        """The message; a hello only with a version that is read here."""
        if type(message) is not HelloMessage:
            return message
        low, high = PROTOCOL_VERSION_MIN, PROTOCOL_VERSION
        _check_version("protocol version", message.version, low, high)
        return _without_forbidden_token(message, self._dialect)

    def _check_magic(self, frame: bytes) -> None:
        """Check the first frame; any fault in it means another protocol."""
        _, crc = _HEADER.unpack_from(frame)
        body = frame[HEADER_BYTES:]
        try:
            values = _unpacked(body, self._where())
        except WireError as error:
            raise ForeignPeerError(looks_like(frame + self._buffer[:512])) from error
        if zlib.crc32(body) != crc:
            raise ForeignPeerError(looks_like(frame + self._buffer[:512]))
        expected = self._dialect.word
        match values:
            case (int(MessageKind.MAGIC), str(word), int(version), *_) if word == expected:
                low, high = self._dialect.version_min, self._dialect.version
                _check_version("format version", version, low, high)
            case (int(MessageKind.MAGIC), str(word), *_):
                raise ForeignPeerError(f"a stream of frames named {word!r}")
            case _:
                raise ForeignPeerError("a stream of other frames")

    def _check_end(self, end: EndMessage) -> None:
        if end != self._totals.message():
            what = "the end message does not match the frames before it"
            raise ChecksumError(what, where=self._where())
        if self._buffer:
            raise WireError("bytes after the end", where=self._where())
        self.ended = True

    def _refuse_foreign(self) -> None:
        """Before the magic, refuse bytes of another protocol as soon as they differ."""
        if self.started or not self._buffer:
            return
        head = bytes(self._buffer[: limits.MAGIC_BYTES_MAX])
        if head[:3] != _MAGIC_START[: len(head)]:
            raise ForeignPeerError(looks_like(bytes(self._buffer[:512])))

    def _where(self) -> str:
        return f"frame {self._totals.frames}"


def _check_version(what: str, found: int, low: int, high: int) -> None:
    if not low <= found <= high:
        raise VersionError(what, found, low, high)


def _refuse_map(_: object) -> object:
    raise WireError("a map, which no body may hold")


def _refuse_extension(code: int, _: bytes) -> object:
    raise WireError(f"an extension type ({code}), which no body may hold")


def _unpacked(body: bytes, where: str) -> Body:
    """Unpack a body; every error of msgpack becomes a `WireError`."""
    return _body_with_kind(_unpacked_tuple(body, where), where)


def _unpacked_tuple(body: bytes, where: str) -> Body:
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
        raise WireError(f"invalid msgpack ({error})", where=where) from error
    if type(value) is not tuple:
        raise WireError("no array", where=where)
    return value


def _body_with_kind(value: object, where: str) -> Body:
    if type(value) is not tuple or not value or type(value[0]) is not int:
        raise WireError("a body that is not an array that begins with a kind", where=where)
    return value
