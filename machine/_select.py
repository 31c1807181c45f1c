"""Waiting for several things at once.

Wait handles and contexts can be mixed. Whatever is not needed any more, the losers of
`first` above all, is taken back when the call returns, times out or is canceled: handles
made in the call itself leave the machine's index with it, those held elsewhere go on.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TypeVar

from machine._latch import Latch, wake

Waited = TypeVar("Waited", bound=Latch)


def first(*waited: Waited, timeout: float | None = None) -> Waited | None:
    """Block until one of these has ended, and return it; None after `timeout` seconds.

    Of several that have ended before the call, the one listed first is returned. How it
    ended, say by its context, is for the caller to look at.
    """
    won: list[Waited] = []
    gate = threading.Lock()
    gate.acquire()

    def finish(latch: Waited) -> None:
        won.append(latch)
        if won[0] is latch:
            gate.release()

    each = _each(waited)
    try:
        for latch in each:
            if not latch._watch(gate, finish):
                return latch
        seconds = -1 if timeout is None else min(max(0, timeout), threading.TIMEOUT_MAX)
        gate.acquire(timeout=seconds)
    finally:
        _unwatch(each, gate)
    return won[0] if won else None


def every(*waited: Latch, timeout: float | None = None) -> bool:
    """Block until all of these have ended; False if they have not after `timeout` seconds."""
    if timeout is None:
        return all(latch._block(None) for latch in waited)
    until = time.monotonic() + timeout
    return all(latch._block(until - time.monotonic()) for latch in waited)


async def first_async(
    *waited: Waited,
    timeout: float | None = None,  # noqa: ASYNC109 - the twin of `first`
) -> Waited | None:
    """Like `first`, for tasks."""
    import asyncio

    each = _each(waited)
    loop = asyncio.get_running_loop()
    won: asyncio.Future[Waited] = loop.create_future()
    try:
        for latch in each:
            if not latch._watch(won, partial(wake, loop, won)):
                return latch
        await asyncio.wait([won], timeout=timeout)
    finally:
        _unwatch(each, won)
    return won.result() if won.done() else None


async def every_async(
    *waited: Latch,
    timeout: float | None = None,  # noqa: ASYNC109 - the twin of `every`
) -> bool:
    """Like `every`, for tasks."""
    import asyncio

    try:
        async with asyncio.timeout(timeout):
            for latch in waited:
                await latch
    except TimeoutError:
        return all(latch.done for latch in waited)
    return True


def _each(waited: tuple[Waited, ...]) -> list[Waited]:
    if not waited:
        raise TypeError("nothing to wait for")
    return list(dict.fromkeys(waited))


def _unwatch(waited: list[Waited], key: object) -> None:
    for latch in waited:
        latch._unwatch(key)
