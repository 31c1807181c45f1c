"""Findings about a schema: what is most likely not meant, with how it is written instead."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import machine as am
from machine import FindingKind as Kind
from machine import pipes, states
from tests.core.test_conformance import SCENARIOS, struct_of

S = am.State
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


def kinds(schema: Any, handlers: object = None) -> list[tuple[Kind, tuple[str, ...]]]:
    return [(found.kind, found.states) for found in am.check(schema, handlers)]


def code_of(found: am.Finding) -> dict[str, am.State]:
    """The states in the code of a finding, as a schema."""
    pieces = found.meant.split("`")[1::2]
    shown = [piece for piece in pieces if piece.startswith('"')]
    read: dict[str, am.State] = eval("{" + ", ".join(shown) + "}", {"State": am.State})
    return read


@pytest.fixture
def handlers_in(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a module with this code and returns its class `Handlers`."""

    def make(code: str) -> Any:
        module = ModuleType("shop_handlers")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        module.__dict__["am"] = am
        exec(code, module.__dict__)
        return module.__dict__["Handlers"]

    return make


def test_a_schema_without_a_fault_has_no_finding() -> None:
    """Nor has an empty one."""
    assert am.check({}) == []
    assert am.check({"A": S(add=["B"], remove=["C"]), "B": S(require=["A"]), "C": S()}) == []


def test_an_undefined_requirement_makes_states_unreachable() -> None:
    """Those that require such a state, directly or by way of others."""
    struct = {"A": S(require=["B"]), "B": S(require=["Start"]), "Star": S()}

    first, second = am.check(struct)

    assert (first.kind, first.states) == (Kind.UNREACHABLE, ("A", "B"))
    assert (second.kind, second.states) == (Kind.UNREACHABLE, ("B", "Start"))
    assert "requires Start, which is not defined, so B is never active." in second.happens
    assert second.meant.endswith('`"Start": State()`, or leave it out; did you mean Star?.')


@pytest.mark.parametrize("relation", ["add", "remove", "after"])
def test_an_undefined_target_of_another_relation_has_no_effect(relation: str) -> None:
    """The finding names the relation."""
    (found,) = am.check({"A": S(**{relation: ["B"]})})

    assert (found.kind, found.states) == (Kind.UNDEFINED, ("A", "B"))
    assert f"A names B in `{relation}`, which is not defined" in found.happens


def test_a_time_limit_that_leads_nowhere_is_found() -> None:
    """The machine would drop it."""
    assert kinds({"A": S(timeout=1, on_timeout="B")}) == [(Kind.UNDEFINED, ("A", "B"))]


@pytest.mark.parametrize(
    ("struct", "names", "corrected"),
    [
        (
            {"A": S(require=["B"], remove=["B"]), "B": S()},
            ("A", "B"),
            [S(require=["B"]), S(remove=["B"])],
        ),
        ({"A": S(require=["B"]), "B": S(remove=["A"])}, ("A", "B"), [S()]),
        (
            {"A": S(require=["B", "C"]), "B": S(remove=["C"]), "C": S()},
            ("A", "B", "C"),
            [S()],
        ),
    ],
)
def test_a_contradiction_is_found_with_both_ways_to_settle_it(
    struct: dict[str, am.State], names: tuple[str, ...], corrected: list[am.State]
) -> None:
    """Each way, written as the finding shows it, leaves none."""
    (found,) = am.check(struct)

    assert (found.kind, found.states) == (Kind.CONTRADICTION, names)
    assert "A is never active." in found.happens
    shown = [piece for piece in found.meant.split("`")[1::2] if piece.startswith('"')]
    assert len(shown) == len(corrected)
    for piece in shown:
        assert am.check({**struct, **eval("{" + piece + "}", {"State": S})}) == []


def test_states_that_require_a_contradiction_are_unreachable() -> None:
    """The contradiction itself is reported once, for the first state."""
    struct = {"A": S(require=["B"]), "B": S(require=["C"], remove=["C"]), "C": S()}

    found = am.check(struct)

    assert [(one.kind, one.states[0]) for one in found] == [
        (Kind.CONTRADICTION, "B"),
        (Kind.UNREACHABLE, "A"),
    ]
    assert found[1].meant == "Correct B first, or leave it out of `require` of A."


def test_a_contradiction_that_a_late_add_passes_by_is_not_called_unreachable() -> None:
    """Another state keeps it out at first, and is removed itself; then it is added after all."""
    struct = {
        "Dry": S(remove=["Wet"]),
        "Water": S(add=["Wet"], remove=["Dry"]),
        "Wet": S(require=["Water"], remove=["Water"]),
    }
    (found,) = am.check(struct)
    mach = am.Machine(None, struct)
    mach.add1("Dry")
    mach.add1("Water")

    assert "Wet is canceled whenever it is called." in found.happens
    assert mach.is_(["Water", "Wet"])


def test_states_that_require_each_other_are_found_once() -> None:
    """They activate together only, as the finding says; written as shown they have an order."""
    struct = {"A": S(require=["B"]), "B": S(require=["C"]), "C": S(require=["A"]), "D": S()}
    (found,) = am.check(struct)

    assert (found.kind, found.states) == (Kind.REQUIRE_CYCLE, ("A", "B", "C"))
    assert '`mach.add(["A", "B", "C"])`' in found.meant
    assert am.check({**struct, **code_of(found)}) == []
    mach = am.Machine(None, struct)
    assert mach.add1("A") is am.Result.CANCELED
    assert mach.add(["A", "B", "C"]) is am.Result.EXECUTED


def test_a_state_that_requires_itself_is_found() -> None:
    """That has no effect on the state."""
    struct = {"A": S(require=["A"])}
    (found,) = am.check(struct)

    assert (found.kind, found.states) == (Kind.REQUIRE_CYCLE, ("A",))
    assert am.check({**struct, **code_of(found)}) == []


def test_a_chain_of_add_is_followed_two_levels_deep() -> None:
    """A longer one is found; written as shown, the last state is added too."""
    struct = {"A": S(add=["B"]), "B": S(add=["C"]), "C": S(add=["D"]), "D": S()}
    (found,) = am.check(struct)
    mach = am.Machine(None, struct)
    mach.add1("A")

    assert (found.kind, found.states) == (Kind.LONG_ADD, ("A", "B", "C", "D"))
    assert not mach.is1("D")
    whole = {**struct, **code_of(found)}
    mach = am.Machine(None, whole)
    mach.add1("A")
    assert am.check(whole) == []
    assert mach.is1("D")


def test_a_chain_of_add_to_an_auto_state_is_no_finding() -> None:
    """It activates by itself."""
    assert (
        am.check({"A": S(add=["B"]), "B": S(add=["C"]), "C": S(add=["D"]), "D": S(auto=True)}) == []
    )


EXCLUSIVE = {"Hot": S(auto=True, remove=["Cold"]), "Cold": S(auto=True, remove=["Hot"])}


def test_exclusive_auto_states_do_not_swap() -> None:
    """A guard of the other is not even asked; with conditions as shown they swap."""
    (found,) = am.check(EXCLUSIVE)

    assert (found.kind, found.states) == (Kind.NO_SWAP, ("Hot", "Cold"))
    corrected = {**EXCLUSIVE, **code_of(found)}
    assert am.check(corrected) == []
    mach = am.Machine(None, corrected)
    mach.add1("HotWanted")
    assert mach.active_states() == ["HotWanted", "Hot"]
    mach.add1("ColdWanted")
    mach.remove1("HotWanted")
    assert mach.active_states() == ["ColdWanted", "Cold"]


def test_only_the_auto_state_that_stays_needs_a_condition() -> None:
    """The other one can end already."""
    struct = {**EXCLUSIVE, "Cold": S(auto=True, require=["Night"], remove=["Hot"]), "Night": S()}
    (found,) = am.check(struct)

    assert (found.kind, found.states) == (Kind.NO_SWAP, ("Hot", "Cold"))
    assert list(code_of(found)) == ["HotWanted", "Hot"]
    assert am.check({**struct, **code_of(found)}) == []


def test_an_auto_state_may_keep_out_another_one() -> None:
    """If it removes the other, and the other does not remove it."""
    struct = {"A": S(auto=True, remove=["B"]), "B": S(auto=True)}
    (found,) = am.check(struct)

    assert (found.kind, found.states) == (Kind.ONE_SIDED, ("A", "B"))
    assert am.check({**struct, **code_of(found)}) == []


@pytest.mark.parametrize(
    "more",
    [
        {"Hot": S(auto=True, remove=["Cold"], require=["Sun"]), "Sun": S()},
        {"Off": S(remove=["Hot"])},
        {"Off": S(auto=True, remove=["Hot"])},
        {"Off": S(timeout=1, on_timeout="Cold")},
    ],
)
def test_auto_states_that_can_end_are_no_finding(more: dict[str, am.State]) -> None:
    """By a requirement of their own, by a third state, or by a time limit."""
    struct = {**EXCLUSIVE, **more}

    assert [names for _, names in kinds(struct) if names == ("Hot", "Cold")] == []


def test_a_requirement_that_both_share_ends_both() -> None:
    """So they do not swap."""
    struct = {
        "Start": S(),
        "Hot": S(auto=True, require=["Start"], remove=["Cold"]),
        "Cold": S(auto=True, require=["Start"], remove=["Hot"]),
    }

    assert kinds(struct) == [(Kind.NO_SWAP, ("Hot", "Cold"))]


def test_auto_states_that_handlers_name_may_be_ended_there(handlers_in: Any) -> None:
    """In the code of the class, or of its module."""
    silent = "class Handlers:\n    def HotEnter(self, e): return e.args['degrees'] > 30\n"
    loud = silent + "def cool(mach): mach.remove1('Hot')\n"
    typed = silent + "class Other:\n    def cool(self, mach, ss): mach.remove1(ss.Hot)\n"

    assert kinds(EXCLUSIVE, handlers_in(silent)) == [(Kind.NO_SWAP, ("Hot", "Cold"))]
    assert kinds(EXCLUSIVE, handlers_in(silent)()) == [(Kind.NO_SWAP, ("Hot", "Cold"))]
    assert kinds(EXCLUSIVE, handlers_in(loud)) == []
    assert kinds(EXCLUSIVE, handlers_in(typed)) == []


AMBIGUOUS = {"Start": S(), "End": S()}


def test_a_handler_whose_name_means_two_things_is_found() -> None:
    """In an object, a class, a mapping, or several of them."""

    class Turn:
        def StartEnd(self, e: am.Event) -> None: ...

    (found,) = am.check(AMBIGUOUS, Turn)

    assert (found.kind, found.states) == (Kind.AMBIGUOUS, ("Start", "End"))
    assert found.happens.startswith("StartEnd of Turn is the End handler of Start and the handler")
    assert '`@am.on("Start", "End")` or `@am.on("Start", to="End")`' in found.meant
    assert am.check(AMBIGUOUS, Turn()) == am.check(AMBIGUOUS, [Turn]) == [found]
    assert kinds(AMBIGUOUS, {"StartEnd": print}) == [(Kind.AMBIGUOUS, ("Start", "End"))]
    assert kinds(AMBIGUOUS, SimpleNamespace(StartEnd=print, AnyState=print)) == [
        (Kind.AMBIGUOUS, ("Start", "End"))
    ]


def test_a_decorated_handler_has_one_meaning() -> None:
    """So it is no finding, in a class or in a mapping."""

    class Turn:
        @am.on("Start", to="End")
        def may_end(self, e: am.Event) -> None: ...

    @am.on("Start", "End")
    def over(e: am.Event) -> None: ...

    assert am.check(AMBIGUOUS, Turn) == am.check(AMBIGUOUS, am.handlers_of(over)) == []


def test_a_state_to_which_nothing_refers_is_found(handlers_in: Any) -> None:
    """No relation, no handler, no name in the code; only where handlers are given."""
    struct = {
        "Open": S(),
        "Named": S(),
        "Listed": S(),
        "Related": S(require=["Open"]),
        "Late": S(timeout=1, on_timeout="Open"),
        "Begun": S(initial=True),
        "Odd": S(multi=True),
        "Heartbeat": S(),
    }
    code = (
        "class Handlers:\n"
        "    def OpenState(self, e): e.machine.add1('Named')\n"
        "    def close(self, mach): [mach.add1(one) for one in ('Listed', 'Else')]\n"
    )

    assert kinds(struct, handlers_in(code)) == [(Kind.UNUSED, ("Odd",))]
    assert am.check(struct) == []
    for catch_all in ("def AnyState(self, e): ...", "def __getattr__(self, name): ..."):
        assert am.check(struct, handlers_in(f"{code}    {catch_all}\n")) == []


def test_machines_are_checked_with_their_handlers() -> None:
    """A finding that several have in common comes once, with their ids."""

    class Turn:
        def StartEnd(self, e: am.Event) -> None: ...

    one, two, three = (am.Machine(None, AMBIGUOUS, id=name) for name in ("one", "two", "three"))
    one.bind_handlers(Turn())
    two.bind_handlers(Turn())

    (found,) = am.check([one, two, three])

    assert (found.kind, found.machines) == (Kind.AMBIGUOUS, ("one", "two"))
    assert am.check(three) == am.check([]) == am.check(iter(())) == []
    assert am.check(one)[0].machines == ("one",)


@pytest.mark.parametrize("subject", [5, "A", {"A": {}}, [S()], ["A"]])
def test_only_a_schema_or_machines_are_checked(subject: Any) -> None:
    """Anything else raises, as the constructor of a machine does."""
    with pytest.raises(TypeError):
        am.check(subject)


MULTI = {"Msg": S(multi=True), "Up": S(), "Other": S(), "ErrLink": S(multi=True)}


def made(*ids: str) -> list[am.Machine]:
    return [am.Machine(None, MULTI, id=name) for name in ids]


def test_a_ring_of_multi_states_never_ends() -> None:
    """Each call counts; it is found from any of its machines."""
    one, two, three = machines = made("one", "two", "three")
    for source, target in ((one, two), (two, three), (three, one)):
        pipes.bind(source, "Msg", target)

    (found,) = am.check(machines)

    assert found.kind is Kind.RING
    assert found.states == ("one.Msg", "two.Msg", "three.Msg")
    assert found.machines == ("one", "two", "three")
    assert "so the ring never ends" in found.happens
    assert sorted(am.check(three)[0].states) == sorted(found.states)


def test_a_pipe_to_a_state_that_is_gone_makes_no_ring() -> None:
    """A change of the schema dropped it."""
    one, two = machines = made("one", "two")
    for source, target in ((one, two), (two, one)):
        pipes.bind(source, "Msg", target)
    two.set_struct({"Up": S(), "Other": S(), "ErrLink": S()}, ["Up", "Other", "ErrLink"])

    assert am.check(machines) == []


def test_rings_that_end_are_no_finding() -> None:
    """States that mirror each other agree after one round, and errors do not come back."""
    one, two = machines = made("one", "two")
    for source, target in ((one, two), (two, one)):
        pipes.bind(source, "Up", target)
        pipes.bind_err(source, target, "ErrLink")
    pipes.bind(one, "Msg", two)

    assert am.check(machines) == []


def test_a_ring_that_holds_itself_up_is_found() -> None:
    """Its states stay when what began them has ended."""
    one, two, third = machines = made("one", "two", "third")
    pipes.bind_any([(two, "Up"), (third, "Up")], one, "Up")
    pipes.bind(one, "Up", two)

    (found,) = am.check(machines)

    assert (found.kind, found.states) == (Kind.RING, ("one.Up", "two.Up"))
    assert "the ring holds itself up" in found.happens
    third.add1("Up")
    third.remove1("Up")
    assert one.is1("Up")


def test_a_ring_that_waits_for_itself_is_found() -> None:
    """It never begins by its pipes."""
    one, two, third = machines = made("one", "two", "third")
    pipes.bind_all([(two, "Up"), (third, "Up")], one, "Up")
    pipes.bind(one, "Up", two)

    (found,) = am.check(machines)

    assert "so it never begins" in found.happens
    third.add1("Up")
    assert not one.is1("Up")


class EveryReadyMade(states.BasicStatesDef, states.ConnectedStatesDef, states.DisposedStatesDef):
    """All ready-made states together."""


def test_ready_made_states_have_no_finding() -> None:
    """Each definition has all that it needs when they are put together."""
    assert am.check(EveryReadyMade, states.DisposedHandlers) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_have_no_finding(path: Path) -> None:
    """All schemas in the modules of the examples are written as they are meant."""
    if path.stem.startswith("fastapi"):
        pytest.importorskip("fastapi")
    found = [
        (name, str(finding))
        for name, value in runpy.run_path(str(path)).items()
        if is_schema(value)
        for finding in am.check(value)
    ]

    assert found == []


def is_schema(value: object) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(isinstance(one, am.State) for one in value.values())
    own = isinstance(value, type) and not value.__module__.startswith("machine.")
    return own and issubclass(value, am.StatesBase)


def test_a_finding_is_a_value_with_a_text() -> None:
    """The text begins with the kind."""
    (found,) = am.check({"A": S(require=["A"])})

    assert str(found) == f"require cycle: {found.happens} {found.meant}"


NAMES = "ABCDEF"
relations = st.lists(st.sampled_from(NAMES + "X"), max_size=2, unique=True)
some_states = st.builds(
    S, auto=st.booleans(), multi=st.booleans(), require=relations, add=relations, remove=relations
)
schemas = st.fixed_dictionaries(dict.fromkeys(NAMES, some_states))
called = st.lists(st.sampled_from([*NAMES, "Exception"]), min_size=1, max_size=4, unique=True)
calls = st.lists(st.tuples(st.sampled_from(["add", "remove", "set"]), called), max_size=12)


def never_active(struct: dict[str, am.State]) -> set[str]:
    found = [one for one in am.check(struct) if "never active" in one.happens]
    return {one.states[0] for one in found}


@pytest.mark.slow
@given(schemas, calls)
def test_a_state_that_is_never_active_is_never_active(
    struct: dict[str, am.State], mutations: list[tuple[str, list[str]]]
) -> None:
    """Whatever is called, and whatever adds it."""
    never = never_active(struct)
    mach = am.Machine(None, struct)
    for kind, names in mutations:
        {"add": mach.add, "remove": mach.remove, "set": mach.set}[kind](names)

    assert [name for name in never if mach.tick(name)] == []


others = st.sampled_from([[], ["C"], ["D"]])
beside_autos = st.fixed_dictionaries(
    {
        "A": st.builds(S, auto=st.just(True), require=others, remove=st.just(["B"])),
        "B": st.builds(S, auto=st.just(True), require=others, remove=st.sampled_from([[], ["A"]])),
        "C": st.builds(S, require=others, remove=st.sampled_from([[], ["A"], ["D"]])),
        "D": st.builds(S, auto=st.booleans(), remove=st.sampled_from([[], ["A"], ["C"]])),
    }
)
one_call = st.tuples(st.sampled_from(["add", "remove"]), st.sampled_from("CD"))


@given(beside_autos, st.lists(one_call, min_size=4, max_size=8))
def test_auto_states_that_stay_are_not_replaced(
    struct: dict[str, am.State], mutations: list[tuple[str, str]]
) -> None:
    """As long as no call names one of the two, nothing leads from the one to the other."""
    pairs = [one.states for one in am.check(struct) if one.kind in (Kind.NO_SWAP, Kind.ONE_SIDED)]
    pairs = [pair for pair in pairs if set(pair) == {"A", "B"}]
    mach = am.Machine(None, struct)
    for kind, name in mutations:
        before = {name: mach.is1(name) for name in struct}
        {"add": mach.add1, "remove": mach.remove1}[kind](name)
        for stays, other in pairs:
            if before[stays]:
                assert not mach.is1(other)


def test_recorded_machines_never_activate_what_is_unreachable() -> None:
    """No state that is said to be unreachable is active in the recorded scenarios."""
    wrong = [
        (scenario["id"], name)
        for scenario in SCENARIOS
        for name in never_active(struct_of(scenario["schema"]))
        for op in scenario["ops"]
        if name in op.get("active", ())
    ]

    assert wrong == []
