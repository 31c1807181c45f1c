"""Handlers that take longer than their limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import machine as am

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
