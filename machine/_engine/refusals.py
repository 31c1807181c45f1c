"""Counts mutations that a full queue refused, and reports each outage once.

An *outage* begins with the first mutation that is refused. It ends once the queue has drained
below half of its limit: a queue that is refilled as soon as one mutation is done is still in
the same outage. Each outage is one warning to the logger "asyncmachine" and two lines of the
machine's log, at its begin (`[queue:full]`) and at its end (`[queue:room]`); tracers are
notified of every mutation that is refused. A mutation that comes after the end of a machine
is canceled, but not refused, because no room can become free.

Each thread has its own count, so that no count is lost and no thread waits for another.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from machine._enums import CHANGES
from machine._logging.log import Logged
from machine._logging.report import warn
from machine._waiting.handle import free_handle

if TYPE_CHECKING:
    from machine._resolution.mutation import Mutation
    from machine._transition.tracing import TracerHooks
    from machine._waiting.handle import WaitHandle


class Refusing(Logged, Protocol):
    """What counting refusals needs of a machine."""

    _hooks: TracerHooks | None
    _queue_limit: int

    def when_queue_below(self, n: int) -> WaitHandle: ...


class Refusals:
    """What the queue of one machine refused."""

    __slots__ = ("_by_thread", "_room")

    def __init__(self) -> None:
        self._by_thread: dict[int, int] = {}
        self._room: WaitHandle | None = None  # of the outage under way; done when it is over

    @property
    def count(self) -> int:
        """How many mutations were refused so far."""
        return sum(list(self._by_thread.values()))

    def add(self, mach: Refusing, mutation: Mutation) -> None:
        """Count and report a mutation; in the thread that made it."""
        thread = threading.get_ident()
        self._by_thread[thread] = self._by_thread.get(thread, 0) + 1
        room = self._room
        if room is None or room.done:
            self._begin_outage(mach, mutation)
        hooks = mach._hooks
        if hooks is not None and hooks.mutation_refused:
            hooks.fire(hooks.mutation_refused, mach, mutation)

    def _begin_outage(self, mach: Refusing, mutation: Mutation) -> None:
        """Report it, unless another thread does so at this moment."""
        limit = mach._queue_limit
        room = mach.when_queue_below(room_mark(limit)) if limit > 0 else free_handle()
        before, self._room = self._room, room
        if before is not None and not before.done:
            return
        so_far = self.count - 1
        mach.log_lvl(CHANGES, f"[queue:full] {limit} waiting, refused: {mutation}")
        warn(
            "the queue of machine %s is full: %d mutations wait, %s was refused; the machine's"
            " queue_refused counts, when_queue_below(n) waits for room",
            mach.id,
            limit,
            mutation,
        )
        room.add_done_callback(lambda _: self._end_outage(mach, so_far))

    def _end_outage(self, mach: Refusing, before: int) -> None:
        mach.log_lvl(CHANGES, f"[queue:room] {self.count - before:,} mutations were refused")


def room_mark(limit: int) -> int:
    """Below how many waiting mutations an outage is over."""
    return limit // 2 + 1
