"""Worker threads: run what follows a deadline, a limited number at a time.

The thread of the timers serves all deadlines of the process, so it may run no handler. Work
that follows a deadline is put into a queue and begun in order, in threads that end when the
queue is empty. A handler that takes long holds up only its own thread; once `WORKERS_MAX` of
them do, the rest waits. A forked child has none of the threads, and starts its own for what
was waiting.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from machine._waiting.timers import call_logged

WORKERS_MAX = 32
"""Threads for work that follows deadlines, in one process."""


class Workers:
    """A queue of work, and the threads that do it."""

    def __init__(self, limit: int = WORKERS_MAX) -> None:
        self._limit = limit
        self._queue: deque[Callable[[], object]] = deque()
        self._threads = 0
        self._lock = threading.Lock()

    def run(self, work: Callable[[], object]) -> None:
        """Do this in a thread soon; an error that it raises is logged."""
        self._queue.append(work)
        self._start()

    def restart(self) -> None:
        """Go on in a forked child, where the threads and the holder of the lock are gone."""
        self._lock = threading.Lock()
        self._threads = 0
        if self._queue:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._threads >= self._limit:
                return
            self._threads += 1
        try:
            threading.Thread(target=self._serve, name="am-timeouts", daemon=True).start()
        except RuntimeError:  # there are too many threads, or the interpreter is shutting down
            with self._lock:
                self._threads -= 1

    def _serve(self) -> None:
        try:
            while self._queue:
                with suppress(IndexError):  # another thread took the last one
                    call_logged(self._queue.popleft())
        finally:
            with self._lock:
                self._threads -= 1
            if self._queue:  # it came when this thread still counted
                self._start()


workers = Workers()
"""The threads of this process for work that follows deadlines."""

if hasattr(os, "register_at_fork"):  # pragma: no branch - some systems do not fork
    os.register_at_fork(after_in_child=workers.restart)
