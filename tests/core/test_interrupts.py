"""An interrupt everywhere: wherever the interpreter lets one in, nothing is half done.

The interpreter raises an interrupt after a call, at a function's begin and at a loop's turn.
Each case here is one piece of work; it is done again and again, interrupted at the first
such place in the library, at the second, and so on. Then it is looked at.
"""

from __future__ import annotations

import asyncio
import dis
import itertools
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest

import machine as am
from machine import pipes

PACKAGE = os.path.dirname(am.__file__) + os.sep
PLACES = ("CALL", "RESUME", "JUMP_BACKWARD")
PATIENCE_S = 10.0
STRIDE = 7
"""The quick tests try one place of so many; each case begins at another."""

PLACES_MAX = 20_000

EXECUTED = am.Result.EXECUTED

STATES = {
    "A": am.State(remove=["B"]),
    "B": am.State(remove=["A"]),
    "C": am.State(auto=True, require=["A"]),
    "D": am.State(multi=True),
    "E": am.State(),
    "Last": am.State(),
}


class Stop(KeyboardInterrupt):
    """What arrives."""


class Interrupter:
    """Raises at the n-th place of the library that the calling thread passes."""

    def __init__(self, at: int) -> None:
        self.left = at

    def run(self, work: Callable[[], object]) -> bool:
        """Do it, interrupted; False if it does not pass so many places."""
        sys._getframe().f_trace_opcodes = True
        sys.settrace(self._trace)
        try:
            list(apart(work))
        except Stop:
            pass
        finally:
            sys.settrace(None)
        return self.left < 0

    def _trace(self, frame: Any, event: str, arg: object) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        frame.f_trace_opcodes = True
        code, last = frame.f_code.co_code, "RESUME"

        def trace(frame: Any, event: str, arg: object) -> Any:
            nonlocal last
            if event == "opcode":
                if last.startswith(PLACES):
                    self.left -= 1
                    if self.left == -1:
                        raise Stop
                last = dis.opname[code[frame.f_lasti]]
            return trace

        return trace


def apart(work: Callable[[], object]) -> Iterator[object]:
    """A generator that does it, since one has a stack of handled exceptions of its own.

    What a trace function raises at the end of an `except` block is not taken off that stack,
    as a real interrupt is.
    """
    yield work()


class Watcher(am.Tracer):
    """Keeps the transitions that it is notified of."""

    def __init__(self) -> None:
        self.begun: list[am.Transition] = []
        self.ended: list[am.Transition] = []

    def transition_start(self, tx: am.Transition) -> None:
        self.begun.append(tx)

    def transition_end(self, tx: am.Transition) -> None:
        self.ended.append(tx)


class World:
    """A machine, what waits for it, and the work that is interrupted."""

    states: Mapping[str, am.State] = STATES
    options: Mapping[str, Any] = MappingProxyType({})
    handlers: Mapping[str, Any] = MappingProxyType({})
    level = am.LogLevel.NOTHING

    def __init__(self) -> None:
        self.mach = am.Machine(None, self.states, id="world", **self.options)
        self.mach.set_logger(lambda level, text, *args: None)
        if self.handlers:
            self.mach.bind_handlers(self.handlers)
        self.mach.set_log_level(self.level)
        self.mach.add1("B")
        self.begin()
        self.calls: list[str] = []
        self.handles = {s: self.mach.when1(s) for s in ("A", "C", "D", "E")}
        for state, handle in self.handles.items():
            handle.add_done_callback(lambda _, state=state: self.calls.append(state))  # type: ignore[misc]
        self.ctx = self.mach.new_state_ctx("B")
        self.blocked = Blocked(self.mach.when1("A"), self.mach.when_not1("B"))
        self.prepare()

    def begin(self) -> None:
        """What the first mutation still needs."""

    def prepare(self) -> None:
        """What else belongs to this world."""

    def work(self) -> None:
        """What is interrupted."""
        self.mach.add1("A")

    def finish(self) -> None:
        """Let the machine go on, as any program does."""
        assert self.mach.add1("Last") is EXECUTED

    def check(self) -> None:
        """Everything is as it has to be."""
        mach = self.mach
        self.finish()
        assert mach.queue_len() == 0
        assert mach._is_idle()
        assert not mach._interrupted
        assert mach.transition() is None
        assert mach.is1("Last")
        for state in mach.state_names():
            assert mach.tick(state) % 2 == mach.is1(state), state
        for state, handle in self.handles.items():
            if mach.is1(state):
                assert handle.done, state
            assert self.calls.count(state) == handle.done, state
        assert self.ctx.done or mach.is1("B")
        assert not self.ctx.done or mach.tick("B") != 1
        assert mach.is1("A") == mach.is1("C"), "auto states had their turn"
        ticks = mach._queue_ticks
        assert ticks is None or not ticks._early
        self.blocked.check(mach)
        self.look()

    def look(self) -> None:
        """What else has to be as it is."""

    def close(self) -> None:
        """Leave nothing behind."""
        self.mach.dispose_force()
        self.blocked.thread.join(PATIENCE_S)
        assert not self.blocked.thread.is_alive()


class Blocked:
    """A thread that waits for these, one after another."""

    def __init__(self, *handles: am.WaitHandle) -> None:
        self.handles = handles
        self.thread = threading.Thread(target=self._wait, daemon=True)
        self.thread.start()

    def _wait(self) -> None:
        for handle in self.handles:
            handle.wait(PATIENCE_S)

    def check(self, mach: am.Machine) -> None:
        """A thread that nothing blocks any more goes on."""
        if all(handle.done for handle in self.handles):
            self.thread.join(PATIENCE_S)
            assert not self.thread.is_alive()


def nothing(event: am.Event) -> None:
    """A handler."""


class Plain(World):
    """A mutation without handlers."""


class Watched(World):
    """One that a tracer watches, with log lines."""

    level = am.LogLevel.EVERYTHING

    def __init__(self) -> None:
        self.watcher = Watcher()
        self.options = {"tracers": [self.watcher]}
        super().__init__()

    def look(self) -> None:
        ended = self.watcher.ended
        assert set(ended) >= set(self.watcher.begun)
        assert len(set(ended)) == len(ended), "nobody is told twice"
        for one, other in itertools.pairwise(ended):
            assert one.time_after == other.time_before
        assert ended[-1].time_after == self.mach.time()


HANDLERS = {
    "AEnter": nothing,
    "BExit": nothing,
    "BA": nothing,
    "BEnd": nothing,
    "AState": nothing,
    "CEnter": nothing,
    "CState": nothing,
    "AnyState": nothing,
}


class Handled(World):
    """A mutation with handlers."""

    handlers = HANDLERS


class HandledWatched(Watched):
    """A mutation with handlers and a tracer."""

    handlers = HANDLERS


class Limited(World):
    """A mutation that begins a deadline and ends another."""

    states = MappingProxyType(
        {state: STATES[state].replace(timeout=1000, on_timeout="D") for state in "AB"}
        | {state: STATES[state] for state in ("C", "D", "E", "Last")}
    )

    def look(self) -> None:
        work = [one.names for one in self.mach.open_work() if one.kind == "deadline"]
        assert work == [(state,) for state in "AB" if self.mach.is1(state)]


class LimitPassed(Limited):
    """The check of a deadline that is over, which waits in the queue."""

    def begin(self) -> None:
        (self.deadline,) = self.mach._state_contexts.deadlines()  # type: ignore[union-attr]

    def prepare(self) -> None:
        del self.mach._idle  # as if another thread drained the queue
        self.deadline.timer.fn()  # type: ignore[misc]
        self.mach._idle = None

    def work(self) -> None:
        self.mach.add1("E")

    def finish(self) -> None:
        self.carried_out = all(one.call.names not in ((), ("D",)) for one in self.mach._queue)
        super().finish()

    def look(self) -> None:
        assert self.mach.tick("D") in (0, 1), "at most once; canceled if interrupted itself"
        assert self.mach.tick("D") == 1 or self.carried_out


class Nested(World):
    """Handlers that mutate, with arguments, and a waiter for exactly that."""

    def prepare(self) -> None:
        self.given = self.mach.when_args("D", {"x": 1})
        self.queued: list[am.WaitHandle] = []
        self.mach.bind_handlers({"AState": self.on_a, "DState": nothing})

    def on_a(self, event: am.Event) -> None:
        self.mach.add1("D", {"x": 1})
        self.mach.add1("E")
        self.queued = [self.mach.when_queue(m.queue_tick) for m in self.mach.queue()]
        self.queued.append(self.mach.when_queue_ends())

    def look(self) -> None:
        assert all(handle.done for handle in self.queued)
        if self.mach.is1("D"):
            assert self.given.done
        if self.queued:
            assert self.mach.is1("D") or self.mach.tick("D") == 0 or self.mach.tick("D") == 2


class NestedWatched(Watched, Nested):
    """The same with a tracer."""

    level = am.LogLevel.CHANGES

    def look(self) -> None:
        Watched.look(self)
        Nested.look(self)


class Refused(World):
    """An auto state that is refused."""

    handlers = MappingProxyType({"CEnter": lambda e: False})

    def check(self) -> None:
        self.finish()
        assert not self.mach.is1("C")
        assert self.mach._is_idle()


class Failing(World):
    """A handler that fails, and one for errors."""

    def prepare(self) -> None:
        self.mach.bind_handlers({"DState": self.fail, "ExceptionState": nothing})

    def fail(self, event: am.Event) -> None:
        raise ValueError

    def work(self) -> None:
        self.mach.add1("D")
        self.mach.remove1("Exception")
        self.mach.add_err(ValueError())
        with self.mach.panic_to_err():
            raise ValueError


class Asking(World):
    """Checks, evaluations, duplicates, prepended mutations."""

    def work(self) -> None:
        self.mach.can_add1("A")
        self.mach.eval("test", lambda: None)
        self.mach.prepend_mut(self.mach.new_mutation(am.MutationType.ADD, "A"))
        self.mach.toggle1("D")


class Waiting(World):
    """Every way to wait."""

    def work(self) -> None:
        mach, ctx = self.mach, am.Context()
        handle = mach.when1("A", ctx)
        handle.wait(0)
        mach.when_time("A", [5], ctx)
        mach.when_query(lambda clock: clock["A"] > 0).wait(0)
        am.first(handle, mach.when_not1("B"), timeout=0)
        am.every(handle, timeout=0)
        ctx.cancel()
        mach.when_err().cancel()
        mach.when_queue_ends().wait(PATIENCE_S)
        mach.add1("A")
        mach.when1("A").wait(PATIENCE_S)


class Released(World):
    """A handle that is canceled: who waits for it goes on."""

    def prepare(self) -> None:
        self.ended: list[str] = []
        self.handle = self.mach.when1("E")
        self.handle.add_done_callback(lambda _: self.ended.append("handle"))
        self.waits = Blocked(self.handle)

    def work(self) -> None:
        self.handle.cancel()

    def look(self) -> None:
        self.handle.cancel()
        assert self.ended == ["handle"]
        self.waits.check(self.mach)
        assert not self.waits.thread.is_alive()


class Contexts(World):
    """A tree of contexts that is canceled."""

    def prepare(self) -> None:
        self.ended: list[int] = []
        self.root = am.Context()
        self.tree = [self.root, self.root.child(), self.root.child()]
        self.tree.append(self.tree[1].with_timeout(1000))
        for number, ctx in enumerate(self.tree):
            ctx.add_done_callback(lambda _, number=number: self.ended.append(number))  # type: ignore[misc]
        self.limited = self.mach.when1("E", self.tree[3])
        self.waits = Blocked(self.limited)

    def work(self) -> None:
        self.root.cancel()

    def look(self) -> None:
        self.root.cancel()
        assert all(ctx.done for ctx in self.tree)
        assert sorted(self.ended) == [0, 1, 2, 3]
        assert self.limited.done
        self.waits.check(self.mach)
        assert not self.waits.thread.is_alive()


class Timed(World):
    """Deadlines that are made and taken back; those of others come."""

    def work(self) -> None:
        for _ in range(3):
            am.background().with_timeout(1000).cancel()

    def look(self) -> None:
        ctx = am.background().with_timeout(0.001)
        assert ctx.wait(PATIENCE_S)


class Bound(World):
    """Binding and detaching handlers and tracers."""

    def prepare(self) -> None:
        self.mach.add_err(ValueError())
        self.errors: list[object] = []
        self.one, self.two = {"EState": nothing}, {"ExceptionState": self.errors.append}
        self.tracer = Watcher()

    def work(self) -> None:
        self.mach.bind_handlers(self.one)
        self.mach.bind_handlers(self.two)
        self.mach.bind_tracer(self.tracer)
        self.mach.detach_handlers(self.one)
        self.mach.detach_tracer(self.tracer)
        self.mach.set_log_level(am.LogLevel.OPS)

    def look(self) -> None:
        if self.two in self.mach.handlers():
            self.mach.add_err(ValueError())
            assert self.errors
        self.mach.bind_handlers({"EState": nothing})
        assert self.mach.add1("E") is EXECUTED


class Restructured(Watched):
    """A new schema while something waits in the queue."""

    def prepare(self) -> None:
        self.told: list[str] = []
        self.states = {"New": am.State(), **STATES}

    def work(self) -> None:
        self.mach.set_struct(self.states, list(self.states))
        self.mach.verify_states([*reversed(self.states), "Exception"])
        self.mach.add1("A")

    def look(self) -> None:
        mach = self.mach
        new = mach.has1("New")
        assert mach.schema_ver() == new
        assert len(mach.time()) == len(mach.state_names()) == len(STATES) + 1 + new
        assert mach.add1("E") is EXECUTED
        assert mach.is1("E")


class Piped(World):
    """A mutation that mutates another machine."""

    def prepare(self) -> None:
        self.other = World()
        self.mach.bind_handlers({"AState": pipes.add(self.mach, self.other.mach, "A")})

    def look(self) -> None:
        self.other.check()

    def close(self) -> None:
        self.other.close()
        super().close()


class Disposed(World):
    """The end of a machine, which another one finishes."""

    def prepare(self) -> None:
        self.seen: list[str] = []
        self.mach.handle_dispose(lambda id, ctx: self.seen.append(id))
        self.mach.bind_tracer(Farewell(self.seen))
        self.gone = self.mach.when_disposed()
        self.waits = Blocked(self.gone)

    def work(self) -> None:
        self.mach.dispose()
        self.gone.wait(PATIENCE_S)

    def check(self) -> None:
        self.mach.dispose()
        assert self.gone.wait(PATIENCE_S)
        self.waits.thread.join(PATIENCE_S)
        assert not self.waits.thread.is_alive()
        assert self.mach.is_disposed()
        assert sorted(self.seen) == ["gone", "world"]
        assert self.ctx.done
        assert all(handle.done for handle in self.handles.values())
        assert self.calls == list(self.handles)


class DisposedByForce(Disposed):
    """The same at once."""

    def work(self) -> None:
        self.mach.dispose_force()


class DisposedByBlock(Disposed):
    """The same at the end of a block."""

    def work(self) -> None:
        with self.mach:
            pass


class Farewell(am.Tracer):
    """Keeps that the machine is gone."""

    def __init__(self, seen: list[str]) -> None:
        self.seen = seen

    def machine_dispose(self, machine_id: str) -> None:
        self.seen.append("gone")


class Pinned(World):
    """The turn of an event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.options = {"executor": self.loop}
        super().__init__()

    def begin(self) -> None:
        self.turn()

    def turn(self) -> None:
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    def work(self) -> None:
        self.mach.add1("A")
        self.turn()

    def finish(self) -> None:
        self.mach.add1("Last")
        self.turn()
        self.turn()

    def close(self) -> None:
        super().close()
        for _ in range(4):
            self.turn()
        self.loop.close()


class Tasks(Pinned):
    """Coroutine handlers that are started, canceled and end."""

    async def on_a(self, event: am.Event) -> None:
        await asyncio.sleep(1000)

    def prepare(self) -> None:
        self.mach.bind_handlers({"AState": self.on_a})

    def work(self) -> None:
        super().work()
        self.turn()
        self.mach.add1("B")
        self.turn()

    def look(self) -> None:
        self.mach.add1("B")
        for _ in range(4):
            self.turn()
        assert self.mach.when_tasks_end().done
        assert self.mach.tasks() == []


class InThread(World):
    """Handlers in a thread of their own."""

    options = MappingProxyType({"handler_runner": "thread"})
    handlers = MappingProxyType({"AEnter": nothing, "AState": nothing, "LastState": nothing})


CASES = [
    Plain,
    Watched,
    Handled,
    HandledWatched,
    Nested,
    NestedWatched,
    Refused,
    Failing,
    Asking,
    Waiting,
    Released,
    Contexts,
    Timed,
    Limited,
    LimitPassed,
    Bound,
    Restructured,
    Piped,
    Disposed,
    DisposedByForce,
    DisposedByBlock,
    Pinned,
    Tasks,
    InThread,
]


def interrupt(kind: type[World], at: int) -> bool:
    """Do a case's work, interrupted there, and look at it; False if it ends before."""
    world = kind()
    try:
        interrupted = Interrupter(at).run(world.work)
        if interrupted:
            world.check()
        return interrupted
    finally:
        world.close()


@pytest.fixture(params=CASES, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> Any:
    """A case, whose code was traced before: from the second time on all places are seen."""
    twin = request.param()
    Interrupter(1 << 50).run(twin.work)
    twin.close()
    return request.param


def unheard(test: Callable[..., None]) -> Callable[..., None]:
    """The interpreter warns where an interrupt ends what cannot raise it."""
    for warning in (
        "ignore:coroutine .* was never awaited",
        "ignore::pytest.PytestUnraisableExceptionWarning",
    ):
        test = pytest.mark.filterwarnings(warning)(test)
    return test


@unheard
def test_an_interrupt_leaves_nothing_half_done(kind: type[World]) -> None:
    """At one of several places: the queue is free, waiters go on, everything is reported."""
    at = CASES.index(kind) % STRIDE
    while interrupt(kind, at):
        at += STRIDE
    assert at > STRIDE


@pytest.mark.slow
@unheard
def test_an_interrupt_anywhere_leaves_nothing_half_done(kind: type[World]) -> None:
    """The same at each place that there is."""
    at, broken = 0, {}
    while at < PLACES_MAX:
        try:
            if not interrupt(kind, at):
                break
        except AssertionError as error:
            broken[at] = str(error).splitlines()[:2]
        at += 1
    assert not broken
