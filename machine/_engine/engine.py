"""The queue of a machine and the thread that drains it.

Mutations run one after another, each to its end, waiters included. A thread that makes a
mutation while no other drains the queue becomes the *drainer* and works until the queue is
empty. A handler or another thread that makes a mutation meanwhile leaves it in the queue
and gets QUEUED. Mutations never nest.

The right to drain is a token: the thread that empties the slot `_idle` has it. `del _idle`
takes the token, `_idle = None` gives it back. Each is one indivisible operation of the
interpreter (with the global lock, or by the object's own lock without it), and if two threads
delete at once, only one succeeds. No thread ever waits for the token, so a lock is not
needed; a lock would cost six times as much. An interrupt cannot take the token away, and the
next drain finishes what an interrupt left open; see `_engine.recovery`.

A thread that finds a transition under way does not even try to take the token: the drainer forgets
the transition before it gives the token back, so it looks at the queue afterwards. If an
interrupt left the transition open, its thread drains no more, and the token decides.

The short way: a mutation that finds the token free and the queue empty does not pass
through the queue. While nothing is bound, logged or traced that could observe it, a plan
is applied without a transition object, and auto states follow at once. Both ways result in
the same ticks.
"""

from __future__ import annotations

from machine._engine.core import NO_BINDINGS
from machine._engine.draining import Draining
from machine._engine.queue import duplicate_of, may_enter_full
from machine._engine.unwatched import run_unwatched
from machine._enums import CANCELED, EXECUTED, OPS, QUEUED, REMOVE, Result
from machine._given import A
from machine._reasons.reason import ReasonKind
from machine._reasons.refused import keep_own
from machine._resolution.mutation import Mutation, MutSource
from machine._schema.schema import Call
from machine._schema.state import EXCEPTION


class Engine(Draining):
    """The part of a machine that takes mutations in; the public calls are in other parts."""

    def _mutate(self, call: Call, args: A | None, source: MutSource | None) -> Result:
        """Run a mutation, or leave it to the thread that drains the queue."""
        if self._slow or self._queue or self._tx is not None:
            return self._enqueue(call, args, source)
        try:
            del self._idle
        except AttributeError:
            return self._enqueue(call, args, source)
        holds = True
        try:
            plan = self._node.plans.get(call)
            if plan is not None and self._watched:
                waiters = self._waiters
                if (
                    self._hooks is not None
                    or self._log_level
                    or (
                        waiters is not None
                        and plan not in waiters.args_ignored
                        and waiters.awaits_args(plan)
                    )
                ):
                    plan = None
            if plan is None:
                result = self._carry_out(call, args, source)
            else:  # what that would do, without calling it
                bindings = self._bindings
                if bindings is NO_BINDINGS:
                    result = self._apply(plan)
                else:
                    program = bindings.programs.get(plan) or bindings.program(plan)
                    if program.empty:
                        result = self._apply(plan)
                    else:
                        result = run_unwatched(self, plan, program, bindings, args, source, None)
            if self._queue:
                self._drain()
            self._tx = None
            holds = False
            self._idle = None
            hooks, waiters = self._hooks, self._waiters
            if (
                self._queue
                or (hooks is not None and hooks.queue_end)
                or (waiters is not None and waiters._queue_ends)
            ):
                self._end_drain()
        except BaseException:
            self._interrupted = self._slow = True
            if holds:
                self._idle = None
            self._recover_now()
            raise
        return result

    def _enqueue(self, call: Call, args: A | None, source: MutSource | None) -> Result:
        """Put a mutation into the queue, unless a rule drops or refuses it."""
        queue = self._queue
        if self._disposing or (
            len(queue) >= self._queue_limit
            and not may_enter_full(call, EXCEPTION in self._node.named(), source is not None)
        ):
            if self._disposing:
                return self._cancel(ReasonKind.DISPOSED)
            self._refuse(Mutation(call, args, source))
            return self._cancel_full()
        if (
            call.type is REMOVE
            and not (queue or self._is_idle())
            and not self._node.mask & call.mask
        ):
            return EXECUTED
        mutation = None if args else duplicate_of(queue, call, self._schema)
        if mutation is None:
            mutation = Mutation(call, args, source)
            self._append(mutation)
        elif self._log_level:
            text = f"[queue:skipped] Duplicate detected for [{call.label}"
            self.log_lvl(OPS, text)
        return self._drain_or_wait(mutation)

    def _drain_or_wait(self, mutation: Mutation) -> Result:
        """Become the drainer, or report that the mutation has to wait."""
        executor = self._executor
        if executor is not None and not executor.is_here():
            return executor.hand_over(mutation)
        is_under_way = self._tx is not None and not self._interrupted
        if is_under_way or not self._try_drain(mutation):
            self._report_queued(mutation, "queue running")
            return QUEUED
        if mutation.result is EXECUTED:
            return EXECUTED
        keep_own(self, mutation)
        return CANCELED
