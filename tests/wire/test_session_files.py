"""Session files: written messages are read, and each fault has its own error."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path

import brotli
import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtracer.encode.stream_writer import StreamWriter
from amtracer.errors import (
    CutSessionError,
    DamagedSessionError,
    EmptySessionError,
    ForeignSessionError,
    SessionAccessError,
    SessionError,
    SessionTooLargeError,
    SessionVersionError,
    TrailingBytesError,
)
from amtracer.files.inflate import InflateError, Inflater
from amtracer.files.session import SessionWriter, read_session
from amtracer.wire import limits
from amtracer.wire.codec import FILE, StreamTotals, encode, magic_frame
from amtracer.wire.messages import BatchMessage, EndMessage, GoneMessage, HelloMessage, Message
from tests.transitions import RecordedTransition, write_transition
from tests.wire.streams import HELLO, SHAPE, STATES, messages, stream_bytes


def small_session(transitions: int = 40) -> list[Message]:
    """A stream with a few transitions of one machine."""
    messages: list[Message] = []
    stream = StreamWriter(messages.append, HELLO, batch_rows=8)
    stream.machine("m", stream.schema(STATES))
    for at in range(transitions):
        write_transition(
            stream, 0, RecordedTransition(SHAPE, at * 1_000, lines=((1, f"line {at % 3}"),))
        )
    stream.flush()
    return messages


def written(path: Path, stream: list[Message]) -> bytes:
    """The bytes of a whole session file."""
    with SessionWriter(path) as writer:
        for message in stream:
            writer.write(message)
    return path.read_bytes()


def read(data: bytes) -> tuple[list[Message], SessionError | None]:
    """The messages before the end or the error, and the error."""
    found: list[Message] = []
    try:
        found.extend(read_session(io.BytesIO(data)))
    except SessionError as error:
        return found, error
    return found, None


def sealed(*frames: bytes, magic: bytes = magic_frame(FILE)) -> bytes:
    """A file of these frames with a right end message."""
    totals = StreamTotals()
    for frame in (magic, *frames):
        totals.add(frame)
    return brotli.compress(magic + b"".join(frames) + encode(totals.message(), FILE), quality=5)


@given(stream=st.lists(messages, max_size=6))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, stream: list[Message]
) -> None:
    """A session file gives back its messages, and an end message after them."""
    path = tmp_path_factory.mktemp("session") / "a.msgpack.br"
    written(path, stream)
    *found, end = read_session(path)

    assert found == stream
    assert isinstance(end, EndMessage)


def test_a_session_may_be_read_from_an_open_file(tmp_path: Path) -> None:
    """Anything with `read` will do, such as standard input."""
    data = written(tmp_path / "a", small_session())

    assert read(data)[1] is None


def test_one_session_may_hold_several_streams(tmp_path: Path) -> None:
    """A recording of several processes begins each with its hello."""
    twice = [*small_session(), *small_session()]
    data = written(tmp_path / "a", twice)

    assert read(data)[0][:-1] == twice


def test_an_empty_file_is_reported(tmp_path: Path) -> None:
    """A file without a byte is not called damaged."""
    path = tmp_path / "a"
    path.write_bytes(b"")

    with pytest.raises(EmptySessionError, match="a: empty file"):
        list(read_session(path))


PLAIN = {
    "text": b"hello, this is no session\n" * 9,
    "gzip": gzip.compress(b"x" * 99),
    "zstd": b"\x28\xb5\x2f\xfd" + b"\x01" * 30,
    "plain msgpack": msgpack.packb([1, 2, 3, "x" * 40]),
    "zeros": bytes(99),
    "an uncompressed stream of frames": stream_bytes([HELLO], FILE),
}


@pytest.mark.parametrize("looks_like", PLAIN)
def test_another_format_is_named(looks_like: str) -> None:
    """A file under the wrong name is named, not just refused."""
    found, error = read(PLAIN[looks_like])

    assert found == []
    assert isinstance(error, ForeignSessionError)
    assert error.looks_like == looks_like


def test_something_else_may_be_compressed_alike() -> None:
    """A brotli stream of other content is no session file."""
    _, error = read(brotli.compress(b"some text, compressed\n" * 20))

    assert isinstance(error, ForeignSessionError)
    assert error.looks_like == "text, compressed"
    _, error = read(brotli.compress(bytes(10_000)))
    assert isinstance(error, ForeignSessionError)
    assert error.looks_like == "zeros, compressed"


def test_a_folder_is_reported(tmp_path: Path) -> None:
    """A path of a folder is named as one."""
    with pytest.raises(ForeignSessionError, match="looks like a folder"):
        list(read_session(tmp_path))


def test_a_device_is_reported() -> None:
    """A device may never end, so it is not read."""
    with pytest.raises(ForeignSessionError, match="looks like a device"):
        list(read_session("/dev/zero"))


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    """The text is what the system says, after the path."""
    with pytest.raises(SessionAccessError, match="none: no such file or directory"):
        list(read_session(tmp_path / "none"))


def test_a_pipe_without_a_writer_does_not_hang(tmp_path: Path) -> None:
    """A FIFO nobody writes to is empty."""
    path = tmp_path / "fifo"
    os.mkfifo(path)

    with pytest.raises(EmptySessionError):
        list(read_session(path))


def test_a_path_is_shown_on_one_line_without_control_characters(tmp_path: Path) -> None:
    """A hostile file name cannot write to the terminal through an error."""
    with pytest.raises(SessionError) as caught:
        list(read_session(os.fsencode(tmp_path) + b"/a\x1b[31m\nb\xff"))

    assert "a\\x1b[31m\\nb\\udcff" in str(caught.value)


@pytest.mark.parametrize("tenth", range(1, 10))
def test_a_cut_file_counts_what_was_recovered(tmp_path: Path, tenth: int) -> None:
    """Every transition read before the cut is counted, and was written so."""
    stream = small_session(2_000)
    data = written(tmp_path / "a", stream)
    found, error = read(data[: len(data) * tenth // 10])
    transitions = sum(len(m.shapes) for m in found if isinstance(m, BatchMessage))

    assert isinstance(error, CutSessionError)
    assert error.transitions == transitions
    assert found == stream[: len(found)]
    assert f"cut: {transitions:,} transitions recovered" in str(error)


def test_a_file_without_its_last_byte_is_cut(tmp_path: Path) -> None:
    """A single missing byte is reported, and nearly all is recovered."""
    stream = small_session()
    found, error = read(written(tmp_path / "a", stream)[:-1])

    assert isinstance(error, CutSessionError)
    assert found[: len(stream)] == stream


def test_a_file_cut_within_its_first_bytes_is_cut(tmp_path: Path) -> None:
    """The first bytes of all session files are alike, so even few are known."""
    data = written(tmp_path / "a", small_session())

    assert all(isinstance(read(data[:size])[1], CutSessionError) for size in range(1, 30))


@pytest.mark.slow
def test_every_flipped_bit_of_a_file_is_reported(tmp_path: Path) -> None:
    """A changed bit is reported, or changes nothing: what is read was written so."""
    stream = small_session()
    data = written(tmp_path / "a", stream)
    kinds: set[type] = set()
    unchanged = 0
    for at in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[at // 8] ^= 1 << at % 8
        found, error = read(bytes(flipped))
        whole = [m for m in found if not isinstance(m, EndMessage)]
        assert whole == stream[: len(whole)]
        if error is None:
            assert whole == stream
            unchanged += 1
        else:
            kinds.add(type(error))

    assert kinds <= {DamagedSessionError, CutSessionError, TrailingBytesError}
    assert unchanged <= len(data) // 20


@pytest.mark.slow
def test_every_cut_of_a_file_is_reported(tmp_path: Path) -> None:
    """Wherever a file ends early it is called cut."""
    stream = small_session()
    data = written(tmp_path / "a", stream)
    for size in range(1, len(data)):
        found, error = read(data[:size])
        assert isinstance(error, CutSessionError)
        assert [m for m in found if not isinstance(m, EndMessage)] == stream[: len(found)]


@pytest.mark.parametrize("tail", [b"\0", b"x" * 100, b"\n"])
def test_trailing_bytes_are_reported(tmp_path: Path, tail: bytes) -> None:
    """A whole session followed by other bytes is distinguished from a damaged one."""
    _, error = read(written(tmp_path / "a", small_session(7)) + tail)

    assert isinstance(error, TrailingBytesError)
    assert error.transitions == 7


def test_two_joined_files_are_reported(tmp_path: Path) -> None:
    """`cat a b` makes no session file, and the text says so."""
    data = written(tmp_path / "a", small_session(7))
    _, error = read(data + data)

    assert isinstance(error, TrailingBytesError)
    assert "perhaps two files joined" in str(error)


def test_a_newer_file_asks_for_an_update() -> None:
    """The version is a number of its own, and the text says what to do."""
    body = msgpack.packb([0, "amsf", 3])
    import zlib

    magic = len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big") + body
    _, error = read(sealed(magic=magic))

    assert isinstance(error, SessionVersionError)
    assert "session format 3, this reads 1 to 2: update this program" in str(error)


def test_a_newer_protocol_in_a_file_asks_for_an_update() -> None:
    """The hello's version counts too."""
    _, error = read(sealed(encode(HelloMessage(99, "s", 0, 0), FILE)))

    assert isinstance(error, SessionVersionError)
    assert error.found == 99


def test_a_missing_end_mark_is_a_cut() -> None:
    """A compressed stream that ends well but lacks its end message is not whole."""
    _, error = read(brotli.compress(stream_bytes([HELLO], FILE)))

    assert isinstance(error, CutSessionError)


def test_a_wrong_end_mark_is_damage() -> None:
    """An end message with other counts is reported."""
    end = encode(EndMessage(9, 9, 9), FILE)
    _, error = read(brotli.compress(magic_frame(FILE) + end))

    assert isinstance(error, DamagedSessionError)
    assert "end message" in str(error)


def test_frames_that_break_a_rule_are_damage() -> None:
    """A file whose checksums are right may still be wrong."""
    bad = encode(GoneMessage(limits.MACHINES_PER_CONNECTION_MAX), FILE)
    _, error = read(sealed(bad))

    assert isinstance(error, DamagedSessionError)
    assert "frame 1, gone: machine" in str(error)


@pytest.mark.slow
def test_a_bomb_is_refused_at_the_limit() -> None:
    """A kilobyte that stands for a gigabyte is refused when it passes the limit."""
    compressor = brotli.Compressor(quality=5)
    zeros = bytes(1 << 20)
    bomb = b"".join(compressor.process(zeros) for _ in range(64)) + compressor.finish()

    with pytest.raises(SessionError):
        list(read_session(io.BytesIO(bomb), bytes_max=1 << 22))


def test_a_session_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    """The limit counts decompressed bytes; at it a file is read, one past it is not."""
    path = tmp_path / "a"
    data = written(path, small_session())
    size = len(brotli.decompress(data))

    assert list(read_session(path, bytes_max=size))
    with pytest.raises(SessionTooLargeError, match="refused"):
        list(read_session(path, bytes_max=size - 1))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_session_or_one_error(data: bytes) -> None:
    """No file makes the reader raise anything else."""
    assert read(data)[1] is not None


@given(st.binary(max_size=200))
def test_any_content_is_a_session_or_one_error(data: bytes) -> None:
    """Nor does compressed nonsense, after the magic or without it."""
    assert read(brotli.compress(data, quality=1))[1] is not None
    assert read(brotli.compress(magic_frame(FILE) + data, quality=1))[1] is not None


class Pipe(io.RawIOBase):
    """What can be read only once."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._data.read(size)


def test_damage_of_a_pipe_has_a_general_error(tmp_path: Path) -> None:
    """From a pipe nobody can look again, so trailing bytes are damage."""
    data = written(tmp_path / "a", small_session())
    with pytest.raises(DamagedSessionError, match="cannot be decompressed"):
        list(read_session(Pipe(data + b"x")))  # type: ignore[arg-type]


def test_an_error_while_reading_is_raised() -> None:
    """A disk that fails is the system's word, after the path."""

    class Failing(Pipe):
        name = "a/b"

        def read(self, size: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(SessionAccessError, match="a/b: input/output error"):
        list(read_session(Failing(b"")))  # type: ignore[arg-type]


def test_a_stream_is_inflated_piece_by_piece() -> None:
    """Large content comes in pieces, and what follows its end is refused."""
    inflater = Inflater()
    pieces = list(inflater.feed(brotli.compress(bytes(10_000_000))))

    assert sum(map(len, pieces)) == 10_000_000
    assert max(map(len, pieces)) <= limits.INFLATE_CALL_BYTES_MAX
    assert inflater.finished
    assert list(inflater.feed(b"")) == []
    with pytest.raises(InflateError):
        list(inflater.feed(b"x"))
