"""Wait handles, and the subscriptions behind them.

Two objects make up a waiter. The user holds the `WaitHandle`; the machine's index holds the
`Subscription`, which knows what is waited for and refers to the handle *weakly*. So a
subscription lives as long as somebody can still learn of its release: as long as the
handle is held, or something waits on it (a callback, a blocked thread, a task). When the
last of them is gone, after a timeout, a canceled task, a lost race, the subscription
leaves the index by itself, at once. Waiting in a loop with a timeout leaks nothing.

A subscription is *claimed* by taking it out of its `home`, a dict: `dict.pop` is one
indivisible operation, so of several threads that want to release it (a match, a context
that ends, `cancel`) one gets it. No lock is needed for that, so it may also happen inside
a garbage collection.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal
from weakref import ref

from machine._latch import Callback, Latch, call_all

if TYPE_CHECKING:
    from machine._context import Context
    from machine._latch import Lock

Reason = Literal["match", "ctx", "disposed", "canceled"]
"""Why a handle was released."""

Table = dict[int, "Subscription"]
"""Subscriptions by number, so in the order in which they were made."""


class WaitHandle(Latch):
    """What every `when_*` returns: released once, and then for good.

    `done`, and a truth value that is the same, tell whether it was released, `reason` why.
    `wait` blocks a thread and `await` a task until then; both give True for a match and
    False for any other reason. Hold on to the handle: one that nobody holds or waits for
    is dropped by the machine.
    """

    __slots__ = ("_reason", "_subscription")

    _reason: Reason | None
    _subscription: Subscription | None

    def __init__(self, lock: Lock | None = None) -> None:
        # Spelled out rather than inherited: a handle is made with every `when_*`.
        self._lock = threading.RLock() if lock is None else lock
        self._done = False
        self._callbacks = None
        self._reason = None
        self._subscription = None

    @property
    def reason(self) -> Reason | None:
        """None while it waits; "match", "ctx", "disposed" or "canceled" afterwards."""
        return self._reason

    def cancel(self) -> None:
        """Stop waiting; the reason is then "canceled"."""
        subscription = self._subscription
        if subscription is None or subscription.claim():
            self.release("canceled")

    def release(self, reason: Reason) -> None:
        """End it and run its callbacks; no effect if it has ended."""
        call_all([(fn, self) for fn in self._mark(reason)])

    def _mark(self, reason: Reason) -> Sequence[Callback]:
        with self._lock:
            if self._done:
                return ()
            self._reason = reason
            self._subscription = None
            if self._callbacks is None:
                self._done = True
                return ()
            return self._close()

    def _answer(self) -> bool:
        return self._reason == "match"

    def _watch(self, key: object, fn: Callback) -> bool:
        with self._lock:
            watched = super()._watch(key, fn)
            if watched and self._subscription is not None:
                self._subscription.keep = self
        return watched

    def _unwatch(self, key: object) -> None:
        with self._lock:
            super()._unwatch(key)
            if self._subscription is not None and not self._callbacks:
                self._subscription.keep = None

    def __bool__(self) -> bool:
        return self._done

    def __repr__(self) -> str:
        what = "" if self._subscription is None else f" {self._subscription.what()}"
        return f"<WaitHandle{what}: {self._reason or 'waiting'}>"


def released(reason: Reason, lock: Lock | None = None) -> WaitHandle:
    """A handle that never had to wait."""
    handle = WaitHandle(lock)
    handle._reason = reason
    handle._done = True
    return handle


class Subscription(ref[WaitHandle]):
    """What the index knows of one handle: what it waits for, and where to find it."""

    __slots__ = ("ctx", "home", "indexes", "keep", "names", "number", "tables")

    ctx: Context | None
    home: Table
    indexes: Sequence[int] | None
    """The states waited for; None when the schema does not define all of them."""
    keep: WaitHandle | None
    """The handle, while something waits on it."""
    names: Sequence[str]
    number: int
    tables: Sequence[Table]

    # Two references are the same only if they are one; comparing what they refer to fails
    # once that is gone.
    __hash__ = object.__hash__
    __eq__ = object.__eq__

    label = "when"
    """How log lines call this kind of waiter."""

    def met(self, ticks: Sequence[int]) -> bool:
        """Do these ticks satisfy it; never, when it waits for something else."""
        return False

    def reindex(self, index: dict[str, int], ticks: Sequence[int]) -> None:
        """Find the states again under another schema; `ticks` are those before it."""
        found = [index[name] for name in self.names if name in index]
        self.indexes = found if len(found) == len(self.names) else None

    def what(self) -> str:
        """What is waited for, as the line of a new subscription tells it."""
        return f"[{self.label}] {self.new_text()}"

    def new_text(self) -> str:
        """The text of the log line for a new subscription."""
        return " ".join(self.names)

    def match_text(self) -> str:
        """The text of the log line for a match."""
        return self.new_text()

    def claim(self) -> bool:
        """Take it out of every table; False if somebody else did."""
        if self.home.pop(self.number, None) is None:
            return False
        for table in self.tables:
            table.pop(self.number, None)
        self.keep = None
        if self.ctx is not None:
            self.ctx._unwatch(self)
        return True

    def ctx_ended(self, ctx: Context) -> None:
        """The context that limits it ended."""
        handle = self()
        if handle is not None and self.claim():
            handle.release("ctx")


def forget(subscription: Subscription) -> None:
    """Nobody holds the handle any more."""
    subscription.claim()


def mark_all(
    subscriptions: Iterable[Subscription], reason: Reason
) -> list[tuple[Subscription, WaitHandle, Sequence[Callback]]]:
    """End all that nobody else ends meanwhile; their callbacks are for the caller to run."""
    marked = []
    for subscription in subscriptions:
        handle = subscription()
        if handle is not None and subscription.claim():
            marked.append((subscription, handle, handle._mark(reason)))
    return marked
