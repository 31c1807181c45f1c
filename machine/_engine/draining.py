"""Drains the queue: one thread at a time takes the token and runs what waits.

Nothing gets lost between "the queue is empty" and "the token is back": a mutation is in
the queue before its thread tries to take the token. If the try fails, the drainer has not given
the token back yet, and after giving it back it looks at the queue again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING

from machine._engine.carrying import Carrying
from machine._engine.queue import DRAIN_MAX, LONG_DRAIN_FROM
from machine._engine.recovery import recover
from machine._enums import CANCELED
from machine._waiting.stack import runs_in_drain

if TYPE_CHECKING:
    from machine._engine.long_drain import LongDrain
    from machine._resolution.mutation import Mutation

Task = Callable[[], object]


class Draining(Carrying):
    """The part of a machine that drains its queue."""

    def _try_drain(
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
                if self._interrupted:
                    recover(self)
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
            self._end_drain(is_end=drained)
        except BaseException:
            self._interrupted = self._slow = True
            if holds:
                self._idle = None
            if worked:
                self._recover_now()
            raise
        return True

    def _recover_now(self) -> None:
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
            recover(self)
            holds = False
            self._idle = None
            self._end_drain(is_end=False)
        except BaseException:
            self._interrupted = self._slow = True
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
        long: LongDrain | None = None
        count = 0
        taking = iter(queue.popleft, None)
        try:
            while queue:
                try:
                    for mutation in taking:  # noqa: B007 - `popleft`, but none is lost
                        break
                except IndexError:  # a disposal emptied it meanwhile
                    return
                assert mutation is not None
                mutation.result = None
                count += 1
                if LONG_DRAIN_FROM <= count <= DRAIN_MAX:
                    long = long or self._new_long_drain()
                    long.add(count, mutation)
                if mutation is own:
                    context = None
                elif mutation.context is not None:
                    context = mutation.context
                if context is None:
                    self._run_one(mutation)
                else:
                    context.run(self._run_one, mutation)
                if mutation.queue_tick:
                    self._finish_queued(mutation)
        except BaseException:
            if mutation is own and own is not None and own.result is None:
                own.result = CANCELED  # its caller gets the error
            self._unfinished = mutation
            raise

    def _new_long_drain(self) -> LongDrain:
        from machine._engine.long_drain import LongDrain  # most drains end before

        return LongDrain(self)

    def _run_one(self, mutation: Mutation) -> None:
        """Run one entry of the queue; it counts as canceled until it is done."""
        if mutation.eval_fn is not None:
            mutation.eval_fn()
            mutation.context = None
            return
        mutation.context = None
        mutation.result = CANCELED
        if not self._disposing:
            call, args = mutation.call, mutation._args
            mutation.result = self._carry_out(call, args, mutation.source, mutation)

    def _end_drain(self, is_end: bool = True) -> None:
        """After giving back the token: run what came meanwhile, then report the end of the queue.

        If nothing was drained, tracers get no end.
        """
        if self._queue and is_end:
            self._try_drain()
            return
        hooks = self._hooks
        if hooks is not None and is_end:
            for hook in hooks.queue_end:
                try:
                    hook(self)
                except Exception as error:  # noqa: BLE001 - protects the program from a tracer
                    hooks.failed(hook, error)
        waiters = self._waiters
        if waiters is not None and waiters._queue_ends:
            waiters.queue_ended()
