"""Memory of the plan cache and of machines, and what the cache costs where it is no use.

The walk adds and removes states of a loosely related schema at random, so it meets ever
new configurations: the cache fills up to its bound and is emptied again and again.
"""

from __future__ import annotations

import gc
import random
import tracemalloc
from collections.abc import Iterator
from time import process_time_ns

import machine as am
from machine._schema import forget_all

STATES = 30
STEPS = 40_000
MACHINES = 10_000
CACHE_BYTES_MAX = 10_000_000
MACHINE_BYTES_MAX = 2_048
LOOK_EVERY = 250

Move = tuple[bool, list[str]]
"""Add or remove, and which states."""


def loose_struct(seed: int = 1) -> dict[str, am.State]:
    """Thirty states of which few know each other."""
    dice = random.Random(seed)
    names = [f"S{number:02}" for number in range(STATES)]
    return {
        name: am.State(
            remove=[dice.choice(names)] if dice.random() < 0.2 else None,
            add=[dice.choice(names)] if dice.random() < 0.1 else None,
            require=[dice.choice(names)] if dice.random() < 0.1 else None,
        )
        for name in names
    }


def moves(struct: dict[str, am.State], steps: int, seed: int = 2) -> Iterator[Move]:
    """Random moves, a third of them of two states."""
    dice = random.Random(seed)
    names = list(struct)
    for _ in range(steps):
        yield dice.random() < 0.5, dice.sample(names, 2 if dice.random() < 0.3 else 1)


def cache_bytes(steps: int = STEPS) -> int:
    """The most memory that a random walk makes the cache take."""
    struct = loose_struct()
    forget_all()
    gc.collect()
    tracemalloc.start()
    mach = am.Machine(None, struct)
    before, most = tracemalloc.get_traced_memory()[0], 0
    for number, (adding, states) in enumerate(moves(struct, steps)):
        (mach.add if adding else mach.remove)(states)
        if number % LOOK_EVERY == 0:
            most = max(most, tracemalloc.get_traced_memory()[0] - before)
    tracemalloc.stop()
    return most


def machine_bytes(count: int = MACHINES) -> float:
    """Memory of one machine of a known schema, the mean of many."""
    struct = loose_struct()
    am.Machine(None, struct)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    machines = [am.Machine(None, struct) for _ in range(count)]
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / len(machines)


def walk_ns(cache: int, steps: int = STEPS) -> tuple[float, int]:
    """CPU time of one move of a random walk, and how many configurations it met."""
    struct = loose_struct()
    walk = list(moves(struct, steps))
    forget_all()
    mach = am.Machine(None, struct, cache=cache)
    add, remove = mach.add, mach.remove
    begin = process_time_ns()
    for adding, states in walk:
        (add if adding else remove)(states)
    spent = process_time_ns() - begin
    return spent / steps, _met(struct, walk)


def _met(struct: dict[str, am.State], walk: list[Move]) -> int:
    mach, met = am.Machine(None, struct), set()
    for adding, states in walk:
        (mach.add if adding else mach.remove)(states)
        met.add(tuple(mach.active_states()))
    return len(met)
