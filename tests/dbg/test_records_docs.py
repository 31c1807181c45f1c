"""The description of the records of session format 3 is true, byte by byte."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from am_dbg.egress.export import export_session
from am_dbg.store import Store
from am_dbg.store.packed.definitions import PART_ENTRIES_MAX, unpack_part_head
from am_dbg.store.packed.heads import RECORD_CHUNKS_MAX, RECORD_ROWS_MAX
from amtracer.encode.stream_writer import StreamWriter
from amtracer.files.record_walk import MemoryBytes, Record, RecordWalk
from amtracer.files.records import RecordKind, content_of
from amtracer.wire.messages import HelloMessage, Shape, StateDef, StepDef
from amtracer.wire.vocabulary import StepKind

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "wire.md").read_text(encoding="utf-8")
EXAMPLES = {
    name: bytes.fromhex(block)
    for name, block in re.findall(r"```hex apart: ([^\n]*)\n(.*?)```", TEXT, re.DOTALL)
}


def described() -> Store:
    """The session of the description: a machine with one transition, which was disposed."""
    store = Store()
    stream = store.open_stream("", live=False)
    writer = StreamWriter(
        partial(store.feed, stream), HelloMessage(version=2, session="s", wall_ns=0, mono_ns=0)
    )
    machine = writer.machine("m", writer.schema((StateDef("A"),)), unit_ns=1_000)
    step = StepDef(StepKind.REQUESTED, target=0)
    shape = Shape(0, (0,), 1, ((0, 1),), (step,))
    writer.record(machine, shape, 7_000, 5_000, 0, ((2, "[add] A"),))
    writer.flush()
    writer.gone(machine)
    store.close_stream(stream)
    return store


def contents(path: Path) -> dict[str, bytes]:
    """The contents of the records, by the names that the description has for them."""
    source, found = MemoryBytes(path.read_bytes()), {}
    for record in RecordWalk(source):
        assert isinstance(record, Record)
        head, (_, body) = record.head(source), record.stored(source)
        match RecordKind(record.header.kind):
            case RecordKind.OPENING:
                found |= {"the head of an opening": head, "an opening": content_of(body)}
            case RecordKind.DEFINITIONS:
                size = unpack_part_head(head).shapes_bytes
                found |= {"the head of definitions": head, "shapes": content_of(body[:size])}
                found["texts"] = content_of(body[size:])
            case RecordKind.ROWS:
                found |= {"the head of rows": head, "rows": content_of(body)}
            case RecordKind.EVENTS:
                found["events"] = content_of(body)
    return found


def test_the_bytes_of_heads_and_bodies_are_as_described(tmp_path: Path) -> None:
    """The examples are the contents of all records of one small session."""
    path = tmp_path / "run.msgpack.br"
    export_session(described(), path)

    assert contents(path) == {name: data for name, data in EXAMPLES.items() if name != "a column"}


def test_the_limits_of_records_are_as_described() -> None:
    """The description has the numbers of rows, chunks and entries that a record holds."""
    for number in (RECORD_ROWS_MAX, RECORD_CHUNKS_MAX, PART_ENTRIES_MAX):
        assert f"{number:,}" in TEXT
