"""Contexts: cancelation tokens for work that is no longer wanted.

A context ends once, by `cancel`, by its deadline, or because its parent ended. Contexts
form a tree. When one ends, everything below it has ended before the first callback runs;
then callbacks run depth first, those of children before those of their parent, siblings
in the order in which they were made. A context that ended is forgotten by its parent at
once, so a long-lived parent does not collect them.

Ending can be interrupted anywhere, and the next call that ends the context finishes it: one
assignment marks the context as ended, and the callbacks and children that are still to be
handled stay in it until they are. The interrupted call itself tries that first.

`background()` is the root that never ends. It keeps neither the contexts made from it nor
callbacks, which would never run.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from machine._given import checked_timeout
from machine._waiting.latch import Callback, Latch, call_each
from machine._waiting.timers import Timer, timers
from machine.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from machine._waiting.deadlocks import Held


class ContextError(MachineError):
    """Why a context ended."""

    prefix = "context ended"


class ContextCanceled(ContextError):  # noqa: N818 - named as what happened, not as a failure
    """The context, or one above it, was canceled."""

    prefix = "context canceled"


class ContextDeadline(ContextError, TimeoutError):  # noqa: N818 - as above
    """The time of the context, or of one above it, was over."""

    prefix = "context deadline exceeded"


class Context(Latch):
    """A cancellation token; `Context()` makes the root of a new tree.

    All methods can be called from any thread. Used in a `with` statement it is canceled at
    the end of the block.
    """

    __slots__ = ("_children", "_err", "_lock", "_parent", "_timer", "value")

    value: object
    """What the context carries; a child carries what its parent does by default."""

    def __init__(self, value: object = None) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self.value = value
        self._err: ContextError | None = None
        self._parent: Context | None = None
        self._children: dict[Context, None] = {}
        self._timer: Timer | None = None

    @property
    def err(self) -> ContextError | None:
        """None while it lives, then `ContextCanceled` or `ContextDeadline`."""
        return self._err

    def cancel(self) -> None:
        """End it, and everything below it; no effect if it has ended."""
        self._end(ContextCanceled())

    def child(self, value: object = None) -> Context:
        """A context that ends with this one at the latest."""
        made = Context(self.value if value is None else value)
        with self._lock:
            err = self._err
            if err is None:
                made._parent = self
                self._children[made] = None
        if err is not None:
            made._end(err)
        return made

    def with_timeout(self, seconds: float, value: object = None) -> Context:
        """A child that ends with `ContextDeadline` after this time; at once for none."""
        if checked_timeout(seconds, "seconds") is None:
            raise TypeError("seconds is a number of seconds, not None; child() has no deadline")
        made = self.child(value)
        if seconds <= 0:
            made._end(ContextDeadline())
        else:
            timer = timers.add(seconds, made._expire)
            made._timer = timer
            if made._done:
                timers.cancel(timer)
        return made

    def _keeper(self, held: Sequence[Held], *, blocks: bool) -> Held | None:
        for mach in held:
            contexts = mach._state_contexts
            if contexts is not None and contexts.owns(self):
                return mach
        return None

    def _expire(self) -> None:
        self._end(ContextDeadline())

    def _end(self, err: ContextError) -> None:
        """End this and all below; what was done before is not repeated."""
        try:
            self._end_tree(err)
        except BaseException:
            self._end_tree(err)  # the rest, for those that wait for it
            raise

    def _end_tree(self, err: ContextError) -> None:
        ended: list[Context] = []
        below = [(self, self._mark(err))]
        while below:
            ctx, children = below[-1]
            if children:
                child = children.pop()
                below.append((child, child._mark(err)))
            else:
                below.pop()
                ended.append(ctx)
        for ctx in ended:
            ctx._close()

    def _mark(self, err: ContextError) -> list[Context]:
        """End this one alone; returns its children from last to first."""
        with self._lock:
            if not self._done:
                self._err = err
                self._done = True
            return list(self._children)[::-1]

    def _close(self) -> None:
        """Run the callbacks of an ended context, then drop all its references."""
        if self._callbacks:
            call_each(self._callbacks, self)
        parent, timer = self._parent, self._timer
        if parent is not None:
            parent._children.pop(self, None)
            self._parent = None
        if timer is not None:
            timers.cancel(timer)
            self._timer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cancel()

    def __repr__(self) -> str:
        value = "" if self.value is None else f" {self.value!r}"
        return f"<{type(self).__name__}{value}: {self._err or 'live'}>"


class RootContext(Context):
    """The context above all others: it never ends and keeps no reference to others."""

    __slots__ = ()

    def cancel(self) -> None:
        """Do nothing, since it never ends."""

    def child(self, value: object = None) -> Context:
        """The root of a new tree."""
        return Context(value)

    def _watch(self, key: object, fn: Callback) -> bool:
        return True


def check_ctx(ctx: object) -> None:
    """Raise for anything but a context or None."""
    if ctx is not None and not isinstance(ctx, Context):
        raise TypeError(f"waiting ends with a Context, not {ctx!r:.60}; for a time, wait(5)")


_background = RootContext()


def background() -> Context:
    """The context that never ends, for when there is no other."""
    return _background
