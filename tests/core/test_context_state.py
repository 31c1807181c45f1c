"""Contexts of states: live while the state is active, and not longer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

import machine as am
from machine import LogLevel
from machine.errors import StateMissingError

Make = Callable[..., am.Machine]


def test_the_context_of_an_inactive_state_has_ended(made: Make) -> None:
    """It is no error to ask, and the context stays ended when the state comes."""
    mach = made()
    ctx = mach.new_state_ctx("A")
    assert isinstance(ctx.err, am.ContextCanceled)
    mach.add1("A")
    mach.remove1("A")

    assert ctx.done
    assert ctx.value == ("mach", "A", 0)


def test_one_activation_has_one_context(made: Make) -> None:
    """Two calls return the same object; it has machine, state and tick."""
    mach = made()
    mach.add1("A")
    ctx = mach.new_state_ctx("A")

    assert not ctx.done
    assert mach.new_state_ctx("A") is ctx
    assert ctx.value == ("mach", "A", 1)
    assert isinstance(ctx.value, am.CtxValue)
    assert ctx.value.tick == 1


def test_the_context_ends_with_the_state(made: Make) -> None:
    """A context taken in `AState` is canceled when `A` is removed; the next one is another."""
    mach = made()
    taken: list[am.Context] = []
    mach.bind_handlers({"AState": lambda e: taken.append(e.machine.new_state_ctx("A"))})
    mach.add1("A")
    assert not taken[0].done
    mach.remove1("A")
    assert taken[0].done
    mach.add1("A")

    assert taken[0].done
    assert not taken[1].done


def test_the_context_lives_while_the_end_handler_runs(made: Make) -> None:
    """It ends after `transition_end`, after the waiters, before the call returns."""
    mach = made()
    mach.add1("A")
    ctx = mach.new_state_ctx("A")
    seen: list[tuple[str, bool]] = []

    class Watch(am.Tracer):
        def transition_end(self, tx: am.Transition) -> None:
            seen.append(("transition_end", ctx.done))

    mach.bind_tracer(Watch())
    mach.bind_handlers({"AEnd": lambda e: seen.append(("AEnd", ctx.done))})
    mach.when_not1("A").add_done_callback(lambda _: seen.append(("waiter", ctx.done)))
    mach.remove1("A")

    assert seen == [("AEnd", False), ("transition_end", False), ("waiter", False)]
    assert ctx.done


def test_a_context_asked_for_in_the_end_handler_has_ended(made: Make) -> None:
    """By then the state is inactive, though the context of its activation still lives."""
    mach = made()
    mach.add1("A")
    ctx = mach.new_state_ctx("A")
    seen: list[bool] = []
    mach.bind_handlers({"AEnd": lambda e: seen.append(mach.new_state_ctx("A").done)})
    mach.remove1("A")

    assert seen == [True]
    assert ctx.done


def test_other_changes_do_not_end_it(made: Make) -> None:
    """Only the state's own end counts, not that of its neighbours."""
    mach = made()
    mach.add(["A", "B"])
    ctx = mach.new_state_ctx("A")
    mach.remove1("B")
    mach.add1("C")

    assert not ctx.done


def test_activating_a_multi_state_again_does_not_end_it(made: Make) -> None:
    """The first context of a multi state lives until the state is gone."""
    mach = made("M{multi}")
    mach.add1("M")
    ctx = mach.new_state_ctx("M")
    mach.add1("M")
    assert mach.new_state_ctx("M") is ctx
    assert not ctx.done
    mach.remove1("M")

    assert ctx.done


def test_a_restored_state_keeps_its_context(made: Make) -> None:
    """A failed `End` handler leaves the state active, and its context live."""
    mach = made()
    mach.add1("A")
    ctx = mach.new_state_ctx("A")

    def fail(event: am.Event) -> None:
        raise RuntimeError("boom")

    mach.bind_handlers({"AEnd": fail})
    mach.remove1("A")

    assert mach.is1("A")
    assert not ctx.done


def test_a_context_canceled_by_hand_is_replaced(made: Make) -> None:
    """The next call returns a live one, as the state is still active."""
    mach = made()
    mach.add1("A")
    ctx = mach.new_state_ctx("A")
    ctx.cancel()
    again = mach.new_state_ctx("A")

    assert again is not ctx
    assert not again.done
    mach.remove1("A")
    assert again.done


def test_a_context_without_other_holders_still_ends_its_children(made: Make) -> None:
    """Work under a state may have contexts of its own."""
    mach = made()
    mach.add1("A")
    child = mach.new_state_ctx("A").child()
    mach.remove1("A")

    assert child.done


def test_an_unknown_state_is_an_error(made: Make) -> None:
    """A context of a state that does not exist raises at the call."""
    with pytest.raises(StateMissingError, match="missing states: Nope"):
        made().new_state_ctx("Nope")


def test_state_contexts_are_logged(made: Make, log_of: Callable[..., list[str]]) -> None:
    """A new context and its end have a line each, a repeated call has none."""
    mach = made()
    mach.add1("A")
    lines = log_of(mach, LogLevel.OPS)
    mach.new_state_ctx("A")
    mach.new_state_ctx("A")
    mach.new_state_ctx("B")
    mach.remove1("A")

    assert [line for line in lines if "[ctx" in line] == ["[ctx:new] A", "[ctx:match] A"]


def test_disposal_ends_all(made: Make) -> None:
    """State contexts live under the machine's; afterwards they come back canceled."""
    mach = made()
    mach.add(["A", "B"])
    ctxs = [mach.new_state_ctx("A"), mach.new_state_ctx("B")]
    mach.dispose_force()

    assert all(ctx.done for ctx in ctxs)
    assert mach.new_state_ctx("A").done


def test_a_state_that_the_schema_lost_ends_its_context(made: Make) -> None:
    """Contexts of states that stay go on."""
    mach = made("A{} B{}")
    mach.add(["A", "B"])
    kept, lost = mach.new_state_ctx("A"), mach.new_state_ctx("B")
    mach.set_struct({"A": am.State()}, ["A"])

    assert lost.done
    assert not kept.done
    mach.remove1("A")
    assert kept.done


async def test_a_background_task_sees_the_end(made: Make) -> None:
    """The context has ended when the call that removed the state returns."""
    mach = made()
    mach.add1("A")
    ctx = mach.new_state_ctx("A")

    async def work() -> bool:
        return await ctx

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    mach.remove1("A")

    assert ctx.done
    assert await task


def test_a_thread_sees_the_end(made: Make) -> None:
    """A forked thread sees by its context that it is not wanted any more."""
    mach = made()
    told: list[bool] = []

    def state(event: am.Event) -> None:
        ctx = event.machine.new_state_ctx("A")
        thread = threading.Thread(target=lambda: told.append(ctx.wait(10)))
        threads.append(thread)
        thread.start()

    threads: list[threading.Thread] = []
    mach.bind_handlers({"AState": state})
    mach.add1("A")
    mach.remove1("A")
    threads[0].join(10)

    assert told == [True]


def test_memory_is_given_back(made: Make) -> None:
    """Contexts that ended are not kept by the machine."""
    mach = made()
    for _ in range(100):
        mach.add1("A")
        mach.new_state_ctx("A")
        mach.remove1("A")

    assert mach._state_contexts is not None
    assert len(mach._state_contexts) == 0
    assert mach.ctx._children == {}
