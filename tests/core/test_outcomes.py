"""Outcomes of mutations: ended when the mutation is done, from any thread and loop."""

from __future__ import annotations

import asyncio
import gc
import inspect
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import machine as am

Make = Callable[..., am.Machine]
LogOf = Callable[..., list[str]]
Kind = am.ReasonKind
EXECUTED, CANCELED, QUEUED = am.Result.EXECUTED, am.Result.CANCELED, am.Result.QUEUED


def kind_of(outcome: am.Outcome) -> am.ReasonKind | None:
    return outcome.reason and outcome.reason.kind


def test_a_mutation_that_runs_at_once_has_ended(made: Make) -> None:
    """The outcome has the result, the number in the queue and what the transition did."""
    mach = made("A{add:B} B{} C{}")
    outcome = mach.ask.add1("A")

    assert outcome.done
    assert (outcome.result, outcome.reason, outcome.tick) == (EXECUTED, None, 2)
    assert outcome.transition is not None
    assert outcome.transition.enters == ("A", "B")
    assert outcome.transition.called_states == ("A",)
    assert sum(outcome.transition.time_after) - sum(outcome.transition.time_before) == 2
    assert repr(outcome) == "<Outcome: executed>"


def test_a_canceled_mutation_has_its_reason(made: Make) -> None:
    """Waiting for it returns False, and its transition changed nothing."""
    mach = made("A{require:B} B{}")
    outcome = mach.ask.add1("A")

    assert not outcome.wait(0)
    assert outcome.result is CANCELED
    assert str(outcome.reason) == "A requires B, which is not active"
    assert outcome.transition is not None
    assert (outcome.transition.is_accepted, outcome.transition.enters) == (False, ())


def test_a_mutation_that_waits_ends_in_its_turn(made: Make) -> None:
    """Inside a handler the outcome is open; once the drain got to it, it has ended."""
    mach, made_inside = made(), []

    def ask(event: am.Event) -> None:
        outcome = event.machine.ask.add1("B")
        made_inside.append((outcome, outcome.done, outcome.result, outcome.reason))
        assert outcome.transition is None
        assert repr(outcome) == "<Outcome ask [add] B: queued>"

    mach.bind_handlers({"AState": ask})
    mach.add1("A")
    outcome, *inside = made_inside[0]

    assert inside == [False, QUEUED, None]
    assert outcome.wait(0)


def test_it_has_ended_before_the_auto_states(made: Make) -> None:
    """An outcome ends with its transition; what follows from it is not waited for."""
    mach, seen = made("A{} B{auto require:A} C{}"), []
    outcomes: list[am.Outcome] = []
    mach.bind_handlers(
        {
            "CState": lambda e: outcomes.append(e.machine.ask.add1("A")),
            "BEnter": lambda _: seen.append(outcomes[0].done),
        }
    )
    mach.add1("C")

    assert seen == [True]


def test_the_reason_of_a_waiting_mutation_is_kept(made: Make) -> None:
    """A handler that denies a mutation in its turn is the reason of its outcome."""
    mach, outcomes = made(), []
    mach.bind_handlers(
        {
            "AState": lambda e: outcomes.append(e.machine.ask.add1("B", {"n": 1})),
            "BEnter": lambda _: False,
        }
    )
    mach.add1("A")

    assert kind_of(outcomes[0]) is Kind.HANDLER
    assert outcomes[0].reason.names == ("BEnter",)
    assert mach.last_refusal is None


def test_a_full_queue_ends_it_at_once(made: Make) -> None:
    """The mutation is counted as refused, and its outcome has the queue as its reason."""
    mach, outcomes = made(queue_limit=1), []

    def fill(event: am.Event) -> None:
        event.machine.add1("B")
        outcomes.append(event.machine.ask.add1("C"))

    mach.bind_handlers({"AState": fill})
    mach.add1("A")

    assert kind_of(outcomes[0]) is Kind.QUEUE_FULL
    assert (outcomes[0].result, outcomes[0].tick, mach.queue_refused) == (CANCELED, 0, 1)
    assert outcomes[0].transition is None


def test_an_error_gets_into_a_full_queue(made: Make) -> None:
    """One error is accepted, as without an outcome."""
    mach, outcomes = made(queue_limit=1), []

    def fill(event: am.Event) -> None:
        event.machine.add1("B")
        outcomes.append(event.machine.ask.add_err(ValueError("bad")))

    mach.bind_handlers({"AState": fill})
    mach.add1("A")

    assert outcomes[0].result is EXECUTED


def test_a_disposed_machine_ends_it_at_once(made: Make) -> None:
    """After the end no mutation is accepted."""
    mach = made()
    mach.dispose_force()

    assert kind_of(mach.ask.add1("A")) is Kind.DISPOSED
    assert kind_of(mach.ask.add_err(ValueError("late"))) is Kind.DISPOSED


def test_a_disposal_ends_what_waits(made: Make) -> None:
    """A mutation that never gets its turn ends with that reason; no thread waits for ever."""
    mach, outcomes = made(), []

    def end(event: am.Event) -> None:
        outcomes.append(event.machine.ask.add1("B"))
        event.machine.dispose_force()

    mach.bind_handlers({"AState": end})
    mach.add1("A")

    assert outcomes[0].done
    assert not outcomes[0].wait()
    assert (outcomes[0].result, kind_of(outcomes[0])) == (CANCELED, Kind.DISPOSED)
    assert outcomes[0].transition is None


def test_a_disposal_that_has_begun_cancels_what_waits(made: Make) -> None:
    """The drain goes through the queue, but runs nothing any more."""
    mach, outcomes = made(), []

    def end(event: am.Event) -> None:
        outcomes.append(event.machine.ask.add1("B"))
        event.machine.dispose()

    mach.bind_handlers({"AState": end})
    mach.add1("A")

    assert not outcomes[0].wait(10)
    assert kind_of(outcomes[0]) is Kind.DISPOSED


def test_a_closed_loop_ends_what_waits() -> None:
    """All that waits for the loop is canceled by the next mutation, outcomes too."""
    loop = asyncio.new_event_loop()
    mach = am.Machine(None, {"A": am.State(), "B": am.State()}, id="pinned", executor=loop)
    waiting = mach.ask.add1("A")
    assert waiting.result is QUEUED
    loop.close()
    refused = mach.ask.add1("B")

    assert [kind_of(waiting), kind_of(refused)] == [Kind.LOOP_CLOSED] * 2


def test_a_handler_cannot_wait_for_it(made: Make) -> None:
    """The machine goes on only once the handler returns, so the wait raises at once."""
    mach = made()
    mach.bind_handlers({"AState": lambda e: e.machine.ask.add1("B").wait(30)})
    mach.add1("A")

    assert isinstance(mach.err, am.errors.DeadlockError)
    assert "waits for ask [add] B" in str(mach.err)


def test_another_thread_waits_for_it(made: Make) -> None:
    """A thread that blocks on an outcome goes on when the drain of another thread got to it."""
    mach, asked, answers = made(), threading.Event(), []

    def wait() -> None:
        outcome = mach.ask.add1("B")
        asked.set()
        answers.append(outcome.wait(10))

    thread = threading.Thread(target=wait)

    def hold(_: am.Event) -> None:
        thread.start()
        assert asked.wait(10)

    mach.handler_timeout = 30
    mach.bind_handlers({"AState": hold})
    mach.add1("A")
    thread.join(10)

    assert answers == [True]


def test_a_task_awaits_it(made: Make) -> None:
    """In a loop an outcome is awaited, alone or with other handles."""
    mach = made("A{} B{require:C} C{}")

    async def main() -> list[object]:
        results: list[object] = [await mach.ask.add1("A"), await mach.ask.add1("B")]
        outcome = mach.ask.add1("A")
        won = await am.first_async(outcome, mach.when1("C"))
        return [*results, won is outcome]

    assert asyncio.run(main()) == [True, False, True]


def test_a_pinned_machine_is_asked_from_another_thread() -> None:
    """The loop runs the mutation, and the thread waits for it."""

    async def main() -> tuple[bool, am.Result]:
        loop = asyncio.get_running_loop()
        mach = am.Machine(None, {"A": am.State()}, id="pinned", executor=loop)
        outcome = await asyncio.to_thread(mach.ask.add1, "A")
        return await outcome, outcome.result

    assert asyncio.run(main()) == (True, EXECUTED)


def test_callbacks_run_at_the_end(made: Make) -> None:
    """A callback gets the outcome when it has ended."""
    mach, ended = made(), []

    def ask(event: am.Event) -> None:
        event.machine.ask.add1("B").add_done_callback(lambda one: ended.append(one.result))
        assert not ended

    mach.bind_handlers({"AState": ask})
    mach.add1("A")

    assert ended == [EXECUTED]


def test_an_outcome_that_nothing_holds_is_dropped(made: Make) -> None:
    """The mutation runs all the same, and nothing stays in the index of waiters."""
    mach = made()
    mach.bind_handlers({"AState": lambda e: e.machine.ask.add1("B") and None})
    mach.add1("A")

    assert mach.is1("B")
    assert mach.open_count() == 0


def test_an_outcome_that_waits_is_open_work(made: Make) -> None:
    """It is listed with what else the machine has open."""
    mach = made()
    open_inside: list[tuple[str, tuple[str, ...]]] = []

    def ask(event: am.Event) -> None:
        outcome = event.machine.ask.add1("B")
        open_inside.extend((one.kind, one.names) for one in event.machine.open_work())
        assert not outcome.done

    mach.bind_handlers({"AState": ask})
    mach.add1("A")

    assert open_inside == [("ask", ("B",))]


def test_it_keeps_no_history_alive(made: Make) -> None:
    """Arguments of the mutation are freed although the outcome is held."""

    class Load:
        pass

    mach, load = made(), Load()
    outcome = mach.ask.add1("A", {"load": load})
    gone = weakref.ref(load)
    del load
    mach.add1("B")
    gc.collect()

    assert outcome.done
    assert gone() is None


def test_it_is_never_skipped(made: Make) -> None:
    """A duplicate, and a removal of inactive states, are mutations of their own."""
    mach, outcomes = made(), []

    def ask(event: am.Event) -> None:
        calls = event.machine.ask
        outcomes.extend([calls.remove1("D"), calls.add1("B"), calls.add1("B")])

    mach.bind_handlers({"AState": ask})
    mach.add1("A")

    assert [one.result for one in outcomes] == [EXECUTED] * 3
    assert [one.tick for one in outcomes] == [2, 3, 4]


def test_a_prepended_mutation_ends_with_its_first_run(made: Make) -> None:
    """A handler may deny it and put it at the front again; the outcome is the denial."""
    mach, tries = made(), []

    def enter(event: am.Event) -> bool:
        tries.append(1)
        if len(tries) == 1:
            mutation = event.mutation()
            assert mutation is not None
            event.machine.prepend_mut(mutation)
        return len(tries) > 1

    mach.bind_handlers({"AEnter": enter})
    outcome = mach.ask.add1("A")

    assert outcome.result is CANCELED
    assert mach.is1("A")


def test_an_interrupt_ends_it(made: Make) -> None:
    """An interrupt in a handler is raised in the caller; an outcome of another caller ends."""
    mach, outcomes = made(), []

    def interrupt(_: am.Event) -> None:
        raise KeyboardInterrupt

    mach.bind_handlers(
        {"AState": lambda e: outcomes.append(e.machine.ask.add1("B")), "BEnter": interrupt}
    )
    with pytest.raises(KeyboardInterrupt):
        mach.add1("A")

    assert outcomes[0].result is CANCELED
    assert outcomes[0].reason.names == ("BEnter",)


def test_an_interrupt_in_a_tracer_ends_it(made: Make) -> None:
    """Recovery ends the outcome of a transition that was left open."""

    class Interrupting(am.Tracer):
        def transition_start(self, tx: am.Transition) -> None:
            if tx.called_states() == ["B"]:
                raise KeyboardInterrupt

    mach, outcomes = made(tracers=[Interrupting()]), []
    mach.bind_handlers({"AState": lambda e: outcomes.append(e.machine.ask.add1("B"))})
    with pytest.raises(KeyboardInterrupt):
        mach.add1("A")

    assert outcomes[0].done
    assert kind_of(outcomes[0]) is Kind.INTERRUPT


def test_a_change_of_schema_leaves_it_open() -> None:
    """An outcome goes on waiting for its mutation."""

    async def main() -> list[bool]:
        loop = asyncio.get_running_loop()
        mach = am.Machine(None, {"A": am.State()}, id="pinned", executor=loop)
        mach.verify_states(["A", am.EXCEPTION])

        def change() -> am.Outcome:
            outcome = mach.ask.add1("A")
            mach.set_struct({**mach.get_struct(), "B": am.State()}, ["A", am.EXCEPTION, "B"])
            return outcome

        outcome = await asyncio.to_thread(change)
        return [await outcome, mach.has1("B")]

    assert asyncio.run(main()) == [True, True]


def test_an_error_of_a_resolver_ends_it() -> None:
    """The error is raised in the thread that drains, and the outcome ends without a transition."""

    class Failing(am.RelationsResolver):
        def get_target_states(self, tx: am.Transition, states_to_set: object) -> list[str]:
            if tx.called_states() == ["B"]:
                raise ValueError("no idea")
            return ["A"]

    mach = am.Machine(None, {"A": am.State(), "B": am.State()}, id="res", resolver=Failing())
    outcomes: list[am.Outcome] = []
    mach.bind_handlers({"AState": lambda e: outcomes.append(e.machine.ask.add1("B"))})
    with pytest.raises(ValueError, match="no idea"):
        mach.add1("A")

    assert kind_of(outcomes[0]) is Kind.INTERRUPT
    assert outcomes[0].transition is None


def test_the_log_and_the_queue_show_the_mutation(made: Make, log_of: LogOf) -> None:
    """It looks like any other mutation; only its waiter has lines of its own."""
    mach, kinds = made(), []
    outcomes: list[am.Outcome] = []

    def ask(event: am.Event) -> None:
        outcomes.append(event.machine.ask.add1("B"))
        kinds.append([one.type for one in event.machine.queue()])
        assert event.machine.will_be1("B")

    mach.bind_handlers({"AState": ask})
    lines = log_of(mach, am.LogLevel.EVERYTHING)
    mach.add1("A")

    assert kinds == [[am.MutationType.ADD]]
    assert [line for line in lines if "[ask" in line or "[queue" in line] == [
        "[queue:add] A",
        "[ask:new] [add] B",
        "[queue:add] B",
        "[ask:match] [add] B",
    ]


def test_a_breakpoint_stops_at_an_asked_mutation(
    made: Make, log_of: Callable[..., list[str]]
) -> None:
    """Breakpoints see it as any other mutation."""
    mach = made(log_stack_trace=False)
    lines = log_of(mach)
    mach.add_breakpoint1("A", "")
    mach.ask.add1("A")

    assert [line for line in lines if "breakpoint" in line.lower()]


def asked(mach: am.Machine) -> dict[str, Callable[[], am.Outcome]]:
    """Each call of `ask`, made from outside of a transition."""
    calls: am.Asking = mach.ask
    event: Any = None
    return {
        "add1": lambda: calls.add1("A"),
        "add": lambda: calls.add(["A", "B"]),
        "remove1": lambda: calls.remove1("A"),
        "remove": lambda: calls.remove(["A", "B"]),
        "set": lambda: calls.set(["B"]),
        "toggle1": lambda: calls.toggle1("C"),
        "toggle": lambda: calls.toggle(["C"]),
        "add_err": lambda: calls.add_err(ValueError("one")),
        "add_err_state": lambda: calls.add_err_state("D", ValueError("two")),
        "ev_add1": lambda: calls.ev_add1(event, "A"),
        "ev_add": lambda: calls.ev_add(event, ["A"]),
        "ev_remove1": lambda: calls.ev_remove1(event, "A"),
        "ev_remove": lambda: calls.ev_remove(event, ["A"]),
        "ev_toggle1": lambda: calls.ev_toggle1(event, "C"),
        "ev_toggle": lambda: calls.ev_toggle(event, ["C"]),
        "ev_add_err": lambda: calls.ev_add_err(event, ValueError("three")),
        "ev_add_err_state": lambda: calls.ev_add_err_state(event, "D", ValueError("four")),
    }


def test_every_mutating_call_can_be_asked(made: Make) -> None:
    """Each does what the call of the machine with the same name does."""
    mach, plain = made(), made()
    for name, call in asked(mach).items():
        outcome = call()
        assert outcome.result is EXECUTED, name
    for name, call in asked(plain).items():
        assert inspect.signature(getattr(mach.ask, name)).parameters
        assert call().done
    asks = {name for name in vars(am.Asking) if not name.startswith("_")}

    assert mach.time() == plain.time()
    assert asks == set(asked(mach))


def test_an_event_is_the_source(made: Make) -> None:
    """The transition has the event's transition as its source, and nothing else is taken."""
    mach, sources = made(), []
    mach.bind_handlers(
        {
            "AState": lambda e: e.machine.ask.ev_add1(e, "B") and None,
            "BState": lambda e: sources.append(e.mutation().source.mach_id),
        }
    )
    mach.add1("A")

    assert sources == ["mach"]
    with pytest.raises(TypeError, match="the source of a mutation is an event or None"):
        mach.ask.ev_add1("A", "A")  # type: ignore[arg-type]


def test_a_toggle_reverses_the_one_before(made: Make) -> None:
    """Two toggles that wait one behind the other change nothing, asked or not."""
    mach, outcomes = made(), []
    mach.bind_handlers(
        {"AState": lambda e: outcomes.extend([e.machine.ask.toggle1("B") for _ in "12"])}
    )
    mach.add1("A")

    assert [one.result for one in outcomes] == [EXECUTED] * 2
    assert mach.tick("B") == 2


def test_no_error_is_no_mutation(made: Make) -> None:
    """`add_err(None)` is canceled, and the outcome says why."""
    outcome = made().ask.add_err(None)

    assert (outcome.result, str(outcome.reason)) == (CANCELED, "there is no error to add")


def test_an_unknown_state_is_refused_at_once(made: Make) -> None:
    """A programmer's mistake is raised and makes no outcome."""
    with pytest.raises(am.errors.StateMissingError):
        made().ask.add1("Z")


def test_many_threads_each_get_their_outcome(made: Make) -> None:
    """Every outcome ends, with the result of its own mutation."""
    mach = made("A{multi} B{require:C} C{}", queue_limit=10_000)
    results: list[am.Result] = []

    def produce() -> None:
        outcomes = [mach.ask.add1("AB"[number % 2], {"n": number}) for number in range(100)]
        assert am.every(*outcomes, timeout=30)
        results.extend(one.result for one in outcomes)

    workers = [threading.Thread(target=produce) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)

    assert results.count(EXECUTED) == results.count(CANCELED) == 200
