"""Feeds of changes: what the states of a machine did, for a reader at its own pace.

`mach.changes()` begins with the next transition that changes a tick and ends with the machine.
The thread that runs the machine puts each change into the feed, in the order of transitions;
it never waits for a reader. So a feed has a limit: if the reader is too slow, the oldest
changes are dropped, and the next one that is read has their number as `missed`.

A feed is a tracer, which sees a transition before its waiters are released. Its machine
knows it weakly, and it knows the machine weakly: a feed that nothing refers to is detached
by the next transition, and one whose machine is gone ends. A change has names and numbers
only, so nothing of the transition stays alive.

Any number of readers may take from one feed, threads and tasks; each change goes to one of
them. A reader that finds nothing waits for an arrival, made for all readers that wait and
replaced with each change. It looks at the feed again after it made one, under the lock, so
no change is overlooked. The lock can be taken twice by one thread, as the end of a machine
may be noticed by the garbage collector at any point.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple
from weakref import ref

from machine._given import checked_count, checked_timeout
from machine._transition.tracing import Tracer
from machine._waiting.latch import Latch, call_each

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType
    from typing import Self

    from machine._clock import Clock
    from machine._transition.owner import Machine
    from machine._transition.transition import Transition
    from machine._waiting.deadlocks import Held

CHANGES_MAX = 1000
"""Changes that wait for their reader, unless `limit` says otherwise."""


class Change(NamedTuple):
    """What one transition did to the states of a feed.

    `active` are those that activated, a multi state also if it was active before, and
    `inactive` those that deactivated, both in the order of the schema; `clock` has the ticks
    of both afterwards. `called` are the states that the mutation named, none for auto states.
    `transition_id` is the one that a debugger shows, `at` the wall time of its end in
    seconds. `missed` is how many changes were dropped right before this one.
    """

    active: tuple[str, ...]
    inactive: tuple[str, ...]
    clock: Clock
    called: tuple[str, ...]
    transition_id: str
    at: float
    missed: int = 0


class Changes:
    """The changes of a machine, for `for`, `async for` and `next`; made by `Machine.changes`.

    It ends when the machine is disposed, after the changes that wait were read, or by
    `close`. Used in a `with` statement it is closed at the end of the block.
    """

    __slots__ = (
        "__weakref__",
        "_arrival",
        "_changes",
        "_closed",
        "_limit",
        "_lock",
        "_mach",
        "_missed",
        "_states",
        "_tracer",
        "missed",
    )

    missed: int
    """How many changes were dropped so far, because the reader was too slow."""

    def __init__(self, mach: Machine, states: Sequence[str] | None, limit: int) -> None:
        own = ref(self)

        def machine_gone(_: object) -> None:
            feed = own()
            if feed is not None:
                feed._end()

        self._mach = ref(mach, machine_gone)
        self._states = None if states is None else frozenset(states)
        self._limit = checked_count(limit, "limit", 1)
        self._lock = threading.RLock()
        self._changes: deque[Change] = deque()
        self._arrival: Arrival | None = None
        self._closed = False
        self._missed = self.missed = 0
        self._tracer = FeedTracer(own)
        mach.bind_tracer(self._tracer)
        if mach.is_disposed():
            self._end()

    @property
    def closed(self) -> bool:
        """Whether no more changes come; those that wait can still be read."""
        return self._closed

    def __len__(self) -> int:
        """How many changes wait for their reader."""
        return len(self._changes)

    def __bool__(self) -> bool:
        return True

    def next(self, timeout: float | None = None) -> Change | None:
        """The next change; None if none comes in so many seconds, or the feed has ended.

        Blocks the calling thread until then; with a timeout of 0 it never does. Raises
        `DeadlockError` in a handler of the machine, which no change can come before.
        """
        until = None if checked_timeout(timeout) is None else time.monotonic() + (timeout or 0)
        while True:
            change, arrival = self._take()
            if arrival is None:
                return change
            if not arrival.wait(None if until is None else until - time.monotonic()):
                return None

    def close(self) -> None:
        """Let no more changes come; those that wait can still be read. Any thread may do so."""
        self._end()
        mach = self._mach()
        if mach is not None:
            mach.detach_tracer(self._tracer)

    def _put(self, tx: Transition, changed: Iterable[int]) -> None:
        """Put a change into the feed if a state of it changed; by the machine."""
        names, ticks, wanted = tx._schema_names(), tx._after or (), self._states
        clock = {
            names[index]: ticks[index]
            for index in sorted(changed)
            if wanted is None or names[index] in wanted
        }
        if not clock:
            return
        active = tuple([name for name, tick in clock.items() if tick & 1])
        inactive = tuple([name for name, tick in clock.items() if not tick & 1])
        called = () if tx.is_auto() else tuple(tx.called_states())
        change = Change(active, inactive, clock, called, tx.id, time.time())
        with self._lock:
            if len(self._changes) >= self._limit:
                self._changes.popleft()
                self._missed += 1
                self.missed += 1
            self._changes.append(change)
            arrival, self._arrival = self._arrival, None
        if arrival is not None:
            arrival.end()

    def _take(self) -> tuple[Change | None, Arrival | None]:
        """The next change, or what to wait for; neither if the feed has ended."""
        with self._lock:
            if self._changes:
                missed, self._missed = self._missed, 0
                return self._changes.popleft()._replace(missed=missed), None
            if self._closed:
                return None, None
            if self._arrival is None:
                self._arrival = Arrival(self._mach)
            return None, self._arrival

    def _end(self) -> None:
        with self._lock:
            self._closed = True
            arrival, self._arrival = self._arrival, None
        if arrival is not None:
            arrival.end()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Change:
        change = self.next()
        if change is None:
            raise StopIteration
        return change

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        while True:
            change, arrival = self._take()
            if change is not None:
                return change
            if arrival is None:
                raise StopAsyncIteration
            await arrival

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        mach, end = self._mach(), ", closed" if self._closed else ""
        return f"<Changes of {'a lost machine' if mach is None else mach.id}: {len(self)}{end}>"


class Arrival(Latch):
    """Ends with the next change of a feed, or with the feed."""

    __slots__ = ("_mach",)

    def __init__(self, mach: ref[Machine]) -> None:
        super().__init__()
        self._mach = mach

    def end(self) -> None:
        """Let all readers that wait look at the feed again."""
        self._done = True
        call_each(self._callbacks, self)

    def _keeper(self, held: Sequence[Held], *, blocks: bool) -> Held | None:
        mach = self._mach()
        executor = None if mach is None else mach._executor
        pinned = blocks and executor is not None and executor.is_here()
        return mach if pinned or any(one is mach for one in held) else None

    def _end_text(self) -> str:
        return "its next change"


class FeedTracer(Tracer):
    """What the machine knows of a feed."""

    def __init__(self, feed: ref[Changes]) -> None:
        self._feed = feed

    def transition_end(self, tx: Transition) -> None:
        """Put what changed into the feed."""
        feed, before = self._feed(), tx._before
        after = tx._after or before
        if feed is None:
            tx.machine.detach_tracer(self)
        elif after is not before:
            changed: Iterable[int] = tx.verdict.changed
            if not tx.is_accepted():  # the ticks may differ from the plan
                changed = [index for index, tick in enumerate(after) if tick != before[index]]
            feed._put(tx, changed)

    def machine_dispose(self, machine_id: str) -> None:
        """End the feed."""
        feed = self._feed()
        if feed is not None:
            feed._end()
