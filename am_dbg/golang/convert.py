"""Writes what Go programs tell as a stream of our messages.

A Go program sends the whole clock after each transition; a shape wants how much each tick
grew. So the clock is kept for each machine, and three things can break the chain:

- The first transition seen of a machine need not be its first, as tracing may begin late.
  What its steps do not explain was there before (`am_dbg.golang.clock`).
- The clock goes back, or leaps too far for a shape: something was lost, or another
  machine took the id. A `DroppedMessage` of no transitions then sets the clock anew.
- Fewer ticks than states: the schema grew and the transition is older; the rest keep
  theirs. More ticks than states: states without a name are added, until the program
  tells its new schema.

A mutation that was only queued is no transition here; it becomes a log line of the
transition that follows, unless the program wrote that line itself.

A transition that cannot be represented is left out and counted as dropped, with the
reason, so it shows as a gap.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from am_dbg.golang.clock import Ticks, changes, padded, ticks_before
from am_dbg.golang.go_machine import Changes, GoMachine
from am_dbg.golang.log import LevelScale, source_of
from am_dbg.golang.primitives import GobError
from am_dbg.golang.records import GoLines, GoSchema, GoTransition, record_of, transition_of
from am_dbg.golang.steps import Steps
from amtracer import limits
from amtracer.interning import StreamWriter
from amtracer.schema import StateDef

__all__ = ["ATTACHED_LATE", "CLOCK_WENT_BACK", "Converter"]

ATTACHED_LATE = "tracing began late"
CLOCK_WENT_BACK = "the clock went back"

_OPS, _EVERYTHING = 2, 4
_MUTATIONS = ("add", "remove", "set", "eval")
_QUEUED_LINES_MAX = limits.LINES_MAX // 4
"""Lines kept for the transition that follows; mutations may be queued without end."""


class Converter:
    """Gives the transitions of Go machines to a writer.

    `newer` guesses how a program numbers its log levels until its lines tell. `refused`
    counts what could not be represented, `last_refusal` tells why.
    """

    def __init__(self, writer: StreamWriter, newer: Callable[[], bool]) -> None:
        self._writer = writer
        self._newer = newer
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
            self._change_schema(known, schema.states, _by_name(known, schema.states))
            return
        known = GoMachine(schema.machine, schema.states, LevelScale(self._newer))
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
            self._record(known, transition_of(value), time_ns)
        except GobError as error:
            self.refuse(str(error))
            self._writer.dropped(known.number, 1, known.ticks, str(error))

    def refuse(self, reason: str) -> None:
        """Count something that could not be represented."""
        self.refused += 1
        self.last_refusal = reason

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

    def _record(self, known: GoMachine, go: GoTransition, time_ns: int | None) -> None:
        if go.queued:
            if not known.seen and len(go.clocks) == len(known.states):
                self._growth(known, go, (), ())
            _keep_queued(known, go)
            return
        states = _with_room(known.states, len(go.clocks))
        if states is not known.states:
            self._change_schema(known, states, padded(known.ticks, (0,) * len(states)))
        called, steps = _called(known, go), known.steps(go.steps)
        lines, pre_lines = known.lines(go.entries), known.lines(go.pre_entries)
        if known.queued:
            pre_lines = _take_queued(known, lines + pre_lines) + pre_lines
        grown = self._growth(known, go, called, steps)
        known.last_ns = time_ns or go.time_ns or known.last_ns
        self._writer.record(
            known.number,
            known.shape(go, called, grown, steps, lines),
            known.last_ns,
            queue_len=go.queue_len,
            lines=lines,
            pre_lines=pre_lines,
            source=source_of(lines),
            args=tuple(chain.from_iterable(go.args)),
            id=go.id,
        )
        self.transitions += 1

    def _growth(
        self, known: GoMachine, go: GoTransition, called: tuple[int, ...], steps: Steps
    ) -> Changes:
        """How the clock grew; moves it on, and sets it anew when the chain is broken."""
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


def _keep_queued(known: GoMachine, go: GoTransition) -> None:
    """Remember a queued mutation as the lines a program with enough logging writes itself."""
    if len(known.queued) >= _QUEUED_LINES_MAX:
        return
    names = " ".join(_name(known, state) for state in go.called)
    kind = _MUTATIONS[go.type] if go.type < len(_MUTATIONS) else "unknown"
    args = " ".join(f"{key}={text}" for key, text in go.args)
    known.queued.append((_OPS, f"[queue:{kind}] {names}" + (f" ({args})" if args else "")))
    if go.stack:
        known.queued.append((_EVERYTHING, f"[queue:stack] {names}\n{go.stack}"))


def _name(known: GoMachine, state: str | int) -> str:
    if isinstance(state, str):
        return state
    return known.names[state] if state < len(known.names) else _unnamed(state)


def _take_queued(known: GoMachine, told: GoLines) -> GoLines:
    """The lines of queued mutations that the program did not write itself."""
    texts = {text for _, text in told}
    lines = tuple(line for line in known.queued if line[1] not in texts)
    known.queued.clear()
    return lines
