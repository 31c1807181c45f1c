"""State deadlines: a state that was active for too long adds another state.

`State(timeout=5, on_timeout="Failed")` gives each activation of the state a deadline. It
begins when the transition that activates the state has ended, after its waiters, and is over
with the activation: when the state deactivates, or a multi state is activated again, which
begins a new one. An import, or a change of schema that gives a time limit to an active state,
begins one too.

When the time is over, a check is put at the end of the queue; it holds a full queue up no more
than the mutations in it, and is not refused. When its turn comes, between two transitions, it
looks whether the activation still lasts. If so, the mutation that adds the state runs next. So
a removal that waits in the queue wins, and no handler can come between the check and the
mutation. The mutation runs in the context (`contextvars`) of the activation.

All changes of the table are made with the right to drain, except for `dispose`. A deadline is
identified by the object in the table: one that was dropped while its check waits has no effect.
The timers' thread only makes the check wait, because it serves all deadlines of the process;
handlers run in the thread that drains the machine, on its executor or in a worker thread
(`_waiting.workers`).

Deadlines are state contexts as far as the engine is concerned: what ends with a state. So a
machine without time limits pays nothing for them.
"""

from __future__ import annotations

from contextvars import Context as Variables
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Protocol

from machine._resolution.mutation import MutSource
from machine._waiting.state_contexts import ContextOwner, StateContexts
from machine._waiting.timers import Timer, timers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from machine._resolution.automaton import Plan
    from machine._schema.state import State


class EndedTransition(Protocol):
    """What a deadline needs of the transition that activated its state."""

    @property
    def _after(self) -> Sequence[int] | None: ...
    @property
    def id(self) -> str: ...
    def time_sum_before(self) -> int: ...


class DeadlineOwner(ContextOwner, Protocol):
    """What deadlines need of a machine."""

    _disposing: bool

    @property
    def id(self) -> str: ...
    def transition(self) -> EndedTransition | None: ...
    def _deadline_passed(self, deadline: StateDeadline) -> None: ...


class StateDeadline:
    """The deadline of one activation of a state.

    `source` is the transition that activated the state, None if nothing observed it.
    """

    __slots__ = ("_table", "is_over", "limits", "source", "state", "tick", "timer", "variables")

    timer: Timer

    def __init__(
        self,
        table: dict[str, StateDeadline],
        state: str,
        tick: int,
        limits: State,
        source: MutSource | None,
    ) -> None:
        self._table = table
        self.is_over = False
        self.state = state
        self.tick = tick
        self.limits = limits
        self.source = source
        self.variables: Variables = copy_context()

    @property
    def seconds(self) -> float:
        """How long the state may be active."""
        assert self.limits.timeout is not None
        return self.limits.timeout

    @property
    def target(self) -> str:
        """The state that is added then."""
        assert self.limits.on_timeout is not None
        return self.limits.on_timeout

    def lasts(self) -> bool:
        """Whether its activation lasts, and it had no effect yet."""
        return self._table.get(self.state) is self and not self.is_over


class StateDeadlines(StateContexts):
    """The state contexts of one machine, and the deadlines of its states."""

    __slots__ = ("_deadlines", "_owner")

    def __init__(self, mach: DeadlineOwner, contexts: StateContexts | None) -> None:
        super().__init__(mach)
        if contexts is not None:  # other threads may be using it right now
            self._lock, self._live = contexts._lock, contexts._live
        self._owner = mach
        self._deadlines: dict[str, StateDeadline] = {}

    def deadlines(self) -> Iterator[StateDeadline]:
        """Those whose time is not over."""
        return (one for one in list(self._deadlines.values()) if one.timer.fn is not None)

    def ends_by(self, plan: Plan) -> bool:
        """Whether a state with a live context or a time limit changes."""
        timed = self._mach._schema.timed
        return not (plan.moved or plan.name_states()[1]).isdisjoint(timed) or super().ends_by(plan)

    def ticks_changed(self, changed: Iterable[int]) -> None:
        """End the contexts and deadlines of these states, and begin new deadlines."""
        super().ticks_changed(changed)
        schema, ticks = self._mach._schema, self._mach._ticks
        if not ticks:  # disposed meanwhile
            return
        for index in changed:
            name = schema.names[index]
            if name in schema.timed:
                self._follow(name, ticks[index], schema.states[index])

    def schema_changed(self) -> None:
        """End what belongs to states that the new schema lacks, or gives other limits."""
        super().schema_changed()
        schema = self._mach._schema
        for one in list(self._deadlines.values()):
            index = schema.index.get(one.state)
            now = None if index is None else schema.states[index]
            limits = one.limits.timeout, one.limits.on_timeout
            if now is None or (now.timeout, now.on_timeout) != limits:
                self._drop(one)

    def dispose(self) -> None:
        """End all of them, without a line in the log."""
        super().dispose()
        for one in list(self._deadlines.values()):
            self._drop(one)

    def _follow(self, state: str, tick: int, limits: State) -> None:
        known = self._deadlines.get(state)
        if known is not None:
            if known.tick == tick:
                return
            self._drop(known)
        if tick & 1:
            made = StateDeadline(self._deadlines, state, tick, limits, self._source())
            made.timer = timers.add(made.seconds, partial(self._owner._deadline_passed, made))
            self._deadlines[state] = made
            if self._owner._disposing:  # perhaps its deadlines were dropped just before
                self._drop(made)

    def _source(self) -> MutSource | None:
        """The transition that ends now, if there is one that can be named."""
        tx = self._owner.transition()
        if tx is None or tx._after is not self._mach._ticks:
            return None
        return MutSource(self._owner.id, tx.id, tx.time_sum_before())

    def _drop(self, deadline: StateDeadline) -> None:
        self._deadlines.pop(deadline.state, None)
        timers.cancel(deadline.timer)
