"""Memory of the plan cache and of machines, and the cost of the cache without hits.

The walk adds and removes states of a loosely related schema at random, so nearly every
configuration is new: the cache fills up to its bound and is hardly ever hit.
"""

from __future__ import annotations

import gc
import random
import statistics
import tracemalloc
from collections.abc import Iterator
from time import process_time_ns

import machine as am
from benchmarks.workloads import Idle
from machine._schema.sharing import forget_all

STATES = 30
STEPS = 12_000
STEPS_FAR = 150_000
MACHINES = 10_000
CACHE_BYTES_MAX = 10_000_000
MACHINE_BYTES_MAX = 2_048
LOOK_EVERY = 250

Move = tuple[bool, list[str]]
"""Add or remove, and which states."""


def loose_struct(seed: int = 1) -> dict[str, am.State]:
    """Thirty states with few relations."""
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


def moves(struct: dict[str, am.State], steps: int, seed: int = 7) -> Iterator[Move]:
    """Random moves, half of them of two states."""
    dice = random.Random(seed)
    names = list(struct)
    for _ in range(steps):
        yield dice.random() < 0.55, dice.sample(names, 2 if dice.random() < 0.5 else 1)


def cache_bytes(steps: int = STEPS, *, used: bool = False) -> int:
    """The peak memory of the cache during a random walk.

    With `used`, all states have handlers, each configuration is read, and a tracer is bound,
    so plans record their steps.
    """
    struct = loose_struct()
    forget_all()
    gc.collect()
    tracemalloc.start()
    mach = am.Machine(None, struct)
    if used:
        phases = ("Enter", "State", "Exit", "End")
        mach.bind_handlers({name + phase: _passes for name in struct for phase in phases})
        mach.bind_tracer(Idle())
    before, most = tracemalloc.get_traced_memory()[0], 0
    for number, (adding, states) in enumerate(moves(struct, steps)):
        (mach.add if adding else mach.remove)(states)
        if used:
            mach.is1(states[0])
        if number % LOOK_EVERY == 0:
            most = max(most, tracemalloc.get_traced_memory()[0] - before)
    tracemalloc.stop()
    return most


def _passes(_event: am.Event) -> bool:
    return True


def machine_bytes(count: int = MACHINES, *, used: bool = False) -> float:
    """Memory of one machine of a known schema, the mean of many; `used` after two mutations."""
    struct = loose_struct()
    _use(am.Machine(None, struct))
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    machines = [am.Machine(None, struct) for _ in range(count)]
    if used:
        for mach in machines:
            _use(mach)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / len(machines)


def _use(mach: am.Machine) -> None:
    mach.add1("S00")
    mach.set(["S01", "S02"])


def walk_ns(steps: int = STEPS_FAR, rounds: int = 3) -> tuple[float, float]:
    """CPU time of one move with the cache and without, medians of rounds that alternate."""
    struct = loose_struct()
    walk = list(moves(struct, steps))
    times: dict[int, list[float]] = {am.NODES_MAX: [], 0: []}
    for _ in range(rounds):
        for cache, found in times.items():
            found.append(_walk(struct, walk, cache) / steps)
    return statistics.median(times[am.NODES_MAX]), statistics.median(times[0])


def _walk(struct: dict[str, am.State], walk: list[Move], cache: int) -> int:
    forget_all()
    gc.collect()
    mach = am.Machine(None, struct, cache=cache)
    add, remove = mach.add, mach.remove
    begin = process_time_ns()
    for adding, states in walk:
        (add if adding else remove)(states)
    return process_time_ns() - begin


def configurations(steps: int = STEPS_FAR) -> int:
    """The number of different configurations in the walk."""
    struct = loose_struct()
    mach, met = am.Machine(None, struct), set()
    for adding, states in moves(struct, steps):
        (mach.add if adding else mach.remove)(states)
        met.add(tuple(mach.active_states()))
    return len(met)
