"""The beginning and the end of tasks: which never begin, and who waits for their end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

import machine as am

Made = Callable[..., am.Machine]
PATIENCE_S = 10.0


class CleanUp:
    """A coroutine handler that needs a while to end once it is canceled."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.may_end = asyncio.Event()
        self.ended = False

    async def __call__(self, e: am.Event) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await self.may_end.wait()
            self.ended = True


async def turns(count: int = 5) -> None:
    """Let everything that can go on do so."""
    for _ in range(count):
        await asyncio.sleep(0)


def busy_loop(made: Made, count: int) -> tuple[list[threading.Event], list[am.Machine]]:
    """Machines whose coroutine handlers block the background loop in turn, each until let go."""
    gates = [threading.Event() for _ in range(2 * count)]

    def blocking(number: int) -> Callable[[am.Event], Any]:
        async def work(e: am.Event) -> None:
            gates[2 * number].set()
            gates[2 * number + 1].wait(PATIENCE_S)

        return work

    machines = [made() for _ in range(count)]
    for number, mach in enumerate(machines):
        mach.bind_handlers({"AState": blocking(number)})
    return gates, machines


def test_a_task_whose_state_ended_in_its_first_turn_never_begins(made: Made) -> None:
    """The loop is busy with another task of the same turn while the state ends."""
    gates, (first, second) = busy_loop(made, 2)
    begun: list[am.Event] = []

    async def work(e: am.Event) -> None:
        begun.append(e)

    mach = made()
    mach.bind_handlers({"AState": work})
    first.add1("A")
    assert gates[0].wait(PATIENCE_S)
    second.add1("A")
    mach.add1("A")
    gates[1].set()
    assert gates[2].wait(PATIENCE_S)

    mach.remove1("A")
    ended = mach.when_tasks_end()
    gates[3].set()

    assert ended.wait(PATIENCE_S)
    assert begun == []
    assert mach.tasks() == []


async def test_a_task_whose_state_ended_in_another_thread_never_begins(made: Made) -> None:
    """Its first turn looks at the state; word of the end comes later."""
    mach, begun = made(), []

    async def work(e: am.Event) -> None:
        begun.append(e)

    mach.bind_handlers({"AState": work})
    mach.add1("A")
    thread = threading.Thread(target=mach.remove1, args=("A",))
    thread.start()
    thread.join(PATIENCE_S)  # the loop stands still meanwhile
    await mach.when_tasks_end()
    assert begun == []


async def test_the_end_of_tasks_can_be_awaited(made: Made) -> None:
    """A task has ended when its clean-up has; one that begins later does not count."""
    mach, work = made(), CleanUp()
    mach.bind_handlers({"AState": work})
    mach.add1("A")
    await turns()
    mach.remove1("A")
    handle = mach.when_tasks_end()
    await turns()
    assert not handle.done

    work.may_end.set()
    assert await handle
    assert work.ended
    assert mach.when_tasks_end().done


async def test_the_end_of_one_states_tasks_can_be_awaited(made: Made) -> None:
    """Tasks of other states go on."""
    mach, one, other = made(), CleanUp(), CleanUp()
    mach.bind_handlers({"AState": one, "BState": other})
    mach.add(["A", "B"])
    one.may_end.set()
    await turns()
    mach.remove1("A")

    assert await mach.when_tasks_end("A")
    assert [task.state for task in mach.tasks()] == ["B"]
    other.may_end.set()
    with pytest.raises(am.errors.StateMissingError):
        mach.when_tasks_end("Z")


@pytest.mark.parametrize("force", [False, True])
async def test_the_disposal_ends_after_the_tasks(made: Made, force: bool) -> None:
    """After waiting for it their clean-up is done."""
    mach, work = made(), CleanUp()
    mach.dispose_timeout = PATIENCE_S
    mach.bind_handlers({"AState": work})
    mach.add1("A")
    await turns()

    (mach.dispose_force if force else mach.dispose)()
    gone = mach.when_disposed()
    await turns()
    assert not gone.done
    work.may_end.set()
    assert await gone
    assert work.ended


async def test_a_block_on_the_loop_of_a_task_does_not_wait_for_it(made: Made) -> None:
    """The task could not end meanwhile; those who wait for the disposal still do."""
    mach, work = made(), CleanUp()
    mach.dispose_timeout = PATIENCE_S
    with mach:
        mach.bind_handlers({"AState": work})
        mach.add1("A")
        await turns()
    gone = mach.when_disposed()

    assert mach.is_disposed()
    assert not gone.done
    work.may_end.set()
    assert await gone
    assert work.ended


def test_the_disposal_does_not_wait_longer_than_its_limit(made: Made) -> None:
    """A clean-up without end holds nobody."""
    mach, work = made(), CleanUp()
    mach.dispose_timeout = 0.01
    mach.bind_handlers({"AState": work})
    mach.add1("A")
    assert work.begun.wait(PATIENCE_S)

    mach.dispose()
    assert mach.when_disposed().wait(PATIENCE_S)
    assert not work.ended
