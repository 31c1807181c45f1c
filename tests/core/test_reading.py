"""Reading a machine: which states are active, how it reads as text, what it is made of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import machine as am

Made = Callable[..., am.Machine]

RELS = "A{auto require:C} B{multi add:C} C{after:D} D{add:[C,B]}"


@pytest.fixture
def mach(made: Made) -> am.Machine:
    """A machine in which A and B are active."""
    mach = made()
    mach.add(["A", "B"])
    return mach


def test_is_asks_for_all_states(mach: am.Machine) -> None:
    """No state at all is always true, an unknown one never."""
    assert mach.is_(["A", "B"])
    assert mach.is_([])
    assert not mach.is_(["A", "B", "C"])
    assert not mach.is_(["A", "X"])


def test_not_asks_for_none_of_the_states(mach: am.Machine) -> None:
    """A single active one makes it false."""
    assert mach.not_(["C", "D"])
    assert mach.not_([])
    assert not mach.not_(["A", "C"])
    assert not mach.not_(["A", "B"])
    assert not mach.not1("A")
    assert mach.not1("D")


def test_any_asks_for_one_list_as_a_whole(mach: am.Machine) -> None:
    """With `any1` each list is a single state."""
    assert mach.any(["A", "B"], ["C"])
    assert mach.any(["A", "C"], ["B"])
    assert not mach.any(["A", "C"], ["B", "D"])
    assert mach.any1("C", "A")
    assert not mach.any1("C", "D")


def test_has_asks_for_definitions(mach: am.Machine) -> None:
    """All of the states are in the schema; a repeated name is fine."""
    assert mach.has(["C", "D"])
    assert mach.has(["A", "A"])
    assert mach.has1("A")
    assert not mach.has(["A", "E"])
    assert not mach.has1("E")


def test_active_states_are_counted(mach: am.Machine) -> None:
    """Only those in the list count."""
    assert mach.count_active(["A", "B", "C"]) == 2


def test_switch_names_the_active_state_of_a_group(mach: am.Machine) -> None:
    """The first active one of all groups; empty when none is active."""
    assert mach.switch(["A", "B"]) == "A"
    assert mach.switch(["C"], ["D", "B"]) == "B"
    assert mach.switch(["C", "D"]) == ""


def test_a_machine_reads_as_text(mach: am.Machine) -> None:
    """Its active states, or all of them, with their ticks; a time is a list of ticks."""
    assert str(mach) == mach.string() == "(A:1 B:1)"
    assert mach.string_all() == "(A:1 B:1) [C:0 D:0 Exception:0]"
    assert str(mach.time()) == "1,1,0,0,0"
    assert str(mach.time(["C", "A"])) == "0,1"
    assert mach.time_sum() == 2


def test_each_state_is_inspected_as_a_block(made: Made) -> None:
    """All states in their order, or those asked for."""
    mach = made(RELS)
    mach.add1("C")
    a = "A:\n  State:   true 1\n  Auto:    true\n  Require: C\n\n"
    b = "B:\n  State:   false 0\n  Multi:   true\n  Add:     C\n\n"
    c = "C:\n  State:   true 1\n  After:   D\n\n"
    d = "D:\n  State:   false 0\n  Add:     C B\n\n"

    assert mach.inspect(["A", "B"]) == a + b
    assert mach.inspect().startswith(a + b + c + d)
    mach.verify_states(["D", "C", "B", "A", "Exception"])
    assert mach.inspect().startswith(d + c + b + a)


def test_values_read_as_the_words_of_the_specification() -> None:
    """Each kind of result, mutation and relation has its word; no operation has none."""
    assert [str(result) for result in am.Result] == ["executed", "canceled", "queued", ""]
    assert [str(kind) for kind in am.MutationType] == ["add", "remove", "set", "eval"]
    assert [str(relation) for relation in am.Relation] == ["after", "add", "require", "remove"]


def test_numbers_of_steps_and_log_levels_have_texts() -> None:
    """A number that is no kind of step has none; a level that is unknown is nothing."""
    steps = ["rel", "handler", "set", "remove", "removenotactive", "requested", "cancel"]
    levels = ["nothing", "changes", "ops", "decisions", "everything", "nothing"]

    assert [am.step_type_text(1 << bit) for bit in range(7)] == steps
    assert am.step_type_text(3) == ""
    assert [am.log_level_text(level) for level in range(6)] == levels
