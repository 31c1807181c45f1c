"""The worked examples about texts, the log, sources, toggling and export."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine.errors import StateUnknownError

Made = Callable[..., am.Machine]
LogOf = Callable[..., list[str]]

RELS = "A{auto require:C} B{multi add:C} C{after:D} D{add:[C,B]}"


def test_a_machine_reads_as_text(made: Made) -> None:
    """Example 61: active states with their ticks; all of them; and one block for each."""
    mach = made(RELS)
    mach.add1("C")

    assert str(mach) == "(A:1 C:1)"
    assert mach.string_all() == "(A:1 C:1) [B:0 D:0 Exception:0]"
    assert mach.inspect(["A", "B"]) == (
        "A:\n  State:   true 1\n  Auto:    true\n  Require: C\n\n"
        "B:\n  State:   false 0\n  Multi:   true\n  Add:     C\n\n"
    )


def test_ticks_are_read_for_all_or_some_states(made: Made) -> None:
    """Example 61: times follow the order of the names that were asked for."""
    mach = made(RELS)
    mach.add1("C")

    assert str(mach.time()) == "1,0,1,0,0"
    assert str(mach.time(["C", "A"])) == "1,1"
    assert mach.time_sum() == 2
    assert mach.switch(["B", "C"], ["A"]) == "C"


def test_log_lines_show_selected_arguments(made: Made) -> None:
    """Example 62: the mapper selects and cuts; lines begin with the first of the id."""
    mapper = am.new_args_mapper(["arg", "b"], 5)
    mach = made("A{}", id="mach1", log_args=mapper)
    lines: list[str] = []
    mach.set_logger_simple(lambda text, *args: lines.append(text % args), am.LogLevel.CHANGES)
    mach.bind_handlers({"AState": lambda e: mach.log("hello %d\nx", 5)})

    mach.add1("A", {"arg": "foofoofoo", "b": 12, "zz": 1})
    mach.log("outside\nx")

    assert lines == [
        "[mach1] [state] +A (arg=fo... b=12)",
        "[mach1] [extern:AState] hello 5 x",
        "[mach1] [extern] outside x",
    ]


def test_a_transition_reads_as_its_steps(made: Made, recorder: Any) -> None:
    """Example 63: one line for each thing that happened while resolving."""
    mach = made("A{require:B add:C} B{} C{} D{remove:C}", tracers=[recorder])
    mach.add1("D")

    mach.add(["A", "B"])

    assert str(recorder.txs[-1]).split("\n") == [
        "A (requested)",
        "B (requested)",
        "A (set)",
        "B (set)",
        "A -> C (rel)",
        "C (set)",
        "A -> B (rel)",
        "D -> C (rel)",
        "C (removenotactive)",
        "A -> C (rel)",
        "C (set)",
        "A -> B (rel)",
    ]


def test_a_mutation_tells_the_transition_it_came_from(made: Made, log_of: LogOf) -> None:
    """Example 64: a handler that mutates another machine passes its event as the source."""
    first, second = made("A{}", id="M1"), made("B{}", id="M2")
    lines = log_of(second)
    results: list[am.Result] = []
    ids: list[str] = []

    def pass_on(event: am.Event) -> None:
        ids.append(event.transition_id)
        results.append(second.ev_add1(event, "B", event.args))

    first.bind_handlers({"AState": pass_on})
    first.add1("A")

    assert results == [am.Result.EXECUTED]
    assert f"[source] M1/{ids[0]}/0" in lines


def test_toggling_removes_only_when_all_are_active(made: Made) -> None:
    """Example 65: states that are partly active are added."""
    mach = made()
    mach.toggle1("A")
    assert str(mach) == "(A:1)"

    mach.toggle(["A", "B"])
    assert str(mach) == "(A:1 B:1)"

    mach.toggle(["A", "B"])
    assert mach.string_all() == "() [A:2 B:2 C:0 D:0 Exception:0]"


@pytest.fixture
def exported(made: Made) -> am.Serialized:
    """What is kept of a machine in which A is active and B was."""
    mach = made(id="origin")
    mach.verify_states(["A", "B", "C", "D", "Exception"])
    mach.add(["A", "B"])
    mach.remove1("B")
    return mach.export()


def test_an_exported_machine_can_be_imported(made: Made, exported: am.Serialized) -> None:
    """Example 66: a fresh machine takes over the text, the id and the verified order."""
    mach = made(id="fresh")

    mach.import_(exported)

    assert mach.string_all() == "(A:1) [B:2 C:0 D:0 Exception:0]"
    assert mach.id == "origin"
    assert mach.states_verified()


def test_importing_states_that_are_not_defined_changes_nothing(
    made: Made, exported: am.Serialized
) -> None:
    """Example 66: the error names the unknown state."""
    mach = made("A{} C{} D{}", id="fresh")

    with pytest.raises(StateUnknownError, match="state unknown: B"):
        mach.import_(exported)
    assert mach.string_all() == "() [A:0 C:0 D:0 Exception:0]"
    assert mach.id == "fresh"
    assert not mach.states_verified()
