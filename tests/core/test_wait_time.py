"""Waiting for ticks, arguments, answers and the end of the queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import machine as am

Make = Callable[..., am.Machine]


# -- ticks


def test_when_time_waits_for_each_tick(made: Make) -> None:
    """From 1,1 on: not released at 3,3 when the first has to reach 5, but at 5,3."""
    mach = made("A{multi} B{multi} C{}")
    mach.add(["A", "B"])
    handle, later = mach.when_time(["A", "B"], [5, 2]), mach.when_time(["A", "B"], [5, 9])
    mach.add(["A", "B"])
    assert mach.time(["A", "B"]) == [3, 3]
    assert not handle.done
    mach.add1("A")

    assert mach.time(["A", "B"]) == [5, 3]
    assert handle.reason == "match"
    assert not later.done


def test_ticks_need_not_be_reached_together(made: Make) -> None:
    """What one state has reached stays reached while the other is waited for."""
    mach = made()
    handle = mach.when_time(["A", "B"], [1, 1])
    mach.set("A")
    mach.set("B")

    assert mach.time(["A", "B"]) == [2, 1]
    assert handle.done


def test_reached_ticks_are_released_at_once(made: Make) -> None:
    """Every variant looks at the clock first."""
    mach = made()
    mach.add1("A")

    assert mach.when_time(["A", "B"], [1, 0]).done
    assert mach.when_time([], []).done
    assert mach.when_ticks("A", 0).done
    assert mach.when_ticks_eq("A", 1).done


def test_a_state_named_twice_has_to_reach_the_higher_tick(made: Make) -> None:
    """A state counts once in one call."""
    mach = made("A{multi}")
    handle = mach.when_time(["A", "A"], [3, 1])
    mach.add1("A")
    assert not handle.done
    mach.add1("A")

    assert handle.done


def test_unequal_lengths_are_an_error_at_the_call(made: Make) -> None:
    """A call that could never match raises, and adds no error state."""
    mach = made()
    text = r"states and times must have the same length in when_time \(A B\)"
    with pytest.raises(ValueError, match=text):
        mach.when_time(["A", "B"], [1])

    assert not mach.is_err()


def test_two_ticks_from_inactive_are_active_and_gone_again(made: Make) -> None:
    """`when_ticks` counts from the call."""
    mach = made()
    handle = mach.when_ticks("A", 2)
    mach.add1("A")
    assert not handle.done
    mach.remove1("A")

    assert handle.done


def test_two_ticks_from_active_are_activated_again(made: Make) -> None:
    """`when_ticks` counts from the call."""
    mach = made()
    mach.add1("A")
    handle = mach.when_ticks("A", 2)
    mach.remove1("A")
    assert not handle.done
    mach.add1("A")

    assert handle.done


def test_when_ticks_eq_is_satisfied_by_more(made: Make) -> None:
    """A tick that was passed counts as reached."""
    mach = made("A{multi}")
    mach.add1("A")
    handle = mach.when_ticks_eq("A", 2)
    mach.add1("A")

    assert handle.done


def test_the_next_activation_is_not_the_present_one(made: Make) -> None:
    """`when_next_active` waits for a state to come, or to come again."""
    mach = made()
    first = mach.when_next_active("A")
    mach.add1("A")
    again = mach.when_next_active("A")
    assert first.done
    mach.remove1("A")
    assert not again.done
    mach.add1("A")

    assert again.done


def test_the_example_of_all_kinds(made: Make) -> None:
    """Each kind of waiter is released at its own moment of the same few mutations."""
    mach = made()
    handles = {
        "w0": mach.when(["A", "B"]),
        "w1": mach.when_not(["A"]),
        "w2": mach.when_time(["A", "B"], [3, 1]),
        "w3": mach.when_ticks("A", 2),
        "w4": mach.when_ticks_eq("A", 1),
        "w5": mach.when_args("A", {"id": 1}),
        "w7": mach.when_queue_ends(),
    }
    done: dict[str, list[str]] = {}

    def note(moment: str) -> None:
        done[moment] = [name for name, handle in handles.items() if handle.done]

    mach.bind_handlers({"AState": lambda e: note("AState"), "AnyState": lambda e: note("AnyState")})
    note("at once")
    mach.add1("A", {"id": 1, "z": 2})
    in_handlers = dict(done)
    note("add A")
    mach.add1("B")
    note("add B")
    mach.remove1("A")
    note("remove A")
    mach.add1("A")
    note("add A again")

    assert done["at once"] == ["w1", "w7"]
    assert in_handlers["AState"] == ["w1", "w7"]
    assert in_handlers["AnyState"] == ["w1", "w5", "w7"]
    assert done["add A"] == ["w1", "w4", "w5", "w7"]
    assert done["add B"] == ["w0", "w1", "w4", "w5", "w7"]
    assert done["remove A"] == ["w0", "w1", "w3", "w4", "w5", "w7"]
    assert done["add A again"] == ["w0", "w1", "w2", "w3", "w4", "w5", "w7"]


# -- arguments


def test_when_args_waits_for_equal_arguments(made: Make) -> None:
    """Other values do not match, equal ones do."""
    mach = made("B{multi add:C} C{}")
    handle = mach.when_args("B", {"foo": "bar"})
    mach.add1("B", {"foo": "foo"})
    assert not handle.done
    mach.add1("B", {"foo": "bar"})

    assert handle.reason == "match"


def test_more_arguments_than_asked_for_match(made: Make) -> None:
    """All wanted arguments must be there, others may."""
    mach = made()
    two, one = mach.when_args("A", {"x": 1, "y": 2}), mach.when_args("A", {"x": 1})
    mach.add1("A", {"x": 1})
    assert one.done
    assert not two.done
    mach.remove1("A")
    mach.add1("A", {"x": 1, "y": 2, "z": 3})

    assert two.done


@pytest.mark.parametrize("wanted", [{}, None])
def test_no_wanted_arguments_match_every_activation(
    wanted: dict[str, Any] | None, made: Make
) -> None:
    """Without arguments it waits for the next activation, of whatever kind."""
    mach = made()
    mach.add1("A")
    handle = mach._subscriptions().when_args("A", wanted)
    assert not handle.done
    mach.set("A")
    assert not handle.done
    mach.remove1("A")
    mach.add1("A")

    assert handle.done


@pytest.mark.parametrize("value", [0, "", False, None])
def test_empty_values_are_values(value: object, made: Make) -> None:
    """An argument that is 0 or None has to be there and to be equal."""
    mach = made("B{multi}")
    handle = mach.when_args("B", {"id": value})
    mach.add1("B", {})
    mach.add1("B")
    mach.add1("B", {"id": 5})
    assert not handle.done
    mach.add1("B", {"id": value})

    assert handle.done


def test_the_wanted_arguments_are_copied(made: Make) -> None:
    """Changing the dict after the call changes nothing."""
    mach = made()
    wanted = {"x": 1}
    handle = mach.when_args("A", wanted)
    wanted["x"] = 2
    mach.add1("A", {"x": 1})

    assert handle.done


def test_arguments_that_cannot_be_compared_do_not_match(
    made: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """`==` is code of the user; if it raises, that is logged and the machine goes on."""

    class Odd:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError("no order among these")

        __hash__ = None  # type: ignore[assignment]

    mach = made()
    odd, plain = mach.when_args("A", {"x": Odd()}), mach.when_args("A", {"x": 1})

    assert mach.add1("A", {"x": 1}) is am.Result.EXECUTED
    assert not odd.done
    assert plain.done
    assert "no order among these" in caplog.text


def test_a_failed_state_handler_matches_no_arguments(made: Make) -> None:
    """`when_args` is about activations that went through."""
    mach = made()

    def fail(event: am.Event) -> None:
        raise RuntimeError("boom")

    mach.bind_handlers({"AState": fail})
    handle = mach.when_args("A", {"x": 1})
    mach.add1("A", {"x": 1})

    assert not handle.done


def test_an_implied_state_is_activated_with_the_arguments(made: Make) -> None:
    """Arguments belong to the mutation, so they match for what `add` activates too."""
    mach = made("B{multi add:C} C{}")
    handle = mach.when_args("C", {"x": 1})
    mach.add1("B", {"x": 1})

    assert handle.done


# -- queries


def test_a_query_is_asked_after_each_change(made: Make) -> None:
    """It gets the clock, at the call and after each change, until its answer is true."""
    mach = made()
    asked: list[dict[str, int]] = []

    def query(clock: dict[str, int]) -> bool:
        asked.append(clock)
        return clock["A"] >= 2

    handle = mach.when_query(query)
    mach.add1("A")
    mach.remove1("A")
    mach.add1("A")

    assert handle.reason == "match"
    assert asked == [
        {"A": 0, "B": 0, "C": 0, "D": 0, "Exception": 0},
        {"A": 1, "B": 0, "C": 0, "D": 0, "Exception": 0},
        {"A": 2, "B": 0, "C": 0, "D": 0, "Exception": 0},
    ]


def test_a_query_that_holds_releases_at_once(made: Make) -> None:
    """A query that is true at the call leaves no waiter."""
    mach = made()
    handle = mach.when_query(lambda clock: clock["A"] == 0)

    assert handle.reason == "match"
    assert mach.open_count() == 0


def test_a_query_that_fails_at_the_call_is_canceled(
    made: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """As later, the error is logged once and raised nowhere."""
    mach = made()
    handle = mach.when_query(lambda clock: clock["Nope"] > 1)
    mach.add1("A")

    assert handle.reason == "canceled"
    assert len(caplog.records) == 1


def test_a_query_may_be_released_by_another_schema(made: Make) -> None:
    """After a change of schema it is asked about the new clock."""
    mach = made()
    mach.verify_states([*"ABCD", am.EXCEPTION])
    handle = mach.when_query(lambda clock: "E" in clock)
    mach.set_struct({**mach.get_struct(), "E": am.State()}, [*"ABCD", am.EXCEPTION, "E"])

    assert handle.reason == "match"


def test_a_failing_query_is_dropped(made: Make, caplog: pytest.LogCaptureFixture) -> None:
    """A query that raises is logged once and its handle canceled."""
    mach = made()
    handle = mach.when_query(lambda clock: clock["A"] > 0 and clock["Nope"] > 1)
    mach.add1("A")
    mach.add1("B")

    assert handle.reason == "canceled"
    assert len(caplog.records) == 1


def test_a_query_whose_handle_is_gone_is_not_asked(made: Make) -> None:
    """Queries leave the index like all other subscriptions."""
    mach = made()
    asked: list[object] = []
    mach.when_query(lambda clock: bool(asked.append(clock)))  # type: ignore[func-returns-value]
    mach.add1("A")

    assert len(asked) == 1


def test_a_query_may_drop_itself_while_it_is_asked(made: Make) -> None:
    """A query that fails after its own handle went away is no trouble."""
    mach = made()
    handles: list[am.WaitHandle] = []

    def query(clock: dict[str, int]) -> bool:
        if not handles:
            return False
        handles.clear()
        raise RuntimeError("boom")

    handles.append(mach.when_query(query))

    assert mach.add1("A") is am.Result.EXECUTED
    assert len(mach._subscriptions()) == 0


def test_queries_are_named_in_the_log(made: Make, log_of: Callable[..., list[str]]) -> None:
    """A function is reported by its name, any other callable by its class."""

    class Asker:
        def __call__(self, clock: dict[str, int]) -> bool:
            return False

    def query(clock: dict[str, int]) -> bool:
        return False

    mach = made()
    lines = log_of(mach, am.LogLevel.OPS)
    handles = [mach.when_query(query), mach.when_query(Asker())]

    assert not any(handles)
    assert lines == [f"[whenQuery:new] {query.__qualname__}", "[whenQuery:new] Asker"]


# -- the end of the queue


def test_the_end_of_the_queue_is_there_when_nothing_runs(made: Make) -> None:
    """Without a drain there is nothing to wait for."""
    assert made().when_queue_ends().reason == "match"


def test_the_end_of_the_queue_comes_after_all_queued_mutations(made: Make) -> None:
    """Subscribed in a handler, it is released after the drain and after the tracers."""
    mach = made()
    handles: list[am.WaitHandle] = []
    seen: list[tuple[str, bool]] = []

    def enter(event: am.Event) -> None:
        handles.append(mach.when_queue_ends())
        mach.add1("B")

    class Watch(am.Tracer):
        def queue_end(self, mach: am.Machine) -> None:
            seen.append(("queue_end", handles[0].done))

    mach.bind_tracer(Watch())
    mach.bind_handlers({"AState": enter, "BState": lambda e: seen.append(("B", handles[0].done))})
    mach.add1("A")

    assert seen == [("B", False), ("queue_end", False)]
    assert handles[0].reason == "match"
