"""Executors: run a machine on one asyncio event loop.

`Machine(..., executor=loop)` calls its handlers, tracers and waiters' callbacks on that
asyncio loop, no matter which thread makes the mutations:

- A mutation made while the loop runs in the calling thread runs inline, as without an
  executor: EXECUTED or CANCELED, and QUEUED only inside a handler.
- Any other mutation is put into the queue and returns QUEUED; the loop is requested to drain
  the queue (`call_soon_threadsafe`, once for any number of mutations). That holds for other
  threads and for the loop's own thread while the loop does not run. While a loop is stopped,
  mutations wait until it runs again or the queue is full.
- Once the loop is closed, nothing can run mutations. The mutation and all that wait are
  CANCELED, `ExecutorClosedError` becomes the machine's `err`, and a line is logged. Checks,
  ticks and waiters go on working, and the machine can be disposed.

Reading, binding and subscribing do not need the loop. Disposal works in a separate thread,
as for every machine.

Context variables: a mutation that runs inline sees those of its caller and may change them.
A mutation that had to wait runs in a copy of the context in which it was made, taken at
that moment; so do the auto states and the error that follow from it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from machine._calling.tasks import running_loop
from machine._enums import CANCELED, CHANGES, QUEUED, Result
from machine._logging.log import Logged
from machine._reasons.reason import ReasonKind
from machine._reasons.refused import RefusingMachine, keep_last, refused_by
from machine.errors import ExecutorClosedError

if TYPE_CHECKING:
    import asyncio
    from collections import deque
    from collections.abc import Callable

    from machine._resolution.mutation import Mutation


class Drained(Logged, RefusingMachine, Protocol):
    """What an executor needs of a machine."""

    _queue: deque[Mutation]

    def _is_idle(self) -> bool: ...
    def _try_drain(
        self, own: None = None, task: Callable[[], object] | None = None, drains: bool = True
    ) -> bool: ...
    def _report_queued(self, mutation: Mutation, why: str) -> None: ...
    def _finish_queued(self, mutation: Mutation) -> None: ...
    def _store_err(self, error: BaseException) -> None: ...


class Executor:
    """The loop of one machine, and whether a drain is requested from it.

    A drain is requested while `_requested` is not empty. A callback of its own clears that,
    right before the one that drains: `list.clear` cannot be interrupted, so a drain that an
    interrupt prevents does not count as still requested.
    """

    __slots__ = ("_loop", "_mach", "_requested")

    def __init__(self, mach: Drained, loop: asyncio.AbstractEventLoop) -> None:
        if not callable(getattr(loop, "call_soon_threadsafe", None)):
            raise TypeError(f"executor needs an asyncio event loop, got {loop!r}")
        self._mach = mach
        self._loop = loop
        self._requested: list[None] = []

    def is_here(self) -> bool:
        """Whether the loop runs in this thread."""
        return running_loop() is self._loop

    def hand_over(self, mutation: Mutation) -> Result:
        """Leave a queued mutation to the loop."""
        self._mach._report_queued(mutation, "executor asked")
        if self.request():
            return QUEUED
        self._cancel_queue()
        keep_last(self._mach, refused_by(None, ReasonKind.LOOP_CLOSED))
        return CANCELED

    def request(self) -> bool:
        """Request a drain, one for all requests until it begins; False if the loop is closed.

        A mutation is in the queue before this reads the flag, and the flag is cleared before
        the queue is read, so no mutation is left behind.
        """
        if self._requested and not self._loop.is_closed():
            return True
        self._requested[:] = (None,)
        try:
            self._loop.call_soon_threadsafe(self._requested.clear)
            self._loop.call_soon_threadsafe(self._drain_here)
        except RuntimeError:
            return False
        except BaseException:
            self._requested.clear()
            raise
        return True

    def _drain_here(self) -> None:
        mach = self._mach
        try:
            self._requested.clear()
            if mach._queue:
                mach._try_drain()
        finally:
            if mach._queue and mach._is_idle():  # an error was raised; the rest still runs
                self.request()

    def _cancel_queue(self) -> None:
        """Cancel the whole queue, since the loop is closed."""
        mach = self._mach
        mach._store_err(ExecutorClosedError(f"the event loop of {mach.id} is closed"))
        while mach._queue and mach._try_drain(task=self._cancel_all, drains=False):
            pass

    def _cancel_all(self) -> None:
        mach = self._mach
        while mach._queue:
            mutation = mach._queue[0]
            mutation.result = CANCELED
            mach.log_lvl(CHANGES, f"[executor] closed, canceled: {mutation}")
            mach._finish_queued(mutation)
            mutation.refused = refused_by(None, ReasonKind.LOOP_CLOSED)
            mutation.dropped()
            with suppress(ValueError):  # a disposal emptied it meanwhile
                mach._queue.remove(mutation)
