"""The worked examples about auto states and the queue."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import machine as am

Made = Callable[..., am.Machine]
Watch = Callable[..., list[str]]
LogOf = Callable[..., list[str]]

EXECUTED, CANCELED, QUEUED = am.Result.EXECUTED, am.Result.CANCELED, am.Result.QUEUED
CHAIN = "A{} B{auto require:A} C{auto require:B} D{auto require:E} E{}"


def in_handler(mach: am.Machine, name: str, *calls: Callable[[], Any]) -> list[Any]:
    """Make these calls inside a handler; what they return is added to the list given back."""
    results: list[Any] = []
    mach.bind_handlers({name: lambda e: results.extend(call() for call in calls)})
    return results


def test_autos_that_require_each_other_activate_together(
    made: Made, log_of: LogOf, recorder: Any
) -> None:
    """Example 42: all auto states are tried in one mutation right after the one that ticked."""
    mach = made(CHAIN, tracers=[recorder])
    lines = log_of(mach)

    mach.add1("A")

    assert str(mach) == "(A:1 B:1 C:1)"
    assert [tx.queue_len for tx in recorder.txs] == [1, 0]
    told = ["[auto] B C D", "[add:auto] B C D", "[reject:auto] D(-E)", "[state:auto] +B +C"]
    assert [line for line in lines if line in told] == told


def test_no_tick_means_no_auto(made: Made, recorder: Any) -> None:
    """Example 42: an add that changes nothing gives auto states no turn."""
    mach = made(CHAIN, tracers=[recorder])
    mach.add1("A")
    recorder.txs.clear()

    mach.add1("A")

    assert [tx.is_auto() for tx in recorder.txs] == [False]


def test_removed_auto_states_come_back(made: Made) -> None:
    """Example 42: an auto state is gone only while what it requires is."""
    mach = made(CHAIN)
    mach.add1("A")

    mach.remove1("B")

    assert mach.time(["A", "B", "C"]) == [1, 3, 3]


def test_an_auto_transition_may_be_canceled_as_a_whole(made: Made, recorder: Any) -> None:
    """Example 42: when every auto state is rejected, the attempt is still visible."""
    mach = made(CHAIN, tracers=[recorder])
    mach.add1("A")
    mach.remove1("B")
    recorder.txs.clear()

    mach.remove1("A")

    assert mach.string_all() == "() [A:2 B:4 C:4 D:0 E:0 Exception:0]"
    assert [(tx.is_auto(), tx.accepted) for tx in recorder.txs] == [(False, True), (True, False)]


def test_an_auto_state_applies_its_own_remove(made: Made) -> None:
    """Example 43: it pushes out an active state, and is blocked by one that removes it."""
    mach = made("A{} B{auto remove:A} C{remove:B}")
    mach.add1("A")
    assert mach.string_all() == "(B:1) [A:2 C:0 Exception:0]"

    mach.add1("C")
    assert mach.string_all() == "(C:1) [A:2 B:2 Exception:0]"

    mach.add1("A")
    assert str(mach) == "(A:3 C:1)"


@pytest.mark.parametrize("denying", ["BEnter", "CB"])
def test_a_denial_drops_only_the_auto_state_concerned(
    made: Made, watch: Watch, denying: str
) -> None:
    """Example 44: the others activate, and no final handler of the dropped one runs."""
    mach = made("A{auto} B{auto} C{}")
    calls = watch(mach, deny=[denying])

    mach.add1("C")

    assert mach.string_all() == "(A:1 C:1) [B:0 Exception:0]"
    assert "BState" not in calls


def test_of_autos_that_remove_each_other_the_first_wins(made: Made) -> None:
    """Example 45: the first in index order is activated."""
    mach = made("A{} P{auto remove:Q} Q{auto remove:P}")

    mach.add1("A")

    assert str(mach) == "(A:1 P:1)"


def test_an_auto_state_without_conditions_always_comes_back(made: Made) -> None:
    """Example 46: removing it, or setting others, only makes it tick."""
    mach = made("A{auto} B{}")
    mach.add1("B")
    assert str(mach) == "(A:1 B:1)"

    mach.remove1("A")
    assert str(mach) == "(A:3 B:1)"

    mach.set(["B"])
    assert str(mach) == "(A:5 B:1)"


def test_an_auto_state_follows_the_state_that_it_requires(made: Made) -> None:
    """Example 47: work in progress shows as long as a file is being processed."""
    mach = made(
        "ProcessingFile{remove:FileProcessed} FileProcessed{remove:ProcessingFile} "
        "InProgress{auto require:ProcessingFile}"
    )
    mach.add1("ProcessingFile")
    assert str(mach) == "(ProcessingFile:1 InProgress:1)"

    mach.add1("FileProcessed")
    assert str(mach) == "(FileProcessed:1)"
    assert mach.time(["ProcessingFile", "InProgress"]) == [2, 2]


def test_superfluous_mutations_are_not_queued_twice(made: Made) -> None:
    """Example 48: an equal one that waits is enough, unless its opposite or args are involved."""
    mach = made()
    args = {"x": 1}
    results = in_handler(
        mach,
        "AState",
        lambda: mach.add1("B"),
        lambda: mach.add1("B"),
        lambda: mach.remove1("B"),
        lambda: mach.remove1("B"),
        lambda: mach.add1("B"),
        lambda: mach.add1("C", args),
        lambda: mach.add1("C", args),
        lambda: mach.remove1("D"),
        mach.queue_len,
    )

    assert mach.add1("A") is EXECUTED
    assert results == [QUEUED] * 8 + [6]
    assert str(mach) == "(A:1 B:3 C:1)"


def test_removing_an_inactive_state_inside_a_transition_is_done_at_once(made: Made) -> None:
    """Example 49: with an empty queue there is nothing to do, so nothing is queued."""
    mach = made()
    results = in_handler(mach, "AState", lambda: mach.remove1("D"), mach.queue_len)

    mach.add1("A")

    assert results == [EXECUTED, 0]


def test_a_full_queue_takes_one_more_error(made: Made) -> None:
    """Example 50: at the limit everything else is canceled."""
    mach = made(queue_limit=2)
    results = in_handler(
        mach,
        "AState",
        lambda: mach.add1("B", {"a": 1}),
        lambda: mach.add1("B", {"a": 1}),
        lambda: mach.add1("B", {"a": 1}),
        lambda: mach.add_err(RuntimeError("full")),
        lambda: mach.remove1("A"),
        lambda: mach.set(["C"]),
    )

    mach.add1("A")

    assert results == [QUEUED, QUEUED, CANCELED, QUEUED, CANCELED, CANCELED]
    assert str(mach) == "(A:1 B:1 Exception:1)"


def test_a_mutation_of_another_thread_runs_before_the_outer_call_returns(made: Made) -> None:
    """Example 51: whoever drains the queue also works off what others put in."""
    mach = made()
    results: list[am.Result] = []

    def add_from_thread(event: am.Event) -> None:
        thread = threading.Thread(target=lambda: results.append(mach.add1("B")))
        thread.start()
        thread.join()

    mach.bind_handlers({"AState": add_from_thread})

    assert mach.add1("A") is EXECUTED
    assert results == [QUEUED]
    assert str(mach) == "(A:1 B:1)"
