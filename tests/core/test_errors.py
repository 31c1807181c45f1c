"""Errors: how they become states, what is reverted, what is reported, and what passes through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine import errors
from machine.errors import MachineError, StateMissingError

Made = Callable[..., am.Machine]
Watch = Callable[..., list[str]]
LogOf = Callable[..., list[str]]

EXECUTED, CANCELED, QUEUED = am.Result.EXECUTED, am.Result.CANCELED, am.Result.QUEUED


def raising(error: BaseException) -> Callable[[am.Event], None]:
    """A handler that raises this."""

    def handler(event: am.Event) -> None:
        raise error

    return handler


def test_an_error_is_stored_before_its_transition(made: Made) -> None:
    """`err` is known at once, even while `Exception` waits in the queue."""
    mach = made()
    error = RuntimeError("stored")
    seen: list[Any] = []
    mach.bind_handlers(
        {"AState": lambda e: seen.extend([mach.add_err(error), mach.err, mach.is_err()])}
    )

    mach.add1("A")

    assert seen == [QUEUED, error, False]
    assert mach.is_err()


def test_adding_no_error_does_nothing(made: Made, recorder: Any) -> None:
    """None is no error: no state, no transition."""
    mach = made(tracers=[recorder])

    assert mach.add_err(None) is CANCELED
    assert mach.add_err_state("A", None) is CANCELED
    assert mach.err is None
    assert recorder.txs == []


def test_an_unknown_error_state_stores_nothing(made: Made) -> None:
    """The mistake is reported before anything happens."""
    mach = made()

    with pytest.raises(StateMissingError):
        mach.add_err_state("ErrX", RuntimeError())
    assert mach.err is None


def test_an_error_state_comes_with_exception(made: Made, recorder: Any) -> None:
    """Both are called, the more precise one first."""
    mach = made("ErrNet{require:Exception}", tracers=[recorder])

    mach.add_err_state("ErrNet", OSError())

    assert recorder.txs[0].called_states() == ["ErrNet", "Exception"]
    assert mach.is_(["ErrNet", "Exception"])


def test_what_an_exception_handler_is_given(made: Made) -> None:
    """The error, its stack trace, and the caller's own arguments."""
    mach = made()
    seen: list[am.A] = []
    mach.bind_handlers({"ExceptionState": lambda e: seen.append(e.args)})
    error = RuntimeError("reported")

    mach.add_err(error, {"more": 1})

    (args,) = seen
    assert args["err"] is error
    assert args["more"] == 1
    assert "RuntimeError: reported" in args["err.trace"]
    assert "test_errors" in args["err.trace"]
    assert "panic" not in args


def test_the_callers_arguments_are_not_changed_by_an_error(made: Made) -> None:
    """The details of the error go into a copy."""
    args = {"more": 1}

    made().add_err(RuntimeError(), args)

    assert args == {"more": 1}


def test_stack_traces_can_be_switched_off(made: Made) -> None:
    """Then none is made, which is cheaper."""
    mach = made(log_stack_trace=False)
    seen: list[am.A] = []
    handlers = {"ExceptionState": lambda e: seen.append(e.args), "AState": raising(ValueError())}
    mach.bind_handlers(handlers)

    mach.add_err(RuntimeError())
    mach.add1("A")

    assert ["err.trace" in args for args in seen] == [False, False]


def test_the_report_of_a_failed_handler(made: Made) -> None:
    """The `panic` argument shows which transition broke, where, and what its targets were."""
    mach = made()
    mach.add1("A")
    seen: list[am.Panic] = []
    mach.bind_handlers(
        {
            "BEnter": lambda e: None,
            "CEnter": raising(RuntimeError("boom")),
            "ExceptionState": lambda e: seen.append(e.args["panic"]),
        }
    )

    mach.add(["B", "C"])

    (panic,) = seen
    assert panic.handler == "CEnter"
    assert str(panic.type) == "add"
    assert panic.called_states == ["B", "C"]
    assert panic.states_before == ["A"]
    assert panic.target_states == ["B", "C", "A"]
    assert panic.transition.called_states() == ["B", "C"]
    assert str(panic.last_step) == "B (handler)"
    assert "RuntimeError: boom" in panic.stack_trace


def test_a_trace_can_be_filtered(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """AM_TRACE_FILTER names text that is left out, such as a folder."""
    monkeypatch.setenv("AM_TRACE_FILTER", "RuntimeError")
    mach = made()
    seen: list[str] = []
    mach.bind_handlers({"ExceptionState": lambda e: seen.append(e.args["err.trace"])})

    mach.add_err(RuntimeError("reported"))

    assert seen[0].endswith(": reported\n")
    assert "RuntimeError" not in seen[0]


def test_a_trace_has_a_limit(made: Made) -> None:
    """Of a longer one the beginning and the end are kept."""
    mach = made()
    seen: list[str] = []
    mach.bind_handlers({"ExceptionState": lambda e: seen.append(e.args["err.trace"])})

    mach.add_err(RuntimeError("x" * 200_000))

    assert len(seen[0]) < 66_000
    assert "\n  ...\n" in seen[0]
    assert seen[0].endswith("xxx\n")


def in_order(lines: list[str], expected: list[str]) -> bool:
    """Whether these are among the lines, in this order; a line may be followed by a stack trace."""
    rest = iter(line.split("\n")[0] for line in lines)
    return all(line in rest for line in expected)


def test_an_error_in_negotiation_cancels_and_becomes_a_state(
    made: Made, watch: Watch, log_of: LogOf, recorder: Any
) -> None:
    """No state changes, `Exception` follows in the same drain, and the machine goes on."""
    mach = made("A{} B{} C{}", tracers=[recorder])
    mach.add1("A")
    watch(mach, fail=["BEnter"])
    mach.bind_handlers(am.ExceptionHandler())
    lines = log_of(mach)
    recorder.txs.clear()

    assert mach.add1("B") is CANCELED
    assert str(mach) == "(A:1 Exception:1)"
    seen = [(tx.called_states(), tx.accepted, tx.queue_len) for tx in recorder.txs]
    assert seen == [(["B"], False, 1), (["Exception"], True, 0)]
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
    assert "RuntimeError: boom" in next(line for line in lines if line.startswith("[error:add]"))
    assert mach.add1("C") is EXECUTED


def test_an_error_in_a_final_handler_reverts_what_did_not_complete(
    made: Made, watch: Watch, log_of: LogOf
) -> None:
    """A completed and stays; B failed and C had no turn. The next mutation runs."""
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
    assert mach.add1("C") is EXECUTED


def test_every_error_counts_and_the_last_is_kept(made: Made) -> None:
    """`Exception` is multi, states that require it leave with it, and `err` stays."""
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


@pytest.mark.parametrize("name", ["AExit", "BEnter", "AA", "AB"])
def test_an_error_in_the_negotiation_leaves_the_states_alone(
    made: Made, watch: Watch, name: str
) -> None:
    """If any handler fails, the transition is canceled and nothing ticks but `Exception`."""
    mach = made()
    mach.set(["A", "D"])
    watch(mach, fail=[name])

    result = mach.set(["B", "D"]) if name == "AExit" else mach.add(["A", "B"])

    assert result is CANCELED
    assert str(mach) == "(A:1 D:1 Exception:1)"


def test_an_error_in_the_global_negotiation_handler_cancels(made: Made) -> None:
    """AnyEnter may fail like the handler of a state."""
    mach = made()
    mach.bind_handlers({"AnyEnter": lambda e: mach.err or raising(RuntimeError())(e)})

    assert mach.add1("A") is CANCELED
    assert mach.active_states() == ["Exception"]


def test_an_error_in_any_state_keeps_what_completed(
    made: Made, watch: Watch, log_of: LogOf
) -> None:
    """All states are through by then, so nothing is reverted; the result is CANCELED."""
    mach = made()
    watch(mach, fail=["AnyState"])
    lines = log_of(mach)

    assert mach.add1("A") is CANCELED
    assert mach.string_all() == "(A:1 Exception:1) [B:0 C:0 D:0]"
    assert "[recover] partial final states as (A)" in lines


def test_a_failed_reentry_of_a_multi_state_deactivates_it(made: Made, watch: Watch) -> None:
    """A state that was activated again counts as entering: +2 at first, then +1."""
    mach = made("M{multi}")
    mach.add1("M")
    watch(mach, fail=["MState"])

    assert mach.add1("M") is CANCELED
    assert mach.string_all() == "(Exception:1) [M:4]"


def test_a_failed_end_reverts_everything_behind_it(made: Made, watch: Watch) -> None:
    """What did not complete its End is active again, behind the rest; nothing entered."""
    mach = made()
    mach.set(["A", "B", "C"])
    calls = watch(mach, fail=["BEnd"])

    mach.set(["D"])

    assert mach.active_states() == ["Exception", "B", "C"]
    assert mach.string_all() == "(B:3 C:3 Exception:1) [A:2 D:2]"
    assert "CEnd" not in calls
    assert "DState" not in calls


def test_a_correction_changes_each_state_by_one_tick(
    made: Made, watch: Watch, recorder: Any
) -> None:
    """No state gets the extra two of a multi state when others are corrected."""
    mach = made("M{multi} A{} B{}", tracers=[recorder])
    mach.add1("M")
    watch(mach, fail=["AState"])

    mach.add(["M", "A", "B"])

    assert mach.string_all() == "(M:3 Exception:1) [A:2 B:2]"
    assert recorder.txs[1].time_after == [3, 2, 2, 0]


def test_no_auto_states_follow_a_failed_transition(made: Made, watch: Watch, recorder: Any) -> None:
    """They wait for the next transition that is accepted, the one of `Exception`."""
    mach = made("A{} Z{auto}", tracers=[recorder])
    watch(mach, fail=["AState"])

    mach.add1("A")

    assert [tx.called_states() for tx in recorder.txs] == [["A"], ["Exception"], ["Z"]]
    assert mach.is1("Z")


def test_relations_are_not_checked_after_a_correction(
    made: Made, watch: Watch, recorder: Any
) -> None:
    """A is back without B, which it requires, until the next transition looks at it."""
    mach = made("A{require:B} B{} C{}", tracers=[recorder])
    mach.set(["A", "B"])
    watch(mach, fail=["AEnd"])

    mach.set(["C"])

    assert recorder.txs[1].clock_after() == {"A": 3, "B": 2, "C": 2, "Exception": 0}
    assert mach.active_states() == ["Exception"]


def test_an_error_in_an_error_handler_only_cancels(made: Made, log_of: LogOf) -> None:
    """A failing ExceptionState makes no further error: the states stay, the machine goes on."""
    mach = made()
    mach.bind_handlers({"ExceptionState": raising(RuntimeError("second"))})
    lines = log_of(mach)
    first = RuntimeError("first")

    assert mach.add_err(first) is CANCELED
    assert mach.is_err()
    assert mach.err is first
    assert mach.queue_len() == 0
    assert "[cancel] (Exception) by recover" in lines
    assert mach.add1("A") is EXECUTED


def test_an_error_while_exception_enters_leaves_it_inactive(made: Made) -> None:
    """The transition that called `Exception` is canceled like any other."""
    mach = made()
    mach.bind_handlers({"ExceptionEnter": raising(RuntimeError("second"))})

    assert mach.add_err(RuntimeError("first")) is CANCELED
    assert not mach.is_err()
    assert mach.add1("A") is EXECUTED


def test_errors_can_be_let_through(made: Made, watch: Watch) -> None:
    """Without `panic_to_exception` the caller of the mutation gets the error; states revert."""
    mach = made(panic_to_exception=False)
    watch(mach, fail=["BState", "CEnter"])

    with pytest.raises(RuntimeError, match="boom"):
        mach.add(["A", "B"])
    with pytest.raises(RuntimeError, match="boom"):
        mach.add1("C")

    assert mach.string_all() == "(A:1) [B:2 C:0 D:0 Exception:0]"
    assert mach.err is None
    assert mach.add1("D") is EXECUTED


@pytest.mark.parametrize("name", ["AEnter", "AState", "AnyState"])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_what_is_no_exception_passes_through(
    made: Made, recorder: Any, kind: type[BaseException], name: str
) -> None:
    """The caller gets it, the transition is closed, and the queue is not left running."""
    mach = made(tracers=[recorder])
    mach.bind_handlers({name: raising(kind())})

    with pytest.raises(kind):
        mach.add1("A")

    assert not mach.is_err()
    assert mach.is1("A") is (name == "AnyState")
    assert mach.transition() is None
    assert recorder.events[-1] == "transition_end"
    assert not recorder.txs[0].accepted
    assert [step.failed for step in recorder.txs[0].steps if step.type == 2] == [True]
    mach.detach_handlers(mach.handlers()[0])
    assert mach.add1("B") is EXECUTED


def test_what_waits_survives_an_interrupt(made: Made) -> None:
    """Mutations left behind by an interrupted drain run with the next one, in order."""
    mach = made()

    def work(event: am.Event) -> None:
        mach.add1("B")
        mach.add1("C")
        raise KeyboardInterrupt

    mach.bind_handlers({"AState": work})
    with pytest.raises(KeyboardInterrupt):
        mach.add1("A")
    assert mach.queue_len() == 2

    assert mach.add1("D") is EXECUTED
    assert mach.active_states() == ["D", "C", "B"]


def test_an_interrupt_in_an_exception_handler_passes_through(made: Made) -> None:
    """The state stays; only ordinary errors are swallowed there."""
    mach = made()
    mach.bind_handlers({"ExceptionState": raising(KeyboardInterrupt())})

    with pytest.raises(KeyboardInterrupt):
        mach.add_err(RuntimeError())
    assert mach.is_err()


def test_a_handler_that_names_an_unknown_state_has_failed(made: Made) -> None:
    """A programmer's mistake inside a handler is an error of that handler."""
    mach = made()
    mach.bind_handlers({"AState": lambda e: mach.add1("Nope")})

    assert mach.add1("A") is CANCELED
    assert isinstance(mach.err, StateMissingError)


class Handlers(am.ExceptionHandler):
    """The ready-made error handler, mixed in."""


def test_the_ready_made_handler_logs_errors(made: Made, log_of: LogOf) -> None:
    """Plainly what was added, and which transition broke when a handler raised."""
    mach = made(log_stack_trace=False)
    mach.bind_handlers(Handlers())
    mach.bind_handlers({"BEnter": raising(RuntimeError("boom"))})
    lines = log_of(mach, am.LogLevel.CHANGES)

    mach.add_err(RuntimeError("added"))
    mach.set(["A", "B"])
    mach.add1("Exception")

    errors_told = [line for line in lines if line.startswith("[error")]
    assert errors_told == [
        "[error] added",
        "[error:set] A B (boom)",
        "[error] missing error in ExceptionState",
    ]


def test_the_ready_made_handler_logs_stack_traces(made: Made, log_of: LogOf) -> None:
    """On the lines below the message."""
    mach = made()
    mach.bind_handlers(Handlers())
    lines = log_of(mach, am.LogLevel.CHANGES)

    mach.add_err(RuntimeError("50%"))

    assert lines[-1].startswith("[error] 50%\n")
    assert "RuntimeError: 50%" in lines[-1].split("\n", 1)[1]


def test_all_errors_have_one_base_and_their_prefix() -> None:
    """The text of an error starts with what kind it is; without more to say it is just that."""
    for name in errors.__all__:
        kind = getattr(errors, name)
        if kind in (MachineError, StateMissingError, errors.near_names):
            continue
        assert issubclass(kind, MachineError)
        assert str(kind()) == kind.prefix
        assert str(kind("why")) == f"{kind.prefix}: why"
        assert kind("why").detail == "why"


@pytest.mark.parametrize(
    "kind", [errors.HandlerTimeoutError, errors.EvalTimeoutError, errors.TimeoutError_]
)
def test_timeouts_are_timeouts_of_the_language_too(kind: type[Exception]) -> None:
    """`except TimeoutError` catches them."""
    assert issubclass(kind, TimeoutError)


def test_missing_states_without_near_ones_suggest_nothing() -> None:
    """A suggestion is only there when it helps."""
    assert "did you mean" not in str(StateMissingError(["Zzz"], "m", ["A"]))


def test_an_error_that_nothing_raises_warns() -> None:
    """`StateInactiveError` is still there for old programs, and any other name is unknown."""
    with pytest.warns(DeprecationWarning, match="StateInactiveError is never raised"):
        kind = errors.StateInactiveError  # type: ignore[attr-defined]

    assert issubclass(kind, MachineError)
    with pytest.raises(AttributeError, match="no attribute Unheard"):
        _ = errors.Unheard  # type: ignore[attr-defined]
