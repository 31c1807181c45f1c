"""Transitions that go by their plan, which tracers can record by the plan alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import machine as am

Made = Callable[..., am.Machine]


class Last(am.Tracer):
    """Keeps for each transition whether it is plain at its end."""

    def __init__(self) -> None:
        self.told: list[bool] = []

    def transition_end(self, tx: am.Transition) -> None:
        self.told.append(tx.is_plain)


def watched(mach: am.Machine, tracer: Last) -> am.Machine:
    mach.bind_tracer(tracer)
    return mach


def test_a_mutation_without_anything_else_is_plain(made: Made) -> None:
    """Accepted, changing nothing, or rejected by relations: the plan shows it all."""
    last = Last()
    mach = watched(made("A{} B{require:C} C{}"), last)

    mach.add1("A", {})
    mach.add1("A")
    mach.add1("B")

    assert last.told == [True, True, True]


@pytest.mark.parametrize(
    "act",
    [
        lambda mach: mach.add1("A", {"name": 1}),
        lambda mach: mach.can_add1("A"),
        lambda mach: mach.add1("Handled"),
        lambda mach: mach.add1("Denied"),
        lambda mach: mach.set_logger_empty(am.LogLevel.CHANGES) or mach.add1("A"),
    ],
    ids=["args", "check", "handler", "denied", "lines"],
)
def test_what_the_plan_does_not_show_makes_it_otherwise(
    made: Made, act: Callable[[am.Machine], object]
) -> None:
    """Arguments, a mere question, a handler, its answer, log lines."""
    last = Last()
    mach = watched(made("A{} Handled{} Denied{}"), last)
    mach.bind_handlers({"HandledState": lambda e: None, "DeniedEnter": lambda e: False})

    act(mach)

    assert last.told == [False]


def test_a_source_and_a_waiting_queue_are_reported(made: Made) -> None:
    """A mutation made from a handler has a source; the one that it comes from leaves it waiting."""
    last = Last()
    mach = watched(made("A{} B{}"), last)
    mach.bind_handlers({"AState": lambda e: e.machine.ev_add1(e, "B")})

    mach.add1("A")

    assert last.told == [False, False]


def test_lines_from_before_are_reported(made: Made) -> None:
    """What was logged between two transitions goes with the second."""
    last = Last()
    mach = watched(made("A{} B{}"), last)
    mach.set_logger_empty(am.LogLevel.CHANGES)
    mach.log("between")
    mach.set_log_level(am.LogLevel.NOTHING)

    mach.add1("A")
    mach.add1("B")

    assert last.told == [False, True]


def test_a_tracer_that_comes_late_finds_nothing_plain(made: Made) -> None:
    """A transition that nobody watched when it began may hold anything."""
    last = Last()
    mach = made("A{}")
    mach.bind_handlers({"AEnter": lambda e: e.machine.bind_tracer(last)})

    mach.add1("A")

    assert last.told == [False]
