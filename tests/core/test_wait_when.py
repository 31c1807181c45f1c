"""Waiting for states to be active, or not."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

import machine as am
from machine import LogLevel
from machine.errors import StateMissingError

Make = Callable[..., am.Machine]


def subscriptions(mach: am.Machine) -> int:
    """How many subscriptions the machine's index holds."""
    return len(mach._subscriptions())


# -- when


def test_when_waits_for_all_states_at_the_same_time(made: Make) -> None:
    """Two states activated one after the other release a waiter for both."""
    mach = made()
    handle = mach.when(["A", "B"])
    mach.add1("A")
    assert not handle.done
    mach.add1("B")

    assert handle.done
    assert handle.reason == "match"
    assert handle.wait()


def test_when_is_released_from_another_thread(made: Make) -> None:
    """A thread blocks until another one has activated both states."""
    mach = made()
    handle = mach.when(["A", "B"])

    def work() -> None:
        mach.add1("A")
        mach.add1("B")

    thread = threading.Thread(target=work)
    thread.start()

    assert handle.wait(10)
    thread.join()


def test_two_waiters_of_the_same_states_are_both_released(made: Make) -> None:
    """A match is no token that only one gets."""
    mach = made()
    first, second = mach.when(["A", "B"]), mach.when(["A", "B"])
    mach.add(["A", "B"])

    assert first.done
    assert second.done


def test_states_that_were_active_one_after_the_other_do_not_match(made: Make) -> None:
    """Having been active is not enough."""
    mach = made()
    handle = mach.when(["A", "B"])
    mach.set("A")
    mach.set("B")

    assert not handle.done


def test_when_on_active_states_is_released_at_once(made: Make) -> None:
    """What is satisfied never enters the index."""
    mach = made()
    mach.add(["A", "B"])

    assert mach.when(["B", "A"]).reason == "match"
    assert mach.when1("A").done
    assert mach.when([]).done
    assert subscriptions(mach) == 0


def test_overlapping_waiters_fire_at_their_own_time(made: Make) -> None:
    """Of waiters that share states none drops another, and each fires once."""
    mach = made()
    fired: list[str] = []

    def note(handle: am.WaitHandle) -> None:
        fired.extend(name for name, one in handles.items() if one is handle)

    handles = {
        name: mach.when(states)
        for name, states in (("AB", ["A", "B"]), ("BC", ["B", "C"]), ("B", ["B"]), ("B2", "B"))
    }
    for handle in handles.values():
        handle.add_done_callback(note)
    mach.add1("B")
    assert fired == ["B", "B2"]
    mach.add1("A")
    assert fired == ["B", "B2", "AB"]
    mach.add1("C")

    assert fired == ["B", "B2", "AB", "BC"]
    assert subscriptions(mach) == 0


def test_a_state_named_twice_counts_once(made: Make) -> None:
    """Repeats in one call change nothing."""
    mach = made()
    handle = mach.when(["A", "A"])
    mach.add1("A")

    assert handle.reason == "match"


def test_a_bare_name_is_one_state(made: Make) -> None:
    """A string is not taken apart into letters."""
    mach = made("AB{}")
    handle = mach.when("AB")
    mach.add1("AB")

    assert handle.done


def test_when_err_waits_for_the_exception_state(made: Make) -> None:
    """An error releases it; while the error is there it is released at once."""
    mach = made()
    handle = mach.when_err()
    mach.add_err(RuntimeError("boom"))

    assert handle.done
    assert mach.when_err().done


@pytest.mark.parametrize(
    "call",
    [
        lambda mach: mach.when(["A", "Nope"]),
        lambda mach: mach.when1("Nope"),
        lambda mach: mach.when_not(["Nope"]),
        lambda mach: mach.when_not1("Nope"),
        lambda mach: mach.when_time(["A", "Nope"], [1, 1]),
        lambda mach: mach.when_ticks("Nope", 1),
        lambda mach: mach.when_ticks_eq("Nope", 1),
        lambda mach: mach.when_next_active("Nope"),
        lambda mach: mach.when_args("Nope", {}),
    ],
)
def test_an_unknown_state_is_an_error_at_the_call(
    call: Callable[[am.Machine], object], made: Make
) -> None:
    """Waiting for what does not exist raises, and adds no error state."""
    mach = made()
    with pytest.raises(StateMissingError, match="missing states: Nope not defined"):
        call(mach)

    assert not mach.is_err()
    assert subscriptions(mach) == 0


# -- when not


def test_when_not_waits_for_all_states_to_be_gone(made: Make) -> None:
    """Two states deactivated one after the other release a waiter for both."""
    mach = made()
    mach.add(["A", "B"])
    both, twin = mach.when_not(["A", "B"]), mach.when_not(["A", "B"])
    mach.remove1("A")
    assert not both.done
    mach.remove1("B")

    assert both.reason == twin.reason == "match"


def test_when_not_on_inactive_states_is_released_at_once(made: Make) -> None:
    """What is inactive already need not be waited for."""
    mach = made()

    assert mach.when_not(["A", "B"]).done
    assert mach.when_not1("A").done
    assert subscriptions(mach) == 0


# -- the moment


def test_a_match_is_done_when_the_mutation_returns(made: Make) -> None:
    """`EXECUTED` means that waiters of the outcome are released already."""
    mach = made()
    handle = mach.when1("A")

    assert mach.add1("A") is am.Result.EXECUTED
    assert handle


def test_waiters_are_released_after_the_tracers_were_called(made: Make) -> None:
    """`transition_end` comes first; handlers do not see the release of their transition."""
    mach = made()
    seen: list[tuple[str, bool]] = []
    handle = mach.when1("A")

    class Watch(am.Tracer):
        def transition_end(self, tx: am.Transition) -> None:
            seen.append(("end", handle.done))

    mach.bind_tracer(Watch())
    mach.bind_handlers({"AnyState": lambda e: seen.append(("AnyState", handle.done))})
    mach.add1("A")

    assert seen == [("AnyState", False), ("end", False)]
    assert handle.done


def test_a_state_that_flips_within_one_drain_is_noticed(made: Make) -> None:
    """Waiters are released between the transitions of a queue, not after all of them."""
    mach = made()
    mach.bind_handlers({"BState": lambda e: (mach.add1("A"), mach.remove1("A"))})
    handle = mach.when1("A")
    mach.add1("B")

    assert not mach.is1("A")
    assert handle.reason == "match"


def test_a_canceled_transition_releases_no_waiter(made: Make) -> None:
    """States that negotiation refused were never there."""
    mach = made()
    mach.bind_handlers({"AEnter": lambda e: False})
    handle = mach.when1("A")

    assert mach.add1("A") is am.Result.CANCELED
    assert not handle.done


def test_a_reverted_state_releases_no_waiter(made: Make) -> None:
    """Waiters look at the states as they are after a failed final handler was corrected."""
    mach = made()

    def fail(event: am.Event) -> None:
        raise RuntimeError("boom")

    mach.bind_handlers({"AState": fail})
    active, gone = mach.when1("A"), mach.when_ticks("A", 2)
    mach.add1("A")

    assert not active.done
    assert gone.done


def test_auto_states_release_waiters_of_their_own_transition(made: Make) -> None:
    """Waiters see auto states as soon as these are active."""
    mach = made("A{auto require:B} B{}")
    both, one = mach.when(["A", "B"]), mach.when1("A")
    mach.add1("B")

    assert both.done
    assert one.done


def test_a_callback_runs_in_the_thread_that_mutates(made: Make) -> None:
    """Callbacks run at once, in the thread of the drain, with the handle."""
    mach = made()
    calls: list[tuple[am.WaitHandle, threading.Thread]] = []
    handle = mach.when1("A")
    handle.add_done_callback(lambda one: calls.append((one, threading.current_thread())))
    mach.add1("A")

    assert calls == [(handle, threading.current_thread())]


def test_a_mutation_in_a_callback_is_queued_and_runs(made: Make) -> None:
    """A callback is inside the drain, so what it adds comes after."""
    mach = made()
    results: list[am.Result] = []
    handle = mach.when1("A")
    handle.add_done_callback(lambda _: results.append(mach.add1("B")))
    mach.add1("A")

    assert results == [am.Result.QUEUED]
    assert mach.is_(["A", "B"])


def test_all_matches_have_ended_before_the_first_callback_runs(made: Make) -> None:
    """A callback may look at, or wait for, any other waiter of the same transition."""
    mach = made()
    handles = [mach.when1("A"), mach.when_ticks("A", 1), mach.when(["A", "B"]), mach.when1("B")]
    seen: list[list[bool]] = []
    handles[0].add_done_callback(lambda _: seen.append([one.done for one in handles]))
    mach.add(["A", "B"])

    assert seen == [[True, True, True, True]]


def test_a_failing_callback_harms_neither_machine_nor_waiters(
    made: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """What a callback raises is logged; the mutation and the other waiters go on."""
    mach = made()
    first, second = mach.when1("A"), mach.when1("A")
    calls: list[am.WaitHandle] = []
    first.add_done_callback(lambda _: 1 / 0)
    second.add_done_callback(calls.append)

    assert mach.add1("A") is am.Result.EXECUTED
    assert calls == [second]
    assert "division by zero" in caplog.text
    assert not mach.is_err()


def test_a_failing_logger_does_not_lose_callbacks(made: Make) -> None:
    """Waiters are released even if the line about them could not be written."""
    mach = made()
    handle = mach.when1("A")
    calls: list[am.WaitHandle] = []
    handle.add_done_callback(calls.append)

    def logger(level: LogLevel, msg: str, *args: object) -> None:
        if ":match]" in msg % args:
            raise RuntimeError("disk full")

    mach.set_logger(logger)
    mach.set_log_level(LogLevel.OPS)
    with pytest.raises(RuntimeError, match="disk full"):
        mach.add1("A")

    assert calls == [handle]


# -- log lines


def test_waiting_is_logged(made: Make, log_of: Callable[..., list[str]]) -> None:
    """New subscriptions and matches have lines, those satisfied at once have none."""
    mach = made()
    lines = log_of(mach, LogLevel.OPS)
    handles = [
        mach.when(["A", "B", "A"]),
        mach.when_not1("A"),
        mach.when_time(["A", "B"], [3, 1]),
        mach.when_args("A", {"k1": 1, "k2": 2}),
    ]
    assert [line for line in lines if "when" in line] == [
        "[when:new] A B",
        "[whenTime:new] A,B 3,1",
        "[whenArgs:new] A (k1,k2)",
    ]
    lines.clear()
    mach.add(["A", "B"], {"k1": 1, "k2": 2})
    handles.append(mach.when_not1("A"))
    mach.remove1("A")
    mach.add1("A")

    assert all(handle.done for handle in handles)
    assert [line for line in lines if "when" in line] == [
        "[whenArgs:match] A (k1,k2)",
        "[when:match] A B",
        "[whenNot:new] A",
        "[whenNot:match] A",
        "[whenTime:match] A B [3 1]",
    ]


def test_matches_are_logged_in_order_of_creation(
    made: Make, log_of: Callable[..., list[str]]
) -> None:
    """`when` and `when_not` in the order in which they were made, then waiters for times."""
    mach = made()
    mach.add1("A")
    handles = [
        mach.when_time("B", [1]),
        mach.when(["B", "C"]),
        mach.when_not1("A"),
        mach.when1("C"),
        mach.when_time(["C", "A"], [1, 2]),
        mach.when1("B"),
    ]
    lines = log_of(mach, LogLevel.OPS)
    mach.set(["C", "B"])

    assert all(handle.done for handle in handles)
    assert [line for line in lines if "when" in line] == [
        "[when:match] B C",
        "[whenNot:match] A",
        "[when:match] C",
        "[when:match] B",
        "[whenTime:match] B [1]",
        "[whenTime:match] C A [1 2]",
    ]


# -- a changed schema


def test_waiters_outlive_a_change_of_schema(made: Make) -> None:
    """Old waiters go on by name, new states can be waited for, ticks are kept."""
    mach = made("A{} B{}")
    mach.add1("B")
    old, times, gone = (
        mach.when(["A", "B"]),
        mach.when_time(["A", "B"], [1, 3]),
        mach.when_not1("B"),
    )
    mach.set_struct({"Z": am.State(), "B": am.State(), "A": am.State()}, ["Z", "B", "A"])
    new = mach.when1("Z")
    mach.add1("Z")
    mach.add1("A")
    assert new.done
    assert old.done
    mach.remove1("B")
    assert gone.done
    mach.add1("B")

    assert times.done
    assert mach.tick("B") == 3


def test_a_refused_schema_leaves_waiters_and_clocks_alone(made: Make) -> None:
    """When the new order misses a state, nothing changes and old waiters go on."""
    mach = made("A{} B{}")
    mach.add1("B")
    handle = mach.when(["A", "B"])
    before = mach.clock()
    with pytest.raises(am.errors.MachineError):
        mach.set_struct({"A": am.State(), "B": am.State()}, ["A"])
    assert mach.clock() == before
    mach.add1("A")

    assert handle.done


def test_a_state_that_the_schema_lost_counts_as_inactive(made: Make) -> None:
    """A waiter for its end is released, a waiter for its activation waits on."""
    mach = made("A{} B{} C{}")
    mach.add(["A", "B"])
    gone = mach.when_not(["B", "C"])
    coming = mach.when(["B", "C"])
    reached = mach.when_time(["B", "C"], [1, 1])
    far = mach.when_time(["B", "C"], [3, 1])
    mach.set_struct({"A": am.State(), "C": am.State()}, ["A", "C"])
    assert gone.reason == "match"
    mach.add1("C")

    assert reached.done
    assert not coming.done
    assert not far.done


# -- any of several states


def test_one_of_several_states_is_enough(made: Make) -> None:
    """`when_any` is released by the first of its states that activates."""
    mach = made()
    handles = [mach.when_any(["A", "B"]), mach.when_any1("B", "C"), mach.when_any1("D")]
    mach.add1("C")

    assert [handle.done for handle in handles] == [False, True, False]
    mach.add(["A", "B"])
    assert [handle.reason for handle in handles] == ["match", "match", None]


def test_an_active_one_of_several_releases_at_once(made: Make) -> None:
    """Nothing has to happen if one of the states is active at the call."""
    mach = made()
    mach.add1("B")

    assert mach.when_any1("A", "B").done
    assert mach.when_any("B").done


def test_none_of_several_states_is_refused(made: Make) -> None:
    """Waiting for one of no states would never end."""
    with pytest.raises(ValueError, match="waits for at least one state"):
        made().when_any([])
    with pytest.raises(ValueError, match="waits for at least one state"):
        made().when_any1()


def test_an_unknown_one_of_several_is_refused(made: Make) -> None:
    """Every name is checked, not only the first."""
    with pytest.raises(am.errors.StateMissingError, match="Z"):
        made().when_any1("A", "Z")
