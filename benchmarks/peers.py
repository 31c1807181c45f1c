"""The same jobs with other Python state machine libraries.

The jobs: *toggle* switches between two states; *guarded* does the same with a guard that
agrees and a callback after each change; *ring* makes a step in a ring of thirty states; *check*
asks whether a state is active; *life* makes a machine of a ready definition, walks once around a
guarded ring of six states, and drops it. Times are CPU time, which other processes disturb less.
"""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Callable
from importlib.util import find_spec
from itertools import cycle
from time import process_time
from typing import Any

import machine as am

JOBS = ("toggle", "guarded", "ring", "check", "life")
RING, LIFE = 30, 6
"""States of the ring, and of the ring of a short life."""

Job = tuple[Callable[[], object], Callable[[], object]]
"""Two functions: one makes a step, one asks for a state."""

Make = Callable[[], Job]
"""Makes a machine of a definition that is ready."""


def _yes(*_args: Any, **_kwargs: Any) -> bool:
    return True


def _names(count: int) -> list[str]:
    return [f"s{number}" for number in range(count)]


def asyncmachine(count: int, guarded: bool) -> Make:
    """Ours: states that remove each other, an Enter and a State handler as guard and callback."""
    names = [name.upper() for name in _names(count)]
    struct = {name: am.State(remove=[other for other in names if other != name]) for name in names}
    handlers = type(
        "Handlers", (), {n + phase: _yes for n in names for phase in ("Enter", "State")}
    )

    def make() -> Job:
        mach = am.Machine(None, struct)
        if guarded:
            mach.bind_handlers(handlers())
        mach.add1(names[0])
        add, following = mach.add1, cycle([*names[1:], names[0]]).__next__
        return (lambda: add(following())), (lambda: mach.is1("S0"))

    return make


def transitions(count: int, guarded: bool) -> Make:
    """The library transitions; one machine serves all models."""
    from transitions import Machine

    class Model:
        next: Callable[[], object]
        is_s0: Callable[[], object]

    extra: dict[str, Any] = {"conditions": _yes, "after": _yes} if guarded else {}
    names = _names(count)
    machine: Any = Machine(
        model=None,
        states=names,
        initial="s0",
        auto_transitions=False,
        transitions=[
            {"trigger": "next", "source": name, "dest": names[(at + 1) % count], **extra}
            for at, name in enumerate(names)
        ],
    )

    def make() -> Job:
        machine.remove_model(list(machine.models))
        model = Model()
        machine.add_model(model)
        return model.next, model.is_s0

    return make


def python_statemachine(count: int, guarded: bool) -> Make:
    """The library python-statemachine."""
    from statemachine import State, StateChart

    names = _names(count)
    states = {name: State(initial=name == "s0") for name in names}
    extra = {"cond": "yes", "after": "done"} if guarded else {}
    event: Any = None
    for at, name in enumerate(names):
        way = states[name].to(states[names[(at + 1) % count]], **extra)
        event = way if event is None else event | way
    body = {**states, "next": event, "yes": _yes, "done": _yes}
    kind: Any = type("Chart", (StateChart,), body)

    def make() -> Job:
        chart = kind()

        def step() -> object:
            """Call the trigger in a function: it is a kind of text, which `timeit` would run."""
            return chart.next()

        return step, lambda: chart.s0.is_active

    return make


def xstate_statemachine(count: int, guarded: bool) -> Make:
    """The library xstate-statemachine."""
    from xstate_statemachine import MachineLogic, SyncInterpreter, create_machine

    names = _names(count)
    states = {}
    for at, name in enumerate(names):
        target = names[(at + 1) % count]
        way: Any = {"target": target, "guard": "yes", "actions": ["done"]} if guarded else target
        states[name] = {"on": {"NEXT": way}}
    logic = MachineLogic(guards={"yes": _yes}, actions={"done": _yes}) if guarded else None
    config = {"id": "m", "initial": "s0", "states": states}
    machine = create_machine(config, logic=logic or MachineLogic())

    def make() -> Job:
        interpreter = SyncInterpreter(machine).start()
        return (lambda: interpreter.send("NEXT")), (lambda: interpreter.matches("m.s0"))

    return make


def pysm(count: int, guarded: bool) -> Make:
    """The library pysm; its states belong to one machine."""
    from pysm import Event, State, StateMachine

    extra = {"condition": _yes, "after": _yes} if guarded else {}

    def make() -> Job:
        mach = StateMachine("m")
        states = [State(name) for name in _names(count)]
        for at, state in enumerate(states):
            mach.add_state(state, initial=at == 0)
        for at, state in enumerate(states):
            mach.add_transition(state, states[(at + 1) % count], events=["next"], **extra)
        mach.initialize()
        return (lambda: mach.dispatch(Event("next"))), (lambda: mach.state is states[0])

    return make


def fysom(count: int, guarded: bool) -> Make:
    """The library fysom."""
    from fysom import Fysom

    names = _names(count)
    events = [("next", name, names[(at + 1) % count]) for at, name in enumerate(names)]
    config: dict[str, Any] = {"initial": "s0", "events": events}
    if guarded:
        config["callbacks"] = {"onbeforenext": _yes, "onafternext": _yes}

    def make() -> Job:
        mach: Any = Fysom(config)
        return mach.next, lambda: mach.isstate("s0")

    return make


LIBRARIES: dict[str, tuple[str, Callable[[int, bool], Make]]] = {
    "asyncmachine": ("machine", asyncmachine),
    "pysm": ("pysm", pysm),
    "transitions": ("transitions", transitions),
    "fysom": ("fysom", fysom),
    "xstate-statemachine": ("xstate_statemachine", xstate_statemachine),
    "python-statemachine": ("statemachine", python_statemachine),
}


def missing() -> list[str]:
    """The libraries that are not installed."""
    return [name for name, (module, _) in LIBRARIES.items() if find_spec(module) is None]


def measure(runs: int) -> dict[str, dict[str, float]]:
    """Median CPU nanoseconds by library and job, those that are installed."""
    gone = missing()
    return {
        name: _jobs(define, runs) for name, (_, define) in LIBRARIES.items() if name not in gone
    }


def _jobs(define: Callable[[int, bool], Make], runs: int) -> dict[str, float]:
    step, check = define(2, False)()
    return {
        "toggle": _median(step, runs),
        "guarded": _median(define(2, True)()[0], runs),
        "ring": _median(define(RING, False)()[0], runs),
        "check": _median(check, runs),
        "life": _median(live_with(define(LIFE, True)), runs),
    }


def live_with(make: Make) -> Callable[[], object]:
    """A function that makes a machine and walks once around its ring."""

    def live() -> None:
        step, _ = make()
        for _ in range(LIFE):
            step()

    return live


def _median(call: Callable[[], object], runs: int) -> float:
    timer = timeit.Timer(call, timer=process_time)
    number = max(1, timer.autorange()[0] // 4)
    return statistics.median(timer.repeat(runs, number)) / number * 1e9
