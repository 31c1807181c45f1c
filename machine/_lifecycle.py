"""From construction to disposal: parents, context, the end.

Disposal: from the moment it is asked for, mutations are canceled and no handler starts.
The machine's context is canceled; the drain that is under way gets `dispose_timeout` to
end; then the machine is disposed, its tracers are told, the registered functions run, and
last every waiter is released. It works in a thread of its own, so a handler may ask for
it; `dispose_force` does it at once, in the calling thread, and waits for nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NoReturn, SupportsIndex

from machine._context import Context, background
from machine._enums import LogLevel
from machine._given import check_callable, checked_seconds
from machine._handlers import Bindings
from machine._latch import call_all
from machine._options import Setting, checked_tags
from machine._restructuring import Restructuring
from machine._waiting import Waiters

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

DisposeHandler = Callable[[str, Context], object]


class Lifecycle(Restructuring):
    """The calls about a machine's surroundings and its end."""

    dispose_timeout = Setting(1.0, checked_seconds)

    _dispose_timeout: float
    _parent_id: str = ""
    _tags: tuple[str, ...] = ()
    _ctx: Context | None = None
    _dispose_handlers: tuple[DisposeHandler, ...] = ()
    _making = threading.RLock()  # of all machines; held only to set a flag or make a part

    def _subscriptions(self) -> Waiters:
        if self._waiters is None:
            with Lifecycle._making:
                if self._waiters is None:
                    self._waiters = Waiters(self)
        return self._waiters

    @property
    def parent_id(self) -> str:
        """Id of the parent machine; empty for none."""
        return self._parent_id

    @property
    def tags(self) -> list[str]:
        """Free labels."""
        return list(self._tags)

    def set_tags(self, tags: list[str] | tuple[str, ...]) -> None:
        """Replace the labels; repeats are removed, spaces refused."""
        self._tags = checked_tags(tags)

    @property
    def ctx(self) -> Context:
        """The machine's context; ends with the machine."""
        if self._ctx is None:
            with Lifecycle._making:
                if self._ctx is None:
                    self._ctx = background().child()
            if self._disposing:
                self._ctx.cancel()
        return self._ctx

    def _end_with(self, ctx: Context) -> None:
        """The end of this context disposes the machine."""
        ctx.add_done_callback(lambda _: self.dispose())

    def handle_dispose(self, fn: DisposeHandler) -> None:
        """Call `fn(id, ctx)` when the machine is disposed; at once if it is already.

        What it raises is logged by the logger "asyncmachine", and the others are called.
        """
        check_callable(fn, "what handle_dispose takes")
        self._dispose_handlers = (*self._dispose_handlers, fn)
        if self._disposed:
            self._call_dispose_handlers()

    def is_disposed(self) -> bool:
        """Has the disposal finished."""
        return self._disposed

    def dispose(self) -> None:
        """Begin the end of the machine; returns at once, safe in handlers."""
        if not self._begin_dispose():
            return
        thread = threading.Thread(
            target=self._dispose_slowly, name=f"dispose {self.id[:20]}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # the interpreter is going down and starts no threads
            self._finish_dispose()

    def dispose_force(self) -> None:
        """End the machine now, in this thread, without waiting for a drain."""
        if self._begin_dispose():
            self._finish_dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Dispose it, in this thread; a drain under way gets `dispose_timeout` to end.

        In a handler of the machine itself only the beginning of the end: it cannot wait.
        """
        from machine._drains import is_held  # few need it

        if is_held(self):
            self.dispose()
        elif self._begin_dispose():
            self._dispose_slowly()
        else:
            self._subscriptions().when_disposed().wait(self._dispose_timeout)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(
            f"machine {self.id} cannot be pickled or copied: threads, handlers and waiters"
            " belong to this one; export() its states and import_() them into a new machine"
        )

    def _begin_dispose(self) -> bool:
        with Lifecycle._making:
            first = not self._disposing
            self._disposing = True
        if not first:
            self.log_lvl(LogLevel.DECISIONS, "[doDispose] already disposed")
            return False
        self._set_slow()
        self.ctx.cancel()
        return True

    def _dispose_slowly(self) -> None:
        if not self._subscriptions().when_queue_ends().wait(self._dispose_timeout):
            text = "[doDispose] timeout waiting for queue to drain"
            self.log_lvl(LogLevel.DECISIONS, text)
        self._finish_dispose()

    def _finish_dispose(self) -> None:
        self.log_lvl(LogLevel.EVERYTHING, "[end] doDispose")
        hooks, machine_id = self._hooks, self.id
        self._disposed = True
        self._queue.clear()
        self._node = self._node.automaton.node(())
        self._ticks = []
        if hooks is not None:
            hooks.fire(hooks.machine_dispose, machine_id)
        self._hooks = None
        self._bindings = Bindings()
        if self._err is None:
            self._err = self.ctx.err
        try:
            self._call_dispose_handlers()
        finally:
            if self._state_contexts is not None:
                self._state_contexts.dispose()
            self._subscriptions().dispose()  # made if need be: somebody may ask meanwhile

    def _call_dispose_handlers(self) -> None:
        handlers, self._dispose_handlers = self._dispose_handlers, ()
        call_all((partial(handler, self.id), self.ctx) for handler in handlers)
