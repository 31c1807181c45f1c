"""Transitions: one run of a plan, and what is unique to it.

A `Transition` keeps only what is unique to the occurrence: which handlers ran and how
they answered, the args, the log lines, the times. Everything else is read from its plan.
Most fields keep the value they have on the class, so making one costs little.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from machine._clock import Clock, Time
from machine._enums import MutationType
from machine._given import A
from machine._handlers.lookup import NOTHING_BOUND
from machine._reasons.denials import refused_of
from machine._resolution.automaton import NO_MARKS, Marks
from machine._resolution.mutation import Mutation, MutSource
from machine._resolution.step import Step

if TYPE_CHECKING:
    from machine._handlers.calls import HandlerCall
    from machine._handlers.lookup import Bindings, Program
    from machine._logging.log import LogEntry
    from machine._reasons.reason import Reason
    from machine._reasons.refused import Refused
    from machine._resolution.automaton import Plan
    from machine._transition.owner import Machine


class Transition:
    """One mutation that is being carried out, or was.

    `number` counts from 1 those transitions of a machine that handlers or tracers can see.
    `started_ns` and `ended_ns` are readings of the monotonic clock, `handler_ns` the
    durations of the handler steps in order; all three are taken only while a tracer is
    bound. `is_plain` is True at the end if everything but the times is in the plan: no
    arguments, source, lines or handlers, and nothing waiting in the queue. Handlers and tracers
    may read a transition in the thread that runs the machine, other code once it is completed.
    """

    accepted = True
    completed = False
    is_plain: bool = False
    queue_len = 0
    started_ns = 0
    ended_ns = 0
    source: MutSource | None = None
    log_entries: list[LogEntry] | tuple[()] = ()
    pre_log_entries: Sequence[LogEntry] = ()
    handler_ns: list[int] | tuple[()] = ()
    clock: float = 0.0  # when the present handler began, or the last one ended
    late: tuple[str, ...] = ()  # names of handlers that ran longer than their limit
    raised_at = ""  # where the last handler that failed did so: FILE:LINE in FUNCTION
    _after: list[int] | None = None
    _mutation: Mutation | None = None
    _to_raise: BaseException | None = None  # raised in the caller at the end
    _again: Plan | None = None  # of an auto transition, after handlers refused states of it
    _marks: Marks = NO_MARKS  # of auto states that failed in it
    _call: HandlerCall | None = None  # the last one, where the program does not show it
    _recovered = False  # an interrupt left it open, and recovery has begun to end it
    _last_hook: Callable[..., Any] | None = None  # the last hook that was called for the end
    _steps: list[Step] | None = None
    _refused: Refused | None = None  # by the last handler that did not pass
    is_check = False

    machine: Machine
    plan: Plan
    number: int
    _args: A | None
    _program: Program
    _bindings: Bindings
    _before: list[int]
    _calls_done: int

    @property
    def id(self) -> str:
        """32 hex digits: 16 of the machine, 16 of the number."""
        return f"{self.machine.tx_prefix}{self.number:016x}"

    @property
    def mutation(self) -> Mutation:
        """The mutation that the transition carries out."""
        found = self._mutation
        if found is None:
            found = self._mutation = Mutation(self.plan.call, self.args(), self.source)
        return found

    @property
    def verdict(self) -> Plan:
        """What resolution decided; the last decision, if handlers refused auto states."""
        return self._again or self.plan

    @property
    def handler_steps(self) -> Sequence[Step]:
        """The steps of the handlers that were called.

        While all of them pass, these are the first steps of the program, and one number
        counts them.
        """
        if self._steps is not None:
            return self._steps
        return self._program.steps[: self._calls_done]

    def own_steps(self) -> list[Step]:
        """The handler steps as a list of its own, to which others can be added."""
        if self._steps is None:
            self._steps = list(self._program.steps[: self._calls_done])
        return self._steps

    @property
    def steps(self) -> list[Step]:
        """Everything that happened inside, in order."""
        return [*self.plan.explanation().steps, *self.handler_steps]

    @property
    def time_before(self) -> Time:
        """Ticks of all states before."""
        return Time(self._before)

    @property
    def time_after(self) -> Time:
        """Ticks of all states after; those before until the transition ended."""
        return Time(self._before if self._after is None else self._after)

    @property
    def target_indexes(self) -> list[int]:
        """Indexes of the states meant to be active afterwards, in handler order."""
        return list(self.verdict.targets)

    @property
    def enters(self) -> list[str]:
        """States that activate, or activate again, in handler order."""
        return self._names(self.verdict.enters)

    @property
    def exits(self) -> list[str]:
        """States that deactivate, in handler order."""
        return self._names(self.verdict.exits)

    def _names(self, indexes: Sequence[int]) -> list[str]:
        names = self.plan.node.automaton.schema.names
        return [names[index] for index in indexes]

    def states_before(self) -> list[str]:
        """The states active before, in index order."""
        return self._names(sorted(self.plan.node.active))

    def target_states(self) -> list[str]:
        """The states meant to be active afterwards, in handler order."""
        return self._names(self.verdict.targets)

    def called_states(self) -> list[str]:
        """The states that the mutation named."""
        return list(self.plan.call.names)

    def is_auto(self) -> bool:
        """Whether it is the mutation of the auto states."""
        return self.plan.call.auto

    def clock_before(self) -> Clock:
        """Ticks before, by name."""
        return dict(zip(self._schema_names(), self.time_before, strict=True))

    def clock_after(self) -> Clock:
        """Ticks after, by name."""
        return dict(zip(self._schema_names(), self.time_after, strict=True))

    def _schema_names(self) -> tuple[str, ...]:
        return self.plan.node.automaton.schema.names

    def args(self) -> A:
        """The arguments, shared by all handlers of this transition; never None."""
        if self._args is None:
            self._args = {}
        return self._args

    def type(self) -> MutationType:
        """Add, remove or set."""
        return self.plan.call.type

    def log_args(self) -> str:
        """The arguments as log lines show them."""
        return self.machine._args_text(self._args)

    def begin_lines(self, entry: LogEntry) -> None:
        """Keep the first log line with the transition; others are appended to `log_entries`."""
        self.log_entries = [entry]
        self.is_plain = False

    def is_completed(self) -> bool:
        """Whether everything about it is final."""
        return self.completed

    def is_accepted(self) -> bool:
        """Whether it was not canceled so far."""
        return self.accepted

    @property
    def reason(self) -> Reason | None:
        """Why it was canceled; None while it has not ended, and if it was accepted."""
        return None if self.accepted else refused_of(self).reason(self.machine)

    def time_sum_before(self) -> int:
        """The sum of all ticks before."""
        return sum(self._before)

    def __str__(self) -> str:
        return "\n".join(map(str, self.steps))

    def __repr__(self) -> str:
        return f"<Transition {self.number} of {self.machine.id}: {self.plan.call!r}>"


class PlainTransition(Transition):
    """One without handlers; what it has in common with all of these is on the class."""

    _program = NOTHING_BOUND
    _calls_done = 0


# Objects made for every transition and every handler call have no `__init__`: the
# interpreter calls one from C, which costs more than all that it would do.


def new_transition(
    machine: Machine, plan: Plan, program: Program, args: A | None, number: int
) -> Transition:
    """A transition that begins now."""
    tx = Transition()
    tx.machine = machine
    tx.plan = plan
    tx.number = number
    tx._args = args
    tx._program = program
    tx._bindings = machine._bindings
    tx._before = machine._ticks
    tx._calls_done = 0
    return tx
