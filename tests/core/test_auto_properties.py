"""Refused and failing auto states, and skipped duplicates, in random schemas."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import machine as am
from tests.core.naive import Failure, Handler, Naive, Wanted
from tests.core.naive_scenarios import every_name

NAMES = ["A", "B", "C", "D", "E", "F"]
CALLS_MAX = 4_000

Call = tuple[str, list[str]]
Struct = dict[str, am.State]


class Endless(BaseException):
    """Too many handlers were called for a drain that ends."""


def some(names: Iterable[str], most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(list(names)), max_size=most, unique=True)


states = st.builds(
    am.State,
    auto=st.sampled_from([False, True]),
    multi=st.sampled_from([False, False, False, True]),
    require=st.one_of(st.just([]), some(NAMES, 1)),
    add=st.one_of(st.just([]), some(NAMES, 2)),
    remove=some(NAMES, 2),
)
structs = st.fixed_dictionaries(dict.fromkeys(NAMES, states))
calls = st.tuples(st.sampled_from(["add", "add", "set", "remove"]), some(NAMES, 2))
runs = st.lists(calls, min_size=1, max_size=5)
OTHERS = [one + phase for one in NAMES for phase in ("Exit", "State", "End")]
OTHERS += [one + other for one in NAMES for other in NAMES] + ["AnyEnter", "AnyState"]
enters = some([f"{name}Enter" for name in NAMES], 3)
names = st.lists(
    st.sampled_from([*(f"{name}Enter" for name in NAMES), *OTHERS]), max_size=4, unique=True
)


@pytest.fixture(autouse=True)
def _only_errors(caplog: pytest.LogCaptureFixture) -> None:
    """Random schemas have long chains and undefined targets; which other tests are about."""
    caplog.set_level("CRITICAL", "asyncmachine")


def bind(
    mach: am.Machine, deny: list[str], fail: list[str], report: list[str] | None = None
) -> list[str]:
    """Bind every handler: some deny, raise or report an error each time; those called."""
    called: list[str] = []

    def handler(event: am.Event) -> bool:
        called.append(event.name)
        if len(called) > CALLS_MAX:
            raise Endless
        if event.name in (report or ()):
            event.machine.add_err(RuntimeError(event.name))
        if event.name in fail:
            raise RuntimeError(event.name)
        return event.name not in deny

    mach.bind_handlers(dict.fromkeys(every_name(mach.state_names()), handler))
    return called


def model_with(
    struct: Struct, deny: list[str], fail: list[str], report: list[str] | None = None
) -> tuple[Naive, list[str]]:
    """A naive model with the same handlers."""
    called: list[str] = []

    def handler(model: Naive, name: str) -> bool:
        called.append(name)
        if name in (report or ()):
            model.add_err(name)
        if name in fail:
            raise Failure(name)
        return name not in deny

    handlers: dict[str, Handler] = dict.fromkeys(every_name([*struct, am.EXCEPTION]), handler)
    return Naive(struct, None, (handlers,)), called


def mutate(mach: am.Machine, call: Call) -> am.Result:
    kind, states = call
    result = getattr(mach, kind)(states)
    assert isinstance(result, am.Result)
    return result


@pytest.mark.slow
@given(structs, runs, names, names, names)
@settings(max_examples=200)
def test_machine_and_model_agree_whatever_handlers_do(
    struct: Struct, run: list[Call], deny: list[str], fail: list[str], report: list[str]
) -> None:
    """Results, the order of all handler calls, active states, ticks and errors."""
    for cache in (am.NODES_MAX, 0):
        model, expected = model_with(struct, deny, fail, report)
        mach = am.Machine(None, struct, cache=cache, log_stack_trace=False)
        called = bind(mach, deny, fail, report)
        for call in run:
            assert str(mutate(mach, call)) == model.mutate(*call)
            assert called == expected
            assert mach.active_states() == model.active
            assert mach.clock() == model.ticks
            assert str(mach.err or "") == model.err


@pytest.mark.slow
@given(structs, runs, names, names)
@settings(max_examples=30)
def test_a_thread_for_handlers_changes_nothing(
    struct: Struct, run: list[Call], deny: list[str], fail: list[str]
) -> None:
    """Refusals and failures come to the same in whatever thread handlers run."""
    model, expected = model_with(struct, deny, fail)
    with am.Machine(None, struct, handler_runner="thread", log_stack_trace=False) as mach:
        called = bind(mach, deny, fail)
        for call in run:
            mutate(mach, call)
            model.mutate(*call)

        assert called == expected
        assert mach.clock() == model.ticks


class Autos(am.Tracer):
    """The auto transitions, and the handlers called in each."""

    def __init__(self) -> None:
        self.seen: list[tuple[am.Transition, list[str]]] = []

    def transition_start(self, tx: am.Transition) -> None:
        if tx.is_auto():
            self.seen.append((tx, []))

    def handler_start(self, tx: am.Transition, emitter: str, handler: str) -> None:
        if tx.is_auto():
            self.seen[-1][1].append(handler)


def refused_in(tx: am.Transition) -> set[str]:
    """The states that were refused in an auto transition."""
    denied = {step.to_state for step in tx.handler_steps if step.denied}
    return (denied & {*NAMES}) - {*tx.states_before()}


def without(struct: Struct, tx: am.Transition, refused: set[str], active: list[str]) -> Naive:
    """The model after the same auto mutation, had nobody ever asked for the refused states."""
    model = Naive(struct)
    model.active, model.ticks, model.held = active, dict(tx.clock_before()), set(refused)
    called = [name for name in tx.called_states() if name not in refused]
    model.carry_out(Wanted("add", called, auto=True))
    return model


@pytest.mark.slow
@given(structs, runs, st.one_of(enters, names))
@settings(max_examples=250)
def test_an_auto_transition_comes_to_what_it_would_without_the_refused(
    struct: Struct, run: list[Call], deny: list[str]
) -> None:
    """Same targets and ticks; and no handler is asked twice, and no End of what stays runs."""
    autos = Autos()
    mach = am.Machine(None, struct, tracers=[autos])
    bind(mach, deny, [])
    for call in run:
        mutate(mach, call)
        for tx, called in autos.seen:
            assert len(called) == len({*called})
            ended = {name.removesuffix("End") for name in called if name.endswith("End")}
            assert ended <= {*tx.exits}
            if tx.accepted:
                active = [mach.state_names()[index] for index in tx.plan.node.active]
                model = without(struct, tx, refused_in(tx), active)
                assert tx.target_states() == model.active
                assert tx.clock_after() == model.ticks
            else:
                assert tx.time_after == tx.time_before
        autos.seen.clear()


@pytest.mark.slow
@given(structs, runs, names, names)
@settings(max_examples=150)
def test_bystanders_do_not_matter(
    struct: Struct, run: list[Call], deny: list[str], fail: list[str]
) -> None:
    """A state that no relation names changes nothing about the others, active or not."""
    told: list[Any] = []
    for bystanders in ([], ["Door"], ["Door", "Window"]):
        mach = am.Machine(
            None,
            {**struct, "Start": am.State(), "Door": am.State(), "Window": am.State()},
            log_stack_trace=False,
        )
        calls = [("add", ["Start", *bystanders]), *run]
        called = bind(mach, deny, fail)
        for kind, states in calls:
            mutate(mach, (kind, [*states, *bystanders] if kind == "set" else states))
        others = [name for name in called if not re.search("Start|Door|Window|Any", name)]
        told.append((mach.time([*NAMES]), others))

    assert told[0] == told[1] == told[2]


@pytest.mark.slow
@given(structs, runs, st.lists(calls, min_size=1, max_size=3), st.lists(st.integers(0, 2)))
@settings(max_examples=300)
def test_skipping_a_duplicate_never_changes_the_outcome(
    struct: Struct, run: list[Call], nested: list[Call], order: list[int]
) -> None:
    """The same states are active as if every mutation that a handler queues were carried out."""
    wanted = [nested[number % len(nested)] for number in order[:8]]
    struct = {**struct, "Go": am.State()}

    def go(model: Naive, name: str) -> bool:
        for call in wanted:
            model.mutate(*call)
        return True

    model = Naive(struct, None, ({"GoState": go},))
    model.skips = False
    mach = am.Machine(None, struct)
    mach.bind_handlers({"GoState": lambda e: [mutate(e.machine, call) for call in wanted]})
    for call in [*run, ("add", ["Go"])]:
        mutate(mach, call)
        model.mutate(*call)

    assert {*mach.active_states()} == {*model.active}


@pytest.mark.slow
@given(structs, runs, names, names, names)
@settings(max_examples=250)
def test_a_drain_with_failing_autos_ends(
    struct: Struct, run: list[Call], deny: list[str], fail: list[str], report: list[str]
) -> None:
    """Whatever handlers raise, or report and refuse, each time they are called."""
    mach = am.Machine(None, struct, log_stack_trace=False)
    bind(mach, deny, fail, report)

    for call in run:
        mutate(mach, call)

    assert mach.queue_len() == 0
