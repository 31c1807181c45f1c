"""Workloads that are more than calls of one machine: many machines, many schemas, short lives.

Each function prepares what is not timed, and returns the function that is.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import machine as am
from machine import pipes

Program = Callable[[], object]

RING = 6
BOUND = 2_000
"""Machines to which one object is bound."""
SCHEMAS, SCHEMA_STATES = 200, 20
NETWORK, ROUNDS = 500, 8
"""Piped machines, and how often each of them is called."""


class Ring:
    """Handlers of a ring of states."""

    def S0Enter(self, _event: am.Event) -> bool:
        """Agree."""
        return True

    def S1State(self, _event: am.Event) -> None:
        """Do nothing."""

    def S2Exit(self, _event: am.Event) -> bool:
        """Agree."""
        return True

    def S3End(self, _event: am.Event) -> None:
        """Do nothing."""

    def S4State(self, _event: am.Event) -> None:
        """Do nothing."""


def life() -> Program:
    """Make a machine with five handlers, walk a ring of six states, drop it."""
    names = [f"S{number}" for number in range(RING)]
    struct = {name: am.State(remove=[other for other in names if other != name]) for name in names}

    def live() -> None:
        mach = am.Machine(None, struct)
        mach.bind_handlers(Ring())
        for name in names:
            mach.add1(name)

    return live


def bind30() -> Program:
    """Bind one object with thirty handlers to each of many new machines."""
    names = [f"S{number}" for number in range(10)]
    struct = {name: am.State() for name in names}
    phases = ("Enter", "State", "End")
    body = {name + phase: Ring.S0Enter for name in names for phase in phases}
    handlers = type("Thirty", (), body)()
    machines = [am.Machine(None, struct) for _ in range(BOUND)]

    def bind() -> None:
        for mach in machines:
            mach.bind_handlers(handlers)

    return bind


def schemas200() -> Program:
    """Make a machine of each of many schemas, with two mutations."""
    structs = [_struct_of_many(number) for number in range(SCHEMAS)]

    def turn() -> None:
        for struct in structs:
            first, second, *_ = struct
            mach = am.Machine(None, struct)
            mach.add1(first)
            mach.add1(second)

    return turn


def _struct_of_many(number: int) -> dict[str, am.State]:
    names = [f"S{number}x{state}" for state in range(SCHEMA_STATES)]
    return {name: am.State(remove=[names[at - 1]]) for at, name in enumerate(names)}


class Worker:
    """Handlers of a piped machine."""

    def __init__(self) -> None:
        self.seen = 0

    def ReadyEnter(self, _event: am.Event) -> bool:
        """Agree."""
        return True

    def ReadyState(self, _event: am.Event) -> None:
        """Count."""
        self.seen += 1

    def PeerState(self, _event: am.Event) -> None:
        """Count."""
        self.seen += 1

    def PeerEnd(self, _event: am.Event) -> None:
        """Do nothing."""


def piped500() -> Program:
    """A ring of new machines with handlers: `Ready` of each is `Peer` of the next."""
    struct = {"Ready": am.State(), "Peer": am.State(), "Busy": am.State(remove=["Ready"])}
    machines = [am.Machine(None, struct) for _ in range(NETWORK)]
    for at, mach in enumerate(machines):
        mach.bind_handlers(Worker())
        pipes.bind_ready(mach, machines[(at + 1) % NETWORK], "Peer", "Peer")
    order = [*range(NETWORK)] * ROUNDS
    random.Random(7).shuffle(order)

    def work() -> None:
        for at in order:
            mach = machines[at]
            mach.add1("Ready")
            mach.add1("Busy")
            mach.remove1("Busy")

    return work


PROGRAMS: dict[str, Callable[[], Program]] = {
    "life": life,
    "bind30": bind30,
    "schemas200": schemas200,
    "piped500": piped500,
}
