"""Puts mutations into the queue, and reports when they are done."""

from __future__ import annotations

from abc import abstractmethod
from contextvars import copy_context
from typing import TYPE_CHECKING

from machine._engine.core import Core
from machine._enums import CANCELED, EVERYTHING, OPS, Result
from machine._reasons.reason import ReasonKind
from machine._reasons.refused import keep_last, refused_by
from machine._resolution.resolve import auto_blockers, indexes_of
from machine._waiting.queue_ticks import QueueTicks

if TYPE_CHECKING:
    from machine._resolution.mutation import Mutation
    from machine._schema.schema import Call


class Queueing(Core):
    """The part of a machine that keeps its queue."""

    @abstractmethod
    def _drain_or_wait(self, mutation: Mutation) -> Result:
        """Become the drainer, or report that the mutation has to wait."""

    def _refuse(self, mutation: Mutation) -> None:
        """Refuse a mutation because the queue is full; count and report it."""
        if self._refusals is None:
            from machine._engine.refusals import Refusals  # most machines refuse nothing

            with Core._first:
                if self._refusals is None:
                    self._refusals = Refusals()
        self._refusals.add(self, mutation)  # type: ignore[arg-type]  # it is whole

    def _cancel(self, kind: ReasonKind, text: str = "", *, is_check: bool = False) -> Result:
        """Cancel a mutation of the calling thread before it is queued, and keep why."""
        refused = refused_by(None, kind)
        refused.at, refused.is_check = text, is_check
        keep_last(self, refused)
        return CANCELED

    def _cancel_full(self) -> Result:
        """Cancel a mutation of the calling thread for which the queue has no place."""
        text = f"the queue is full: {len(self._queue):,} mutations wait"
        return self._cancel(ReasonKind.QUEUE_FULL, text)

    def _append(self, mutation: Mutation) -> None:
        """Append a mutation, with its number and the context of its caller."""
        ticks = self._queue_ticks or self._ticks_of_queue()
        mutation.context = copy_context()
        for mutation.queue_tick in ticks.issued:  # `next`, but an interrupt loses no number
            break
        self._queue.append(mutation)
        if self._log_level >= OPS:
            self.log_lvl(OPS, f"[queue:{mutation.call.label}")

    def _ticks_of_queue(self) -> QueueTicks:
        """The queue ticks; made by the first thread that needs them."""
        with Core._first:
            if self._queue_ticks is None:
                self._queue_ticks = QueueTicks()
        return self._queue_ticks

    def _report_queued(self, mutation: Mutation, why: str) -> None:
        if self._log_level >= OPS:
            count = len(self._queue)
            self.log_lvl(OPS, f"[postpone] {why} ({count} item{'s' * (count != 1)})")
        if self._hooks is not None:
            self._hooks.fire(self._hooks.mutation_queued, self, mutation)

    def _finish_queued(self, mutation: Mutation) -> None:
        """Release the waiters for the queue tick of a mutation that is done."""
        ticks = self._queue_ticks
        waiting = () if ticks is None else ticks.finish(mutation.queue_tick, len(self._queue))
        if waiting and self._waiters is not None:
            self._waiters._release(waiting)

    def _queue_auto(self, after: Call) -> None:
        """Put the auto states in front of all mutations that wait.

        They get none after an auto mutation, nor once the disposal of the machine has begun.
        """
        if after.auto or self._disposing:
            return
        if self._log_level >= EVERYTHING and self._schema.autos:
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
