"""Wait handles, and the subscriptions behind them.

Two objects make up a waiter. The user holds the `Handle`; the machine's index holds the
`Subscription`, which keeps what is waited for and refers to the handle *weakly*. So a
subscription lives as long as its release can still be noticed: as long as the handle is
held, or something waits on it (a callback, a blocked thread, a task). When the last of them
is gone, after a timeout, a canceled task or a lost race, the subscription leaves the index
by itself, at once. Waiting in a loop with a timeout leaks nothing.

A subscription is *claimed* by taking it out of its `home`, a dict: deleting a key is one
indivisible operation, so of several threads that want to release it (a match, a context
that ends, `cancel`) one gets it, and only that one may end the handle. No lock is needed
for that, so it may also happen inside a garbage collection.

Interrupts (`_engine.recovery`): claiming a subscription and marking its handle as ended are
statements without a call between them, so no interrupt can leave a handle that cannot be
ended. Callbacks that an interrupt kept from running stay in the handle. The machine goes on
with those of the handles that it has ended; for others, `cancel` does. A subscription that
was claimed and is still found in a table is taken out by the thread that finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal
from weakref import ref

from machine._waiting.latch import Callback, Latch, call_each

if TYPE_CHECKING:
    from machine._resolution.automaton import Node
    from machine._waiting.context import Context
    from machine._waiting.deadlocks import Held

ReleaseReason = Literal["match", "ctx", "disposed", "canceled"]
"""Why a handle was released."""

Table = dict[int, "Subscription"]
"""Subscriptions by number, so in the order in which they were made."""


class Pending(Table):
    """Subscriptions that only the work of `mach` can release for a match."""

    __slots__ = ("mach",)

    mach: object


class Handle(Latch):
    """What a machine releases once: the base of wait handles and of outcomes.

    Keep a reference to it: the machine drops one that nothing holds or waits for.
    """

    __slots__ = ("_reason", "_subscription")

    def __init__(self) -> None:
        # Spelled out rather than inherited: a handle is made with every `when_*`.
        self._done = False
        self._callbacks = {}
        self._reason: ReleaseReason | None = None
        self._subscription: Subscription | None = None

    def release(self, reason: ReleaseReason) -> None:
        """End it and run its callbacks; no effect if it has ended."""
        subscription = self._subscription
        try:
            if subscription is not None:
                subscription.end(self, reason)
            if self._done and self._callbacks:
                call_each(self._callbacks, self)
        except BaseException:
            if self._done:
                call_each(self._callbacks, self)  # the rest, for those that wait for it
            raise

    def _mark(self, reason: ReleaseReason) -> None:
        """End it before it was in any table."""
        self._reason = reason
        self._subscription = None
        self._done = True

    def _answer(self) -> bool:
        return self._reason == "match"

    def _keeper(self, held: Sequence[Held], *, blocks: bool) -> Held | None:
        home = None if self._subscription is None else self._subscription.home
        mach: Held | None = getattr(home, "mach", None)
        if mach is None:
            return None
        pinned = blocks and mach._executor is not None and mach._executor.is_here()
        return mach if pinned or any(one is mach for one in held) else None

    def _end_text(self) -> str:
        return self.waits_for()

    def _watch(self, key: object, fn: Callback) -> bool:
        watched = super()._watch(key, fn)
        self._hold()
        return watched

    def _unwatch(self, key: object) -> bool:
        found = super()._unwatch(key)
        self._hold()
        return found

    def _hold(self) -> None:
        """Let the subscription keep this handle alive while something waits on it."""
        subscription = self._subscription
        if subscription is None:
            return
        if not self._callbacks:
            subscription.keep = None
        if self._callbacks:  # looked at again: one may have been added meanwhile
            subscription.keep = self

    def waits_for(self) -> str:
        """What it waits for, as in log lines; empty once it has ended."""
        subscription = self._subscription
        if subscription is None:
            return ""
        return f"{subscription.label} {subscription.new_text()}".rstrip()

    def __bool__(self) -> bool:
        return self._done

    def __repr__(self) -> str:
        what = self.waits_for()
        return f"<{type(self).__name__}{f' {what}' if what else ''}: {self._reason or 'waiting'}>"


class WaitHandle(Handle):
    """What every `when_*` returns: released once, and then stays released.

    `done`, which is also its truth value, is True once it was released; `reason` is why.
    `wait` blocks a thread and `await` a task until then; both give True for a match and
    False for any other reason. Keep a reference to the handle: the machine drops one that
    nothing holds or waits for.
    """

    __slots__ = ()

    @property
    def reason(self) -> ReleaseReason | None:
        """None while it waits; "match", "ctx", "disposed" or "canceled" afterwards."""
        return self._reason

    def cancel(self) -> None:
        """Stop waiting; the reason is then "canceled"."""
        self.release("canceled")


class Subscription(ref[Handle]):
    """The entry of one handle in the index: what it waits for, and where to find it."""

    __slots__ = ("ctx", "home", "keep", "names", "number", "tables")

    ctx: Context | None
    home: Table
    """The dict from which it is claimed; put in last, when it is in all other tables."""
    keep: Handle | None
    """The handle, while something waits on it."""
    names: Sequence[str]
    number: int
    tables: Sequence[Table]
    """Where else it is found."""

    # Two references are the same only if they are one; comparing what they refer to fails
    # once that is gone.
    __hash__ = object.__hash__
    __eq__ = object.__eq__

    label = "release"
    """How log lines call this kind of waiter."""

    def met(self, node: Node, ticks: Sequence[int]) -> bool:
        """Whether the present states satisfy it; False for kinds that do not wait for states."""
        return False

    def new_text(self) -> str:
        """What is waited for, in the log line of a new subscription."""
        return " ".join(dict.fromkeys(self.names))

    def condition(self) -> str:
        """What is waited for beside states; runs no user code."""
        return ""

    def match_text(self) -> str:
        """What was waited for, in the log line of a match."""
        return self.new_text()

    def end(
        self, handle: Handle, reason: ReleaseReason, ending: dict[int, Handle] | None = None
    ) -> bool:
        """Claim it and end its handle; False if another thread did.

        A handle that has callbacks is put into `ending`; the caller runs them.
        """
        number = self.number
        try:
            del self.home[number]  # from here on there is no call until the handle has ended
        except KeyError:
            self._leave()
            return False
        handle._reason = reason
        handle._done = True
        if ending is not None and handle._callbacks:
            ending[number] = handle
        handle._subscription = None
        for table in self.tables:  # `_leave`, without a call
            table.pop(number, None)
        self.keep = None
        if self.ctx is not None:
            self.ctx._unwatch(self)
        return True

    def _leave(self) -> None:
        """Remove a claimed subscription from every table, and release the handle."""
        number = self.number
        for table in self.tables:
            table.pop(number, None)
        self.keep = None
        if self.ctx is not None:
            self.ctx._unwatch(self)

    def limit(self, ctx: Context, handle: Handle) -> None:
        """End with this context; called once the subscription is in the index."""
        if not ctx._watch(self, self.ctx_ended):
            self.ctx_ended(ctx)
        if handle._done:  # released before the context watched it
            ctx._unwatch(self)

    def ctx_ended(self, ctx: Context) -> None:
        """The context that limits it ended."""
        handle = self()
        if handle is not None:
            handle.release("ctx")


def forget(subscription: Subscription) -> None:
    """Drop the subscription, since nothing holds the handle any more."""
    subscription.home.pop(subscription.number, None)
    subscription._leave()


def mark_all(
    subscriptions: Iterable[Subscription], reason: ReleaseReason, ending: dict[int, Handle]
) -> list[Subscription]:
    """End all that no other thread ends meanwhile, and return those.

    Handles with callbacks are put into `ending`; the caller runs their callbacks.
    """
    marked = []
    for subscription in subscriptions:
        handle = subscription()
        if handle is not None and subscription.end(handle, reason, ending):
            marked.append(subscription)
    return marked


def released(reason: ReleaseReason) -> WaitHandle:
    """A handle that is released from the start."""
    handle = WaitHandle()
    handle._mark(reason)
    return handle


def free_handle() -> WaitHandle:
    """A handle of no machine; it ends by `release` or `cancel` and nothing else."""
    handle = WaitHandle()
    subscription = Subscription(handle, forget)  # no call comes until it is whole
    handle._subscription = subscription
    subscription.ctx = subscription.keep = None
    subscription.names = subscription.tables = ()
    subscription.number = 0
    subscription.home = {0: subscription}
    return handle
