"""Queue ticks: waiting for one certain mutation of the queue; limiting the rate of many."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine._waiting.queue_ticks import QueueTicks
from machine._waiting.waiters import Waiters

Made = Callable[..., am.Machine]
LogOf = Callable[..., list[str]]
ADD, REMOVE = am.MutationType.ADD, am.MutationType.REMOVE


def queue_in_a(mach: am.Machine, *states: str) -> list[int]:
    """Add A, whose handler adds these states; the queue ticks of their mutations."""
    ticks: list[int] = []

    def a_state(e: am.Event) -> None:
        for state in states:
            e.machine.add1(state)
        ticks.extend(mutation.queue_tick for mutation in e.machine.queue())

    mach.bind_handlers({"AState": a_state})
    mach.add1("A")
    return ticks


def test_what_is_appended_to_the_queue_is_numbered_from_two(made: Made) -> None:
    """A machine starts at queue tick 1; each mutation that waits gets the next number."""
    mach = made()
    assert mach.queue_tick() == 1

    assert queue_in_a(mach, "B", "C", "D") == [2, 3, 4]
    assert mach.queue_tick() == 4


def test_what_does_not_wait_in_line_has_no_number(made: Made, recorder: Any) -> None:
    """Mutations that run at once, and those of auto states, leave the queue tick alone."""
    mach = made("A{} B{auto}")
    mach.bind_tracer(recorder)
    mach.add1("A")

    assert [tx.mutation.queue_tick for tx in recorder.txs] == [0, 0]
    assert mach.queue_tick() == 1


def test_a_skipped_duplicate_gets_no_number(made: Made) -> None:
    """What is not appended does not count."""
    assert queue_in_a(made(), "B", "B", "C") == [2, 3]


def test_a_tracer_gets_the_number_of_what_has_to_wait(made: Made) -> None:
    """`mutation_queued` hands over the mutation with its queue tick."""
    ticks: list[int] = []

    class Queued(am.Tracer):
        def mutation_queued(self, machine: am.Machine, mutation: am.Mutation) -> None:
            ticks.append(mutation.queue_tick)

    mach = made()
    mach.bind_tracer(Queued())
    queue_in_a(mach, "B", "C")

    assert ticks == [2, 3]


def test_waiting_for_a_queue_tick_ends_when_its_mutation_is_done(made: Made) -> None:
    """The handle is released right after that transition, before the next one starts."""
    mach = made()
    released: list[list[bool]] = []
    waits = [mach.when_queue(tick) for tick in (2, 3, 4)]
    mach.bind_handlers({"AnyState": lambda e: released.append([handle.done for handle in waits])})
    queue_in_a(mach, "B", "C")

    assert released == [[False] * 3, [False] * 3, [True, False, False]]
    assert [handle.done for handle in waits] == [True, True, False]
    assert waits[0].reason == "match"


def test_a_queue_tick_that_is_past_is_no_wait(made: Made) -> None:
    """Asking for what is done gives a released handle and leaves nothing behind."""
    mach = made()
    queue_in_a(mach, "B")

    handle = mach.when_queue(2)
    assert handle.done
    assert handle.reason == "match"
    assert mach._waiters is None or not len(mach._waiters)


@pytest.mark.parametrize("refusal", ["denied", "failed"])
def test_a_mutation_that_comes_to_nothing_is_done_too(made: Made, refusal: str) -> None:
    """Canceled, failed or carried out: its queue tick is past."""
    mach = made()

    def b_enter(e: am.Event) -> bool:
        if refusal == "failed":
            raise RuntimeError("boom")
        return False

    mach.bind_handlers({"BEnter": b_enter})
    handle = mach.when_queue(2)
    queue_in_a(mach, "B")

    assert handle.done
    assert mach.not1("B")


def test_an_error_that_passes_through_does_not_hold_a_queue_tick(made: Made) -> None:
    """What is raised to the caller ends the mutation as well."""
    mach = made(panic_to_exception=False)

    def b_enter(e: am.Event) -> bool:
        raise RuntimeError("boom")

    mach.bind_handlers({"BEnter": b_enter})
    handle = mach.when_queue(2)
    with pytest.raises(RuntimeError, match="boom"):
        queue_in_a(mach, "B")

    assert handle.done


def test_waiting_for_a_queue_tick_ends_with_its_context(made: Made) -> None:
    """Like every waiter it may be limited, and leaves nothing behind."""
    mach, ctx = made(), am.Context()
    handle = mach.when_queue(5, ctx)
    ctx.cancel()

    assert handle.reason == "ctx"
    assert len(mach._subscriptions()) == 0
    assert not mach._ticks_of_queue().waits


def test_waiting_for_a_queue_tick_ends_with_the_machine(made: Made) -> None:
    """What was dropped with the machine's queue will never run."""
    mach = made()
    handle = mach.when_queue(2)
    mach.dispose_force()

    assert handle.reason == "disposed"
    assert mach.when_queue(2).done


def test_a_mutation_that_is_done_while_one_subscribes_is_not_missed(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drainer may be past the tick between the first look and the place in the index."""
    mach = made()
    enter = Waiters._enter

    def late(waiters: Waiters, *args: Any) -> Any:
        entered = enter(waiters, *args)
        assert mach._ticks_of_queue().finish(2)
        return entered

    monkeypatch.setattr(Waiters, "_enter", late)
    handle = mach.when_queue(2)

    assert handle.reason == "match"
    assert len(mach._subscriptions()) == 0


def test_the_log_shows_waiting_for_a_queue_tick(made: Made, log_of: LogOf) -> None:
    """A new waiter and its match are lines of the log."""
    mach = made()
    lines = log_of(mach, am.LogLevel.OPS)
    handle = mach.when_queue(2)
    queue_in_a(mach, "B")

    assert handle.done
    assert [line for line in lines if "whenQueue" in line] == [
        "[whenQueue:new] 2",
        "[whenQueue:match] 2",
    ]


def test_a_mutation_that_is_done_early_waits_for_those_before() -> None:
    """Two threads may append in another order than they got their numbers."""
    ticks = QueueTicks()
    assert [next(ticks.issued) for _ in range(3)] == [2, 3, 4]

    ticks.finish(3)
    assert ticks.done == 1
    ticks.finish(2)
    assert ticks.done == 3
    ticks.finish(4)
    assert ticks.done == 4


def test_a_mutation_that_is_prepended_again_is_done_once(made: Made) -> None:
    """Putting a mutation off does not disturb the numbers."""
    mach = made()

    def b_enter(e: am.Event) -> bool | None:
        mutation = e.mutation()
        assert mutation is not None
        if put_off:
            return True
        put_off.append(mutation)
        e.machine.prepend_mut(mutation)
        return False

    put_off: list[am.Mutation] = []
    mach.bind_handlers({"BEnter": b_enter})
    queue_in_a(mach, "B", "C")

    assert mach.is_(["A", "B", "C"])
    assert mach.queue_tick() == 3


def test_threads_get_different_numbers(made: Made, in_threads: Callable[..., None]) -> None:
    """No number is given twice, and in the end all are done."""
    mach = made("A{multi}", queue_limit=100_000)
    seen: list[int] = []
    hold, begun = threading.Event(), threading.Event()

    def a_state(e: am.Event) -> None:
        begun.set()
        hold.wait(10)

    def mutate() -> None:
        for number in range(100):
            mach.add1("A", {"n": number})

    mach.bind_handlers({"AState": a_state})
    first = threading.Thread(target=lambda: mach.add1("A"))
    first.start()
    assert begun.wait(10)
    in_threads(mutate, mutate, mutate, mutate)
    seen = [mutation.queue_tick for mutation in mach.queue()]
    hold.set()
    first.join(60)

    assert sorted(seen) == list(range(2, 402))
    assert mach.queue_tick() == 401


@pytest.mark.parametrize(
    ("threshold", "args", "above"),
    [
        (0, (ADD, "B"), True),
        (1, (ADD, "B"), True),
        (3, (ADD, "B"), True),
        (4, (ADD, "B"), False),
        (2, (ADD, "B", True), True),
        (3, (ADD, "B", True), False),
        (2, (ADD, "B", False, True), True),
        (3, (ADD, "B", False, True), False),
        (2, (ADD, "B", False, False, 1), True),
        (3, (ADD, "B", False, False, 1), False),
        (1, (REMOVE, "B"), False),
    ],
)
def test_counting_what_waits_of_one_kind(
    made: Made, threshold: int, args: tuple[Any, ...], above: bool
) -> None:
    """`is_queued_above` is True if at least this many mutations of a kind wait."""
    mach = made("A{} B{multi} C{}")
    found: list[bool] = []

    def a_state(e: am.Event) -> None:
        e.machine.add1("B")
        e.machine.add1("B", {"n": 1})
        e.machine.add(["B", "C"])
        found.append(e.machine.is_queued_above(threshold, *args))

    mach.bind_handlers({"AState": a_state})
    mach.add1("A")

    assert found == [above]


def test_an_unknown_state_is_reported_when_counting(made: Made) -> None:
    """Asking for what cannot be queued is a mistake of the program."""
    with pytest.raises(am.errors.StateMissingError):
        made().is_queued_above(1, ADD, "Nope")
