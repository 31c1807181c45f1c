"""The rows of a session file are read as they were written."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from am_dbg.egress.export import export_session
from am_dbg.ingest.importing import import_session
from am_dbg.store import Store
from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire.messages import PROTOCOL_VERSION, HelloMessage, Shape, StateDef
from amtracer.wire.vocabulary import ShapeFlag

ROWS = 1_000


def recorded(shapes: int, line_sets: int) -> Store:
    """A machine with so many shapes and sets of lines; the usual lines are in few rows."""
    store = Store()
    stream = store.open_stream("here", live=False)
    writer = StreamWriter(partial(store.feed, stream), HelloMessage(PROTOCOL_VERSION, "s", 1, 0))
    states = tuple(StateDef(f"State{number}") for number in range(shapes))
    machine = writer.machine("one", writer.schema(states))
    for number in range(ROWS):
        shape = Shape(0, (number % shapes,), int(ShapeFlag.ACCEPTED))
        lines = ((1, f"line {number * 7 % line_sets}"),)
        writer.record(machine, shape, number, lines=lines)
    writer.flush()
    store.close_stream(stream)
    return store


@pytest.mark.parametrize("line_sets", [1, 255, 256, 300, 900])
@pytest.mark.parametrize("shapes", [1, 2, 255, 256, 300])
def test_rows_come_back_however_many_shapes_and_lines_a_chunk_has(
    shapes: int, line_sets: int, tmp_path: Path
) -> None:
    """Numbers of shapes and of sets of lines take a byte or more, each for itself."""
    before, after = recorded(shapes, line_sets), Store()
    export_session(before, tmp_path / "run.msgpack.br")
    import_session(after, str(tmp_path / "run.msgpack.br"))

    (was,), (now,) = before.tracks, after.tracks
    assert now.count == was.count == ROWS
    for number in range(1, ROWS + 1):
        assert now.transition(number) == was.transition(number)
