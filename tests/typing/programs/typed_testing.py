"""Tests of a program, and the other name of the library."""

from typing import reveal_type

import amtracer
import asyncmachine as am
import machine
from asyncmachine import errors, pipes, states, testing

reveal_type(am.__version__)  # reveals: str
mach = am.Machine(None, {"A": am.State()})
same: machine.Machine = mach
amtracer.attach(mach)
reveal_type(states.basic_states)  # reveals: BasicStatesDef
reveal_type(errors.near_names("a", ["A"]))  # reveals: list[str]
mach.bind_handlers({"AState": pipes.add(mach, mach, "A")})
am.Missing  # refused: attr-defined  # noqa: B018

if mach.add1("A"):
    reveal_type(mach.add1("A"))  # reveals: Result
reveal_type(bool(mach.add1("A")))  # reveals: bool
reveal_type(mach.add1("A").__bool__())  # reveals: Literal[True]

with testing.ManualClock() as clock:
    clock.advance(5)
    clock.advance("5")  # refused: arg-type
    reveal_type(clock.next_in)  # reveals: float | None

testing.assert_active(mach, ["A"])
testing.assert_active(mach, 5)  # refused: arg-type
testing.assert_becomes(mach, "A")  # refused: call-arg
reveal_type(testing.Coverage(mach).never_active())  # reveals: list[str]
paths = testing.states_machine(lambda: am.Machine(None, {}), rule=lambda mach: mach.is_err())
testing.states_machine(mach)  # refused: arg-type
