"""The clock that a test moves by hand."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator

import pytest

import machine as am
from machine._waiting.timers import timers
from machine.testing import ManualClock

LIMITED = {
    "Asked": am.State(timeout=60, on_timeout="Late"),
    "Late": am.State(remove=["Asked"], timeout=30, on_timeout="Gone"),
    "Gone": am.State(remove=["Late"]),
}


@pytest.fixture
def clock() -> Iterator[ManualClock]:
    """A clock without the deadlines that other tests may have left."""
    with ManualClock() as made:
        made.advance(1e6)
        yield made


def in_thread(*work: object) -> threading.Thread:
    thread = threading.Thread(target=work[0], args=work[1:], daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


def test_a_state_deadline_passes_when_the_clock_is_moved(clock: ManualClock) -> None:
    """The state that follows is active when `advance` returns, and not before its time."""
    mach = am.Machine(None, LIMITED)
    mach.add1("Asked")
    assert clock.next_in == pytest.approx(60)

    clock.advance(59)
    assert mach.active_states() == ["Asked"]

    clock.advance(1)
    assert mach.active_states() == ["Late"]


def test_handlers_that_follow_run_inside_advance(clock: ManualClock) -> None:
    """In the thread that calls it, so they have returned when it does."""
    threads: list[int] = []
    mach = am.Machine(None, LIMITED)
    mach.bind_handlers({"LateState": lambda _: threads.append(threading.get_ident())})
    mach.add1("Asked")

    clock.advance(60)

    assert threads == [threading.get_ident()]


def test_deadlines_on_the_way_begin_others(clock: ManualClock) -> None:
    """What a deadline makes due within the same move runs too, at its own time."""
    mach = am.Machine(None, LIMITED)
    mach.add1("Asked")

    clock.advance(89.5)
    assert mach.active_states() == ["Late"]
    clock.advance(1)
    assert mach.active_states() == ["Gone"]
    assert clock.now == pytest.approx(1e6 + 90.5)


def test_contexts_end_in_order_of_time(clock: ManualClock) -> None:
    """Their callbacks run inside `advance`, in its thread."""
    ended: list[tuple[int, int]] = []

    def note(ctx: am.Context) -> None:
        assert isinstance(ctx.value, int)
        ended.append((ctx.value, threading.get_ident()))

    kept = [am.Context().with_timeout(seconds, value=seconds) for seconds in (3, 1, 2)]
    for ctx in kept:
        ctx.add_done_callback(note)

    clock.advance(2)

    assert ended == [(1, threading.get_ident()), (2, threading.get_ident())]


def test_a_wait_of_another_thread_is_over_by_hand(clock: ManualClock) -> None:
    """`wait`, `first` and `every` alike."""
    mach = am.Machine(None, {"A": am.State()})
    answers: list[object] = []
    waits = [
        lambda: answers.append(mach.when1("A").wait(100)),
        lambda: answers.append(am.first(mach.when1("A"), timeout=100)),
        lambda: answers.append(am.every(mach.when1("A"), timeout=100)),
    ]
    for wait in waits:
        thread = in_thread(wait)
        while clock.next_in is None and thread.is_alive():
            thread.join(0.001)
        clock.advance(100)
        thread.join(10)

    assert answers == [False, None, False]
    assert clock.next_in is None


async def test_a_wait_of_a_task_is_over_by_hand(clock: ManualClock) -> None:
    """Once the loop has run again."""
    mach = am.Machine(None, {"A": am.State()})
    task = asyncio.ensure_future(am.first_async(mach.when1("A"), timeout=100))
    every = asyncio.ensure_future(am.every_async(mach.when1("A"), timeout=200))
    await asyncio.sleep(0)
    clock.advance(100)

    assert await task is None
    assert not every.done()
    mach.add1("A")
    assert await every is True
    assert clock.next_in is None


def test_the_tests_own_thread_waits_in_real_time(clock: ManualClock) -> None:
    """A wait that nothing could end by hand still ends."""
    mach = am.Machine(None, {"A": am.State()})

    assert mach.when1("A").wait(0.001) is False
    assert clock.now == 1e6


def test_what_is_left_goes_on_in_real_time() -> None:
    """A deadline keeps what was left of it, and then passes by itself."""
    with ManualClock() as clock:
        ctx = am.Context().with_timeout(100)
        clock.advance(100 - 0.001)
        assert not ctx.done

    assert ctx.wait(10)
    assert isinstance(ctx.err, am.ContextDeadline)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks beside threads
def test_a_fork_goes_on_in_real_time(clock: ManualClock) -> None:
    """Nothing in the child could move the clock of its parent."""
    child = os.fork()
    if child == 0:
        os._exit(0 if am.Context().with_timeout(0.001).wait(10) and not timers.by_hand else 1)

    assert os.waitpid(child, 0)[1] == 0
    assert timers.by_hand


def test_only_one_clock_is_moved(clock: ManualClock) -> None:
    """A second one is refused; one that is not in use does not move."""
    with pytest.raises(RuntimeError, match="moved by hand already"), ManualClock():
        pass
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)
    clock.__exit__()
    with pytest.raises(RuntimeError, match="not in use"):
        clock.advance(1)
