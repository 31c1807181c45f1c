"""Handles in the hands of asyncio's own functions, and of loops of other libraries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import machine as am


@pytest.fixture
def mach() -> am.Machine:
    return am.Machine(None, {"A": am.State(), "B": am.State()}, id="m")


def elsewhere(awaitable: Awaitable[Any]) -> Any:
    """Awaits as the loop of another library does; gives the result if it came at once."""

    async def wait() -> Any:
        return await awaitable

    work = wait()
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    finally:
        work.close()
    raise AssertionError("it waits")


WAITS: dict[str, Callable[[am.Machine], Awaitable[Any]]] = {
    "handle": lambda mach: mach.when1("A"),
    "context": lambda mach: mach.ctx,
    "first": lambda mach: am.first_async(mach.when1("A")),
    "every": lambda mach: am.every_async(mach.when1("A")),
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_awaiting_without_asyncio_shows_what_to_do(
    mach: am.Machine, wait: Callable[[am.Machine], Awaitable[Any]]
) -> None:
    """A thread can wait everywhere."""
    with pytest.raises(RuntimeError, match="no asyncio event loop .*to_thread.run_sync") as caught:
        elsewhere(wait(mach))
    assert caught.value.__suppress_context__


def test_what_is_released_needs_no_loop(mach: am.Machine) -> None:
    """There is nothing to wait for."""
    mach.add1("A")

    assert elsewhere(mach.when1("A")) is True


def test_asyncio_wait_is_refused_with_a_way_that_works(mach: am.Machine) -> None:
    """It takes futures only; `ensure_future` makes one of a handle."""

    async def main() -> None:
        with pytest.raises(TypeError, match=r"asyncio.wait takes futures.*ensure_future\(handle\)"):
            await asyncio.wait([mach.when1("A")], timeout=5)  # type: ignore[type-var]
        future = asyncio.ensure_future(mach.when1("A"))
        asyncio.get_running_loop().call_soon(mach.add1, "A")
        done, _ = await asyncio.wait([future], timeout=5)
        assert [one.result() for one in done] == [True]

    asyncio.run(main())


async def gathered(handle: am.WaitHandle) -> bool:
    return (await asyncio.gather(handle))[0]


async def waited_for(handle: am.WaitHandle) -> bool:
    return await asyncio.wait_for(handle, 5)


async def shielded(handle: am.WaitHandle) -> bool:
    return await asyncio.shield(handle)


async def as_completed(handle: am.WaitHandle) -> bool:
    return await next(iter(asyncio.as_completed([handle])))


async def in_a_group(handle: am.WaitHandle) -> bool:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(am.every_async(handle))
    return task.result()


@pytest.mark.parametrize("wait", [gathered, waited_for, shielded, as_completed, in_a_group])
def test_other_functions_of_asyncio_take_a_handle(
    mach: am.Machine, wait: Callable[[am.WaitHandle], Awaitable[bool]]
) -> None:
    """Those that take anything awaitable, and task groups by way of a coroutine."""

    async def main() -> bool:
        asyncio.get_running_loop().call_soon(mach.add1, "A")
        return await wait(mach.when1("A"))

    assert asyncio.run(main()) is True


def test_a_task_wants_a_coroutine(mach: am.Machine) -> None:
    """A handle is none, and asyncio says so."""

    async def main() -> None:
        with pytest.raises(TypeError, match="a coroutine was expected"):
            asyncio.get_running_loop().create_task(mach.when1("A"))  # type: ignore[arg-type]

    asyncio.run(main())


@pytest.mark.parametrize("other", [5, "A", None, object()])
def test_only_handles_and_contexts_are_waited_for(mach: am.Machine, other: Any) -> None:
    """A timeout without its name is the usual mistake."""
    for wait in (am.first, am.every):
        with pytest.raises(TypeError, match="handles and contexts can be waited for, not"):
            wait(mach.when1("A"), other)
