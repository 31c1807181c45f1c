"""Tasks: coroutines of final handlers, which run while their state is active.

`async def FooState(self, e)` is called like any final handler and returns a coroutine. The
coroutine runs as a task while the transition goes on; nothing waits for it. The task
belongs to its state and ends with its owner at the latest:

- `FooState`: with this activation of Foo. The owner is the state context, so activating an
  active multi state again starts one more task and ends none.
- `FooEnd`: when Foo activates again.
- `AnyState`: with the machine.

When the owner ends, which is after `transition_end` as for every state context, or when the
machine's disposal begins, the task is canceled: `CancelledError` is raised where it awaits.
A task that deactivates its own state is canceled too, at its next `await`; if it has none
left it simply ends. That cancellation is not logged. Any other error of a task becomes
the `Exception` state, with the handler's transition as the source; an error of a handler
that itself handles an error is only logged (`_calling.nested_errors`). If something else cancels
what the task awaits, but not the task, that is an error too, because the work is lost and
nothing else would report it. With `panic_to_exception` off, errors go to the exception handler of
the loop.

A task never begins once its owner has ended: the coroutine starts in the task's first step
on its loop, which checks the owner first. So even if that step comes late, no part of the
handler's body runs.

Where it runs: on the loop that runs in the thread that called the handler, else on one
loop in the background (`_calling.background`). It sees the context variables of the handler. A
pinned machine (`_engine.executor`) calls its handlers on its loop, so its tasks are there too.

Threads: a task is started, canceled and ended on its loop; a thread that ends the owner
only sends the loop a request. A closed loop has dropped its tasks, and such a request has no
effect. Each task is a latch that ends with it; `Machine.when_tasks_end` and the disposal
wait for it.
"""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, NamedTuple

from machine._enums import OPS
from machine._handlers.calls import Phase
from machine._transition.event import new_event
from machine._waiting.latch import Latch, call_each
from machine.errors import TaskCanceledError

if TYPE_CHECKING:
    import asyncio

    from machine._handlers.calls import HandlerCall
    from machine._transition.transition import Transition

Work = Coroutine[Any, Any, object]


class StateTask(NamedTuple):
    """A task as `Machine.tasks` lists it.

    `handler` is the name of the coroutine handler, `state` whose task it is (empty for
    `AnyState`), `transition_id` the transition that started it. `running` is False before its
    first step on the loop and after its end.
    """

    handler: str
    state: str
    transition_id: str
    running: bool


def start_task(tx: Transition, call: HandlerCall, work: Work) -> None:
    """Run a final handler's coroutine as a task of its state; by the drainer."""
    here = running_loop()
    loop = here or _background_loop()
    if loop is None:
        _drop_coroutine(tx, call.name, work)
    else:
        OwnedTask(tx, call, work, _owner(tx, call), loop).begin(here=here is not None)


def _owner(tx: Transition, call: HandlerCall) -> Latch:
    mach = tx.machine
    if call.phase is Phase.STATE:
        return mach.new_state_ctx(_state(tx, call))
    if call.phase is Phase.END:
        return mach.when_next_active(_state(tx, call), mach.ctx)
    return mach.ctx


def _state(tx: Transition, call: HandlerCall) -> str:
    names = tx.plan.node.automaton.schema.names
    return names[call.source] if call.source >= 0 else ""


def _background_loop() -> asyncio.AbstractEventLoop | None:
    from machine._calling.background import background_loop

    try:
        return background_loop.loop()
    except RuntimeError:  # the program ends and starts no threads
        return None


def _drop_coroutine(tx: Transition, handler: str, work: Work) -> None:
    """Close a coroutine that will never run, so that Python does not warn about it."""
    work.close()
    tx.machine.log_lvl(OPS, f"[task:cancel] {handler}")


class OwnedTask(Latch):
    """One coroutine, the loop on which it runs, and the owner whose end cancels it."""

    __slots__ = (
        "_begun",
        "_loop",
        "_owner",
        "_task",
        "_work",
        "handler",
        "phase",
        "state",
        "tx",
    )

    def __init__(
        self,
        tx: Transition,
        call: HandlerCall,
        work: Work,
        owner: Latch,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__()
        self.handler = call.name
        self.phase = call.phase
        self.state = _state(tx, call)
        self.tx = tx
        self._work = work
        self._owner = owner
        self._loop = loop
        self._task: asyncio.Task[object] | None = None
        self._begun = False

    def is_of_this_thread(self) -> bool:
        """Whether its loop runs in the calling thread, which therefore cannot wait for it."""
        return running_loop() is self._loop

    def view(self) -> StateTask:
        """Its entry in `Machine.tasks`."""
        work = self._work
        running = getattr(work, "cr_running", False) or getattr(work, "cr_suspended", True)
        return StateTask(self.handler, self.state, self.tx.id, bool(running))

    def begin(self, *, here: bool) -> None:
        """Start it; through its loop's queue unless that loop runs here.

        The owner is watched first, so that its end in another thread is noticed even before
        the task is on its loop.
        """
        if not self._owner._watch(self, self._owner_ended):
            _drop_coroutine(self.tx, self.handler, self._work)
            return
        mach = self.tx.machine
        try:
            if mach._tasks is None:
                mach._tasks = {}
            mach._tasks[self] = None
            mach.log_lvl(OPS, f"[task:new] {self.handler}")
            if here:
                self._start()
            else:
                self._loop.call_soon_threadsafe(self._start)
        except BaseException:  # nothing may wait for a task that was not started
            self._forget()
            raise

    def _start(self) -> None:
        if self._done or self._owner._done:
            self._forget()
            _drop_coroutine(self.tx, self.handler, self._work)
            return
        name = f"{self.tx.machine.id} {self.handler}"
        self._task = self._loop.create_task(self._enter(), name=name)
        self._task.add_done_callback(self._ended)

    async def _enter(self) -> object:
        """The first step of the task."""
        if self._owner._done:
            return None
        self._begun = True
        return await self._work

    def _owner_ended(self, _: object) -> None:
        if running_loop() is self._loop:
            self._cancel()
            return
        try:
            self._loop.call_soon_threadsafe(self._cancel)
        except RuntimeError:  # closed, and the task gone with it
            self._forget()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _ended(self, task: asyncio.Task[object]) -> None:
        try:
            self._conclude(task)
        finally:
            self._forget()

    def _conclude(self, task: asyncio.Task[object]) -> None:
        mach = self.tx.machine
        (mach._tasks or {}).pop(self, None)
        if not self._begun:
            _drop_coroutine(self.tx, self.handler, self._work)
            return
        error = _error_of(task, self.handler)
        if error is None:
            how = "cancel" if task.cancelled() else "end"
            mach.log_lvl(OPS, f"[task:{how}] {self.handler}")
            return
        mach.log_lvl(OPS, f"[task:err] {self.handler}")
        if mach.panic_to_exception:
            self._report(error)
        else:
            message = f"task of {self.handler} failed"
            context = {"message": message, "exception": error, "task": task}
            self._loop.call_exception_handler(context)

    def _report(self, error: BaseException) -> None:
        """Add the error of the task, or only log it if the task was handling one."""
        tx = self.tx
        if tx.plan.call.calls_exception:
            from machine._calling.nested_errors import report_nested  # most tasks do not fail

            report_nested(tx.machine, self.handler, error)
            return
        self.hold_back()
        tx.machine.ev_add_err(new_event(self.handler, tx), error)

    def hold_back(self) -> None:
        """Hold back the task's auto state, since the task failed."""
        if self.phase is Phase.STATE:
            from machine._calling.held_back import hold_back_soon  # as above

            hold_back_soon(self.tx.machine, self.state)

    def runs_in(self, task: object) -> bool:
        """Whether this is the asyncio task that runs it."""
        return self._task is task

    def _forget(self) -> None:
        """End it: stop watching the owner, and release everything that waits for the task."""
        self._done = True
        self._owner._unwatch(self)
        (self.tx.machine._tasks or {}).pop(self, None)
        call_each(self._callbacks, self)


def _error_of(task: asyncio.Task[object], handler: str) -> BaseException | None:
    """Why a task failed; None if it finished or was canceled with its owner."""
    if not task.cancelled():
        return task.exception()
    if task.cancelling():
        return None
    import asyncio

    error = TaskCanceledError(f"{handler} awaited something that was canceled")
    try:
        task.result()
    except asyncio.CancelledError as canceled:
        error.__cause__ = canceled
        error.__traceback__ = canceled.__traceback__
    return error


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop that runs in this thread, if one does."""
    events: Any = sys.modules.get("asyncio.events")  # while it is not loaded none can run
    loop: asyncio.AbstractEventLoop | None = None if events is None else events._get_running_loop()
    return loop
