"""The workloads: a schema, handlers, tracers, and operations to repeat.

Each workload is one JSON file. `body` is one timed iteration, `divide` is the number of its
units. The states carry over between iterations. `expect.json` holds the result of the first pass
over the mixed workloads, which is checked before anything is timed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine as am
from benchmarks.programs import PROGRAMS

FOLDER = Path(__file__).parent / "workloads"
EXPECTED = "expect"
CHECK_EVERY = 100

Step = tuple[Callable[..., Any], tuple[Any, ...]]

REFERENCE_NS = {
    "toggle": 3_468,
    "toggle-tracer": 3_560,
    "toggle-handlers": 10_481,
    "toggle-args": 3_468,
    "multi": 3_856,
    "readme": 12_804,
    "readme-handlers": 25_293,
    "mixed30": 28_650,
    "mixed30-tracer": 26_964,
    "mixed30-handlers": 82_311,
    "mixed100": 102_030,
    "when1": 8_324,
    "new30": 71_420,
    "check-is1": 89,
    "check-is3": 89,
    "check-not1": 97,
    "check-any1": 212,
    "check-tick": 28,
}
"""Nanoseconds of asyncmachine-go v0.19.1 for one unit, on two cores of the same kind.

`toggle-args` is a toggle while a waiter waits for arguments of another state; it is compared
with the toggle alone.
"""

ALONE = (
    "toggle-ended",
    "toggle-changes",
    "toggle-everything",
    "life",
    "bind30",
    "schemas200",
    "piped500",
)
"""Workloads that were not measured with the reference."""


class Idle(am.Tracer):
    """A tracer that overrides every hook and does nothing."""

    def transition_init(self, tx: am.Transition) -> None:
        """Do nothing."""

    def transition_start(self, tx: am.Transition) -> None:
        """Do nothing."""

    def handler_start(self, tx: am.Transition, emitter: str, handler: str) -> None:
        """Do nothing."""

    def handler_end(self, tx: am.Transition, emitter: str, handler: str) -> None:
        """Do nothing."""

    def transition_end(self, tx: am.Transition) -> None:
        """Do nothing."""

    def queue_end(self, machine: am.Machine) -> None:
        """Do nothing."""


class Ended(am.Tracer):
    """A tracer that overrides one hook."""

    def transition_end(self, tx: am.Transition) -> None:
        """Do nothing."""


def _released(_handle: am.WaitHandle) -> None:
    """Do nothing; the handle is never released."""


def _accept(_handlers: object, _event: am.Event) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Workload:
    """One workload with its parsed schema."""

    name: str
    unit: str
    divide: int
    struct: dict[str, am.State]
    order: list[str]
    handlers: list[str]
    tracers: int
    setup: list[list[Any]]
    body: list[list[Any]]
    log_level: str = "NOTHING"
    ended: int = 0
    """Tracers of the end of transitions only."""
    fresh: bool = False
    """Each run is the first pass of what was prepared for it."""

    def machine(self, cache: int = am.NODES_MAX) -> am.Machine:
        """A machine with the order, handlers, tracers and set-up of this workload."""
        mach = am.Machine(None, self.struct, cache=cache)
        mach.verify_states(self.order)
        if self.handlers:
            mach.bind_handlers(type("Handlers", (), dict.fromkeys(self.handlers, _accept))())
        for _ in range(self.tracers):
            mach.bind_tracer(Idle())
        for _ in range(self.ended):
            mach.bind_tracer(Ended())
        mach.set_logger_empty(am.LogLevel[self.log_level])
        for call, args in self.steps(mach, self.setup):
            made = call(*args)
            if isinstance(made, am.WaitHandle):
                made.add_done_callback(_released)  # who waits for it keeps it
        return mach

    def steps(self, mach: am.Machine, operations: list[list[Any]] | None = None) -> list[Step]:
        """The operations as calls."""
        return [self._step(mach, *op) for op in (self.body if operations is None else operations)]

    def _step(self, mach: am.Machine, kind: str, *given: Any) -> Step:
        if kind == "new":
            return am.Machine, (None, self.struct)
        if kind == "program":
            return PROGRAMS[given[0]](), ()
        states = given[0]
        one = isinstance(states, list) and len(states) == 1
        if kind in ("add", "remove", "is", "not", "when") and one:
            return getattr(mach, f"{kind}1"), (states[0],)
        if kind == "any1":
            return mach.any1, tuple(states)
        if kind == "when_args":
            return mach.when_args, given
        return getattr(mach, {"is": "is_", "not": "not_"}.get(kind, kind)), (states,)


def load(name: str) -> Workload:
    """Read one workload."""
    loaded = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    struct = {state: am.State(**fields) for state, fields in loaded["schema"].items()}
    return Workload(
        name,
        loaded["unit"],
        loaded["divide"],
        struct,
        loaded["states"],
        loaded["handlers"],
        loaded["tracers"],
        loaded["setup"],
        loaded["body"],
        loaded.get("log_level", "NOTHING"),
        loaded.get("ended", 0),
        loaded.get("fresh", False),
    )


class WrongOutcomeError(AssertionError):
    """The result of a workload is wrong, so its time would have no meaning."""


def check(workload: Workload, cache: int) -> None:
    """Run one pass and compare the result with the expected one."""
    if workload.unit == "machine":
        return
    expected = json.loads((FOLDER / f"{EXPECTED}.json").read_text(encoding="utf-8"))
    mach = workload.machine(cache)
    results: Counter[str] = Counter()
    moments: list[tuple[list[int], list[str]]] = []
    waits: list[am.WaitHandle] = []
    for number, (call, args) in enumerate(workload.steps(mach), 1):
        outcome = call(*args)
        if isinstance(outcome, am.Result):
            results[str(outcome)] += 1
        elif isinstance(outcome, am.WaitHandle):
            waits.append(outcome)
        if number % CHECK_EVERY == 0:
            moments.append((list(mach.time()), sorted(mach.active_states())))
    _compare(workload.name, "a waiter is released", all(waits), True)
    want = expected.get(workload.name.removesuffix("-tracer").removesuffix("-handlers"))
    if want is None:
        _compare(workload.name, "no mutation is canceled", results["canceled"], 0)
        return
    _compare(workload.name, "results", dict(results), want["results"])
    _compare(workload.name, "ticks", mach.time_sum(), want["tick_sum"])
    _compare(workload.name, "clocks", [m[0] for m in moments], want["clock_every_100"])
    active: Sequence[list[str]] = want["active_sorted_every_100"]
    _compare(workload.name, "active states", [m[1] for m in moments], active)


def _compare(workload: str, what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise WrongOutcomeError(f"{workload}: {what}: {found!r:.200}, expected {wanted!r:.200}")
