"""The description of the wire is true, byte by byte."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from pathlib import Path

import brotli

from amtracer.files.record_walk import SEARCH_BYTES_MAX
from amtracer.files.records import (
    CONTENT_BYTES_MAX,
    PACKED_BYTES_MAX,
    RecordKind,
    RecordWriter,
)
from amtracer.wire import limits
from amtracer.wire.codec import encode, magic_frame
from amtracer.wire.messages import (
    AnswerMessage,
    BatchMessage,
    ChunkMessage,
    GoneMessage,
    HelloMessage,
    LeftMessage,
    MachineMessage,
    MessageKind,
    PieceMessage,
    RecordSchemasMessage,
    SchemaMessage,
    ShapeMessage,
)
from tests.wire.streams import decoded, read_back

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "wire.md").read_text(encoding="utf-8")
EXAMPLES = [
    bytes.fromhex(block)
    for block in re.findall(r"```hex(?! apart)[^\n]*\n(.*?)```", TEXT, re.DOTALL)
]
APART = [bytes.fromhex(block) for block in re.findall(r"```hex apart\n(.*?)```", TEXT, re.DOTALL)]
BETWEEN = [
    bytes.fromhex(block)
    for block in re.findall(r"```hex apart between debuggers\n(.*?)```", TEXT, re.DOTALL)
]
RECORDS = [
    bytes.fromhex(block) for block in re.findall(r"```hex apart, [^\n]*\n(.*?)```", TEXT, re.DOTALL)
]


def test_the_bytes_of_the_examples_are_a_stream() -> None:
    """All examples in their order are what a sender sends, and mean what the text says."""
    stream = decoded(b"".join(EXAMPLES))
    reader = read_back(stream)

    assert EXAMPLES[0] == magic_frame()
    assert [encode(message) for message in stream[:-2]] == EXAMPLES[1:-1]
    assert stream[-3:] == [LeftMessage(0, "connection lost"), GoneMessage(1), GoneMessage(2)]
    assert reader.transitions[0][0].lines == ((2, "[add] A"),)
    assert reader.transitions[0][0].duration_ns == 5_000
    assert reader.transitions[0][0].args == (("size", "2"),)
    assert {type(message) for message in stream} >= {
        SchemaMessage,
        MachineMessage,
        ShapeMessage,
        BatchMessage,
    }


def test_the_bytes_of_a_hello_with_a_token_are_as_described() -> None:
    """The example is the other hello and a token after it."""
    (plain,) = decoded(magic_frame() + EXAMPLES[1])
    assert isinstance(plain, HelloMessage)
    hello = replace(plain, token=b"secret")

    assert [encode(hello)] == APART
    assert decoded(magic_frame() + APART[0]) == [hello]


def test_the_bytes_between_debuggers_are_as_described() -> None:
    """The examples are the messages that debuggers send each other, and mean what the text says."""
    messages = [
        AnswerMessage(1),
        PieceMessage(2, b"amR3"),
        RecordSchemasMessage(0, (0,)),
        ChunkMessage(0, 0, 0, 0),
    ]

    assert list(map(encode, messages)) == BETWEEN
    assert decoded(magic_frame() + b"".join(BETWEEN)) == messages


def test_the_bytes_of_the_records_are_as_described() -> None:
    """The examples are a file without records, and its parts are where the text says."""
    written: list[bytes] = []
    writer = RecordWriter(written.append)
    writer.begin()
    writer.end()
    beginning, end = written
    head = int.from_bytes(end[8:12], "big")

    assert written == RECORDS
    assert len(beginning) == 23
    assert (end[:4], end[4], end[5:8]) == (b"amR3", RecordKind.END, bytes(3))
    assert len(end) == 20 + head + int.from_bytes(end[12:16], "big")
    assert int.from_bytes(end[16:20], "big") == zlib.crc32(end[4:16] + end[20:])
    assert brotli.decompress(end[20 : 20 + head]) == bytes(20)


def test_the_limits_and_kinds_of_records_are_listed() -> None:
    """The text has the limits of the code, and a line for every kind."""
    chapter = TEXT.split("## Records", 1)[1].split("\n## ", 1)[0]
    kinds = re.findall(r"^\| (\d) (\w+) \|", chapter, re.MULTILINE)

    assert kinds == [(str(int(kind)), kind.name.lower()) for kind in RecordKind]
    for limit in (CONTENT_BYTES_MAX, PACKED_BYTES_MAX, SEARCH_BYTES_MAX):
        assert f"{limit:,}" in chapter


def test_every_limit_of_a_reader_is_listed_with_its_value() -> None:
    """The table names the limits of the code, and only those."""
    listed = {
        name: int(value.replace(",", ""))
        for name, value in re.findall(r"^\| `([A-Z_]+)` \| ([\d,]+) \|", TEXT, re.MULTILINE)
    }
    names = {name for name in vars(limits) if name.isupper()} - {"KIB", "MIB", "GIB"}
    senders = {name for name in names if not name.endswith("_MAX")} | {
        "BATCH_AGE_S_MAX",
        "BATCH_BYTES_MAX",
        "FILE_BATCH_AGE_S_MAX",
        "SEGMENT_ROWS_MAX",
        "SENDER_QUEUE_MAX",
        "TRANSITION_TEXT_BYTES_MAX",
    }

    assert listed == {name: getattr(limits, name) for name in names if name not in senders}


def test_every_kind_has_a_chapter() -> None:
    """Each kind of message is described under its number."""
    titles = re.findall(r"^### (\d[\d, and]*)", TEXT, re.MULTILINE)
    chapters = {int(number) for title in titles for number in re.findall(r"\d+", title)}

    assert chapters | {0} == {int(kind) for kind in MessageKind}
