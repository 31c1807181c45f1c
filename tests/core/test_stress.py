"""Many threads on one machine at once: nothing is torn, lost, doubled or kept.

Each run lasts AM_STRESS_S seconds, 1 unless that is set.
"""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import itertools
import os
import random
import re
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import machine as am

Made = Callable[..., am.Machine]

pytestmark = pytest.mark.slow

SECONDS = float(os.environ.get("AM_STRESS_S", "1"))
STUCK_S = 60.0
SCHEMA = (
    "A{remove:[B,C]} B{remove:[A,C]} C{remove:[A,B]} M{multi} "
    "D{require:E} E{} F{auto require:D} Err{require:Exception}"
)
GROUP = frozenset("ABC")
MUTATORS = READERS = 8


class Overlap(am.Tracer):
    """Notes transitions that overlap, and their numbers."""

    def __init__(self) -> None:
        self.running = 0
        self.overlaps = 0
        self.numbers: list[int] = []

    def transition_init(self, tx: am.Transition) -> None:
        self.running += 1
        self.overlaps += self.running != 1

    def transition_end(self, tx: am.Transition) -> None:
        self.running -= 1
        self.numbers.append(tx.number)


class Mutator:
    """Mutates, waits and asks for contexts in a random order; counts what cannot be lost."""

    def __init__(self, mach: am.Machine, seed: int) -> None:
        self.mach = mach
        self.random = random.Random(seed)
        self.calls_of_m = 0
        self.errors = 0
        self.handles: list[am.WaitHandle] = []

    def step(self) -> None:
        """One thing to do."""
        self.random.choice(
            (self.count, self.count, self.switch, self.toggle, self.err, self.wait, self.ask)
        )()

    def count(self) -> None:
        result = self.mach.add1("M", {"n": self.calls_of_m})
        assert result in (am.Result.EXECUTED, am.Result.QUEUED), result
        self.calls_of_m += 1

    def switch(self) -> None:
        self.mach.set([self.random.choice("ABC"), "M"], {"n": 0})
        self.calls_of_m += 1

    def toggle(self) -> None:
        self.mach.toggle(self.random.choice((["D", "E"], ["E"], ["A"], ["D"])))

    def err(self) -> None:
        self.mach.add_err(RuntimeError("stress"))
        self.errors += 1
        self.mach.remove1("Exception")

    def wait(self) -> None:
        ctx = self.mach.ctx.child()
        states = self.random.choice((["A"], ["D", "E"], ["B"]))
        self.mach.when(states, ctx).wait(0)
        self.mach.when_not(states).cancel()
        self.mach.when_args("M", {"n": -1}, ctx)
        self.mach.when_ticks("M", 2).wait(0.001)
        ctx.cancel()

    def ask(self) -> None:
        self.mach.can_add1("A")
        self.mach.new_state_ctx(self.random.choice("ABCDE"))
        self.mach.is_queued_above(1, am.MutationType.ADD, "M")


class Reader:
    """Reads in every way and checks that each answer stands for one moment."""

    def __init__(self, mach: am.Machine) -> None:
        self.mach = mach
        self.names = mach.state_names()
        self.last = list(mach.time())
        self.reads = 0

    def step(self) -> None:
        """Each way of reading once."""
        self._text(self.mach.string_all())
        self._text(str(self.mach))
        self._time(self.mach.time())
        self._active(self.mach.active_states())
        assert not self.mach.is_(["A", "B"])
        clock = self.mach.clock(["A", "B", "C"])
        assert sum(tick % 2 for tick in clock.values()) <= 1
        assert self.mach.inspect(["A"]).startswith("A:\n  State:   ")
        self.mach.queue()
        self.mach.tick("M")
        self.mach.switch(["A", "B", "C"])
        self.reads += 1

    def _text(self, text: str) -> None:
        """Odd ticks are active and even ones are not, in one and the same text."""
        active, _, inactive = text.partition("[")
        ticks = re.findall(r"(\w+):(\d+)", active)
        assert all(int(tick) % 2 for _, tick in ticks), text
        assert not any(int(tick) % 2 for _, tick in re.findall(r"(\w+):(\d+)", inactive)), text
        self._active([name for name, _ in ticks])

    def _active(self, active: list[str]) -> None:
        """What relations forbid is never seen, not even for a moment."""
        assert len(active) == len(set(active))
        assert len(GROUP.intersection(active)) <= 1, active
        assert "E" in active or "D" not in active, active

    def _time(self, ticks: list[int]) -> None:
        assert len(ticks) == len(self.names)
        assert all(now >= before for now, before in zip(ticks, self.last, strict=True))
        self.last = list(ticks)


def run(steps: list[Callable[[], None]]) -> None:
    """Each of these again and again in its own thread until the time is over."""
    failures: list[BaseException] = []
    end = time.monotonic() + SECONDS

    def again(step: Callable[[], None]) -> None:
        try:
            while time.monotonic() < end and not failures:
                step()
        except BaseException as error:  # noqa: BLE001 - raised again below
            failures.append(error)

    threads = [threading.Thread(target=again, args=(step,), daemon=True) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS + STUCK_S)
        if thread.is_alive():
            faulthandler.dump_traceback(all_threads=True)
            pytest.fail("a thread is stuck; see the stacks above")
    for failure in failures:
        raise failure


@pytest.fixture(autouse=True)
def _switching_often() -> Any:
    """Threads take turns in the middle of everything."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


def check(mach: am.Machine, mutators: list[Mutator]) -> None:
    """What must be true once all is quiet."""
    assert mach.queue_len() == 0
    assert mach.transition() is None
    assert mach._is_idle()
    calls = sum(mutator.calls_of_m for mutator in mutators)
    assert mach.tick("M") == 2 * calls - 1
    gc.collect()
    assert mach._waiters is None or len(mach._waiters) == 0
    assert not mach._ticks_of_queue()._early
    contexts = mach._state_contexts
    assert contexts is None or len(contexts) <= len(mach.active_states())


WAYS: dict[str, dict[str, Any]] = {
    "short": {},
    "uncached": {"cache": 0},
    "logged": {"log_level": am.LogLevel.EVERYTHING},
    "thread": {"handler_runner": "thread"},
}


@pytest.mark.parametrize("handlers", [False, True], ids=["bare", "handlers"])
@pytest.mark.parametrize("way", WAYS)
def test_threads_on_one_machine_tear_and_lose_nothing(made: Made, way: str, handlers: bool) -> None:
    """Every snapshot is whole, every mutation counts once, and nothing is left over."""
    mach = made(SCHEMA, handler_timeout=None, queue_limit=10**9, **WAYS[way])
    mach.set_logger_empty(mach.log_level)
    tracer, inside = Overlap(), itertools.count()
    running: list[str] = []

    def handler(e: am.Event) -> None:
        running.append(e.name)
        assert running == [e.name]
        next(inside)
        running.clear()

    if handlers:
        mach.bind_tracer(tracer)
        mach.bind_handlers(dict.fromkeys(("AnyEnter", "AnyState", "MState", "FEnd"), handler))
    mutators = [Mutator(mach, seed) for seed in range(MUTATORS)]
    readers = [Reader(mach) for _ in range(READERS)]
    threads = threading.active_count()
    run([*(mutator.step for mutator in mutators), *(reader.step for reader in readers)])

    check(mach, mutators)
    assert all(reader.reads for reader in readers)
    assert tracer.overlaps == 0
    assert tracer.numbers == sorted(set(tracer.numbers))
    assert str(mach.err or "stress") == "stress"
    assert (next(inside) > 0) is handlers
    mach.dispose_force()
    assert threading.active_count() <= threads + (way == "thread")


def test_threads_on_a_pinned_machine_lose_nothing(made: Made) -> None:
    """With an executor every handler runs on the loop, and every mutation counts."""
    loop = asyncio.new_event_loop()
    runner = threading.Thread(target=loop.run_forever, daemon=True)
    runner.start()
    mach = made(SCHEMA, handler_timeout=None, queue_limit=10**9, executor=loop)
    elsewhere: list[threading.Thread] = []

    def handler(e: am.Event) -> None:
        if threading.current_thread() is not runner:
            elsewhere.append(threading.current_thread())

    mach.bind_handlers({"AnyState": handler})
    mutators = [Mutator(mach, seed) for seed in range(MUTATORS)]
    run([*(mutator.step for mutator in mutators), *(Reader(mach).step for _ in range(READERS))])
    done = threading.Event()
    while mach.queue_len() or not mach._is_idle():
        loop.call_soon_threadsafe(done.set)
        assert done.wait(STUCK_S)
        done.clear()
    loop.call_soon_threadsafe(loop.stop)
    runner.join(STUCK_S)
    loop.close()

    check(mach, mutators)
    assert elsewhere == []


def test_machines_are_disposed_under_load(made: Made) -> None:
    """A disposal in the middle of everything ends every waiter and lets no thread hang."""
    machines: list[am.Machine] = []

    def live() -> None:
        mach = made("A{} B{auto} M{multi}", handler_timeout=None)
        machines.append(mach)
        mach.bind_handlers({"MState": lambda e: e.machine.add1("A")})
        handles = [mach.when1("Exception"), mach.when_queue(10**9), mach.when_time("A", [10**9])]
        both = [
            threading.Thread(target=lambda: [mach.add1("M", {"n": n}) for n in range(20)]),
            threading.Thread(target=mach.dispose),
        ]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join(STUCK_S)
        assert mach.when_disposed().wait(STUCK_S)
        assert [handle.reason for handle in handles] == ["disposed"] * 3
        assert mach.add1("A") is am.Result.CANCELED
        assert str(mach) == ""

    run([live] * 4)
    assert machines


def test_work_goes_round_without_growing(made: Made) -> None:
    """Rounds of mutations, waits, contexts and tasks leave as many objects as they found."""
    mach = made(SCHEMA, handler_timeout=None)

    async def work(e: am.Event) -> None:
        await asyncio.sleep(0)

    async def rounds(count: int) -> int:
        for number in range(count):
            mach.add1("M", {"n": number})
            mach.toggle1("A")
            mach.new_state_ctx("A")
            handle = mach.when_ticks("M", 1)
            mach.add1("M")
            assert handle.done
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        gc.collect()
        return len(gc.get_objects())

    async def main() -> int:
        await rounds(200)
        return await rounds(100) - await rounds(2000)

    mach.bind_handlers({"AState": work, "AEnd": work})
    grown = -asyncio.run(main())

    assert grown < 100
