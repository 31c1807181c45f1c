"""A machine whose states are added, taken away and moved while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from am_dbg.egress.export import export_session
from am_dbg.ingest.importing import import_session
from am_dbg.query import Filters, Visible, touching
from am_dbg.store import GapKind, Store, Track
from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire.messages import Message, Shape, StateDef, StepDef
from tests.dbg.histories import hello
from tests.transitions import RecordedTransition, write_transition

SCHEMAS = (
    ("A", "B"),
    ("A", "B", "C", "D"),
    ("D", "B"),
    ("B", "E", "D", "A"),
)
ROWS = 3
"""Transitions with each schema: each adds the last state, the first, the last again."""


def reported() -> list[Message]:
    """A machine with one schema after the other, all of its states numbered again each time."""
    messages: list[Message] = []
    writer = StreamWriter(messages.append, hello("s"), segment_rows=5)
    schemas = [writer.schema(tuple(map(StateDef, names))) for names in SCHEMAS]
    machine = writer.machine("m", schemas[0], tx_prefix="aa")
    for at, names in enumerate(SCHEMAS):
        if at:
            writer.schema_changed(machine, schemas[at], (at * 10,) * len(names))
        ticks = [at * 10] * len(names)
        for index in (len(names) - 1, 0, len(names) - 1):
            ticks[index] += 1
            growth = 1 if ticks[index] % 2 else -1
            steps = (StepDef(32, target=index), StepDef(4, target=index))
            shape = Shape(0, (index,), 1, ((index, growth),), steps)
            write_transition(writer, machine, RecordedTransition(shape, 1_000 * at + ticks[index]))
    writer.flush()
    return messages


def live() -> Store:
    store = Store()
    stream = store.open_stream("program", live=True)
    for message in reported():
        store.feed(stream, message)
    return store


@pytest.fixture(params=["live", "exported"])
def track(request: pytest.FixtureRequest, tmp_path: Path) -> Track:
    """The machine as it was sent, and as it is read from a file that was exported."""
    store = live()
    if request.param == "exported":
        path = tmp_path / "out.msgpack.br"
        export_session(store, path)
        store = Store()
        import_session(store, str(path))
    (track,) = store.tracks
    return track


def called(track: Track, number: int) -> str:
    """The state that a transition called, by the names of its time."""
    (index,) = track.transition(number).shape.called
    return track.schema_at(number)[index].name


def test_each_transition_is_shown_with_the_states_of_its_time(track: Track) -> None:
    """Names, clocks and steps of one mean its own schema, whatever came afterwards."""
    numbers = range(1, track.count + 1)

    assert track.count == ROWS * len(SCHEMAS)
    for number in numbers:
        names = SCHEMAS[(number - 1) // ROWS]
        assert tuple(state.name for state in track.schema_at(number)) == names
        assert len(track.clock_at(number)) == len(names)
        (index, _), *_ = track.transition(number).shape.changes
        assert {step.target for step in track.transition(number).shape.steps} == {index}
    assert [called(track, number) for number in numbers] == list("BABDADBDBABA")


def test_clocks_on_both_sides_of_a_border_are_their_own(track: Track) -> None:
    """What came before a change keeps its clock, what follows begins with the new one."""
    assert [track.clock_at(number) for number in (3, 6, 9, 12)] == [
        (1, 2),
        (11, 10, 10, 12),
        (21, 22),
        (31, 30, 30, 32),
    ]
    assert [track.clock_before(number) for number in (4, 7, 10)] == [
        (10, 10, 10, 10),
        (20, 20),
        (30, 30, 30, 30),
    ]
    assert [(gap.after_number, gap.kind) for gap in track.gaps] == [
        (number, GapKind.SCHEMA) for number in (3, 6, 9)
    ]


def test_a_state_is_found_by_name_across_borders(track: Track) -> None:
    """Jumps pass over the time in which the state was not there, or had another place."""
    visible = Visible(track, Filters())

    for state in "ABDE":
        found = [number for number in range(1, 13) if called(track, number) == state]
        assert touching(visible, state).numbers(0, 99) == found
        assert walked(visible, state) == found
    assert touching(visible, "A").previous(10) == 5
    assert touching(visible, "A").next(5) == 10


def walked(visible: Visible, state: str) -> list[int]:
    """Where one jump after another leads."""
    numbers, number = [], touching(visible, state).next(0)
    while number is not None:
        numbers.append(number)
        number = touching(visible, state).next(number)
    return numbers
