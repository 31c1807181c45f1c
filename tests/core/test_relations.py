"""Relations: the passes of resolution one by one, and the steps recorded."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

import machine as am

Made = Callable[..., am.Machine]
Watch = Callable[..., list[str]]
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


def test_an_add_without_effect_orders_the_active_states_again(made: Made, recorder: Any) -> None:
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


def test_an_add_chain_is_followed_two_levels(made: Made, log_of: LogOf) -> None:
    """A adds B, B adds C, and what C adds is not activated."""
    mach = made("A{add:B} B{add:C} C{add:D} D{}")
    lines = log_of(mach)

    assert mach.add1("A") is EXECUTED
    assert mach.string_all() == "(A:1 B:1 C:1) [D:0 Exception:0]"
    assert "[implied] C B" in lines
    assert "[state] +C +A +B" in lines


def test_an_active_state_does_not_apply_its_add_again(made: Made) -> None:
    """What an active state that is not multi once added stays removed."""
    mach = made("A{add:B} B{} C{}")
    mach.add1("A")
    mach.remove1("B")

    assert mach.add1("A") is EXECUTED
    assert mach.string_all() == "(A:1) [B:2 C:0 Exception:0]"


def test_an_active_multi_state_applies_its_add_in_every_transition(made: Made) -> None:
    """A removed state comes back with the next mutation of any state."""
    mach = made("A{multi add:B} B{} C{}")
    mach.add1("A")
    mach.remove1("B")
    assert mach.string_all() == "(A:1) [B:2 C:0 Exception:0]"

    mach.add1("C")
    assert str(mach) == "(A:1 B:3 C:1)"


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


def test_an_implied_state_without_its_requirement_is_left_out(made: Made, log_of: LogOf) -> None:
    """The mutation is executed, and each Require pass logs the rejected state."""
    mach = made("A{add:B} B{require:C} C{}")
    lines = log_of(mach)

    assert mach.add1("A") is EXECUTED
    assert str(mach) == "(A:1)"
    assert lines.count("[reject] B(-C)") == 2


def test_an_implied_state_may_require_another_implied_one(made: Made, log_of: LogOf) -> None:
    """Both are activated, the required one first."""
    mach = made("A{add:[B,C]} B{require:C} C{}")
    lines = log_of(mach)

    mach.add1("A")

    assert str(mach) == "(A:1 B:1 C:1)"
    assert "[state] +A +C +B" in lines


def test_a_remover_wins_over_a_state_that_is_only_implied(made: Made) -> None:
    """An implied state is left out when a called one removes it."""
    mach = made("A{remove:D} C{add:D} D{}")
    mach.set(["C"])
    assert str(mach) == "(C:1 D:1)"

    assert mach.set(["A", "C"]) is EXECUTED
    assert mach.string_all() == "(A:1 C:1) [D:2 Exception:0]"


def test_a_state_can_add_what_it_requires(made: Made) -> None:
    """They come together, and losing the required one takes both away."""
    mach = made("A{require:B add:B} B{}")
    mach.add1("A")
    assert str(mach) == "(A:1 B:1)"
    assert mach.active_states() == ["B", "A"]

    mach.remove1("B")
    assert mach.string_all() == "() [A:2 B:2 Exception:0]"


# -- Require


def test_required_states_come_first_and_take_the_others_with_them(
    made: Made, watch: Watch, log_of: LogOf
) -> None:
    """Handlers follow the require chain, both on the way in and on the way out."""
    mach = made("A{require:B} B{require:C} C{}")
    calls, lines = watch(mach), log_of(mach)
    assert mach.add1("A") is CANCELED
    assert "[reject] A(-B)" in lines

    mach.add(["A", "B", "C"])
    assert mach.active_states() == ["C", "B", "A"]
    enters = ["CEnter", "BEnter", "AEnter", "AnyEnter", "CState", "BState", "AState", "AnyState"]
    assert calls == enters

    calls.clear()
    mach.remove1("C")
    assert mach.active_states() == []
    assert calls == ["CExit", "BExit", "AExit", "AnyEnter", "CEnd", "BEnd", "AEnd", "AnyState"]


def test_states_that_require_each_other_have_to_be_called_together(made: Made) -> None:
    """Alone each is rejected; a cycle leaves the order as it was called."""
    mach = made("A{require:B} B{require:A}")

    assert mach.add1("A") is CANCELED
    assert mach.add(["A", "B"]) is EXECUTED
    assert mach.active_states() == ["A", "B"]


def test_a_state_cannot_remove_what_it_requires(made: Made) -> None:
    """Such a state can never activate."""
    mach = made("A{require:B remove:B} B{}")
    mach.add1("B")

    assert mach.add1("A") is CANCELED


def test_dropping_goes_on_until_no_state_misses_anything(made: Made, log_of: LogOf) -> None:
    """In rounds; one line reports all of them, with what was missing when each was dropped."""
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


def test_an_active_state_blocks_what_it_removes(made: Made, log_of: LogOf) -> None:
    """A blocked add is canceled, while a set pushes the blocker out."""
    mach = made("Foo{remove:Bar} Bar{}")
    mach.add1("Foo")
    lines = log_of(mach)

    assert mach.add1("Bar") is CANCELED
    assert "[rel:remove] Bar by Foo" in lines
    assert "[cancel:reject] Bar" in lines

    assert mach.set(["Bar"]) is EXECUTED
    assert mach.string_all() == "(Bar:1) [Foo:2 Exception:0]"

    mach.add1("Foo")
    assert mach.string_all() == "(Foo:3) [Bar:2 Exception:0]"


@pytest.mark.parametrize("called", [["Foo", "Bar"], ["Bar", "Foo"]])
def test_called_states_that_remove_each_other_are_rejected(
    made: Made, log_of: LogOf, called: list[str]
) -> None:
    """The order of the called states does not matter."""
    mach = made("Foo{} Bar{remove:Foo}")
    lines = log_of(mach)

    assert mach.add(called) is CANCELED
    assert "[cancel:reject] Foo" in lines


def test_a_called_state_removes_an_active_one(made: Made) -> None:
    """Calling both is rejected, calling the remover alone replaces the other."""
    mach = made("C{remove:D} D{}")
    mach.add1("D")

    assert mach.set(["C", "D"]) is CANCELED
    assert str(mach) == "(D:1)"

    mach.add1("C")
    assert mach.string_all() == "(C:1) [D:2 Exception:0]"


@pytest.mark.parametrize("kind", ["add", "set"])
def test_of_mutually_removing_states_the_called_one_wins(
    made: Made, log_of: LogOf, kind: str
) -> None:
    """The active one gives way, and calling both is rejected."""
    mach = made("A{remove:B} B{remove:A}")
    mutate = getattr(mach, kind)
    mutate(["A"])
    mutate(["B"])
    assert mach.string_all() == "(B:1) [A:2 Exception:0]"

    lines = log_of(mach)
    assert mutate(["A", "B"]) is CANCELED
    assert "[rel:remove] B by A" in lines
    assert "[cancel:reject] B" in lines

    mutate(["A"])
    assert mach.string_all() == "(A:3) [B:2 Exception:0]"


def test_an_active_state_wins_over_an_implied_one_when_both_remove(made: Made) -> None:
    """The implied one is activated only when nothing active removes it."""
    text = "A{remove:B} B{remove:A} Z{add:B}"
    mach = made(text)
    mach.add1("A")
    mach.add1("Z")
    assert str(mach) == "(A:1 Z:1)"

    fresh = made(text)
    fresh.set(["Z"])
    assert str(fresh) == "(B:1 Z:1)"


def test_an_implied_state_removes_an_active_one_that_does_not_resist(made: Made) -> None:
    """A one-way remover wins, implied or not."""
    mach = made("A{} Z{add:I} I{remove:A}")
    mach.add1("A")

    mach.add1("Z")

    assert mach.string_all() == "(Z:1 I:1) [A:2 Exception:0]"


def test_water_makes_wet_what_was_dry(made: Made, log_of: LogOf) -> None:
    """A state that is about to be removed does not block an implied one."""
    text = "Wet{require:Water} Dry{remove:Wet} Water{add:Wet remove:Dry}"
    mach, other = made(text), made(text)
    mach.add1("Dry")
    lines = log_of(mach)

    mach.add1("Water")
    assert mach.string_all() == "(Wet:1 Water:1) [Dry:2 Exception:0]"
    assert lines.index("[rel:remove] Wet by Dry") < lines.index("[rel:remove] Dry by Water")
    assert "[implied] Wet" in lines

    assert mach.add1("Dry") is CANCELED

    mach.remove1("Water")
    assert mach.active_states() == []

    other.add1("Dry")
    other.set(["Water"])
    assert other.string_all() == "(Wet:1 Water:1) [Dry:2 Exception:0]"


def test_states_that_all_remove_each_other_are_a_mutex(made: Made) -> None:
    """One of the group is active at a time, the auto one when no other is."""
    group = "[Connecting,Connected,Disconnected]"
    mach = made(
        f"Connecting{{remove:{group}}} Connected{{remove:{group}}} "
        f"Disconnected{{auto remove:{group}}}"
    )
    mach.add1("Connecting")
    mach.add1("Connected")
    assert mach.string_all() == "(Connected:1) [Connecting:2 Disconnected:0 Exception:0]"

    mach.remove1("Connected")
    assert str(mach) == "(Disconnected:1)"


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


def test_after_orders_handlers(made: Made, watch: Watch) -> None:
    """Handlers of a state run after those of the states in its `after`, entering and leaving."""
    mach = made("Foo{after:Bar} Bar{}")
    calls = watch(mach)

    mach.add(["Foo", "Bar"])

    assert calls == ["BarEnter", "FooEnter", "AnyEnter", "BarState", "FooState", "AnyState"]
    calls.clear()
    mach.set([])
    assert calls == ["BarExit", "FooExit", "AnyEnter", "BarEnd", "FooEnd", "AnyState"]


def test_states_outside_of_require_come_first(made: Made) -> None:
    """Then come the required ones, then those that require them."""
    mach = made("Foo{require:Bar} X1{} Bar{}")

    mach.add(["Foo", "Bar", "X1"])

    assert mach.active_states() == ["X1", "Bar", "Foo"]


@pytest.mark.parametrize("called", list(itertools.permutations("ABCD")))
def test_any_called_order_is_sorted_by_require(made: Made, called: tuple[str, ...]) -> None:
    """The order by Require is the same for every order of the called states."""
    mach = made("A{require:[B,C]} B{require:D} C{} D{}")

    mach.set(called)

    assert mach.active_states() == ["D", "B", "C", "A"]


def test_after_wins_over_require(made: Made) -> None:
    """The required state would come first, but its `after` puts it behind."""
    mach = made("A{require:B} B{after:A} C{}")

    mach.add(["C", "B", "A"])

    assert mach.active_states() == ["C", "A", "B"]


def test_after_counts_only_among_those_present(made: Made) -> None:
    """A state to come after that is no target does not matter."""
    mach = made("A{after:[X,B]} B{} X{}")

    mach.add(["A", "B"])

    assert mach.active_states() == ["B", "A"]


def test_after_takes_the_first_state_that_is_ready(made: Made) -> None:
    """All others keep the place in which they were called."""
    mach = made("A{after:D} B{} C{after:A} D{}")

    mach.add(["A", "B", "C", "D"])

    assert mach.active_states() == ["B", "D", "A", "C"]


# -- steps


def test_a_transition_reads_as_its_steps(made: Made, recorder: Any) -> None:
    """The text has one line for each step of the resolution."""
    mach = made("A{require:B add:C} B{} C{} D{remove:C}", tracers=[recorder])
    mach.add1("D")

    mach.add(["A", "B"])

    assert str(recorder.txs[-1]).split("\n") == [
        "A (requested)",
        "B (requested)",
        "A (set)",
        "B (set)",
        "A -> C (rel)",
        "C (set)",
        "A -> B (rel)",
        "D -> C (rel)",
        "C (removenotactive)",
        "A -> C (rel)",
        "C (set)",
        "A -> B (rel)",
    ]


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
    """Which states blocked which, and which called states are missing in the end."""
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
