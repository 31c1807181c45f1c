"""Coverage of states and relations."""

from __future__ import annotations

import machine as am
from machine.testing import Coverage

STRUCT = {
    "A": am.State(add=["B"], after=["C"]),
    "B": am.State(),
    "C": am.State(require=["A"], remove=["B"]),
    "D": am.State(remove=["A"]),
}


def test_nothing_is_covered_at_first() -> None:
    """The report lists all states and relations in the order of the schema."""
    coverage = Coverage(am.Machine(None, STRUCT))

    assert coverage.report().splitlines() == [
        "states that were active: 0 of 4",
        "  never: A",
        "  never: B",
        "  never: C",
        "  never: D",
        "relations that decided: 0 of 4",
        "  never: A adds B",
        "  never: C requires A",
        "  never: C removes B",
        "  never: D removes A",
    ]


def test_states_and_relations_count_once_they_mattered() -> None:
    """A refused call uses a relation and activates nothing."""
    mach = am.Machine(None, STRUCT)
    coverage = Coverage(mach)
    mach.add1("C")
    assert coverage.never_decided() == ["A adds B", "C removes B", "D removes A"]
    assert coverage.never_active() == ["A", "B", "C", "D"]

    mach.add1("A")
    assert coverage.never_decided() == ["C removes B", "D removes A"]
    assert coverage.never_active() == ["C", "D"]


def test_a_relation_without_an_effect_has_not_decided() -> None:
    """A required state that is there, and a state to add that is active."""
    mach = am.Machine(None, {"A": am.State(require=["B"], add=["B"]), "B": am.State()})
    coverage = Coverage(mach)
    mach.add1("B")
    mach.add1("A")

    assert coverage.never_decided() == ["A adds B", "A requires B"]


def test_several_machines_count_together() -> None:
    """Each from the moment on at which it is watched; what is active then counts."""
    one, two = am.Machine(None, STRUCT), am.Machine(None, STRUCT)
    one.add1("B")
    two.add1("A")
    two.add1("D")
    coverage = Coverage(one)
    coverage.watch(two)

    assert coverage.never_active() == ["A", "C"]


def test_checks_activate_nothing() -> None:
    """`can_add1` asks relations and handlers, and changes no state."""
    mach = am.Machine(None, STRUCT)
    coverage = Coverage(mach)
    mach.can_add1("A")

    assert "A" in coverage.never_active()
