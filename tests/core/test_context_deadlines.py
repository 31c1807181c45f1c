"""Contexts with a deadline, and the one thread that keeps all deadlines."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial

import pytest

import machine as am
from machine._waiting import context as _context
from machine._waiting import timers as _timers
from machine._waiting.context import Context
from machine._waiting.timers import DEAD_MIN, Timers


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of the timers below."""
    return Clock()


@pytest.fixture
def timers(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Timers:
    """Timers with a clock of their own and no thread, used by all contexts of the test."""
    made = Timers(clock)
    monkeypatch.setattr(made, "_run", lambda: None)
    monkeypatch.setattr(_context, "timers", made)
    return made


@pytest.fixture
def pass_time(clock: Clock, timers: Timers) -> Callable[[float], None]:
    """Lets seconds pass, with what is due in them."""

    def move(seconds: float) -> None:
        clock.now += seconds
        for fn in timers.take_due():
            fn()

    return move


def test_a_context_ends_at_its_deadline(pass_time: Callable[[float], None]) -> None:
    """A context with a timeout ends when that is over, not before."""
    ctx = Context().with_timeout(5)
    pass_time(4.9)
    assert not ctx.done
    pass_time(0.2)

    assert isinstance(ctx.err, am.ContextDeadline)
    assert isinstance(ctx.err, TimeoutError)
    assert str(ctx.err) == "context deadline exceeded"


def test_a_deadline_reaches_the_children_only(pass_time: Callable[[float], None]) -> None:
    """The error of the deadline goes down the tree and not up."""
    parent = Context()
    ctx = parent.with_timeout(1, "limited")
    child = ctx.child()
    pass_time(1)

    assert child.err is ctx.err
    assert child.value == "limited"
    assert not parent.done


@pytest.mark.parametrize("seconds", [0, -1])
def test_no_time_at_all_is_over_at_once(seconds: float, timers: Timers) -> None:
    """A context without any time left has ended when it is made."""
    assert isinstance(Context().with_timeout(seconds).err, am.ContextDeadline)
    assert len(timers) == 0


def test_an_ended_context_takes_its_deadline_back(timers: Timers) -> None:
    """A deadline that is not needed any more keeps nothing alive."""
    ctx = Context().with_timeout(1000)
    assert len(timers) == 1
    ctx.cancel()

    assert len(timers) == 0


def test_a_deadline_under_an_ended_context_is_not_kept(timers: Timers) -> None:
    """A context that has ended when it is made leaves no deadline."""
    parent = Context()
    parent.cancel()

    assert isinstance(parent.with_timeout(5).err, am.ContextCanceled)
    assert len(timers) == 0


def test_the_background_can_have_a_deadline(pass_time: Callable[[float], None]) -> None:
    """`background().with_timeout` is the root of a tree with a deadline."""
    ctx = am.background().with_timeout(1)
    pass_time(1)

    assert isinstance(ctx.err, am.ContextDeadline)


def test_deadlines_come_in_order(clock: Clock, timers: Timers) -> None:
    """What is due first runs first; of the same moment, what was asked for first."""
    calls: list[str] = []
    for name, seconds in (("c", 3), ("a", 1), ("b1", 2), ("b2", 2)):
        timers.add(seconds, partial(calls.append, name))
    clock.now = 2
    for fn in timers.take_due():
        fn()

    assert calls == ["a", "b1", "b2"]
    assert len(timers) == 1


def test_a_deadline_taken_back_does_not_run(clock: Clock, timers: Timers) -> None:
    """Taking back twice, or after the time, is no error."""
    first = timers.add(1, lambda: None)
    second = timers.add(1, lambda: None)
    timers.cancel(first)
    timers.cancel(first)
    clock.now = 1

    assert len(timers.take_due()) == 1
    timers.cancel(second)
    assert len(timers) == 0
    assert timers._heap == []


def test_the_heap_does_not_fill_up_with_what_was_taken_back(timers: Timers) -> None:
    """Far deadlines that are taken back again and again leave bounded room behind."""
    kept = [timers.add(1000, lambda: None) for _ in range(3)]
    for _ in range(10 * DEAD_MIN):
        timers.cancel(timers.add(1000, lambda: None))

    assert len(timers) == len(kept)
    assert len(timers._heap) <= len(kept) + DEAD_MIN + 1


def test_one_thread_keeps_all_deadlines() -> None:
    """The real thread ends contexts, and many deadlines do not mean many threads."""
    far = [Context().with_timeout(1000) for _ in range(100)]
    near = [Context().with_timeout(0.001 * number) for number in (3, 2, 1)]

    assert all(ctx.wait(10) for ctx in near)
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("am-timers") == 1
    for ctx in far:
        ctx.cancel()


def test_nothing_ends_the_thread_that_keeps_deadlines(caplog: pytest.LogCaptureFixture) -> None:
    """A callback that raises, be it SystemExit, is logged and the next deadline is kept."""

    def leave(_: Context) -> None:
        raise SystemExit("by mistake")

    Context().with_timeout(0.001).add_done_callback(leave)

    assert Context().with_timeout(0.002).wait(10)
    assert "by mistake" in caplog.text


def test_endless_timeouts_are_taken(clock: Clock) -> None:
    """An infinite number of seconds is a deadline that never comes."""
    real = Timers()
    timer = real.add(float("inf"), lambda: None)
    done = threading.Event()
    real.add(0.001, done.set)

    assert done.wait(10)
    assert len(real) == 1
    real.cancel(timer)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")
@pytest.mark.slow
def test_a_forked_child_keeps_deadlines() -> None:
    """After a fork the child has a timer thread of its own, for old deadlines and new ones."""
    script = """
import os, machine as am
old = am.background().with_timeout(0.2)
pid = os.fork()
if pid == 0:
    good = old.wait(10) and am.background().with_timeout(0.001).wait(10)
    os._exit(0 if good else 1)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout == "0\n"


def test_a_fork_starts_a_thread_only_for_deadlines(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child starts its timer thread when it is there for something."""
    timers = Timers(clock)
    starts: list[None] = []
    monkeypatch.setattr(timers, "_run", lambda: starts.append(None))
    timers.restart()
    assert starts == []
    timers.add(1000, lambda: None)
    starts.clear()
    timers.restart()

    assert starts == [None]


def test_the_deadlines_of_the_process_are_shared() -> None:
    """All contexts use the same timers."""
    assert vars(_context)["timers"] is _timers.timers
