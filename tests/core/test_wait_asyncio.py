"""Waiting in tasks, on whatever loop they run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

import machine as am
from machine._waiting.context import Context

Make = Callable[..., am.Machine]


async def test_a_task_is_woken_by_its_own_thread(made: Make) -> None:
    """A mutation on the loop's thread lets the awaiting task go on."""
    mach = made()
    asyncio.get_running_loop().call_soon(mach.add1, "A")

    assert await mach.when1("A")


async def test_a_task_is_woken_by_another_thread(made: Make) -> None:
    """A mutation on another thread reaches the loop."""
    mach = made()
    thread = threading.Thread(target=mach.add1, args=("A",))
    handle = mach.when1("A")
    asyncio.get_running_loop().call_soon(thread.start)

    assert await handle
    assert await handle
    thread.join()


async def test_a_wait_that_ends_otherwise_gives_false(made: Make) -> None:
    """Only a match is True."""
    mach = made()
    ctx = Context()
    asyncio.get_running_loop().call_soon(ctx.cancel)

    assert not await mach.when1("A", ctx)


async def test_a_canceled_task_takes_its_subscription_along(made: Make) -> None:
    """CancelledError goes through, and the index is empty at once."""
    mach = made()

    async def work() -> None:
        await mach.when1("A")

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    assert len(mach._subscriptions()) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert len(mach._subscriptions()) == 0


async def test_the_error_of_a_canceled_task_does_not_keep_the_subscription(made: Make) -> None:
    """Even while the exception and its traceback are held, nothing of the wait is left."""
    mach = made()

    async def work() -> None:
        await mach.when1("A")

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task

    assert caught.value is not None
    assert len(mach._subscriptions()) == 0


async def test_canceling_one_of_two_tasks_leaves_the_other_waiting(made: Make) -> None:
    """A handle that others wait for is not taken from them."""
    mach = made()
    handle = mach.when1("A")

    async def work() -> bool:
        return await handle

    first, second = asyncio.ensure_future(work()), asyncio.ensure_future(work())
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    mach.add1("A")

    assert await second


async def test_a_handle_can_be_awaited_again_after_a_timeout(made: Make) -> None:
    """`asyncio.wait_for` cancels the wait, not the handle that is still held."""
    mach = made()
    handle = mach.when1("A")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(handle, 0.001)
    assert not handle.done
    mach.add1("A")

    assert await handle


async def test_a_wait_with_a_timeout_leaves_nothing(made: Make) -> None:
    """`asyncio.timeout` around a wait takes the subscription back."""
    mach = made()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await mach.when1("A")

    assert len(mach._subscriptions()) == 0


def test_one_machine_serves_loops_one_after_the_other(made: Make) -> None:
    """Without a loop, in a loop, and in another one after that: all three work."""
    mach = made()

    async def wait_for(state: str) -> bool:
        asyncio.get_running_loop().call_soon(mach.add1, state)
        return await mach.when1(state)

    mach.add1("A")
    assert mach.when1("A").wait(0)
    assert asyncio.run(wait_for("B"))
    assert asyncio.run(wait_for("C"))


def test_a_task_left_on_a_closed_loop_does_not_break_mutations(made: Make) -> None:
    """A waiter on a loop that is closed does not affect the machine."""
    mach = made()
    handle = mach.when1("A")
    waiting = iter(handle.__await__())
    loop = asyncio.new_event_loop()

    async def begin() -> None:
        next(waiting)

    loop.run_until_complete(begin())
    loop.close()

    assert mach.add1("A") is am.Result.EXECUTED
    assert handle.done


def test_two_loops_in_two_threads_wait_for_one_machine(made: Make) -> None:
    """One mutation wakes tasks on several loops."""
    mach = made()
    results: list[bool] = []
    waiting = threading.Barrier(3, timeout=10)

    async def work() -> None:
        handle = mach.when1("A")
        waiting.wait()
        results.append(await handle)

    threads = [threading.Thread(target=lambda: asyncio.run(work())) for _ in range(2)]
    for thread in threads:
        thread.start()
    waiting.wait()
    mach.add1("A")
    for thread in threads:
        thread.join(10)

    assert results == [True, True]
