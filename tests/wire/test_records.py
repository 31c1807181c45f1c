"""The framing of session format 3: records, each with its own checksum."""

from __future__ import annotations

import errno
import io
import os
import random
from contextlib import suppress
from pathlib import Path

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amtracer.errors import (
    DamagedRecordError,
    LimitError,
    SessionAccessError,
    SessionBusyError,
    SessionVersionError,
)
from amtracer.files import record_walk
from amtracer.files.record_walk import (
    BadBytes,
    BadKind,
    DescriptorBytes,
    MemoryBytes,
    Record,
    RecordWalk,
)
from amtracer.files.records import (
    BEGINNING,
    CONTENT_BYTES_MAX,
    HEADER_BYTES,
    PACKED_BYTES_MAX,
    RecordKind,
    RecordsEnd,
    RecordWriter,
    begins_records,
    compressed,
    content_of,
    header_of,
)
from amtracer.files.session import SessionWriter, aside_path, read_session, session_version
from tests.wire.streams import HELLO


def file_of(count: int, *, kind: RecordKind = RecordKind.ROWS, ended: bool = True) -> bytes:
    """A file with so many records of varied length, ten rows each."""
    pieces: list[bytes] = []
    writer = RecordWriter(pieces.append)
    writer.begin()
    noise = random.Random(3)
    for at in range(count):
        writer.add(kind, b"head %d" % at, noise.randbytes(50 + 20 * at), rows=10)
    if ended:
        writer.end()
    return b"".join(pieces)


def walked(data: bytes) -> tuple[list[Record], list[BadBytes], RecordWalk]:
    walk = RecordWalk(MemoryBytes(data))
    found = list(walk)
    records = [one for one in found if isinstance(one, Record)]
    return records, [one for one in found if isinstance(one, BadBytes)], walk


def stored(data: bytes) -> list[bytes]:
    return [data[one.offset : one.end] for one in walked(data)[0]]


def test_an_earlier_reader_says_which_version_it_meets() -> None:
    """The beginning of format 3 is refused by its version, not as unknown data."""
    with pytest.raises(SessionVersionError, match="format 3, this reads 1 to 2: update this"):
        list(read_session(io.BytesIO(file_of(2))))


def test_records_are_read_as_they_were_written() -> None:
    """Heads, bodies and kinds come back, and the end counts what is before it."""
    source = MemoryBytes(file_of(3, kind=RecordKind.EVENTS))
    walk = RecordWalk(source)
    found = [one for one in walk if isinstance(one, Record)]

    assert [one.header.kind for one in found] == [4, 4, 4, 5]
    assert [one.head(source) for one in found[:3]] == [b"head 0", b"head 1", b"head 2"]
    assert [len(one.body(source)) for one in found] == [50, 70, 90, 0]
    assert isinstance(walk.end, RecordsEnd)
    assert (walk.end.records, walk.end.rows) == (3, 30)
    assert walk.is_whole


def test_a_file_on_a_disk_is_read_like_one_in_memory(tmp_path: Path) -> None:
    """Both sources give the same records, and a record that changed later is refused."""
    path, data = tmp_path / "a", file_of(3)
    path.write_bytes(data)
    with path.open("r+b", buffering=0) as file:
        source = DescriptorBytes(file.fileno())
        found = [one for one in RecordWalk(source) if isinstance(one, Record)]
        assert found == walked(data)[0]
        file.seek(found[1].end - 1)
        file.write(bytes([data[found[1].end - 1] ^ 1]))

        assert found[0].head(source) == b"head 0"
        with pytest.raises(DamagedRecordError):
            found[1].body(source)
        os.truncate(path, found[2].offset + 4)
        with pytest.raises(DamagedRecordError):
            found[2].body(source)


@pytest.mark.slow
def test_every_flipped_bit_is_reported_and_costs_one_record() -> None:
    """Of 2,000 changed bits each is reported, and all other records are equal."""
    data = file_of(40)
    right = set(stored(data))
    flips = random.Random(1)
    for _ in range(2_000):
        at = flips.randrange(len(data))
        changed = bytearray(data)
        changed[at] ^= 1 << flips.randrange(8)
        _, bad, walk = walked(bytes(changed))

        assert bad
        assert not walk.is_whole
        assert any(one.offset <= at < one.offset + one.size for one in bad)
        left = set(stored(bytes(changed)))
        assert left <= right
        assert len(right) - len(left) == (at >= len(BEGINNING))


def test_a_cut_file_keeps_the_records_before_the_cut() -> None:
    """Wherever a file ends early, its whole records are read and it has no end."""
    data = file_of(4)
    places = [one.end for one in walked(data)[0]]
    for size in range(len(data)):
        records, bad, walk = walked(data[:size])

        assert [one.end for one in records] == [end for end in places if end <= size]
        assert not walk.is_whole
        assert walk.end is None
        assert {one.kind for one in bad} <= {BadKind.CUT}


def test_a_record_that_was_removed_is_noticed() -> None:
    """A file without one of its records is not whole, although every record is right."""
    data = file_of(3)
    first = walked(data)[0][0]
    _, bad, walk = walked(data[: first.offset] + data[first.end :])

    assert bad == []
    assert not walk.is_whole
    assert walk.end is not None


def test_bytes_after_the_end_are_reported() -> None:
    """Whatever follows the end is no record of this file."""
    data = file_of(2)
    records, bad, walk = walked(data + data)

    assert len(records) == 3
    assert bad == [BadBytes(len(data), len(data), BadKind.TRAILING)]
    assert not walk.is_whole


def test_an_end_that_is_too_short_is_no_end() -> None:
    """A right record of that kind whose content breaks the rules ends no file."""
    pieces: list[bytes] = []
    writer = RecordWriter(pieces.append)
    writer.begin()
    writer.add(RecordKind.END, b"short")
    _, _, walk = walked(b"".join(pieces))

    assert walk.end is None
    assert not walk.is_whole


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_are_walked_without_an_error(data: bytes) -> None:
    """Bytes after a beginning, or without one, are records or bad bytes that fill the file."""
    for whole in (data, BEGINNING + data, file_of(2, ended=False) + data):
        found = list(RecordWalk(MemoryBytes(whole)))
        covered = sum(one.size if isinstance(one, BadBytes) else one.header.size for one in found)

        assert covered in {len(whole), len(whole) - len(BEGINNING)}


@given(st.binary(max_size=200))
def test_any_content_is_decompressed_or_refused_with_one_error(data: bytes) -> None:
    """Bytes that are no stored content raise one error type; content comes back."""
    assert content_of(compressed(data)) == data
    with suppress(DamagedRecordError):
        content_of(data)


def test_a_search_over_false_headers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file full of headers of long records is given up when the allowed bytes are checked."""
    checked = 0

    def counting(header: bytes, content: bytes) -> int:
        nonlocal checked
        checked += len(content)
        return -1

    monkeypatch.setattr(record_walk, "SEARCH_BYTES_MAX", 10_000)
    monkeypatch.setattr(record_walk, "record_crc", counting)
    header = file_of(1)[len(BEGINNING) :][:12] + (500).to_bytes(4, "big") + bytes(4)
    _, bad, _ = walked(BEGINNING + header * 2_000)

    assert bad
    assert checked < 20_000


def test_content_over_the_limit_is_neither_written_nor_read() -> None:
    """A head or body has 8 MiB at most; one more byte is refused on both sides."""
    whole = bytes(CONTENT_BYTES_MAX)
    assert content_of(compressed(whole)) == whole
    with pytest.raises(LimitError):
        compressed(whole + b"\0")
    with pytest.raises(DamagedRecordError, match="more than 8,388,608 bytes"):
        content_of(brotli.compress(whole + b"\0", quality=1))
    with pytest.raises(LimitError):
        RecordWriter(bytes).add_stored(RecordKind.ROWS, b"", bytes(PACKED_BYTES_MAX + 1))


def test_a_header_over_the_limit_is_none() -> None:
    """A length above the limit is no header, so its bytes are not asked for."""
    header = bytearray(file_of(1)[len(BEGINNING) :][:HEADER_BYTES])
    assert header_of(bytes(header)) is not None
    header[12:16] = PACKED_BYTES_MAX.to_bytes(4, "big")
    assert header_of(bytes(header)) is not None
    header[12:16] = (PACKED_BYTES_MAX + 1).to_bytes(4, "big")
    assert header_of(bytes(header)) is None


def test_the_version_of_a_file_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    """Format 3 is known by its beginning or, if that is damaged, by its first record."""
    path = tmp_path / "a.msgpack.br"
    with SessionWriter(path) as writer:
        writer.write(HELLO)
    data = file_of(1)

    assert session_version(io.BytesIO(path.read_bytes())) == 0
    assert session_version(io.BytesIO(data)) == 3
    assert session_version(io.BytesIO(bytes([data[0] ^ 1]) + data[1:])) == 3
    assert session_version(io.BytesIO(data[:20])) == 3
    assert session_version(io.BytesIO(b"")) == 0
    assert not begins_records(path.read_bytes())


@pytest.mark.parametrize(
    ("content", "mark"),
    [
        (file_of(2), "before"),
        (file_of(2)[:-4], "cut"),
        (file_of(2, ended=False), "cut"),
        (file_of(2) + b"more", "cut"),
        (file_of(2).replace(b"amR3", b"amR2", 2), "cut"),
        (file_of(2, kind=RecordKind.OPENING), ""),
        (file_of(2, kind=RecordKind.OPENING, ended=False), ""),
        (file_of(1)[:60], ""),
        (BEGINNING, ""),
        (BEGINNING[:21], ""),
    ],
)
def test_a_recording_sets_a_file_of_format_3_aside(
    tmp_path: Path, content: bytes, mark: str
) -> None:
    """A whole file and a cut one get other names, one without transitions is replaced."""
    path = tmp_path / "a.msgpack.br"
    path.write_bytes(content)
    os.utime(path, (1, 1))
    with SessionWriter(path, live=True) as writer:
        aside = aside_path(str(path), mark) if mark else ""
        assert os.path.basename(writer.set_aside) == os.path.basename(aside)
    if mark:
        assert Path(aside).read_bytes() == content


def test_a_file_of_format_3_that_another_process_wrote_is_not_replaced(tmp_path: Path) -> None:
    """The rule about files written since this process began holds for every format."""
    path = tmp_path / "a.msgpack.br"
    path.write_bytes(file_of(1))
    with pytest.raises(SessionBusyError):
        SessionWriter(path, live=True)


def test_an_error_of_the_disk_under_a_file_of_format_3_is_an_access_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recording that cannot read what is at its path is refused, and the file stays."""

    def failing(fd: int, size: int, offset: int) -> bytes:
        raise OSError(errno.EIO, "broken disk")

    path = tmp_path / "a.msgpack.br"
    path.write_bytes(file_of(1))
    os.utime(path, (1, 1))
    monkeypatch.setattr(os, "pread", failing)
    with pytest.raises(SessionAccessError):
        SessionWriter(path, live=True)
    assert path.read_bytes() == file_of(1)
