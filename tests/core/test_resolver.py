"""Resolvers: what decides about targets, by relations or in another way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

import machine as am
from machine.errors import StateMissingError, StateUnknownError

Made = Callable[..., am.Machine]
LogOf = Callable[..., list[str]]
Watch = Callable[..., list[str]]


class Plain:
    """No relations at all: what is called becomes active, in reverse, and nothing else."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.machine: am.Machine

    def get_target_states(self, tx: am.Transition, states_to_set: list[str]) -> Sequence[str]:
        self.asked.append((str(tx.mutation), tx.states_before(), states_to_set))
        return states_to_set[::-1]

    def get_auto_mutation(self) -> am.Mutation | None:
        self.asked.append("auto")
        return None

    def sort_states(self, states: list[str]) -> None:
        self.asked.append(("sort", list(states)))
        states.sort(reverse=True)

    def get_relations_of(self, state: str) -> list[am.Relation]:
        return []

    def get_relations_between(self, from_state: str, to_state: str) -> list[am.Relation]:
        return []

    def new_struct(self) -> None:
        self.asked.append("struct")


class Without(am.RelationsResolver):
    """Relations, but some states can never become active."""

    def __init__(self, *states: str) -> None:
        super().__init__()
        self.states = states

    def get_target_states(self, tx: am.Transition, states_to_set: Sequence[str]) -> list[str]:
        targets = super().get_target_states(tx, states_to_set)
        return [state for state in targets if state not in self.states]


# -- the one that every machine has


def test_relations_decide_unless_a_resolver_is_given(made: Made) -> None:
    """`resolver()` answers about relations for every machine."""
    mach = made("A{auto require:C} B{multi add:C} C{after:D} D{add:[C,B]}")

    assert isinstance(mach.resolver(), am.RelationsResolver)
    assert mach.resolver().get_relations_of("A") == [am.Relation.REQUIRE]
    assert mach.resolver().get_relations_of("B") == [am.Relation.ADD]


def test_relations_are_reported_in_the_order_add_require_remove_after() -> None:
    """Those that are defined, be it with an empty list."""
    state = am.State(after=[], remove=["B"], require=["B"], add=["B"])
    resolver = am.Machine(None, {"A": state, "B": am.State()}).resolver()
    order = [am.Relation.ADD, am.Relation.REQUIRE, am.Relation.REMOVE, am.Relation.AFTER]

    assert resolver.get_relations_of("A") == order
    assert resolver.get_relations_of("B") == []


def test_relations_from_one_state_to_another(made: Made) -> None:
    """Only those of the first that name the second."""
    resolver = made("A{add:B require:C} B{after:A remove:C} C{}").resolver()

    assert resolver.get_relations_between("A", "B") == [am.Relation.ADD]
    assert resolver.get_relations_between("A", "C") == [am.Relation.REQUIRE]
    assert resolver.get_relations_between("B", "C") == [am.Relation.REMOVE]
    assert resolver.get_relations_between("B", "A") == [am.Relation.AFTER]
    assert resolver.get_relations_between("C", "A") == []


def test_relations_of_unknown_states_are_an_error(made: Made) -> None:
    """No matter which of the names it is."""
    resolver = made().resolver()

    with pytest.raises(StateUnknownError, match="state unknown: Nope"):
        resolver.get_relations_of("Nope")
    with pytest.raises(StateUnknownError):
        resolver.get_relations_between("Nope", "A")
    with pytest.raises(StateUnknownError):
        resolver.get_relations_between("A", "Nope")


@pytest.mark.parametrize("order", ["ABCD", "DCBA", "CADB"])
def test_states_are_sorted_in_place(made: Made, order: str) -> None:
    """By what they require, whatever order they came in."""
    resolver = made("A{require:[B,C]} B{require:D} C{} D{}").resolver()
    states = list(order)
    resolver.sort_states(states)

    assert states == ["D", "B", "C", "A"]


def test_sorting_an_unknown_state_is_an_error(made: Made) -> None:
    """It has no place."""
    with pytest.raises(StateMissingError):
        made().resolver().sort_states(["Nope"])


def test_the_auto_mutation_of_the_relations(made: Made) -> None:
    """All auto states that are inactive and not removed by an active one; else none."""
    mach = made("A{remove:C} B{auto} C{auto} D{auto require:B}")
    resolver = mach.resolver()
    mutation = resolver.get_auto_mutation()
    assert mutation is not None
    assert mutation.called_states == ["B", "C", "D"]
    assert mutation.auto

    mach.add1("A")
    assert mach.is_(["A", "B", "D"])
    assert resolver.get_auto_mutation() is None


# -- another one


def test_another_resolver_decides_about_everything(made: Made) -> None:
    """It is asked for the targets, the order of those that leave, and the auto states."""
    resolver = Plain()
    mach = made("A{remove:B} B{} C{add:A} D{require:C}", resolver=resolver)
    assert mach.resolver() is resolver
    assert resolver.asked == ["struct"]
    resolver.asked.clear()

    assert mach.add(["A", "B", "D"]) is am.Result.EXECUTED
    assert mach.active_states() == ["D", "B", "A"]
    assert resolver.asked == [("[add] A B D", [], ["A", "B", "D"]), ("sort", []), "auto"]
    resolver.asked.clear()
    mach.set(["C"])
    assert mach.active_states() == ["C"]
    assert resolver.asked == [
        ("[set] C", ["A", "B", "D"], ["C"]),
        ("sort", ["D", "B", "A"]),
        "auto",
    ]


def test_what_removes_starts_from_what_stays(made: Made) -> None:
    """`states_to_set` of a removal are the active states without the called ones."""
    resolver = Plain()
    mach = made(resolver=resolver)
    mach.add(["A", "B", "C"])
    resolver.asked.clear()

    mach.remove1("B")
    assert resolver.asked[0] == ("[remove] B", ["A", "B", "C"], ["C", "A"])
    assert mach.active_states() == ["A", "C"]


def test_the_order_of_handlers_is_the_resolvers(made: Made, watch: Watch) -> None:
    """Those that enter in the order of the targets, those that leave as they were sorted."""
    mach = made("A{} B{}", resolver=Plain())
    calls = watch(mach)
    mach.add(["A", "B"])
    mach.set([])

    assert [call for call in calls if not call.startswith("Any")] == [
        *("BEnter", "AEnter", "BState", "AState"),
        *("BExit", "AExit", "BEnd", "AEnd"),
    ]


def test_every_mutation_asks_again(made: Made) -> None:
    """No plan is remembered, so a resolver may change its mind."""
    resolver = Without()
    mach = made(resolver=resolver)
    assert mach.add1("A") is am.Result.EXECUTED
    mach.remove1("A")

    resolver.states = ("A",)
    assert mach.add1("A") is am.Result.CANCELED
    assert mach._node.automaton.nodes == {}
    assert mach._node.plans == {}
    mach.bind_handlers({"BState": print})
    mach.add1("A")
    assert mach._bindings.programs == {}


def test_a_called_state_that_is_no_target_cancels(made: Made, log_of: LogOf) -> None:
    """The machine accepts and rejects by the same rule as ever."""
    mach = made(resolver=Without("B"))
    lines = log_of(mach)

    assert mach.add(["A", "B"]) is am.Result.CANCELED
    assert "[cancel:reject] B" in lines
    assert mach.active_states() == []


def test_a_subclass_changes_one_answer(made: Made, log_of: LogOf, recorder: Any) -> None:
    """Relations decide the rest, and record the steps and lines."""
    mach = made("A{add:B} B{} C{require:D} D{}", resolver=Without("Z"))
    plain = made("A{add:B} B{} C{require:D} D{}")
    told = []
    for one in (mach, plain):
        one.bind_tracer(recorder)
        lines = log_of(one)
        one.add1("A")
        one.add1("C")
        told.append((lines, [str(tx) for tx in recorder.txs], str(one)))
        recorder.txs.clear()

    assert told[0] == told[1]
    assert "[implied] B" in told[0][0]


def test_a_resolver_shows_what_the_auto_states_want(made: Made, recorder: Any) -> None:
    """Its mutation runs as an auto transition, whatever the schema says of the states."""

    class Pairs(am.RelationsResolver):
        def get_auto_mutation(self) -> am.Mutation | None:
            mach = self.machine
            return self.auto_mutation("B") if mach.is1("A") and mach.not1("B") else None

    for options in ({}, {"tracers": [recorder]}):
        mach = made("A{} B{} C{auto}", resolver=Pairs(), **options)
        mach.add1("A")
        assert mach.active_states() == ["B", "A"]
        mach.remove(["A", "B"])
        assert mach.active_states() == []

    assert [tx.is_auto() for tx in recorder.txs] == [False, True, False]


def test_an_auto_mutation_that_calls_nothing_is_none(made: Made, recorder: Any) -> None:
    """There would be nothing to carry out."""

    class Nothing(am.RelationsResolver):
        def get_auto_mutation(self) -> am.Mutation | None:
            return self.auto_mutation([])

    mach = made("A{auto} B{}", resolver=Nothing(), tracers=[recorder])
    mach.add1("B")

    assert len(recorder.txs) == 1
    assert mach.not1("A")


def test_a_handler_may_drop_states_from_a_resolvers_auto_mutation(made: Made) -> None:
    """The relations of the schema decide which states fall with them."""

    class Both(am.RelationsResolver):
        def get_auto_mutation(self) -> am.Mutation | None:
            return self.auto_mutation(["B", "C"]) if self.machine.is1("A") else None

    mach = made("A{} B{} C{} D{}", resolver=Both())
    mach.bind_handlers({"BEnter": lambda e: False})
    mach.add1("A")

    assert mach.is_(["A", "C"])
    assert mach.not1("B")


def test_the_resolver_is_notified_of_a_schema(made: Made, struct: Callable[..., Any]) -> None:
    """When the machine is made, when its order is fixed, when its schema changes."""
    resolver = Plain()
    mach = made("A{} B{}", resolver=resolver)
    mach.verify_states(["B", "A", "Exception"])
    mach.set_struct(struct("A{} B{} C{}"), ["A", "B", "C"])

    assert resolver.asked == ["struct"] * 3
    assert mach.add1("C") is am.Result.EXECUTED
    assert resolver.asked[3][0] == "[add] C"


def test_an_import_keeps_the_resolver(made: Made) -> None:
    """States may come from outside; the next mutation asks the resolver."""
    source = made("A{} B{}")
    source.add1("A")
    source.verify_states(source.state_names())
    resolver = Plain()
    mach = made("A{} B{}", resolver=resolver)
    mach.import_(source.export())
    resolver.asked.clear()

    mach.add1("B")
    assert resolver.asked[0] == ("[add] B", ["A"], ["B", "A"])


def test_an_error_of_a_resolver_passes_through(made: Made) -> None:
    """Nothing has changed then, and the machine goes on."""

    class Broken(am.RelationsResolver):
        broken = True

        def get_target_states(self, tx: am.Transition, states_to_set: Sequence[str]) -> list[str]:
            if self.broken:
                raise ZeroDivisionError
            return super().get_target_states(tx, states_to_set)

    resolver = Broken()
    mach = made(resolver=resolver)
    with pytest.raises(ZeroDivisionError):
        mach.add1("A")
    assert mach.time_sum() == 0
    resolver.broken = False

    assert mach.add1("A") is am.Result.EXECUTED


def test_targets_have_to_be_states_of_the_machine(made: Made) -> None:
    """A resolver that returns unknown names causes an error."""

    class Inventive(am.RelationsResolver):
        def get_target_states(self, tx: am.Transition, states_to_set: Sequence[str]) -> list[str]:
            return ["Made", "Up"]

    with pytest.raises(StateMissingError, match="Made Up not defined"):
        made(resolver=Inventive()).add1("A")


def test_an_object_without_the_calls_is_no_resolver(made: Made) -> None:
    """Missing calls are reported when the machine is made."""

    class Half:
        def get_target_states(self, tx: object, states: list[str]) -> list[str]:
            return states

        sort_states = "no function"

    with pytest.raises(TypeError, match="lacks get_auto_mutation, sort_states"):
        made(resolver=Half())


def test_checks_ask_the_resolver_too(made: Made) -> None:
    """`can_add` is answered as the mutation would be."""
    mach = made(resolver=Without("B"))

    assert mach.can_add1("A") is am.Result.EXECUTED
    assert mach.can_add1("B") is am.Result.CANCELED
    assert mach.active_states() == []
