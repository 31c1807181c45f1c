"""The queue of a machine and the thread that drains it.

Mutations run one after another, each to its end, waiters included. A thread that makes a
mutation while no other drains the queue becomes the *drainer* and works until the queue is
empty. A handler or another thread that makes a mutation meanwhile leaves it in the queue
and gets QUEUED. Mutations never nest.

The right to drain is a token: the thread that empties the slot `_idle` has it. `del _idle`
takes the token, `_idle = None` gives it back. Each is one indivisible operation of the
interpreter (with the global lock, or by the object's own lock without it), and if two
threads delete at once, only one succeeds. No more of a lock is needed here, and this costs a
sixth of one: no thread ever waits for the token. An interrupt cannot take it away, and the
next drain finishes what an interrupt left open: `_mending` has the rule.

Nothing gets lost between "the queue is empty" and "the token is back": a mutation is in
the queue before its maker tries for the token. If the try fails, the drainer has not given
the token back yet, and after giving it back it looks at the queue again.

The short way: a mutation that finds the token free and the queue empty does not pass
through the queue. While nothing is bound, logged or traced that could observe it, a plan
is applied without a transition object, and auto states follow at once. Both ways result in
the same ticks.

Ticks are replaced, not changed: no code alters the list `_ticks` after it is published. So
a reader that takes it has one consistent moment, and a transition keeps the one before.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from functools import partial
from math import inf
from typing import TYPE_CHECKING

from machine._calling.frames import let_frames_go
from machine._calling.traces import trace_of
from machine._clock import Time
from machine._engine.queue import duplicate_of, may_enter_full
from machine._engine.recovery import Token, mend
from machine._engine.unwatched import run_unwatched
from machine._engine.walk import walk
from machine._enums import (
    ADD,
    CANCELED,
    EVERYTHING,
    EXECUTED,
    NOTHING,
    OPS,
    QUEUED,
    REMOVE,
    LogLevel,
    Result,
)
from machine._given import A, Setting, checked_count, checked_flag, checked_limit
from machine._handlers.lookup import NOTHING_BOUND, Bindings
from machine._logging.log import Logging, PendingLines
from machine._logging.report import failed
from machine._resolution.automaton import Node, Plan
from machine._resolution.mutation import Mutation, MutSource
from machine._resolution.resolve import auto_blockers, indexes_of
from machine._schema.schema import Call, Schema
from machine._schema.state import EXCEPTION
from machine._transition.args import Panic
from machine._transition.transition import Transition
from machine._waiting.latch import call_all
from machine._waiting.queue_ticks import QueueTicks
from machine._waiting.stack import runs_in_drain

if TYPE_CHECKING:
    from machine._engine.executor import Executor
    from machine._engine.refusals import Refusals
    from machine._engine.ring import Ring
    from machine._transition.tracing import Hooks
    from machine._waiting.state_contexts import StateContexts
    from machine._waiting.waiters import Waiters

Task = Callable[[], object]

HANDLER_TIMEOUT_S = 1.0
DRAIN_MAX = 10_000  # mutations of one drain, before it is reported (`_ring`)
RING_FROM = DRAIN_MAX - 100
NO_BINDINGS = Bindings()


class Engine(Logging, Token):
    """State, queue and drain of a machine; the public calls are in the other parts."""

    queue_limit = Setting(1000, checked_count)
    panic_to_exception = Setting(True, checked_flag)
    log_stack_trace = Setting(True, checked_flag)

    _queue_limit: int
    _tx_prefix: str = ""
    _err: BaseException | None = None
    _executor: Executor | None = None
    _queue_ticks: QueueTicks | None = None
    _refusals: Refusals | None = None
    _torn: bool = False  # an interrupt left something open; see `_mending` for these
    _auto_due: bool = False
    _unfinished: Mutation | None = None
    _first = threading.Lock()  # of all machines; held only to make a part
    _error_listeners: tuple[Callable[..., object], ...] = ()

    def __init__(self, node: Node) -> None:
        """Only what every mutation reads is put on the object; it is found there faster."""
        self._schema: Schema = node.automaton.schema
        self._node: Node = node
        self._index: dict[str, int] = self._schema.index
        self._ticks: list[int] = [0] * len(self._index)
        self._queue: deque[Mutation] = deque()
        self._idle = None
        self._slow: bool = False  # something is to be looked at before the short way is taken
        self._disposing: bool = False
        self._hooks: Hooks | None = None
        self._bindings: Bindings = NO_BINDINGS
        self._waiters: Waiters | None = None
        self._state_contexts: StateContexts | None = None
        self._log_level: LogLevel = NOTHING
        self._pending_lines: PendingLines | tuple[()] = ()
        self._tx: Transition | None = None
        self._tx_number: int = 0
        self._handler: str = ""
        self._handler_limit: float = HANDLER_TIMEOUT_S

    @property
    def handler_timeout(self) -> float | None:
        """Limit of one handler call in seconds; None or 0 for none."""
        return self._handler_limit if self._handler_limit < inf else None

    @handler_timeout.setter
    def handler_timeout(self, limit: float | None) -> None:
        self._handler_limit = checked_limit(limit, "handler_timeout") or inf

    @property
    def tx_prefix(self) -> str:
        """First half of the ids of this machine's transitions; 16 random hex digits."""
        if not self._tx_prefix:
            self._tx_prefix = os.urandom(8).hex()
        return self._tx_prefix

    @property
    def tx_number(self) -> int:
        """The number of the last transition that had one, 0 before the first.

        A transition has a number if the machine has a tracer or the transition has handlers;
        one that nothing observes has none. So this is no count of transitions: `time_sum`
        shows how much happened, observed or not.
        """
        return self._tx_number

    # -- making a mutation

    def _mutate(  # noqa: C901 - one function, so that few calls are made
        self, call: Call, args: A | None, source: MutSource | None
    ) -> Result:
        """Run a mutation, or leave it to the thread that drains the queue."""
        if self._slow or self._queue:
            return self._enter(call, args, source)
        try:
            del self._idle
        except AttributeError:
            return self._enter(call, args, source)
        holds = True
        try:
            plan = None
            if self._hooks is None:
                plan = self._node.plans.get(call)
            waiters = self._waiters
            if waiters is not None and plan is not None and waiters.args_pending:
                entered = plan.entered
                if entered is None or not entered.isdisjoint(waiters.with_args):
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
                        result = run_unwatched(self, plan, program, args, source, None)
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
                self._settle()
        except BaseException:
            self._torn = self._slow = True
            if holds:
                self._idle = None
            self._close_torn()
            raise
        return result

    def _enter(self, call: Call, args: A | None, source: MutSource | None) -> Result:
        """Put a mutation into the queue, unless a rule drops or refuses it."""
        queue = self._queue
        if self._disposing or (
            len(queue) >= self._queue_limit
            and not may_enter_full(call, EXCEPTION in self._node.named(), source is not None)
        ):
            if not self._disposing:
                self._refuse(Mutation(call, args, source))
            return CANCELED
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
            text = f"[queue:skipped] Duplicate detected for [{call.type}] {call.text}"
            self.log_lvl(OPS, text)
        return self._run(mutation)

    def _refuse(self, mutation: Mutation) -> None:
        """Refuse a mutation because the queue is full; count and report it."""
        if self._refusals is None:
            from machine._engine.refusals import Refusals  # most machines refuse nothing

            with Engine._first:
                if self._refusals is None:
                    self._refusals = Refusals()
        self._refusals.note(self, mutation)  # type: ignore[arg-type]  # it is whole

    def _append(self, mutation: Mutation) -> None:
        """Put a mutation in line, with its number and its maker's context."""
        ticks = self._queue_ticks or self._ticks_of_queue()
        mutation.context = copy_context()
        for mutation.queue_tick in ticks.issued:  # `next`, but no number is lost in between
            break
        self._queue.append(mutation)
        if self._log_level:
            self.log_lvl(OPS, f"[queue:{mutation.call.type}] {mutation.call.text}")

    def _run(self, mutation: Mutation) -> Result:
        """Become the drainer, or report that the mutation has to wait."""
        executor = self._executor
        if executor is not None and not executor.is_here():
            return executor.hand_over(mutation)
        if not self._work(mutation):
            self._postpone(mutation, "queue running")
            return QUEUED
        return CANCELED if mutation.result is None else mutation.result

    def _ticks_of_queue(self) -> QueueTicks:
        """Made once, by the first thread that needs it."""
        with Engine._first:
            if self._queue_ticks is None:
                self._queue_ticks = QueueTicks()
        return self._queue_ticks

    def _postpone(self, mutation: Mutation, why: str) -> None:
        if self._log_level >= OPS:
            count = len(self._queue)
            self.log_lvl(OPS, f"[postpone] {why} ({count} item{'s' * (count != 1)})")
        if self._hooks is not None:
            self._hooks.fire(self._hooks.mutation_queued, self, mutation)

    # -- working off the queue

    def _work(
        self, own: Mutation | None = None, task: Task | None = None, drains: bool = True
    ) -> bool:
        """Take the token, recover, drain the queue, give the token back.

        False, with nothing done, if another thread drains. A `task` is done first.
        """
        worked = holds = drained = False
        try:
            while True:
                try:
                    del self._idle
                except AttributeError:
                    return worked  # another drainer will report the end
                worked = holds = True
                if self._torn:
                    mend(self)
                if task is not None:
                    task()
                    task = None
                if drains and self._queue:
                    drained = True
                    self._drain(own)
                self._tx = None
                holds = False
                self._idle = None
                if not (drains and self._queue):
                    break
            self._settle(is_end=drained)
        except BaseException:
            self._torn = self._slow = True
            if holds:
                self._idle = None
            if worked:
                self._close_torn()
            raise
        return True

    def _close_torn(self) -> None:
        """Finish what an interrupt left open; if another thread drains, that thread does it.

        The queue stays as it is. If this is interrupted, the next drain recovers.
        """
        holds = False
        try:
            try:
                del self._idle
            except AttributeError:
                return
            holds = True
            mend(self)
            holds = False
            self._idle = None
            self._settle(is_end=False)
        except BaseException:
            self._torn = self._slow = True
            if holds:
                self._idle = None
            raise

    @runs_in_drain("self")
    def _drain(self, own: Mutation | None = None) -> None:
        """Run queued mutations until the queue is empty; only with the token.

        A mutation that had to wait runs in the context in which it was made, `own` in the
        present one. Auto states and errors run in that of the mutation that they follow from.
        """
        queue = self._queue
        context: Context | None = None
        mutation: Mutation | None = None
        ring: Ring | None = None
        count = 0
        taking = iter(queue.popleft, None)
        try:
            while queue:
                try:
                    for mutation in taking:  # noqa: B007 - `popleft`, but none is lost
                        break
                except IndexError:  # emptied by a disposal meanwhile
                    return
                assert mutation is not None
                mutation.result = None
                count += 1
                if RING_FROM <= count <= DRAIN_MAX:
                    ring = ring or self._look_at_ring()
                    ring.look(count, mutation)
                if mutation is own:
                    context = None
                elif mutation.context is not None:
                    context = mutation.context
                if context is None:
                    self._take(mutation)
                else:
                    context.run(self._take, mutation)
                if mutation.queue_tick:
                    self._finish_queued(mutation)
        except BaseException:
            if mutation is own and own is not None and own.result is None:
                own.result = CANCELED  # its maker gets the error
            self._unfinished = mutation
            raise

    def _look_at_ring(self) -> Ring:
        """Check a drain that does not end."""
        from machine._engine.ring import Ring  # most drains end before

        return Ring(self)

    def _take(self, mutation: Mutation) -> None:
        """Run one entry of the queue; until it is done it counts as canceled."""
        if mutation.eval_fn is not None:
            mutation.eval_fn()
            mutation.context = None
            return
        mutation.context = None
        mutation.result = CANCELED
        if not self._disposing:
            call, args = mutation.call, mutation._args
            mutation.result = self._carry_out(call, args, mutation.source, mutation)

    def _finish_queued(self, mutation: Mutation) -> None:
        """Release the waiters for the queue tick of a mutation that is done."""
        ticks = self._queue_ticks
        waiting = () if ticks is None else ticks.finish(mutation.queue_tick, len(self._queue))
        if waiting and self._waiters is not None:
            self._waiters._release(waiting)

    def _settle(self, is_end: bool = True) -> None:
        """After the token is back: run what came meanwhile, then report the end of the queue.

        If nothing was drained, tracers get no end.
        """
        if self._queue and is_end:
            self._work()
            return
        hooks = self._hooks
        if hooks is not None and is_end:
            for tell in hooks.queue_end:
                try:
                    tell(self)
                except Exception as error:  # noqa: BLE001 - protects the host from a guest
                    hooks.failed(tell, error)
        waiters = self._waiters
        if waiters is not None and waiters._queue_ends:
            waiters.queue_ended()

    @runs_in_drain("self")
    def _carry_out(
        self,
        call: Call,
        args: A | None,
        source: MutSource | None,
        mutation: Mutation | None = None,
    ) -> Result:
        """Run one transition by the short way, or as one that can be watched."""
        node, hooks = self._node, self._hooks
        watched = bool(self._log_level) or (hooks is not None and hooks.of_transitions)
        plan = node.plans.get(call)
        if plan is None:
            plan = node.automaton.extend(node, call, noted=watched)
        bindings = self._bindings
        program = NOTHING_BOUND
        if bindings is not NO_BINDINGS:
            program = bindings.programs.get(plan) or bindings.program(plan)
        if not watched:
            is_check = mutation is not None and mutation.is_check
            if not program.empty:
                if not is_check:
                    return run_unwatched(self, plan, program, args, source, mutation)
            elif is_check or self._waiters is None or not self._waiters.expects(plan):
                if hooks is not None:
                    self._tx_number += 1
                return plan.result if is_check else self._apply(plan)
        if self._log_level and self._log_level >= EVERYTHING:
            program = bindings.every(plan)
        return walk(self, plan, program, args, source, mutation)

    @runs_in_drain("self")
    def _apply(self, plan: Plan) -> Result:
        """The short way: change the ticks, release waiters, let auto states follow."""
        growth = plan.growth
        if growth:
            ticks = self._ticks.copy()
            try:
                for index, ticked in growth:
                    ticks[index] += ticked
            except IndexError:  # there are none; it was disposed by force just now
                return CANCELED
            self._ticks = ticks
            self._node = node = plan.after
            auto = node.auto
            if auto is not None and not plan.call.auto:
                self._auto_due = True
            waiters = self._waiters
            if waiters is not None and waiters.pending:
                moved = plan.moved or plan.name_states()[1]
                if waiters._queries or not moved.isdisjoint(waiters.states):
                    waiters.advanced(plan.changed)
            if self._state_contexts is not None:
                self._state_contexts.ended(plan.changed)
            if auto is not None and not plan.call.auto:
                if not self._disposing:
                    self._carry_out(auto, None, None)
                self._auto_due = False
        else:
            self._node = plan.after  # the same states, perhaps in another order
        return plan.result

    def _release(self, changed: Sequence[int]) -> None:
        """Waiters and state contexts of the states that changed."""
        waiters = self._waiters
        if waiters is not None and waiters.pending:
            waiters.advanced(changed)
        contexts = self._state_contexts
        if contexts is not None:
            contexts.ended(changed)

    # -- what goes to the front of the queue

    def _queue_auto(self, after: Call) -> None:
        """The auto states get their turn before anything else that waits.

        Never after an auto mutation, or after the end of the machine was asked for.
        """
        if after.auto or self._disposing:
            return
        if self._log_level >= EVERYTHING:
            names = self._schema.names
            for state, by in auto_blockers(self._schema, self._node.active):
                text = f"[auto:rel:remove] {names[state]} by {names[by]}"
                self.log_lvl(EVERYTHING, text)
            held = [names[state] for state in indexes_of(self._node.marks[0] & ~self._node.mask)]
            if held:
                self.log_lvl(EVERYTHING, f"[auto:held] {' '.join(held)}")
        mutation = self._node.auto_mutation
        if mutation is not None:
            if self._log_level:
                self.log_lvl(OPS, f"[auto] {mutation.call.text}")
            self._put_auto(mutation)

    def _put_auto(self, mutation: Mutation) -> None:
        """Put the auto states at the front of the queue, unless they are there already."""
        queue = self._queue
        if not queue or queue[0] is not mutation:
            queue.appendleft(mutation)

    def _recover(self, tx: Transition, handler: str, error: Exception) -> None:
        """Make the error of a handler the machine's next mutation."""
        self._note_err(error)
        if self._disposing:
            self._report_late(error)
        trace = trace_of(error) if self.log_stack_trace else ""
        args: A = {"err": error, "panic": Panic(tx, handler, trace)}
        if trace:
            args["err.trace"] = trace
        let_frames_go(error)
        call = self._schema.call(ADD, (EXCEPTION,))
        self._queue.appendleft(Mutation(call, args))

    def _add_err_from(self, tx: Transition, error: Exception) -> None:
        """Add an error at the end of the queue, with a transition as its source.

        Into a full queue it comes as any error does, if there is none yet.
        """
        from machine._transition.args import AT, pass_  # errors are rare, and so is what needs this

        self._note_err(error)
        call = self._schema.call(ADD, (EXCEPTION,))
        full = len(self._queue) >= self._queue_limit
        if self._disposing:
            self._report_late(error)
            return
        source = MutSource(self.id, tx.id, tx.time_sum_before())
        if full and EXCEPTION in self._node.named():
            self._refuse(Mutation(call, {"err": error}, source))
            return
        told = AT(
            error,
            trace_of(error) if self.log_stack_trace else "",
            None,
            tx.target_states(),
            tx.called_states(),
            tx.time_before,
            Time(self._ticks),
        )
        mutation = Mutation(call, pass_(told), source)
        self._append(mutation)
        self._run(mutation)

    def _note_err(self, error: BaseException) -> None:
        """Store an error before it has any effect, and call the `on_error` functions."""
        self._err = error
        if self._error_listeners:
            call_all([(partial(fn, self), error) for fn in self._error_listeners])

    def _report_late(self, error: BaseException) -> None:
        """Handle an error that comes after the machine's end was requested: no state takes it."""
        failed("error of %s, which is disposed", self.id, error=error)

    def _set_slow(self) -> None:
        self._slow = bool(self._log_level or self._disposing or self._executor)
        if self._torn:  # looked at last: an interrupt in another thread may have come
            self._slow = True

    def _follow_schema(self) -> None:
        """The steps after a change of schema that an interrupt left open."""

    def transition(self) -> Transition | None:
        """The transition that is being carried out, if it can be observed."""
        return self._tx
