"""A damaged part of the definitions costs the chunks that use its numbers, and no others."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from am_dbg.egress.export import export_session
from am_dbg.store import GapKind, Store
from am_dbg.store.chunk import Chunk, ChunkLimits
from am_dbg.store.definitions import lost_numbers
from am_dbg.store.definitions.lost_numbers import LostNumbers
from am_dbg.store.packed import definitions
from am_dbg.store.packed.definitions import PartHead, unpack_part_head
from amtracer.encode.stream_writer import StreamWriter
from amtracer.files.records import RecordKind
from amtracer.wire.messages import Message, Shape, StateDef
from tests.dbg.histories import START_NS, hello
from tests.dbg.record_files import Content, contents, file_of, imported, row_errors, row_values
from tests.transitions import RecordedTransition, write_transition

ROWS = 24
PART = 4
TWO_PARTS = ChunkLimits(rows=8, shapes=64, piece_rows=4)
STATES = tuple(StateDef(f"S{number}") for number in range(ROWS))

Damaging = Callable[[Content], Content | None]


def row(number: int) -> RecordedTransition:
    """A transition with a shape, a log line, an argument and an earlier line of its own."""
    return RecordedTransition(
        shape=Shape(type=0, called=(number,), flags=1, changes=((number, 1),), steps=()),
        time_ns=START_NS + number,
        lines=((1, f"line {number}"),),
        args=(("key", f"value {number}"),),
        pre_lines=((2, f"earlier {number}"),) if number % 3 == 0 else (),
    )


def store_of(limits: ChunkLimits = TWO_PARTS) -> Store:
    """A machine whose transitions share nothing, in chunks that share parts."""
    messages: list[Message] = []
    writer = StreamWriter(messages.append, hello())
    machine = writer.machine("m", writer.schema(STATES), ticks=(0,) * ROWS)
    for number in range(ROWS):
        write_transition(writer, machine, row(number))
        writer.flush()
    store = Store(chunk_limits=limits)
    stream = store.open_stream("made", live=False)
    for message in messages:
        store.feed(stream, message)
    store.close_stream(stream)
    return store


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Content]:
    """The records of a session with many parts of definitions."""
    monkeypatch.setattr(definitions, "PART_ENTRIES_MAX", PART)
    export_session(store_of(), tmp_path / "parts.msgpack.br")
    return contents((tmp_path / "parts.msgpack.br").read_bytes())


def parts(records: list[Content]) -> list[int]:
    return [at for at, one in enumerate(records) if one.kind == RecordKind.DEFINITIONS]


def with_bad(records: list[Content], at: int, stream: int | None) -> bytes:
    """The file without a record, or with other content of its shapes or its texts."""
    if stream is None:
        return file_of([*records[:at], *records[at + 1 :]])
    bodies = list(records[at].parts)
    bodies[stream] = b"\xc0"
    return file_of([*records[:at], records[at]._replace(parts=tuple(bodies)), *records[at + 1 :]])


def uses(chunk: Chunk, head: PartHead, stream: int | None) -> bool:
    """Whether a chunk uses a definition of a part: of its shapes, of its texts, or of both."""
    shapes = range(head.shape_first, head.shape_first + head.shapes)
    texts = range(head.text_first, head.text_first + head.texts)
    sets = range(head.set_first, head.set_first + head.sets)
    args = chunk.columns.args
    pre_lines = chunk.columns.pre_lines
    used_sets = {*chunk.lines.palette, *(pre_lines.parts()[2] if pre_lines else ())}
    table = chunk.dictionary.text_table
    of_lines = {
        text
        for number in used_sets
        if number
        for text in table.line_texts[table.line_ends[number - 1] : table.line_ends[number]]
    }
    used_texts = {*of_lines, *(args.parts()[2] if args else ())}
    return (stream != 1 and not set(shapes).isdisjoint(chunk.shapes.palette)) or (
        stream != 0
        and (
            not set(texts).isdisjoint(used_texts)
            or not {number + 1 for number in sets}.isdisjoint(used_sets)
        )
    )


@pytest.mark.parametrize("stream", [None, 0, 1], ids=["the record", "shapes", "texts"])
def test_bad_definitions_cost_the_chunks_that_use_them(
    stream: int | None, records: list[Content], tmp_path: Path
) -> None:
    """For each part the transitions of these chunks are a gap, and all others are as they were."""
    whole = imported(file_of(records), tmp_path)[0].tracks[0]
    before = row_values(whole)
    costs = set()
    for at in parts(records):
        head = unpack_part_head(records[at].head)
        store, _ = imported(with_bad(records, at, stream), tmp_path)
        track = store.tracks[0]

        found = row_values(track)

        lost = [chunk for chunk in whole.chunks if uses(chunk, head, stream)]
        gone = {one for chunk in lost for one in range(chunk.row_first, chunk.row_first + 8)}
        assert set(before) - set(found) == gone
        assert not row_errors([before], [found])
        damaged = [gap.lost for gap in track.gaps if gap.kind is GapKind.DAMAGED]
        assert sum(damaged) == len(gone)
        assert all(damage.text for damage in store.damage)
        costs.add(len(gone))
    assert min(costs) < ROWS


def test_an_export_of_what_is_left_is_whole(records: list[Content], tmp_path: Path) -> None:
    """It has the good parts with their numbers, and nobody finds damage in it."""
    for at in parts(records):
        store, _ = imported(with_bad(records, at, None), tmp_path)
        before = row_values(store.tracks[0])
        export_session(store, tmp_path / "again.msgpack.br")

        again, error = imported((tmp_path / "again.msgpack.br").read_bytes(), tmp_path)

        assert error is None
        assert row_values(again.tracks[0]) == before
        assert not again.damage


def test_texts_that_turn_out_damaged_late_cost_rows_that_were_read(
    records: list[Content], tmp_path: Path
) -> None:
    """Rows whose arguments were read before their texts are checked again."""
    at = next(at for at in parts(records) if b"value 3" in records[at].parts[1])
    store, error = imported(with_bad(records, at, 1), tmp_path)
    assert error is None
    chunk = store.tracks[0].chunks[0]
    assert chunk.columns.args is not None
    assert not chunk.is_damaged

    store.tracks[0].transition(4)

    assert not chunk.can_be_read()


def test_a_part_that_begins_too_early_costs_only_itself(
    records: list[Content], tmp_path: Path
) -> None:
    """A part that comes twice is damage, and the numbers of the others stay."""
    whole = imported(file_of(records), tmp_path)[0].tracks[0]
    first = parts(records)[0]
    twice = [*records[: first + 1], records[first], *records[first + 1 :]]

    store, error = imported(file_of(twice), tmp_path)

    assert "do not go on" in str(error)
    assert row_values(store.tracks[0]) == row_values(whole)


def test_lost_numbers_are_spans() -> None:
    """A number is lost if it is within a span; touching spans are one."""
    lost = LostNumbers()
    for low, stop in ((2, 2), (3, 5), (5, 6), (9, 10)):
        lost.add(low, stop)

    assert [number for number in range(12) if lost.has_any([number])] == [3, 4, 5, 9]
    assert lost
    assert not LostNumbers()


def test_lost_numbers_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit the last span goes on, so numbers that are not lost count as lost too."""
    monkeypatch.setattr(lost_numbers, "SPANS_MAX", 3)
    lost = LostNumbers()
    for low in range(0, 40, 10):
        lost.add(low, low + 1)

    found = [number for number in range(50) if lost.has_any([number])]

    assert found == [0, 10, *range(20, 31)]
    assert all(low < high for low, high in pairwise(found))
