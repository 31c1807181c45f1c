"""What the store takes in, it can give out: exported and read again, it is equal.

Streams are made of messages with odd values, most of them allowed. A stream that breaks a
rule ends there, as it does at the server; everything taken in until then has to survive.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg import reports as text
from am_dbg.egress.export import export_session
from am_dbg.ingest.importing import import_session
from am_dbg.store import Store, Track
from amtracer.errors import WireError
from amtracer.wire.messages import (
    ArgsMessage,
    BatchMessage,
    DroppedMessage,
    GoneMessage,
    HelloMessage,
    LaterLinesMessage,
    LeftMessage,
    LinesMessage,
    MachineMessage,
    Message,
    OpenWorkItem,
    OpenWorkMessage,
    RefusedMessage,
    Run,
    SchemaChangedMessage,
    SchemaMessage,
    SegmentMessage,
    Shape,
    ShapeMessage,
    Source,
    StateDef,
    StepDef,
    StringsMessage,
    TroubleMessage,
)
from amtracer.wire.vocabulary import GapKind, TroubleKind
from tests.dbg.test_export_identity import all_of
from tests.wire.streams import decoded, stream_bytes

EDGES = (0, 1, 2, 3, 7, 2**15, 2**31, 2**53, 2**61, 2**62 - 1, 2**62)
BEYOND = (2**62 + 1, 2**63 - 1, -1, -(2**62), -(2**63))
NUMBERS = st.sampled_from((*EDGES[:5] * 24, *EDGES * 6, *BEYOND))
SMALL = st.integers(0, 3)
GROWTHS = st.sampled_from((*(1, -1, 2, -2) * 6, 3, -4, 2**31 - 1, -(2**31 - 1), 0))
GAP_KINDS = st.sampled_from((GapKind.DROPPED, GapKind.RECONNECTED, GapKind.CUT))
TEXTS = st.text(max_size=8) | st.sampled_from(("a", "b", "a/b", "a/1", "\ud800", "", "x" * 300))
STATES = ("Start", "Exception", "Zoë")


class Stream:
    """Makes the messages of one stream, with the numbers that a rule-abiding peer would use."""

    def __init__(self, data: st.DataObject, session: str) -> None:
        self._draw = data.draw
        self.messages: list[Message] = [
            HelloMessage(2, session, self._number(), self._number(), process={"pid": "1"}),
            SchemaMessage(0, tuple(StateDef(name) for name in STATES)),
            SchemaMessage(1, (StateDef("Only", tags=("t",)),)),
        ]
        self._schemas: list[int] = []
        self._rows: list[int] = []
        self._ticks_of: list[list[int]] = []
        self._shapes: list[tuple[int, Shape]] = []
        self._lines = self._args = self._strings = 0

    def _number(self) -> int:
        return self._draw(NUMBERS)

    def _some(self, most: int) -> int:
        return self._draw(st.integers(0, most))

    def begin(self) -> None:
        """A machine, with shapes and texts for its transitions."""
        makers = (self._machine, self._shape, self._shape, self._shape, self._texts, self._texts)
        self.messages += [make() for make in makers]

    def add(self) -> None:
        """One more message of any kind."""
        makers = [self._machine, self._shape, self._texts]
        if self._schemas:
            makers += [self._batch] * 8 + [self._dropped, self._changed]
            makers += [self._gone, self._segment, self._noted, self._at_rest]
        self.messages.append(self._draw(st.sampled_from(makers))())

    def _states(self, schema: int) -> tuple[str, ...]:
        return STATES if schema == 0 else STATES[:1]

    def _ticks(self, schema: int) -> tuple[int, ...]:
        return tuple(self._number() for _ in self._states(schema))

    def _machine(self) -> Message:
        schema, row = self._some(1), self._draw(st.sampled_from((0, 0, 0, 0, 0, 0, 5, 2**62 - 2)))
        self._schemas.append(schema)
        self._rows.append(row)
        ticks = self._ticks(schema) if self._draw(st.booleans()) else ()
        self._ticks_of.append(list(ticks) or [0] * len(self._states(schema)))
        return MachineMessage(
            machine=len(self._rows) - 1,
            id=self._draw(TEXTS),
            schema=schema,
            parent=self._draw(TEXTS),
            tags=tuple(self._draw(st.lists(TEXTS, max_size=2))),
            ticks=ticks,
            row=row,
            tx_prefix=self._draw(TEXTS),
            unit_ns=self._draw(st.sampled_from((1, 1, 1, 1_000))),
        )

    def _shape(self) -> Message:
        schema = self._some(1)
        states = len(self._states(schema))
        index = st.integers(0, states - 1)
        changed = self._draw(st.lists(index, unique=True, max_size=states))
        changes = tuple((at, self._draw(GROWTHS)) for at in changed)
        steps = (StepDef(2, -1, self._some(31), -1, self._draw(index)),) * self._some(2)
        called = tuple(self._draw(st.lists(index, unique=True, max_size=2)))
        value = Shape(self._some(3), called, self._some(7), changes, steps)
        self._shapes.append((schema, value))
        return ShapeMessage(len(self._shapes) - 1, schema, value)

    def _texts(self) -> Message:
        kind = self._some(2)
        if kind == 0 or not self._strings:
            texts = tuple(self._draw(st.lists(TEXTS, min_size=1, max_size=3)))
            self._strings += len(texts)
            return StringsMessage(self._strings - len(texts), texts)
        string = st.integers(0, self._strings - 1)
        if kind == 1:
            self._lines += 1
            pairs = st.lists(st.tuples(st.integers(0, 4), string), min_size=1, max_size=3)
            return LinesMessage(self._lines - 1, (tuple(self._draw(pairs)),))
        self._args += 1
        return ArgsMessage(self._args - 1, ((self._draw(string), self._draw(string)),))

    def _batch(self) -> Message:
        machine = self._some(len(self._rows) - 1)
        shapes: list[int] = []
        for _ in range(self._some(5) + 1):
            fitting = [n for n in range(len(self._shapes)) if self._fits(machine, n)]
            if fitting:
                shapes.append(self._draw(st.sampled_from(fitting)))
                for at, growth in self._shapes[shapes[-1]][1].changes:
                    self._ticks_of[machine][at] += abs(growth)
        if not shapes:
            return self._shape()
        row = self._rows[machine]
        self._rows[machine] += len(shapes)
        calls = sum(self._shapes[shape][1].calls for shape in shapes)
        return BatchMessage(
            runs=(Run(machine, row, len(shapes)),),
            shapes=tuple(shapes),
            times=self._column(len(shapes)),
            durations=self._column(len(shapes)) if self._draw(st.booleans()) else (),
            queue_ticks=self._column(len(shapes)) if self._draw(st.booleans()) else (),
            queues=self._column(len(shapes)) if self._draw(st.booleans()) else (),
            calls=self._column(calls) if self._draw(st.booleans()) else (),
            lines={0: self._some(self._lines)},
            pre_lines={0: self._some(self._lines - 1) + 1} if self._lines else {},
            args={0: self._some(self._args - 1)} if self._args else {},
            sources=self._sources(),
            ids={0: self._draw(TEXTS)} if self._draw(st.booleans()) else {},
        )

    def _fits(self, machine: int, number: int) -> bool:
        """It has the shape of the machine's schema and the states that were active before."""
        schema, shape = self._shapes[number]
        ticks = self._ticks_of[machine]
        return schema == self._schemas[machine] and all(
            growth != 0 and ((ticks[at] + growth) % 2 == 1) == (growth > 0)
            for at, growth in shape.changes
        )

    def _column(self, length: int) -> tuple[int, ...]:
        return tuple(self._number() for _ in range(length))

    def _sources(self) -> dict[int, Source]:
        if self._draw(st.booleans()):
            return {}
        return {0: Source(self._draw(TEXTS), self._draw(TEXTS), self._number())}

    def _dropped(self) -> Message:
        machine = self._some(len(self._rows) - 1)
        kind = self._draw(GAP_KINDS)
        count = 0 if kind is GapKind.CUT else self._number()
        self._rows[machine] += count
        ticks = self._ticks(self._schemas[machine])
        self._ticks_of[machine] = list(ticks)
        return DroppedMessage(machine, count, ticks, self._draw(TEXTS), kind)

    def _changed(self) -> Message:
        machine, schema = self._some(len(self._rows) - 1), self._some(1)
        ticks = self._ticks(schema)
        self._schemas[machine], self._ticks_of[machine] = schema, list(ticks)
        return SchemaChangedMessage(machine, schema, ticks)

    def _gone(self) -> Message:
        machine = self._some(len(self._rows) - 1)
        if self._draw(st.booleans()):
            return GoneMessage(machine)
        return LeftMessage(machine, self._draw(TEXTS))

    def _noted(self) -> Message:
        machine, row = self._some(len(self._rows) - 1), self._number()
        if self._draw(st.booleans()):
            return RefusedMessage(machine, row, self._number())
        kind = self._draw(st.sampled_from(TroubleKind))
        texts = (self._draw(TEXTS), self._draw(TEXTS))
        return TroubleMessage(machine, row, kind, *texts, self._number(), self._some(2))

    def _at_rest(self) -> Message:
        machine = self._some(len(self._rows) - 1)
        if self._lines and self._draw(st.booleans()):
            return LaterLinesMessage(machine, self._some(self._lines - 1), self._number())
        work = OpenWorkItem("when", self._draw(TEXTS), "", self._number(), self._number())
        return OpenWorkMessage(machine, (work,) * self._some(2), self._number())

    def _segment(self) -> Message:
        self._shapes, self._lines, self._args, self._strings = [], 0, 0, 0
        return SegmentMessage()


def taken_in(streams: Iterable[list[Message]]) -> Store:
    """Each stream as far as the server would take it in."""
    store = Store()
    for messages in streams:
        number = store.open_stream("odd", live=True)
        try:
            for message in messages:
                for passed in decoded(stream_bytes([message])):
                    store.feed(number, passed)
        except WireError as error:
            store.close_stream(number, str(error))
        else:
            store.close_stream(number)
    return store


@given(data=st.data())
def test_what_was_taken_in_is_given_out(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A session of odd streams is exported, read again and equal; every text of it can be made."""
    streams = [Stream(data, f"s{number}") for number in range(data.draw(st.integers(1, 2)))]
    for stream in streams:
        for _ in range(data.draw(st.integers(1, 12))):
            stream.add()
    store = taken_in(stream.messages for stream in streams)
    path = tmp_path_factory.getbasetemp() / "odd.msgpack.br"

    export_session(store, path)
    copy = Store()
    import_session(copy, str(path))

    assert [all_of(a, ids(a)) for a in copy.tracks] == [all_of(b, ids(b)) for b in store.tracks]
    for one in store.tracks:
        assert json.loads("".join(text.history_json(store, one)))
        list(text.history_lines(one))
    assert machine_rows(store) == machine_rows(copy)
    for one, again in zip(store.tracks, copy.tracks, strict=True):
        assert (again.later, again.open.newest) == (one.later, one.open.newest)


def machine_rows(store: Store) -> list[str]:
    """The machines without the rows of runs: a file holds no times of connections."""
    return [row for row in text.machine_lines(store) if " run " not in row]


def ids(track: Track) -> set[int]:
    return set(range(1, track.count + 1))
