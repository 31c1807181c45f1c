"""Clocks: ticks, their parity, times and comparisons of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine.errors import StateMissingError

Made = Callable[..., am.Machine]
Watch = Callable[..., list[str]]


def test_ticks_start_at_zero(made: Made) -> None:
    """A fresh machine has no active state."""
    mach = made()

    assert mach.time() == [0, 0, 0, 0, 0]
    assert mach.time_sum() == 0
    assert mach.active_states() == []


def test_a_tick_is_odd_while_its_state_is_active(made: Made) -> None:
    """Each activation and each deactivation counts one."""
    mach = made()

    for tick in range(1, 8):
        mach.toggle1("A")
        assert mach.tick("A") == tick
        assert mach.is1("A") is am.is_active_tick(tick) is (tick % 2 == 1)


@pytest.mark.parametrize("tick", [0, 10**30, 10**30 + 1])
def test_the_parity_of_a_tick_counts_at_any_size(tick: int) -> None:
    """Ticks are integers without a limit."""
    assert am.is_active_tick(tick) is (tick % 2 == 1)


@pytest.mark.parametrize(
    ("name", "mutate"),
    [
        ("AEnter", lambda mach: mach.add(["A", "M"])),
        ("MExit", lambda mach: mach.remove1("M")),
        ("MM", lambda mach: mach.set(["A", "M"])),
        ("MA", lambda mach: mach.add1("A")),
        ("AnyEnter", lambda mach: mach.add1("M")),
        ("", lambda mach: mach.add1("R")),
    ],
)
def test_a_canceled_mutation_leaves_the_clock_alone(
    made: Made, watch: Watch, name: str, mutate: Callable[[am.Machine], am.Result]
) -> None:
    """When relations or a negotiation handler say no, no tick changes."""
    mach = made("A{} M{multi} R{require:A}")
    mach.add1("M")
    watch(mach, deny=[name])
    before = mach.time()

    assert mutate(mach) is am.Result.CANCELED
    assert mach.is_time(before)


def test_a_reader_keeps_the_moment_it_took(made: Made) -> None:
    """Ticks are copied, so later changes do not show in what was read."""
    mach = made()
    time, clock, active = mach.time(), mach.clock(), mach.active_states()

    mach.add1("A")

    assert time == [0] * 5
    assert clock["A"] == 0
    assert active == []


def test_times_come_in_the_order_asked_for(made: Made) -> None:
    """Names may repeat in a time; a clock has each once."""
    mach = made()
    mach.add1("B")

    assert mach.time(["B", "A", "B"]) == [1, 0, 1]
    assert mach.time("B") == [1]
    assert mach.time_sum(["A", "B"]) == 1
    assert list(mach.clock(["B", "A", "B"]).items()) == [("B", 1), ("A", 0)]
    assert mach.clock() == {"A": 0, "B": 1, "C": 0, "D": 0, "Exception": 0}


@pytest.mark.parametrize(
    "ask",
    [
        lambda mach: mach.time(["A", "X"]),
        lambda mach: mach.time_sum(["X"]),
        lambda mach: mach.clock("X"),
        lambda mach: mach.is_time([1], ["X"]),
        lambda mach: mach.is_clock({"X": 1}),
        lambda mach: mach.not1("X"),
        lambda mach: mach.not_(["A", "X"]),
        lambda mach: mach.inspect(["X"]),
        lambda mach: mach.must_parse_states(["X"]),
        lambda mach: mach.is_queued(am.MutationType.ADD, ["X"]),
    ],
)
def test_unknown_names_are_reported(made: Made, ask: Callable[[am.Machine], object]) -> None:
    """A question about a state that does not exist is a mistake."""
    with pytest.raises(StateMissingError, match="X not defined in struct for mach"):
        ask(made())


def test_questions_that_may_name_unknown_states(made: Made) -> None:
    """Whether it is there is the question itself, or the answer is plain."""
    mach = made()

    assert not mach.is1("X")
    assert not mach.is_("X")
    assert not mach.any1("X")
    assert mach.tick("X") == 0
    assert mach.index("X") == -1
    assert mach.switch(["X"]) == ""
    assert mach.count_active(["X"]) == 0


def test_a_time_equals_only_itself(made: Made) -> None:
    """Position by position, and of the same length."""
    mach = made()
    mach.add1("A")

    assert mach.is_time([1, 0], ["A", "B"])
    assert not mach.is_time([0, 1], ["A", "B"])
    assert not mach.is_time([1], ["A", "B"])
    assert mach.is_clock({"B": 0, "A": 1})
    assert not mach.is_clock({"B": 1, "A": 1})
    assert mach.is_clock({})

    clock, time = mach.clock(), mach.time()
    assert mach.is_clock(clock)
    assert mach.is_time(time)
    mach.add1("B")
    assert not mach.is_clock(clock)
    assert not mach.is_time(time)


def test_parsing_states_removes_repeats(made: Made) -> None:
    """Names come back in order, each once."""
    assert made().must_parse_states(["B", "A", "B"]) == ["B", "A"]


def test_a_time_shows_which_states_are_active() -> None:
    """By index; -1 stands for a state that is not there."""
    time = am.Time([1, 2, 3])

    assert [time.is1(index) for index in (0, 1, 2, -1)] == [True, False, True, False]
    assert time.is_([0, 2])
    assert not time.is_([0, 1])
    assert not time.is_([0, -1])
    assert not time.is_([])
    assert time.any1(1, 2)
    assert not time.any1(1, -1)
    assert not time.any1()
    assert time.sum() == 6
    assert str(time) == "1,2,3"
    assert str(am.Time()) == ""


@pytest.mark.parametrize(
    ("one", "other", "after"),
    [
        ([1, 1], [1, 0], True),
        ([2, 2], [1, 1], True),
        ([1, 0], [1, 0], False),
        ([2, 0], [1, 1], False),
        ([0, 0], [1, 0], False),
        ([], [], False),
    ],
)
def test_which_time_is_after_another(one: list[int], other: list[int], after: bool) -> None:
    """No tick lower, and at least one higher."""
    assert am.is_time_after(one, other) is after


def test_times_of_different_machines_cannot_be_compared() -> None:
    """They differ in length, which is a mistake."""
    with pytest.raises(ValueError, match="zip"):
        am.is_time_after([1], [1, 2])


def test_only_an_own_call_counts_for_a_multi_state(made: Made) -> None:
    """Being implied, or just staying, adds nothing; leaving adds one."""
    mach = made("M{multi} A{add:M} B{}")
    ticks: list[int] = []
    for states in (["M"], ["A"], ["B"], ["B", "M"]):
        mach.add(states)
        ticks.append(mach.tick("M"))
    mach.set(["A"])
    ticks.append(mach.tick("M"))
    mach.set(["M"])
    ticks.append(mach.tick("M"))
    mach.remove1("M")
    ticks.append(mach.tick("M"))

    assert ticks == [1, 1, 1, 3, 4, 5, 6]


def test_the_states_of_a_transition_are_reported_by_its_ticks(made: Made, recorder: Any) -> None:
    """The difference of the times is what entered and left."""
    mach = made(tracers=[recorder])
    mach.add(["A", "B"])
    mach.set(["B", "C"])

    tx = recorder.txs[1]
    growth = [after - before for before, after in zip(tx.time_before, tx.time_after, strict=True)]
    assert growth == [1, 0, 1, 0, 0]
    assert (tx.exits, tx.enters) == (["A"], ["C"])


def test_ticks_over_a_run_of_mutations(made: Made) -> None:
    """Each activation and each deactivation counts one, each new call of a multi state two."""
    mach = made("A{} B{multi} C{} D{}")
    steps = [
        ("add", ["A", "B"], [1, 1, 0, 0]),
        ("add", ["A", "B"], [1, 3, 0, 0]),
        ("add", ["A", "B", "C"], [1, 5, 1, 0]),
        ("set", ["D"], [2, 6, 2, 1]),
        ("add", ["D", "C"], [2, 6, 3, 1]),
        ("remove", ["B", "C"], [2, 6, 4, 1]),
        ("add", ["A", "B"], [3, 7, 4, 1]),
    ]

    for kind, states, ticks in steps:
        getattr(mach, kind)(states)
        assert mach.time(["A", "B", "C", "D"]) == ticks
