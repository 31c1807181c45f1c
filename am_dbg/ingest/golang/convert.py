"""Converts what Go programs send into a stream of our messages.

A Go program sends the whole clock after each transition; a shape needs the growth of each tick.
So the converter keeps the clock of each machine. Three things can break the chain:

- Tracing can begin late, so the first received transition is perhaps not the first one. Ticks
  that its steps do not explain were there before (`am_dbg.ingest.golang.clock`).
- The clock goes back, or grows too much for a shape: something was lost, or another machine has
  the id. A `DroppedMessage` of no transitions then resets the clock.
- Fewer ticks than states: the schema grew, and the transition is older; the other states keep
  their ticks. More ticks than states: states without a name are added, until the program sends
  its new schema.

A mutation that was only queued is no transition (`am_dbg.ingest.golang.go_queue`). The
transition during which it was queued gets a log line about it, unless the program logged one. The
transition that carries it out gets the stack of the call, all arguments and, if a handler made
the call, the transition of that handler as its source. A message that the logger of the program
makes up to send lines is no transition either; its lines come before the first transition.

A transition that cannot be represented is left out and counted as dropped, with the reason. So it
becomes a gap.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from am_dbg.ingest.golang.clock import Ticks, changes, padded, ticks_before
from am_dbg.ingest.golang.go_machine import Changes, GoMachine
from am_dbg.ingest.golang.go_queue import Queued
from am_dbg.ingest.golang.log import LevelScale, source_of
from am_dbg.ingest.golang.primitives import GobError
from am_dbg.ingest.golang.records import GoLines, GoSchema, GoTransition, record_of, transition_of
from am_dbg.ingest.golang.steps import Steps
from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire import limits
from amtracer.wire.messages import Source, StateDef

ATTACHED_LATE = "tracing began late"
CLOCK_WENT_BACK = "the clock went back"

_EARLY_LINES_MAX = limits.LINES_MAX // 4
"""Lines kept for the first transition."""


class Converter:
    """Writes the transitions of Go machines to a stream.

    `level_shift` guesses by how much the log levels of a program are higher than ours, until a
    line shows it. `refused` counts what could not be represented, `last_refusal` is the reason.
    Transitions are written at once. But if the mutation of a transition was not reported as
    queued, that report can still come: so the transition is held until `settle`, or until the
    machine sends something else.
    """

    def __init__(self, writer: StreamWriter, level_shift: Callable[[], int]) -> None:
        self._writer = writer
        self._level_shift = level_shift
        self._held: dict[GoMachine, tuple[GoTransition, int | None]] = {}
        self._machines: dict[str, GoMachine] = {}
        self.transitions = 0
        self.refused = 0
        self.last_refusal = ""

    def schema(self, schema: GoSchema, first: object = None) -> None:
        """Let a machine enter, or change its schema.

        `first` is the first transition of the machine, which shows its ticks before.
        """
        machine = self._machines.get(schema.machine)
        if machine is not None:
            self._record_held(machine)
            self._change_schema(machine, schema.states, _by_name(machine, schema.states))
            return
        machine = GoMachine(schema.machine, schema.states, LevelScale(self._level_shift))
        if first is not None:
            self._learn_ticks(machine, first)
        number = self._writer.schema(machine.states)
        machine.number = self._writer.machine(
            machine.id, number, parent=schema.parent, tags=schema.tags, ticks=machine.ticks
        )
        self._machines[schema.machine] = machine

    def transition(
        self, value: object, *, machine_id: str = "", time_ns: int | None = None
    ) -> None:
        """Write a transition from its struct; `GobError` if its machine is not known.

        `machine_id` is the id if it is known from elsewhere, `time_ns` when it arrived.
        """
        machine = self._machine(machine_id or str(record_of(value).get("MachineID", "")))
        try:
            self._receive(machine, transition_of(value), time_ns)
        except GobError as error:
            self._refuse_of(machine, error)

    def settle(self) -> None:
        """Write what is held."""
        for machine in list(self._held):
            self._record_held(machine)

    def refuse(self, reason: str) -> None:
        """Count data that cannot be represented."""
        self.refused += 1
        self.last_refusal = reason

    def _refuse_of(self, machine: GoMachine, error: GobError) -> None:
        self.refuse(str(error))
        self._writer.dropped(machine.number, 1, machine.ticks, str(error))

    def _machine(self, id: str) -> GoMachine:
        machine = self._machines.get(id)
        if machine is None:
            raise GobError(f"a transition of the unknown machine {id[:80]!r}")
        return machine

    def _learn_ticks(self, machine: GoMachine, first: object) -> None:
        """Set states and ticks from the first transition, unless it cannot be read."""
        try:
            go = transition_of(first)
            machine.take(_with_room(machine.states, len(go.clocks)))
            machine.ticks = (0,) * len(machine.states)
            called, steps = _called(machine, go), machine.steps(go.steps)
        except GobError:
            return
        machine.ticks = _before(machine, go, called, steps)

    def _receive(self, machine: GoMachine, go: GoTransition, time_ns: int | None) -> None:
        if go.queued and machine.queue.is_late(go):
            self._record_held(machine, Queued(go, _names(machine, go)))
            return
        self._record_held(machine)
        if go.queued or go.is_made_up:
            if not machine.seen and len(go.clocks) == len(machine.states):
                self._growth(machine, go, (), ())
            if go.queued:
                machine.queue.put(Queued(go, _names(machine, go)))
            else:
                _keep_early(machine, go)
            return
        own = machine.queue.take(go)
        if own is None and machine.queue.is_reported:
            self._held[machine] = go, time_ns
        else:
            self._record(machine, go, time_ns, own)

    def _record_held(self, machine: GoMachine, own: Queued | None = None) -> None:
        """Write what is held of a machine."""
        held = self._held.pop(machine, None)
        if held is not None:
            try:
                self._record(machine, *held, own)
            except GobError as error:
                self._refuse_of(machine, error)

    def _record(
        self, machine: GoMachine, go: GoTransition, time_ns: int | None, own: Queued | None
    ) -> None:
        states = _with_room(machine.states, len(go.clocks))
        if states is not machine.states:
            self._change_schema(machine, states, padded(machine.ticks, (0,) * len(states)))
        called, steps = _called(machine, go), machine.steps(go.steps)
        lines, pre_lines = machine.lines(go.entries, go.pre_entries)
        grown = self._growth(machine, go, called, steps)
        before = sum(machine.ticks) - sum(abs(growth) for _, growth in grown)
        asked = machine.queue.asked_by(go, Source(machine.id, go.id, before))
        logged = lines + pre_lines
        shape = machine.shape(go, called, grown, steps, lines)
        machine.last_ns = time_ns or go.time_ns or machine.last_ns
        self._writer.record(
            machine.number,
            shape,
            machine.last_ns,
            queue_len=go.queue_len,
            lines=lines + tuple(one.line() for one in asked if not one.is_in(logged)),
            pre_lines=_lines_before(machine, own, logged) + pre_lines,
            source=source_of(lines) or (own.source if own else None),
            args=_args(go, own),
            id=go.id,
            queue_tick=go.queue_tick,
        )
        self.transitions += 1

    def _growth(
        self, machine: GoMachine, go: GoTransition, called: tuple[int, ...], steps: Steps
    ) -> Changes:
        """Move the clock on and return its growth; reset it if the chain is broken."""
        before = machine.ticks
        after = before if go.check and machine.seen else padded(go.clocks, before)
        grown = changes(before, after) if machine.seen else None
        if grown is None:
            before = _before(machine, go, called, steps)
            grown = changes(before, after) or ()
            if before != machine.ticks:
                reason = CLOCK_WENT_BACK if machine.seen else ATTACHED_LATE
                self._writer.dropped(machine.number, 0, before, reason)
        machine.ticks, machine.seen = after, True
        return grown

    def _change_schema(
        self, machine: GoMachine, states: tuple[StateDef, ...], ticks: Ticks
    ) -> None:
        if states == machine.states:
            return
        self._writer.schema_changed(machine.number, self._writer.schema(states), ticks)
        machine.take(states)
        machine.ticks = ticks


def _by_name(machine: GoMachine, states: tuple[StateDef, ...]) -> Ticks:
    """The ticks for other states: by name, and by place for states that had no name yet."""
    unnamed = {at for at, state in enumerate(machine.states) if state.name == _unnamed(at)}
    places = [
        machine.index.get(state.name, at if at in unnamed else None)
        for at, state in enumerate(states)
    ]
    return tuple(0 if place is None else machine.ticks[place] for place in places)


def _unnamed(at: int) -> str:
    return f"state {at}"


def _with_room(states: tuple[StateDef, ...], length: int) -> tuple[StateDef, ...]:
    """The states, with unnamed states added so that there are at least `length`."""
    if length > limits.STATES_MAX:
        raise GobError(f"{length:,} ticks; the limit of states is {limits.STATES_MAX:,}")
    if length <= len(states):
        return states
    return states + tuple(StateDef(_unnamed(at)) for at in range(len(states), length))


def _called(machine: GoMachine, go: GoTransition) -> tuple[int, ...]:
    """Indexes of the called states."""
    found = []
    for state in go.called:
        at = machine.index.get(state, -1) if isinstance(state, str) else state
        if not 0 <= at < len(machine.states):
            raise GobError(f"a transition that calls the unknown state {str(state)[:80]}")
        found.append(at)
    return tuple(dict.fromkeys(found))


def _before(machine: GoMachine, go: GoTransition, called: tuple[int, ...], steps: Steps) -> Ticks:
    after = padded(go.clocks, machine.ticks)
    moved = go.accepted and not (go.check or go.queued)
    return ticks_before(after, machine.states, called, steps) if moved else after


def _args(go: GoTransition, own: Queued | None) -> tuple[str, ...]:
    """Keys and texts in turns; only the queued mutation has an error among its arguments."""
    args = go.args
    if own is not None and own.go.args:
        args = tuple(sorted({**dict(own.go.args), **dict(args)}.items()))
    return tuple(chain.from_iterable(args))


def _lines_before(machine: GoMachine, own: Queued | None, logged: GoLines) -> GoLines:
    """Lines before a transition that the program did not log."""
    lines = list(machine.early)
    machine.early.clear()
    for one in machine.queue.loose() + ([own] if own else []):
        if not (one.is_logged or one.is_in(logged)):
            lines.append(one.line())
        lines += one.stack()
    return tuple(lines)


def _keep_early(machine: GoMachine, go: GoTransition) -> None:
    """Keep the lines of a made-up message for the next transition."""
    room = _EARLY_LINES_MAX - len(machine.early)
    machine.early += list(chain(*machine.lines(go.pre_entries, go.entries)))[: max(0, room)]


def _names(machine: GoMachine, go: GoTransition) -> str:
    """The called states of a mutation, as log lines have them."""
    return " ".join(_name(machine, state) for state in go.called)


def _name(machine: GoMachine, state: str | int) -> str:
    if isinstance(state, str):
        return state
    return machine.names[state] if state < len(machine.names) else _unnamed(state)
