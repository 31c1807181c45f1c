"""The worked examples about errors, waiting and state contexts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine.errors import HandlerTimeoutError

Made = Callable[..., am.Machine]
Watch = Callable[..., list[str]]
LogOf = Callable[..., list[str]]

EXECUTED, CANCELED = am.Result.EXECUTED, am.Result.CANCELED


def in_order(lines: list[str], expected: list[str]) -> bool:
    """Are these among the lines, in this order; a line may be followed by a stack trace."""
    rest = iter(line.split("\n")[0] for line in lines)
    return all(line in rest for line in expected)


def test_an_error_in_negotiation_cancels_and_becomes_a_state(
    made: Made, watch: Watch, log_of: LogOf, recorder: Any
) -> None:
    """Example 52: nothing was changed yet, and `Exception` follows in the same drain."""
    mach = made("A{} B{} C{}", tracers=[recorder])
    mach.add1("A")
    watch(mach, fail=["BEnter"])
    mach.bind_handlers(am.ExceptionHandler())
    lines = log_of(mach)
    recorder.txs.clear()

    assert mach.add1("B") is CANCELED
    assert str(mach) == "(A:1 Exception:1)"
    told = [(tx.called_states(), tx.accepted, tx.queue_len) for tx in recorder.txs]
    assert told == [(["B"], False, 1), (["Exception"], True, 0)]
    assert in_order(
        lines,
        [
            "[recover] handling panic...",
            "[cancel] (B A) by recover",
            "[cancel] (B A) by BEnter",
            "[add] Exception",
            "[state] +Exception",
            "[error:add] B (boom)",
        ],
    )


def test_an_error_in_a_final_handler_reverts_what_did_not_complete(
    made: Made, watch: Watch, log_of: LogOf
) -> None:
    """Example 53: A was through, so it stays; B failed and C never had its turn."""
    mach = made("A{} B{} C{}")
    watch(mach, fail=["BState"])
    lines = log_of(mach)

    assert mach.add(["A", "B", "C"]) is CANCELED
    assert mach.string_all() == "(A:1 Exception:1) [B:2 C:2]"
    assert in_order(
        lines,
        [
            "[state] +A +B +C",
            "[recover] handling panic...",
            "[recover] partial final states as (A)",
            "[state] -B -C",
            "[cancel] (A B C) by recover",
        ],
    )


def test_an_error_in_an_end_handler_restores_its_state(made: Made, watch: Watch) -> None:
    """Example 54: what ended before stays ended; the failing one is active again."""
    mach = made("A{} B{} C{}")
    mach.set(["A", "B"])
    calls = watch(mach, fail=["BEnd"])

    assert mach.set(["C"]) is CANCELED
    assert mach.string_all() == "(B:3 Exception:1) [A:2 C:2]"
    assert "AEnd" in calls


def test_every_error_counts_and_the_last_is_kept(made: Made) -> None:
    """Example 55: `Exception` is multi; states that require it go with it; `err` stays."""
    mach = made("ErrNet{require:Exception} A{}")
    errors = [RuntimeError(name) for name in ("e1", "e2", "e3")]

    mach.add_err(errors[0])
    assert mach.tick("Exception") == 1
    mach.add_err(errors[1])
    assert mach.tick("Exception") == 3
    mach.add_err_state("ErrNet", errors[2])
    assert str(mach) == "(ErrNet:1 Exception:5)"

    mach.remove1("Exception")
    assert mach.string_all() == "() [ErrNet:2 A:0 Exception:6]"
    assert mach.err is errors[2]


def test_a_handler_that_is_too_slow_cancels_and_becomes_an_error(
    made: Made, clock: Any, recorder: Any
) -> None:
    """Example 56: the error names the handler and has the late transition as its source."""
    mach = made("A{}", handler_timeout=0.1, tracers=[recorder])
    valid: list[bool] = []

    def be_late(event: am.Event) -> None:
        valid.append(event.is_valid())
        clock.advance(0.2)
        valid.append(event.is_valid())

    mach.bind_handlers({"AEnter": be_late})

    assert mach.add1("A") is CANCELED
    assert valid == [True, False]
    assert mach.string_all() == "(Exception:1) [A:0]"
    assert isinstance(mach.err, HandlerTimeoutError)
    assert str(mach.err) == "handler timeout: AEnter"
    late, error = recorder.txs
    assert error.mutation.source == am.MutSource("mach", late.id, 0)


def test_waiters_are_released_at_their_own_moments(made: Made) -> None:
    """Example 57: by states, by times, by ticks, by arguments, by the end of the queue."""
    mach = made()
    waits = {
        "when": mach.when(["A", "B"]),
        "not": mach.when_not(["A"]),
        "time": mach.when_time(["A", "B"], [3, 1]),
        "ticks": mach.when_ticks("A", 2),
        "ticks_eq": mach.when_ticks_eq("A", 1),
        "args": mach.when_args("A", {"id": 1}),
        "queue": mach.when_queue_ends(),
    }
    seen: dict[str, set[str]] = {}

    def done() -> set[str]:
        return {name for name, handle in waits.items() if handle.done}

    mach.bind_handlers(
        {
            "AState": lambda e: seen.setdefault("AState", done()),
            "AnyState": lambda e: seen.setdefault("AnyState", done()),
        }
    )
    at_once = {"not", "queue"}
    assert done() == at_once

    mach.add1("A", {"id": 1, "z": 2})
    assert seen == {"AState": at_once, "AnyState": at_once | {"args"}}
    assert done() == at_once | {"args", "ticks_eq"}

    mach.add1("B")
    assert waits["when"].done
    mach.remove1("A")
    assert waits["ticks"].done
    assert not waits["time"].done
    mach.add1("A")
    assert waits["time"].done


def test_when_args_wants_equal_arguments(made: Made) -> None:
    """Example 58: an activation with other values does not release the waiter."""
    mach = made("A{} B{multi add:C} C{}")
    handle = mach.when_args("B", {"foo": "bar"})

    mach.add1("B", {"foo": "foo"})
    assert not handle.done

    mach.add1("B", {"foo": "bar"})
    assert handle.done


def test_a_state_context_lives_as_long_as_its_state(made: Made) -> None:
    """Example 59: one context for each activation, live until the transition is over."""
    mach = made()
    assert mach.new_state_ctx("A").done

    mach.add1("A")
    ctx = mach.new_state_ctx("A")
    assert mach.new_state_ctx("A") is ctx
    value = ctx.value
    assert isinstance(value, am.CtxValue)
    assert (value.id, value.state, value.tick) == ("mach", "A", 1)

    seen: list[bool] = []
    mach.bind_handlers({"AEnd": lambda e: seen.append(ctx.done)})
    mach.remove1("A")
    assert seen == [False]
    assert ctx.done


def test_activating_a_multi_state_again_does_not_end_its_context(made: Made) -> None:
    """Example 59: the context of a multi state lasts until the state is gone."""
    mach = made("M{multi}")
    mach.add1("M")
    ctx = mach.new_state_ctx("M")

    mach.add1("M")
    assert not ctx.done

    mach.remove1("M")
    assert ctx.done


def test_a_context_ends_a_wait(made: Made) -> None:
    """Example 60: the handle is released without a match, and nothing stays subscribed."""
    mach = made()
    ctx = am.Context()
    handle = mach.when1("A", ctx)

    ctx.cancel()

    assert handle.done
    assert handle.reason == "ctx"
    assert not mach.is1("A")
    assert len(mach._subscriptions()) == 0


@pytest.mark.parametrize("phase", ["BEnter", "BState"])
def test_the_machine_goes_on_after_an_error(made: Made, watch: Watch, phase: str) -> None:
    """Whatever a handler raised, the next mutation runs as ever."""
    mach = made()
    watch(mach, fail=[phase])
    mach.add1("B")

    assert mach.add1("C") is EXECUTED
