"""Auto states: when they activate, which of them do, and how relations treat them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import machine as am

Made = Callable[..., am.Machine]
Watch = Callable[..., list[str]]
LogOf = Callable[..., list[str]]

CHAIN = "A{} B{auto require:A} C{auto require:B} D{auto require:E} E{}"


def test_autos_that_require_each_other_activate_together(
    made: Made, log_of: LogOf, recorder: Any
) -> None:
    """One mutation, right after the one that ticked, calls all inactive auto states."""
    mach = made(CHAIN, tracers=[recorder])
    lines = log_of(mach)

    mach.add1("A")

    assert str(mach) == "(A:1 B:1 C:1)"
    assert [tx.queue_len for tx in recorder.txs] == [1, 0]
    expected = ["[auto] B C D", "[add:auto] B C D", "[reject:auto] D(-E)", "[state:auto] +B +C"]
    assert [line for line in lines if line in expected] == expected


def test_no_tick_means_no_auto(made: Made, recorder: Any) -> None:
    """After an add that changes nothing no auto transition follows."""
    mach = made(CHAIN, tracers=[recorder])
    mach.add1("A")
    recorder.txs.clear()

    mach.add1("A")

    assert [tx.is_auto() for tx in recorder.txs] == [False]


def test_removed_auto_states_come_back(made: Made) -> None:
    """An auto state is inactive only while what it requires is."""
    mach = made(CHAIN)
    mach.add1("A")

    mach.remove1("B")

    assert mach.time(["A", "B", "C"]) == [1, 3, 3]


def test_an_auto_transition_may_be_canceled_as_a_whole(
    made: Made, log_of: LogOf, recorder: Any
) -> None:
    """When every auto state is rejected, the attempt is visible, and the log names them."""
    mach = made("A{} B{auto require:C} C{} D{auto require:C}", tracers=[recorder])
    lines = log_of(mach)

    mach.add1("A")

    assert str(mach) == "(A:1)"
    assert [(tx.is_auto(), tx.accepted) for tx in recorder.txs] == [(False, True), (True, False)]
    assert "[cancel:reject] B D" in lines


def test_auto_states_activate_in_the_order_by_require(made: Made, watch: Watch) -> None:
    """Their transition has its own global handlers."""
    mach = made("A{auto require:[B,C]} B{auto require:D} C{} D{}")
    calls = watch(mach)

    mach.set(["C", "D"])

    finals = [call for call in calls if call.endswith("State")]
    assert finals == ["DState", "CState", "AnyState", "BState", "AState", "AnyState"]
    assert calls.count("AnyEnter") == 2


def test_an_auto_state_applies_its_own_remove(made: Made) -> None:
    """It deactivates an active state, and is blocked by one that removes it."""
    mach = made("A{} B{auto remove:A} C{remove:B}")
    mach.add1("A")
    assert mach.string_all() == "(B:1) [A:2 C:0 Exception:0]"

    mach.add1("C")
    assert mach.string_all() == "(C:1) [A:2 B:2 Exception:0]"

    mach.add1("A")
    assert str(mach) == "(A:3 C:1)"


@pytest.mark.parametrize("denying", ["BEnter", "CB"])
def test_a_denial_drops_only_the_auto_state_concerned(
    made: Made, watch: Watch, denying: str
) -> None:
    """The others activate, and no final handler of the dropped one runs."""
    mach = made("A{auto} B{auto} C{}")
    calls = watch(mach, deny=[denying])

    mach.add1("C")

    assert mach.string_all() == "(A:1 C:1) [B:0 Exception:0]"
    assert "BState" not in calls


def test_of_autos_that_remove_each_other_the_first_wins(made: Made) -> None:
    """The first in index order is activated."""
    mach = made("A{} P{auto remove:Q} Q{auto remove:P}")

    mach.add1("A")

    assert str(mach) == "(A:1 P:1)"


def test_an_auto_state_without_conditions_always_comes_back(made: Made) -> None:
    """Removing it, or setting others, only makes it tick."""
    mach = made("A{auto} B{}")
    mach.add1("B")
    assert str(mach) == "(A:1 B:1)"

    mach.remove1("A")
    assert str(mach) == "(A:3 B:1)"

    mach.set(["B"])
    assert str(mach) == "(A:5 B:1)"


def test_an_auto_state_follows_the_state_that_it_requires(made: Made) -> None:
    """Work in progress shows as long as a file is being processed."""
    mach = made(
        "ProcessingFile{remove:FileProcessed} FileProcessed{remove:ProcessingFile} "
        "InProgress{auto require:ProcessingFile}"
    )
    mach.add1("ProcessingFile")
    assert str(mach) == "(ProcessingFile:1 InProgress:1)"

    mach.add1("FileProcessed")
    assert str(mach) == "(FileProcessed:1)"
    assert mach.time(["ProcessingFile", "InProgress"]) == [2, 2]
