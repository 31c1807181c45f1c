"""Sessions of any length for the measurements of the debugger.

A *repeating* program goes through the same passes of 42 transitions, of about 40 shapes, with
arguments, log lines and handler times. In a program where everything is *new*, each transition has
a shape and a log line of its own, which is the worst case. Several machines take turns.

The rows come from a fixed seed, so a session is the same in every run. About 250,000 transitions
go through a store and the export of the debugger. A longer session has the records of this file
again and again, with later rows, times and ticks in their heads and with definitions of their own.
Only the numbers in heads differ between these copies, so ten million transitions are written in
seconds. A reader takes them as any others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import combinations, count
from operator import add, sub
from pathlib import Path
from random import Random
from typing import NamedTuple

from am_dbg.egress.export import export_session
from am_dbg.store import Store
from am_dbg.store.packed.definitions import pack_part_head, unpack_part_head
from am_dbg.store.packed.heads import ChunkHead, RowsHead, pack_rows_head, unpack_rows_head
from amtracer.encode.stream_writer import StreamWriter
from amtracer.files.record_walk import MemoryBytes, Record, RecordWalk
from amtracer.files.records import RecordKind, RecordWriter, compressed
from amtracer.wire.codec import FrameReader, FrameWriter, pack_messages, unpack_messages
from amtracer.wire.messages import (
    PROTOCOL_VERSION,
    BatchMessage,
    HelloMessage,
    LeftMessage,
    Message,
    Shape,
    StateDef,
    StepDef,
)
from amtracer.wire.vocabulary import MutationKind, RelationKind, ShapeFlag, StepFlag, StepKind

COPIED_ROWS = 250_000
"""Transitions, about, that go through a store; the rest are copies of them."""
SECOND_NS = 1_000_000_000
UNIT_NS = 1_000
RARE_TEXT = "needle"
"""One transition of each copy has it in a log line."""
FREQUENT_TEXT = "step 77 "
"""One of 500 transitions has it in a log line."""
ABSENT_TEXT = "haystack"
"""No transition has it."""
STATE = "Busy"
"""A state of all machines."""
ERROR_STATE = "Exception"
_START_NS = 1_700_000_000 * SECOND_NS
_NAMES = ("Ready", STATE, "Sending", "Waiting", "Retrying", "Syncing", "Saving", "Closing")
STATES = (*_NAMES, ERROR_STATE)
_NEW_STATES = tuple(f"State{number}" for number in range(64))


class Program(Enum):
    """What the machines do."""

    REPEATING = "repeating"
    NEW = "new"


class Row(NamedTuple):
    """What a program does in one transition; times are those of its handlers."""

    shape: Shape
    lines: tuple[tuple[int, str], ...]
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """How many transitions are made once, and how often they are written."""

    program: Program
    machines: int
    rows: int
    copies: int

    @property
    def transitions(self) -> int:
        return self.rows * self.copies


def planned(program: Program, transitions: int, machines: int) -> Plan:
    """The plan for at least so many transitions: whole passes of each machine."""
    if program is Program.NEW:
        return Plan(program, machines, transitions, 1)
    copies = max(1, round(transitions / COPIED_ROWS))
    turn = len(_passes()) * machines
    return Plan(program, machines, -(-transitions // (turn * copies)) * turn, copies)


def messages(plan: Plan) -> Iterator[Message]:
    """The messages of the transitions that are made once, as a tracer sends them."""
    sent: list[Message] = []
    writer = StreamWriter(sent.append, HelloMessage(PROTOCOL_VERSION, "benchmark", _START_NS, 0))
    states = tuple(map(StateDef, STATES if plan.program is Program.REPEATING else _NEW_STATES))
    schema = writer.schema(states)
    numbers = [
        writer.machine(f"worker-{number}", schema, tx_prefix=f"{number:06x}", unit_ns=UNIT_NS)
        for number in range(plan.machines)
    ]
    make = repeating if plan.program is Program.REPEATING else _new
    rows = [make(number) for number in numbers]
    random, time_ns = Random(1), _START_NS
    for number in range(plan.rows):
        machine = number % plan.machines
        row = next(rows[machine])
        time_ns += random.randrange(20, 276) * UNIT_NS
        calls = (random.randrange(1, 9) * UNIT_NS,) * row.shape.calls
        spent = sum(calls) + 3 * UNIT_NS
        args = row.args
        writer.record(machine, row.shape, time_ns, spent, 0, row.lines, (), None, args, calls)
        if sent:
            yield from sent
            sent.clear()
    writer.flush()
    yield from sent


def frames(plan: Plan) -> bytes:
    """The bytes of a connection that sends these messages, each batch with what it needs."""
    writer = FrameWriter()
    sent = [writer.magic()]
    for message in messages(plan):
        sent.append(writer.write(message))
        if isinstance(message, BatchMessage):
            sent.append(writer.flush())
    sent.append(writer.end())
    return b"".join(sent)


def taken_in(data: bytes) -> Store:
    """A store that has taken in the bytes of a connection."""
    store = Store()
    stream, reader = store.open_stream("benchmark", live=False), FrameReader(in_columns=True)
    with store.gathering():
        for message in reader.feed(data):
            store.feed(stream, message)
    store.close_stream(stream)
    return store


def write_session(store: Store, plan: Plan, path: Path) -> None:
    """Write what a store took in as a session file, as often as planned."""
    export_session(store, path)
    if plan.copies > 1:
        data = path.read_bytes()
        with path.open("wb") as file:
            _copy_records(MemoryBytes(data), plan.copies, file.write)


# -- programs


def repeating(machine: int) -> Iterator[Row]:
    """Passes without an end; the first machine meets an error and a rare text in its first."""
    usual = _passes()
    error = tuple(_shape(len(_NAMES), kind) for kind in (MutationKind.ADD, MutationKind.REMOVE))
    for number in count():
        for at, shape in enumerate(usual):
            step = (number * len(usual) + at) % 500
            lines = ((2, f"[state] {STATES[shape.called[0]]}"), (3, f"step {step} of the program"))
            args = ("job", str(step * 2)) if at % 10 == 0 else ()
            if number == machine == 0 and at >= len(usual) - len(error):
                shape, lines = error[at - len(usual)], ((2, f"[error] {RARE_TEXT}"),)
            yield Row(shape, lines[:1] if at % 3 else lines, args)


def _passes() -> list[Shape]:
    """The shapes of one pass, after which all states are as before."""
    shapes: list[Shape] = []
    on, off = MutationKind.ADD, MutationKind.REMOVE
    for state in range(len(_NAMES)):
        shapes += (
            _shape(state, on),
            _shape(state, on, ShapeFlag(0)),
            _shape(state, off),
            _shape(state, on, ShapeFlag.ACCEPTED | ShapeFlag.AUTO),
            _shape(state, off),
        )
    return [*shapes, _shape(0, on), _shape(0, off)]


def _shape(state: int, kind: MutationKind, flags: ShapeFlag = ShapeFlag.ACCEPTED) -> Shape:
    """The shape of a mutation of one state, with a handler; canceled without flags."""
    growth = 1 if kind is MutationKind.ADD else -1
    done = StepKind.SET if growth > 0 else StepKind.REMOVE
    phase = StepFlag.FINAL | (StepFlag.ENTER if growth > 0 else StepFlag(0))
    steps = (
        StepDef(StepKind.REQUESTED, target=state),
        StepDef(StepKind.RELATION, RelationKind.REQUIRE, source=state, target=0),
        StepDef(StepKind.HANDLER, flags=phase, target=state),
        StepDef(done, target=state),
    )
    if not flags:
        return Shape(kind, (state,), 0, (), (*steps[:2], StepDef(StepKind.CANCEL, target=state)))
    return Shape(kind, (state,), int(flags), ((state, growth),), steps)


def _new(machine: int) -> Iterator[Row]:
    """Rows with a shape and a log line that no other row has, until these are used up."""
    active = [False] * len(_NEW_STATES)
    for number, states in enumerate(combinations(range(len(_NEW_STATES)), 4)):
        changes = tuple((state, -1 if active[state] else 1) for state in states)
        for state in states:
            active[state] = not active[state]
        steps = tuple(StepDef(StepKind.REQUESTED, target=state) for state in states)
        shape = Shape(MutationKind.SET, states, int(ShapeFlag.ACCEPTED), changes, steps)
        yield Row(shape, ((2, f"[state] {machine}/{number} is like no other"),))


# -- copies


class _Copied(NamedTuple):
    """What a copy adds for one machine: rows and ticks."""

    rows: int
    growth: tuple[int, ...]


def _copy_records(source: MemoryBytes, copies: int, write: Callable[[bytes], object]) -> None:
    """Write the records of a file several times, one after another, as one session."""
    records = [found for found in RecordWalk(source) if isinstance(found, Record)]
    kinds: dict[int, list[Record]] = {kind: [] for kind in RecordKind}
    for record in records:
        kinds[record.header.kind].append(record)
    heads = [unpack_rows_head(record.head(source)) for record in kinds[RecordKind.ROWS]]
    added, period = _period(heads)
    segments = 1 + max(chunk.segment for head in heads for chunk in head.chunks)
    writer = RecordWriter(write)
    writer.begin()
    for record in kinds[RecordKind.OPENING]:
        writer.add(RecordKind.OPENING, record.head(source), record.body(source))
    for copy in range(copies):
        for record in kinds[RecordKind.DEFINITIONS]:
            part = unpack_part_head(record.head(source))
            part = part._replace(segment=part.segment + copy * segments)
            _, body = record.stored(source)
            writer.add_stored(RecordKind.DEFINITIONS, compressed(pack_part_head(part)), body)
        for record, head in zip(kinds[RecordKind.ROWS], heads, strict=True):
            chunks = tuple(
                _later(chunk, added[chunk.machine], copy, segments, period) for chunk in head.chunks
            )
            packed = compressed(pack_rows_head(head._replace(chunks=chunks)))
            _, body = record.stored(source)
            writer.add_stored(RecordKind.ROWS, packed, body, rows=head.rows)
    for record in kinds[RecordKind.EVENTS]:
        body = _ends(record.body(source), added, copies - 1)
        writer.add(RecordKind.EVENTS, record.head(source), body)
    writer.end()


def _ends(body: bytes, added: dict[int, _Copied], copy: int) -> bytes:
    """The events of the last copy, which are the ends of the machines."""
    events = []
    for (row, segment), message in unpack_messages(body, "events of a benchmark"):
        assert isinstance(message, LeftMessage), "other events cannot be copied"
        events.append(((row + copy * added[message.machine].rows, segment), message))
    return pack_messages(events)


def _period(heads: list[RowsHead]) -> tuple[dict[int, _Copied], int]:
    """What a copy adds for each machine, and by how much its times are later."""
    begins: dict[int, tuple[int, ...]] = {}
    added: dict[int, _Copied] = {}
    chunks = [chunk for head in heads for chunk in head.chunks]
    for chunk in chunks:
        begin = begins.setdefault(chunk.machine, chunk.ticks)
        rows = chunk.first_row + chunk.rows
        added[chunk.machine] = _Copied(rows, tuple(map(sub, chunk.ticks_end, begin)))
    assert not any(tick % 2 for one in added.values() for tick in one.growth), "half a pass"
    times = [time for chunk in chunks for time in (chunk.time_first, chunk.time_max)]
    return added, max(times) - min(times) + SECOND_NS // UNIT_NS


def _later(chunk: ChunkHead, added: _Copied, copy: int, segments: int, period: int) -> ChunkHead:
    """The head of the same chunk in a later copy."""
    growth = [copy * tick for tick in added.growth]
    return chunk._replace(
        segment=chunk.segment + copy * segments,
        first_row=chunk.first_row + copy * added.rows,
        time_first=chunk.time_first + copy * period,
        time_min=chunk.time_min + copy * period,
        time_max=chunk.time_max + copy * period,
        ticks=tuple(map(add, chunk.ticks, growth)),
        ticks_end=tuple(map(add, chunk.ticks_end, growth)),
    )
