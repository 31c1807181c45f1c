"""Relations: the passes of resolution one by one, and the steps recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import machine as am

Made = Callable[..., am.Machine]
LogOf = Callable[..., list[str]]

EXECUTED, CANCELED = am.Result.EXECUTED, am.Result.CANCELED


def steps_of(tx: am.Transition) -> list[str]:
    """The steps of a transition, relations with their kind."""
    return [
        f"{step.rel_type} {step.from_state}>{step.to_state}"
        if step.rel_type is not None
        else str(step)
        for step in tx.steps
    ]


# -- the starting list


def test_an_add_starts_with_what_is_called(made: Made) -> None:
    """Then come the active states, in their order, each once."""
    mach = made()
    mach.add(["C", "A"])

    mach.add(["B", "A"])

    assert mach.active_states() == ["B", "A", "C"]


def test_an_add_without_effect_orders_the_active_states_anew(made: Made, recorder: Any) -> None:
    """Nothing ticks, but the called states come first; with a tracer and without."""
    for tracers in ([], [recorder]):
        mach = made(tracers=tracers)
        mach.add(["A", "B"])

        assert mach.add1("B") is EXECUTED
        assert mach.active_states() == ["B", "A"]


def test_a_set_starts_with_what_is_called_alone(made: Made) -> None:
    """Active states that are not called go."""
    mach = made()
    mach.add(["C", "A"])

    mach.set(["B", "A"])

    assert mach.active_states() == ["B", "A"]


def test_a_remove_keeps_the_order_of_the_rest(made: Made) -> None:
    """Only the called ones are missing."""
    mach = made()
    mach.add(["C", "A", "B"])

    mach.remove(["A"])

    assert mach.active_states() == ["C", "B"]


# -- Add


def test_implied_states_come_behind_in_the_first_pass(made: Made) -> None:
    """Those that a second pass implies come to the front."""
    mach = made("A{add:B} B{add:C} C{} X{}")
    mach.add1("X")

    mach.add1("A")

    assert mach.active_states() == ["C", "A", "X", "B"]


def test_a_set_of_an_active_state_does_not_apply_its_add(made: Made) -> None:
    """What it once added goes, since it is not called."""
    mach = made("A{add:B} B{}")
    mach.add1("A")

    mach.set(["A"])

    assert mach.active_states() == ["A"]


def test_a_removal_lets_multi_states_add_others(made: Made) -> None:
    """Only what is being removed is not added back."""
    mach = made("M{multi add:[A,B]} A{} B{} X{}")
    mach.add(["M", "X"])
    mach.remove(["A", "B"])
    assert mach.is_(["M", "X"])

    mach.remove1("A")
    assert mach.is1("B")
    assert mach.not1("A")


def test_states_may_add_each_other(made: Made) -> None:
    """Each is listed once."""
    mach = made("A{add:B} B{add:A}")

    mach.add1("A")

    assert mach.active_states() == ["A", "B"]
    assert mach.time() == [1, 1, 0]


# -- Require


def test_dropping_goes_on_until_nobody_misses_anything(made: Made, log_of: LogOf) -> None:
    """In rounds; one line tells of all of them, with what was missing when each was dropped."""
    mach = made("A{require:B} B{require:[C,D]} C{} D{} E{}")
    mach.set(["A", "B", "C", "D"])
    lines = log_of(mach)

    mach.remove(["C", "D"])

    assert mach.active_states() == []
    assert "[reject] B(-C -D) A(-B)" in lines


def test_a_dropped_state_rejects_only_what_was_called(made: Made) -> None:
    """Active states that lose what they require go silently."""
    mach = made("A{require:B} B{} C{remove:B} D{require:B}")
    mach.set(["A", "B"])

    assert mach.add(["C", "D"]) is CANCELED
    assert mach.add1("C") is EXECUTED
    assert mach.active_states() == ["C"]


# -- Remove


def test_the_later_of_two_called_rivals_is_blocked(made: Made, log_of: LogOf) -> None:
    """The mutation is rejected, naming the later one."""
    for called, loser in ((["A", "B"], "B"), (["B", "A"], "A")):
        mach = made("A{remove:B} B{remove:A}")
        lines = log_of(mach)

        assert mach.add(called) is CANCELED
        assert f"[cancel:reject] {loser}" in lines


def test_what_a_blocked_state_removes_is_safe(made: Made) -> None:
    """B is on its way out, so what it would remove may come."""
    mach = made("A{remove:B} B{remove:C} C{}")
    mach.add1("B")

    assert mach.add(["C", "A"]) is EXECUTED
    assert mach.active_states() == ["C", "A"]


def test_a_blocker_judged_later_blocks_first(made: Made) -> None:
    """Judging goes from the end: C falls to B before B falls to the called A."""
    mach = made("A{remove:B} B{remove:C} C{} D{add:C}")
    mach.add1("B")

    mach.add(["A", "D"])

    assert mach.active_states() == ["C", "A", "D"]


def test_a_state_that_adds_and_removes_the_same_only_adds(made: Made) -> None:
    """The contradiction is cleaned away when the schema is taken in."""
    mach = made("A{add:B remove:B} B{}")

    mach.add1("A")

    assert mach.is_(["A", "B"])


# -- order


def test_after_wins_over_require(made: Made) -> None:
    """The required state would come first, but it is told to come after."""
    mach = made("A{require:B} B{after:A} C{}")

    mach.add(["C", "B", "A"])

    assert mach.active_states() == ["C", "A", "B"]


def test_after_counts_only_among_those_present(made: Made) -> None:
    """A state to come after that is no target does not matter."""
    mach = made("A{after:[X,B]} B{} X{}")

    mach.add(["A", "B"])

    assert mach.active_states() == ["B", "A"]


def test_after_takes_the_first_state_that_is_ready(made: Made) -> None:
    """Everybody else keeps the place that was called."""
    mach = made("A{after:D} B{} C{after:A} D{}")

    mach.add(["A", "B", "C", "D"])

    assert mach.active_states() == ["B", "D", "A", "C"]


# -- steps


def test_steps_of_an_add(made: Made, recorder: Any) -> None:
    """What was asked for, what is new, then relations in the order in which they are looked at."""
    mach = made("A{add:B require:C after:C} B{} C{}", tracers=[recorder])

    mach.add(["A", "C"])

    assert steps_of(recorder.txs[0]) == [
        "A (requested)",
        "C (requested)",
        "A (set)",
        "C (set)",
        "add A>B",
        "B (set)",
        "require A>C",
        "add A>B",
        "B (set)",
        "require A>C",
        "after C>A",
    ]


def test_steps_of_a_set(made: Made, recorder: Any) -> None:
    """New states are set, the others removed."""
    mach = made(tracers=[recorder])
    mach.add(["A", "B"])

    mach.set(["B", "C"])

    assert steps_of(recorder.txs[1]) == [
        "B (requested)",
        "C (requested)",
        "C (set)",
        "A (remove)",
    ]


def test_steps_of_a_remove_with_exits_that_are_ordered(made: Made, recorder: Any) -> None:
    """Exits are sorted by `after` as well, which leaves its steps."""
    mach = made("A{after:B} B{} C{}", tracers=[recorder])
    mach.add(["A", "B"])

    mach.remove(["A", "B"])

    assert steps_of(recorder.txs[1]) == [
        "A (requested)",
        "B (requested)",
        "A (remove)",
        "B (remove)",
        "after B>A",
    ]
    assert recorder.txs[1].exits == ["B", "A"]


def test_steps_of_a_rejected_add(made: Made, recorder: Any) -> None:
    """Who blocked whom, and which called states are missing in the end."""
    mach = made("A{remove:B} B{} C{require:D} D{}", tracers=[recorder])
    mach.add1("A")

    mach.add(["B", "C"])

    assert steps_of(recorder.txs[1]) == [
        "B (requested)",
        "C (requested)",
        "B (set)",
        "C (set)",
        "require C>D",
        "C (removenotactive)",
        "D (cancel)",
        "remove A>B",
        "B (removenotactive)",
        "B (cancel)",
        "C (cancel)",
    ]


def test_steps_have_the_indexes_of_their_states(made: Made, recorder: Any) -> None:
    """And -1 where there is no state."""
    mach = made("A{} B{} C{add:A}", tracers=[recorder])

    mach.add1("C")

    requested, _, added = recorder.txs[0].steps[:3]
    assert (requested.from_state, requested.from_state_idx, requested.to_state_idx) == ("", -1, 2)
    assert requested.rel_type is None
    assert (added.from_state_idx, added.to_state_idx) == (2, 0)
    assert added.rel_type is am.Relation.ADD
    assert (added.denied, added.failed, added.is_final) == (False, False, False)
