"""The behaviour checklist: states, relations, auto states. Each docstring begins with its name."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine.errors import StateMissingError

Made = Callable[..., am.Machine]
Watch = Callable[..., list[str]]
LogOf = Callable[..., list[str]]

EXECUTED, CANCELED = am.Result.EXECUTED, am.Result.CANCELED
NO_RELS = "A{} B{} C{} D{}"


def begun(made: Made, text: str, *active: str) -> am.Machine:
    """A machine of this schema in which these states were set."""
    mach = made(text)
    mach.set(active)
    return mach


def test_single_state_active(made: Made) -> None:
    """SingleStateActive: after a set of A exactly A is active."""
    assert begun(made, NO_RELS, "A").active_states() == ["A"]


def test_multiple_states_active(made: Made) -> None:
    """MultipleStatesActive: any number of states is active at once."""
    mach = begun(made, NO_RELS, "A")
    mach.add1("B")

    assert mach.is_(["A", "B"])
    assert mach.count_active(["A", "B", "C"]) == 2


def test_expose_all_state_names(made: Made) -> None:
    """ExposeAllStateNames: the names are those of the schema, with Exception added."""
    assert made(NO_RELS).state_names() == ["A", "B", "C", "D", "Exception"]


def test_state_set(made: Made) -> None:
    """StateSet: a set replaces what is active."""
    mach = begun(made, NO_RELS, "A")
    mach.set("B")

    assert mach.active_states() == ["B"]


def test_state_add(made: Made) -> None:
    """StateAdd: an add keeps what is active."""
    mach = begun(made, NO_RELS, "A")
    mach.add("B")

    assert set(mach.active_states()) == {"A", "B"}


def test_state_remove(made: Made) -> None:
    """StateRemove: a remove takes only the called states away."""
    mach = begun(made, NO_RELS, "B", "C")
    mach.remove("C")

    assert mach.active_states() == ["B"]


def test_panic_when_state_is_unknown(made: Made) -> None:
    """PanicWhenStateIsUnknown: a mutation of an undefined state raises and names it."""
    mach = made(NO_RELS)

    with pytest.raises(StateMissingError, match="missing states: E not defined in struct for mach"):
        mach.set(["A", "E"])
    assert mach.active_states() == []


def test_single_to_single_state_transition(made: Made, watch: Watch) -> None:
    """SingleToSingleStateTransition: exits, then enters, then pairs, then finals, once each."""
    mach = begun(made, NO_RELS, "A", "B")
    calls = watch(mach)

    mach.set(["C"])

    wanted = ["AExit", "BExit", "CEnter", "AC", "BC", "CState"]
    assert [call for call in calls if call in wanted] == wanted


def test_single_to_multi_state_transition(made: Made, watch: Watch) -> None:
    """SingleToMultiStateTransition: A gives way to B and C."""
    mach = begun(made, NO_RELS, "A")
    calls = watch(mach)

    mach.set(["B", "C"])

    wanted = ["AExit", "BEnter", "CEnter", "AB", "AC", "BState", "CState"]
    assert [call for call in calls if call in wanted] == wanted


def test_multi_to_multi_state_transition(made: Made, watch: Watch) -> None:
    """MultiToMultiStateTransition: targets come in the order in which they were called."""
    mach = begun(made, NO_RELS, "A", "B")
    calls = watch(mach)

    mach.set(["D", "C"])

    wanted = ["AExit", "BExit", "DEnter", "CEnter", "AD", "AC", "BD", "BC", "CState"]
    assert [call for call in calls if call in wanted] == wanted


def test_multi_to_single_state_transition(made: Made, watch: Watch) -> None:
    """MultiToSingleStateTransition: the End handlers come before the State handlers."""
    mach = begun(made, NO_RELS, "A", "B")
    calls = watch(mach)

    mach.set(["C"])

    assert calls[-7:] == ["AC", "BC", "AnyEnter", "AEnd", "BEnd", "CState", "AnyState"]


def test_transition_to_active_state(made: Made, watch: Watch) -> None:
    """TransitionToActiveState: a state that stays is not asked to exit."""
    mach = begun(made, NO_RELS, "A", "B")
    calls = watch(mach)

    mach.set(["A"])

    assert "AExit" not in calls
    assert mach.active_states() == ["A"]


def test_after_relation_when_entering(made: Made, watch: Watch) -> None:
    """AfterRelationWhenEntering: C after D enters after D, whatever the called order."""
    mach = begun(made, "A{} B{} C{after:D} D{}", "A")
    calls = watch(mach)

    mach.set(["C", "D"])

    wanted = ["DEnter", "CEnter", "AD", "AC"]
    assert [call for call in calls if call in wanted] == wanted


def test_after_relation_when_exiting(made: Made, watch: Watch) -> None:
    """AfterRelationWhenExiting: A after B exits after B."""
    mach = begun(made, "A{after:B} B{} C{} D{}", "A", "B")
    calls = watch(mach)

    mach.set(["C"])

    assert calls.index("BExit") < calls.index("AExit")


def test_require_order(made: Made, watch: Watch) -> None:
    """RequireOrder: autos run in the order by Require, global handlers in each transition."""
    mach = made("A{auto require:[B,C]} B{auto require:D} C{} D{}")
    calls = watch(mach)

    mach.set(["C", "D"])

    finals = [call for call in calls if call in ("DState", "BState", "CState", "AState")]
    assert finals.index("DState") < finals.index("BState") < finals.index("AState")
    assert finals.index("CState") < finals.index("AState")
    assert calls.count("AnyEnter") == calls.count("AnyState") == 2


@pytest.mark.parametrize("called", list(itertools.permutations("ABCD")))
def test_require_order_of_any_permutation(made: Made, called: tuple[str, ...]) -> None:
    """RequireOrder: any order of called states is sorted to D, B, C, A."""
    mach = begun(made, "A{require:[B,C]} B{require:D} C{} D{}", *called)

    assert mach.active_states() == ["D", "B", "C", "A"]


def test_remove_relation(made: Made) -> None:
    """RemoveRelation: adding C deactivates D, which C removes."""
    mach = begun(made, "A{} C{remove:D} D{}", "D")

    assert mach.add1("C") is EXECUTED
    assert mach.active_states() == ["C"]


def test_remove_relation_simultaneous(made: Made, log_of: LogOf) -> None:
    """RemoveRelationSimultaneous: calling C and D, which C removes, changes nothing."""
    mach = begun(made, "A{} C{remove:D} D{}", "D")
    lines = log_of(mach)

    assert mach.set(["C", "D"]) is CANCELED
    assert "[rel:remove] D by C" in lines
    assert mach.active_states() == ["D"]


@pytest.mark.parametrize("kind", ["set", "add"])
def test_remove_relation_cross_blocking(made: Made, kind: str) -> None:
    """RemoveRelationCrossBlocking: mutually removing states switch both ways."""
    mach = begun(made, "C{remove:D} D{remove:C}", "D")

    assert getattr(mach, kind)(["C"]) is EXECUTED
    assert mach.active_states() == ["C"]
    assert getattr(mach, kind)(["D"]) is EXECUTED
    assert mach.active_states() == ["D"]


def test_add_relation(made: Made) -> None:
    """AddRelation: what C adds is left out when another called state removes it."""
    mach = made("A{remove:D} C{add:D} D{}")

    mach.set(["C"])
    assert set(mach.active_states()) == {"C", "D"}
    assert mach.set(["A", "C"]) is EXECUTED
    assert set(mach.active_states()) == {"A", "C"}


def test_require_relation(made: Made) -> None:
    """RequireRelation: a state called together with its requirement is activated."""
    mach = made("A{} C{require:D} D{}")

    assert mach.set(["C", "D"]) is EXECUTED
    assert mach.is_(["C", "D"])


def test_require_relation_when_required_isnt_active(made: Made, log_of: LogOf) -> None:
    """RequireRelationWhenRequiredIsntActive: the mutation is rejected and the reason logged."""
    mach = begun(made, "A{} C{require:D} D{}", "A")
    lines = log_of(mach)

    assert mach.set(["C"]) is CANCELED
    assert "[reject] C(-D)" in lines
    assert mach.active_states() == ["A"]


def test_remove_multi_implied(made: Made) -> None:
    """RemoveMultiImplied: a state that an active multi state adds can be removed."""
    mach = begun(made, "A{multi add:B} B{}", "A")
    assert mach.is1("B")

    assert mach.remove1("B") is EXECUTED
    assert not mach.is1("B")


def test_auto_states(made: Made, log_of: LogOf) -> None:
    """AutoStates: adding A activates the auto state B that requires it."""
    mach = made("A{} B{auto require:A}")
    lines = log_of(mach)

    assert mach.add1("A") is EXECUTED
    assert set(mach.active_states()) == {"A", "B"}
    assert "[auto] B" in lines


def test_partial_auto_states(made: Made, log_of: LogOf) -> None:
    """PartialAutoStates: of two autos only the one whose requirement is met activates."""
    mach = made("A{auto} B{auto require:D} C{} D{}")
    lines = log_of(mach)

    mach.add1("C")

    assert set(mach.active_states()) == {"A", "C"}
    assert "[state:auto] +A" in lines


@pytest.mark.parametrize("denying", ["CB", "BEnter"])
def test_partial_auto_states_by_handlers(made: Made, watch: Watch, denying: str) -> None:
    """PartialAutoStatesByStateState, PartialAutoStatesByEnter: a denial drops only B."""
    mach = made("A{auto} B{auto} C{}")
    watch(mach, deny=[denying])

    mach.add1("C")

    assert set(mach.active_states()) == {"A", "C"}


def test_partial_auto(made: Made, log_of: LogOf) -> None:
    """PartialAuto: when all autos are rejected only A is active, and both are named."""
    mach = made("A{} B{auto require:C} C{} D{auto require:C}")
    lines = log_of(mach)

    mach.add1("A")

    assert mach.active_states() == ["A"]
    assert "[cancel:reject] B D" in lines


def test_regression_remove_cross_blocked_by_implied(made: Made) -> None:
    """RegressionRemoveCrossBlockedByImplied: an implied B that A would remove is activated."""
    mach = begun(made, "A{remove:B} B{remove:A} Z{add:B}", "Z")

    assert set(mach.active_states()) == {"Z", "B"}


def test_regression_implied_block_by_being_removed(made: Made) -> None:
    """RegressionImpliedBlockByBeingRemoved: Dry, on its way out, does not keep Wet out."""
    mach = begun(made, "Wet{require:Water} Dry{remove:Wet} Water{add:Wet remove:Dry}", "Dry")

    mach.set(["Water"])

    assert set(mach.active_states()) == {"Water", "Wet"}


def test_get_state_relations(made: Made) -> None:
    """GetStateRelations: the relations that a state defines, in the order add, require."""
    resolver = made("A{add:D require:C auto} B{} C{} D{}").resolver()

    assert resolver.get_relations_of("A") == [am.Relation.ADD, am.Relation.REQUIRE]


def test_get_relations_between_states(made: Made) -> None:
    """GetRelationsBetweenStates: only those relations of A that name B."""
    resolver = made("A{add:[B,C] require:D} B{} C{} D{}").resolver()

    assert resolver.get_relations_between("A", "B") == [am.Relation.ADD]


def test_get_relations_between(made: Made) -> None:
    """GetRelationsBetween: every kind of relation is told, an unknown name is an error."""
    resolver = made("A{add:B} B{require:C} C{remove:D} D{after:A}").resolver()
    pairs = {"AB": "add", "BC": "require", "CD": "remove", "DA": "after"}

    for (one, other), relation in pairs.items():
        assert [str(r) for r in resolver.get_relations_between(one, other)] == [relation]
    for one, other in (("A", "X"), ("X", "A")):
        with pytest.raises(am.errors.StateUnknownError):
            resolver.get_relations_between(one, other)


def test_set_states(made: Made, struct: Any) -> None:
    """SetStates: a schema changed at run time has its new states and relations at once."""
    mach = begun(made, NO_RELS, "A")

    mach.set_struct(struct("A{} B{add:E} C{} D{} E{}"), ["A", "B", "C", "D", "E"])
    mach.add1("B")

    assert mach.is_(["A", "B", "E"])
