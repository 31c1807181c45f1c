"""Contexts: how they end, and what is called then."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine._waiting.context import Context
from machine.errors import MachineError


def test_a_new_context_lives() -> None:
    """A context has neither ended nor an error until something ends it."""
    ctx = Context()

    assert not ctx.done
    assert ctx.err is None
    assert repr(ctx) == "<Context: live>"


def test_cancel_ends_a_context_for_good() -> None:
    """After `cancel` a context is done, has its error, and a second call has no effect."""
    ctx = Context()
    ctx.cancel()
    err = ctx.err
    ctx.cancel()

    assert ctx.done
    assert isinstance(err, am.ContextCanceled)
    assert isinstance(err, MachineError)
    assert str(err) == "context canceled"
    assert ctx.err is err
    assert repr(ctx) == "<Context: context canceled>"


def test_a_parent_ends_its_children_with_its_own_error() -> None:
    """Everything below a context ends with it, and for the same reason."""
    parent = Context()
    child = parent.child()
    grandchild = child.child()
    parent.cancel()

    assert child.err is grandchild.err is parent.err is not None


def test_a_child_ends_alone() -> None:
    """What is above a context and beside it goes on."""
    parent = Context()
    child, sibling = parent.child(), parent.child()
    child.cancel()

    assert child.done
    assert not parent.done
    assert not sibling.done


def test_a_child_of_an_ended_context_has_ended() -> None:
    """Work that is requested too late sees at once that it is not wanted."""
    parent = Context()
    parent.cancel()

    assert parent.child().err is parent.err


def test_callbacks_run_depth_first_once_everything_below_has_ended() -> None:
    """Children come before their parent, siblings in order, and all are done by then."""
    root = Context("root")
    names: list[object] = []
    everything = [root]

    def note(ctx: Context) -> None:
        assert all(one.done for one in everything)
        names.append(ctx.value)

    for name in ("a", "b"):
        child = root.child(name)
        grandchild = child.child(f"{name}1")
        everything += [child, grandchild]
    for ctx in everything:
        ctx.add_done_callback(note)
    root.cancel()

    assert names == ["a1", "a", "b1", "b", "root"]


def test_each_callback_runs_once() -> None:
    """Ending a child and then its parent calls the child's callback only once."""
    parent = Context()
    child = parent.child()
    calls: list[Context] = []
    child.add_done_callback(calls.append)
    child.cancel()
    parent.cancel()
    child.cancel()

    assert calls == [child]


def test_a_callback_added_too_late_runs_at_once() -> None:
    """A context that ended calls back in the thread that asks."""
    ctx = Context()
    ctx.cancel()
    calls: list[Context] = []
    ctx.add_done_callback(calls.append)

    assert calls == [ctx]


def test_a_callback_can_be_taken_back() -> None:
    """A removed callback is not run and not kept; the number of removed ones is returned."""
    ctx = Context()
    calls: list[Context] = []
    ctx.add_done_callback(calls.append)
    ctx.add_done_callback(calls.append)

    assert ctx.remove_done_callback(calls.append) == 2
    assert ctx.remove_done_callback(calls.append) == 0
    ctx.cancel()
    assert calls == []


def test_a_failing_callback_is_logged_and_the_others_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What a callback raises goes to the logger "asyncmachine" and no further."""
    ctx = Context()
    calls: list[Context] = []

    def fail(_: Context) -> None:
        raise RuntimeError("boom")

    ctx.add_done_callback(fail)
    ctx.add_done_callback(calls.append)
    with caplog.at_level(logging.ERROR, "asyncmachine"):
        ctx.cancel()

    assert calls == [ctx]
    assert "boom" in caplog.text
    assert caplog.records[0].name == "asyncmachine"


def test_an_interrupt_in_a_callback_passes_after_the_others_ran() -> None:
    """KeyboardInterrupt reaches the caller, but keeps no other callback from running."""
    ctx = Context()
    calls: list[Context] = []

    def interrupt(_: Context) -> None:
        raise KeyboardInterrupt

    ctx.add_done_callback(interrupt)
    ctx.add_done_callback(calls.append)
    with pytest.raises(KeyboardInterrupt):
        ctx.cancel()

    assert calls == [ctx]


def test_a_child_carries_its_parents_value_unless_it_has_its_own() -> None:
    """Values go down the tree."""
    parent = Context("above")

    assert parent.child().value == "above"
    assert parent.child("own").value == "own"
    assert repr(parent.child("own")) == "<Context 'own': live>"


def test_a_parent_forgets_a_child_that_ended() -> None:
    """A long-lived context does not collect the short-lived ones below it."""
    parent = Context()
    child = parent.child()
    gone = weakref.ref(child)
    child.cancel()
    del child
    gc.collect()

    assert gone() is None
    assert parent._children == {}


def test_a_deep_tree_ends_without_deep_recursion() -> None:
    """Ten thousand levels end as one level does."""
    root = last = Context()
    for _ in range(10_000):
        last = last.child()
    root.cancel()

    assert last.done


def test_a_context_ends_with_its_block() -> None:
    """In a `with` statement a context is canceled at the end of the block."""
    with Context() as ctx:
        assert not ctx.done

    assert isinstance(ctx.err, am.ContextCanceled)


def test_the_background_never_ends() -> None:
    """There is one background; canceling it or waiting for it comes to nothing."""
    ctx = am.background()
    ctx.cancel()

    assert ctx is am.background()
    assert not ctx.done
    assert not ctx.wait(0)


def test_the_background_keeps_no_reference() -> None:
    """Contexts and callbacks given to the background are not kept alive by it."""
    child = am.background().child()
    gone = weakref.ref(child)
    am.background().add_done_callback(lambda _: None)
    del child
    gc.collect()

    assert gone() is None
    assert am.background()._callbacks == {}


def test_waiting_ends_with_the_context() -> None:
    """A blocked thread goes on once another one cancels the context."""
    ctx = Context()
    thread = threading.Thread(target=ctx.cancel)
    thread.start()

    assert ctx.wait(10)
    thread.join()


def test_waiting_for_an_ended_context_does_not_block() -> None:
    """`wait` gives True at once for a context that has ended."""
    ctx = Context()
    ctx.cancel()

    assert ctx.wait()


def test_a_wait_that_times_out_leaves_nothing_behind() -> None:
    """After a timeout the context does not remember who waited."""
    ctx = Context()

    assert not ctx.wait(0)
    assert not ctx.wait(-1)
    assert ctx._callbacks == {}


async def test_a_task_waits_for_a_context() -> None:
    """`await ctx` goes on once another thread has canceled it."""
    ctx = Context()
    thread = threading.Thread(target=ctx.cancel)
    asyncio.get_running_loop().call_soon(thread.start)

    assert await ctx
    assert await ctx
    thread.join()


async def test_a_canceled_task_leaves_nothing_behind() -> None:
    """Canceling the task that awaits a context takes its registration back, not the context."""
    ctx = Context()

    async def work() -> None:
        await ctx

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    assert len(ctx._callbacks) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ctx._callbacks == {}
    assert not ctx.done


def test_a_closed_loop_does_not_break_who_ends_the_context() -> None:
    """A task that was left on a loop that is closed is no trouble for `cancel`."""
    ctx = Context()
    loop = asyncio.new_event_loop()
    started = iter(ctx.__await__())

    async def begin() -> None:
        next(started)

    loop.run_until_complete(begin())
    loop.close()
    ctx.cancel()

    assert ctx.done


async def test_being_ended_twice_in_one_step_of_the_loop_is_no_matter() -> None:
    """A future that was settled or canceled before the loop ran the wake-up stays as it is."""
    ctx = Context()

    async def work() -> None:
        await ctx

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    ctx.cancel()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ctx.done


def ending_while_watched() -> Context:
    """A context that another thread ends in the moment in which a callback is added."""

    class Ending(dict[object, Callable[[Any], object]]):
        def __setitem__(self, key: object, fn: Callable[[Any], object]) -> None:
            super().__setitem__(key, fn)
            ctx._callbacks = {}
            ctx.cancel()
            ctx._callbacks = self

    ctx = Context()
    ctx._callbacks = Ending()
    return ctx


def test_a_callback_added_while_the_context_ends_runs_once() -> None:
    """The second of adding and ending sees the first; the callback runs exactly once."""
    ctx = ending_while_watched()
    calls: list[Context] = []
    ctx.add_done_callback(calls.append)

    assert calls == [ctx]
    assert ctx._callbacks == {}


async def test_a_context_that_ends_while_a_task_begins_to_wait_is_noticed() -> None:
    """The task does not wait for what is past, nor does a thread."""
    assert await ending_while_watched()
    assert ending_while_watched().wait()
