"""The recorded behaviour of the reference, and what the rules give where they differ.

Each scenario is a schema, handlers and operations with everything that must come of them:
results, clocks, tracer events, transitions with steps, log lines, errors, released
waiters. All of it is compared for equality. A scenario with `codes` holds values derived
from the rules; the others are as recorded. `deviations.json` lists what the rules about auto
states and duplicates (AUTO-REFUSED, AUTO-FAILED, DUPLICATE) changed of these values: the
values before and after, which the naive model derives from the rules.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import machine as am
from tests.core.naive_scenarios import NaivePlay, is_playable

DATA = Path(__file__).parents[1] / "data"
STEP_NAMES = {
    am.StepType.HANDLER: "handler",
    am.StepType.SET: "set",
    am.StepType.REMOVE: "remove",
    am.StepType.REMOVE_NOT_ACTIVE: "removenotactive",
    am.StepType.REQUESTED: "requested",
    am.StepType.CANCEL: "cancel",
}
CHECKS = ("is", "not", "any", "any1", "has", "tick", "time", "is_time", "is_clock", "is_err")
TEXTS = ("switch", "string", "string_all", "inspect")
WAITS = ("when", "when_not", "when_time", "when_ticks", "when_args", "when_err", "state_ctx")


def load(name: str) -> list[dict[str, Any]]:
    """One JSON object a line, compressed."""
    return [json.loads(line) for line in lzma.open(DATA / name, "rt", encoding="utf-8")]


SCENARIOS = load("conformance.jsonl.xz")
DEVIATIONS = json.loads((DATA / "deviations.json").read_text("utf-8"))
DIGEST = "0f18c38a56af3a564040777d35aab68c656ca827c377104875c4cc86adc3a0ae"
"""Of all scenarios with the values that `deviations.json` calls old."""
VECTORS = load("vectors.jsonl.xz")


def struct_of(schema: dict[str, Any]) -> dict[str, am.State]:
    return {name: am.State(**fields) for name, fields in schema.items()}


class Watcher(am.Tracer):
    """Notes every event and every transition that ended."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.txs: list[dict[str, Any]] = []
        self.numbers: dict[str, int] = {}

    def inheritable(self) -> bool:
        return True

    def machine_init(self, machine: am.Machine) -> None:
        self.events.append("MachineInit")

    def new_submachine(self, parent: am.Machine, machine: am.Machine) -> None:
        self.events.append(f"NewSubmachine:{machine.id}")

    def verify_states(self, machine: am.Machine) -> None:
        self.events.append("VerifyStates")

    def struct_change(self, machine: am.Machine, old_struct: object) -> None:
        self.events.append("StructChange")

    def transition_init(self, tx: am.Transition) -> None:
        self.events.append("TransitionInit")

    def transition_start(self, tx: am.Transition) -> None:
        self.events.append("TransitionStart")

    def handler_start(self, tx: am.Transition, emitter: str, handler: str) -> None:
        self.events.append(f"HandlerStart:{handler}")

    def handler_end(self, tx: am.Transition, emitter: str, handler: str) -> None:
        self.events.append(f"HandlerEnd:{handler}")

    def transition_end(self, tx: am.Transition) -> None:
        self.events.append("TransitionEnd")
        self.numbers[tx.id] = len(self.numbers)
        told = {
            "type": str(tx.type()),
            "called": tx.called_states(),
            "auto": tx.is_auto(),
            "accepted": tx.accepted,
            "after": list(tx.time_after),
            "target": tx.target_states(),
            "exits": tx.exits,
            "enters": tx.enters,
            "steps": [step_text(step) for step in tx.steps],
            "queue": tx.queue_len,
        }
        if tx.mutation.source is not None:
            told["source"] = self.numbers[tx.mutation.source.tx_id]
        self.txs.append({**EMPTY_TX, **told})

    def queue_end(self, machine: am.Machine) -> None:
        self.events.append("QueueEnd")

    def machine_dispose(self, machine_id: str) -> None:
        self.events.append("MachineDispose")


def step_text(step: am.Step) -> str:
    name = f"rel.{step.rel_type}" if step.rel_type is not None else STEP_NAMES[step.type]
    flags = [
        text
        for flag, text in (
            (step.is_final, ".final"),
            (step.is_enter, ".enter"),
            (step.is_self, ".self"),
        )
        if flag
    ]
    return f"{name}{''.join(flags)} {step.from_state}>{step.to_state}"


class Play:
    """One scenario on one machine."""

    def __init__(self, scenario: dict[str, Any], cache: int) -> None:
        self.scenario = scenario
        self.watcher = Watcher()
        self.inner: list[list[Any]] = []
        self.lines: list[list[Any]] = []
        self.waits: list[Any] = []
        self.fired: set[int] = set()
        self.mach = self._machine(cache)
        self.names = scenario["states"]

    def _machine(self, cache: int) -> am.Machine:
        scenario = self.scenario
        mach = am.Machine(
            None,
            struct_of(scenario["schema"]),
            id=scenario["id"],
            cache=cache,
            tracers=[self.watcher],
            log_id=False,
            log_stack_trace=False,
            handler_timeout=scenario.get("handler_timeout_ms", 60_000) / 1000,
            queue_limit=scenario.get("queue_limit", 1000),
        )
        if not scenario.get("no_verify"):
            mach.verify_states(scenario["states"])
        names = scenario["states"]
        if scenario.get("initial"):
            mach.import_(
                am.Serialized(mach.id, [scenario["initial"].get(n, 0) for n in names], names),
                forbidden="accept",
            )
        for handlers in self._handlers():
            mach.bind_handlers(handlers)
        mach.set_logger(lambda level, msg, *args: self.lines.append([int(level), msg % args]))
        if scenario.get("log"):
            mach.set_log_level(am.LogLevel.DECISIONS)
        return mach

    def _handlers(self) -> Iterator[dict[str, Any]]:
        specs = self.scenario.get("handlers", [])
        every = every_name(self.scenario["states"]) if self.scenario.get("bind_all") else []
        for binding in range(max([spec.get("binding", 0) for spec in specs] or [0]) + 1):
            found = {name: (lambda e: True) for name in every if binding == 0}
            for spec in specs:
                if spec.get("binding", 0) == binding:
                    found[spec["handler"]] = self._handler(spec)
            if found:
                yield found

    def _handler(self, spec: dict[str, Any]) -> Any:
        calls = [0]

        def handler(event: am.Event) -> object:
            calls[0] += 1
            if spec.get("observe"):
                self.inner.append([spec["handler"], "observe", self.mach.active_states()])
            if spec.get("times") and calls[0] > spec["times"]:
                return True
            for op in spec.get("mutates", []):
                result = self.mutate(op, event)
                self.inner.append([spec["handler"], op, str(result)])
            if spec.get("blocks_ms"):
                time.sleep(spec["blocks_ms"] / 1000)
            if "panics" in spec:
                raise RuntimeError(spec["panics"])
            return None if spec.get("void") else spec.get("returns", True)

        return handler

    def mutate(self, op: list[Any], event: am.Event | None = None) -> am.Result:
        kind, mach, args = op[0], self.mach, (op[2] if len(op) > 2 else None)
        if kind == "add_err":
            return mach.add_err(RuntimeError(op[1]), args)
        if kind == "add_err_state":
            return mach.add_err_state(op[1], RuntimeError(op[2]))
        if kind == "ev_add":
            return mach.ev_add(event, op[1], args)
        if kind == "ev_remove":
            return mach.ev_remove(event, op[1], args)
        return getattr(mach, kind)(op[1], args)

    def run(self, op: list[Any]) -> dict[str, Any]:
        """Carry out one operation and return all its effects."""
        err = self.mach.err
        self.watcher.events, self.watcher.txs = [], []
        self.inner, self.lines = [], []
        told = self._carry_out(op)
        told["op"] = op
        told["active"] = self.mach.active_states()
        told["clock"] = list(self.mach.time())
        if self.mach.err is not err:
            told["err"] = str(self.mach.err)
        told["queue"] = self.mach.queue_len()
        told["events"] = list(self.watcher.events)
        told["txs"] = self.watcher.txs
        told["inner"] = self.inner
        told["fired"] = self._newly_fired()
        told["log"] = [[lvl, re.sub(r"/[0-9a-f]{32}/", "/<tx>/", t)] for lvl, t in self.lines]
        return told

    def _newly_fired(self) -> list[int]:
        now = {n for n, wait in enumerate(self.waits) if wait is not None and wait.done}
        new = sorted(now - self.fired)
        self.fired |= now
        return new

    def _carry_out(self, op: list[Any]) -> dict[str, Any]:
        kind, mach = op[0], self.mach
        try:
            if kind in CHECKS or kind in TEXTS:
                return {"value": self._check(op)}
            if kind in WAITS:
                self.waits.append(None)
                self.waits[-1] = self._wait(op)
                return {"result": "sub", "value": len(self.waits) - 1}
            if kind in ("set_struct", "verify_states", "new_submachine", "dispose"):
                return self._lifecycle(op)
            return {"result": str(self.mutate(op))}
        except (am.errors.StateMissingError, ValueError) as error:
            return {"raised": OURS.get(str(error), str(error))}
        finally:
            assert mach.transition() is None

    def _check(self, op: list[Any]) -> Any:
        kind, mach = op[0], self.mach
        if kind in ("is", "not"):
            return getattr(mach, f"{kind}_")(op[1])
        if kind in ("any", "any1", "switch"):
            return getattr(mach, kind)(*op[1])
        if kind == "time":
            return list(mach.time(op[1]))
        if kind == "is_time":
            return mach.is_time(op[2], op[1])
        return getattr(mach, kind)(*op[1:])

    def _wait(self, op: list[Any]) -> Any:
        if op[0] == "state_ctx":
            return self.mach.new_state_ctx(op[1])
        return getattr(self.mach, op[0])(*op[1:])

    def _lifecycle(self, op: list[Any]) -> dict[str, Any]:
        kind, mach = op[0], self.mach
        try:
            if kind == "set_struct":
                mach.set_struct(struct_of(op[1]), op[2])
            elif kind == "verify_states":
                mach.verify_states(op[1])
            elif kind == "new_submachine":
                am.Machine(None, {}, id=op[1], parent=mach)
            else:
                mach.dispose()
                assert mach.when_disposed().wait(5)
        except am.errors.MachineError as error:
            return {"result": "error", "value": OURS.get(error.detail, error.detail)}
        return {"result": "ok"}


def every_name(states: list[str]) -> list[str]:
    names = [s + phase for s in states for phase in ("Enter", "Exit", "State", "End")]
    names += [f"Any{s}" for s in states] + [f"{s}Any" for s in states]
    names += [a + b for a in states for b in states]
    return [*names, "AnyEnter", "AnyState", "AnyExit", "AnyEnd", "AnyAny"]


OURS = {
    "states and times must have the same length in when_time (A)": (
        "whenTime: states and times must have the same length (A)"
    ),
    "trying to verify more states than registered: Exception": (
        "error: trying to verify more states than registered: Exception"
    ),
}
"""Errors whose text names our calls: what the recordings have in their place."""

EMPTY_TX: dict[str, Any] = {
    "auto": False,
    "called": [],
    "target": [],
    "exits": [],
    "enters": [],
    "steps": [],
    "queue": 0,
    "source": None,
}
EMPTY: dict[str, Any] = {
    "active": [],
    "clock": [],
    "queue": 0,
    "events": [],
    "txs": [],
    "inner": [],
    "fired": [],
}


@pytest.mark.parametrize("cache", [am.NODES_MAX, 0], ids=["cached", "uncached"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s["id"])
def test_a_recorded_scenario_comes_out_equal_in_every_field(
    scenario: dict[str, Any], cache: int
) -> None:
    """Same schema, same handlers, same operations: same everything."""
    play = Play(scenario, cache)
    assert play.watcher.events == scenario["init_events"]
    compare(scenario, play)


@pytest.mark.parametrize(
    "scenario", [s for s in SCENARIOS if is_playable(s)], ids=lambda s: s["id"]
)
def test_the_naive_model_comes_to_the_same(scenario: dict[str, Any]) -> None:
    """It shares no code with the machine, so the rules are written down twice."""
    compare(scenario, NaivePlay(scenario))


def compare(scenario: dict[str, Any], play: Play | NaivePlay) -> None:
    """Carry out all operations; each comes to what the scenario says."""
    for number, expected in enumerate(scenario["ops"]):
        told = play.run(expected["op"])
        whole = {**EMPTY, **({"log": []} if scenario.get("log") else {}), **expected}
        whole["txs"] = [{**EMPTY_TX, **tx} for tx in whole["txs"]]
        if not scenario.get("log"):
            told.pop("log")
        assert told == whole, f"operation {number}: {expected['op']}"


@pytest.mark.parametrize("vector", VECTORS, ids=[f"vector-{n}" for n in range(len(VECTORS))])
@pytest.mark.parametrize("cache", [am.NODES_MAX, 0], ids=["cached", "uncached"])
def test_a_random_vector_comes_out_equal_in_every_step(vector: dict[str, Any], cache: int) -> None:
    """Results, order of active states, ticks and the order of all handler calls."""
    calls: list[str] = []
    states = [name for name in vector["order"] if name != "Exception"]
    names = [s + phase for s in states for phase in ("Enter", "Exit", "State", "End")]
    names += [a + b for a in states for b in states] + ["AnyEnter", "AnyState"]

    def handler(event: am.Event) -> bool:
        calls.append(event.name)
        return event.name not in vector["deny"]

    mach = am.Machine(None, struct_of(vector["states"]), cache=cache, handler_timeout=None)
    mach.verify_states(vector["order"])
    mach.bind_handlers(dict.fromkeys(names, handler))
    for step in vector["steps"]:
        calls.clear()
        result = getattr(mach, step["type"])(step["states"])
        assert str(result) == step["result"]
        assert mach.active_states() == step["active"]
        assert list(mach.time()) == step["ticks"]
        assert calls == step["calls"]


def test_every_scenario_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    """None is left out: 352 recorded, 132 derived, 375 vectors."""
    codes = Counter(code for s in SCENARIOS for code in s.get("codes", []))
    derived = sum("codes" in s for s in SCENARIOS)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(SCENARIOS) - derived} recorded, {derived} derived, {dict(codes)}\n"
        )
    assert (len(SCENARIOS) - derived, derived, len(VECTORS)) == (352, 132, 375)


def test_only_what_is_listed_was_changed_by_the_rules_of_autos_and_duplicates() -> None:
    """With the old values in place of the new ones the scenarios are those from before."""
    before = "\n".join(canonical(as_before(scenario)) for scenario in SCENARIOS)

    assert hashlib.sha256(before.encode()).hexdigest() == DIGEST
    assert len(DEVIATIONS) == 29


def as_before(scenario: dict[str, Any]) -> dict[str, Any]:
    """A scenario as it was before these rules."""
    listed = DEVIATIONS.get(scenario["id"])
    if listed is None:
        return scenario
    ops = [dict(op) for op in scenario["ops"]]
    for change in listed["changes"]:
        put_back(ops[change["op"]], **change)
    old = {**scenario, "ops": ops, "codes": listed["codes_before"]}
    return {key: value for key, value in old.items() if key != "codes" or value}


def put_back(told: dict[str, Any], *, field: str, old: Any, new: Any, **place: int) -> None:
    """Replace a new value by the old one; of a list, the part that begins at `at`."""
    now = told.get(field)
    if "at" in place:
        at = place["at"]
        assert now[at : at + len(new)] == new
        old = [*now[:at], *old, *now[at + len(new) :]]
    else:
        assert now == new
    told[field] = old
    if old is None:
        del told[field]


def canonical(scenario: dict[str, Any]) -> str:
    return json.dumps(scenario, sort_keys=True, separators=(",", ":"))


def test_every_listed_scenario_has_the_code_of_its_rule() -> None:
    """AUTO-REFUSED, AUTO-FAILED and DUPLICATE say which rule changed a scenario."""
    codes = {s["id"]: s["codes"] for s in SCENARIOS if s["id"] in DEVIATIONS}

    for name, listed in DEVIATIONS.items():
        assert listed["codes"], name
        assert {*listed["codes"]} <= {"AUTO-REFUSED", "AUTO-FAILED", "DUPLICATE"}
        assert {*listed["codes"]} <= {*codes[name]}
    marked = {s["id"] for s in SCENARIOS if {"AUTO-REFUSED", "DUPLICATE"} & {*s.get("codes", [])}}
    assert marked <= {*DEVIATIONS}
