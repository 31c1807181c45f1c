"""What tests of the debugger's data side share: histories that are played twice.

A history is a list of small numbers. `HistoryPlayer` plays it to a writer of messages and to a
naive record of dictionaries at the same time, so that whatever the store reports can be
compared with what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from am_dbg.egress.export import ReferredIds, Selection, emitted
from am_dbg.store import Store
from am_dbg.store.chunk import CHUNK_LIMITS, ChunkLimits
from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire.messages import HelloMessage, Message, Shape, Source, StateDef, StepDef
from amtracer.wire.vocabulary import ShapeFlag, StepFlag
from tests.transitions import RecordedTransition, write_transition

START_NS = 1_700_000_000_000_000_000
SCHEMAS = (
    (StateDef("Start"), StateDef("Ready", auto=True), StateDef("Exception", multi=True)),
    (StateDef("Healthcheck", multi=True), StateDef("ErrNet"), StateDef("Start"), StateDef("Zoë")),
    (StateDef("Only", require=("Missing",), add=(), tags=("one",)),),
)
UNITS_NS = (1, 1_000, 1_000_000, 1_000_000_000)
TEXTS = ("", "[state] +Start", "[error] boom", "Größe", "\x00 odd", "plain words", "BOOM")


def hello(session: str = "", **rest: Any) -> HelloMessage:
    return HelloMessage(version=1, session=session, wall_ns=START_NS, mono_ns=5, **rest)


@dataclass
class PlayedMachine:
    """A machine as the naive record knows it."""

    id: str
    number: int
    schema: int
    ticks: list[int]
    prefix: str
    row: int = 0
    unit_ns: int = 1
    gone: bool = False
    past: list[dict[str, Any]] = field(default_factory=list)
    gaps: list[tuple[int, int, str]] = field(default_factory=list)

    @property
    def states(self) -> tuple[StateDef, ...]:
        """The present states."""
        return SCHEMAS[self.schema]

    def break_off(self, lost: int, kind: str) -> None:
        """A gap after what has happened; it extends one of the same kind that is there."""
        last = self.gaps[-1] if self.gaps else (-1, 0, "")
        if (last[0], last[2]) == (len(self.past), kind):
            self.gaps[-1] = (last[0], -1 if -1 in (last[1], lost) else last[1] + lost, kind)
        else:
            self.gaps.append((len(self.past), lost, kind))


class HistoryPlayer:
    """Plays a history; `messages` and `machines` are its two records."""

    def __init__(
        self,
        session: str = "",
        machines: list[PlayedMachine] | None = None,
        *,
        live: bool = False,
        time_ns: int = START_NS,
        **limits: int,
    ) -> None:
        self.messages: list[Message] = []
        self.machines: list[PlayedMachine] = [] if machines is None else machines
        self._before = tuple(self.machines)
        self._here: list[PlayedMachine] = []
        self._live = live
        self.writer = StreamWriter(self.messages.append, hello(session), **limits)
        self.time = time_ns

    def play(self, history: Iterable[Sequence[int]]) -> HistoryPlayer:
        for act, which, *rest in history:
            alive = [machine for machine in self._here if not machine.gone]
            away = self._away()
            if (act == 0 or not alive) and away and rest[0] % 4:
                self.come_back(away[which % len(away)], rest)
            elif act == 0 or not alive:
                self.enter(which, rest)
            elif act == 1:
                self.change_schema(alive[which % len(alive)], rest)
            elif act == 2:
                self.drop(alive[which % len(alive)], rest)
            elif act == 3:
                self.leave(alive[which % len(alive)])
            else:
                self.transit(alive[which % len(alive)], rest)
        self.writer.flush()
        return self

    def enter(self, which: int, rest: Sequence[int] = (0, 0, 0)) -> PlayedMachine:
        schema = which % len(SCHEMAS)
        ticks = [rest[0] % 4] * len(SCHEMAS[schema])
        name = f"m{rest[1] % 3}"
        prefix = f"{len(self.machines):016x}"
        row = rest[2] % 3
        unit_ns = UNITS_NS[rest[2] % len(UNITS_NS)]
        number = self.writer.machine(
            name,
            self.writer.schema(SCHEMAS[schema]),
            parent="root",
            tags=("a", "b"),
            ticks=tuple(ticks),
            row=row,
            tx_prefix=prefix,
            unit_ns=unit_ns,
        )
        machine = PlayedMachine(name, number, schema, ticks, prefix, row, unit_ns)
        if row:
            machine.gaps.append((0, row, "late"))
        self.machines.append(machine)
        self._here.append(machine)
        return machine

    def _away(self) -> list[PlayedMachine]:
        """The machines of earlier streams that can still come back."""
        return [one for one in self._before if not one.gone and one not in self._here]

    def come_back(self, machine: PlayedMachine, rest: Sequence[int]) -> None:
        """A machine of an earlier stream goes on in this one, after a loss or without one."""
        lost, growth = rest[1] % 3, rest[2] % 2
        schema_before = machine.schema
        schema = schema_before if rest[0] % 2 else rest[1] % len(SCHEMAS)
        goes_on = not self._live and not growth and schema == schema_before
        if schema != schema_before:
            machine.ticks = [0] * len(SCHEMAS[schema])
        machine.schema = schema
        machine.ticks = [tick + growth for tick in machine.ticks]
        machine.row += lost
        machine.number = self.writer.machine(
            machine.id,
            self.writer.schema(SCHEMAS[schema]),
            parent="root",
            tags=("a", "b"),
            ticks=tuple(machine.ticks),
            row=machine.row,
            tx_prefix=machine.prefix,
            unit_ns=machine.unit_ns,
        )
        if machine.gaps[-1:] == [(len(machine.past), -1, "cut")]:
            machine.gaps.pop()
        if lost or not goes_on:
            machine.break_off(lost, "reconnected")
        if schema_before != schema:
            machine.break_off(0, "schema")
        self._here.append(machine)

    def end(self, reason: str) -> None:
        """The stream ends; with a reason, too early."""
        for machine in self._here:
            if reason and not machine.gone:
                machine.break_off(-1, "cut")

    def change_schema(self, machine: PlayedMachine, rest: Sequence[int]) -> None:
        machine.schema = rest[0] % len(SCHEMAS)
        machine.ticks = [rest[1] % 5] * len(SCHEMAS[machine.schema])
        number = self.writer.schema(SCHEMAS[machine.schema])
        self.writer.schema_changed(machine.number, number, tuple(machine.ticks))
        machine.break_off(0, "schema")

    def drop(self, machine: PlayedMachine, rest: Sequence[int]) -> None:
        machine.ticks = [tick + rest[0] % 3 for tick in machine.ticks]
        self.writer.dropped(machine.number, rest[1], tuple(machine.ticks), "full")
        machine.row += rest[1]
        machine.break_off(rest[1], "dropped")

    def leave(self, machine: PlayedMachine) -> None:
        self.writer.gone(machine.number)
        machine.gone = True

    def transit(self, machine: PlayedMachine, rest: Sequence[int]) -> dict[str, Any]:
        """One transition; the numbers choose what it called, changed, logged and carried."""
        changed, how, lines, extra, pause = rest
        before = tuple(machine.ticks)
        changes = []
        for index in range(len(machine.ticks)):
            if changed >> index & 1:
                growth = 2 if how >> index & 1 else 1
                machine.ticks[index] += growth
                changes.append((index, growth if machine.ticks[index] % 2 else -growth))
        steps = (StepDef(32, target=0),) * (how % 2) + (
            StepDef(2, flags=StepFlag.FAILED * (how % 7 == 1), source=0),
        ) * (how % 3 == 0)
        accepted = ShapeFlag.ACCEPTED if changes or how % 4 else 0
        shape = Shape(
            type=how % 3,
            called=tuple(index for index in range(len(before)) if lines >> index & 1),
            flags=accepted | (ShapeFlag.AUTO if how % 5 == 0 else 0),
            changes=tuple(changes),
            steps=steps,
        )
        self.time += (pause - 3) * 2_000_000_000
        machine.row += 1
        happened = RecordedTransition(
            shape=shape,
            time_ns=self.time,
            duration_ns=extra * 3_000_000_000 if extra % 2 else 0,
            queue_len=extra,
            lines=tuple((level, TEXTS[(lines + level) % len(TEXTS)]) for level in range(lines % 3)),
            pre_lines=((2, TEXTS[extra % len(TEXTS)]),) if extra % 5 == 1 else (),
            source=_source(machine, extra),
            args=(("key", TEXTS[how % len(TEXTS)]),) if extra % 3 == 1 else (),
            handler_ns=(0, extra * 10**10) if extra % 4 == 1 else (),
            id=f"own-{machine.prefix}-{machine.row}" if extra == 7 else "",
        )
        write_transition(self.writer, machine.number, happened)
        record = {
            "happened": happened,
            "before": before,
            "after": tuple(machine.ticks),
            "schema": SCHEMAS[machine.schema],
            "row": machine.row - 1,
            "id": happened.id or f"{machine.prefix}{machine.row:016x}",
        }
        machine.past.append(record)
        return record


def _source(machine: PlayedMachine, extra: int) -> Source | None:
    if extra % 3 == 2:
        return Source(machine.id, f"{machine.prefix}{extra:016x}", extra)
    if extra % 3 == 0 and extra:
        return Source("else", f"not-a-number-{extra}", 2**40)
    return None


SMALL_CHUNKS = ChunkLimits(rows=7, shapes=5, piece_rows=3, walk_rows=2)
"""Chunks of a few rows, so that a short history has many."""


def stored(
    *tellings: HistoryPlayer, live: bool = False, limits: ChunkLimits = CHUNK_LIMITS
) -> Store:
    """A store that has taken in what was reported, each in a stream of its own."""
    store = Store(chunk_limits=limits)
    for player in tellings:
        stream = store.open_stream("reported", live=live)
        for message in player.messages:
            store.feed(stream, message)
    return store


def write_messages(
    store: Store,
    selection: Sequence[Selection],
    emit: Callable[[Message], None],
    *,
    all_ids: bool = False,
) -> None:
    """Emit history as messages: a stream for consecutive machines of the same stream."""
    keeps_id = bool if all_ids else ReferredIds(selection).__contains__
    for stream, parts in groupby(selection, key=lambda part: part.track.stream):
        for _ in emitted(store.streams[stream].hello, list(parts), emit, keeps_id):
            pass
