"""Duplicates: which mutations are skipped because an equal one waits in the queue."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

import machine as am
from tests.core.inside import inside, waiting

Made = Callable[..., am.Machine]
LogOf = Callable[..., list[str]]

CANCELED, QUEUED = am.Result.CANCELED, am.Result.QUEUED


def test_an_equal_mutation_that_waits_is_enough(made: Made, log_of: LogOf) -> None:
    """The duplicate is not queued, its call returns QUEUED, and the log has a line."""
    mach = made()
    lines = log_of(mach)

    results = inside(mach, lambda e: [mach.add(["B", "C"]), mach.add(["C", "B"])])

    assert results == [QUEUED, QUEUED]
    assert "[queue:skipped] Duplicate detected for [add] C B" in lines
    assert lines.count("[queue:add] B C") == 1


@pytest.mark.parametrize(
    ("first", "between", "again", "expected"),
    [
        ("add B", "", "add B", 1),
        ("add B", "remove B", "add B", 3),
        ("add B", "remove C", "add B", 3),
        ("add B", "remove B C", "add B", 3),
        ("add B C", "remove B", "add B C", 3),
        ("add B", "set B", "add B", 3),
        ("remove A", "add A", "remove A", 3),
        ("remove A", "add B", "remove A", 3),
        ("add B C", "", "add C B", 1),
        ("set B", "", "set B", 1),
        ("set B", "add C", "set B", 3),
        ("add M", "", "add M", 2),
        ("add B M", "", "add B M", 2),
    ],
)
def test_what_counts_as_a_duplicate(
    made: Made, first: str, between: str, again: str, expected: int
) -> None:
    """A mutation that equals the last one in the queue, not one that equals an earlier one."""
    mach = made("A{} B{} C{} M{multi}")

    def work(event: am.Event) -> int:
        for text in filter(None, (first, between, again)):
            kind, *states = text.split()
            getattr(mach, kind)(states)
        return mach.queue_len()

    assert inside(mach, work) == expected


def test_arguments_make_a_mutation_different(made: Made) -> None:
    """Neither the new one nor the one that waits may have arguments to be a duplicate."""
    mach = made()

    def work(event: am.Event) -> list[str]:
        for args in ({"n": 1}, {"n": 1}, None, None, {}, {"n": 1}, {}):
            mach.add1("B", args)
        return waiting(mach)

    assert inside(mach, work) == ["[add] B"] * 5


@pytest.mark.parametrize(
    ("states", "call"),
    [
        ("G{} A{add:C} C{}", "set A"),
        ("G{} A{auto}", "remove A"),
        ("G{} A{} P{auto add:A}", "remove A"),
        ("G{} A{} M{multi add:A}", "remove A"),
        ("G{} A{add:C} C{remove:D} D{}", "add A"),
        ("G{} A{} M{multi add:C} C{remove:D} D{}", "add A"),
    ],
)
def test_what_relations_may_answer_differently_is_asked_again(
    made: Made, states: str, call: str
) -> None:
    """It is no duplicate, because the outcome of the first may not last until the second."""
    mach = made(states)
    kind, name = call.split()

    def work(event: am.Event) -> int:
        mach.add1("G", {"n": 1})  # or a removal of what is inactive would not wait at all
        for _ in range(2):
            getattr(mach, kind)(name)
        return mach.queue_len()

    assert inside(mach, work, "G") == 3


def test_what_excludes_itself_is_canceled_every_time(made: Made) -> None:
    """The second is a duplicate although it adds a state that removes another."""
    mach = made("G{} A{add:C} B{remove:A} C{remove:D} D{}")

    def work(event: am.Event) -> int:
        for _ in range(2):
            mach.add(["A", "B"])
        return mach.queue_len()

    assert inside(mach, work, "G") == 1


def test_a_check_makes_no_mutation_superfluous(made: Made) -> None:
    """A check only asks."""
    mach = made()

    def work(event: am.Event) -> list[am.Result]:
        return [mach.can_add1("B"), mach.add1("B")]

    assert inside(mach, work) == [QUEUED, QUEUED]
    assert mach.is1("B")


def test_the_auto_states_make_no_mutation_superfluous(made: Made) -> None:
    """An auto mutation may do with some of its states, and calls no others."""
    mach = made("G{} P{auto} Q{auto require:P remove:G}")

    def work(event: am.Event) -> int:
        mach.prepend_mut(mach.resolver().auto_mutation(["P"]))  # type: ignore[attr-defined]
        mach.add1("P")
        return mach.queue_len()

    assert inside(mach, work, "G") == 2


def test_a_skipped_duplicate_has_the_result_of_the_one_that_waits(made: Made) -> None:
    """A call outside of a drain that finds its equal in the queue gets that one's result."""
    mach = made(panic_to_exception=False)

    def leave_it_behind(event: am.Event) -> None:
        mach.add1("B")
        raise RuntimeError("leaves the queue as it is")

    handlers = {"AState": leave_it_behind, "BEnter": lambda e: False}
    mach.bind_handlers(handlers)
    with pytest.raises(RuntimeError):
        mach.add1("A")
    assert waiting(mach) == ["[add] B"]

    assert mach.add1("B") is CANCELED
    assert waiting(mach) == []


def test_looking_for_duplicates_is_safe_while_the_queue_moves(
    made: Made, in_threads: Callable[..., None]
) -> None:
    """Threads may put the same mutations into the queue while another one takes them out."""
    mach = made(queue_limit=10_000)
    mach.bind_handlers({"AnyEnter": lambda e: None})

    def mutate(state: str) -> None:
        for _ in range(200):
            mach.add1(state)
            mach.remove1(state)
            mach.set([state])

    in_threads(*(partial(mutate, state) for state in "ABCD"))

    assert mach.queue_len() == 0
