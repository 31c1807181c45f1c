"""What a pending waiter costs the mutations of states that it does not wait for."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType

import pytest

import machine as am
from machine._calling.frames import is_library
from machine._waiting import waiters

Wait = Callable[[am.Machine], object]

WAITS: dict[str, Wait] = {
    "when_args": lambda mach: mach.when_args("C", {"id": 7}),
    "when1": lambda mach: mach.when1("C"),
    "when_not1": lambda mach: mach.when_not1("On"),
    "when_time": lambda mach: mach.when_time(["C"], [9]),
    "when_next_active": lambda mach: mach.when_next_active("C"),
    "when_queue": lambda mach: mach.when_queue(1000),
    "when_disposed": lambda mach: mach.when_disposed(),
    "when_err": lambda mach: mach.when_err(),
    "a state context": lambda mach: mach.new_state_ctx("On"),
}
EXTRA_CALLS_MAX = 3
"""Python functions a toggle may call more while a waiter waits for another state."""


def calls_of(work: Callable[[], object]) -> int:
    """How many Python functions are called meanwhile."""
    count = 0

    def note(frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event == "call" and is_library(frame.f_code.co_filename)

    work()  # plans and programs are made the first time
    gc.disable()  # it would release waiters of other tests here
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


class OfEnds(am.Tracer):
    """A tracer of ends of transitions."""

    def transition_end(self, tx: am.Transition) -> None:
        """Nothing."""


@pytest.mark.parametrize("is_traced", [False, True], ids=["no tracer", "a tracer"])
@pytest.mark.parametrize("handlers", [{}, {"AState": lambda e: None}], ids=["none", "a handler"])
@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_waiting_for_another_state_adds_nearly_no_work_to_a_mutation(
    wait: Wait, handlers: dict[str, object], is_traced: bool
) -> None:
    """Whatever is waited for, a toggle of another state takes the way it took before."""
    mach = am.Machine(None, {name: am.State() for name in ("A", "C", "On")})
    mach.bind_handlers(handlers)
    if is_traced:
        mach.bind_tracer(OfEnds())
    mach.add1("On")
    alone = calls_of(lambda: [mach.toggle1("A"), mach.toggle1("A")])

    handle = wait(mach)
    waited = calls_of(lambda: [mach.toggle1("A"), mach.toggle1("A")])

    assert waited - alone <= 2 * EXTRA_CALLS_MAX
    assert not getattr(handle, "done", False)


def test_arguments_awaited_once_do_not_slow_their_state_down_for_good() -> None:
    """A state for which arguments were awaited goes the short way again, others awaited or not."""
    mach = am.Machine(None, {name: am.State() for name in ("A", "C")})
    alone = calls_of(lambda: [mach.toggle1("A"), mach.toggle1("A")])
    mach.when_args("A", {"id": 7}).cancel()
    pending = mach.when_args("C", {"id": 7})

    assert calls_of(lambda: [mach.toggle1("A"), mach.toggle1("A")]) - alone <= 2 * EXTRA_CALLS_MAX
    assert mach.add1("C", {"id": 7}) is am.Result.EXECUTED
    assert pending.reason == "match"


@pytest.mark.parametrize("handlers", [{}, {"AState": lambda e: None}], ids=["none", "a handler"])
def test_a_waiter_made_after_many_mutations_is_released(handlers: dict[str, object]) -> None:
    """A plan that was remembered before does not hide a waiter that comes later."""
    mach = am.Machine(None, {name: am.State() for name in ("A", "B")})
    mach.bind_handlers(handlers)
    for _ in range(3):
        mach.toggle1("A")
        mach.toggle1("B")
    mach.set([])
    waiters = [mach.when1("A"), mach.when_args("A", {"x": 1}), mach.when_ticks("A", 1)]

    mach.add1("A", {"x": 1})

    assert [handle.reason for handle in waiters] == ["match"] * 3


def test_plans_without_awaited_arguments_are_known_up_to_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Past it they are looked at again; a machine that remembers no plans keeps none here."""
    monkeypatch.setattr(waiters, "IGNORED_MAX", 2)
    for cache in (am.NODES_MAX, 0):
        mach = am.Machine(None, {name: am.State() for name in "ABCDE"}, cache=cache)
        pending = mach.when_args("E", {"id": 7})
        for name in "ABCD":
            mach.add1(name)
        assert mach._waiters is not None
        assert len(mach._waiters.args_ignored) == (2 if cache else 0)
        mach.add1("E", {"id": 7})
        assert pending.done


def test_arguments_of_another_state_may_be_awaited_later() -> None:
    """A state whose plans were known not to matter matters from then on."""
    mach = am.Machine(None, {name: am.State() for name in "AB"})
    first = mach.when_args("B", {"id": 7})
    mach.toggle1("A")
    mach.toggle1("A")
    second = mach.when_args("A", {"id": 7})

    mach.add1("A", {"id": 7})

    assert second.done
    assert not first.done
