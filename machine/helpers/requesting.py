"""Requests: mutations that are tried again while they are canceled.

A request tries at once, then after a delay that doubles up to a limit, and gives up after a
number of retries or a time, whichever comes first. QUEUED counts as success, since its outcome
is not known yet. A machine that is disposed is not tried again.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import machine as am
from machine._given import checked_count, checked_seconds

if TYPE_CHECKING:
    from typing import Self

RETRIES = 10
DELAY_S = 0.1
BACKOFF_S_MAX = 5.0
DURATION_S_MAX = 5.0

ADD, REMOVE, SET = am.MutationType.ADD, am.MutationType.REMOVE, am.MutationType.SET


class MutRequest:
    """A mutation with its retries; the setters change it and return it.

    `clock` and `sleep` replace the monotonic clock and the waits between the tries, for tests. A
    request may be run several times, and by several threads.
    """

    __slots__ = (
        "_args",
        "_backoff",
        "_clock",
        "_delay",
        "_duration",
        "_mach",
        "_retries",
        "_sleep",
        "_states",
        "_type",
    )

    def __init__(
        self,
        mach: am.Machine,
        type: am.MutationType,
        states: am.Names,
        args: am.A | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        if type not in (ADD, REMOVE, SET):
            raise ValueError(f"a request is ADD, REMOVE or SET, not {type!r}")
        self._mach = mach
        self._type = type
        self._states = tuple(mach.must_parse_states(states))
        self._args = args
        self._clock = clock
        self._sleep = sleep
        self._retries = RETRIES
        self._delay = DELAY_S
        self._backoff = BACKOFF_S_MAX
        self._duration = DURATION_S_MAX

    def retries(self, count: int) -> Self:
        """Try at most so many times after the first one."""
        self._retries = checked_count(count, "the number of retries")
        return self

    def delay(self, seconds: float) -> Self:
        """Wait so long before the first retry; each further one waits twice as long."""
        self._delay = checked_seconds(seconds, "the delay of a request")
        return self

    def backoff(self, seconds: float) -> Self:
        """Wait at most so long between two tries."""
        self._backoff = checked_seconds(seconds, "the longest delay of a request")
        return self

    def max_duration(self, seconds: float) -> Self:
        """Begin no retry that would come later than this after the first try."""
        self._duration = checked_seconds(seconds, "the duration of a request")
        return self

    def clone(self) -> MutRequest:
        """A request of its own with the same settings."""
        made = MutRequest(
            self._mach, self._type, self._states, self._args, clock=self._clock, sleep=self._sleep
        )
        made.retries(self._retries).delay(self._delay)
        return made.backoff(self._backoff).max_duration(self._duration)

    def run(self, ctx: am.Context | None = None) -> am.Result:
        """Try until it is not canceled; the thread sleeps in between.

        Raises `CanceledError` with the last reason when it gives up, and the context's error if
        that ends first. Must not be called in a handler of the machine, which a wait would block.
        """
        tries = _Tries(self, ctx)
        while tries.result is am.Result.CANCELED:
            seconds = tries.next_delay()
            if self._sleep is not None:
                self._sleep(seconds)
            else:
                (ctx or am.background()).wait(seconds)
            tries.go()
        return tries.result

    async def a_run(
        self,
        ctx: am.Context | None = None,
        sleep: Callable[[float], Awaitable[object]] | None = None,
    ) -> am.Result:
        """Like `run`, for tasks."""
        tries = _Tries(self, ctx)
        while tries.result is am.Result.CANCELED:
            seconds = tries.next_delay()
            if sleep is not None:
                await sleep(seconds)
            else:
                await am.first_async(ctx or am.background(), timeout=seconds)
            tries.go()
        return tries.result

    def _mutate(self) -> am.Result:
        mach, states, args = self._mach, self._states, self._args
        if self._type is ADD:
            return mach.add(states, args)
        remove = self._type is REMOVE
        return mach.remove(states, args) if remove else mach.set(states, args)

    def __repr__(self) -> str:
        return f"<MutRequest {self._type} {' '.join(self._states)}>"


class _Tries:
    """The tries of one run; the first is made at once."""

    def __init__(self, request: MutRequest, ctx: am.Context | None) -> None:
        self._request = request
        self._ctx = ctx
        self._until = request._clock() + request._duration
        self._delay = min(request._delay, request._backoff)
        self._count = 0
        self.go()

    def go(self) -> None:
        """Try once; raises the error of a context that has ended."""
        if self._ctx is not None and self._ctx.err is not None:
            raise self._ctx.err
        self._count += 1
        self.result = self._request._mutate()

    def next_delay(self) -> float:
        """How long to wait before the next try; raises if there is none."""
        request, delay = self._request, self._delay
        reason = request._mach.last_refusal
        is_over = reason is not None and reason.kind is am.ReasonKind.DISPOSED
        is_late = request._clock() + delay > self._until
        if is_over or is_late or self._count > request._retries:
            tries = "1 try" if self._count == 1 else f"{self._count} tries"
            raise am.errors.CanceledError(f"{request!r} after {tries}: {reason}")
        self._delay = min(2 * delay, request._backoff)
        return delay


def new_mut_request(
    mach: am.Machine, type: am.MutationType, states: am.Names, args: am.A | None = None
) -> MutRequest:
    """A request for any mutation; raises for an unknown state."""
    return MutRequest(mach, type, states, args)


def new_req_add(mach: am.Machine, states: am.Names, args: am.A | None = None) -> MutRequest:
    """A request that adds these states."""
    return MutRequest(mach, ADD, states, args)


def new_req_add1(mach: am.Machine, state: str, args: am.A | None = None) -> MutRequest:
    """A request that adds this state."""
    return MutRequest(mach, ADD, (state,), args)


def new_req_remove(mach: am.Machine, states: am.Names, args: am.A | None = None) -> MutRequest:
    """A request that removes these states."""
    return MutRequest(mach, REMOVE, states, args)


def new_req_remove1(mach: am.Machine, state: str, args: am.A | None = None) -> MutRequest:
    """A request that removes this state."""
    return MutRequest(mach, REMOVE, (state,), args)
