"""Waits for several things at once.

Wait handles and contexts can be mixed. When the call returns, times out or is
canceled, it stops waiting for the others: handles made in the call itself leave the
machine's index, those held elsewhere go on.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TypeVar

from machine._given import checked_timeout
from machine._waiting.gates import open_gate, wake
from machine._waiting.latch import Latch, loop_of_caller
from machine._waiting.timers import timers

Waited = TypeVar("Waited", bound=Latch)


def first(*waited: Waited, timeout: float | None = None) -> Waited | None:
    """Block until one of these has ended, and return it; None after `timeout` seconds.

    Of several that have ended before the call, the one listed first is returned. How it
    ended, such as by its context, is for the caller to check. Raises `DeadlockError` where
    none of them could end before the calling thread goes on.
    """
    checked_timeout(timeout)
    won: list[Waited] = []
    gate = threading.Lock()
    gate.acquire()

    def finish(latch: Waited) -> None:
        won.append(latch)
        if won[0] is latch:
            open_gate(gate)

    each = _each(waited)
    try:
        ended = [one for one in each if not one._watch(gate, finish)]
        if ended:
            return ended[0]
        if timeout is None or timeout > 0:
            from machine._waiting.deadlocks import check_blocking  # few threads wait

            check_blocking(each, needs_all=False)
        timers.acquire(gate, timeout)
    finally:
        _unwatch(each, gate)
    return won[0] if won else None


def every(*waited: Latch, timeout: float | None = None) -> bool:
    """Block until all of these have ended; False if they have not after `timeout` seconds.

    Raises `DeadlockError` where one of them cannot end before the calling thread goes on.
    """
    checked_timeout(timeout)
    each = _each(waited) if waited else []
    if timeout is None or timeout > 0:
        from machine._waiting.deadlocks import check_blocking  # as above

        check_blocking(each, needs_all=True)
    if timeout is None:
        return all(latch._block(None) for latch in each)
    until = timers.now() + timeout
    return all(latch._block(until - timers.now()) for latch in each)


async def first_async(
    *waited: Waited,
    timeout: float | None = None,  # noqa: ASYNC109 - the twin of `first`
) -> Waited | None:
    """Like `first`, for tasks."""
    checked_timeout(timeout)
    each = _each(waited)
    del waited
    try:
        return await _first_of(each, timeout)
    except BaseException:
        each.clear()  # or the traceback would keep them alive
        raise


async def every_async(
    *waited: Latch,
    timeout: float | None = None,  # noqa: ASYNC109 - the twin of `every`
) -> bool:
    """Like `every`, for tasks."""
    checked_timeout(timeout)
    left = _each(waited)[::-1] if waited else []
    del waited
    until = None if timeout is None else timers.now() + timeout
    try:
        while left:
            seconds = None if until is None else until - timers.now()
            if await _first_of(left[-1:], seconds) is None:
                return False
            left.pop()
    except BaseException:
        left.clear()  # as above
        raise
    return True


async def _first_of(waited: list[Waited], timeout: float | None) -> Waited | None:  # noqa: ASYNC109
    import asyncio

    loop = loop_of_caller()
    won: asyncio.Future[Waited] = loop.create_future()
    ended = [one for one in waited if not one._watch(won, partial(wake, loop, won))]
    try:
        if ended:
            return ended[0]
        from machine._waiting.deadlocks import check_awaiting

        check_awaiting(waited)
        await timers.settled(won, timeout)
    finally:
        _unwatch(waited, won)
        del waited
    return won.result() if won.done() else None


def _each(waited: tuple[Waited, ...]) -> list[Waited]:
    if not waited:
        raise TypeError("nothing to wait for")
    for one in waited:
        if not isinstance(one, Latch):
            raise TypeError(f"handles and contexts can be waited for, not {one!r:.60}")
    return list(dict.fromkeys(waited))


def _unwatch(waited: list[Waited], key: object) -> None:
    for latch in waited:
        latch._unwatch(key)
