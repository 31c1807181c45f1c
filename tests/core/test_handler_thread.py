"""Handlers in a thread of their own: the same results, and a late one is left behind."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import importlib.util
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import machine as am

Made = Callable[..., am.Machine]


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a handler hangs on; opened at the end so that no thread stays."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture(scope="module")
def conformance() -> ModuleType:
    """The recorded behaviour, to be played once more."""
    path = Path(__file__).with_name("test_conformance.py")
    spec = importlib.util.spec_from_file_location("conformance_in_threads", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("option", ["handler_runner", "executor"])
def test_where_handlers_run_makes_no_difference(
    conformance: ModuleType, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results, orders, clocks, tracer events and log lines are those of the default."""
    plain = am.Machine

    def machine(*args: Any, **options: Any) -> am.Machine:
        value = asyncio.get_running_loop() if option == "executor" else "thread"
        return plain(*args, **{option: value, **options})

    async def play() -> None:
        for scenario in conformance.SCENARIOS:
            conformance.test_a_recorded_scenario_comes_out_equal_in_every_field(scenario, 4096)
        for vector in conformance.VECTORS:
            conformance.test_a_random_vector_comes_out_equal_in_every_step(vector, 4096)

    monkeypatch.setattr(am, "Machine", machine)
    asyncio.run(play())


def test_all_handlers_run_in_one_thread_that_is_not_the_drainers(made: Made) -> None:
    """What belongs to a thread can be kept from one handler to the next."""
    threads: list[threading.Thread] = []
    mach = made(handler_runner="thread")
    mach.bind_handlers({"AnyEnter": lambda e: threads.append(threading.current_thread())})
    mach.bind_handlers({"AState": lambda e: threads.append(threading.current_thread())})
    mach.add1("A")
    mach.add1("B")

    assert len(threads) == 3
    assert len(set(threads)) == 1
    assert threads[0] is not threading.current_thread()
    assert threads[0].name == "am-handlers"


def test_answers_come_back_from_the_thread(made: Made) -> None:
    """A denial denies, and an error is the handler's."""
    mach = made(handler_runner="thread")

    def boom(e: am.Event) -> None:
        raise RuntimeError("boom")

    mach.bind_handlers({"AEnter": lambda e: False, "BState": boom, "CEnter": lambda e: True})

    assert mach.add1("A") is am.Result.CANCELED
    assert mach.add1("C") is am.Result.EXECUTED
    assert mach.add1("B") is am.Result.CANCELED
    assert str(mach.err) == "boom"
    assert mach.is_(["C", "Exception"])


def test_mutations_made_in_the_thread_wait_as_ever(made: Made) -> None:
    """RunningHandler a handler everything is queued, whichever thread it runs in."""
    mach = made(handler_runner="thread")
    results: list[am.Result] = []
    mach.bind_handlers({"AState": lambda e: results.append(e.machine.add1("B"))})

    assert mach.add1("A") is am.Result.EXECUTED
    assert results == [am.Result.QUEUED]
    assert mach.is_(["A", "B"])


def test_a_handler_that_hangs_is_left_behind(made: Made, gate: threading.Event) -> None:
    """The machine goes on at the timeout, in a fresh thread; the late answer is dropped."""
    mach = made(handler_runner="thread", handler_timeout=0.02)
    threads: list[threading.Thread] = []
    valid: list[bool] = []
    returned = threading.Event()

    def a_enter(e: am.Event) -> bool:
        threads.append(threading.current_thread())
        gate.wait(10)
        valid.append(e.is_valid())
        returned.set()
        return True

    mach.bind_handlers(
        {
            "AEnter": a_enter,
            "BState": lambda e: threads.append(threading.current_thread()),
        }
    )

    assert mach.add1("A") is am.Result.CANCELED
    assert str(mach.err) == "handler timeout: AEnter"
    mach.handler_timeout = 10
    assert mach.add1("B") is am.Result.EXECUTED
    assert threads[0] is not threads[1]
    gate.set()
    assert returned.wait(10)
    threads[0].join(10)
    assert not threads[0].is_alive()
    assert valid == [False]
    assert mach.active_states() == ["B", "Exception"]


def test_a_late_error_is_dropped(made: Made, gate: threading.Event) -> None:
    """What a handler raises after it was left behind concerns nobody."""
    mach = made(handler_runner="thread", handler_timeout=0.02)
    threads: list[threading.Thread] = []

    def a_state(e: am.Event) -> None:
        threads.append(threading.current_thread())
        gate.wait(10)
        raise ValueError("too late")

    mach.bind_handlers({"AState": a_state})
    mach.add1("A")
    gate.set()
    threads[0].join(10)

    assert str(mach.err) == "handler timeout: AState"
    assert mach.tick("Exception") == 1


def test_a_late_coroutine_is_dropped(made: Made, gate: threading.Event) -> None:
    """It will not run, and Python does not warn of that."""
    mach = made(handler_runner="thread", handler_timeout=0.02)
    threads: list[threading.Thread] = []

    async def work() -> None: ...

    def a_state(e: am.Event) -> Coroutine[Any, Any, None]:
        threads.append(threading.current_thread())
        gate.wait(10)
        return work()

    mach.bind_handlers({"AState": a_state})
    mach.add1("A")
    gate.set()
    threads[0].join(10)
    gc.collect()

    assert mach.tasks() == []


def test_an_answer_at_the_last_moment_counts_by_the_clock(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler that is done when its time is found to be over is late, but not left behind."""
    mach = made(handler_runner="thread")
    threads: list[threading.Thread] = []
    done = threading.Event()

    def wait(job: Any) -> bool:
        done.wait(10)
        while job.claim:
            pass
        return False

    def note(e: am.Event) -> None:
        threads.append(threading.current_thread())
        done.set()

    monkeypatch.setattr("machine._calling.thread._wait", wait)
    mach.bind_handlers({"AState": note, "BState": note})
    mach.add1("A")
    mach.add1("B")

    assert mach.is_(["A", "B"])
    assert threads[0] is threads[1]


def test_a_task_starts_where_the_mutation_was_made(made: Made) -> None:
    """A coroutine handler is called in the thread, its task runs on the drainer's loop."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def work(e: am.Event) -> None:
        loops.append(asyncio.get_running_loop())
        e.machine.add1("B")

    async def main() -> None:
        mach.add1("A")
        await mach.when1("B")
        assert loops == [asyncio.get_running_loop()]

    mach = made(handler_runner="thread")
    mach.bind_handlers({"AState": work})
    asyncio.run(main())


def test_handlers_in_a_thread_see_context_variables(made: Made) -> None:
    """They work on a copy, so what they set stays with them."""
    var: contextvars.ContextVar[str] = contextvars.ContextVar("var", default="none")
    mach = made(handler_runner="thread")
    seen: list[str] = []

    def a_state(e: am.Event) -> None:
        seen.append(var.get())
        var.set("handler's")

    mach.bind_handlers({"AState": a_state})
    var.set("caller's")
    mach.add1("A")

    assert seen == ["caller's"]
    assert var.get() == "caller's"


def test_a_handler_may_wait_for_another_machine_with_such_a_thread(made: Made) -> None:
    """Each machine has its own, so one that works for another does not stand in its way."""
    first, second = made(handler_runner="thread"), made(handler_runner="thread", id="other")
    results: list[am.Result] = []
    second.bind_handlers({"BEnter": lambda e: True})
    first.bind_handlers({"AState": lambda e: results.append(second.ev_add1(e, "B"))})
    first.add1("A")

    assert results == [am.Result.EXECUTED]


def test_what_is_raised_while_waiting_leaves_the_handler_behind(
    made: Made, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a signal: the error reaches the caller, and the machine goes on."""
    mach = made(handler_runner="thread")
    threads: list[threading.Thread] = []
    begun = threading.Event()

    def hang(e: am.Event) -> None:
        threads.append(threading.current_thread())
        begun.set()
        gate.wait(10)

    def interrupt(job: Any) -> bool:
        begun.wait(10)
        raise KeyboardInterrupt

    mach.bind_handlers({"AState": hang, "BState": lambda e: None})
    with monkeypatch.context() as patched:
        patched.setattr("machine._calling.thread._wait", interrupt)
        with pytest.raises(KeyboardInterrupt):
            mach.add1("A")

    assert mach.add1("B") is am.Result.EXECUTED
    gate.set()
    threads[0].join(10)
    assert not threads[0].is_alive()


@pytest.mark.parametrize("limit", [None, 1e9])
def test_without_a_limit_a_handler_is_waited_for(made: Made, limit: float | None) -> None:
    """However long it takes."""
    mach = made(handler_runner="thread", handler_timeout=limit)
    mach.bind_handlers({"AEnter": lambda e: False})

    assert mach.add1("A") is am.Result.CANCELED


def test_the_thread_ends_with_the_machine(made: Made) -> None:
    """Neither a machine that is disposed nor one that is dropped leaves a thread."""
    threads: list[threading.Thread] = []

    def live(dispose: bool) -> weakref.ref[am.Machine]:
        mach = made(handler_runner="thread")
        mach.bind_handlers({"AState": lambda e: threads.append(threading.current_thread())})
        mach.add1("A")
        if dispose:
            mach.dispose_force()
        return weakref.ref(mach)

    disposed, dropped = live(True), live(False)
    gc.collect()
    for thread in threads:
        thread.join(10)

    assert [thread.is_alive() for thread in threads] == [False, False]
    assert (disposed(), dropped()) == (None, None)


def test_a_machine_that_called_no_handler_has_no_thread(made: Made) -> None:
    """It starts with the first call, and disposal needs none."""
    count = threading.active_count()
    mach = made(handler_runner="thread")
    mach.add1("A")
    assert threading.active_count() == count

    mach.dispose_force()
    assert mach.is_disposed()


def test_detached_and_moved_handlers_keep_to_the_thread(made: Made) -> None:
    """A binding that moves up is still called there, also for names not met before."""
    threads: list[threading.Thread] = []
    mach = made(handler_runner="thread")
    first = {"AState": lambda e: None}
    mach.bind_handlers(first)
    mach.bind_handlers(
        dict.fromkeys(("AState", "BState"), lambda e: threads.append(threading.current_thread()))
    )
    mach.add1("A")
    mach.detach_handlers(first)
    mach.add1("B")

    assert [thread.name for thread in threads] == ["am-handlers"] * 2


def test_an_eval_from_the_thread_is_one_from_a_handler(made: Made) -> None:
    """It could never run, and raises at the call."""
    mach = made(handler_runner="thread", detect_eval=True)
    mach.bind_handlers({"AState": lambda e: e.machine.eval("test", print)})
    mach.add1("A")

    assert str(mach.err) == "eval test called from handler AState"
    assert mach.eval("test", gc.isenabled)


def test_a_dead_thread_is_replaced(made: Made) -> None:
    """As in a forked child, which has the machine but not its thread."""
    mach = made(handler_runner="thread")
    threads: list[threading.Thread] = []
    mach.bind_handlers({"AnyState": lambda e: threads.append(threading.current_thread())})
    mach.add1("A")
    runner = mach._handler_thread
    assert runner is not None
    runner._jobs.put(None)
    threads[0].join(10)

    mach.add1("B")
    assert threads[0] is not threads[1]


def test_there_are_two_kinds_of_runners(made: Made) -> None:
    """Anything else is refused when the machine is made."""
    with pytest.raises(ValueError, match='"inline" or "thread", not \'process\''):
        made(handler_runner="process")
    assert made(handler_runner="inline")._handler_thread is None
