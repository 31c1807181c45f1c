"""Putting state lists and schemas together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

import machine as am
from machine import State

names = st.lists(st.sampled_from("ABCDE"))


def test_lists_are_joined_without_repeats() -> None:
    """The order is that of the lists; of nothing comes nothing."""
    assert am.s_add(["A", "B"], ("B", "C"), "D") == ["A", "B", "C", "D"]
    assert am.s_add() == []
    assert am.s_add([], []) == []


@given(st.lists(names))
def test_joined_lists_hold_each_name_once_in_order(lists: list[list[str]]) -> None:
    """`s_add` is what is left of all lists after dropping repeats."""
    joined = am.s_add(*lists)
    flat = [name for one in lists for name in one]

    assert sorted(joined) == sorted(set(flat))
    assert joined == sorted(set(flat), key=flat.index)


def test_lists_are_subtracted_in_order() -> None:
    """`diff_states` keeps what the second list does not hold."""
    assert am.diff_states(["A", "B", "C"], ["B"]) == ["A", "C"]
    assert am.diff_states("A", "A") == []
    assert am.diff_states(["A"], []) == ["A"]


def test_lists_are_equal_as_sets() -> None:
    """Neither order nor repeats count."""
    assert am.states_equal(["A", "B"], ("B", "A", "A"))
    assert not am.states_equal(["A"], ["A", "B"])
    assert am.states_equal("A", ["A"])
    assert am.states_equal([], ())


def test_a_state_is_extended() -> None:
    """`state_add` extends relations and tags, and leaves flags and absent relations alone."""
    source = State(auto=True, require="A", add="B", tags="t1")
    overlay = State(multi=True, require=["C", "A"], remove="D", tags="t2")

    assert am.state_add(source, overlay) == State(
        auto=True, require=["A", "C"], add="B", remove="D", tags=["t1", "t2"]
    )
    assert am.state_add(source, State()).given("after") is None
    assert source.require == ("A",)


def test_a_state_is_replaced_in_part() -> None:
    """`state_set` sets both flags and replaces the relations that the overlay defines."""
    source = State(auto=True, require="A", add="B", after="C")
    overlay = State(require=[], add="X")

    assert am.state_set(source, False, True, overlay) == State(
        multi=True, require=[], add="X", after="C"
    )


def test_schemas_are_merged_state_by_state() -> None:
    """A later definition replaces an earlier one as a whole, in the place of the first."""
    first = {"A": State(require="B"), "B": State()}
    merged = am.struct_merge(first, {"C": State(), "A": State(multi=True)})

    assert merged == {"A": State(multi=True), "B": State(), "C": State()}
    assert list(merged) == ["A", "B", "C"]
    assert first["A"] == State(require="B")
    assert am.struct_merge() == {}


def test_a_schema_is_copied() -> None:
    """Changing the copy leaves the original alone."""
    struct = {"A": State()}
    copy = am.clone_states(struct)
    copy["B"] = State()

    assert struct == {"A": State()}


def test_arguments_are_merged() -> None:
    """Later values count; nothing given is nothing; the originals stay."""
    first = {"a": 1, "b": 1}

    assert am.a_merge(first, None, {"b": 2}) == {"a": 1, "b": 2}
    assert first == {"a": 1, "b": 1}
    assert am.a_merge() == {}
    assert am.a_merge(None) == {}
