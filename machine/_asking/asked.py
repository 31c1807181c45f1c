"""Mutations with an outcome.

Such a mutation always passes through the queue, as one that waits: it has a queue tick, it is
never skipped as a duplicate or as a removal of inactive states, and it runs as a transition
even if nothing observes it. So the ordinary calls pay nothing for it.

The drainer calls `run` in its turn, as it does for an eval. The end of the transition is the end of
the outcome. The outcome is a handle whose subscription is in the index of waiters, as any other:

- `run` releases it after the transition.
- The disposal of the machine releases it, with all that waits, if the mutation did not run.
- If the event loop of the machine is closed, `dropped` releases it.
- If an interrupt prevents that (`_engine.recovery`), recovery looks at all subscriptions; `met`
  is true for a mutation that has begun and is not running.

A mutation that a handler prepends again runs again; the outcome is that of its first run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from machine._asking.outcome import Ending, Outcome, facts_of, new_outcome, refused_outcome
from machine._engine.queue import may_enter_full
from machine._engine.walk import walk
from machine._enums import CANCELED, EVERYTHING, EXECUTED, MutationType
from machine._reasons.reason import ReasonKind
from machine._reasons.refused import last_of, refused_by, refused_in
from machine._resolution.mutation import Mutation, MutSource
from machine._schema.state import EXCEPTION
from machine._waiting.handle import Handle, ReleaseReason, Subscription, forget

if TYPE_CHECKING:
    from machine._given import A
    from machine._resolution.automaton import Node
    from machine._schema.schema import Call
    from machine._transition.owner import Machine
    from machine._transition.transition import Transition


class AskedMutation(Mutation):
    """A mutation whose caller gets an outcome."""

    __slots__ = ("_mach", "_tx", "asked", "is_running")

    asked: Asked

    def __init__(self, mach: Machine, call: Call, args: A | None, source: MutSource | None) -> None:
        super().__init__(call, args, source)
        self._mach = mach
        self._tx: Transition | None = None
        self.is_running = False
        self.eval_fn = self.run

    @property
    def type(self) -> MutationType:
        return self.call.type

    def run(self) -> None:
        """Carry it out as a transition, and release its outcome; by the drainer."""
        mach = self._mach
        self.is_running = True
        try:
            self.result = CANCELED
            if not mach._disposing:
                self._walk()
        finally:
            self.is_running = False
        self.end()

    def _walk(self) -> None:
        """Carry it out in full, so that there is a transition to report of."""
        mach, call = self._mach, self.call
        node, bindings = mach._node, mach._bindings
        is_explained = bool(mach._log_level)
        plan = node.plans.get(call) or node.automaton.extend(node, call, explained=is_explained)
        every = mach._log_level >= EVERYTHING
        program = bindings.every(plan) if every else bindings.program(plan)
        try:
            self.result = walk(mach, plan, program, bindings, self._args, self.source, self)
        finally:
            self._tx = mach._tx

    def dropped(self) -> None:
        self.end()

    def end(self) -> None:
        """Release the outcome, if it is still held."""
        self._mach._subscriptions()._release((self.asked,))

    def ending(self) -> Ending:
        """How it ended."""
        tx, self._tx = self._tx, None
        if tx is None or tx._mutation is not self:
            is_over = self._mach._disposing
            kind = ReasonKind.DISPOSED if is_over else ReasonKind.INTERRUPT
            return Ending(CANCELED, refused_in(self, kind))
        if tx.accepted:
            return Ending(EXECUTED, None, facts_of(tx))
        return Ending(CANCELED, refused_in(self), facts_of(tx))


class Asked(Subscription):
    """A mutation is done."""

    __slots__ = ("mutation",)

    label = "ask"

    mutation: AskedMutation

    def met(self, node: Node, ticks: Sequence[int]) -> bool:
        return self.mutation.result is not None and not self.mutation.is_running

    def new_text(self) -> str:
        return str(self.mutation)

    def end(
        self, handle: Handle, reason: ReleaseReason, ending: dict[int, Handle] | None = None
    ) -> bool:
        if reason == "match" and isinstance(handle, Outcome) and not handle._done:
            handle._ending = self.mutation.ending()
        return super().end(handle, reason, ending)


def ask(mach: Machine, call: Call, args: A | None, source: MutSource | None) -> Outcome:
    """Queue a mutation, and return its outcome; drains the queue if no other thread does."""
    if mach._disposing:
        return refused_outcome(mach, refused_by(None, ReasonKind.DISPOSED))
    mutation = AskedMutation(mach, call, args, source)
    in_exception = EXCEPTION in mach._node.named()
    if len(mach._queue) >= mach._queue_limit and not may_enter_full(
        call, in_exception, source is not None
    ):
        mach._refuse(mutation)
        mach._cancel_full()
        return refused_outcome(mach, last_of(mach))
    outcome = _enter(mach, mutation)
    mach._append(mutation)
    outcome.tick = mutation.queue_tick
    mach._drain_or_wait(mutation)
    return outcome


def _enter(mach: Machine, mutation: AskedMutation) -> Outcome:
    """Subscribe to a mutation that is in no queue yet."""
    waiters = mach._subscriptions()
    outcome = new_outcome(mach)
    mutation.asked = asked = Asked(outcome, forget)  # no call comes until it is whole
    outcome._subscription = asked
    asked.mutation = mutation
    asked.names = mutation.call.names
    asked.ctx = asked.keep = None
    asked.number = next(waiters._numbers)
    asked.home = waiters.pending
    asked.tables = ()
    return waiters._enter(outcome, asked)
