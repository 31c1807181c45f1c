"""Detects deadlocks: waits for a machine whose drain is blocked by the waiting thread.

A handler, a callback, a tracer or an eval runs in the middle of a drain, in the thread that
drains. If it blocks until its machine changes, it waits for itself: the machine goes on once
the drain does, and the drain once the call returns. Such a wait raises `DeadlockError` at
once, with a timeout too, because it could never succeed. `wait(0)` is allowed, as it does
not block.

A machine is *held* if the calling thread is inside its drain. Several may be held: a handler
of one machine mutates another, whose handler runs on the same thread. With a thread for
handlers, the drainer waits for the handler, so what holds the drainer holds its handler as
well. A machine that is pinned to an event loop changes only on that loop's thread, so no
code may block that thread until the machine changes; tasks `await`.

The check runs only before a thread blocks, so nothing else pays for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from types import FrameType
from typing import TYPE_CHECKING

from machine._calling.thread import Job
from machine._engine.engine import Engine
from machine._engine.recovery import mend
from machine._engine.unwatched import run_unwatched
from machine._engine.walk import walk
from machine._machine.restructuring import Restructuring
from machine._waiting.context import Context
from machine._waiting.handle import WaitHandle
from machine.errors import DeadlockError

if TYPE_CHECKING:
    from machine._waiting.latch import Latch

DRAINS = {
    id(function.__code__): name
    for function, name in (
        (walk, "mach"),
        (run_unwatched, "mach"),
        (Engine._apply, "self"),
        (Engine._carry_out, "self"),
        (Engine._drain, "self"),
        (mend, "mach"),
        (Restructuring._move_to, "self"),
    )
}
"""The functions that run only in a drain, and the name of the machine in each."""

LOOPS = ("run_forever", "run")
LOOP_MODULES = ("asyncio.base_events", "asyncio.runners")


def is_held(mach: Engine) -> bool:
    """Whether a drain of this machine is blocked until the calling thread goes on."""
    return any(held is mach for held in _held(sys._getframe(1)))


def check_blocking(latches: Sequence[Latch], *, needs_all: bool) -> None:
    """Raise if blocking this thread keeps all, or one of those that are needed, from ending."""
    held = list(_held(sys._getframe(1)))
    _check(latches, held, needs_all=needs_all, blocks=True)


def check_awaiting(latches: Sequence[Latch]) -> None:
    """The same for a task: its loop must not be one that a handler itself runs."""
    held = list(_held(sys._getframe(1), below_loop=True))
    _check(latches, held, needs_all=False, blocks=False)


def _check(latches: Sequence[Latch], held: list[Engine], *, needs_all: bool, blocks: bool) -> None:
    waits = [(latch, _keeper(latch, held, blocks=blocks)) for latch in latches]
    stuck = [(latch, mach) for latch, mach in waits if mach is not None and not latch.done]
    if stuck and (needs_all or len(stuck) == len(waits)):
        raise DeadlockError(_words(stuck, held))


def _keeper(latch: Latch, held: Iterable[Engine], *, blocks: bool) -> Engine | None:
    """The machine that has to go on before this ends, and cannot."""
    if isinstance(latch, WaitHandle):
        subscription = latch._subscription
        mach = None if subscription is None else getattr(subscription.home, "host", None)
        if mach is None:
            return None
        pinned = blocks and mach._executor is not None and mach._executor.is_here()
        return mach if pinned or any(one is mach for one in held) else None
    if isinstance(latch, Context):
        return next((mach for mach in held if _is_state_context(mach, latch)), None)
    return None


def _is_state_context(mach: Engine, ctx: Context) -> bool:
    contexts = mach._state_contexts
    return contexts is not None and any(live is ctx for live in list(contexts._live.values()))


def _words(stuck: Sequence[tuple[Latch, Engine | None]], held: Iterable[Engine]) -> str:
    latch, mach = stuck[0]
    assert mach is not None  # or it would not be stuck
    what = latch.waits_for() if isinstance(latch, WaitHandle) else f"the end of {latch!r}"
    if not any(one is mach for one in held):
        return (
            f"this would block the event loop that runs machine {mach.id}, and so wait for"
            f" {what} for ever; await the handle instead"
        )
    who = f"handler {mach._handler}" if mach._handler else "a callback, tracer or eval"
    return (
        f"{who} of machine {mach.id} waits for {what}, which cannot come before it returns;"
        " wait in another thread or in a coroutine handler"
    )


def _held(frame: FrameType | None, *, below_loop: bool = False) -> Iterator[Engine]:
    """The machines in whose drain this frame is, from the inside out."""
    for caller in outwards(frame):
        code = caller.f_code
        name = DRAINS.get(id(code))
        if below_loop:
            below_loop = not _runs_loop(caller)
        elif name is not None:
            yield caller.f_locals[name]
        elif code is Job.run.__code__:
            job: Job = caller.f_locals["self"]
            if job.is_awaited():
                yield job.event.machine


def outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame and its callers; from a thread for handlers on into the drainer that waits."""
    while frame is not None:
        yield frame
        if frame.f_code is Job.run.__code__:
            job: Job = frame.f_locals["self"]
            if job.is_awaited():
                frame = sys._current_frames().get(job.drainer)
                continue
        frame = frame.f_back


def _runs_loop(frame: FrameType) -> bool:
    return frame.f_code.co_name in LOOPS and frame.f_globals.get("__name__") in LOOP_MODULES
