"""Short ways: mutate and wait, ask first, try again, wait for a group, fan out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

import machine as am
from machine import helpers

Make = Callable[..., am.Machine]
EXECUTED, CANCELED, NO_OP = am.Result.EXECUTED, am.Result.CANCELED, am.Result.NO_OP


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)

    async def a_sleep(self, seconds: float) -> None:
        self.sleep(seconds)


def ended() -> am.Context:
    """A context that has ended."""
    ctx = am.Context()
    ctx.cancel()
    return ctx


# -- mutate and wait


def test_a_state_is_added_and_waited_for(made: Make) -> None:
    """The call returns once the state was active; the result is that of the mutation."""
    mach = made()

    assert helpers.add1_block(None, mach, "A") is EXECUTED
    assert mach.is1("A")
    assert asyncio.run(helpers.a_add1_block(None, mach, "B")) is EXECUTED


def test_an_active_state_is_not_added_again(made: Make) -> None:
    """A state that is active and not multi needs no mutation."""
    mach = made()
    mach.add1("A")

    assert helpers.add1_block(None, mach, "A") is NO_OP
    assert asyncio.run(helpers.a_add1_block(None, mach, "A")) is NO_OP


def test_a_refused_state_is_not_waited_for(made: Make) -> None:
    """A canceled mutation ends the call at once."""
    mach = made("A{require:B} B{}")

    assert helpers.add1_block(None, mach, "A") is CANCELED
    assert helpers.add1_async_block(None, mach, "B", "A") is CANCELED
    assert mach.open_count() == 0


def test_a_multi_state_is_waited_for_until_it_is_removed(made: Make) -> None:
    """Two ticks of a multi state are one activation and its end."""
    mach = made("A{multi} B{}")
    mach.bind_handlers({"AState": lambda e: e.machine.remove1("A") and None})

    assert helpers.is_multi(mach, "A")
    assert not helpers.is_multi(mach, "B")
    assert helpers.add1_block(None, mach, "A") is EXECUTED
    assert mach.tick("A") == 2
    with pytest.raises(am.errors.StateMissingError):
        helpers.is_multi(mach, "Z")


def test_work_is_started_and_its_end_waited_for(made: Make) -> None:
    """One state starts work, another one reports its end."""
    mach = made()
    mach.bind_handlers({"AState": lambda e: e.machine.add1("B") and None})

    assert helpers.add1_async_block(None, mach, "B", "A") is EXECUTED
    assert mach.is1("B")
    mach.set([])
    assert asyncio.run(helpers.a_add1_async_block(None, mach, "B", "A", {"n": 1})) is EXECUTED


def test_the_end_of_the_context_ends_the_wait(made: Make) -> None:
    """The call returns the result of the mutation, although the state was not reached."""
    assert helpers.add1_async_block(ended(), made(), "B", "A") is EXECUTED


def test_a_mutation_that_waits_in_the_queue_is_waited_for(made: Make) -> None:
    """If it is refused in its turn, so is the call; no thread waits for what cannot come."""
    mach, results, asked = made("A{} B{require:C} C{}"), [], threading.Event()

    def work() -> None:
        asked.set()
        results.append(helpers.add1_block(None, mach, "B"))

    thread = threading.Thread(target=work)

    def hold(_: am.Event) -> None:
        thread.start()
        assert asked.wait(10)
        while not mach.queue_len():
            threading.Event().wait(0.001)

    mach.handler_timeout = 30
    mach.bind_handlers({"AState": hold})
    mach.add1("A")
    thread.join(10)

    assert results == [CANCELED]


def test_a_handler_cannot_add_and_wait(made: Make) -> None:
    """A wait for the own machine raises at once, as every other does."""
    mach = made()
    mach.bind_handlers({"AState": lambda e: helpers.add1_block(None, e.machine, "B") and None})
    mach.add1("A")

    assert isinstance(mach.err, am.errors.DeadlockError)


# -- ask first


def test_a_mutation_is_made_if_the_check_passes(made: Make) -> None:
    """Each call checks, then mutates."""
    mach = made()

    assert helpers.ask_add1(mach, "A") is EXECUTED
    assert helpers.ask_add(mach, ["B", "C"]) is EXECUTED
    assert helpers.ask_remove1(mach, "A") is EXECUTED
    assert helpers.ask_remove(mach, ["B"]) is EXECUTED
    assert mach.active_states() == ["C"]


def test_a_mutation_is_not_made_if_the_check_fails(made: Make) -> None:
    """Handlers see only the check, and the reason is that of the check."""
    mach, checks = made(), []

    def deny(event: am.Event) -> bool:
        checks.append(event.is_check)
        return False

    mach.add1("B")
    mach.bind_handlers({"AEnter": deny, "BExit": deny})
    calls = [
        helpers.ask_add1(mach, "A"),
        helpers.ask_add(mach, ["A"]),
        helpers.ask_remove1(mach, "B"),
        helpers.ask_remove(mach, ["B"]),
    ]

    assert calls == [CANCELED] * 4
    assert checks == [True] * 4
    assert mach.last_refusal is not None
    assert mach.last_refusal.is_check


# -- waits


def test_all_handles_are_waited_for(made: Make) -> None:
    """The call returns when the last one has ended; for none at once."""
    mach = made()
    mach.add(["A", "B"])
    handles = mach.when1("A"), mach.when1("B"), mach.ask.add1("C")

    helpers.wait_for_all(None, 5, *handles)
    helpers.wait_for_all(None, None)
    helpers.wait_for_err_all(None, 5, mach, *handles)
    asyncio.run(helpers.a_wait_for_all(am.Context(), 5, *handles))
    asyncio.run(helpers.a_wait_for_err_all(None, None, mach, *handles))


def test_any_handle_is_enough(made: Make) -> None:
    """The one that ended is returned, the first of those that have."""
    mach = made()
    mach.add1("B")
    one, other = mach.when1("A"), mach.when1("B")

    assert helpers.wait_for_any(None, 5, one, other) is other
    assert helpers.wait_for_err_any(am.Context(), 5, mach, other, mach.when1("B")) is other
    assert asyncio.run(helpers.a_wait_for_any(None, None, one, other)) is other
    assert asyncio.run(helpers.a_wait_for_err_any(None, 5, mach, one, other)) is other
    with pytest.raises(TypeError, match="nothing to wait for"):
        helpers.wait_for_any(None, 5)


def test_waiting_goes_on_until_a_handle_ends(made: Make) -> None:
    """Handles that end later are waited for, by threads and by tasks."""
    mach = made()

    async def main() -> list[bool]:
        loop = asyncio.get_running_loop()
        one, both = mach.when1("A"), (mach.when1("A"), mach.when1("B"))
        loop.call_soon(mach.add1, "A")
        found = await helpers.a_wait_for_err_any(None, 10, mach, one)
        loop.call_soon(mach.add1, "B")
        await helpers.a_wait_for_all(None, 10, *both)
        return [found is one, all(both)]

    assert asyncio.run(main()) == [True, True]


def test_a_wait_ends_after_its_time(made: Make) -> None:
    """The error names the time."""
    mach = made()
    calls: list[Callable[[], object]] = [
        lambda: helpers.wait_for_all(None, 0, mach.when1("A")),
        lambda: helpers.wait_for_any(None, 0, mach.when1("A"), mach.when1("B")),
        lambda: asyncio.run(helpers.a_wait_for_any(None, 0, mach.when1("A"))),
    ]
    for call in calls:
        with pytest.raises(am.errors.TimeoutError_, match="nothing ended within 0 s"):
            call()


def test_an_ended_context_ends_every_wait(made: Make) -> None:
    """Its error is raised before anything else is looked at."""
    mach = made()
    mach.add1("A")
    for wait in (helpers.wait_for_all, helpers.wait_for_any):
        with pytest.raises(am.ContextCanceled):
            wait(ended(), 5, mach.when1("A"))


def test_a_context_that_ends_meanwhile_ends_the_wait(made: Make) -> None:
    """The wait is over although no handle has ended."""
    with pytest.raises(am.ContextDeadline):
        helpers.wait_for_all(am.Context().with_timeout(0.001), 10, made().when1("A"))


def test_an_error_of_the_machine_ends_the_wait(made: Make) -> None:
    """The machine's error is raised, whether it was there or comes meanwhile."""
    mach = made()

    async def main() -> None:
        asyncio.get_running_loop().call_soon(mach.add_err, ValueError("late"))
        await helpers.a_wait_for_err_all(None, 10, mach, mach.when1("A"))

    with pytest.raises(ValueError, match="late"):
        asyncio.run(main())
    with pytest.raises(ValueError, match="late"):
        helpers.wait_for_err_any(None, 5, mach, mach.when1("A"))


def test_an_error_state_without_an_error_ends_the_wait(made: Make) -> None:
    """A machine that has `Exception` and no error still ends it."""
    mach = made()
    mach.add1(am.EXCEPTION)

    with pytest.raises(RuntimeError, match="Exception of mach has no error"):
        helpers.wait_for_err_all(None, 5, mach, mach.when1("A"))


def test_a_group_of_machines_is_waited_for(made: Make) -> None:
    """There is one handle for each machine; one that lacks the state is named."""
    group = [made(id=name) for name in ("one", "two")]
    handles = helpers.group_when1(group, "A")
    for mach in group:
        mach.add1("A")

    helpers.wait_for_all(None, 5, *handles)
    with pytest.raises(am.errors.StateMissingError, match="odd"):
        helpers.group_when1([*group, made("B{}", id="odd")], "A", am.Context())


# -- requests


def request(mach: am.Machine, time: FakeTime) -> helpers.MutRequest:
    return helpers.MutRequest(mach, am.MutationType.ADD, "A", clock=time.clock, sleep=time.sleep)


def refusing(mach: am.Machine, tries: int) -> list[int]:
    """Deny the state A so many times; returns the list of calls."""
    calls: list[int] = []

    def enter(_: am.Event) -> bool:
        calls.append(1)
        return len(calls) > tries

    mach.bind_handlers({"AEnter": enter})
    return calls


def test_a_request_is_tried_until_it_is_accepted(made: Make) -> None:
    """The delay doubles after each try."""
    mach, time = made(), FakeTime()
    refusing(mach, 3)

    assert request(mach, time).run() is EXECUTED
    assert time.slept == [0.1, 0.2, 0.4]


def test_a_request_gives_up_after_its_retries(made: Make) -> None:
    """The error has the mutation, the tries and the last reason."""
    mach, time = made(), FakeTime()
    calls = refusing(mach, 99)

    with pytest.raises(am.errors.CanceledError, match="add A> after 3 tries: AEnter denied it"):
        request(mach, time).retries(2).run()
    assert len(calls) == 3


def test_a_request_gives_up_after_its_time(made: Make) -> None:
    """No try begins later than the longest duration allows."""
    mach, time = made(), FakeTime()
    refusing(mach, 99)

    with pytest.raises(am.errors.CanceledError):
        request(mach, time).delay(2).backoff(3).max_duration(6).run()
    assert time.slept == [2, 3]
    with pytest.raises(am.errors.CanceledError, match="after 1 try"):
        request(mach, time).retries(0).run()


def test_a_request_of_a_disposed_machine_gives_up_at_once(made: Make) -> None:
    """What cannot succeed is not tried again."""
    mach, time = made(), FakeTime()
    asked = request(mach, time)
    mach.dispose_force()

    with pytest.raises(am.errors.CanceledError, match="after 1 try: the machine is disposed"):
        asked.run()
    assert time.slept == []


def test_a_request_ends_with_its_context(made: Make) -> None:
    """The error of the context is raised, before a try and between two."""
    mach, contexts = made(), [am.Context(), am.Context()]
    calls: list[int] = []

    def enter(_: am.Event) -> bool:
        contexts[len(calls)].cancel()
        calls.append(1)
        return False

    mach.bind_handlers({"AEnter": enter})
    asked = helpers.new_req_add1(mach, "A").delay(60).backoff(60).max_duration(99)

    with pytest.raises(am.ContextCanceled):
        asked.run(ended())
    assert calls == []
    with pytest.raises(am.ContextCanceled):
        asked.run(contexts[0])
    with pytest.raises(am.ContextCanceled):
        asyncio.run(asked.a_run(contexts[1]))
    assert len(calls) == 2


def test_a_task_runs_a_request(made: Make) -> None:
    """The loop goes on between the tries."""
    mach, time = made(), FakeTime()
    refusing(mach, 2)

    assert asyncio.run(request(mach, time).a_run(sleep=time.a_sleep)) is EXECUTED
    assert time.slept == [0.1, 0.2]


def test_every_kind_of_mutation_can_be_requested(made: Make) -> None:
    """A request does what the call of the machine does."""
    mach = made()

    assert helpers.new_req_add(mach, ["A", "B"]).run() is EXECUTED
    assert helpers.new_req_remove1(mach, "A").run() is EXECUTED
    assert helpers.new_req_remove(mach, ["B"]).run() is EXECUTED
    assert helpers.new_mut_request(mach, am.MutationType.SET, ["C"]).run() is EXECUTED
    assert mach.active_states() == ["C"]
    with pytest.raises(ValueError, match="ADD, REMOVE or SET"):
        helpers.new_mut_request(mach, am.MutationType.EVAL, ["C"])
    with pytest.raises(am.errors.StateMissingError):
        helpers.new_req_add1(mach, "Z")


def test_a_clone_has_settings_of_its_own(made: Make) -> None:
    """Changing one leaves the other."""
    mach, time = made(), FakeTime()
    calls = refusing(mach, 99)
    asked = request(mach, time).retries(1)
    asked.clone().retries(5)
    with pytest.raises(am.errors.CanceledError, match="after 2 tries"):
        asked.clone().run()

    assert len(calls) == 2


# -- fan-out


def fan(concurrency: int, total: int = 3) -> tuple[am.Machine, list[tuple[int, str, str]]]:
    """A machine that fans out in the order of the tasks, and the tasks that were started."""
    mach = am.Machine(None, {"Fetch": am.State(), "FetchDone": am.State()}, id="fan")
    started: list[tuple[int, str, str]] = []
    helpers.fan_out_in(
        mach,
        "Fetch",
        total,
        concurrency,
        lambda *task: started.append(task),
        choose=lambda states, count: states[:count],
    )
    return mach, started


def test_tasks_start_up_to_the_limit() -> None:
    """Each task is started once, and no more than the limit run at a time."""
    mach, started = fan(2)
    mach.add1("Fetch")

    assert started == [(0, "Fetch0", "Fetch0Done"), (1, "Fetch1", "Fetch1Done")]
    mach.add1("Fetch")
    assert len(started) == 2


def test_the_end_of_a_task_starts_the_next() -> None:
    """After the last one the state for the end of all activates by itself."""
    mach, started = fan(1)
    mach.add1("Fetch")
    for number in range(3):
        assert len(started) == number + 1
        assert not mach.is1("FetchDone")
        mach.add1(f"Fetch{number}Done")

    assert mach.is1("FetchDone")
    assert not mach.any1("Fetch0", "Fetch1", "Fetch2")


def test_a_task_without_its_end_starts_again() -> None:
    """A task that was removed is among those that are left."""
    mach, started = fan(3)
    mach.add1("Fetch")
    mach.remove1("Fetch1")
    mach.add1("Fetch")

    assert [number for number, *_ in started] == [0, 1, 2, 1]


def test_removing_the_state_stops_all_tasks() -> None:
    """The tasks require it."""
    mach, _ = fan(2)
    mach.add1("Fetch")
    mach.remove1("Fetch")

    assert not mach.any1("Fetch0", "Fetch1", "Fetch2")


def test_tasks_are_chosen_at_random() -> None:
    """Without another choice any of the tasks may be the first, and each runs once."""
    mach = am.Machine(None, {"Fetch": am.State(), "FetchDone": am.State()}, id="fan")
    started: list[str] = []

    def work(_: int, state: str, done_state: str) -> None:
        started.append(state)
        mach.add1(done_state)

    handlers = helpers.fan_out_in(mach, "Fetch", 5, 2, work)
    mach.add1("Fetch")

    assert sorted(started) == list(handlers.tasks)
    assert mach.is1("FetchDone")


def test_a_fan_out_needs_its_two_states(made: Make) -> None:
    """The state that starts it and the one for its end have to exist; limits are at least one."""
    with pytest.raises(am.errors.StateMissingError, match="ADone"):
        helpers.fan_out_in(made(), "A", 2, 1, print)
    mach = am.Machine(None, {"A": am.State(), "ADone": am.State()}, id="fan")
    for total, concurrency in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="the number of tasks"):
            helpers.fan_out_in(mach, "A", total, concurrency, print)
    with pytest.raises(TypeError, match="is a function"):
        helpers.fan_out_in(mach, "A", 1, 1, 5)  # type: ignore[arg-type]
