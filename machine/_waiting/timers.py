"""Timers: one thread for all deadlines of the process.

The thread is a daemon and starts with the first deadline. A canceled deadline drops its
function at once; its entry in the heap goes when it is due, or earlier when more than half
of the heap is such entries. A forked child starts its own thread.

Interrupts (`_engine.recovery`): the lock is a plain one, which a `with` block always gives
back, and the heap holds tuples, whose comparison runs no Python code. The thread itself marks
that it serves, so a thread that an interrupt prevented is not counted.
"""

from __future__ import annotations

import heapq
import os
import threading
import time
from collections.abc import Callable

from machine._logging.report import log_error

DEAD_MIN = 64
"""Fewer canceled entries are not worth a clean-up."""

WAIT_MAX = threading.TIMEOUT_MAX
"""Longer waits, such as an infinite one, are split."""


class Timer:
    """One deadline: when it is due and what to call then."""

    __slots__ = ("due", "fn", "number")

    def __init__(self, due: float, number: int, fn: Callable[[], object]) -> None:
        self.due = due
        self.number = number
        self.fn: Callable[[], object] | None = fn


class Timers:
    """Deadlines in order, and the thread that keeps them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Timer]] = []
        self._count = 0
        self._dead = 0
        self._serves = False
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)

    def __len__(self) -> int:
        return len(self._heap) - self._dead

    def add(self, seconds: float, fn: Callable[[], object]) -> Timer:
        """Call `fn` in the timer thread after this time."""
        with self._lock:
            self._count += 1
            timer = Timer(self._clock() + seconds, self._count, fn)
            heapq.heappush(self._heap, (timer.due, timer.number, timer))
            self._run()
            if self._heap[0][2] is timer:
                self._changed.notify()
        return timer

    def cancel(self, timer: Timer) -> None:
        """Cancel a deadline; no effect if it has passed."""
        with self._lock:
            if timer.fn is None:
                return
            timer.fn = None
            self._dead += 1
            if self._dead > DEAD_MIN and self._dead * 2 > len(self._heap):
                kept = [entry for entry in self._heap if entry[2].fn is not None]
                heapq.heapify(kept)
                self._heap, self._dead = kept, 0

    def take_due(self) -> list[Callable[[], object]]:
        """The functions that are due, in order; each is returned once."""
        due: list[Callable[[], object]] = []
        with self._lock:
            now = self._clock()
            while self._heap and self._heap[0][0] <= now:
                timer = heapq.heappop(self._heap)[2]
                if timer.fn is None:
                    self._dead -= 1
                else:
                    due.append(timer.fn)
                    timer.fn = None
        return due

    def restart(self) -> None:
        """Go on in a forked child, where the thread and the holder of the lock are gone."""
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._serves = False
        if self._heap:
            self._run()

    def _run(self) -> None:
        if not self._serves:
            threading.Thread(target=self._serve, name="am-timers", daemon=True).start()

    def _serve(self) -> None:
        with self._lock:
            if self._serves:  # another one was faster
                return
            self._serves = True
        try:
            self._loop()
        finally:
            self._serves = False

    def _loop(self) -> None:
        while True:
            for fn in self.take_due():
                call_logged(fn)
            with self._lock:
                seconds = self._heap[0][0] - self._clock() if self._heap else WAIT_MAX
                self._changed.wait(min(seconds, WAIT_MAX))


def call_logged(fn: Callable[[], object]) -> None:
    """Call what follows a deadline; whatever it raises is logged."""
    try:
        fn()
    except BaseException as error:  # noqa: BLE001 - protects all other deadlines
        log_error(error, "a deadline's callback failed")


timers = Timers()
"""The deadlines of this process."""

if hasattr(os, "register_at_fork"):  # pragma: no branch - some systems do not fork
    os.register_at_fork(after_in_child=timers.restart)
