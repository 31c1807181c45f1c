"""A machine that is pinned to an event loop, and what context variables its handlers see."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import machine as am
from machine.errors import ExecutorClosedError

Made = Callable[..., am.Machine]
LogOf = Callable[..., list[str]]


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that does not run yet."""
    made = asyncio.new_event_loop()
    yield made
    made.close()


def in_thread(function: Callable[[], Any]) -> Any:
    """What a function returns that runs in another thread."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    return found[0]


def turn(loop: asyncio.AbstractEventLoop) -> None:
    """Let a loop do what it was asked to until now."""
    loop.run_until_complete(asyncio.sleep(0))


# -- inline, or by the loop


async def test_mutations_made_on_the_loop_run_inline(made: Made) -> None:
    """Where the loop runs a pinned machine is like any other."""
    mach = made(executor=asyncio.get_running_loop())

    assert mach.add1("A") is am.Result.EXECUTED
    assert mach.is1("A")
    assert mach.when1("A").done


async def test_mutations_of_other_threads_run_on_the_loop(made: Made) -> None:
    """Another thread gets QUEUED, and the loop's thread calls the handlers."""
    threads: list[threading.Thread] = []
    mach = made(executor=asyncio.get_running_loop())
    mach.bind_handlers({"AState": lambda e: threads.append(threading.current_thread())})

    assert in_thread(lambda: mach.add1("A")) is am.Result.QUEUED
    assert mach.not1("A")
    assert await mach.when1("A")
    assert threads == [threading.current_thread()]


def test_a_loop_that_does_not_run_yet_keeps_mutations_waiting(
    made: Made, loop: asyncio.AbstractEventLoop
) -> None:
    """Mutations made before the loop runs are carried out in order once it runs."""
    mach = made("A{} B{multi}", executor=loop)
    calls: list[object] = []
    mach.bind_handlers({"BState": lambda e: calls.append(e.args["n"])})

    results = [mach.add1("B", {"n": n}) for n in range(3)]
    assert results == [am.Result.QUEUED] * 3
    assert mach.queue_len() == 3
    turn(loop)
    assert calls == [0, 1, 2]
    assert mach.queue_len() == 0


def test_the_loop_is_asked_once_for_many_mutations(
    made: Made, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the loop has been asked to work off the queue, it is not asked again."""
    asked: list[object] = []
    ask = loop.call_soon_threadsafe

    def count(fn: Callable[[], object]) -> object:
        asked.append(fn)
        return ask(fn)

    monkeypatch.setattr(loop, "call_soon_threadsafe", count)
    mach = made(executor=loop)
    mach.add1("A")
    mach.add1("B")
    once = len(asked)

    turn(loop)
    mach.add1("C")
    assert len(asked) == 2 * once


async def test_what_waits_runs_before_a_later_mutation_on_the_loop(made: Made) -> None:
    """The queue keeps its order, no matter which thread drains it."""
    order: list[str] = []
    mach = made(executor=asyncio.get_running_loop())
    mach.bind_handlers({"AnyState": lambda e: order.extend(e.machine.active_states()[:1])})

    in_thread(lambda: mach.add1("A"))
    assert mach.add1("B") is am.Result.EXECUTED
    assert order == ["A", "B"]
    await asyncio.sleep(0)
    assert order == ["A", "B"]


async def test_handlers_of_a_pinned_machine_queue_as_ever(made: Made) -> None:
    """Inside a handler every mutation of the same machine waits for the transition."""
    results: list[am.Result] = []
    mach = made(executor=asyncio.get_running_loop())
    mach.bind_handlers({"AState": lambda e: results.append(e.machine.add1("B"))})

    assert mach.add1("A") is am.Result.EXECUTED
    assert results == [am.Result.QUEUED]
    assert mach.is_(["A", "B"])


def test_the_log_and_tracers_show_waiting_for_the_loop(
    made: Made, loop: asyncio.AbstractEventLoop, log_of: LogOf, recorder: Any
) -> None:
    """A mutation that is left to the loop is postponed like one that waits for a drain."""
    mach = made(executor=loop)
    mach.bind_tracer(recorder)
    lines = log_of(mach)
    mach.add1("A")
    mach.add1("B")

    assert recorder.events == ["mutation_queued"] * 2
    assert lines == [
        "[queue:add] A",
        "[postpone] executor asked (1 item)",
        "[queue:add] B",
        "[postpone] executor asked (2 items)",
    ]
    turn(loop)
    assert recorder.events[-1] == "queue_end"
    assert mach.is_(["A", "B"])


async def test_an_eval_of_another_thread_runs_on_the_loop(made: Made) -> None:
    """`eval` waits in its own thread until the loop has run the function."""
    threads: list[threading.Thread] = []
    mach = made(executor=asyncio.get_running_loop())

    assert await asyncio.to_thread(
        lambda: mach.eval("test", lambda: threads.append(threading.current_thread()))
    )
    assert threads == [threading.current_thread()]


async def test_a_task_of_a_pinned_machine_runs_on_its_loop(made: Made) -> None:
    """Coroutine handlers are on the executor, whichever thread made the mutation."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def work(e: am.Event) -> None:
        loops.append(asyncio.get_running_loop())
        e.machine.add1("B")

    mach = made(executor=asyncio.get_running_loop())
    mach.bind_handlers({"AState": work})
    in_thread(lambda: mach.add1("A"))

    assert await mach.when1("B")
    assert loops == [asyncio.get_running_loop()]


def test_an_error_that_passes_through_leaves_the_rest_to_the_loop(
    made: Made, loop: asyncio.AbstractEventLoop
) -> None:
    """What waits behind a mutation that raises still gets its turn."""
    told: list[str] = []
    loop.set_exception_handler(lambda _loop, context: told.append(str(context["exception"])))

    def fail(e: am.Event) -> None:
        raise RuntimeError("boom")

    mach = made(executor=loop, panic_to_exception=False)
    mach.bind_handlers({"AState": fail})
    mach.add1("A")
    mach.add1("B")
    turn(loop)
    turn(loop)

    assert told == ["boom"]
    assert mach.active_states() == ["B"]


async def test_threads_and_the_loop_lose_no_mutation(
    made: Made, in_threads: Callable[..., None]
) -> None:
    """Every mutation that was not refused runs exactly once, no matter which thread made it."""
    mach = made("A{multi}", executor=asyncio.get_running_loop(), queue_limit=100_000)
    results: list[am.Result] = []

    def mutate() -> None:
        results.extend(mach.add1("A", {"n": number}) for number in range(200))

    threads = asyncio.to_thread(in_threads, mutate, mutate, mutate)
    own = [mach.add1("A", {"n": -1}) for _ in range(200)]
    await threads
    assert await mach.when_queue(1 + 800)

    assert set(results) == {am.Result.QUEUED}
    assert set(own) == {am.Result.EXECUTED}
    assert mach.queue_len() == 0
    assert mach.tick("A") == 2 * (len(results) + len(own)) - 1


# -- the end of the loop


def test_a_closed_loop_cancels_what_waits(
    made: Made, loop: asyncio.AbstractEventLoop, log_of: LogOf
) -> None:
    """When nobody can run the queue any more, all of it is canceled and the error is named."""
    mach = made(executor=loop)
    assert mach.add1("A") is am.Result.QUEUED
    waiting = mach.when_queue(2)
    loop.close()
    lines = log_of(mach)

    assert mach.add1("B") is am.Result.CANCELED
    assert mach.queue_len() == 0
    assert isinstance(mach.err, ExecutorClosedError)
    assert str(mach.err) == "executor closed: the event loop of mach is closed"
    assert waiting.done
    assert [line for line in lines if line.startswith("[executor]")] == [
        "[executor] closed, canceled: [add] A",
        "[executor] closed, canceled: [add] B",
    ]
    assert mach.active_states() == []


def test_a_machine_whose_loop_is_closed_can_be_read_and_disposed(
    made: Made, loop: asyncio.AbstractEventLoop
) -> None:
    """Nothing but mutations needs the loop."""
    mach = made(executor=loop)
    mach.add1("A")
    turn(loop)
    loop.close()

    assert mach.add1("B") is am.Result.CANCELED
    assert mach.is1("A")
    assert mach.when1("A").done
    mach.dispose()
    assert mach.when_disposed().wait(10)


def test_a_loop_that_closes_while_others_refuse_leaves_that_to_them(
    made: Made, loop: asyncio.AbstractEventLoop
) -> None:
    """Of several threads that find the loop closed one empties the queue."""
    mach = made(executor=loop)
    loop.close()
    del mach._idle

    assert mach.add1("A") is am.Result.CANCELED
    assert mach.queue_len() == 1
    mach._idle = None
    assert mach.add1("B") is am.Result.CANCELED
    assert mach.queue_len() == 0


@pytest.mark.parametrize("wrong", [object(), 1, "loop"])
def test_an_executor_is_an_event_loop(made: Made, wrong: object) -> None:
    """Anything else is refused when the machine is made."""
    with pytest.raises(TypeError, match="executor needs an asyncio event loop"):
        made(executor=wrong)


# -- context variables

VAR: contextvars.ContextVar[str] = contextvars.ContextVar("VAR", default="none")


def with_var(value: str, function: Callable[[], Any]) -> Any:
    """Run a function in a context of its own where the variable has this value."""

    def run() -> Any:
        VAR.set(value)
        return function()

    return contextvars.copy_context().run(run)


def test_an_inline_handler_lives_in_the_callers_context(made: Made) -> None:
    """It sees the caller's variables, and the caller sees what it sets."""
    mach = made()
    seen: list[str] = []

    def a_state(e: am.Event) -> None:
        seen.append(VAR.get())
        VAR.set("handler's")

    mach.bind_handlers({"AState": a_state})

    def call() -> str:
        mach.add1("A")
        return VAR.get()

    assert with_var("caller's", call) == "handler's"
    assert seen == ["caller's"]


def test_a_queued_mutation_runs_in_the_context_it_was_made_in(made: Made) -> None:
    """Its handlers see the variables of its caller, no matter which thread drains the queue."""
    mach = made()
    seen: list[str] = []
    begun, go = threading.Event(), threading.Event()

    def wait(e: am.Event) -> None:
        seen.append(VAR.get())
        begun.set()
        go.wait(10)

    mach.bind_handlers({"AState": wait, "BState": lambda e: seen.append(VAR.get())})
    thread = threading.Thread(target=lambda: with_var("first", lambda: mach.add1("A")))
    thread.start()
    assert begun.wait(10)
    assert with_var("second", lambda: mach.add1("B")) is am.Result.QUEUED
    go.set()
    thread.join(10)

    assert seen == ["first", "second"]


def test_a_queued_mutation_has_a_copy_of_its_makers_context(made: Made) -> None:
    """What its handlers set is seen neither by the maker nor by the thread that ran it."""
    mach = made()

    def a_state(e: am.Event) -> None:
        e.machine.add1("B")
        VAR.set("A's")

    mach.bind_handlers({"AState": a_state, "BState": lambda e: VAR.set("B's")})

    def call() -> str:
        mach.add1("A")
        return VAR.get()

    assert with_var("caller's", call) == "A's"


def test_what_follows_a_queued_mutation_runs_in_its_context(made: Made) -> None:
    """Auto states and the error state see the variables of the mutation they come from."""
    mach = made("A{} B{} C{auto require:B}")
    seen: list[tuple[str, str]] = []

    def note(e: am.Event) -> None:
        seen.append((e.name, VAR.get()))

    def a_state(e: am.Event) -> None:
        with_var("B's maker", lambda: e.machine.add1("B"))
        note(e)

    def c_state(e: am.Event) -> None:
        note(e)
        raise RuntimeError("boom")

    mach.bind_handlers(
        {"AState": a_state, "BState": note, "CState": c_state, "ExceptionState": note}
    )
    with_var("A's maker", lambda: mach.add1("A"))

    assert seen == [
        ("AState", "A's maker"),
        ("BState", "B's maker"),
        ("CState", "B's maker"),
        ("ExceptionState", "B's maker"),
    ]


def test_a_mutation_that_found_others_waiting_still_runs_in_its_own_context(
    made: Made, loop: asyncio.AbstractEventLoop
) -> None:
    """A thread that drains the queue up to its own mutation runs that one inline."""
    mach = made("A{} B{} C{auto}", executor=loop)
    seen: list[tuple[str, str]] = []
    names = ("AState", "BState", "CState")
    mach.bind_handlers(dict.fromkeys(names, lambda e: seen.append((e.name, VAR.get()))))
    with_var("waiting", lambda: mach.add1("A"))

    async def main() -> None:
        VAR.set("own")
        mach.add1("B")
        VAR.set("later")
        mach.add1("B")

    loop.run_until_complete(main())

    assert seen == [("AState", "waiting"), ("CState", "waiting"), ("BState", "own")]


def test_a_check_that_waits_has_its_makers_context_too(made: Made) -> None:
    """Negotiation handlers that are only asked see the variables of the caller."""
    mach = made()
    seen: list[str] = []
    ask = lambda e: with_var("asking", lambda: e.machine.can_add1("B"))  # noqa: E731
    mach.bind_handlers({"AState": ask, "BEnter": lambda e: seen.append(VAR.get())})
    mach.add1("A")

    assert seen == ["asking"]


def test_an_eval_runs_in_its_makers_context(made: Made) -> None:
    """A function that another thread evaluates sees the variables of that thread."""
    mach = made()
    seen: list[str] = []
    queued = threading.Event()

    class Queued(am.Tracer):
        def mutation_queued(self, machine: am.Machine, mutation: am.Mutation) -> None:
            queued.set()

    def evaluate() -> bool:
        return with_var("maker's", lambda: mach.eval("test", lambda: seen.append(VAR.get())))

    def a_state(e: am.Event) -> None:
        thread.start()
        queued.wait(10)

    thread = threading.Thread(target=evaluate)
    mach.bind_tracer(Queued())
    mach.bind_handlers({"AState": a_state})
    mach.add1("A")
    thread.join(10)

    assert seen == ["maker's"]


async def test_tasks_keep_their_contexts_apart(made: Made) -> None:
    """Two tasks of one loop mutate inline, each in its own context."""
    mach = made("A{multi}")
    seen: list[str] = []
    mach.bind_handlers({"AState": lambda e: seen.append(VAR.get())})

    async def mutate(value: str) -> None:
        VAR.set(value)
        await asyncio.sleep(0)
        mach.add1("A")

    await asyncio.gather(mutate("one"), mutate("two"))

    assert sorted(seen) == ["one", "two"]
