"""The worked examples about the relations: add, remove, require, after."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

import machine as am

Made = Callable[..., am.Machine]
Watch = Callable[..., list[str]]
LogOf = Callable[..., list[str]]

EXECUTED, CANCELED = am.Result.EXECUTED, am.Result.CANCELED


def test_an_add_chain_is_followed_two_levels(
    made: Made, log_of: LogOf, caplog: pytest.LogCaptureFixture
) -> None:
    """Example 18: A adds B adds C, and what C adds is not activated any more."""
    mach = made("A{add:B} B{add:C} C{add:D} D{}")
    lines = log_of(mach)

    assert mach.add1("A") is EXECUTED
    assert mach.string_all() == "(A:1 B:1 C:1) [D:0 Exception:0]"
    assert "[implied] C B" in lines
    assert "[state] +C +A +B" in lines


def test_an_active_state_does_not_apply_its_add_again(made: Made) -> None:
    """Example 19: what an active, non-multi state once added stays removed."""
    mach = made("A{add:B} B{} C{}")
    mach.add1("A")
    mach.remove1("B")

    assert mach.add1("A") is EXECUTED
    assert mach.string_all() == "(A:1) [B:2 C:0 Exception:0]"


def test_an_active_multi_state_applies_its_add_in_every_transition(made: Made) -> None:
    """Example 20: a removed state comes back with the next mutation of whatever state."""
    mach = made("A{multi add:B} B{} C{}")
    mach.add1("A")
    mach.remove1("B")
    assert mach.string_all() == "(A:1) [B:2 C:0 Exception:0]"

    mach.add1("C")
    assert str(mach) == "(A:1 B:3 C:1)"


def test_an_implied_state_without_its_requirement_is_left_out(made: Made, log_of: LogOf) -> None:
    """Example 21: the mutation is executed, and each Require pass tells of the rejected state."""
    mach = made("A{add:B} B{require:C} C{}")
    lines = log_of(mach)

    assert mach.add1("A") is EXECUTED
    assert str(mach) == "(A:1)"
    assert lines.count("[reject] B(-C)") == 2


def test_an_implied_state_may_require_another_implied_one(made: Made, log_of: LogOf) -> None:
    """Example 22: both are activated, the required one first."""
    mach = made("A{add:[B,C]} B{require:C} C{}")
    lines = log_of(mach)

    mach.add1("A")

    assert str(mach) == "(A:1 B:1 C:1)"
    assert "[state] +A +C +B" in lines


def test_a_remover_wins_over_a_state_that_is_only_implied(made: Made) -> None:
    """Example 23: an implied state is left out when a called one removes it."""
    mach = made("A{remove:D} C{add:D} D{}")
    mach.set(["C"])
    assert str(mach) == "(C:1 D:1)"

    assert mach.set(["A", "C"]) is EXECUTED
    assert mach.string_all() == "(A:1 C:1) [D:2 Exception:0]"


def test_a_state_can_add_what_it_requires(made: Made) -> None:
    """Example 24: they come together, and losing the required one takes both away."""
    mach = made("A{require:B add:B} B{}")
    mach.add1("A")
    assert str(mach) == "(A:1 B:1)"
    assert mach.active_states() == ["B", "A"]

    mach.remove1("B")
    assert mach.string_all() == "() [A:2 B:2 Exception:0]"


def test_a_multi_state_does_not_add_back_what_is_being_removed(made: Made) -> None:
    """Example 25: within a removal, the removed states are not implied again."""
    mach = made("A{multi add:B require:C} B{require:C} C{}")
    mach.set(["A", "B", "C"])

    assert mach.remove1("B") is EXECUTED
    assert mach.string_all() == "(A:1 C:1) [B:2 Exception:0]"


def test_an_active_state_blocks_what_it_removes(made: Made, log_of: LogOf) -> None:
    """Example 26: a blocked add is canceled, while a set pushes the blocker out."""
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
    """Example 27: the order of the called states does not matter."""
    mach = made("Foo{} Bar{remove:Foo}")
    lines = log_of(mach)

    assert mach.add(called) is CANCELED
    assert "[cancel:reject] Foo" in lines


def test_a_called_state_removes_an_active_one(made: Made) -> None:
    """Example 28: calling both is rejected, calling the remover alone replaces the other."""
    mach = made("C{remove:D} D{}")
    mach.add1("D")

    assert mach.set(["C", "D"]) is CANCELED
    assert str(mach) == "(D:1)"

    mach.add1("C")
    assert mach.string_all() == "(C:1) [D:2 Exception:0]"


def test_of_mutually_removing_states_the_called_one_wins(made: Made, log_of: LogOf) -> None:
    """Example 29: the active one gives way, and calling both is rejected."""
    mach = made("A{remove:B} B{remove:A}")
    mach.add1("A")
    mach.add1("B")
    assert mach.string_all() == "(B:1) [A:2 Exception:0]"

    lines = log_of(mach)
    assert mach.add(["A", "B"]) is CANCELED
    assert "[rel:remove] B by A" in lines
    assert "[cancel:reject] B" in lines

    mach.add1("A")
    assert mach.string_all() == "(A:3) [B:2 Exception:0]"


def test_an_active_state_wins_over_an_implied_one_when_both_remove(made: Made) -> None:
    """Example 30: the implied one is activated only when nothing active removes it."""
    text = "A{remove:B} B{remove:A} Z{add:B}"
    mach = made(text)
    mach.add1("A")
    mach.add1("Z")
    assert str(mach) == "(A:1 Z:1)"

    fresh = made(text)
    fresh.set(["Z"])
    assert str(fresh) == "(B:1 Z:1)"


def test_an_implied_state_removes_an_active_one_that_does_not_resist(made: Made) -> None:
    """Example 31: a one-way remover wins, implied or not."""
    mach = made("A{} Z{add:I} I{remove:A}")
    mach.add1("A")

    mach.add1("Z")

    assert mach.string_all() == "(Z:1 I:1) [A:2 Exception:0]"


def test_a_blocker_that_is_blocked_blocks_nobody(made: Made) -> None:
    """Example 32: A removes the active B, so B cannot keep C out."""
    mach = made("A{remove:B} B{remove:C} C{}")
    mach.add1("B")

    assert mach.add(["A", "C"]) is EXECUTED
    assert mach.string_all() == "(A:1 C:1) [B:2 Exception:0]"


def test_water_makes_wet_what_was_dry(made: Made, log_of: LogOf) -> None:
    """Example 33: a state that is about to be removed does not block an implied one."""
    mach = made("Wet{require:Water} Dry{remove:Wet} Water{add:Wet remove:Dry}")
    mach.add1("Dry")
    lines = log_of(mach)

    mach.add1("Water")
    assert mach.string_all() == "(Wet:1 Water:1) [Dry:2 Exception:0]"
    assert lines.index("[rel:remove] Wet by Dry") < lines.index("[rel:remove] Dry by Water")
    assert "[implied] Wet" in lines

    assert mach.add1("Dry") is CANCELED

    mach.remove1("Water")
    assert mach.active_states() == []


def test_states_that_all_remove_each_other_are_a_mutex(made: Made) -> None:
    """Example 34: one of the group is active at a time, the auto one when no other is."""
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


def test_required_states_come_first_and_take_the_others_with_them(
    made: Made, watch: Watch, log_of: LogOf
) -> None:
    """Example 35: handlers follow the require chain, both on the way in and on the way out."""
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


def test_losing_a_required_state_deactivates_silently(made: Made) -> None:
    """Example 36: a state whose requirement is removed goes in the same transition."""
    mach = made("A{require:B} B{} C{remove:B}")
    mach.add(["A", "B"])

    assert mach.add1("C") is EXECUTED
    assert mach.string_all() == "(C:1) [A:2 B:2 Exception:0]"


def test_states_that_require_each_other_have_to_be_called_together(made: Made) -> None:
    """Example 37: alone each is rejected; a cycle leaves the order as it was called."""
    mach = made("A{require:B} B{require:A}")

    assert mach.add1("A") is CANCELED
    assert mach.add(["A", "B"]) is EXECUTED
    assert mach.active_states() == ["A", "B"]


def test_a_state_cannot_remove_what_it_requires(made: Made) -> None:
    """Example 38: such a state can never activate."""
    mach = made("A{require:B remove:B} B{}")
    mach.add1("B")

    assert mach.add1("A") is CANCELED


def test_after_orders_handlers(made: Made, watch: Watch) -> None:
    """Example 39: handlers of a state run after those of the states in its `after`."""
    mach = made("Foo{after:Bar} Bar{}")
    calls = watch(mach)

    mach.add(["Foo", "Bar"])

    assert calls == ["BarEnter", "FooEnter", "AnyEnter", "BarState", "FooState", "AnyState"]


def test_states_outside_of_require_come_first(made: Made) -> None:
    """Example 40: then the required ones, then those that require them."""
    mach = made("Foo{require:Bar} X1{} Bar{}")

    mach.add(["Foo", "Bar", "X1"])

    assert mach.active_states() == ["X1", "Bar", "Foo"]


@pytest.mark.parametrize("called", list(itertools.permutations("ABCD")))
def test_any_called_order_is_sorted_by_require(made: Made, called: tuple[str, ...]) -> None:
    """Example 41: the order by Require is the same for every order of the called states."""
    mach = made("A{require:[B,C]} B{require:D} C{} D{}")

    mach.set(called)

    assert mach.active_states() == ["D", "B", "C", "A"]
