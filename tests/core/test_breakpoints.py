"""Breakpoints: a line when certain states are asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import machine as am

Made = Callable[..., am.Machine]
LogOf = Callable[..., list[str]]


def told(lines: list[str]) -> int:
    """How many breakpoints were met since the last time."""
    count = sum(line.startswith("[breakpoint] Machine.breakpoint") for line in lines)
    lines.clear()
    return count


def test_adding_exactly_these_states_is_reported(made: Made, log_of: LogOf) -> None:
    """In any order, but no other states and no other kind of mutation."""
    mach = made()
    lines = log_of(mach, am.LogLevel.CHANGES)
    mach.add_breakpoint(["A", "B"], [])

    mach.add(["B", "A"])
    assert told(lines) == 1
    for other in (lambda: mach.add1("A"), lambda: mach.add(["A", "B", "C"])):
        other()
        assert told(lines) == 0
    mach.set(["A", "B"])
    mach.remove(["A", "B"])
    assert told(lines) == 0


def test_removing_exactly_these_states_is_reported(made: Made, log_of: LogOf) -> None:
    """Also when they are not active."""
    mach = made()
    lines = log_of(mach, am.LogLevel.CHANGES)
    mach.add_breakpoint([], ["A"])

    mach.remove1("A")
    mach.add1("A")
    mach.remove1("A")
    assert told(lines) == 2


def test_a_loose_breakpoint_minds_no_others(made: Made, log_of: LogOf) -> None:
    """Not strict, it is met by every mutation of that kind with these states among others."""
    mach = made()
    lines = log_of(mach, am.LogLevel.CHANGES)
    mach.add_breakpoint(["A"], [], strict=False)
    mach.add_breakpoint([], ["B"], strict=False)

    mach.add(["A", "B", "C"])
    mach.remove(["B", "C"])
    mach.remove1("A")
    mach.add1("B")
    assert told(lines) == 2


def test_a_breakpoint_for_one_state(made: Made, log_of: LogOf) -> None:
    """`add_breakpoint1` takes one name; the other is empty."""
    mach = made()
    lines = log_of(mach, am.LogLevel.CHANGES)
    mach.add_breakpoint1("A", "")
    mach.add_breakpoint1("", "B")

    mach.add1("A")
    mach.remove1("B")
    mach.add1("B")
    assert told(lines) == 2


def test_a_breakpoint_for_both_is_never_met(made: Made, log_of: LogOf) -> None:
    """No mutation adds and removes."""
    mach = made()
    lines = log_of(mach, am.LogLevel.CHANGES)
    mach.add_breakpoint(["A"], ["B"])

    mach.add1("A")
    mach.remove1("B")
    assert told(lines) == 0


def test_a_breakpoint_shows_the_caller(made: Made, log_of: LogOf) -> None:
    """The line has the stack of the calling code, unless stacks are not wanted."""
    mach = made()
    lines = log_of(mach, am.LogLevel.CHANGES)
    mach.add_breakpoint1("A", "")

    mach.add1("A")
    assert lines[0].startswith("[breakpoint] Machine.breakpoint\n")
    assert "test_a_breakpoint_shows_the_caller" in lines[0]
    assert "look_at" not in lines[0]
    lines.clear()
    mach.log_stack_trace = False
    mach.add1("A")
    assert lines == ["[breakpoint] Machine.breakpoint"]


def test_a_breakpoint_in_a_handler_is_logged_at_the_call(made: Made, log_of: LogOf) -> None:
    """Not when the mutation gets its turn."""
    mach = made(log_stack_trace=False)
    lines = log_of(mach, am.LogLevel.CHANGES)
    mach.add_breakpoint1("B", "")
    mach.bind_handlers({"AState": lambda e: e.machine.add1("B")})
    mach.add1("A")

    assert lines == ["[state] +A", "[breakpoint] Machine.breakpoint", "[state] +B"]


def test_a_breakpoint_of_an_unknown_state_is_refused(made: Made) -> None:
    """It could never be met."""
    with pytest.raises(am.errors.StateMissingError):
        made().add_breakpoint(["Nope"], [])
