"""Finds the handler or listener that calls into its own machine, by reading the stack.

The engine keeps no record of it, because that would slow down each handler call. So this is
slow, and only for rare calls.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple, Protocol

from machine._calling.tasks import running_loop
from machine._calling.thread import Job
from machine._engine.engine import Engine
from machine._waiting.stack import outwards, walks

if TYPE_CHECKING:
    from collections.abc import Callable

    from machine._calling.tasks import OwnedTask
    from machine._handlers.calls import HandlerCall
    from machine._transition.transition import Transition


class Entered(Protocol):
    """What finding a caller inside a machine needs of it."""

    _handler: str
    _tasks: dict[OwnedTask, None] | None

    def _all_error_listeners(self) -> list[Callable[..., object]]: ...


class RunningHandler(NamedTuple):
    """A handler that is running here, or the task that it left to its state."""

    tx: Transition
    handler: str
    task: OwnedTask | None = None

    def call(self) -> HandlerCall | None:
        """The call of that handler, while its transition is under way and it is not late."""
        tx, name = self.tx, self.handler
        if tx.machine._tx is not tx or name in tx.late:
            return None
        program = tx._program
        for call in (*program.negotiation, *program.finals):
            if call.name == name:
                return call
        return None


def is_in_error_listener(mach: Entered) -> bool:
    """Whether this is called by a function that `on_error` has called."""
    if not mach._all_error_listeners():
        return False
    code = Engine._store_err.__code__
    return any(
        frame.f_code is code and frame.f_locals["self"] is mach
        for frame in outwards(sys._getframe(1))
    )


def running_handler(mach: Entered) -> RunningHandler | None:
    """The innermost handler of this machine that calls this function."""
    for frame in outwards(sys._getframe(1)):
        if walks(frame.f_code):
            found = frame.f_locals
            if found["mach"] is mach and "tx" in found and mach._handler:
                return RunningHandler(found["tx"], mach._handler)
        elif frame.f_code is Job.run.__code__:
            event = frame.f_locals["self"].event
            if event.machine is mach:
                return RunningHandler(event._tx, event.name)
    return _task_here(mach)


def _task_here(mach: Entered) -> RunningHandler | None:
    loop = running_loop()
    if loop is None or not mach._tasks:
        return None
    from asyncio import current_task  # loaded, since a loop is running

    task = current_task(loop)
    for owned in list(mach._tasks):
        if owned.runs_in(task):
            return RunningHandler(owned.tx, owned.handler, owned)
    return None
