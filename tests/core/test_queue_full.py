"""A full queue refuses, counts what it refuses, says so once, and can be waited for."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable

import pytest

import machine as am
from machine.errors import DeadlockError

LIMIT = 4
REFUSED_BY: dict[str, Callable[[am.Machine, am.Event], am.Result]] = {
    "add1": lambda mach, e: mach.add1("Ev", {"i": 1}),
    "add": lambda mach, e: mach.add(["Ev"], {"i": 1}),
    "set": lambda mach, e: mach.set(["Ev"], {"i": 1}),
    "toggle1": lambda mach, e: mach.toggle1("Ev", {"i": 1}),
    "toggle": lambda mach, e: mach.toggle(["Ev"], {"i": 1}),
    "remove1": lambda mach, e: mach.remove1("Ev", {"i": 1}),
    "ev_add1": lambda mach, e: mach.ev_add1(e, "Ev", {"i": 1}),
    "ev_remove": lambda mach, e: mach.ev_remove(e, ["Ev"], {"i": 1}),
    "ev_toggle1": lambda mach, e: mach.ev_toggle1(e, "Ev", {"i": 1}),
    "ev_add_err": lambda mach, e: mach.ev_add_err(e, ValueError("x")),
}


class OfRefused(am.Tracer):
    """Keeps what was refused."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    def mutation_refused(self, machine: am.Machine, mutation: am.Mutation) -> None:
        self.refused.append(str(mutation))


def machine(limit: int = LIMIT) -> tuple[am.Machine, list[str]]:
    """A machine with a small queue, and the lines that it logs at the lowest level."""
    lines: list[str] = []
    struct = {"Go": am.State(multi=True), "Ev": am.State(multi=True)}
    mach = am.Machine(None, struct, id="full", queue_limit=limit)
    mach.set_logger_simple(lambda text, *args: lines.append(text % args), am.LogLevel.CHANGES)
    return mach, lines


def flood(mach: am.Machine, count: int) -> None:
    """Make so many mutations inside of one transition."""
    handlers = {"GoState": lambda e: [mach.add1("Ev", {"i": i}) for i in range(count)] and None}
    mach.bind_handlers(handlers)
    mach.add1("Go")
    mach.detach_handlers(handlers)


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was warned of full queues."""
    records = [record for record in caplog.records if record.levelno == logging.WARNING]
    return [record.getMessage() for record in records if "queue" in record.getMessage()]


def test_what_a_full_queue_refuses_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """The others are done; one warning and one line report the outage, one line of its end."""
    mach, lines = machine()
    mach.bind_tracer(tracer := OfRefused())

    flood(mach, 10)

    assert mach.tick("Ev") == 2 * LIMIT - 1
    assert mach.queue_refused == 10 - LIMIT
    assert tracer.refused == ["[add] Ev"] * (10 - LIMIT)
    (warning,) = warnings_of(caplog)
    assert "machine full is full: 4 mutations wait, [add] Ev was refused" in warning
    assert [line for line in lines if "[queue:" in line] == [
        "[full] [queue:full] 4 waiting, refused: [add] Ev",
        "[full] [queue:room] 6 mutations were refused",
    ]


def test_nothing_is_refused_at_the_limit() -> None:
    """A queue holds as many as its limit says."""
    mach, lines = machine()

    flood(mach, LIMIT)

    assert mach.queue_refused == 0
    assert not [line for line in lines if "[queue:full]" in line]


@pytest.mark.parametrize("mutate", REFUSED_BY.values(), ids=REFUSED_BY)
def test_every_call_that_mutates_counts(
    mutate: Callable[[am.Machine, am.Event], am.Result],
) -> None:
    """Whatever was called, it answers that it was canceled."""
    mach, _ = machine()
    mach.add1("Ev")
    answers: list[am.Result] = []

    def go(event: am.Event) -> None:
        for number in range(LIMIT):
            mach.add1("Ev", {"i": number})
        answers.append(mutate(mach, event))

    mach.bind_handlers({"GoState": go})
    mach.add1("Go")

    assert answers == [am.Result.CANCELED]
    assert mach.queue_refused == 1


def test_a_pipe_into_a_full_queue_counts_at_its_target() -> None:
    """The source is not concerned."""
    target, _ = machine()
    source = am.Machine(None, {"Ev": am.State(multi=True)})
    source.bind_handlers({"EvState": am_pipe(source, target)})
    target.bind_handlers(
        {"GoState": lambda e: [source.add1("Ev", {"i": i}) for i in range(LIMIT + 3)] and None}
    )

    target.add1("Go")

    assert (source.queue_refused, target.queue_refused) == (0, 3)


def am_pipe(source: am.Machine, target: am.Machine) -> Callable[[am.Event], object]:
    """What adds `Ev` of the target."""
    from machine import pipes

    return pipes.add(source, target, "Ev")


def test_an_error_after_the_first_one_counts_too() -> None:
    """One error always gets in; a late handler's into a full queue does not when there is one."""
    mach, _ = machine(limit=1)
    answers: list[am.Result] = []

    def go(event: am.Event) -> None:
        mach.add1("Ev", {"i": 1})
        answers.extend([mach.add_err(ValueError("1")), mach.add_err(ValueError("2"))])

    mach.add_err(ValueError("0"))
    mach.bind_handlers({"GoState": go})
    mach.add1("Go")

    assert answers == [am.Result.CANCELED] * 2
    assert mach.queue_refused == 2


def test_no_count_is_lost_between_threads(caplog: pytest.LogCaptureFixture) -> None:
    """However many refuse at the same time, it is one outage."""
    mach, _ = machine()
    threads_count, each = 8, 200
    barrier = threading.Barrier(threads_count)

    def work() -> None:
        barrier.wait(10)
        for number in range(each):
            mach.add1("Ev", {"i": number})

    def go(event: am.Event) -> None:
        threads = [threading.Thread(target=work) for _ in range(threads_count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

    mach.handler_timeout = None
    mach.bind_handlers({"GoState": go})
    mach.add1("Go")

    done = (mach.tick("Ev") + 1) // 2
    assert mach.queue_refused + done == threads_count * each
    assert len(warnings_of(caplog)) == 1


def test_an_outage_ends_when_half_of_the_queue_is_free(caplog: pytest.LogCaptureFixture) -> None:
    """What is refused before, while the queue is filled up again and again, is the same outage."""
    mach, _ = machine()

    def ev(event: am.Event) -> None:
        if mach.queue_len() >= LIMIT // 2 + 1 and mach.queue_refused < 20:
            for number in range(5):
                mach.add1("Ev", {"i": number})

    mach.bind_handlers({"EvState": ev})
    flood(mach, LIMIT + 1)
    assert mach.queue_refused >= 20
    assert len(warnings_of(caplog)) == 1

    flood(mach, LIMIT + 1)
    assert len(warnings_of(caplog)) == 2


def test_a_limit_of_nothing_is_one_outage(caplog: pytest.LogCaptureFixture) -> None:
    """There is never room, so it never ends."""
    mach, _ = machine(limit=0)

    flood(mach, 3)
    flood(mach, 3)

    assert mach.queue_refused == 6
    assert len(warnings_of(caplog)) == 1


def test_a_pinned_machine_counts_while_its_loop_does_not_run() -> None:
    """Nobody works its queue off then."""
    loop = asyncio.new_event_loop()
    mach = am.Machine(None, {"Ev": am.State(multi=True)}, executor=loop, queue_limit=LIMIT)

    answers = [mach.add1("Ev", {"i": number}) for number in range(LIMIT + 2)]

    assert answers == [am.Result.QUEUED] * LIMIT + [am.Result.CANCELED] * 2
    assert mach.queue_refused == 2
    loop.close()


def test_what_comes_after_the_end_is_not_refused() -> None:
    """It is canceled, but no room could be waited for."""
    mach, _ = machine()
    mach.dispose_force()

    assert mach.add1("Ev") is am.Result.CANCELED
    assert mach.queue_refused == 0


# -- waiting for room


def test_room_is_there_at_once_while_fewer_wait() -> None:
    """An empty queue has room for one."""
    assert machine()[0].when_queue_below(1).reason == "match"


def test_a_thread_that_waits_for_room_is_woken_when_the_queue_drains() -> None:
    """Fewer than it asked for wait then, and nothing it makes is refused."""
    mach, _ = machine()
    full, answers = threading.Event(), []

    def work() -> None:
        assert full.wait(10)
        answers.append(mach.when_queue_below(LIMIT // 2).wait(10))
        answers.append(mach.add1("Ev", {"i": 9}) is not am.Result.CANCELED)

    other = threading.Thread(target=work)
    other.start()
    waiting: list[int] = []

    def go(event: am.Event) -> None:
        for number in range(LIMIT):
            mach.add1("Ev", {"i": number})
        handle = mach.when_queue_below(2)
        handle.add_done_callback(lambda _: waiting.append(mach.queue_len()))
        full.set()

    mach.bind_handlers({"GoState": go})
    mach.add1("Go")
    other.join(10)

    assert answers == [True, True]
    assert waiting == [1]
    assert mach.queue_refused == 0


def test_a_task_can_await_room() -> None:
    """As every handle."""
    mach, _ = machine()

    async def work() -> bool:
        return await mach.when_queue_below(LIMIT)

    assert asyncio.run(work())


def test_a_producer_that_waits_for_room_loses_nothing() -> None:
    """The way to hand a machine more than it can do at once."""
    mach, _ = machine()
    count = 100
    done = mach.when_ticks("Ev", 2 * count - 1)
    go_on = threading.Event()

    def produce() -> None:
        go_on.wait(10)
        for number in range(count):
            mach.when_queue_below(mach.queue_limit).wait(10)
            mach.add1("Ev", {"i": number})

    thread = threading.Thread(target=produce)
    thread.start()
    go_on.set()
    thread.join(10)

    assert done.wait(10)
    assert mach.queue_refused == 0


def test_room_is_released_when_only_prepended_mutations_are_left() -> None:
    """The end of a drain leaves an empty queue."""
    mach, _ = machine()
    handles: list[am.WaitHandle] = []

    def go(event: am.Event) -> None:
        mach.prepend_mut(mach.new_mutation(am.MutationType.ADD, "Ev"))
        handles.append(mach.when_queue_below(1))
        assert not handles[0].done

    mach.bind_handlers({"GoState": go})
    mach.add1("Go")

    assert handles[0].reason == "match"


def test_waiting_for_room_ends_with_its_context_and_with_the_machine() -> None:
    """As every wait does."""
    mach, _ = machine()
    reasons: list[object] = []

    def go(event: am.Event) -> None:
        mach.add1("Ev", {"i": 1})
        ctx = am.Context()
        limited, other = mach.when_queue_below(1, ctx), mach.when_queue_below(1)
        ctx.cancel()
        mach.dispose_force()
        reasons.extend([limited.reason, other.reason, mach.when_queue_below(1).reason])

    mach.bind_handlers({"GoState": go})
    mach.add1("Go")

    assert reasons == ["ctx", "disposed", "disposed"]


def test_a_handler_may_not_wait_for_room_in_its_own_queue() -> None:
    """Nothing leaves the queue before it returns."""
    mach, _ = machine()

    def go(event: am.Event) -> None:
        mach.add1("Ev", {"i": 1})
        mach.when_queue_below(1).wait(60)

    mach.bind_handlers({"GoState": go})
    mach.add1("Go")

    assert isinstance(mach.err, DeadlockError)
    assert "whenQueueBelow 1" in str(mach.err)


@pytest.mark.parametrize(("n", "error"), [(0, ValueError), (-1, ValueError), (True, TypeError)])
def test_room_below_one_or_of_no_number_is_refused(n: int, error: type[Exception]) -> None:
    """It could never be there, or means nothing."""
    with pytest.raises(error, match="when_queue_below|fewer than"):
        machine()[0].when_queue_below(n)
