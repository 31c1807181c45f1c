"""Executors: run a machine on one asyncio event loop.

`Machine(..., executor=loop)` calls its handlers, tracers and waiters' callbacks on that
asyncio loop, no matter which thread makes the mutations:

- A mutation made while the loop runs in the calling thread runs inline, as ever: EXECUTED
  or CANCELED, and QUEUED only inside a handler.
- Any other mutation is put into the queue and returns QUEUED; the loop is asked to drain
  the queue (`call_soon_threadsafe`, once for any number of mutations). That holds for
  other threads and for the loop's own thread while the loop does not run. While a loop is
  stopped, mutations wait until it runs again or the queue is full.
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
from machine.errors import ExecutorClosedError

if TYPE_CHECKING:
    import asyncio
    from collections import deque
    from collections.abc import Callable

    from machine._resolution.mutation import Mutation


class Drained(Logged, Protocol):
    """What an executor needs of a machine."""

    _queue: deque[Mutation]

    def _is_idle(self) -> bool:
        """Whether no thread drains the queue."""

    def _try_drain(
        self, own: None = None, task: Callable[[], object] | None = None, drains: bool = True
    ) -> bool:
        """Drain the queue in this thread, or only do a task; False if another thread drains."""

    def _report_queued(self, mutation: Mutation, why: str) -> None:
        """Report a mutation that has to wait."""

    def _finish_queued(self, mutation: Mutation) -> None:
        """Release the waiters for the queue tick of a mutation that is done."""

    def _store_err(self, error: BaseException) -> None:
        """Store an error and report it."""


class Executor:
    """The loop of one machine, and whether it was asked to work off the queue.

    It was asked while `_asked` is not empty. A callback of its own takes that down, right
    before the one that works: a list's `clear` cannot be interrupted, so a turn that an
    interrupt keeps from beginning does not look as if it were still to come.
    """

    __slots__ = ("_asked", "_loop", "_mach")

    def __init__(self, mach: Drained, loop: asyncio.AbstractEventLoop) -> None:
        if not callable(getattr(loop, "call_soon_threadsafe", None)):
            raise TypeError(f"executor needs an asyncio event loop, got {loop!r}")
        self._mach = mach
        self._loop = loop
        self._asked: list[None] = []

    def is_here(self) -> bool:
        """Does the loop run in this thread."""
        return running_loop() is self._loop

    def hand_over(self, mutation: Mutation) -> Result:
        """Leave a queued mutation to the loop."""
        self._mach._report_queued(mutation, "executor asked")
        if self.ask():
            return QUEUED
        self._refuse()
        return CANCELED

    def ask(self) -> bool:
        """Have the queue worked off, once for all that ask meanwhile; False if closed.

        A mutation is in the queue before this looks at the flag, and the flag is taken
        down before the queue is looked at, so none is left behind.
        """
        if self._asked and not self._loop.is_closed():
            return True
        self._asked[:] = (None,)
        try:
            self._loop.call_soon_threadsafe(self._asked.clear)
            self._loop.call_soon_threadsafe(self._work_off)
        except RuntimeError:
            return False
        except BaseException:
            self._asked.clear()
            raise
        return True

    def _work_off(self) -> None:
        mach = self._mach
        try:
            self._asked.clear()
            if mach._queue:
                mach._try_drain()
        finally:
            if mach._queue and mach._is_idle():  # an error passed through; the rest still runs
                self.ask()

    def _refuse(self) -> None:
        """The loop is closed: nothing of the queue can ever run."""
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
            with suppress(ValueError):  # emptied by a disposal meanwhile
                mach._queue.remove(mutation)
