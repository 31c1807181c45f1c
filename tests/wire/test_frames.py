"""What a frame is, and what a reader makes of it."""

from __future__ import annotations

import zlib
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtracer.errors import (
    ChecksumError,
    ForeignPeerError,
    FrameTooLargeError,
    VersionError,
    WireError,
)
from amtracer.wire import limits
from amtracer.wire.codec import (
    FILE,
    HEADER_BYTES,
    WIRE,
    FrameReader,
    FrameWriter,
    StreamTotals,
    encode,
    magic_frame,
)
from amtracer.wire.messages import GoneMessage, HelloMessage, Message, MessageKind, SegmentMessage
from tests.wire.streams import (
    HELLO,
    bundled_bytes,
    decoded,
    decoded_bytewise,
    messages,
    stream_bytes,
)


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big") + body


def framed(*values: Any) -> bytes:
    return frame(msgpack.packb(values))


def after_magic(data: bytes) -> list[Message]:
    return decoded(magic_frame() + data)


@given(st.lists(messages, max_size=8))
def test_what_is_encoded_comes_back_equal(stream: list[Message]) -> None:
    """Decoding gives the messages that were encoded, in order."""
    assert decoded(stream_bytes(stream)) == stream


@given(st.lists(messages, max_size=4))
def test_bytes_may_come_one_by_one(stream: list[Message]) -> None:
    """It does not matter in which pieces the bytes arrive."""
    assert decoded_bytewise(stream_bytes(stream)) == stream


@given(messages)
def test_encoding_is_canonical(message: Message) -> None:
    """Equal messages are equal bytes, so encoding what was decoded changes nothing."""
    data = stream_bytes([message])

    assert stream_bytes(decoded(data)) == data


@given(st.lists(messages, max_size=8))
def test_messages_that_were_gathered_come_back_equal(stream: list[Message]) -> None:
    """A bundle is read as the messages it was made of, whole or byte by byte."""
    data = bundled_bytes(stream)

    assert decoded(data)[:-1] == stream
    assert decoded_bytewise(data)[:-1] == stream


def test_small_messages_share_a_frame() -> None:
    """Until a flush what is small is gathered; a single one goes as it is."""
    writer = FrameWriter()
    writer.magic()

    assert writer.write(GoneMessage(1)) == b""
    assert writer.flush() == encode(GoneMessage(1))
    assert [writer.write(GoneMessage(at)) for at in (1, 2)] == [b"", b""]
    assert writer.flush() == frame(bytes.fromhex("930d 920501 920502"))
    assert writer.flush() == b""


def test_a_bundle_ends_at_its_size() -> None:
    """Large messages are not gathered without end."""
    writer = FrameWriter()
    text = HelloMessage(1, "x" * 30_000, 0, 0)
    frames = [writer.write(text) for _ in range(3)]

    assert frames == [b"", encode(text), encode(text)]


def test_a_bundle_holds_so_many_messages() -> None:
    """A reader takes a bundle of the most messages and refuses one more."""
    many = [[int(MessageKind.SEGMENT)]] * limits.BUNDLE_MAX

    assert len(after_magic(framed(int(MessageKind.BUNDLE), *many))) == limits.BUNDLE_MAX
    with pytest.raises(WireError, match="messages in a frame: 4,097"):
        after_magic(framed(int(MessageKind.BUNDLE), *many, [int(MessageKind.SEGMENT)]))


def test_a_writer_ends_a_bundle_before_it_has_too_many() -> None:
    """A bundle never has more messages than a reader accepts."""
    data = bundled_bytes([SegmentMessage()] * (limits.BUNDLE_MAX + 1))

    assert len(decoded(data)) == limits.BUNDLE_MAX + 2


@pytest.mark.parametrize("body", [[13], [13, [9]], [12, 1, 2, 3], [], 5, None, ["x"], [1]])
def test_a_bundle_holds_only_messages(body: object) -> None:
    """Neither another bundle, nor an end, nor anything that is no message."""
    with pytest.raises(WireError):
        after_magic(framed(int(MessageKind.BUNDLE), [int(MessageKind.SEGMENT)], body))


def test_an_unknown_kind_in_a_bundle_is_skipped() -> None:
    """As anywhere else."""
    assert after_magic(framed(int(MessageKind.BUNDLE), [99, 1], [5, 3])) == [GoneMessage(3)]


def test_a_connection_begins_with_sixteen_known_bytes() -> None:
    """The magic frame of a version is the same for every sender."""
    assert magic_frame(WIRE) == bytes.fromhex("00000008 8b41f474 9300a4616d747202")
    assert magic_frame(FILE)[8:] == bytes.fromhex("9300a4616d736602")


def test_a_frame_is_length_checksum_body() -> None:
    """The header is two big-endian numbers of four bytes."""
    assert encode(SegmentMessage()) == bytes.fromhex("00000002") + zlib.crc32(b"\x91\x09").to_bytes(
        4, "big"
    ) + bytes.fromhex("9109")


def test_an_unknown_kind_is_skipped() -> None:
    """A newer sender may say things an older reader does not know."""
    assert after_magic(framed(200, "new", [1, [2]]) + encode(GoneMessage(3))) == [GoneMessage(3)]


def test_unknown_fields_at_the_end_are_skipped() -> None:
    """A newer sender may add a field to a message."""
    assert after_magic(framed(int(MessageKind.GONE), 3, "new", [1, [2, [3]]])) == [GoneMessage(3)]


def test_a_field_with_a_default_may_be_missing() -> None:
    """An older sender does not know the newest fields."""
    assert after_magic(framed(int(MessageKind.HELLO), 1, "s", 2, 3)) == [HelloMessage(1, "s", 2, 3)]


def test_a_field_without_a_default_must_be_there() -> None:
    """A message without its machine means nothing."""
    with pytest.raises(WireError, match="frame 1, gone: machine is missing"):
        after_magic(framed(int(MessageKind.GONE)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x90",
        b"\x05",
        b"\x91\xc0",
        b"\x91\xc3",
        b"\x91\x09\x00",
        b"\x92\x05",
        b"\x91\xa1\xff",
        b"\x80",
        b"\x92\x09\x81\x01\x02",
        b"\x92\x09\xd4\x01\x00",
        b"\x92\x09\xd6\xff\x00\x00\x00\x00",
        b"\x92\x09\xc7\x00\xff",
        b"\x92\x09\xc7\x00\x05",
        b"\x95\x01\x01\xa1s\x00\x00\x05",
        b"\x97\x01\x01\xa1s\x00\x00\xa0\x91\xa1k",
        b"\x93\x02\x00\x05",
        b"\x93\x02\x00\x91\x05",
        b"\x93\x02\x00\x92\x91\xa1A\x91\xa1A",
        b"\x93\x02\x00\x91\x94\xa1A\x00\xc0\x91\x01",
        b"\x97\x06\x00\x00\x00\x01\x90\x93\x00\x01\x01",
        b"\x98\x06\x00\x00\x00\x01\x90\x90\x94\x01\xff\x00\xff",
        b"\x93\x08\x00\x93\x01\x00\x01",
        b"\x93\x07\x00\x91\x05",
        b"\x93\x07\x00\x91\x91\xa1A",
        b"\x93\x07\x00\x91\x92\xa1A\xa1B",
        b"\x93\x07\x00\x91\x92\xa1A\xff",
        b"\x93\x07\x00\x91\x92\xc3\xa1A",
        b"\x93\x0f\x00\x91\x93\x01\x00\x01",
        b"\x93\x0f\x00\x91\x92\x01\xff",
        b"\x93\x0f\x00\x91\x92\xff\x01",
        b"\x93\x10\x00\x91\x91\x00",
        b"\x93\x10\x00\x92\x92\x00\x00\x92\x00\xff",
        b"\x99\x0e\x00\x00\x00\x01\x90\x90\x00\x92\x01\xff",
        b"\x99\x0e\x00\x00\x00\x01\x90\x90\x00\x93\xff\xff\xff",
        b"\x94\x11\x92\x00\x00\x91\x00\x91\x00",
        b"\x94\x11\x93\x00\x00\x02\x91\x00\x91\x00",
        b"\x94\x11\x93\x00\x00\x00\x90\x90",
        b"\xdd\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\x91" * 3_000,
        b"\x92\x09" + b"\x91" * 3_000 + b"\xc0",
        b"\x92\x05\xca\x3f\x80\x00\x00",
        b"\x92\x05\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x92\x05\xff",
        b"\x92\x05\xc3",
        b"\x92\x05\xa10",
        b"\x92\x05\x91\x00",
    ],
    ids=lambda body: body[:8].hex() or "empty",
)
def test_a_bad_body_is_one_error(body: bytes) -> None:
    """Whatever a body holds that it must not, the reader raises a WireError."""
    with pytest.raises(WireError):
        after_magic(frame(body))


BATCH = (int(MessageKind.BATCH), [0, 0, 2], [0, 0], [1, 1], [], [], [])
OLD_BATCH = (int(MessageKind.BATCH_V1), 0, 0, [0, 0], [1, 1], [], [], [])


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ((int(MessageKind.BATCH), [], [], []), "no transitions"),
        (
            (int(MessageKind.BATCH), [0, 0, 1, 1, 0, 0], [0], [1]),
            "counts holds a value that is not a number",
        ),
        ((int(MessageKind.BATCH), [0, 0], [0], [1]), "runs are not groups of 3"),
        ((int(MessageKind.BATCH), [0, 0, 2], [0], [1]), "runs are not as long as shapes"),
        ((int(MessageKind.BATCH), [0, 0, 1] * 4_097, [0], [1]), "runs: 12,291 is over the limit"),
        ((*BATCH, [0]), "lines is not a list of groups of 2"),
        ((*BATCH, [0, 1, 0, 1]), "lines is not in order"),
        ((*BATCH, [1, 1, 1, 1]), "lines holds a value that is not a number"),
        ((*BATCH, [], [0, [1]]), "args holds a value that is not a number"),
        ((*BATCH, [], [], [], ["m"]), "origins are not pairs"),
        ((*BATCH, [], [], [], [], [0, 0, 1]), "sources is not a list of groups of 4"),
        ((*BATCH, [], [], [], [], [0, 0, 1, 0]), "origins holds a value that is not a number"),
        ((*BATCH, [], [], [], [], [], [], [0, 5]), "handlers is not an array"),
        ((*BATCH, [], [], [], [], [], [], [], [0, 5]), "ids is not a text"),
        ((*OLD_BATCH, ["m"]), "origins are not pairs"),
        ((*OLD_BATCH, [], [], [0, [1]]), "args are not pairs"),
        ((*OLD_BATCH, [], [], [0, 1]), "args is not an array"),
        ((*OLD_BATCH, [], [], [], [], [], [1, "x", 0, "y"]), "ids is not in order"),
        ((int(MessageKind.HELLO), 1, 2, 3, 4), "session is not a text"),
        ((int(MessageKind.STRINGS), 0, [1]), "a string is not an array"),
        (
            (int(MessageKind.STRINGS), 0, [[1, 2]]),
            "a string that is neither text nor a head and a text",
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(values: tuple[Any, ...], what: str) -> None:
    """The error says in which frame, which message and which field."""
    with pytest.raises(WireError, match=f"frame 1, [a-z]+: {what}"):
        after_magic(framed(*values))


@pytest.mark.parametrize("values", [(1, "amtr", 1), (0, 5, 1), (0,), (0, "amtr", "1")])
def test_a_first_frame_that_is_no_magic_is_foreign(values: tuple[Any, ...]) -> None:
    """A stream of frames that does not say what it is, is not ours."""
    with pytest.raises(ForeignPeerError):
        decoded(framed(*values))


def test_maps_and_extensions_are_refused() -> None:
    """Nothing in a body can build an object."""
    with pytest.raises(WireError, match="a map"):
        after_magic(framed(int(MessageKind.SEGMENT), {}))
    with pytest.raises(WireError, match=r"msgpack|extension"):
        after_magic(framed(int(MessageKind.SEGMENT), msgpack.ExtType(5, b"x")))


def test_a_changed_byte_is_found_by_the_checksum() -> None:
    """A frame whose body does not fit its checksum is refused."""
    data = bytearray(encode(GoneMessage(3)))
    data[-1] ^= 1

    with pytest.raises(ChecksumError, match="frame 1: checksum"):
        after_magic(bytes(data))


def test_a_length_is_refused_before_the_body_comes() -> None:
    """A reader does not wait for, or keep, more than a frame may have."""
    decoder = FrameReader()
    list(decoder.feed(magic_frame()))

    with pytest.raises(FrameTooLargeError, match="4,294,967,295 is over the limit of 1,048,576"):
        list(decoder.feed(b"\xff\xff\xff\xff"))
    assert decoder.pending_bytes == 0


def test_a_failed_decoder_stays_failed() -> None:
    """After an error nobody knows where the next frame begins."""
    decoder = FrameReader()
    with pytest.raises(WireError) as first:
        list(decoder.feed(b"GET / HTTP/1.1\r\n"))

    with pytest.raises(WireError) as second:
        decoder.feed(magic_frame())
    assert second.value is first.value


@pytest.mark.parametrize(
    ("head", "looks_like"),
    [
        (b"GET / HTTP/1.1\r\n", "an HTTP client"),
        (b"PRI * HTTP/2.0\r\n", "an HTTP/2 client"),
        (b"SSH-2.0-OpenSSH", "an ssh client"),
        (b"\x16\x03\x01\x02\x00", "a TLS client"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"hello\n", "text"),
        (b"\x93\x01\x02", "plain msgpack"),
        (b"\xfe\xfe", "unknown data"),
    ],
)
def test_foreign_first_bytes_are_reported(head: bytes, looks_like: str) -> None:
    """A peer that speaks something else is named, at its first bytes."""
    with pytest.raises(ForeignPeerError, match=looks_like):
        decoded(head)
    with pytest.raises(ForeignPeerError):
        decoded_bytewise(head)


def test_a_session_file_is_no_connection() -> None:
    """The magic distinguishes a connection from a file."""
    with pytest.raises(ForeignPeerError, match="'amsf'"):
        decoded(magic_frame(FILE), WIRE)


def test_another_version_has_its_own_error() -> None:
    """A version outside the range read here is refused, in the magic and in the hello."""
    with pytest.raises(VersionError, match="format version 3 is not in the range 1 to 2"):
        decoded(framed(0, "amtr", 3))
    with pytest.raises(VersionError, match="protocol version 0"):
        after_magic(encode(HelloMessage(0, "s", 1, 2)))


def test_the_end_mark_must_fit() -> None:
    """An end that counts other frames than came is damage."""
    totals = StreamTotals()
    totals.add(magic_frame())
    totals.add(encode(HELLO))
    end = encode(totals.message())

    assert after_magic(encode(HELLO) + end)[-1] == totals.message()
    with pytest.raises(ChecksumError, match="end message"):
        after_magic(encode(HELLO) + encode(GoneMessage(0)) + end)


def test_nothing_follows_the_end() -> None:
    """Bytes after the end message are refused, whether they come with it or later."""
    totals = StreamTotals()
    totals.add(magic_frame())
    data = magic_frame() + encode(totals.message())
    decoder = FrameReader()

    with pytest.raises(WireError, match="after the end"):
        decoded(data + b"x")
    list(decoder.feed(data))
    assert decoder.ended
    with pytest.raises(WireError, match="after the end"):
        list(decoder.feed(b"x"))


def test_what_cannot_be_sent_is_a_wire_error() -> None:
    """A number beyond 64 bits is refused by the writer, not packed as something else."""
    with pytest.raises(WireError):
        encode(GoneMessage(2**64))


def test_lone_surrogates_go_out_as_text() -> None:
    """A broken text of the program must not stop the stream."""
    data = encode(HelloMessage(1, "a\udc80", 0, 0))

    assert after_magic(data) == [HelloMessage(1, "a\\udc80", 0, 0)]


def test_pending_bytes_are_kept_until_the_frame_is_whole() -> None:
    """Half a frame gives no message and no error."""
    decoder = FrameReader()
    data = magic_frame() + encode(GoneMessage(1))

    assert list(decoder.feed(data[:-1])) == []
    assert decoder.pending_bytes == len(encode(GoneMessage(1))) - 1
    assert list(decoder.feed(data[-1:])) == [GoneMessage(1)]
    assert decoder.frames == 2


def test_the_magic_has_a_limit_of_its_own() -> None:
    """A stranger cannot make a reader wait for a long first frame."""
    with pytest.raises(FrameTooLargeError):
        decoded((limits.MAGIC_BYTES_MAX + 1).to_bytes(4, "big"))
    assert decoded(limits.MAGIC_BYTES_MAX.to_bytes(4, "big")) == []
    assert HEADER_BYTES == 8
