"""A clock that a test moves by hand, for everything in the library that ends after a time.

It moves deadlines of states (`State(timeout=...)`), deadlines of contexts (`with_timeout`), and
the time limits of waits in other threads and in all tasks: `wait`, `first`, `every`,
`first_async`, `every_async`. What is due runs inside `advance`, in order of time, in the thread
that calls it, and so do the handlers that follow, unless the machine is busy, has a thread for
handlers or belongs to an event loop. A thread or task whose wait ends goes on by itself
afterwards, so wait for it.

It does not move the time limits of handlers and of `eval`, the watchdog, `time.sleep` and
asyncio's own timers (`asyncio.sleep`, `asyncio.timeout`), the times in recorded sessions, and
other processes. A blocking wait in the test's own thread keeps to real time, because nothing
could move the clock meanwhile, and so does a wait that began before the clock was taken over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from machine._given import checked_timeout
from machine._waiting.timers import timers

if TYPE_CHECKING:
    from typing import Self


class ManualClock:
    """The clock of all machines of this process, moved by hand inside a `with` block.

    One thread uses it: the one that enters the block. Only one such clock is in use at a time.
    When the block ends, deadlines that are left go on in real time.
    """

    def __init__(self) -> None:
        self._began = self._time = timers.now()

    def __enter__(self) -> Self:
        if timers.by_hand:
            raise RuntimeError("the clock is moved by hand already; use the one that moves it")
        self._began = self._time = timers.now()
        timers.use(lambda: self._time)
        return self

    def __exit__(self, *error: object) -> None:
        timers.use(None)

    @property
    def now(self) -> float:
        """How far it was moved, in seconds."""
        return self._time - self._began

    @property
    def next_in(self) -> float | None:
        """Seconds until the next deadline; None if there is none."""
        due = timers.next_due()
        return None if due is None else max(0.0, due - self._time)

    def advance(self, seconds: float) -> None:
        """Move it, and run what is due on the way, also what that makes due.

        Raises ValueError for a negative time.
        """
        if checked_timeout(seconds, "seconds") is None or seconds < 0:
            raise ValueError(f"a clock moves forward by a number of seconds, not {seconds!r:.60}")
        if not timers.by_hand:
            raise RuntimeError("this clock is not in use; enter it with `with` first")
        end = self._time + seconds
        while (due := timers.next_due()) is not None and due <= end:
            self._time = max(self._time, due)
            timers.call_due()
        self._time = end
