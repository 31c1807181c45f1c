"""The memory of outcomes: what machines share, its limits, and that it never shows."""

from __future__ import annotations

import gc
import random
import weakref
from collections.abc import Callable
from itertools import islice, permutations
from typing import Any

import pytest

import machine as am
from machine._resolution.automaton import (
    PLANS_PER_NODE,
    SAMPLE_EVERY,
    Automaton,
    Node,
    automaton_of,
)
from machine._resolution.resolve import resolve

Made = Callable[..., am.Machine]
Struct = Callable[[str], dict[str, am.State]]

STATES = [f"S{number}" for number in range(8)]
FREE = {name: am.State() for name in STATES}


def tangled(seed: int, count: int = 9) -> dict[str, am.State]:
    """A schema with all kinds of relations between its states."""
    dice = random.Random(seed)
    names = [f"S{number}" for number in range(count)]

    def some(chance: float) -> list[str] | None:
        chosen = [name for name in names if dice.random() < chance]
        return chosen or None

    return {
        name: am.State(
            auto=dice.random() < 0.25,
            multi=dice.random() < 0.2,
            require=some(0.08),
            add=some(0.12),
            remove=some(0.15),
            after=some(0.1),
        )
        for name in names
    }


def random_call(dice: random.Random, names: list[str]) -> tuple[str, list[str]]:
    """A mutation of a few states."""
    kind = dice.choice(["add", "add", "add", "remove", "set", "toggle"])
    return kind, dice.sample(names, dice.randint(0, 3))


def outcome(mach: am.Machine, call: tuple[str, list[str]]) -> tuple[object, ...]:
    """Make a mutation; what came of it."""
    kind, states = call
    return getattr(mach, kind)(states), mach.active_states(), list(mach.time())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_a_small_memory_changes_no_outcome(seed: int, limit: int) -> None:
    """Results, order and ticks are those of a machine that remembers nothing."""
    dice = random.Random(seed)
    struct = tangled(seed)
    forgetful, none = am.Machine(None, struct, cache=limit), am.Machine(None, struct, cache=0)

    for _ in range(60):
        call = random_call(dice, list(struct))
        assert outcome(forgetful, call) == outcome(none, call)


@pytest.mark.slow
def test_a_long_random_walk_is_the_same_with_and_without_memory() -> None:
    """Over many schemas, with plans that are met again and plans that are forgotten."""
    for seed in range(10, 30):
        dice = random.Random(seed)
        struct = tangled(seed, count=14)
        machines = [am.Machine(None, struct, cache=limit) for limit in (am.NODES_MAX, 20, 0)]
        for _ in range(250):
            call = random_call(dice, list(struct))
            outcomes = [outcome(mach, call) for mach in machines]
            assert outcomes[0] == outcomes[1] == outcomes[2]


def test_machines_of_one_schema_share_their_memory() -> None:
    """What one has worked out, the next one finds."""
    first, second = am.Machine(None, FREE), am.Machine(None, FREE)
    first.add(["S0", "S1"])
    nodes = len(first._node.automaton.nodes)

    second.add(["S0", "S1"])

    assert second._node is first._node
    assert len(first._node.automaton.nodes) == nodes


def test_the_order_of_active_states_belongs_to_a_node() -> None:
    """Results depend on it, so the same states in another order are another node."""
    first, second = am.Machine(None, FREE), am.Machine(None, FREE)
    first.add(["S0", "S1"])
    second.add(["S1", "S0"])

    assert first.is_(second.active_states())
    assert first._node is not second._node


def test_machines_of_different_limits_do_not_share() -> None:
    """Each limit is a promise of its own."""
    first, second = am.Machine(None, FREE, cache=5), am.Machine(None, FREE, cache=6)

    assert first._schema is second._schema
    assert first._node.automaton is not second._node.automaton
    assert automaton_of(first._schema, 5) is first._node.automaton


@pytest.mark.parametrize("limit", [1, 4, 16])
def test_there_are_never_more_nodes_than_the_limit(limit: int) -> None:
    """At the limit the memory closes: one more is another node each time, and is not kept."""
    automaton = Automaton(am.Machine(None, FREE)._schema, limit)
    lists = [(one, other) for one in range(8) for other in range(8) if one != other]

    for number in range(limit):
        automaton.node(lists[number])
    assert (len(automaton.nodes), automaton.resets) == (limit, 0)

    for known in lists[:limit]:
        automaton.node(known)
    assert automaton.resets == 0

    assert automaton.node(lists[limit]) is not automaton.node(lists[limit])
    assert (len(automaton.nodes), automaton.resets) == (limit, 0)


def test_there_are_never_more_plans_than_the_limit_allows() -> None:
    """Plans are counted over all nodes; one too many is computed and not kept."""
    limit = 3
    mach = am.Machine(None, {**FREE, "Own": am.State()}, cache=limit)
    automaton, node = mach._node.automaton, mach._node
    for number in range(limit * PLANS_PER_NODE):
        mach.can_remove1(STATES[number])
    assert (len(node.plans), automaton.resets) == (limit * PLANS_PER_NODE, 0)

    assert mach.can_remove1("Own") is am.Result.EXECUTED
    assert (len(node.plans), automaton.resets) == (limit * PLANS_PER_NODE, 0)


def test_what_comes_back_begins_a_new_memory() -> None:
    """Of what found no room every eighth plan is noted; when many of these return, all is new."""
    limit = 16
    mach = am.Machine(None, FREE, cache=limit)
    automaton = mach._node.automaton
    for state in STATES[:4]:
        for other in STATES:
            mach.set([state, other])
    assert (len(automaton.nodes), automaton.resets) == (limit, 0)

    rounds = 0
    while not automaton.resets:
        mach.toggle1("S7")
        rounds += 1
        assert rounds <= 2 * SAMPLE_EVERY

    assert len(automaton.nodes) <= 2


def test_what_never_comes_back_is_passed() -> None:
    """A walk that meets everything once leaves alone what is remembered, however long it is."""
    mach = am.Machine(None, FREE, cache=4)
    automaton = mach._node.automaton
    for order in islice(permutations(STATES), 200):
        mach.set(order)
    kept = dict(automaton.nodes)

    for order in islice(permutations(STATES), 200, 2000):
        mach.set(order)

    assert (automaton.nodes, automaton.resets) == (kept, 0)
    assert len(automaton._missed) * SAMPLE_EVERY <= 4 * PLANS_PER_NODE


def test_a_machine_that_stands_still_does_not_collect_plans() -> None:
    """Rejected mutations leave it where it is, on a node that may long be forgotten."""
    limit = 4
    struct = {f"R{number}": am.State(require="Never") for number in range(50)}
    standing = am.Machine(None, {**struct, "Never": am.State(), "Go": am.State()}, cache=limit)
    going = am.Machine(None, standing.get_struct(), cache=limit)

    automaton = standing._node.automaton

    for _ in range(3):
        for name in struct:
            assert standing.add1(name) is am.Result.CANCELED
            going.toggle(["Go"])
            assert len(standing._node.plans) <= limit * PLANS_PER_NODE
            assert len(automaton.nodes) <= limit
        automaton._forget()


def test_two_machines_on_one_forgotten_place_remember_once() -> None:
    """The first to go on is the one whose node is a part of the new memory."""
    mach, other = am.Machine(None, FREE, cache=2), am.Machine(None, FREE, cache=2)
    automaton = mach._node.automaton
    automaton._forget()
    other._node = Automaton.node(automaton, ())
    assert mach._node is not other._node

    for name in STATES[:3]:
        mach.can_remove1(name)

    assert len(mach._node.plans) == 1


def test_what_is_forgotten_is_freed() -> None:
    """A machine that goes on keeps alive the new memory and the node it stood on."""
    mach = am.Machine(None, {**FREE, "Freed": am.State()}, cache=4)
    automaton = mach._node.automaton

    for name in [*STATES, "Freed"]:
        mach.set([name])
    automaton._forget()
    for name in [*STATES, "Freed"]:
        mach.set([name])
    gc.collect()

    nodes = [found for found in gc.get_objects() if type(found) is Node]
    assert len([node for node in nodes if node.automaton is automaton]) <= 5


def test_without_memory_nothing_is_kept(made: Made) -> None:
    """Neither nodes nor plans nor which handlers they call."""
    mach = made("A{} B{}", cache=0)
    mach.bind_handlers({"AState": lambda e: None})
    for _ in range(20):
        mach.toggle1("A")

    assert mach._node.automaton.nodes == {}
    assert mach._node.plans == {}
    assert mach._bindings.programs == {}


def test_which_handlers_a_plan_calls_is_remembered_up_to_a_limit(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past it all of it is found again; outcomes are the same."""
    monkeypatch.setattr("machine._handlers.lookup.PROGRAMS_MAX", 4)
    mach = made()
    calls: list[str] = []
    mach.bind_handlers({"AnyState": lambda e: calls.append("!")})

    for _ in range(3):
        for state in "ABCD":
            mach.set([state])
            assert len(mach._bindings.programs) <= 4

    assert len(calls) == 12


def test_the_calls_of_handlers_are_shared_up_to_a_limit(
    made: Made, watch: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a memory of plans as well; which handlers run stays the same."""
    usual = made(cache=0)
    expected = watch(usual)
    monkeypatch.setattr("machine._handlers.lookup.CALLS_MAX", 4)
    mach = made(cache=0)
    calls = watch(mach)

    for state in "ABCDAB":
        usual.set([state])
        mach.set([state])
        assert len(mach._bindings._layout._calls) <= 4

    assert calls == expected


def test_schemas_of_machines_that_are_gone_are_freed_with_their_memory() -> None:
    """Once the schema itself is forgotten, nothing keeps its automaton."""
    from machine._schema import sharing as _schema

    def use() -> weakref.ref[Any]:
        mach = am.Machine(None, {"OnlyHere": am.State()})
        mach.add1("OnlyHere")
        return weakref.ref(mach._schema)

    schema = use()
    _schema.forget_all()
    gc.collect()

    assert schema() is None


def test_threads_may_extend_one_memory_at_once(in_threads: Callable[..., None]) -> None:
    """Machines of one schema in several threads come to what each would come to alone."""
    struct = tangled(99)

    def walk(limit: int) -> list[object]:
        dice = random.Random(7)
        mach = am.Machine(None, struct, cache=limit)
        return [outcome(mach, random_call(dice, list(struct))) for _ in range(150)]

    expected = walk(0)
    found: list[list[object]] = []
    in_threads(*[lambda: found.append(walk(11))] * 4)

    assert found == [expected] * 4


@pytest.mark.parametrize(("watched", "cache"), [("traced", 91), ("logged", 92), ("neither", 93)])
def test_a_plan_is_worked_out_once(
    watched: str, cache: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a reader may need the explanation, it is recorded while the plan is made."""
    worked_out: list[bool] = []

    def counted(*given: Any) -> Any:
        worked_out.append(len(given) > 3 and given[3] is not None)
        return resolve(*given)

    monkeypatch.setattr("machine._resolution.automaton.resolve", counted)
    mach = am.Machine(None, tangled(5), cache=cache)
    told: list[int] = []

    class Reading(am.Tracer):
        def transition_end(self, tx: am.Transition) -> None:
            told.append(len(tx.steps))

    if watched == "traced":
        mach.bind_tracer(Reading())
    if watched == "logged":
        mach.set_logger_empty(am.LogLevel.EVERYTHING)
    for state in mach.state_names()[:4]:
        mach.add1(state)

    plans = [plan for node in mach._node.automaton.nodes.values() for plan in node.plans.values()]
    assert len(worked_out) == len(plans)
    assert set(worked_out) == {watched != "neither"}
    assert len(told) == (len(plans) if watched == "traced" else 0)
