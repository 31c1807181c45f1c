"""Evals: functions that run between two transitions, on the thread that drains."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Self

import pytest

import machine as am
from machine.errors import EvalTimeoutError, InvalidArgsError

Made = Callable[..., am.Machine]
LogOf = Callable[..., list[str]]


class Busy(am.Tracer):
    """A machine whose handler runs in another thread until it is let go."""

    def __init__(self, mach: am.Machine) -> None:
        self._entered, self._leave = threading.Event(), threading.Event()
        self._queued = threading.Event()
        mach.handler_timeout = None
        mach.bind_tracer(self)
        mach.bind_handlers({"AState": lambda e: [self._entered.set(), self._leave.wait(10)]})
        self.thread = threading.Thread(target=lambda: mach.add1("A"))

    def mutation_queued(self, machine: am.Machine, mutation: am.Mutation) -> None:
        self._queued.set()

    def __enter__(self) -> Self:
        self.thread.start()
        assert self._entered.wait(10)
        return self

    def start(self, call: Callable[[], object]) -> threading.Thread:
        """Make this call in a thread of its own, up to the point where it waits for its turn."""
        thread = threading.Thread(target=call)
        thread.start()
        assert self._queued.wait(10)
        return thread

    def let_go(self) -> None:
        self._leave.set()

    def __exit__(self, *_: object) -> None:
        self.let_go()
        self.thread.join(10)


def test_an_eval_runs_at_once_when_no_thread_drains(made: Made) -> None:
    """In the calling thread; the call returns when the function has."""
    threads: list[threading.Thread] = []

    assert made().eval("test", lambda: threads.append(threading.current_thread()))
    assert threads == [threading.current_thread()]


def test_an_eval_runs_on_the_drainers_thread(made: Made) -> None:
    """The calling thread waits meanwhile."""
    mach = made()
    ran: list[threading.Thread] = []

    with Busy(mach) as busy:
        work = lambda: ran.append(threading.current_thread())  # noqa: E731
        waiter = busy.start(lambda: mach.eval("test", work))
        assert ran == []
        busy.let_go()
        waiter.join(10)

    assert ran == [busy.thread]


def test_an_eval_goes_before_what_waits(made: Made) -> None:
    """It is put at the front of the queue."""
    mach = made()
    order: list[str] = []
    mach.bind_handlers({"BState": lambda e: order.append("B")})

    with Busy(mach) as busy:
        mach.add1("B")
        busy._queued.clear()
        waiter = busy.start(lambda: mach.eval("test", lambda: order.append("eval")))
        busy.let_go()
        waiter.join(10)

    assert order == ["eval", "B"]


def test_an_eval_is_no_transition(made: Made, recorder: Any) -> None:
    """Tracers get `queue_end` if it was the whole drain, and nothing else."""
    mach = made(tracers=[recorder])
    recorder.events.clear()

    mach.eval("test", lambda: None)

    assert recorder.events == ["queue_end"]


def test_an_eval_may_mutate(made: Made) -> None:
    """Its mutations wait like those of a handler, and have run when the call returns."""
    mach = made()
    results: list[am.Result] = []

    mach.eval("test", lambda: results.append(mach.add1("A")))

    assert results == [am.Result.QUEUED]
    assert mach.is1("A")


def test_an_error_in_an_eval_goes_to_the_caller(made: Made) -> None:
    """It is no error of the machine."""
    mach = made()

    def fail() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        mach.eval("test", fail)
    assert not mach.is_err()
    assert mach.add1("A") is am.Result.EXECUTED


def test_an_eval_needs_a_source(made: Made) -> None:
    """Log lines name who asked."""
    with pytest.raises(InvalidArgsError):
        made().eval("", lambda: None)


def test_evals_are_logged(made: Made, log_of: LogOf) -> None:
    """Its beginning, and at the highest level its end."""
    mach = made()
    lines = log_of(mach, am.LogLevel.EVERYTHING)

    mach.eval("test", lambda: None)

    assert lines == ["[eval] test", "[eval:end] test"]


def test_an_eval_that_gets_no_turn_in_time_is_an_error(made: Made, log_of: LogOf) -> None:
    """False, an error, and the function is not run later either."""
    mach = made()
    lines = log_of(mach)
    ran: list[bool] = []
    mach.eval_timeout = 0.01

    with Busy(mach):
        assert mach.eval("test", lambda: ran.append(True)) is False

    assert ran == []
    assert isinstance(mach.err, EvalTimeoutError)
    assert str(mach.err) == "eval timeout: eval:test"
    assert mach.is_err()
    assert "[eval:timeout] test" in lines


@pytest.mark.parametrize("ended", ["", "the machine", "the context"])
def test_an_eval_that_is_running_is_waited_for(made: Made, ended: str) -> None:
    """What ends the wait is for getting a turn; what has begun is not given up."""
    mach, ctx = made(), am.Context()
    begun, end = threading.Event(), threading.Event()
    results: list[bool] = []
    mach.eval_timeout = 10

    with Busy(mach) as busy:
        work = lambda: [begun.set(), end.wait(10)]  # noqa: E731
        waiter = busy.start(lambda: results.append(mach.eval("test", work, ctx)))
        busy.let_go()
        assert begun.wait(10)
        if ended == "the context":
            ctx.cancel()
        elif ended == "the machine":
            mach.dispose_force()
        assert results == []
        end.set()
        waiter.join(10)

    assert results == [True]


def test_the_end_of_a_context_ends_the_wait(made: Made, log_of: LogOf) -> None:
    """False, without an error; a context that ended already asks for nothing."""
    mach, ctx = made(), am.Context()
    lines = log_of(mach)
    ran: list[bool] = []
    results: list[bool] = []
    mach.eval_timeout = 10

    with Busy(mach) as busy:
        ask = lambda: results.append(mach.eval("test", lambda: ran.append(True), ctx))  # noqa: E731
        waiter = busy.start(ask)
        ctx.cancel()
        waiter.join(10)
        assert mach.eval("again", lambda: ran.append(True), ctx) is False

    assert results == [False]
    assert ran == []
    assert not mach.is_err()
    assert "[eval:ctxdone] test" in lines
    assert "[eval] again" not in lines


def test_the_end_of_the_machine_ends_the_wait(made: Made) -> None:
    """False, and later evals are refused."""
    mach = made()
    results: list[bool] = []
    mach.eval_timeout = 10

    with Busy(mach) as busy:
        waiter = busy.start(lambda: results.append(mach.eval("test", lambda: None)))
        mach.dispose_force()
        waiter.join(10)

    assert results == [False]
    assert mach.eval("test", lambda: None) is False


def test_evals_leave_nothing_with_the_contexts(made: Made) -> None:
    """However often a thread waits for its turn, contexts that live on do not collect it."""
    mach, ctx = made(), am.Context()
    mach.eval_timeout = 0.0001

    with Busy(mach):
        for _ in range(5):
            mach.eval("test", lambda: None, ctx)

    assert not ctx._callbacks
    assert not mach.ctx._callbacks


@pytest.mark.parametrize("by", ["option", "AM_DETECT_EVAL", "AM_DEBUG"])
def test_an_eval_in_a_handler_can_be_detected(
    made: Made, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """It would wait for itself; the error names the handler."""
    if by != "option":
        monkeypatch.setenv(by, "1")
    mach = made(detect_eval=by == "option")
    mach.bind_handlers({"AState": lambda e: mach.eval("test", lambda: None)})

    assert mach.add1("A") is am.Result.CANCELED
    assert isinstance(mach.err, RuntimeError)
    assert str(mach.err) == "eval test called from handler AState"


def test_detection_leaves_other_threads_alone(made: Made) -> None:
    """An eval of another thread may wait while a handler runs."""
    mach = made(detect_eval=True)
    results: list[bool] = []
    mach.eval_timeout = 10

    with Busy(mach) as busy:
        waiter = busy.start(lambda: results.append(mach.eval("test", lambda: None)))
        busy.let_go()
        waiter.join(10)

    assert results == [True]


def test_detection_allows_evals_of_other_machines(made: Made) -> None:
    """A handler may have another machine evaluate something."""
    mach, other = made(detect_eval=True), made(detect_eval=True)
    ran: list[bool] = []
    mach.bind_handlers({"AState": lambda e: other.eval("test", lambda: ran.append(True))})

    assert mach.add1("A") is am.Result.EXECUTED
    assert ran == [True]


def test_an_eval_in_a_handler_times_out_without_detection(made: Made) -> None:
    """It cannot get its turn before the handler returns."""
    mach = made()
    mach.eval_timeout = 0.001
    results: list[bool] = []
    mach.bind_handlers({"AState": lambda e: results.append(mach.eval("test", lambda: None))})

    mach.add1("A")

    assert results == [False]
    assert isinstance(mach.err, EvalTimeoutError)
