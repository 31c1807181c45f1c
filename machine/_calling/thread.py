"""Handler threads: run handlers in a separate thread, so that a late one can be abandoned.

By default handlers run in the thread that drains the queue, and a handler that hangs hangs
that thread. `Machine(..., handler_runner="thread")` gives the machine a thread for its
handlers. The drainer waits for each call, `handler_timeout` at most, then goes on as after
any late handler; the late one keeps its thread, a new thread takes over, and what the late
one finally returns or raises is dropped. Results, orders and log lines are those of the
default, since everything but the call itself stays in the drainer.

What differs, because another thread runs the handler:

- It does not see the event loop of the drainer, which stands still meanwhile. A coroutine
  handler's task is nevertheless started there, by the drainer.
- It sees the drainer's context variables but works on a copy.
- KeyboardInterrupt is raised in the main thread. If that is the drainer, the handler is
  left behind as a late one is.
- A call costs some ten microseconds more.

The thread is a daemon, starts with the first handler, and ends with the machine or when
the machine is disposed. It is the same for all handlers until one is left behind, so what
belongs to a thread, such as a database connection, may be kept. A forked child starts its
own.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Coroutine
from contextvars import copy_context
from queue import SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING

from machine._waiting.stack import runs_job

if TYPE_CHECKING:
    from machine._handlers.kinds import Handler
    from machine._transition.event import Event
    from machine._transition.owner import Machine


class Job:
    """One handler call; if the thread takes the claim before the drainer, its outcome counts."""

    __slots__ = ("_context", "_handler", "answer", "claim", "done", "drainer", "error", "event")

    def __init__(self, handler: Handler, event: Event) -> None:
        self.event = event
        self.answer: object = None
        self.error: BaseException | None = None
        self.done = threading.Lock()
        self.done.acquire()
        self.drainer = threading.get_ident()
        self._handler = handler
        self._context = copy_context()
        self.claim = [None]

    @property
    def machine(self) -> Machine:
        """The machine whose handler it is."""
        return self.event.machine

    @runs_job
    def run(self) -> None:
        """Call the handler; in its thread."""
        try:
            self.answer = self._context.run(self._handler, self.event)
        except BaseException as error:  # noqa: BLE001 - raised again in the drainer
            self.error = error
        try:
            del self.claim[0]
        except IndexError:
            if isinstance(self.answer, Coroutine):
                self.answer.close()
        else:
            self.done.release()

    def is_awaited(self) -> bool:
        """Whether the drainer still waits for it."""
        return bool(self.claim)


class HandlerThread:
    """The present thread for the handlers of one machine."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def wrap(self, handler: Handler) -> Handler:
        """The handler as the drainer calls it."""

        def call(event: Event) -> object:
            return self.call(handler, event)

        return call

    def call(self, handler: Handler, event: Event) -> object:
        """Run a handler and wait for it; None when its time is over."""
        job = Job(handler, event)
        if self._thread is None or not self._thread.is_alive():
            self._start()
        in_time = left = False
        try:
            self._jobs.put(job)
            in_time = _wait(job)
        finally:  # also when a signal raises an error here
            if not in_time:
                try:
                    del job.claim[0]
                    left, self._thread = True, None  # no call comes between
                    self._jobs.put(None)
                except IndexError:
                    pass
        error, job.error = job.error, None
        if error is not None and not left:
            try:
                raise error
            finally:
                del error  # or its frames would keep it, and it them
        return None if left else job.answer

    def _start(self) -> None:
        jobs: SimpleQueue[Job | None] = SimpleQueue()
        thread = threading.Thread(target=serve, args=(jobs,), name="am-handlers", daemon=True)
        weakref.finalize(self, jobs.put, None)
        self._jobs, self._thread = jobs, thread
        thread.start()

    def stop(self) -> None:
        """Let the thread end after what it does now; the next call starts another."""
        if self._thread is not None:
            self._thread = None
            self._jobs.put(None)


def _wait(job: Job) -> bool:
    """Wait until a call is done; False if its time was over first."""
    mach, began = job.event.machine, job.event._tx.clock
    while True:
        left = mach._handler_limit - (monotonic() - began)
        if job.done.acquire(timeout=min(max(left, 0), threading.TIMEOUT_MAX)):
            return True
        if left < 0:
            return False


def serve(jobs: SimpleQueue[Job | None]) -> None:
    """Run jobs until None comes; the main function of a thread."""
    while (job := jobs.get()) is not None:
        job.run()
        del job  # or the machine would live on in a thread that waits
