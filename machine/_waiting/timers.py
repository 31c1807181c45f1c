"""Timers: one thread for all deadlines of the process.

The thread is a daemon and starts with the first deadline. A canceled deadline drops its
function at once; its entry in the heap goes when it is due, or earlier when more than half
of the heap is such entries. A forked child starts its own thread.

Waits with a time limit block here too, so that they keep to the same clock as deadlines. In a
test this clock may be moved by hand (`use`). The thread of the timers does nothing then: who
moves the clock takes what is due. A blocked thread or task has a deadline like any other. Only
the test's own thread blocks in real time, because nothing could move the clock meanwhile. When
the real clock comes back, and in a forked child, what was left of each deadline still is.

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
from functools import partial
from typing import TYPE_CHECKING, Any

from machine._logging.report import log_error
from machine._waiting.gates import open_gate, wake

if TYPE_CHECKING:
    import asyncio

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
        self._clock = self._real = clock
        self._mover: int | None = None
        self._heap: list[tuple[float, int, Timer]] = []
        self._count = 0
        self._dead = 0
        self._serves = False
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)

    def __len__(self) -> int:
        return len(self._heap) - self._dead

    def now(self) -> float:
        """The time of the clock in seconds; only differences mean something."""
        return self._clock()

    @property
    def by_hand(self) -> bool:
        """Whether a thread moves the clock, so that what is due runs in that thread."""
        return self._mover is not None

    def use(self, clock: Callable[[], float] | None) -> None:
        """Keep to a clock that the calling thread moves, or to the real one for None."""
        with self._lock:
            kept = self._real if clock is None else clock
            shift = kept() - self._clock()
            self._clock = kept
            self._mover = None if clock is None else threading.get_ident()
            for _, _, timer in self._heap:
                timer.due += shift
            self._heap = [(timer.due, number, timer) for _, number, timer in self._heap]
            self._changed.notify()

    def next_due(self) -> float | None:
        """The time of the next deadline; None if there is none."""
        with self._lock:
            return min((due for due, _, timer in self._heap if timer.fn is not None), default=None)

    def acquire(self, gate: threading.Lock, seconds: float | None) -> None:
        """Block until the gate is opened, or for this time at most."""
        if seconds is None:
            gate.acquire(timeout=-1)
        elif seconds <= 0 or self._mover in (None, threading.get_ident()):
            gate.acquire(timeout=min(max(0, seconds), threading.TIMEOUT_MAX))
        else:
            timer = self.add(seconds, partial(open_gate, gate))
            try:
                gate.acquire()
            finally:
                self.cancel(timer)

    async def settled(self, future: asyncio.Future[Any], seconds: float | None) -> None:
        """Return once the future is settled, or after this time at most."""
        import asyncio

        if seconds is None or seconds <= 0 or self._mover is None:
            await asyncio.wait([future], timeout=seconds)
            return
        loop = asyncio.get_running_loop()
        late: asyncio.Future[None] = loop.create_future()
        timer = self.add(seconds, partial(wake, loop, late, None))
        try:
            await asyncio.wait([future, late], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.cancel(timer)

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

    def call_due(self) -> None:
        """Call what is due, in order; what one raises is logged."""
        for fn in self.take_due():
            call_logged(fn)

    def restart(self) -> None:
        """Go on in a forked child, where the thread and the holder of the lock are gone."""
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._serves = False
        self.use(None)
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
            if not self.by_hand:
                self.call_due()
            with self._lock:
                rests = self.by_hand or not self._heap
                seconds = WAIT_MAX if rests else self._heap[0][0] - self._clock()
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
