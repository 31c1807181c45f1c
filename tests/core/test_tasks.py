"""Final handlers that are coroutines: tasks that belong to a state."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

import machine as am
from machine._calling.background import BackgroundLoop, background_loop
from machine.errors import TaskCanceledError

Made = Callable[..., am.Machine]
LogOf = Callable[..., list[str]]


class Work:
    """A coroutine handler that records its progress and ends when it is released."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.go = asyncio.Event()

    async def __call__(self, e: am.Event) -> None:
        self.told.append("begun")
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.told.append("canceled")
            raise
        self.told.append("done")


async def turns(count: int = 5) -> None:
    """Let everything that can go on do so."""
    for _ in range(count):
        await asyncio.sleep(0)


def in_background(work: Callable[[am.Event], Coroutine[Any, Any, object]]) -> am.Machine:
    """A machine with such a handler for A, made where no loop runs."""
    mach = am.Machine(None, {"A": am.State(), "B": am.State()}, id="mach")
    mach.bind_handlers({"AState": work})
    return mach


# -- the life of a task


async def test_the_transition_does_not_wait_for_a_task(made: Made) -> None:
    """A coroutine handler begins only after its mutation has returned."""
    mach, work = made(), Work()
    mach.bind_handlers({"AState": work})

    assert mach.add1("A") is am.Result.EXECUTED
    assert work.told == []
    await turns()
    assert work.told == ["begun"]
    assert mach.is1("A")


async def test_a_task_may_mutate_its_machine(made: Made) -> None:
    """What a task does is like what any other code does."""
    mach = made()

    async def work(e: am.Event) -> None:
        await asyncio.sleep(0)
        results.append(e.machine.add1("B"))

    results: list[am.Result] = []
    mach.bind_handlers({"AState": work})
    mach.add1("A")

    assert await mach.when1("B")
    await turns()
    assert results == [am.Result.EXECUTED]
    assert mach.tasks() == []


async def test_a_task_ends_with_its_state(made: Made) -> None:
    """When the state deactivates, its task is canceled where it awaits, and quietly."""
    mach, work = made(), Work()
    mach.bind_handlers({"AState": work})
    mach.add1("A")
    await turns()

    mach.remove1("A")
    await turns()
    assert work.told == ["begun", "canceled"]
    assert not mach.is_err()
    assert mach.tasks() == []


async def test_a_task_that_did_not_begin_never_does(made: Made) -> None:
    """A state that ends before its task had a turn leaves nothing to be awaited."""
    mach, work = made(), Work()
    mach.bind_handlers({"AState": work})
    mach.add1("A")
    mach.remove1("A")

    await turns()
    assert work.told == []
    assert mach.tasks() == []


async def test_each_activation_has_its_own_task(made: Made) -> None:
    """Activating a state again ends the task of before and starts another."""
    mach, work = made(), Work()
    mach.bind_handlers({"AState": work})
    mach.add1("A")
    await turns()
    mach.remove1("A")
    mach.add1("A")
    await turns()

    assert work.told == ["begun", "canceled", "begun"]
    assert len(mach.tasks()) == 1


async def test_an_active_multi_state_collects_tasks(made: Made) -> None:
    """Activating an active multi state again starts one more task and ends none."""
    mach, work = made("A{multi}"), Work()
    mach.bind_handlers({"AState": work})
    mach.add1("A")
    mach.add1("A")
    await turns()
    assert work.told == ["begun", "begun"]

    mach.remove1("A")
    await turns()
    assert work.told[2:] == ["canceled", "canceled"]


async def test_a_task_of_end_lives_while_the_state_is_inactive(made: Made) -> None:
    """What `AEnd` leaves is canceled when A activates again."""
    mach, work = made(), Work()
    mach.bind_handlers({"AEnd": work})
    mach.add1("A")
    mach.remove1("A")
    mach.add1("B")
    await turns()
    assert work.told == ["begun"]

    mach.add1("A")
    await turns()
    assert work.told == ["begun", "canceled"]


async def test_a_task_of_the_global_handler_lives_with_the_machine(made: Made) -> None:
    """What `AnyState` leaves outlives states and is canceled with the machine."""
    mach, work = made(), Work()
    mach.bind_handlers({"AnyState": work})
    mach.add1("A")
    mach.remove1("A")
    await turns()
    assert work.told == ["begun", "begun"]

    mach.dispose_force()
    await turns()
    assert work.told[2:] == ["canceled", "canceled"]
    assert mach.tasks() == []


@pytest.mark.parametrize("handler", ["AState", "AEnd", "AnyState"])
async def test_disposal_ends_every_task(made: Made, handler: str) -> None:
    """From the moment disposal begins, the tasks of a machine are canceled."""
    mach, work = made(), Work()
    mach.bind_handlers({handler: work})
    mach.add1("A")
    if handler == "AEnd":
        mach.remove1("A")
    await turns()
    mach.dispose()

    assert await mach.when_disposed()
    await turns()
    assert work.told == ["begun", "canceled"]


async def test_no_task_starts_on_a_machine_that_is_being_disposed(made: Made) -> None:
    """A coroutine handler that runs while the disposal begins leaves no task."""
    mach, work = made(), Work()

    def a_state(e: am.Event) -> Coroutine[Any, Any, None]:
        e.machine.dispose()
        return work(e)

    mach.bind_handlers({"AState": a_state})
    mach.add1("A")

    await mach.when_disposed()
    await turns()
    assert work.told == []


async def test_a_task_that_deactivates_its_own_state_is_canceled(made: Made) -> None:
    """Past the removal of its own state a task gets to its next await and no further."""
    mach = made()
    told: list[object] = []

    async def work(e: am.Event) -> None:
        told.append(e.machine.remove1("A"))
        told.append("still here")
        await asyncio.sleep(0)
        told.append("never")

    mach.bind_handlers({"AState": work})
    mach.add1("A")
    await turns()

    assert told == [am.Result.EXECUTED, "still here"]
    assert not mach.is_err()


async def test_a_state_that_is_reverted_takes_its_task_along(made: Made) -> None:
    """When a later handler of the same state fails, the state does not stay active."""
    mach, work = made(), Work()

    def fail(e: am.Event) -> None:
        raise RuntimeError("boom")

    mach.bind_handlers({"AState": work})
    mach.bind_handlers({"AState": fail})
    mach.add1("A")
    await turns()

    assert mach.not1("A")
    assert mach.is_err()
    assert work.told == []
    assert mach.tasks() == []


async def test_the_library_cancels_no_task_but_its_own(made: Made) -> None:
    """Tasks of the program that mutate and wait go on, whatever becomes of states."""
    mach, work = made(), Work()
    mach.bind_handlers({"AState": work})

    async def mutate() -> am.Result:
        mach.add1("A")
        await asyncio.sleep(0)
        mach.remove1("A")
        return mach.add1("B")

    async def wait() -> bool:
        return await mach.when1("B")

    mutating = [asyncio.create_task(mutate()) for _ in range(3)]
    waiting = asyncio.create_task(wait())

    assert await asyncio.gather(*mutating) == [am.Result.EXECUTED] * 3
    assert await waiting is True
    assert "canceled" in work.told


# -- how a task ends


async def test_an_error_of_a_task_becomes_the_error_state(made: Made) -> None:
    """An error of a task is added with the handler's transition as its source."""
    mach = made()
    seen: list[object] = []

    async def work(e: am.Event) -> None:
        seen.append(e.transition_id)
        await asyncio.sleep(0)
        raise ValueError("lost")

    def failed(e: am.Event) -> None:
        mutation = e.mutation()
        assert mutation is not None
        assert mutation.source is not None
        seen.append(mutation.source.tx_id)
        seen.append(e.args["err"])

    mach.bind_handlers({"AState": work, "ExceptionState": failed})
    mach.add1("A")

    assert await mach.when_err()
    assert str(mach.err) == "lost"
    assert seen[0] == seen[1]
    assert seen[2] is mach.err
    assert mach.is1("A")


async def test_an_await_that_others_canceled_is_an_error(made: Made) -> None:
    """A task that ends by another's cancellation has lost its work, and reports it."""
    mach = made()
    future = asyncio.get_running_loop().create_future()

    async def work(e: am.Event) -> None:
        await future

    mach.bind_handlers({"AState": work})
    mach.add1("A")
    await turns()
    future.cancel()

    assert await mach.when_err()
    assert isinstance(mach.err, TaskCanceledError)
    assert str(mach.err) == "task canceled: AState awaited something that was canceled"
    assert isinstance(mach.err.__cause__, asyncio.CancelledError)


async def test_a_task_may_clean_up_when_it_is_canceled(made: Made) -> None:
    """An error in the clean-up of a canceled task counts, since the task did not just stop."""
    mach = made()

    async def work(e: am.Event) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("clean-up failed")

    mach.bind_handlers({"AState": work})
    mach.add1("A")
    await turns()
    mach.remove1("A")

    assert await mach.when_err()
    assert str(mach.err) == "clean-up failed"


async def test_errors_go_to_the_loop_when_they_are_no_states(made: Made) -> None:
    """With `panic_to_exception` off a task fails like any task of its loop."""
    mach = made(panic_to_exception=False)
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))

    async def work(e: am.Event) -> None:
        raise ValueError("lost")

    mach.bind_handlers({"AState": work})
    mach.add1("A")
    await turns()

    assert [str(context["exception"]) for context in told] == ["lost"]
    assert told[0]["message"] == "task of AState failed"
    assert not mach.is_err()


async def test_the_log_shows_tasks(made: Made, log_of: LogOf) -> None:
    """A task's start and the kind of its end are lines of the machine's log."""
    mach = made()
    lines = log_of(mach)

    async def fail(e: am.Event) -> None:
        raise ValueError

    async def end(e: am.Event) -> None: ...

    mach.bind_handlers({"AState": Work(), "BState": fail, "CState": end})
    mach.add(["A", "B", "C"])
    await turns()
    mach.remove1("A")
    await turns()

    assert [line for line in lines if line.startswith("[task")] == [
        "[task:new] AState",
        "[task:new] BState",
        "[task:new] CState",
        "[task:err] BState",
        "[task:end] CState",
        "[task:cancel] AState",
    ]


async def test_a_machine_lists_its_tasks(made: Made) -> None:
    """`tasks` has the handler, the state, the transition, and if the task had its first turn."""
    mach, work, ids = made(), Work(), []

    def note(e: am.Event) -> None:
        ids.append(e.transition_id)

    mach.bind_handlers({"AnyEnter": note})
    mach.bind_handlers({"AState": work, "AnyState": work})
    mach.add1("A")
    tx = ids[0]

    assert mach.tasks() == [
        am.StateTask("AState", "A", tx, running=False),
        am.StateTask("AnyState", "", tx, running=False),
    ]
    await turns()
    assert [task.running for task in mach.tasks()] == [True, True]
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert {"mach AState", "mach AnyState"} <= names

    work.go.set()
    await turns()
    assert mach.tasks() == []


# -- which coroutines


async def test_a_negotiation_handler_has_to_answer_at_once(made: Made) -> None:
    """A coroutine in the negotiation, which binding could not see, is the handler's error."""
    mach, work = made(), Work()
    mach.bind_handlers({"AEnter": work})

    assert mach.add1("A") is am.Result.CANCELED
    assert str(mach.err) == "AEnter has to answer at once"
    assert work.told == []


def test_a_late_handler_leaves_no_task(made: Made, clock: Any) -> None:
    """The coroutine of a handler that took too long to make it is dropped."""
    mach = made()

    async def work() -> None: ...

    def late(e: am.Event) -> Coroutine[Any, Any, None]:
        clock.advance(2)
        return work()

    mach.bind_handlers({"AState": late})

    assert mach.add1("A") is am.Result.CANCELED
    assert mach.tasks() == []
    assert isinstance(mach.err, am.errors.HandlerTimeoutError)


def test_a_coroutine_of_another_make_is_a_task_too() -> None:
    """Whatever is a coroutine by its methods runs, as compiled ones do."""

    class Compiled(Coroutine[Any, Any, None]):
        def __init__(self) -> None:
            self.inner = inner()

        def send(self, value: Any) -> Any:
            return self.inner.send(value)

        def throw(self, *args: Any) -> Any:
            return self.inner.throw(*args)

        def close(self) -> None:
            self.inner.close()

        def __await__(self) -> Any:
            return self.inner.__await__()

    async def inner() -> None:
        await gate.wait()

    async def main() -> list[bool]:
        mach.add1("A")
        await turns()
        running = [task.running for task in mach.tasks()]
        gate.set()
        await turns()
        return [*running, bool(mach.tasks())]

    gate = asyncio.Event()
    mach = am.Machine(None, {"A": am.State()})
    mach.bind_handlers({"AState": lambda e: Compiled()})

    assert asyncio.run(main()) == [True, False]


# -- which loop


def test_without_a_running_loop_tasks_run_in_the_background() -> None:
    """A plain program needs no loop of its own for coroutine handlers."""
    threads: list[str] = []

    async def work(e: am.Event) -> None:
        threads.append(threading.current_thread().name)
        e.machine.add1("B")

    mach = in_background(work)
    mach.add1("A")

    assert mach.when1("B").wait(10)
    assert threads == ["am-tasks"]


def test_a_task_in_the_background_ends_with_its_state() -> None:
    """Which thread ends the state makes no difference."""
    begun, ended = threading.Event(), threading.Event()

    async def work(e: am.Event) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    mach = in_background(work)
    mach.add1("A")
    assert begun.wait(10)
    mach.remove1("A")

    assert ended.wait(10)


def test_a_state_may_end_before_the_background_had_its_turn(made: Made) -> None:
    """A task whose state is gone when its loop gets to it does not begin."""
    gate, told = threading.Event(), []

    async def hold(e: am.Event) -> None:
        gate.wait(10)

    async def work(e: am.Event) -> None:
        told.append("begun")

    mach, other = in_background(work), made()
    other.bind_handlers({"AState": hold})
    other.add1("A")
    mach.add1("A")
    ended = mach.new_state_ctx("A")
    mach.remove1("A")
    assert ended.done
    gate.set()
    in_background(done := Flag()).add1("A")

    assert done.seen.wait(10)
    assert told == []
    assert mach.tasks() == []


def test_word_of_the_end_may_be_there_before_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state that another thread ends while its task is on the way keeps it from beginning."""

    class Slow:
        """The loop of the background, which gets word from the handler late."""

        def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
            self.loop = loop

        def call_soon_threadsafe(self, fn: Callable[..., object]) -> None:
            if fn.__name__ == "_start":
                mach.new_state_ctx("A").cancel()
            self.loop.call_soon_threadsafe(fn)

    slow = Slow(background_loop.loop())
    monkeypatch.setattr(background_loop, "loop", lambda: slow)
    told: list[str] = []

    async def work(e: am.Event) -> None:
        told.append("begun")

    mach = in_background(work)
    mach.add1("A")
    done = asyncio.run_coroutine_threadsafe(turns(), slow.loop)

    assert done.result(10) is None
    assert told == []
    assert mach.tasks() == []


class Flag:
    """A coroutine handler that others can wait for from any thread."""

    def __init__(self) -> None:
        self.seen = threading.Event()

    async def __call__(self, e: am.Event) -> None:
        self.seen.set()


def test_leaving_the_program_ends_one_task_in_the_background() -> None:
    """SystemExit in a background task is an error of its machine, not the end of others."""

    async def leave(e: am.Event) -> None:
        raise SystemExit(3)

    mach, flag = in_background(leave), Flag()
    mach.add1("A")
    assert mach.when_err().wait(10)
    in_background(flag).add1("A")

    assert isinstance(mach.err, SystemExit)
    assert flag.seen.wait(10)


async def test_a_task_sees_the_context_variables_of_its_mutation(made: Made) -> None:
    """A task runs in a copy of the context that the handler was called in."""
    var: contextvars.ContextVar[str] = contextvars.ContextVar("var", default="none")
    mach, seen = made(), []

    async def work(e: am.Event) -> None:
        seen.append(var.get())

    mach.bind_handlers({"AState": work})
    var.set("mine")
    mach.add1("A")
    await turns()

    assert seen == ["mine"]


def test_context_variables_reach_the_background() -> None:
    """So they do when the task runs in another thread."""
    var: contextvars.ContextVar[str] = contextvars.ContextVar("var", default="none")
    seen: list[str] = []

    async def work(e: am.Event) -> None:
        seen.append(var.get())
        e.machine.add1("B")

    mach = in_background(work)
    contextvars.copy_context().run(lambda: (var.set("mine"), mach.add1("A")))

    assert mach.when1("B").wait(10)
    assert seen == ["mine"]


def test_one_machine_serves_several_loops_one_after_another() -> None:
    """Each task runs on the loop of its mutation; loops that ended are no hindrance."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def work(e: am.Event) -> None:
        loops.append(asyncio.get_running_loop())
        await asyncio.Event().wait()

    async def main() -> None:
        mach.add1("A")
        await turns()
        mach.remove1("A")
        await turns()

    mach = in_background(work)
    asyncio.run(main())
    asyncio.run(main())

    assert len(set(map(id, loops))) == 2
    assert all(loop.is_closed() for loop in loops)
    assert mach.tasks() == []


def test_a_loop_that_ends_takes_its_tasks_along() -> None:
    """A loop cancels what is left on a loop; the state stays, without an error."""

    async def main() -> None:
        mach.add1("A")
        await turns()

    mach = in_background(Work())
    asyncio.run(main())

    assert mach.is1("A")
    assert mach.tasks() == []
    assert not mach.is_err()


def test_word_to_a_closed_loop_gets_lost(caplog: pytest.LogCaptureFixture) -> None:
    """A state may end after the loop of its task was closed on it; asyncio reports the task."""

    async def main(mach: am.Machine) -> None:
        mach.add1("A")
        await turns()

    def live() -> None:
        mach = in_background(Work())
        loop = asyncio.new_event_loop()
        loop.run_until_complete(main(mach))
        loop.close()
        assert len(mach.tasks()) == 1

        mach.remove1("A")
        assert mach.tasks() == []

    live()
    gc.collect()
    assert [record.name for record in caplog.records] == ["asyncio"]


# -- what remains


async def test_tasks_that_ended_leave_nothing_behind(made: Made) -> None:
    """Neither the machine, nor its contexts and waiters, remember tasks that are over."""
    mach = made()

    async def work(e: am.Event) -> None: ...

    mach.bind_handlers({"AState": work, "AEnd": work, "AnyState": work})
    for _ in range(10):
        mach.toggle1("A")
        await turns()

    assert mach.tasks() == []
    assert not mach.ctx._callbacks
    assert mach._waiters is None or not len(mach._waiters)


async def test_ordinary_handlers_make_no_tasks(made: Made) -> None:
    """A machine without coroutine handlers has no tasks and no place for them."""
    mach = made()
    mach.bind_handlers({"AState": lambda e: None, "AEnd": lambda e: True})
    mach.add1("A")
    mach.remove1("A")

    assert mach.tasks() == []
    assert mach._tasks is None


# -- the background


def test_the_background_stops_with_what_runs_there() -> None:
    """Stopping cancels the tasks and ends the thread; the next use starts another."""
    background = BackgroundLoop()
    loop = background.loop()
    assert background.loop() is loop
    begun, ended = threading.Event(), threading.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    future = asyncio.run_coroutine_threadsafe(work(), loop)
    assert begun.wait(10)
    background.stop(10)

    assert ended.is_set()
    assert future.cancelled()
    assert loop.is_closed()
    assert background.loop() is not loop
    background.stop(10)
    background.stop(10)


def test_a_forked_child_leaves_the_parents_loop_alone() -> None:
    """The child gets a loop of its own and does not close the one it has inherited."""
    background = BackgroundLoop()
    loop = background.loop()
    stop = background._stop
    assert stop is not None
    background.forked()

    other = background.loop()
    assert other is not loop
    assert not loop.is_closed()
    background.stop(10)
    loop.call_soon_threadsafe(stop.set_result, None)


def test_no_thread_is_started_while_the_program_ends(
    made: Made, log_of: LogOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that finds no loop then is dropped, like those that run."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    monkeypatch.setattr("machine._calling.background.background_loop", BackgroundLoop())
    monkeypatch.setattr(threading.Thread, "start", refuse)
    mach, work = made(), Work()
    lines = log_of(mach)
    mach.bind_handlers({"AState": work})

    assert mach.add1("A") is am.Result.EXECUTED
    assert "[task:cancel] AState" in lines
    assert mach.tasks() == []


PROGRAM = """
import asyncio, os, threading
import machine as am

begun = threading.Event()

class Handlers:
    async def AState(self, e):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            print("cleaned up", os.getpid() == parent, flush=True)

    async def BState(self, e):
        e.machine.add1("C")

def make():
    mach = am.Machine(None, {name: am.State() for name in "ABC"})
    mach.bind_handlers(Handlers())
    return mach

parent = os.getpid()
hanging = make()
hanging.add1("A")
assert begun.wait(10)
"""

FORK = """
child = os.fork()
if not child:
    mach = make()
    mach.add1("B")
    print("child", mach.when1("C").wait(10), flush=True)
    os._exit(0)
os.waitpid(child, 0)
mach = make()
mach.add1("B")
print("parent", mach.when1("C").wait(10), flush=True)
"""


def output_of(program: str) -> list[str]:
    """The lines that a program prints that must not say anything on stderr."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        cwd=Path(am.__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.slow
def test_a_program_may_end_while_tasks_run_in_the_background() -> None:
    """They are canceled and clean up, and nothing is said about it."""
    assert output_of(PROGRAM) == ["cleaned up True"]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_has_a_background_of_its_own() -> None:
    """Tasks run in the child, and in the parent go on as before."""
    assert output_of(PROGRAM + FORK) == ["child True", "parent True", "cleaned up True"]
