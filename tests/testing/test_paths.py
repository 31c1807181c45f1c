"""Paths through a machine, chosen by Hypothesis."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

import machine as am
from machine.testing import assert_inactive, states_machine

STRUCT = {"A": am.State(), "B": am.State(require=["A"]), "C": am.State(require=["B"])}
FEW = settings(max_examples=40, stateful_step_count=10)


class Fails:
    """Handlers with a mistake that only one path shows."""

    def CState(self, _: am.Event) -> None:
        raise ValueError("mistake")


def make() -> am.Machine:
    return am.Machine(None, STRUCT, id="m", handlers=Fails())


def test_an_error_of_a_handler_is_found() -> None:
    """With the machine's error as the cause, and the shortest path as calls."""
    with pytest.raises(AssertionError, match="machine m has an error") as caught:
        run_state_machine_as_test(states_machine(make), settings=FEW)

    notes = "\n".join(caught.value.__notes__)
    assert isinstance(caught.value.__cause__, ValueError)
    assert notes.count("state.add(") + notes.count("state.set(") == 1


def test_errors_may_be_allowed_and_states_chosen() -> None:
    """A machine that may fail, and one whose failing state is never called."""
    run_state_machine_as_test(states_machine(make, may_fail=True), settings=FEW)
    run_state_machine_as_test(states_machine(make, states=["A", "B"]), settings=FEW)


def test_a_rule_of_the_test_is_checked_after_each_call() -> None:
    """What it raises fails the test."""
    paths = states_machine(
        lambda: am.Machine(None, STRUCT), rule=lambda mach: assert_inactive(mach, "C")
    )
    with pytest.raises(AssertionError, match="active: C"):
        run_state_machine_as_test(paths, settings=FEW)


class TestPaths(states_machine(lambda: am.Machine(None, STRUCT)).TestCase):  # type: ignore[misc]
    """The class is a test case of unittest, which pytest runs."""

    settings = FEW
