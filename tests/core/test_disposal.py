"""Disposal: how a machine ends, in all ways, and which calls still work afterwards."""

from __future__ import annotations

import copy
import gc
import pickle
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import machine as am

Made = Callable[..., am.Machine]
LogOf = Callable[..., list[str]]

EXECUTED, CANCELED = am.Result.EXECUTED, am.Result.CANCELED


def ended(mach: am.Machine) -> bool:
    """Wait for the end of a machine."""
    return mach.when_disposed().wait(10)


def test_a_disposal_goes_on_in_the_background(made: Made) -> None:
    """The call returns at once, also inside a handler; the drain under way ends first."""
    mach = made()
    order: list[object] = []
    mach.handle_dispose(lambda name, ctx: order.append("disposed"))
    mach.bind_handlers({"AState": lambda e: [mach.dispose(), order.append(mach.is_disposed())]})

    mach.add1("A")

    assert ended(mach)
    assert order == [False, "disposed"]


@pytest.mark.parametrize("how", ["dispose", "dispose_force"])
@pytest.mark.parametrize(
    ("name", "called", "result"),
    [
        ("AEnter", ["AEnter"], CANCELED),
        ("AnyEnter", ["AEnter", "BEnter", "AnyEnter"], CANCELED),
        ("AState", ["AEnter", "BEnter", "AnyEnter", "AState"], CANCELED),
        ("AnyState", ["AEnter", "BEnter", "AnyEnter", "AState", "BState", "AnyState"], EXECUTED),
    ],
)
@pytest.mark.parametrize("watched", ["", "waiter", "tracer"])
def test_no_handler_starts_any_more(
    made: Made, watch: Any, how: str, name: str, called: list[str], result: am.Result, watched: str
) -> None:
    """A transition that still had handlers to call is canceled."""
    mach = made("A{} B{} Z{auto}", tracers=[am.Tracer()] if watched == "tracer" else [])
    handle = mach.when_args("B", {}) if watched == "waiter" else None
    mach.bind_handlers({name: lambda e: getattr(mach, how)()})
    calls = watch(mach)

    assert mach.add(["A", "B"]) is result
    assert calls == called
    assert ended(mach)
    assert handle is None or handle.done


def test_no_handler_of_an_auto_transition_starts_any_more(made: Made, watch: Any) -> None:
    """Not even after a denial that would have cost one auto state only."""
    mach = made("A{} Y{auto} Z{auto}")
    mach.bind_handlers({"YEnter": lambda e: mach.dispose()})
    calls = watch(mach, deny=["YEnter"])

    mach.add1("A")

    assert "ZEnter" not in calls
    assert ended(mach)


@pytest.mark.parametrize("watched", [True, False])
def test_after_a_disposal_began_no_handler_is_asked(made: Made, watched: bool) -> None:
    """A handler that disposes the machine cancels its mutation, traced or not."""
    mach = made()
    asked: list[str] = []

    class Watching(am.Tracer):
        def transition_end(self, tx: am.Transition) -> None:
            """To be called is enough."""

    def enter(event: am.Event) -> None:
        asked.append(event.name)
        mach.dispose()

    mach.bind_handlers({"AEnter": enter, "BEnter": enter})
    if watched:
        mach.bind_tracer(Watching())

    assert mach.add(["A", "B"]) is CANCELED
    assert asked == ["AEnter"]


def test_a_handler_may_dispose_by_force_and_fail(made: Made) -> None:
    """There is nothing left to revert."""
    mach = made()

    def work(event: am.Event) -> None:
        mach.dispose_force()
        raise RuntimeError("late")

    mach.bind_handlers({"AState": work})

    assert mach.add1("A") is CANCELED
    assert mach.is_disposed()


def test_a_disposal_by_force_while_relations_are_resolved(made: Made) -> None:
    """Whatever comes of them has nothing to change any more."""
    mach = made()
    automaton = mach._node.automaton
    extend = automaton.extend

    class Forcing(type(automaton)):  # type: ignore[misc]
        __slots__ = ()

        def extend(self, node: Any, call: Any, *, explained: bool) -> Any:
            mach.dispose_force()
            return extend(node, call, explained=explained)

    forcing = Forcing(mach._schema, 0)
    mach._node = forcing.node(())

    assert mach.add1("A") is CANCELED


def test_a_drain_whose_queue_is_emptied_meanwhile_ends(made: Made) -> None:
    """A disposal may clear it between a look and a grip."""
    mach = made()

    class Emptied(type(mach._queue)):  # type: ignore[misc]
        def popleft(self) -> am.Mutation:
            self.clear()
            raise IndexError

    mach._queue = Emptied()
    mach.set_logger_empty(am.LogLevel.OPS)

    assert mach.add1("A") is CANCELED


def test_mutations_that_wait_are_canceled(made: Made) -> None:
    """What was queued before the disposal began does not run any more."""
    mach = made()
    mach.bind_handlers({"AState": lambda e: [mach.add1("B"), mach.dispose()]})

    mach.add1("A")
    seen = mach.is1("B")

    assert ended(mach)
    assert not seen
    assert mach.queue_len() == 0


def test_a_drain_that_does_not_end_is_not_waited_for_long(made: Made, log_of: LogOf) -> None:
    """After `dispose_timeout` the machine is disposed all the same."""
    mach = made(handler_timeout=None)
    mach.dispose_timeout = 0.01
    lines = log_of(mach)
    entered, leave = threading.Event(), threading.Event()
    mach.bind_handlers({"AState": lambda e: [entered.set(), leave.wait(10)]})
    drainer = threading.Thread(target=lambda: mach.add1("A"))
    drainer.start()
    assert entered.wait(10)

    mach.dispose()

    assert ended(mach)
    assert "[doDispose] timeout waiting for queue to drain" in lines
    leave.set()
    drainer.join(10)
    assert mach.active_states() == []
    assert mach.time() == []


def test_tracers_then_functions_then_waiters_are_notified(made: Made) -> None:
    """In this order, the functions in the one of their registration."""
    order: list[str] = []

    class Last(am.Tracer):
        def machine_dispose(self, machine_id: str) -> None:
            order.append(f"tracer {machine_id}")

    mach = made(id="m", tracers=[Last()])
    for number in (1, 2):
        mach.handle_dispose(lambda name, ctx, number=number: order.append(f"{name}{number}"))
    mach.when1("A").add_done_callback(lambda handle: order.append(f"waiter {handle.reason}"))
    mach.when_disposed().add_done_callback(lambda handle: order.append("disposed"))

    mach.dispose_force()

    assert order == ["tracer m", "m1", "m2", "waiter disposed", "disposed"]


def test_a_function_that_fails_keeps_no_other_from_running(
    made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged; the others run and waiters are released."""
    mach = made()
    ran: list[str] = []

    def fail(name: str, ctx: am.Context) -> None:
        raise RuntimeError("bad function")

    mach.handle_dispose(fail)
    mach.handle_dispose(lambda name, ctx: ran.append(name))

    mach.dispose_force()

    assert ran == ["mach"]
    assert mach.when_disposed().done
    assert "bad function" in caplog.text


def test_an_interrupt_in_a_function_passes_when_all_is_done(made: Made) -> None:
    """Waiters are released before the caller gets it."""
    mach = made()
    handle = mach.when1("A")

    def interrupt(name: str, ctx: am.Context) -> None:
        raise KeyboardInterrupt

    mach.handle_dispose(interrupt)

    with pytest.raises(KeyboardInterrupt):
        mach.dispose_force()
    assert handle.reason == "disposed"


def test_functions_get_the_ended_context(made: Made) -> None:
    """The machine's context is canceled first, and its end becomes the last error."""
    mach = made()
    seen: list[am.Context] = []
    mach.handle_dispose(lambda name, ctx: seen.append(ctx))

    mach.dispose_force()

    assert seen == [mach.ctx]
    assert isinstance(mach.ctx.err, am.ContextCanceled)
    assert mach.err is mach.ctx.err


def test_an_error_of_the_machine_stays_its_last_one(made: Made) -> None:
    """Only a machine without one has its end for an error."""
    mach = made()
    error = RuntimeError()
    mach.add_err(error)

    mach.dispose_force()

    assert mach.err is error


def test_a_function_registered_too_late_runs_at_once(made: Made) -> None:
    """Nobody has to check first."""
    mach = made()
    mach.dispose_force()
    ran: list[str] = []

    mach.handle_dispose(lambda name, ctx: ran.append(name))

    assert ran == ["mach"]


@pytest.mark.parametrize("first", ["dispose", "dispose_force"])
def test_disposing_twice_ends_once(made: Made, in_threads: Callable[..., None], first: str) -> None:
    """From several threads and from a handler: the functions run once."""
    mach = made()
    ran: list[str] = []
    mach.handle_dispose(lambda name, ctx: ran.append(name))
    mach.bind_handlers({"AState": lambda e: [mach.dispose(), mach.dispose()]})

    in_threads(*[getattr(mach, first), mach.dispose, mach.dispose_force] * 2)
    mach.add1("A")

    assert ended(mach)
    assert ran == ["mach"]


def test_the_end_of_the_outer_context_disposes(made: Made, struct: Any) -> None:
    """Waiters wake, and later mutations are canceled."""
    ctx = am.Context()
    mach = am.Machine(ctx, struct("A{}"))
    handle = mach.when1("A")

    ctx.cancel()

    assert ended(mach)
    assert handle.reason == "disposed"
    assert mach.add1("A") is CANCELED
    assert mach.ctx.done


def test_a_context_that_ends_during_a_transition_disposes(struct: Any) -> None:
    """The handler goes on to its end, and nothing starts after it."""
    ctx = am.Context()
    mach = am.Machine(ctx, struct("A{} B{}"))
    results: list[am.Result] = []
    mach.bind_handlers({"AState": lambda e: [ctx.cancel(), results.append(mach.add1("B"))]})

    mach.add1("A")

    assert results == [CANCELED]
    assert ended(mach)


def test_a_machine_made_with_an_ended_context_is_disposed(struct: Any) -> None:
    """It is made all the same, and ends at once."""
    ctx = am.Context()
    ctx.cancel()

    mach = am.Machine(ctx, struct("A{}"), tags=["x"])

    assert ended(mach)
    assert mach.add1("A") is CANCELED


def test_a_machine_ends_with_its_block(made: Made) -> None:
    """In a `with` statement; the end is reached when the block is left."""
    with made() as mach:
        mach.add1("A")
        assert mach.is1("A")

    assert mach.is_disposed()


def test_a_block_may_dispose_its_machine(made: Made) -> None:
    """Then leaving it only waits for the end."""
    with made() as mach:
        mach.dispose()

    assert mach.is_disposed()


def test_a_child_outlives_its_parent(made: Made) -> None:
    """Parents are for names; what shall end together shares a context."""
    parent = made(id="parent")
    child = made(id="child", parent=parent)
    parent.dispose_force()
    assert child.add1("A") is EXECUTED

    together = am.Machine(parent.ctx, {}, parent=parent)
    assert ended(together)


def disposed(made: Made) -> am.Machine:
    """A machine with a past that is over."""
    mach = made("A{} B{}", id="gone", tags=["one", "two"], parent_id="up")
    mach.verify_states(["A", "B", "Exception"])
    mach.add1("A")
    mach.dispose_force()
    return mach


def test_what_a_disposed_machine_answers(made: Made) -> None:
    """Nothing is active and nothing ticks; only what describes it is left."""
    mach = disposed(made)

    assert [mach.is1("A"), mach.is_(["A"]), mach.is_([]), mach.not1("A"), mach.not_(["A"])] == [
        False
    ] * 5
    assert [mach.any(["A"]), mach.any1("A"), mach.has(["A"]), mach.has1("A")] == [False] * 4
    assert [mach.is_time([0]), mach.is_time([]), mach.is_clock({}), mach.is_err()] == [False] * 4
    assert (mach.tick("A"), mach.time_sum(), mach.time_sum(["A"]), mach.index("A")) == (0, 0, 0, -1)
    assert mach.time() == mach.time(["A"]) == []
    assert mach.clock() == mach.clock(["A"]) == {}
    assert mach.active_states() == []
    assert (str(mach), mach.string_all(), mach.switch(["A"])) == ("", "", "")
    assert mach.count_active(["A"]) == 0
    assert mach.inspect(["A"]) == "A:\n  State:   false 0\n\n"
    assert mach.state_names() == ["A", "B", "Exception"]
    assert list(mach.get_struct()) == ["A", "B", "Exception"]
    assert (mach.id, mach.parent_id, mach.tags) == ("gone", "up", ["one", "two"])
    assert repr(mach) == "<Machine gone >"


@pytest.mark.parametrize(
    "mutate",
    [
        lambda mach: mach.add1("A"),
        lambda mach: mach.add1("Unknown"),
        lambda mach: mach.add(["A"]),
        lambda mach: mach.remove1("A"),
        lambda mach: mach.set(["A"]),
        lambda mach: mach.toggle1("A"),
        lambda mach: mach.add_err(RuntimeError()),
        lambda mach: mach.add_err_state("A", RuntimeError()),
        lambda mach: mach.can_add1("A"),
        lambda mach: mach.can_remove1("A"),
        lambda mach: mach.prepend_mut(None),
    ],
)
def test_a_disposed_machine_cancels(made: Made, mutate: Callable[[am.Machine], object]) -> None:
    """Every mutation, and it stores no error."""
    mach = disposed(made)
    err = mach.err

    assert mutate(mach) is CANCELED
    assert mach.err is err


def test_what_a_disposed_machine_does_not_do(made: Made, struct: Any) -> None:
    """Calls that change it are without effect; an export is refused."""
    mach = disposed(made)
    handlers: dict[str, Any] = {}

    mach.bind_handlers(handlers)
    mach.detach_handlers(handlers)
    mach.bind_tracer(am.Tracer())
    mach.verify_states(["Exception", "B", "A"])
    mach.set_struct(struct("Z{}"), ["Z"])
    mach.import_(am.Serialized("other", [1, 1, 1], ["A", "B", "Exception"]))
    mach.log("nothing")

    assert mach.handlers() == []
    assert mach.tracers() == []
    assert mach.state_names() == ["A", "B", "Exception"]
    assert mach.id == "gone"
    assert mach.time() == []
    assert mach.eval("test", lambda: None) is False
    with pytest.raises(RuntimeError, match="disposed"):
        mach.export()


def test_waiters_and_contexts_of_a_disposed_machine_are_over(made: Made) -> None:
    """They come back released, for another reason than a match."""
    mach = disposed(made)
    handles = [mach.when1("A"), mach.when_not1("A"), mach.when_args("A", {}), mach.when_err()]
    handles += [mach.when_ticks("A", 1), mach.when_time(["A"], [1])]

    assert [handle.reason for handle in handles] == ["disposed"] * len(handles)
    assert mach.when_disposed().reason == "match"
    assert mach.new_state_ctx("A").done


def test_a_machine_without_references_is_collected(made: Made) -> None:
    """Machines that were bound and used need no disposal for their memory to return."""
    threads = threading.active_count()
    alive = []
    for _ in range(200):
        mach = made()
        mach.bind_handlers({"AState": lambda e, mach=mach: mach.add1("B")})
        mach.add1("A")
        mach.new_state_ctx("A")
        alive.append(weakref.ref(mach))
    del mach

    gc.collect()

    assert [ref for ref in alive if ref() is not None] == []
    assert threading.active_count() == threads


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_machine_cannot_be_copied(made: Made, duplicate: Callable[[object], object]) -> None:
    """Threads, handlers and waiters belong to one; the error shows what to do instead."""
    with pytest.raises(TypeError, match="export"):
        duplicate(made())


def test_tags_are_labels_without_spaces(made: Made) -> None:
    """Repeats are removed; spaces are refused, since they separate tags elsewhere."""
    mach = made(tags=["a", "b", "a"])
    assert mach.tags == ["a", "b"]

    mach.set_tags(["c"])
    mach.tags.append("d")
    assert mach.tags == ["c"]

    for wrong in ("a b", "", "a\n"):
        with pytest.raises(ValueError, match="without spaces"):
            mach.set_tags([wrong])


SIGNALED = """
import signal
import threading

import machine as am

mach = am.Machine(None, {"A": am.State()}, handler_timeout=None)
signal.signal(signal.SIGINT, lambda *_: mach.dispose())


def work(event):
    signal.raise_signal(signal.SIGINT)
    event.machine.new_state_ctx("A").wait(30)


mach.bind_handlers({"AState": work})
mach.add1("A")
assert mach.when_disposed().wait(30)
print("ended")
"""


@pytest.mark.slow
def test_a_signal_may_dispose_while_a_handler_runs() -> None:
    """Contexts end at once, so a handler that waits for one returns and the process ends."""
    done = subprocess.run(
        [sys.executable, "-c", SIGNALED],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout, done.returncode) == ("ended\n", 0), done.stderr


def test_disposing_while_no_thread_can_start_ends_at_once(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the end of the interpreter there are no new threads; the calling one does it."""
    mach = made()

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    mach.dispose()

    assert mach.is_disposed()


def test_the_context_of_a_machine_that_ends_is_ended(made: Made) -> None:
    """Also when it is asked for the first time only then, by several threads or one."""
    mach = made()
    mach.add1("A")
    mach.dispose_force()

    assert mach.ctx.done


class Overtaken:
    """A lock before which another thread has made what it guards."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work

    def __enter__(self) -> None:
        self._work()

    def __exit__(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("part", "ask"),
    [
        ("_ctx", lambda mach: mach.ctx),
        ("_waiters", lambda mach: mach._subscriptions()),
        ("_state_contexts", lambda mach: (mach.new_state_ctx("A"), mach._state_contexts)[1]),
    ],
)
def test_what_is_made_when_needed_is_made_once(
    made: Made, monkeypatch: pytest.MonkeyPatch, part: str, ask: Callable[[am.Machine], object]
) -> None:
    """The second thread at the lock takes what the first one made."""
    mach, other = made(), made()
    ask(other)
    first = getattr(other, part)
    overtaken = Overtaken(lambda: setattr(mach, part, first))
    monkeypatch.setattr(type(mach), "_making", overtaken)
    monkeypatch.setattr("machine._machine.lifecycle.Lifecycle._making", overtaken)

    assert ask(mach) is first


def test_threads_get_one_context(made: Made, in_threads: Callable[..., None]) -> None:
    """All callers get the same, no matter which comes first."""
    for _ in range(20):
        mach = made()
        found: list[am.Context] = []
        in_threads(*[lambda: found.append(mach.ctx)] * 4)  # noqa: B023 - runs at once

        assert len(set(found)) == 1
