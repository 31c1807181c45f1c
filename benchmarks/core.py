"""Time per unit of the library's workloads.

Each run repeats a workload's body for about `RUN_NS` and divides the time by the units. The
figures are the median, the fastest and the slowest run, and the CPU time of the median run.
With `cold`, every run is the first pass over an unknown schema.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter_ns, process_time_ns

import machine as am
from benchmarks.workloads import ALONE, REFERENCE_NS, Step, Workload, check, load
from machine._schema import sharing as _schema

RUN_NS = 120_000_000
COLD = ("mixed30", "mixed100")


@dataclass(frozen=True, slots=True)
class Figures:
    """Nanoseconds per unit of one workload, over several runs."""

    median: float
    fastest: float
    slowest: float
    cpu: float


def measure(name: str, runs: int, *, cache: int = am.NODES_MAX, cold: bool = False) -> Figures:
    """Check a workload's outcome, then time it."""
    workload = load(name)
    check(workload, cache)
    gc.collect()
    if cold:
        return _figures([_first_pass(workload, cache) for _ in range(runs)])
    if workload.fresh:
        return _figures([_fresh_pass(workload, cache) for _ in range(runs)])
    steps = workload.steps(workload.machine(cache))
    repeat = _repeats(steps)
    return _figures([_run(steps, repeat, workload.divide) for _ in range(runs)])


def _figures(runs: Sequence[tuple[float, float]]) -> Figures:
    wall = [run[0] for run in runs]
    cpu = statistics.median(run[1] for run in runs)
    return Figures(statistics.median(wall), min(wall), max(wall), cpu)


def _repeats(steps: Sequence[Step]) -> int:
    """The number of passes in one run; counting them also warms up."""
    passes = 0
    begin = perf_counter_ns()
    while (elapsed := perf_counter_ns() - begin) < RUN_NS // 4:
        for call, args in steps:
            call(*args)
        passes += 1
    return max(1, passes * RUN_NS // max(elapsed, 1))


def _run(steps: Sequence[Step], repeat: int, divide: int) -> tuple[float, float]:
    loop = _one_argument if all(len(args) == 1 for _, args in steps) else _any_arguments
    cpu, begin = process_time_ns(), perf_counter_ns()
    loop(steps, repeat)
    wall = perf_counter_ns() - begin
    units = repeat * divide
    return wall / units, (process_time_ns() - cpu) / units


def _one_argument(steps: Sequence[Step], repeat: int) -> None:
    """Make the calls as a program does; unpacking a tuple of arguments takes longer."""
    calls = [(call, args[0]) for call, args in steps]
    if len(calls) == 1:
        call, arg = calls[0]
        for _ in range(repeat):
            call(arg)
    else:
        for _ in range(repeat):
            for call, arg in calls:
                call(arg)


def _any_arguments(steps: Sequence[Step], repeat: int) -> None:
    for _ in range(repeat):
        for call, args in steps:
            call(*args)


def _first_pass(workload: Workload, cache: int) -> tuple[float, float]:
    _schema.forget_all()
    return _fresh_pass(workload, cache)


def _fresh_pass(workload: Workload, cache: int) -> tuple[float, float]:
    steps = workload.steps(workload.machine(cache))
    return _run(steps, 1, workload.divide)


def names(*, cold: bool = False) -> list[str]:
    """The workloads, in the order of the table."""
    return list(COLD) if cold else [*REFERENCE_NS, *ALONE]
