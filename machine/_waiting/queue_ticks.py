"""Queue ticks: numbers with which a caller waits for one queued mutation.

Every mutation that is appended to the queue gets the next number, its `queue_tick`; the
first one is 2. Mutations that do not wait in line get none, 0: those that run at once
without the queue, and all that are put at its front. `Result.QUEUED` does not carry the number; the
caller reads it from `Machine.queue`, or in the `mutation_queued` hook of a tracer, which
runs in the thread that made the mutation.

The machine's own queue tick is the highest number up to which all mutations are done:
carried out, canceled, or dropped with the queue. It starts at 1. Two threads that append at
the same moment may do so in another order than that of their numbers; a mutation that is
done early is remembered until those before it are done.

Threads: numbers are issued in any thread, each by one indivisible operation. Only the
drainer reports what is done.
"""

from __future__ import annotations

import itertools
from math import inf

from machine._waiting.handle import Subscription, Table

FIRST = 2


class QueueTickDone(Subscription):
    """All mutations up to a queue tick are done."""

    __slots__ = ("tick",)

    label = "whenQueue"

    tick: int

    def is_due(self, done: int, waiting: float) -> bool:
        """Whether it is met when all up to `done` are done and this many wait."""
        return self.tick <= done

    def condition(self) -> str:
        return str(self.tick)

    def new_text(self) -> str:
        return str(self.tick)


class QueueRoom(Subscription):
    """Fewer than `n` mutations wait in the queue."""

    __slots__ = ("n",)

    label = "whenQueueBelow"

    n: int

    def is_due(self, done: int, waiting: float) -> bool:
        """Whether it is met when this many wait."""
        return waiting < self.n

    def condition(self) -> str:
        return str(self.n)

    def new_text(self) -> str:
        return str(self.n)


class QueueTicks:
    """The queue ticks of one machine."""

    __slots__ = ("_early", "done", "issued", "waits")

    def __init__(self) -> None:
        self.issued = itertools.count(FIRST)
        self.done = FIRST - 1
        self.waits: Table = {}
        self._early: set[int] = set()

    def finish(self, tick: int, waiting: float = inf) -> list[Subscription]:
        """Record a mutation that is done; returns the subscriptions that are due now."""
        early = self._early
        if tick == self.done + 1 and not early:
            self.done = tick
        elif tick > self.done:  # one that was prepended again is done already
            early.add(tick)
            while self.done + 1 in early:
                self.done += 1
                early.discard(self.done)
        if not self.waits:
            return []
        return [
            one
            for one in list(self.waits.values())
            if isinstance(one, QueueTickDone | QueueRoom) and one.is_due(self.done, waiting)
        ]
