"""Waits that could never end raise at once, in the thread that keeps the machine from going on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

import machine as am
from machine.errors import DeadlockError

Wait = Callable[[am.Machine], object]

HOPELESS: dict[str, Wait] = {
    "wait": lambda mach: mach.when1("B").wait(),
    "wait with a timeout": lambda mach: mach.when1("B").wait(60),
    "first": lambda mach: am.first(mach.when1("B"), mach.when_not1("A")),
    "every": lambda mach: am.every(mach.when1("A"), mach.when1("B")),
    "arguments": lambda mach: mach.when_args("B", {"x": 1}).wait(),
    "ticks": lambda mach: mach.when_ticks("B", 2).wait(),
    "a query": lambda mach: mach.when_query(lambda clock: False).wait(),
    "the end of the queue": lambda mach: mach.when_queue_ends().wait(),
    "a queue tick": lambda mach: mach.when_queue(99).wait(),
    "a state context": lambda mach: mach.new_state_ctx("On").wait(),
    "a loop in the handler": lambda mach: asyncio.run(_await(mach.when1("B"))),
}


async def _await(handle: am.WaitHandle) -> bool:
    return await handle


def machine(**options: object) -> am.Machine:
    """A machine that is on, with two states for tests."""
    mach = am.Machine(None, {name: am.State() for name in ("A", "B", "On")}, id="m", **options)  # type: ignore[arg-type]
    mach.add1("On")
    return mach


def error_in_handler(mach: am.Machine, wait: Wait) -> str:
    """What a handler that waits comes to."""
    mach.bind_handlers({"AState": lambda e: wait(e.machine) and None})
    mach.add1("A")
    assert isinstance(mach.err, DeadlockError)
    return str(mach.err)


@pytest.mark.parametrize("runner", ["inline", "thread"])
@pytest.mark.parametrize("wait", HOPELESS.values(), ids=HOPELESS)
def test_a_handler_that_waits_for_its_own_machine_fails_at_once(wait: Wait, runner: str) -> None:
    """Whatever it waits for and with whatever limit; the error names the handler."""
    text = error_in_handler(machine(handler_runner=runner, handler_timeout=None), wait)

    assert "handler AState of machine m waits for" in text


def test_the_error_names_the_states_that_are_waited_for() -> None:
    """As log lines name them."""
    text = error_in_handler(machine(), lambda mach: mach.when(["B", "On"]).wait(60))

    assert "when B On" in text


def test_a_handler_of_another_machine_on_the_same_thread_may_not_wait_either() -> None:
    """The first machine cannot move before the second one's handler returns."""
    mach, other = machine(), am.Machine(None, {"X": am.State()}, id="other")
    other.bind_handlers({"XState": lambda e: mach.when1("B").wait(60) and None})
    mach.bind_handlers({"AState": lambda e: other.add1("X") and None})

    mach.add1("A")

    assert mach.err is None
    assert isinstance(other.err, DeadlockError)
    assert "handler AState of machine m" in str(other.err)


def test_a_handler_thread_is_held_by_what_holds_its_drainer() -> None:
    """A handler of one machine mutates another, whose handler runs in a thread of its own."""
    mach = machine()
    other = am.Machine(None, {"X": am.State()}, handler_runner="thread", handler_timeout=None)
    other.bind_handlers({"XState": lambda e: mach.when1("B").wait(60) and None})
    mach.bind_handlers({"AState": lambda e: other.add1("X") and None})

    mach.add1("A")

    assert isinstance(other.err, DeadlockError)


def test_evals_callbacks_and_tracers_may_not_wait_for_their_machine() -> None:
    """They run in the middle of a drain, as handlers do."""
    mach, errors = machine(), []

    def wait() -> None:
        with pytest.raises(DeadlockError, match="callback, tracer or eval of machine m") as raised:
            mach.when1("B").wait(60)
        errors.append(raised.value)

    class Waits(am.Tracer):
        def transition_end(self, tx: am.Transition) -> None:
            wait()

    mach.when1("A").add_done_callback(lambda _: wait())
    mach.eval("test", wait)
    mach.add1("A")
    mach.bind_tracer(Waits())
    mach.remove1("A")

    assert len(errors) == 3


def test_another_thread_may_wait_while_a_handler_runs() -> None:
    """Nothing of the drain waits for it."""
    mach, begun, answers = machine(), threading.Event(), []
    other = threading.Thread(target=lambda: [begun.set(), answers.append(mach.when1("B").wait(10))])

    def a_state(event: am.Event) -> None:
        other.start()
        assert begun.wait(10)
        event.machine.add1("B")

    mach.bind_handlers({"AState": a_state})
    mach.add1("A")
    other.join(10)

    assert answers == [True]
    assert mach.err is None


def test_a_handler_may_wait_for_what_others_can_bring() -> None:
    """Another machine, a context with a deadline, or the first of several."""
    mach, other = machine(handler_timeout=None), am.Machine(None, {"X": am.State()})
    on = other.when1("X")
    starter = threading.Timer(0.01, other.add1, ["X"])
    ended: list[object] = []

    def a_state(event: am.Event) -> None:
        starter.start()
        ended.append(am.first(event.machine.when1("B"), on))
        ended.append(event.machine.new_state_ctx("On").with_timeout(0.01).wait(10))

    mach.bind_handlers({"AState": a_state})
    mach.add1("A")
    starter.join(10)

    assert ended == [on, True]
    assert mach.err is None


def test_a_handler_may_look_without_waiting() -> None:
    """A limit of 0 waits for nothing, and what has come already needs no wait."""
    mach, seen = machine(), []
    mach.bind_handlers(
        {"AState": lambda e: seen.append((mach.when1("B").wait(0), mach.when1("On").wait()))}
    )

    mach.add1("A")

    assert seen == [(False, True)]


def test_a_handler_that_was_left_behind_may_wait() -> None:
    """The machine has gone on without it."""
    mach = machine(handler_runner="thread", handler_timeout=0.01)
    late, answers = threading.Event(), []

    def a_state(event: am.Event) -> None:
        assert late.wait(10)
        answers.append(mach.when1("B").wait(10))

    mach.bind_handlers({"AState": a_state})
    mach.add1("A")
    waiting = mach.when_query(lambda clock: clock["B"] > 0)
    late.set()
    mach.add1("B")
    while not answers:
        threading.Event().wait(0.001)

    assert answers == [True]
    assert waiting.done


def test_the_loop_that_runs_a_machine_may_not_be_blocked_for_it() -> None:
    """A machine that is pinned to a loop moves only on it; awaiting is the way."""

    async def main() -> bool:
        mach = am.Machine(None, {"A": am.State()}, executor=asyncio.get_running_loop())
        with pytest.raises(DeadlockError, match="await the handle instead"):
            mach.when1("A").wait(60)
        threading.Thread(target=mach.add1, args=("A",)).start()
        return await mach.when1("A")

    assert asyncio.run(main())


def test_a_block_of_a_machine_in_its_own_handler_begins_its_end() -> None:
    """It cannot wait for the handler that it is in."""
    mach = machine()

    def a_state(event: am.Event) -> None:
        with event.machine:
            pass

    mach.bind_handlers({"AState": a_state})
    mach.add1("A")

    assert mach.when_disposed().wait(10)
    assert not isinstance(mach.err, DeadlockError)
