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
from typing import Protocol

from machine._waiting.stack import drained_by, outwards
from machine.errors import DeadlockError

LOOPS = ("run_forever", "run")
LOOP_MODULES = ("asyncio.base_events", "asyncio.runners")


class Pinning(Protocol):
    """An executor, as the check needs it."""

    def is_here(self) -> bool: ...


class OwnsContexts(Protocol):
    """State contexts, as the check needs them."""

    def owns(self, ctx: object) -> bool: ...


class Held(Protocol):
    """A machine in whose drain the calling thread is."""

    _handler: str

    @property
    def id(self) -> str: ...
    @property
    def _executor(self) -> Pinning | None: ...
    @property
    def _state_contexts(self) -> OwnsContexts | None: ...


class Awaitable(Protocol):
    """A latch for which a thread or a task is about to wait."""

    @property
    def done(self) -> bool: ...
    def _end_text(self) -> str: ...
    def _keeper(self, held: Sequence[Held], *, blocks: bool) -> Held | None: ...


def is_held(mach: Held) -> bool:
    """Whether a drain of this machine is blocked until the calling thread goes on."""
    return any(held is mach for held in _held(sys._getframe(1)))


def check_blocking(latches: Sequence[Awaitable], *, needs_all: bool) -> None:
    """Raise if blocking this thread keeps all, or one of those that are needed, from ending."""
    held = list(_held(sys._getframe(1)))
    _check(latches, held, needs_all=needs_all, blocks=True)


def check_awaiting(latches: Sequence[Awaitable]) -> None:
    """The same for a task: its loop must not be one that a handler itself runs."""
    held = list(_held(sys._getframe(1), below_loop=True))
    _check(latches, held, needs_all=False, blocks=False)


def _check(
    latches: Sequence[Awaitable], held: Sequence[Held], *, needs_all: bool, blocks: bool
) -> None:
    waits = [(latch, latch._keeper(held, blocks=blocks)) for latch in latches]
    stuck = [(latch, mach) for latch, mach in waits if mach is not None and not latch.done]
    if stuck and (needs_all or len(stuck) == len(waits)):
        raise DeadlockError(_reason(*stuck[0], held))


def _reason(latch: Awaitable, mach: Held, held: Iterable[Held]) -> str:
    what = latch._end_text()
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


def _held(frame: FrameType | None, *, below_loop: bool = False) -> Iterator[Held]:
    """The machines in whose drain this frame is, from the inside out."""
    for caller in outwards(frame):
        if below_loop:
            below_loop = not _runs_loop(caller)
        elif (mach := drained_by(caller)) is not None:
            yield mach


def _runs_loop(frame: FrameType) -> bool:
    return frame.f_code.co_name in LOOPS and frame.f_globals.get("__name__") in LOOP_MODULES
