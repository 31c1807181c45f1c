"""Schemas: what is cleaned, dropped, refused or warned of, which names do, what is shared."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest

import machine as am
from machine.errors import RelationError, StateNameError

Made = Callable[..., am.Machine]
Struct = Callable[[str], dict[str, am.State]]


def taken_in(struct: dict[str, am.State]) -> dict[str, am.State]:
    """The schema as a machine has it."""
    return am.Machine(None, struct).get_struct()


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("A{remove:[A,B]} B{}", am.State(remove="B")),
        ("A{remove:A} B{}", am.State(remove=[])),
        ("A{add:B remove:[B,C]} B{} C{}", am.State(add="B", remove="C")),
        ("A{after:[A,B]} B{}", am.State(after="B")),
        ("A{remove:[A,B] add:B after:[A,B]} B{}", am.State(remove=[], add="B", after="B")),
        ("A{add:[X,B]} B{}", am.State(add="B")),
        ("A{remove:[X,B]} B{}", am.State(remove="B")),
        ("A{after:[X,B]} B{}", am.State(after="B")),
        ("A{require:[X,B]} B{}", am.State(require=["X", "B"])),
        ("A{add:A} B{}", am.State(add="A")),
        ("A{add:B require:C} B{} C{}", am.State(add="B", require="C")),
    ],
)
def test_what_is_cleaned(struct: Struct, given: str, cleaned: am.State) -> None:
    """Relations to itself, contradictions and undefined targets go; requirements stay."""
    assert taken_in(struct(given))["A"] == cleaned


def test_not_given_and_empty_stay_apart() -> None:
    """Inspecting a machine shows a relation that was given, though it is empty."""
    mach = am.Machine(None, {"A": am.State(add=[]), "B": am.State()})

    assert mach.get_struct()["A"].add == ()
    assert mach.get_struct()["B"].given("add") is None
    assert mach.inspect(["A", "B"]) == (
        "A:\n  State:   false 0\n  Add:     \n\nB:\n  State:   false 0\n\n"
    )


def test_exception_is_added_last_as_a_multi_state() -> None:
    """Unless the schema has its own, which stays in its place and as it is."""
    assert list(taken_in({"A": am.State()}).items())[-1] == ("Exception", am.State(multi=True))

    own = {"Exception": am.State(tags=["mine"]), "A": am.State()}
    assert list(taken_in(own).items()) == list(own.items())


@pytest.mark.parametrize("nothing", [None, {}])
def test_a_machine_without_a_schema_has_only_exception(nothing: Any) -> None:
    """It can take errors all the same."""
    mach = am.Machine(None, nothing)
    mach.add_err(RuntimeError())

    assert mach.state_names() == ["Exception"]
    assert mach.is_err()


def test_later_changes_of_the_callers_objects_have_no_effect() -> None:
    """A schema is copied when it is taken in, and when it is given out."""
    remove = ["B"]
    struct = {"A": am.State(remove=remove), "B": am.State()}
    mach = am.Machine(None, struct)

    remove.append("C")
    struct["C"] = am.State()
    mach.get_struct().clear()
    mach.state_names().clear()

    assert mach.get_struct() == {
        "A": am.State(remove="B"),
        "B": am.State(),
        "Exception": am.State(multi=True),
    }


def test_any_mapping_is_a_schema() -> None:
    """Read-only views as well."""
    struct = MappingProxyType({"A": am.State()})

    assert am.Machine(None, struct).add1("A") is am.Result.EXECUTED
    assert am.Machine(None, struct).state_names() == ["A", "Exception"]


def test_a_state_requiring_an_undefined_one_can_never_activate(
    made: Made, caplog: pytest.LogCaptureFixture, recorder: Any
) -> None:
    """Called or implied; the steps name the missing state, which has no index."""
    mach = made("A{require:Nope} B{add:A}", tracers=[recorder])

    assert mach.add1("A") is am.Result.CANCELED
    assert mach.add1("B") is am.Result.EXECUTED
    assert mach.active_states() == ["B"]
    step = next(step for step in recorder.txs[0].steps if step.to_state == "Nope")
    assert (str(step), step.to_state_idx) == ("A -> Nope (rel)", -1)
    assert str(recorder.txs[0]).split("\n")[-1] == "A (cancel)"
    assert "Nope (cancel)" in str(recorder.txs[0])


def test_undefined_targets_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """With the state and the relation, for each of them."""
    struct = {"A": am.State(add="X1", remove="X2", after="X3", require="X4"), "B": am.State()}

    am.Machine(None, struct)

    assert [record.getMessage() for record in caplog.records] == [
        "relation to an undefined state: A require X4",
        "relation to an undefined state: A add X1",
        "relation to an undefined state: A remove X2",
        "relation to an undefined state: A after X3",
    ]


def test_a_schema_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """Not with every machine that is made of it."""
    struct = {"A": am.State(add="X9")}

    for _ in range(3):
        am.Machine(None, struct)

    assert len(caplog.records) == 1


@pytest.mark.parametrize("relation", ["require", "add", "remove", "after"])
def test_strict_machines_refuse_undefined_targets(relation: str) -> None:
    """The error names the state, the relation and known states that look alike."""
    struct = {"Connect": am.State(**{relation: "Conected"}), "Connected": am.State()}

    with pytest.raises(RelationError, match=f"Connect {relation} Conected") as raised:
        am.Machine(None, struct, strict=True)
    assert "did you mean Connected" in str(raised.value)


def test_a_strict_refusal_may_have_nothing_to_suggest() -> None:
    """Then the text ends before that."""
    with pytest.raises(RelationError) as raised:
        am.Machine(None, {"A": am.State(add="Zzzz")}, strict=True)
    assert "did you mean" not in str(raised.value)


def test_strict_machines_take_schemas_without_mistakes() -> None:
    """`Exception` is defined everywhere."""
    struct = {"Err": am.State(require="Exception")}

    assert am.Machine(None, struct, strict=True).has1("Err")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A{add:B} B{add:C} C{add:D} D{}", ["A > B > C > D"]),
        ("A{add:B} B{add:C} C{}", []),
        ("A{add:B} B{add:A}", []),
        ("A{add:[B,E]} B{} E{add:C} C{add:D} D{}", ["A > E > C > D"]),
    ],
)
def test_a_chain_that_is_too_long_is_warned_of(
    struct: Struct, caplog: pytest.LogCaptureFixture, text: str, told: list[str]
) -> None:
    """Add is followed two levels; the warning names the chain."""
    am.Machine(None, struct(text))

    messages = [record.getMessage() for record in caplog.records]
    assert [message.rpartition(": ")[2] for message in messages] == told


def test_looking_for_chains_is_bounded() -> None:
    """A hundred states that all add each other are taken in as well."""
    names = [f"S{number}" for number in range(100)]

    mach = am.Machine(None, {name: am.State(add=names) for name in names})

    assert mach.add1("S0") is am.Result.EXECUTED


def test_after_may_have_cycles(made: Made) -> None:
    """The order is the same in every run: the first in line goes first."""
    text = "A{after:B} B{after:A} C{after:D} D{after:E} E{after:C}"
    orders = []
    for _ in range(5):
        mach = made(text)
        mach.add(["E", "A", "D", "B", "C"])
        orders.append(mach.active_states())

    assert orders == [["E", "D", "C", "A", "B"]] * 5


def test_a_long_require_chain_is_no_deep_recursion() -> None:
    """Five thousand states that each require the next one."""
    count = 5_000
    struct = {f"S{n}": am.State(require=f"S{n + 1}") for n in range(count)}
    mach = am.Machine(None, {**struct, f"S{count}": am.State()})

    assert mach.add([f"S{n}" for n in range(100)]) is am.Result.CANCELED
    assert mach.add([f"S{n}" for n in range(count - 50, count + 1)]) is am.Result.EXECUTED
    assert mach.active_states()[0] == f"S{count}"


ODD_NAMES = [
    "with space",
    "with.dot",
    "with-dash",
    "ümläut",
    "🚀",
    "日本",
    "class",
    "None",
    "__class__",
    "__init__",
    "1",
    "line\nend",
    "tab\t",
    "percent%s",
    "{brace}",
    "[bracket]",
    "quote'\"",
    "Enter",
    "State",
    "AEnter",
    "x" * 1_000,
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_work(name: str, recorder: Any) -> None:
    """In mutations, handlers bound by a mapping, logs, texts, waiters and exports."""
    mach = am.Machine(None, {name: am.State(), "Other": am.State(require=name)}, id="odd")
    mach.bind_tracer(recorder)
    mach.set_logger_empty(am.LogLevel.EVERYTHING)
    calls: list[str] = []
    names = [f"{name}Enter", f"{name}State", f"{name}Exit", f"{name}End", f"{name}{name}"]
    mach.bind_handlers(dict.fromkeys(names, lambda e: calls.append(e.name)))
    handle = mach.when1(name)

    mach.add([name, "Other"])
    mach.add1(name)
    ctx = mach.new_state_ctx(name)
    exported = am.Serialized.from_json(_verified(mach).export().to_json())
    mach.remove1(name)

    assert calls == [f"{name}Enter", f"{name}State", f"{name}{name}", f"{name}Exit", f"{name}End"]
    assert handle.done
    assert ctx.done
    assert mach.string_all() == f"() [{name}:2 Other:2 Exception:0]"
    assert name in mach.inspect([name])
    fresh = am.Machine(None, mach.get_struct())
    fresh.import_(exported)
    assert fresh.is_([name, "Other"])
    assert recorder.txs[0].called_states() == [name, "Other"]


def _verified(mach: am.Machine) -> am.Machine:
    mach.verify_states(mach.state_names())
    return mach


def test_the_name_of_the_global_handlers_is_taken() -> None:
    """`AnyEnter` could not be distinguished from the handler of a state called like that."""
    with pytest.raises(StateNameError, match="'Any' .*stands for all states"):
        am.Machine(None, {"Any": am.State()})


@pytest.mark.parametrize("name", ["", "x" * 1_001, None, 1, b"A", ("A",)])
def test_what_no_state_can_be_called_is_refused(name: Any) -> None:
    """At construction, with the name, shortened, and the rule."""
    with pytest.raises(StateNameError, match="1 to 1000 characters") as raised:
        am.Machine(None, {name: am.State()})
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize("state", [None, {}, {"auto": True}, "A", am.State])
def test_what_is_no_state_is_refused(state: Any) -> None:
    """With the name it was given for, and what it is."""
    with pytest.raises(TypeError, match="A.*State"):
        am.Machine(None, {"A": state})


def test_a_state_cannot_change() -> None:
    """Machines share what was worked out of it."""
    state = am.State(auto=True)

    with pytest.raises(AttributeError, match="make a new one to set auto"):
        state.auto = False  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        del state.auto


def test_a_state_is_a_value() -> None:
    """Equal by its fields, with a text, and copied as such."""
    state = am.State(auto=True, add=["B", "B", "C"], remove=[], tags=["t"])

    assert state == am.State(auto=True, add=("B", "C"), remove=(), tags="t")
    assert state != am.State(auto=True)
    assert state != "state"
    assert len({state, copy.deepcopy(state), pickle.loads(pickle.dumps(state))}) == 1
    assert repr(state) == "State(auto=True, add=['B', 'C'], remove=[], tags=['t'])"
    assert repr(am.State()) == "State()"
    assert state.replace(auto=False, multi=True).values() == (
        False, True, None, ("B", "C"), (), None, ("t",), False, None, None,
    )  # fmt: skip


def test_machines_of_equal_schemas_share_what_was_worked_out(struct: Struct) -> None:
    """By value, so also those whose schemas were written twice; tags are a part of it."""
    text = "Shared{require:Other} Other{}"
    first, second = am.Machine(None, struct(text)), am.Machine(None, struct(text))
    tagged = struct(text)
    tagged["Other"] = am.State(tags=["x"])

    assert first._schema is second._schema
    assert first._node is second._node
    assert am.Machine(None, tagged)._schema is not first._schema
    assert am.Machine(None, struct("Other{} Shared{require:Other}"))._schema is not first._schema


def test_a_changed_mapping_is_another_schema() -> None:
    """A struct is known again by what it holds, not by the object."""
    struct = {"A": am.State()}
    first = am.Machine(None, struct)

    struct["A"] = am.State(multi=True)
    struct["B"] = am.State()
    second = am.Machine(None, struct)

    assert first.state_names() == ["A", "Exception"]
    assert second.state_names() == ["A", "B", "Exception"]
    assert second.get_struct()["A"].multi


def test_calls_are_shared_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calling ever new combinations of states does not grow their memory without end."""
    monkeypatch.setattr("machine._schema.schema.CALLS_MAX", 8)
    names = [f"C{number}" for number in range(6)]
    mach = am.Machine(None, {name: am.State() for name in names})

    for one in names:
        for other in names:
            assert mach.set([one, other]) is am.Result.EXECUTED

    assert all(len(calls) <= 9 for calls in mach._schema.calls)


def test_calls_of_auto_states_have_a_limit_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each set of auto states that come together is one."""
    monkeypatch.setattr("machine._schema.schema.CALLS_MAX", 2)
    names = ["P", "Q", "R"]
    autos = {f"Auto{name}": am.State(auto=True, require="Never") for name in names}
    blockers = {name: am.State(remove=f"Auto{name}") for name in names}
    mach = am.Machine(None, {**autos, **blockers, "Never": am.State()})

    for states in (["P"], ["Q"], ["R"], ["P", "Q"], ["Q", "R"]):
        assert mach.set(states) is am.Result.EXECUTED

    assert len(mach._schema.auto_calls) <= 2


def test_a_relation_that_was_not_given_is_empty() -> None:
    """It is never None; whether it was given can be asked, and counts when states are compared."""
    state = am.State(remove=[], add="B")

    assert (state.require, state.remove, state.add, state.after) == ((), (), ("B",), ())
    assert (state.given("require"), state.given("remove"), state.given("add")) == (None, (), ("B",))
    assert state != am.State(add="B")
    assert state.replace(multi=True).given("remove") == ()
