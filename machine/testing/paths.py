"""Paths through a machine, chosen by Hypothesis, that lead to an error.

Hypothesis makes a machine, adds, removes and sets states in any order, and looks after each call
whether the machine has an error or the rule of the test is broken. If so, it finds a shorter
path that does the same and prints it as calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import machine as am

if TYPE_CHECKING:
    from hypothesis.stateful import RuleBasedStateMachine

NAMES_MAX = 3
"""States of one call."""


def states_machine(
    make: Callable[[], am.Machine],
    *,
    states: am.Names | None = None,
    rule: Callable[[am.Machine], object] | None = None,
    may_fail: bool = False,
) -> type[RuleBasedStateMachine]:
    """The class of a stateful test of Hypothesis, which has to be installed.

    `TestPaths = states_machine(make).TestCase` is a whole test. `make` returns a new machine with
    its handlers. `states` are those that are called, by default all but `Exception`. `rule` is
    called after each call and raises what is wrong, as `assert` does. An error state of the
    machine fails the test unless it `may_fail`. The machine is disposed at the end of each path.
    """
    from hypothesis import stateful
    from hypothesis import strategies as st

    names = _names(make, states)
    some = st.lists(st.sampled_from(names), min_size=1, max_size=NAMES_MAX, unique=True)

    class MachinePaths(stateful.RuleBasedStateMachine):
        """Calls of one machine."""

        def __init__(self) -> None:
            super().__init__()
            self.machine = make()

        @stateful.rule(states=some)
        def add(self, states: list[str]) -> None:
            self.machine.add(states)

        @stateful.rule(states=some)
        def remove(self, states: list[str]) -> None:
            self.machine.remove(states)

        @stateful.rule(states=some)
        def set(self, states: list[str]) -> None:
            self.machine.set(states)

        @stateful.invariant()
        def holds(self) -> None:
            if not may_fail:
                _check_no_error(self.machine)
            if rule is not None:
                rule(self.machine)

        def teardown(self) -> None:
            self.machine.dispose()

    return MachinePaths


def _names(make: Callable[[], am.Machine], states: am.Names | None) -> list[str]:
    if states is not None:
        return [states] if isinstance(states, str) else list(states)
    with make() as mach:
        return [name for name in mach.state_names() if name != am.EXCEPTION]


def _check_no_error(mach: am.Machine) -> None:
    if mach.is_err():
        raise AssertionError(f"machine {mach.id} has an error in {mach.string()}") from mach.err
