"""Latches: end once, and run the callbacks that wait for the end.

A `Latch` is open until it ends, and then stays so. Wait handles and contexts are latches;
here is what they have in common: blocking, awaiting, callbacks.

Threads: each callback runs exactly once, in the thread that ends the latch or, if it comes
too late, in the thread that adds it, and no lock is needed for that. Adding puts the
callback into a dict, then looks whether the latch has ended; ending marks the latch, then
takes what is in the dict. So one of them sees the other, and if both do, taking an entry
out of a dict is one indivisible operation, in which only one of them succeeds. Each kind of
latch decides which thread may end it, and only once.

Interrupts (`_engine.recovery`): a latch that is marked has ended; the callbacks that are
still to be called are those in the dict, so ending it again goes on where an interrupt
stopped. A user's callback leaves the dict right before its call and never runs twice. One
of the library leaves it after the call and may run twice, which does no harm: it opens a
gate that is open, or wakes a task that is awake.

Blocking and awaiting are callbacks as well, so a latch without waiters needs no lock, event
or future of its own: a blocked thread brings its own gate, a task its own future. Both
remove their callback when they give up, so nothing of a thread that timed out or of a
canceled task stays behind.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from machine._given import check_callable, checked_timeout
from machine._logging.report import log_error
from machine._waiting.gates import open_gate, wake
from machine._waiting.timers import timers

if TYPE_CHECKING:
    import asyncio
    from typing import Self

    from machine._waiting.deadlocks import Held

Callback = Callable[[Any], object]


class OnceKey:
    """The key of a callback that must never run twice."""

    __slots__ = ()


class Latch:
    """Open until it ends, once; can be blocked on, awaited and given callbacks."""

    __slots__ = ("__weakref__", "_callbacks", "_done")

    def __init__(self) -> None:
        self._done = False
        self._callbacks: dict[object, Callback] = {}

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._done

    def wait(self, timeout: float | None = None) -> bool:
        """Block the calling thread until it has ended, or for `timeout` seconds at most.

        True if it ended as expected; a timeout returns False and changes nothing. Raises
        `DeadlockError` where it could never end: inside a handler, a callback or a tracer
        of the machine that it waits for.
        """
        checked_timeout(timeout)
        return self._block(timeout) and self._answer()

    def __await__(self) -> Generator[Any, None, bool]:
        """The same in a task of asyncio, on any loop."""
        if not self._done:
            from machine._waiting.deadlocks import check_awaiting

            check_awaiting([self])
            loop = loop_of_caller()
            future = loop.create_future()
            try:
                if self._watch(future, partial(wake, loop, future)):
                    yield from future
            except BaseException:
                self._unwatch(future)
                del self  # or the traceback would keep it alive
                raise
        return self._answer()

    def add_done_callback(self, fn: Callable[[Self], object]) -> None:
        """Call `fn` with this object once it has ended; at once if it has.

        It runs in the thread that ends it and has to be short. What it raises is logged
        by the logger "asyncmachine" and goes no further.
        """
        check_callback(fn)
        if not self._watch(OnceKey(), fn):
            call_all([(fn, self)])

    def remove_done_callback(self, fn: Callable[[Self], object]) -> int:
        """Remove a callback, as often as it was added; returns how often that was."""
        found = [key for key in list(self._callbacks) if self._callbacks.get(key) == fn]
        return sum(self._unwatch(key) for key in found)

    def _keeper(self, held: Sequence[Held], *, blocks: bool) -> Held | None:
        """Which of the held machines has to go on before this ends; None if none has.

        If the thread `blocks`, the machine that is pinned to its event loop counts too.
        """
        return None

    def _end_text(self) -> str:
        """What a wait for this waits for, in words."""
        return f"the end of {self!r}"

    def _answer(self) -> bool:
        """What a wait returns once it has ended: True if it ended as expected."""
        return True

    def _block(self, timeout: float | None) -> bool:
        """Block until it has ended; False if it did not in time."""
        if self._done:
            return True
        if timeout is None or timeout > 0:
            from machine._waiting.deadlocks import check_blocking  # few threads wait

            check_blocking([self], needs_all=True)
        gate = threading.Lock()
        gate.acquire()
        try:
            if self._watch(gate, partial(open_gate, gate)):
                timers.acquire(gate, timeout)
        finally:
            self._unwatch(gate)
        return self._done

    def _watch(self, key: object, fn: Callback) -> bool:
        """Call `fn` at the end; False if it has ended already."""
        if self._done:
            return False
        self._callbacks[key] = fn
        return not (self.done and self._callbacks.pop(key, None) is not None)

    def _unwatch(self, key: object) -> bool:
        """Remove the callback of this key; False if there is none any more."""
        return self._callbacks.pop(key, None) is not None


def call_each(callbacks: dict[object, Callable[..., object]], *arguments: object) -> None:
    """Call these and forget them; all run, even if one raises.

    An error that is no `Exception`, such as KeyboardInterrupt, is raised after the last one.
    """
    try:
        for key in list(callbacks):
            fn = callbacks.get(key)
            if fn is None:  # removed, or called by another thread
                continue
            try:
                if isinstance(key, OnceKey):
                    del callbacks[key]  # nothing comes between this and the call
                fn(*arguments)
            except Exception as error:  # noqa: BLE001 - protects the machine: a callback is user code
                log_error(error, "callback %r failed", fn)
            callbacks.pop(key, None)
    except BaseException:
        call_each(callbacks, *arguments)
        raise


def loop_of_caller() -> asyncio.AbstractEventLoop:
    """The asyncio loop that runs here; raises if there is none."""
    import asyncio  # programs without tasks never load it

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "no asyncio event loop runs here, and this can be awaited only in one; in a task of"
            " another library let a thread wait: await trio.to_thread.run_sync(handle.wait)"
        ) from None


def check_callback(fn: object) -> None:
    """Raise for what cannot be called, or comes from `asyncio.wait`, which wants futures."""
    check_callable(fn, "a callback")
    if getattr(fn, "__module__", "") == "asyncio.tasks":
        raise TypeError(
            "asyncio.wait takes futures, and this is none: give it asyncio.ensure_future(handle),"
            " or use first_async or every_async, which take handles"
        )


def call_all(calls: Iterable[tuple[Callback, object]]) -> None:
    """Run callbacks, each with its argument; all run, even if one raises.

    An error that is no `Exception`, such as KeyboardInterrupt, is raised after the last one.
    """
    rest = iter(calls)
    try:
        for fn, argument in rest:
            try:
                fn(argument)
            except Exception as error:  # noqa: BLE001 - protects the machine: a callback is user code
                log_error(error, "callback %r failed", fn)
    except BaseException:
        call_all(rest)
        raise
