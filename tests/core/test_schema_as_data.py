"""Schemas as plain data, and groups of states that exclude one another."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import machine as am
from machine._schema.plain import VERSION
from machine._schema.state import TIMEOUT_S_MAX
from machine.errors import StateUnknownError

NAMES = ["A", "B", "C", "Ä b", "Err"]

names = st.lists(st.sampled_from(NAMES), max_size=3)
limits = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {
            "timeout": st.floats(min_value=1e-9, max_value=TIMEOUT_S_MAX),
            "on_timeout": st.sampled_from(NAMES),
        }
    ),
)
fields = st.builds(
    lambda given, limit: {**given, **limit},
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(("auto", "multi", "initial"), st.booleans()),
            **dict.fromkeys(("require", "add", "remove", "after", "tags"), names),
        },
    ),
    limits,
)
structs = st.dictionaries(
    st.sampled_from(NAMES), st.builds(lambda given: am.State(**given), fields)
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["states", "order", "groups", "version", "A", "require", "timeout"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(structs, st.booleans())
def test_a_schema_survives_json(struct: dict[str, am.State], sort_keys: bool) -> None:
    """From JSON comes an equal schema in the same order, even if the keys were sorted."""
    data = json.loads(json.dumps(am.struct_to_dict(struct), sort_keys=sort_keys))
    read = am.struct_from_dict(data)

    assert read == struct
    assert list(read) == list(struct)


@given(structs, st.data())
def test_groups_survive_json(struct: dict[str, am.State], data: st.DataObject) -> None:
    """Groups come back as lists, in order."""
    known = st.lists(st.sampled_from(list(struct))) if struct else st.just([])
    groups = data.draw(st.dictionaries(st.text(max_size=3), known))
    text = json.dumps(am.struct_to_dict(struct, groups))

    assert am.groups_from_dict(json.loads(text)) == groups


@given(anything)
def test_any_data_is_a_schema_or_a_value_error(data: Any) -> None:
    """Whatever JSON holds, reading it gives a schema that a machine takes, or a ValueError."""
    try:
        struct = am.struct_from_dict(data)
        am.groups_from_dict(data)
    except ValueError:
        return
    am.Machine(None, struct, initial=())


@given(st.builds(lambda given: am.State(**given), fields))
def test_a_state_survives_its_fields(state: am.State) -> None:
    """A state made from its own fields is equal."""
    assert am.State.of(state.to_dict()) == state


def test_a_state_shows_what_it_was_given() -> None:
    """Fields with their defaults are left out; an empty relation is not one of these."""
    state = am.State(multi=True, require=(), add="B", timeout=5, on_timeout="C")

    assert state.to_dict() == {
        "multi": True,
        "require": [],
        "add": ["B"],
        "timeout": 5.0,
        "on_timeout": "C",
    }
    assert am.State().to_dict() == {}


def test_what_a_state_is_made_of() -> None:
    """`State.of` takes fields, a state or None, and suggests a field that was meant."""
    state = am.State(require="A")

    assert am.State.of(state) is state
    assert am.State.of(None) == am.State.of({}) == am.State()
    assert am.State.of({"require": ["A"]}) == state
    with pytest.raises(TypeError, match="no field 'requires'; did you mean require"):
        am.State.of({"requires": ["A"]})
    with pytest.raises(TypeError, match="the fields of a state are a dict"):
        am.State.of(["A"])  # type: ignore[arg-type]


def test_a_dictionary_written_by_hand() -> None:
    """States alone are enough; one name may stand for a list of one."""
    read = am.struct_from_dict({"states": {"A": {"remove": "B"}, "B": {}}})

    assert read == {"A": am.State(remove=["B"]), "B": am.State()}
    assert am.groups_from_dict({"states": {}}) == {}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ([], r"not a schema: it is a dictionary, not \[\]"),
        ({}, "not a schema: it lacks states"),
        ({"states": {}, "gruops": {}}, "unknown key 'gruops'; did you mean groups"),
        ({"states": {}, "version": VERSION + 1}, "version is at most 1, not 2"),
        ({"states": {}, "version": True}, "version is a whole number"),
        ({"states": ["A"]}, "states is a dictionary"),
        ({"states": {"A": None}}, "state A: its fields is a dictionary, not None"),
        (
            {"states": {"A": {"adds": "B"}}},
            "state A: a state has no field 'adds'; did you mean add",
        ),
        ({"states": {"A": {"auto": 1}}}, "state A: auto is True or False"),
        ({"states": {"A": {"timeout": 1}}}, "state A: timeout and on_timeout go together"),
        ({"states": {"Any": {}}}, "invalid state name"),
        ({"states": {"A": {}}, "order": "A"}, "order lists each state once, not 'A'"),
        ({"states": {"A": {}}, "order": ["A", "A"]}, "order lists each state once"),
        ({"states": {"A": {}}, "order": [1]}, "states are text, not 1"),
        ({"states": {"A": {}}, "order": ["A", "B"]}, "order and states differ in 'B'"),
        ({"states": {"A": {}}, "order": []}, "order and states differ in 'A'"),
        ({"states": {}, "groups": []}, "groups is a dictionary"),
        ({"states": {}, "groups": {"G": 5}}, "the states of group G are given as a list"),
        ({"states": {"Ab": {}}, "groups": {"G": "Abc"}}, "no state Abc; did you mean Ab"),
        ({"states": {}, "groups": {5: []}}, "groups are text, not 5"),
    ],
)
def test_what_is_not_a_schema(data: Any, text: str) -> None:
    """A dictionary that is no schema raises a ValueError that names the place."""
    with pytest.raises(ValueError, match=text):
        am.groups_from_dict(data)


def test_a_group_with_an_unknown_state_is_not_written() -> None:
    """Groups are checked on the way out, too."""
    with pytest.raises(ValueError, match="group G: there is no state Aa; did you mean A"):
        am.struct_to_dict({"A": am.State()}, {"G": "Aa"})


class Phases(am.StatesBase):
    """A definition with a group of states that exclude one another."""

    Draft: str = am.state(initial=True)
    Sent: str = am.state(remove="Idle")
    Paid: str = am.state()
    Idle: str
    Phase = am.exclusive(Draft, Sent, Paid)
    Closed: str = am.state(remove=Phase)
    Lost: str = am.state(remove=[*Phase, Closed])


class Groups(am.GroupsBase):
    """Groups of those states."""

    Open: list[str]


def test_a_states_class_as_data() -> None:
    """A states class and an object of a groups class can be written as well."""
    data = am.struct_to_dict(Phases, Groups(Open=[Phases.Draft, Phases.Sent]))

    assert am.struct_from_dict(data) == Phases.struct()
    assert am.groups_from_dict(data) == {"Open": ["Draft", "Sent"]}


def test_states_of_a_group_exclude_one_another() -> None:
    """Each removes the others, and what else it removed."""
    struct = Phases.struct()

    assert struct["Draft"] == am.State(initial=True, remove=["Sent", "Paid"])
    assert struct["Sent"].remove == ("Idle", "Draft", "Paid")
    mach = am.Machine(None, Phases)
    mach.add1(Phases.Paid)
    assert mach.active_states() == ["Paid"]


def test_a_group_is_a_tuple_of_names() -> None:
    """The attribute has the names, for calls and for relations of states further down."""
    assert Phases.Phase == am.new_states(Phases).Phase == ("Draft", "Sent", "Paid")
    assert Phases.struct()["Closed"].remove == ("Draft", "Sent", "Paid")
    assert Phases.struct()["Lost"].remove == ("Draft", "Sent", "Paid", "Closed")
    assert "Phase" not in Phases.names()


def test_a_class_that_inherits_extends_a_group() -> None:
    """The states of the base stay in their place, and exclude the new one in this class only."""

    class More(Phases):
        Refunded: str = am.state()
        Phase = am.exclusive(*Phases.Phase, Refunded, "Idle")

    assert More.names() == [*Phases.names(), "Refunded"]
    assert More.struct()["Draft"].remove == ("Sent", "Paid", "Refunded", "Idle")
    assert More.struct()["Idle"].remove == ("Draft", "Sent", "Paid", "Refunded")
    assert Phases.struct()["Draft"].remove == ("Sent", "Paid")


def test_a_group_has_states_of_its_class() -> None:
    """An unknown name in a group is refused, with what was meant."""
    with pytest.raises(TypeError, match="Wrong.Phase: there is no state Drift; did you mean Draft"):

        class Wrong(am.StatesBase):
            Draft: str
            Phase = am.exclusive("Draft", "Drift")


def test_a_schema_gets_exclusive_groups() -> None:
    """`struct_exclusive` returns another schema; a state may be in several groups."""
    struct = {"A": am.State(remove="X"), "B": am.State(), "C": am.State(), "X": am.State()}
    made = am.struct_exclusive(struct, ["A", "B"], ["B", "C"])

    assert made["A"].remove == ("X", "B")
    assert made["B"].remove == ("A", "C")
    assert made["X"] is struct["X"]
    assert struct["B"].given("remove") is None
    with pytest.raises(StateUnknownError, match="Bb, in a group .* did you mean B"):
        am.struct_exclusive(struct, ["A", "Bb"])
