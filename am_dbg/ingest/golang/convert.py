"""Converts what Go programs send into a stream of our messages.

A Go program sends the whole clock after each transition; a shape needs how much each tick
grew. So the converter keeps the clock of each machine. Three things can break the chain:

- The first transition seen of a machine need not be its first, as tracing may begin late.
  What its steps do not explain was there before (`am_dbg.ingest.golang.clock`).
- The clock goes back, or leaps too far for a shape: something was lost, or another
  machine took the id. A `DroppedMessage` of no transitions then resets the clock.
- Fewer ticks than states: the schema grew and the transition is older; the other states keep
  their ticks. More ticks than states: states without a name are added, until the program
  sends its new schema.

A mutation that was only queued is no transition here (`am_dbg.ingest.golang.go_queue`). The
transition during which it was queued shows it in a log line, unless the program wrote
that line itself. The transition that carries it out has the stack of the call, all arguments
and, if a handler made the call, the transition of that handler as its source. A message that
the program made up to bring lines is no transition either; its lines come before the first
transition.

A transition that cannot be represented is left out and counted as dropped, with the
reason, so it shows as a gap.
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
    """Gives the transitions of Go machines to a writer.

    `level_shift` guesses by how much the log levels of a program are higher than ours,
    until its lines show it. `refused` counts what could not be represented, `last_refusal`
    says why. What is given comes out at once, but for a transition whose mutation was not
    reported as queued before it: that may still come, so it is held until `settle`, or until
    the machine sends something else.
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
        """A machine enters, or has a changed schema.

        With its first transition at hand, a machine enters with the ticks it had.
        """
        known = self._machines.get(schema.machine)
        if known is not None:
            self._let_go(known)
            self._change_schema(known, schema.states, _by_name(known, schema.states))
            return
        known = GoMachine(schema.machine, schema.states, LevelScale(self._level_shift))
        if first is not None:
            self._learn_ticks(known, first)
        number = self._writer.schema(known.states)
        known.number = self._writer.machine(
            known.id, number, parent=schema.parent, tags=schema.tags, ticks=known.ticks
        )
        self._machines[schema.machine] = known

    def transition(self, value: object, *, machine: str = "", time_ns: int | None = None) -> None:
        """The struct of a transition; `GobError` when its machine is not known.

        `machine` is the id when it is known from elsewhere, `time_ns` when it arrived.
        """
        known = self._machine(machine or str(record_of(value).get("MachineID", "")))
        try:
            self._receive(known, transition_of(value), time_ns)
        except GobError as error:
            self._refuse_of(known, error)

    def settle(self) -> None:
        """Record what is held."""
        for known in list(self._held):
            self._let_go(known)

    def refuse(self, reason: str) -> None:
        """Count something that could not be represented."""
        self.refused += 1
        self.last_refusal = reason

    def _refuse_of(self, known: GoMachine, error: GobError) -> None:
        self.refuse(str(error))
        self._writer.dropped(known.number, 1, known.ticks, str(error))

    def _machine(self, id: str) -> GoMachine:
        known = self._machines.get(id)
        if known is None:
            raise GobError(f"a transition of the unknown machine {id[:80]!r}")
        return known

    def _learn_ticks(self, known: GoMachine, first: object) -> None:
        """Room and ticks as the first transition needs them, unless it cannot be read."""
        try:
            go = transition_of(first)
            known.take(_with_room(known.states, len(go.clocks)))
            known.ticks = (0,) * len(known.states)
            called, steps = _called(known, go), known.steps(go.steps)
        except GobError:
            return
        known.ticks = _before(known, go, called, steps)

    def _receive(self, known: GoMachine, go: GoTransition, time_ns: int | None) -> None:
        if go.queued and known.queue.is_late(go):
            self._let_go(known, Queued(go, _names(known, go)))
            return
        self._let_go(known)
        if go.queued or go.is_made_up:
            if not known.seen and len(go.clocks) == len(known.states):
                self._growth(known, go, (), ())
            if go.queued:
                known.queue.put(Queued(go, _names(known, go)))
            else:
                _keep_early(known, go)
            return
        own = known.queue.take(go)
        if own is None and known.queue.is_told:
            self._held[known] = go, time_ns
        else:
            self._record(known, go, time_ns, own)

    def _let_go(self, known: GoMachine, own: Queued | None = None) -> None:
        """Record what is held of a machine."""
        held = self._held.pop(known, None)
        if held is not None:
            try:
                self._record(known, *held, own)
            except GobError as error:
                self._refuse_of(known, error)

    def _record(
        self, known: GoMachine, go: GoTransition, time_ns: int | None, own: Queued | None
    ) -> None:
        states = _with_room(known.states, len(go.clocks))
        if states is not known.states:
            self._change_schema(known, states, padded(known.ticks, (0,) * len(states)))
        called, steps = _called(known, go), known.steps(go.steps)
        lines, pre_lines = known.lines(go.entries, go.pre_entries)
        grown = self._growth(known, go, called, steps)
        before = sum(known.ticks) - sum(abs(growth) for _, growth in grown)
        asked = known.queue.asked_by(go, Source(known.id, go.id, before))
        told = lines + pre_lines
        shape = known.shape(go, called, grown, steps, lines)
        known.last_ns = time_ns or go.time_ns or known.last_ns
        self._writer.record(
            known.number,
            shape,
            known.last_ns,
            queue_len=go.queue_len,
            lines=lines + tuple(one.line() for one in asked if not one.is_in(told)),
            pre_lines=_lines_before(known, own, told) + pre_lines,
            source=source_of(lines) or (own.source if own else None),
            args=_args(go, own),
            id=go.id,
            queue_tick=go.queue_tick,
        )
        self.transitions += 1

    def _growth(
        self, known: GoMachine, go: GoTransition, called: tuple[int, ...], steps: Steps
    ) -> Changes:
        """How the clock grew; moves it on, and resets it when the chain is broken."""
        before = known.ticks
        after = before if go.check and known.seen else padded(go.clocks, before)
        grown = changes(before, after) if known.seen else None
        if grown is None:
            before = _before(known, go, called, steps)
            grown = changes(before, after) or ()
            if before != known.ticks:
                reason = CLOCK_WENT_BACK if known.seen else ATTACHED_LATE
                self._writer.dropped(known.number, 0, before, reason)
        known.ticks, known.seen = after, True
        return grown

    def _change_schema(self, known: GoMachine, states: tuple[StateDef, ...], ticks: Ticks) -> None:
        if states == known.states:
            return
        self._writer.schema_changed(known.number, self._writer.schema(states), ticks)
        known.take(states)
        known.ticks = ticks


def _by_name(known: GoMachine, states: tuple[StateDef, ...]) -> Ticks:
    """The ticks for other states: those of the same names, and of the same places for
    states that had no name yet.
    """
    unnamed = {at for at, state in enumerate(known.states) if state.name == _unnamed(at)}
    places = [
        known.index.get(state.name, at if at in unnamed else None)
        for at, state in enumerate(states)
    ]
    return tuple(0 if place is None else known.ticks[place] for place in places)


def _unnamed(at: int) -> str:
    return f"state {at}"


def _with_room(states: tuple[StateDef, ...], length: int) -> tuple[StateDef, ...]:
    """The states, with ones without a name so that there are `length` at least."""
    if length > limits.STATES_MAX:
        raise GobError(f"{length:,} ticks; the limit of states is {limits.STATES_MAX:,}")
    if length <= len(states):
        return states
    return states + tuple(StateDef(_unnamed(at)) for at in range(len(states), length))


def _called(known: GoMachine, go: GoTransition) -> tuple[int, ...]:
    """Indexes of the called states."""
    found = []
    for state in go.called:
        at = known.index.get(state, -1) if isinstance(state, str) else state
        if not 0 <= at < len(known.states):
            raise GobError(f"a transition that calls the unknown state {str(state)[:80]}")
        found.append(at)
    return tuple(dict.fromkeys(found))


def _before(known: GoMachine, go: GoTransition, called: tuple[int, ...], steps: Steps) -> Ticks:
    after = padded(go.clocks, known.ticks)
    moved = go.accepted and not (go.check or go.queued)
    return ticks_before(after, known.states, called, steps) if moved else after


def _args(go: GoTransition, own: Queued | None) -> tuple[str, ...]:
    """Keys and texts in turns; an error is among the arguments only when it is queued."""
    args = go.args
    if own is not None and own.go.args:
        args = tuple(sorted({**dict(own.go.args), **dict(args)}.items()))
    return tuple(chain.from_iterable(args))


def _lines_before(known: GoMachine, own: Queued | None, told: GoLines) -> GoLines:
    """What came before a transition, beside what the program logged then."""
    lines = list(known.early)
    known.early.clear()
    for one in known.queue.loose() + ([own] if own else []):
        if not (one.is_told or one.is_in(told)):
            lines.append(one.line())
        lines += one.stack()
    return tuple(lines)


def _keep_early(known: GoMachine, go: GoTransition) -> None:
    """Remember the lines of a made-up message for the transition that follows."""
    room = _EARLY_LINES_MAX - len(known.early)
    known.early += list(chain(*known.lines(go.pre_entries, go.entries)))[: max(0, room)]


def _names(known: GoMachine, go: GoTransition) -> str:
    """The called states of a mutation, as the lines of a program have them."""
    return " ".join(_name(known, state) for state in go.called)


def _name(known: GoMachine, state: str | int) -> str:
    if isinstance(state, str):
        return state
    return known.names[state] if state < len(known.names) else _unnamed(state)
