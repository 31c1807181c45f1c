"""Waiting for the first, or for all, of several things."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

import machine as am
from machine._waiting.context import Context

Make = Callable[..., am.Machine]


@pytest.fixture
def mach(made: Make) -> am.Machine:
    """A machine with four inactive states."""
    return made()


def in_thread(fn: Callable[..., object], *args: object) -> threading.Thread:
    """A thread that was started."""
    thread = threading.Thread(target=fn, args=args)
    thread.start()
    return thread


def test_first_returns_the_handle_that_won(mach: am.Machine) -> None:
    """The select of the founding example: an error, done, or a timeout."""
    done = mach.when1("B")
    thread = in_thread(mach.add1, "B")
    winner = am.first(mach.when_err(), done, timeout=10)
    thread.join()

    assert winner is done


def test_first_prefers_what_is_listed_first(mach: am.Machine) -> None:
    """Of several that have ended before, the order of the call decides."""
    mach.add(["A", "B"])
    one, other = mach.when1("B"), mach.when1("A")

    assert am.first(mach.when1("C"), one, other) is one


def test_first_gives_none_after_the_timeout(mach: am.Machine) -> None:
    """A timeout is no winner."""
    assert am.first(mach.when1("A"), mach.when1("B"), timeout=0) is None


def test_first_takes_contexts_too(mach: am.Machine) -> None:
    """Handles and contexts can be mixed, and the same one may be given twice."""
    ctx = Context()
    handle = mach.when1("A")
    thread = in_thread(ctx.cancel)
    winner = am.first(handle, ctx, ctx, handle, timeout=10)
    thread.join()

    assert winner is ctx


def test_several_winners_at_once_make_one(mach: am.Machine) -> None:
    """Of what ends in one transition the first that was released is returned."""
    late, early = mach.when_ticks("A", 1), mach.when1("A")
    ready = threading.Event()

    class Watch(am.Tracer):
        def transition_init(self, tx: am.Transition) -> None:
            ready.wait(10)

    mach.bind_tracer(Watch())
    thread = in_thread(mach.add1, "A")
    timer = threading.Timer(0.01, ready.set)
    timer.start()
    winner = am.first(late, early, timeout=10)
    thread.join()
    timer.join()

    assert winner in (early, late)
    assert early
    assert late


def test_losers_made_in_the_call_leave_the_index(mach: am.Machine) -> None:
    """After `first`, nothing of the losers is left."""
    mach.add1("A")
    am.first(mach.when_err(), mach.when1("B"), mach.when1("A"), mach.when1("C"))
    am.first(mach.when_err(), mach.when1("B"), timeout=0)

    assert len(mach._subscriptions()) == 0


def test_losers_held_elsewhere_wait_on(mach: am.Machine) -> None:
    """A handle can take part in many selects, one after the other."""
    err = mach.when_err()
    for state in ("A", "B", "C"):
        mach.add1(state)
        winner = am.first(err, mach.when1(state))
        assert winner is not None
        assert winner is not err
    mach.add_err(RuntimeError("boom"))

    assert am.first(err, mach.when1("D")) is err


def test_nothing_to_wait_for_is_an_error() -> None:
    """`first` of nothing would never return."""
    with pytest.raises(TypeError, match="nothing to wait for"):
        am.first()


def test_every_waits_for_all(mach: am.Machine) -> None:
    """All have to end, in whatever order."""
    handles = [mach.when1("A"), mach.when1("B"), Context().with_timeout(0)]

    def work() -> None:
        mach.add1("B")
        mach.add1("A")

    thread = in_thread(work)

    assert am.every(*handles, timeout=10)
    assert am.every(*handles)
    thread.join()


def test_every_gives_false_after_the_timeout(mach: am.Machine) -> None:
    """One that is missing is enough; of nothing, all have ended."""
    mach.add1("A")

    assert not am.every(mach.when1("A"), mach.when1("B"), timeout=0)
    assert am.every(timeout=0)
    assert len(mach._subscriptions()) == 0


async def test_first_async_returns_the_handle_that_won(mach: am.Machine) -> None:
    """The same for tasks, released from a thread."""
    done = mach.when1("B")
    thread = in_thread(mach.add1, "B")
    winner = await am.first_async(mach.when_err(), done, timeout=10)
    thread.join()

    assert winner is done
    assert await am.first_async(mach.when_err(), done) is done


async def test_first_async_gives_none_after_the_timeout(mach: am.Machine) -> None:
    """A timeout is no winner, and leaves nothing behind."""
    assert await am.first_async(mach.when1("A"), Context(), timeout=0) is None
    assert len(mach._subscriptions()) == 0


async def test_a_canceled_first_async_leaves_nothing(mach: am.Machine) -> None:
    """Canceling the task takes back all registrations."""

    async def work() -> None:
        await am.first_async(mach.when1("A"), mach.when1("B"))

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    assert len(mach._subscriptions()) == 2
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    del task

    assert len(mach._subscriptions()) == 0


async def test_a_canceled_every_async_leaves_nothing(mach: am.Machine) -> None:
    """Canceling the task takes the subscriptions back that nobody else holds."""

    async def work() -> None:
        await am.every_async(mach.when1("A"), mach.when1("B"))

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    assert len(mach._subscriptions()) == 2
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert len(mach._subscriptions()) == 0


async def test_every_async_waits_for_all(mach: am.Machine) -> None:
    """All have to end before the task goes on."""

    def work() -> None:
        mach.add1("B")
        mach.add1("A")

    thread = in_thread(work)

    assert await am.every_async(mach.when1("A"), mach.when1("B"))
    thread.join()


async def test_every_async_gives_false_after_the_timeout(mach: am.Machine) -> None:
    """One that is missing is enough."""
    mach.add1("A")

    assert not await am.every_async(mach.when1("A"), mach.when1("B"), timeout=0)
    assert len(mach._subscriptions()) == 0
