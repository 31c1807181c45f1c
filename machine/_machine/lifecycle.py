"""The life of a machine: construction, parents, context and disposal.

Beginning: a machine adds its initial states at the end of its construction, so they are active
when the constructor returns. Tracers and handlers that were passed to the constructor take
part; those that are bound later do not. A machine with an executor leaves this to its loop,
unless it is made there. An import brings its own beginning, so a machine that is to import is
made without initial states.

Disposal: from the moment it is requested, mutations are canceled and no handler starts.
The machine's context is canceled; the drain that is under way and the tasks of coroutine
handlers get `dispose_timeout` in total to end; then the machine is disposed, its
tracers are called, the registered functions run, and last every waiter is released. Disposal
runs in a separate thread, so a handler may request it; `dispose_force` disposes at once, in
the calling thread, and waits for nothing.

`when_disposed` is released last of all, and not before the tasks have ended or their time
is over. A thread never waits for tasks of the loop that it runs itself; another thread
waits for them.

Interrupts (`_engine.recovery`): every step can be repeated, or records that it is done. The right
to take these steps is a token, like that of the drain. A thread that is interrupted gives
it back, and the next call that requests the disposal, in any way, goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, NoReturn, SupportsIndex

from machine._engine.core import NO_BINDINGS
from machine._enums import LogLevel, MutationType
from machine._given import Names, Setting, check_callable, checked_seconds, names_tuple
from machine._machine.options import checked_tags
from machine._machine.restructuring import Restructuring
from machine._schema.contradictions import forbidden
from machine._waiting.context import Context, background
from machine._waiting.latch import OnceKey, call_each
from machine._waiting.select import every
from machine._waiting.waiters import Waiters
from machine.errors import RelationError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from machine._transition.tracing import Hook

DisposeHandler = Callable[[str, Context], object]


class Lifecycle(Restructuring):
    """The calls about a machine's surroundings and its end."""

    dispose_timeout: Setting[float] = Setting(1.0, checked_seconds)

    _dispose_timeout: float
    _parent_id: str = ""
    _tags: tuple[str, ...] = ()
    _ctx: Context | None = None
    _dispose_handlers: dict[object, DisposeHandler] | None = None
    _pipes: dict[object, None] | None = None  # those that begin here (`machine._machine.piping`)
    _hooks_to_dispose: Iterator[Hook] | None = None  # the tracers that are still to be called
    _disposer: threading.Thread | None = None
    _dispose_token: list[None] | None = None
    _making = threading.RLock()  # of all machines; held only to set a flag or make a part

    def _subscriptions(self) -> Waiters:
        if self._waiters is None:
            with Lifecycle._making:
                if self._waiters is None:
                    self._watched = True
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

    def _begin(self, states: Names) -> None:
        """Add the initial states, by one mutation like any other.

        Raises for states that relations rule out; a handler may still deny them.
        """
        call = self._call(MutationType.ADD, names_tuple(states, "initial states"))
        if not call.called:
            return
        node = self._node
        plan = node.plans.get(call) or node.automaton.extend(node, call)
        if not plan.accepted:
            why = ", ".join(forbidden(self._schema, call.called)) or "relations reject them"
            raise RelationError(f"{self.id} cannot begin with {call.text}: {why}")
        self._mutate(call, None, None)

    def _end_with(self, ctx: Context) -> None:
        """Dispose the machine when this context ends."""
        ctx.add_done_callback(lambda _: self.dispose())

    def handle_dispose(self, fn: DisposeHandler) -> None:
        """Call `fn(id, ctx)` when the machine is disposed; at once if it is already.

        What it raises is logged by the logger "asyncmachine", and the others are called.
        """
        check_callable(fn, "what handle_dispose takes")
        self._on_dispose(fn)

    def _on_dispose(self, fn: DisposeHandler) -> OnceKey:
        """`handle_dispose`, with a key for `_forget_dispose`."""
        with Lifecycle._making:
            if self._dispose_handlers is None:
                self._dispose_handlers = {}
        key = OnceKey()
        self._dispose_handlers[key] = fn
        if self._disposed:
            call_each(self._dispose_handlers, self.id, self.ctx)
        return key

    def _forget_dispose(self, key: object) -> None:
        """Do not call a function at the disposal, unless it was called already."""
        (self._dispose_handlers or {}).pop(key, None)

    def _keep_pipe(self, pipe: object) -> None:
        """Keep a pipe that begins here, for as long as its handlers are bound."""
        with Lifecycle._making:
            self._pipes = {**(self._pipes or {}), pipe: None}

    def _drop_pipe(self, pipe: object) -> None:
        (self._pipes or {}).pop(pipe, None)

    def is_disposed(self) -> bool:
        """Whether the disposal has finished."""
        return self._disposed

    def dispose(self) -> None:
        """Begin the end of the machine; returns at once, safe in handlers."""
        self._begin_dispose()
        disposer = self._disposer
        if not self._dispose_token or (disposer is not None and disposer.is_alive()):
            return
        self._disposer = disposer = self._thread_for(self._dispose_after_drain)
        try:
            disposer.start()
        except RuntimeError:  # the interpreter is shutting down and starts no threads
            self._finish_dispose(0)

    def dispose_force(self) -> None:
        """End the machine now, in this thread, without waiting for a drain or for tasks."""
        self._begin_dispose()
        self._finish_dispose(self.dispose_timeout)

    def _thread_for(self, work: Callable[[], object]) -> threading.Thread:
        name = f"dispose {self.id[:20]}"
        return threading.Thread(target=work, name=name, daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Dispose it, in this thread; a drain under way gets `dispose_timeout` to end.

        In a handler of the machine itself it only begins the disposal: it cannot wait.
        """
        from machine._waiting.deadlocks import is_held  # few need it

        if is_held(self):
            self.dispose()
            return
        self._begin_dispose()
        disposer = self._disposer
        if self._dispose_token and (disposer is None or not disposer.is_alive()):
            self._dispose_after_drain()
        else:
            self._subscriptions().when_disposed().wait(self._dispose_timeout)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(
            f"machine {self.id} cannot be pickled or copied: threads, handlers and waiters"
            " belong to this one; export() its states and import_() them into a new machine"
        )

    def _begin_dispose(self) -> None:
        """Request the disposal; steps that were done before are not repeated."""
        if self._disposing:
            self.log_lvl(LogLevel.DECISIONS, "[doDispose] already disposed")
        with Lifecycle._making:
            if self._dispose_token is None:
                self._dispose_token = [None]
            self._disposing = True
        self._set_slow()
        self.ctx.cancel()

    def _dispose_after_drain(self) -> None:
        until = monotonic() + self._dispose_timeout
        if not self._subscriptions().when_queue_ends().wait(self._dispose_timeout):
            text = "[doDispose] timeout waiting for queue to drain"
            self.log_lvl(LogLevel.DECISIONS, text)
        tasks = [task for task in list(self._tasks or ()) if not task.is_of_this_thread()]
        every(*tasks, timeout=until - monotonic())
        self._finish_dispose(until - monotonic())

    def _finish_dispose(self, tasks_timeout: float) -> None:
        """Dispose what is left, unless another thread does; waits this long for tasks."""
        right = self._dispose_token
        assert right is not None
        try:
            del right[0]
        except IndexError:
            return
        try:
            self._dispose_parts(tasks_timeout)
        except BaseException:
            try:
                self._dispose_parts(tasks_timeout)  # the rest, for those that wait for it
            except BaseException:
                right.append(None)
                raise
            raise

    def _dispose_parts(self, tasks_timeout: float) -> None:
        """Dispose what is not disposed yet, and release all waiters."""
        self.log_lvl(LogLevel.EVERYTHING, "[end] doDispose")
        node = self._node.automaton.node(())
        self._disposed = True
        self._queue.clear()
        self._node = node
        self._ticks = []
        hooks = self._hooks
        if hooks is not None:
            if self._hooks_to_dispose is None:
                self._hooks_to_dispose = iter(hooks.machine_dispose)
            hooks.fire(self._hooks_to_dispose, self.id)
        self._hooks = None
        self._bindings = NO_BINDINGS
        self._pipes = None
        if self._err is None:
            self._err = self.ctx.err
        if self._dispose_handlers:
            call_each(self._dispose_handlers, self.id, self.ctx)
        if self._state_contexts is not None:
            self._state_contexts.dispose()
        self._subscriptions().dispose()  # made if there are none, for those that come meanwhile
        self._release_last(tasks_timeout)

    def _release_last(self, tasks_timeout: float) -> None:
        """Release the waiters for the disposal, once the tasks have ended or time is over."""
        waiters, tasks = self._subscriptions(), list(self._tasks or ())
        if tasks and tasks_timeout > 0:
            with suppress(RuntimeError):  # the interpreter is shutting down, as above
                end = partial(waiters.end_disposal_after, tasks, tasks_timeout)
                self._thread_for(end).start()
                return
        waiters.end_disposal()
