"""Handlers that take longer than their limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine.errors import HandlerTimeoutError

Made = Callable[..., am.Machine]
LogOf = Callable[..., list[str]]

EXECUTED, CANCELED = am.Result.EXECUTED, am.Result.CANCELED


@pytest.mark.parametrize(
    ("name", "after"), [("AEnter", "(Exception:1) [A:0]"), ("AState", "(A:1 Exception:1)")]
)
def test_a_late_handler_cancels_but_reverts_nothing(
    made: Made, clock: Any, log_of: LogOf, name: str, after: str
) -> None:
    """In the final phase the applied states stay; the handlers behind it do not run."""
    mach = made("A{}", handler_timeout=0.1)
    calls: list[str] = []
    mach.bind_handlers(
        {name: lambda e: clock.advance(0.2), "AnyState": lambda e: calls.append("!")}
    )
    lines = log_of(mach)

    assert mach.add1("A") is CANCELED
    assert mach.string_all().startswith(after)
    assert calls == ["!"]
    assert "[cancel] (A) by timeout" in lines


def test_the_answer_of_a_late_handler_does_not_count(made: Made, clock: Any) -> None:
    """It denies, whatever it says."""
    mach = made("A{}", handler_timeout=0.1)
    mach.bind_handlers({"AEnter": lambda e: clock.advance(0.2) or True})

    assert mach.add1("A") is CANCELED


def test_the_error_of_a_timeout_comes_at_the_end_of_the_queue(
    made: Made, clock: Any, recorder: Any
) -> None:
    """It is no more urgent than what waits already."""
    mach = made("A{} B{}", handler_timeout=0.1, tracers=[recorder])
    mach.bind_handlers({"AState": lambda e: [mach.add1("B"), clock.advance(0.2)]})

    mach.add1("A")

    assert [tx.called_states() for tx in recorder.txs] == [["A"], ["B"], ["Exception"]]


def test_time_is_accounted_per_handler(made: Made, clock: Any, recorder: Any) -> None:
    """Two handlers that together are over the limit are not late."""
    for tracers in ([], [recorder]):
        mach = made("A{}", handler_timeout=0.1, tracers=tracers)
        names = ["AEnter", "AnyEnter", "AState"]
        mach.bind_handlers(dict.fromkeys(names, lambda e: clock.advance(0.09)))

        assert mach.add1("A") is EXECUTED


@pytest.mark.parametrize("limit", [0, None])
def test_timeouts_can_be_switched_off(made: Made, clock: Any, limit: float | None) -> None:
    """0 and None are no limit."""
    mach = made("A{}", handler_timeout=limit)
    mach.bind_handlers({"AEnter": lambda e: clock.advance(1_000)})

    assert mach.handler_timeout is None
    assert mach.add1("A") is EXECUTED


def test_a_late_handler_of_an_auto_state_drops_only_that_state(
    made: Made, clock: Any, recorder: Any
) -> None:
    """In an auto transition lateness is a denial like any other."""
    mach = made("A{} Y{auto} Z{auto}", handler_timeout=0.1, tracers=[recorder])
    mach.bind_handlers({"YEnter": lambda e: mach.err or clock.advance(0.2)})

    mach.add1("A")

    assert recorder.txs[1].is_auto()
    assert recorder.txs[1].clock_after() == {"A": 1, "Y": 0, "Z": 1, "Exception": 0}


def test_the_report_of_a_late_handler(made: Made, clock: Any) -> None:
    """Which states were called and meant, and the times before and after."""
    mach = made("A{add:B} B{}", handler_timeout=0.1)
    seen: list[am.AT] = []
    mach.bind_handlers(
        {
            "AState": lambda e: clock.advance(0.2),
            "ExceptionState": lambda e: seen.append(am.parse_args(e.args)),
        }
    )

    mach.add1("A")

    (told,) = seen
    assert told.err is mach.err
    assert "handler timeout: AState" in told.err_trace
    assert told.panic is None
    assert (told.called_states, told.target_states) == (["A"], ["A", "B"])
    assert (told.time_before, told.time_after) == ([0, 0, 0], [1, 1, 0])


def test_a_timeout_makes_no_trace_when_there_shall_be_none(made: Made, clock: Any) -> None:
    """As with any other error."""
    mach = made("A{}", handler_timeout=0.1, log_stack_trace=False)
    seen: list[am.A] = []
    mach.bind_handlers(
        {
            "AState": lambda e: clock.advance(0.2),
            "ExceptionState": lambda e: seen.append(e.args),
        }
    )

    mach.add1("A")

    assert "err.trace" not in seen[0]


@pytest.mark.parametrize("in_error", [False, True])
def test_a_timeout_enters_a_full_queue_as_the_first_error(
    made: Made, clock: Any, in_error: bool
) -> None:
    """One error always gets in; a further one is only stored."""
    mach = made("A{} M{multi}", handler_timeout=0.1, queue_limit=2)
    if in_error:
        mach.add_err(RuntimeError())

    def flood(event: am.Event) -> None:
        while mach.add1("M") is not CANCELED:
            pass
        clock.advance(0.2)

    mach.bind_handlers({"AState": flood})
    mach.add1("A")

    assert isinstance(mach.err, HandlerTimeoutError)
    assert mach.tick("Exception") == 1


def test_a_handler_that_disposes_and_is_late_adds_no_error(made: Made, clock: Any) -> None:
    """The machine is at its end, so nothing is reported."""
    mach = made("A{}", handler_timeout=0.1)
    mach.bind_handlers({"AState": lambda e: mach.dispose_force() or clock.advance(0.2)})

    assert mach.add1("A") is CANCELED
    assert mach.is_disposed()


def test_the_error_of_a_timeout_names_the_handler_and_the_transition(
    made: Made, clock: Any, recorder: Any
) -> None:
    """The late transition is the source of the mutation that adds `Exception`."""
    mach = made("A{}", handler_timeout=0.1, tracers=[recorder])
    valid: list[bool] = []

    def be_late(event: am.Event) -> None:
        valid.append(event.is_valid())
        clock.advance(0.2)
        valid.append(event.is_valid())

    mach.bind_handlers({"AEnter": be_late})

    assert mach.add1("A") is CANCELED
    assert valid == [True, False]
    assert isinstance(mach.err, HandlerTimeoutError)
    assert str(mach.err) == "handler timeout: AEnter"
    late, error = recorder.txs
    assert error.mutation.source == am.MutSource("mach", late.id, 0)
