"""Handlers whose time is over: the event that turns invalid, the watchdog that says where."""

from __future__ import annotations

import gc
import logging
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import machine as am
from machine._calling.watchdog import PAUSE_MAX_S, PAUSE_MIN_S, Watchdog, watchdog

Made = Callable[..., am.Machine]


class Stuck:
    """A machine in another thread whose handler does not return until it is let go."""

    def __init__(self, mach: am.Machine, handler: str = "AState") -> None:
        self.mach = mach
        self.begun = threading.Event()
        self.go = threading.Event()
        mach.bind_handlers({handler: self.hang})
        self.thread = threading.Thread(target=lambda: mach.add1("A"))
        self.thread.start()
        assert self.begun.wait(10)

    def hang(self, e: am.Event) -> None:
        self.begun.set()
        self.go.wait(10)

    def end(self) -> None:
        self.go.set()
        self.thread.join(10)


@pytest.fixture
def stuck() -> Iterator[Callable[[am.Machine], Stuck]]:
    """Lets a handler hang, until the test is over at the latest."""
    made: list[Stuck] = []

    def make(mach: am.Machine) -> Stuck:
        made.append(Stuck(mach))
        return made[-1]

    yield make
    for one in made:
        one.end()


class StillDog(Watchdog):
    """A watchdog without a thread, which looks when a test calls it."""

    def _run(self) -> None: ...


@pytest.fixture
def dog(clock: Any) -> StillDog:
    """Looks at the clock of the test."""
    return StillDog(lambda: clock.now)


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What was reported to the program's operator."""
    caplog.set_level(logging.WARNING, "asyncmachine")
    return lambda: [record.getMessage() for record in caplog.records]


# -- the event


@pytest.mark.parametrize("watched", [False, True], ids=["plain", "traced"])
@pytest.mark.parametrize("handler", ["AEnter", "AState"])
def test_an_event_turns_invalid_when_the_time_of_its_handler_is_over(
    made: Made, clock: Any, recorder: Any, handler: str, watched: bool
) -> None:
    """A handler that works in steps can find out that nobody waits for it any more."""
    mach = made(tracers=[recorder] if watched else [])
    valid: list[bool] = []
    events: list[am.Event] = []

    def work(e: am.Event) -> None:
        events.append(e)
        for _ in range(3):
            valid.append(e.is_valid())
            clock.advance(0.6)

    mach.bind_handlers({handler: work})

    assert mach.add1("A") is am.Result.CANCELED
    assert valid == [True, True, False]
    assert not events[0].is_valid()


def test_the_time_of_one_handler_is_not_held_against_the_next(made: Made, clock: Any) -> None:
    """Two handlers that together take longer than the limit are both in time."""
    mach = made()
    valid: list[bool] = []

    def work(e: am.Event) -> None:
        clock.advance(0.9)
        valid.append(e.is_valid())

    mach.bind_handlers({"AEnter": work, "AnyEnter": work, "AState": work, "AnyState": work})
    mach.bind_handlers({"AEnter": work, "AState": work})

    assert mach.add1("A") is am.Result.EXECUTED
    assert valid == [True] * 6


def test_a_late_handlers_event_stays_invalid(made: Made, clock: Any) -> None:
    """Also when an auto transition goes on without its state; the others' events are valid."""
    mach = made("A{} B{auto} C{auto}")
    events: list[am.Event] = []
    valid: list[tuple[bool, bool]] = []

    def b_enter(e: am.Event) -> None:
        events.append(e)
        clock.advance(2)

    def c_enter(e: am.Event) -> None:
        valid.append((events[0].is_valid(), e.is_valid()))

    mach.bind_handlers({"BEnter": b_enter, "CEnter": c_enter})
    mach.add1("A")

    assert valid == [(False, True)]
    assert mach.string_all() == "(A:1 C:1 Exception:1) [B:0]"


def test_without_a_limit_an_event_stays_valid(made: Made, clock: Any) -> None:
    """No timeout, no end of the time."""
    mach = made(handler_timeout=None)
    valid: list[bool] = []

    def work(e: am.Event) -> None:
        clock.advance(1e9)
        valid.append(e.is_valid())

    mach.bind_handlers({"AEnter": work})

    assert mach.add1("A") is am.Result.EXECUTED
    assert valid == [True]


# -- the watchdog


def test_the_watchdog_shows_where_a_handler_is_stuck(
    made: Made,
    dog: StillDog,
    clock: Any,
    stuck: Callable[[am.Machine], Stuck],
    warnings: Callable[[], list[str]],
) -> None:
    """One line names the machine, the handler, its limit, its own line and what that calls."""
    mach = made()
    dog.watch(mach)
    stuck(mach)
    clock.advance(0.9)
    dog.look()
    assert warnings() == []

    clock.advance(0.2)
    dog.look()
    dog.look()
    (line,) = warnings()
    assert re.fullmatch(
        r"handler AState of machine mach runs for more than 1 s,"
        r" now at .*test_watchdog\.py:\d+ in Stuck\.hang: self\.go\.wait\(10\),"
        r" in .*threading\.py:\d+ in Condition\.wait: .+",
        line,
    )


def test_the_watchdog_finds_handlers_that_have_a_thread_of_their_own(
    made: Made, dog: StillDog, clock: Any, warnings: Callable[[], list[str]]
) -> None:
    """It looks for the thread that runs the handler, not for the one that waits for it."""
    mach = made(handler_runner="thread", handler_timeout=None)
    one = Stuck(mach, "AEnter")
    mach.handler_timeout = 1
    dog.watch(mach)
    clock.advance(2)
    dog.look()
    mach.handler_timeout = None
    one.end()

    assert "Condition.wait" in warnings()[0]
    assert "_wait" not in warnings()[0].replace("Condition.wait", "")


def test_each_stuck_call_is_reported_once(
    made: Made,
    dog: StillDog,
    clock: Any,
    stuck: Callable[[am.Machine], Stuck],
    warnings: Callable[[], list[str]],
) -> None:
    """The next handler that hangs is another matter."""
    mach = made()
    dog.watch(mach)
    for count in (1, 2):
        one = stuck(mach)
        clock.advance(2)
        dog.look()
        dog.look()
        assert len(warnings()) == count
        one.end()
        mach.detach_handlers(mach.handlers()[0])
        mach.remove(["A", "Exception"])


def test_a_machine_at_rest_is_nothing_to_report(
    made: Made, dog: StillDog, clock: Any, warnings: Callable[[], list[str]]
) -> None:
    """However long ago its last handler ran, and whatever else it is doing."""
    mach = made()
    dog.watch(mach)
    mach.bind_handlers({"AState": lambda e: None})
    mach.add1("A")
    clock.advance(100)
    dog.look()

    assert warnings() == []


@pytest.mark.parametrize("change", ["transition", "handler", "time"])
def test_what_ended_between_two_looks_is_not_reported(
    made: Made,
    clock: Any,
    stuck: Callable[[am.Machine], Stuck],
    warnings: Callable[[], list[str]],
    change: str,
) -> None:
    """The clock is read in between, so a handler that returned meanwhile was not late by it."""
    mach = made()

    def now() -> float:
        tx = mach.transition()
        assert tx is not None
        if change == "transition":
            mach._tx = None
        elif change == "handler":
            mach._handler = "BState"
        else:
            tx.clock = 0.5
        return 2.0

    dog = StillDog(now)
    dog.watch(mach)
    stuck(mach)
    dog.look()

    assert warnings() == []


def test_a_thread_that_cannot_be_found_is_no_hindrance(
    made: Made, dog: StillDog, clock: Any, warnings: Callable[[], list[str]]
) -> None:
    """The line then shows the handler without the place."""
    mach = made()
    dog.watch(mach)

    def a_state(e: am.Event) -> None:
        clock.advance(2)
        tx = mach._tx
        assert tx is not None
        other = object.__new__(type(tx))
        other.__dict__.update(vars(tx))
        mach._tx = other
        dog.look()
        mach._tx = tx

    mach.bind_handlers({"AState": a_state})
    mach.add1("A")

    assert warnings()[0] == "handler AState of machine mach runs for more than 1 s"


@pytest.mark.parametrize(
    ("limit", "pause"),
    [(1.0, 0.25), (0.4, 0.1), (0.001, PAUSE_MIN_S), (None, PAUSE_MAX_S), (60, PAUSE_MAX_S)],
)
def test_it_looks_several_times_in_a_timeout(
    made: Made, dog: StillDog, limit: float | None, pause: float
) -> None:
    """But neither without a rest nor so seldom that it would not see an end."""
    assert dog.look() == PAUSE_MAX_S
    mach = made(handler_timeout=limit)
    dog.watch(mach)

    assert dog.look() == pause


def test_machines_that_are_gone_are_not_watched(made: Made, dog: StillDog) -> None:
    """Disposed ones are let go at the next look, dropped ones at once."""
    disposed = made()
    dog.watch(disposed)
    dog.watch(made())
    gc.collect()
    assert list(dog._machines) == [disposed]

    disposed.dispose_force()
    dog.look()
    assert list(dog._machines) == []


def test_the_thread_runs_while_there_is_a_machine(
    made: Made, clock: Any, warnings: Callable[[], list[str]]
) -> None:
    """It starts with the first machine, is the same for all, and ends after the last."""
    dog = Watchdog(lambda: clock.now)
    machines = [made(), made()]
    for mach in machines:
        dog.watch(mach)
    thread = dog._thread
    assert thread is not None
    assert thread.name == "am-watchdog"
    assert thread.daemon

    for mach in machines:
        mach.dispose_force()
    with dog._changed:
        dog._changed.notify()
    thread.join(10)
    assert not thread.is_alive()
    assert dog._thread is None


def test_a_forked_child_watches_on(made: Made) -> None:
    """The machines are there, the thread is not."""
    dog = Watchdog()
    mach = made()
    dog.watch(mach)
    parents, lock = dog._thread, dog._changed
    dog.forked()
    own = dog._thread

    assert own is not None
    assert own is not parents
    mach.dispose_force()
    for condition in (lock, dog._changed):
        with condition:
            condition.notify()
    own.join(10)
    assert not own.is_alive()


def test_a_machine_asks_to_be_watched(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    """With `watchdog` on, a handler that hangs is reported while it hangs."""
    told = threading.Event()

    class Listen(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.set()

    listen = Listen()
    logging.getLogger("asyncmachine").addHandler(listen)
    mach = made(watchdog=True, handler_timeout=0.02)
    mach.bind_handlers({"AState": lambda e: told.wait(10)})
    assert mach in watchdog._machines
    mach.add1("A")
    logging.getLogger("asyncmachine").removeHandler(listen)

    assert told.is_set()
    assert "handler AState of machine mach" in caplog.text
    assert made() not in watchdog._machines
