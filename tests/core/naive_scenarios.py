"""Recorded scenarios, played on the naive model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.core.naive import EXCEPTION, Failure, Handler, Naive

Scenario = dict[str, Any]

MUTATIONS = ("add", "remove", "set", "toggle", "add_err", "add_err_state")
LACKING = ("initial", "no_verify")  # what the model has no notion of


def is_playable(scenario: Scenario) -> bool:
    """Whether it has only mutations of known states, and handlers that take no time."""
    known = {*scenario["schema"], EXCEPTION}
    specs = scenario.get("handlers", [])
    called = [name for spec in specs for op in spec.get("mutates", []) for name in op[1]]
    return (
        not any(field in scenario for field in LACKING)
        and all(op["op"][0] in MUTATIONS and "raised" not in op for op in scenario["ops"])
        and not any("blocks_ms" in spec for spec in specs)
        and (known.issuperset(called) or not any("mutates" in spec for spec in specs))
    )


class NaivePlay:
    """One scenario on one model."""

    def __init__(self, scenario: Scenario, kind: type[Naive] = Naive) -> None:
        self.inner: list[list[Any]] = []
        self.model = kind(
            scenario["schema"],
            scenario["states"],
            tuple(self._handlers(scenario)),
            queue_limit=scenario.get("queue_limit", 1000),
            id=scenario["id"],
        )

    def _handlers(self, scenario: Scenario) -> Iterator[dict[str, Handler]]:
        specs = scenario.get("handlers", [])
        for binding in range(max([spec.get("binding", 0) for spec in specs] or [0]) + 1):
            found: dict[str, Handler] = {}
            if scenario.get("bind_all") and not binding:
                found = dict.fromkeys(every_name(scenario["states"]), lambda model, name: True)
            mine = [spec for spec in specs if spec.get("binding", 0) == binding]
            found |= {spec["handler"]: self._handler(spec) for spec in mine}
            if found:
                yield found

    def _handler(self, spec: dict[str, Any]) -> Handler:
        calls = [0]

        def handler(model: Naive, name: str) -> bool:
            calls[0] += 1
            if spec.get("observe"):
                self.inner.append([name, "observe", list(model.active)])
            if spec.get("times") and calls[0] > spec["times"]:
                return True
            for op in spec.get("mutates", []):
                self.inner.append([name, op, self._mutate(op)])
            if "panics" in spec:
                raise Failure(spec["panics"])
            return bool(spec.get("void") or spec.get("returns", True))

        return handler

    def _mutate(self, op: list[Any]) -> str:
        kind, states, *args = op
        if kind == "add_err":
            return self.model.add_err(states)
        if kind == "add_err_state":
            return self.model.add_err(args[0], states)
        has_source = kind.startswith("ev_")
        kind = kind.removeprefix("ev_")
        return self.model.mutate(kind, states, args=bool(args and args[0]), source=has_source)

    def run(self, op: list[Any]) -> dict[str, Any]:
        """Carry out one operation; all that came of it."""
        model = self.model
        model.events, model.txs, model.log, model.errors, self.inner = [], [], [], [], []
        told = {
            "op": op,
            "result": self._mutate(op),
            "active": list(model.active),
            "clock": [*model.ticks.values()],
            "queue": len(model.queue),
            "events": model.events,
            "txs": model.txs,
            "inner": self.inner,
            "fired": [],
            "log": model.log,
        }
        return {**told, "err": model.err} if model.errors else told


def every_name(states: list[str]) -> list[str]:
    """All handler names that are looked up."""
    names = [s + phase for s in states for phase in ("Enter", "Exit", "State", "End")]
    return [*names, *(a + b for a in states for b in states), "AnyEnter", "AnyState"]
