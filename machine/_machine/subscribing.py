"""Waiting for a machine, and contexts and tasks that end with a state.

Every `when_*` returns a wait handle at once; see `_waiting.waiters` for when handles are released
and `_waiting.state_contexts` for state contexts. All may be called from any thread, from asyncio
tasks and from handlers (which must not block on them).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from machine._calling.tasks import StateTask
from machine._clock import Clock
from machine._given import A, Names, checked_count, checked_name, names_tuple
from machine._machine.changes import CHANGES_MAX, Changes
from machine._machine.lifecycle import Lifecycle
from machine._schema.state import EXCEPTION
from machine._waiting.context import Context
from machine._waiting.handle import WaitHandle, free_handle, released
from machine._waiting.open_work import OpenWork, first_of, open_count
from machine._waiting.queue_ticks import QueueRoom, QueueTickDone
from machine._waiting.state_contexts import StateContexts

if TYPE_CHECKING:
    from machine._transition.owner import Machine


class Subscribing(Lifecycle):
    """The calls that wait."""

    def when(self, states: Names, ctx: Context | None = None) -> WaitHandle:
        """Released when all of these are active at the same time."""
        return self._subscriptions().when(names_tuple(states), ctx)

    def when1(self, state: str, ctx: Context | None = None) -> WaitHandle:
        """Released when this state is active."""
        waiters = self._waiters
        if waiters is None:
            waiters = self._subscriptions()
        return waiters.when1(state) if ctx is None else waiters.when((state,), ctx)

    def when_any(self, states: Names, ctx: Context | None = None) -> WaitHandle:
        """Released when at least one of these is active; refuses an empty list."""
        return self._subscriptions().when_any(names_tuple(states), ctx)

    def when_any1(self, *states: str, ctx: Context | None = None) -> WaitHandle:
        """Released when at least one of these states is active."""
        return self._subscriptions().when_any(states, ctx)

    def when_not(self, states: Names, ctx: Context | None = None) -> WaitHandle:
        """Released when all of these are inactive at the same time."""
        return self._subscriptions().when_not(names_tuple(states), ctx)

    def when_not1(self, state: str, ctx: Context | None = None) -> WaitHandle:
        """Released when this state is inactive."""
        return self._subscriptions().when_not((state,), ctx)

    def when_time(
        self, states: Names, times: Sequence[int], ctx: Context | None = None
    ) -> WaitHandle:
        """Released when each of these states has reached its tick, once, not together."""
        return self._subscriptions().when_time(names_tuple(states), times, ctx)

    def when_ticks(self, state: str, ticks: int, ctx: Context | None = None) -> WaitHandle:
        """Released when the tick of this state has grown by this much from now on."""
        return self._subscriptions().when_ticks(state, ticks, ctx)

    def when_ticks_eq(self, state: str, tick: int, ctx: Context | None = None) -> WaitHandle:
        """Released when the tick of this state has reached this number."""
        return self._subscriptions().when_time((state,), (tick,), ctx)

    when_time1 = when_ticks_eq

    def when_args(self, state: str, args: A, ctx: Context | None = None) -> WaitHandle:
        """Released by the next activation of this state whose args contain these, equal."""
        return self._subscriptions().when_args(state, args, ctx)

    def when_err(self, ctx: Context | None = None) -> WaitHandle:
        """Released when the `Exception` state is active."""
        return self.when1(EXCEPTION, ctx)

    def when_query(self, fn: Callable[[Clock], bool], ctx: Context | None = None) -> WaitHandle:
        """Released when `fn(clock)` is true: at once, or after a transition that changed a tick."""
        return self._subscriptions().when_query(fn, ctx)

    def when_next_active(self, state: str, ctx: Context | None = None) -> WaitHandle:
        """Released by the next activation of this state, not by the present one."""
        return self._subscriptions().when_next_active(state, ctx)

    def when_queue_ends(self, ctx: Context | None = None) -> WaitHandle:
        """Released when the drain that is under way has ended; at once if none is."""
        return self._subscriptions().when_queue_ends(ctx)

    def when_queue(self, tick: int, ctx: Context | None = None) -> WaitHandle:
        """Released when all mutations up to this queue tick are done."""
        checked_count(tick, "a queue tick")
        ticks = self._ticks_of_queue()
        if ticks.done >= tick:
            return released("match")
        waiters = self._subscriptions()
        handle, subscription = waiters._new(QueueTickDone, (), ctx)
        subscription.tick = tick
        subscription.tables = (ticks.waits,)
        waiters._enter(handle, subscription)
        if ticks.done >= tick:
            handle.release("match")
        return handle

    def when_queue_below(self, n: int, ctx: Context | None = None) -> WaitHandle:
        """Released when fewer than `n` mutations wait in the queue; at once if that is so now.

        For callers that make mutations faster than the machine runs them, since a full queue
        refuses. Waiting for more room, such as half of `queue_limit`, wakes the caller less
        often than waiting for one place.
        """
        checked_count(n, "the number for when_queue_below", 1)
        if len(self._queue) < n:
            return released("disposed" if self._disposed else "match")
        waiters, ticks = self._subscriptions(), self._ticks_of_queue()
        handle, room = waiters._new(QueueRoom, (), ctx)
        room.n = n
        room.tables = (ticks.waits, waiters._queue_ends)
        waiters._enter(handle, room)
        if len(self._queue) < n:
            handle.release("match")
        return handle

    def changes(self, states: Names | None = None, limit: int = CHANGES_MAX) -> Changes:
        """A feed of what these states, by default all, do from now on.

        `for` and `next` block a thread until the next change, `async for` waits in a task. At
        most `limit` changes wait for the reader; then the oldest are dropped and counted. An
        import or a change of schema is no change of the feed. While a feed is open the
        machine is watched, as by any tracer.
        """
        names = None if states is None else self.must_parse_states(states)
        return Changes(cast("Machine", self), names, limit)

    def when_disposed(self) -> WaitHandle:
        """Released when the disposal has finished, the tasks of coroutine handlers included.

        Tasks get no more time than `dispose_timeout`.
        """
        return self._subscriptions().when_disposed()

    def when_tasks_end(self, state: str = "") -> WaitHandle:
        """Released when the present tasks have ended; at once if there are none.

        With a state, only the tasks that it owns. Clean-up counts: a canceled task ends when
        its coroutine does.
        """
        if state:
            self.must_parse_states(state)
        tasks = [task for task in list(self._tasks or ()) if state in ("", task.state)]
        if not tasks:
            return released("match")
        handle = free_handle()

        def look(_: object) -> None:
            if all(task.done for task in tasks):
                handle.release("match")

        for task in tasks:
            task._watch(handle, look)
        look(None)
        return handle

    def new_state_ctx(self, state: str) -> Context:
        """A context that ends when this state deactivates; one that has ended if it is inactive.

        Every call during one activation returns the same one. Activating a multi state
        again does not end it.
        """
        checked_name(state)
        if self._state_contexts is None:
            with Lifecycle._making:
                if self._state_contexts is None:
                    self._watched = True
                    self._state_contexts = StateContexts(self)
        return self._state_contexts.new(state)

    def tasks(self) -> list[StateTask]:
        """The tasks of coroutine handlers that have not ended, in the order of their start."""
        return [task.view() for task in list(self._tasks or ())]

    def open_work(self, limit: int | None = None) -> list[OpenWork]:
        """What is open now: waiters, contexts of states, deadlines, tasks; at most `limit`."""
        return first_of(self, limit)

    def open_count(self) -> int:
        """How many waiters, contexts and tasks there are, without listing them."""
        return open_count(self)
