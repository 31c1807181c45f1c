"""Waits for all or any of several handles, with a context, a time limit and a machine's errors.

The order of things: the end of the context is looked at first, then an error of the machine, then
the handles. So a handle that has ended together with an error does not hide it. A handle counts
however it ended; look at its `reason` if that matters. Waiting for none returns at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import machine as am
from machine.helpers.driving import Plan, Waited, block, drive, with_ctx


def wait_for_all(ctx: am.Context | None, timeout: float | None, *handles: Waited) -> None:
    """Block until all of these have ended, for `timeout` seconds at most; None for no limit.

    Raises `TimeoutError_` after the time, and the context's error if that ends first.
    """
    block(_all(ctx, timeout, None, handles))


async def a_wait_for_all(
    ctx: am.Context | None,
    timeout: float | None,  # noqa: ASYNC109 - the twin of `wait_for_all`
    *handles: Waited,
) -> None:
    """Like `wait_for_all`, for tasks."""
    await drive(_all(ctx, timeout, None, handles))


def wait_for_err_all(
    ctx: am.Context | None, timeout: float | None, mach: am.MachineApi, *handles: Waited
) -> None:
    """Like `wait_for_all`; raises the machine's error if `Exception` is or becomes active."""
    block(_all(ctx, timeout, mach, handles))


async def a_wait_for_err_all(
    ctx: am.Context | None,
    timeout: float | None,  # noqa: ASYNC109 - the twin of `wait_for_err_all`
    mach: am.MachineApi,
    *handles: Waited,
) -> None:
    """Like `wait_for_err_all`, for tasks."""
    await drive(_all(ctx, timeout, mach, handles))


def wait_for_any(ctx: am.Context | None, timeout: float | None, *handles: Waited) -> Waited:
    """Block until one of these has ended, and return it; raises as `wait_for_all` does.

    Of several that have ended the one listed first is returned. At least one is needed.
    """
    return block(_any(ctx, timeout, None, handles))


async def a_wait_for_any(
    ctx: am.Context | None,
    timeout: float | None,  # noqa: ASYNC109 - the twin of `wait_for_any`
    *handles: Waited,
) -> Waited:
    """Like `wait_for_any`, for tasks."""
    return await drive(_any(ctx, timeout, None, handles))


def wait_for_err_any(
    ctx: am.Context | None, timeout: float | None, mach: am.MachineApi, *handles: Waited
) -> Waited:
    """Like `wait_for_any`; raises the machine's error if `Exception` is or becomes active."""
    return block(_any(ctx, timeout, mach, handles))


async def a_wait_for_err_any(
    ctx: am.Context | None,
    timeout: float | None,  # noqa: ASYNC109 - the twin of `wait_for_err_any`
    mach: am.MachineApi,
    *handles: Waited,
) -> Waited:
    """Like `wait_for_err_any`, for tasks."""
    return await drive(_any(ctx, timeout, mach, handles))


def group_when1(
    machs: Iterable[am.MachineApi], state: str, ctx: am.Context | None = None
) -> list[am.WaitHandle]:
    """A `when1` handle of each machine for the same state, for `wait_for_all` and the like.

    Raises `StateMissingError`, which names the machine, before any handle is made.
    """
    group = list(machs)
    for mach in group:
        if not mach.has1(state):
            raise am.errors.StateMissingError([state], mach.id, mach.state_names())
    return [mach.when1(state, ctx) for mach in group]


def _all(
    ctx: am.Context | None,
    timeout: float | None,
    mach: am.MachineApi | None,
    handles: tuple[Waited, ...],
) -> Plan[None]:
    limit = _Limit(ctx, timeout, mach)
    limit.check(is_over=False)
    for handle in handles:
        while not handle.done:
            ended = yield limit.waited(handle), limit.left()
            limit.check(is_over=ended is None)


def _any(
    ctx: am.Context | None,
    timeout: float | None,
    mach: am.MachineApi | None,
    handles: tuple[Waited, ...],
) -> Plan[Waited]:
    if not handles:
        raise TypeError("nothing to wait for")
    limit = _Limit(ctx, timeout, mach)
    limit.check(is_over=False)
    while True:
        for handle in handles:
            if handle.done:
                return handle
        ended = yield limit.waited(*handles), limit.left()
        limit.check(is_over=ended is None)


class _Limit:
    """What ends a wait early: the context, the machine's errors, the time."""

    def __init__(
        self, ctx: am.Context | None, timeout: float | None, mach: am.MachineApi | None
    ) -> None:
        self._ctx = ctx
        self._timeout = timeout
        self._until = None if timeout is None else time.monotonic() + timeout
        self._mach = mach
        self._failed = None if mach is None else mach.when_err()

    def waited(self, *handles: Waited) -> tuple[Waited, ...]:
        """These handles, and what ends the wait early."""
        failed = () if self._failed is None else (self._failed,)
        return with_ctx(self._ctx, *failed, *handles)

    def left(self) -> float | None:
        """How many seconds are left; None for no limit."""
        return None if self._until is None else max(0.0, self._until - time.monotonic())

    def check(self, *, is_over: bool) -> None:
        """Raise if the context has ended, the machine has an error, or the time `is_over`."""
        if self._ctx is not None and self._ctx.err is not None:
            raise self._ctx.err
        if self._mach is not None and self._failed is not None and self._failed.reason == "match":
            raise self._mach.err or RuntimeError(f"Exception of {self._mach.id} has no error")
        if is_over:
            raise am.errors.TimeoutError_(f"nothing ended within {self._timeout} s")
