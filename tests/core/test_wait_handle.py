"""Wait handles: how they end when nothing matches, and that they leave nothing behind."""

from __future__ import annotations

import gc
import threading
import tracemalloc
import weakref
from collections.abc import Callable
from functools import partial

import pytest

import machine as am
from machine._waiting.context import Context
from machine._waiting.handle import Subscription, free_handle
from machine._waiting.waiters import Waiters

Make = Callable[..., am.Machine]


def index_of(mach: am.Machine) -> Waiters:
    """The machine's index of subscriptions."""
    return mach._subscriptions()


def is_empty(waiters: Waiters) -> bool:
    """Whether nothing is left in any table of the index."""
    by_name = (waiters._active, waiters._inactive, waiters._reached, waiters._args)
    tables = [table for tables in by_name for table in tables.values()]
    tables += [waiters.pending, waiters.args_pending, waiters._queries, waiters._queue_ends]
    return not any(tables) and not len(waiters)


Subscribe = Callable[[am.Machine, Context | None], am.WaitHandle]

EVERY_KIND: dict[str, Subscribe] = {
    "when": lambda mach, ctx: mach.when(["A", "B"], ctx),
    "when1": lambda mach, ctx: mach.when1("B", ctx),
    "when_any": lambda mach, ctx: mach.when_any(["B", "C"], ctx),
    "when_any1": lambda mach, ctx: mach.when_any1("B", "C", ctx=ctx),
    "when_not": lambda mach, ctx: mach.when_not("A", ctx),
    "when_time": lambda mach, ctx: mach.when_time(["A", "B"], [9, 9], ctx),
    "when_ticks": lambda mach, ctx: mach.when_ticks("A", 9, ctx),
    "when_ticks_eq": lambda mach, ctx: mach.when_ticks_eq("A", 9, ctx),
    "when_next_active": lambda mach, ctx: mach.when_next_active("A", ctx),
    "when_args": lambda mach, ctx: mach.when_args("A", {"x": 1}, ctx),
    "when_err": lambda mach, ctx: mach.when_err(ctx),
    "when_query": lambda mach, ctx: mach.when_query(lambda clock: False, ctx),
}


@pytest.fixture(params=list(EVERY_KIND))
def subscribe(request: pytest.FixtureRequest) -> Subscribe:
    """Every way to wait for something that has not happened."""
    return EVERY_KIND[request.param]


@pytest.fixture
def mach(made: Make) -> am.Machine:
    """A machine in which A is active."""
    mach = made()
    mach.add1("A")
    return mach


# -- the handle


def test_a_waiting_handle_is_neither_done_nor_true(mach: am.Machine, subscribe: Subscribe) -> None:
    """Before its release a handle is false and has no reason."""
    handle = subscribe(mach, None)

    assert not handle.done
    assert not handle
    assert handle.reason is None
    assert repr(handle).startswith("<WaitHandle when")
    assert repr(handle).endswith(": waiting>")


def test_a_released_handle_shows_why(mach: am.Machine) -> None:
    """After its release a handle is true and stays as it is."""
    handle = mach.when1("B")
    mach.add1("B")
    mach.remove1("B")
    handle.cancel()
    handle.release("ctx")

    assert handle
    assert handle.reason == "match"
    assert repr(handle) == "<WaitHandle: match>"


def test_a_callback_is_called_once(mach: am.Machine) -> None:
    """However often the state comes and goes."""
    handle = mach.when1("B")
    calls: list[am.WaitHandle] = []
    handle.add_done_callback(calls.append)
    mach.toggle1("B")
    mach.toggle1("B")
    mach.toggle1("B")

    assert calls == [handle]


def test_a_callback_on_a_released_handle_is_called_at_once(mach: am.Machine) -> None:
    """A callback that comes too late runs in the thread that adds it."""
    calls: list[am.WaitHandle] = []
    handle = mach.when1("A")
    handle.add_done_callback(calls.append)

    assert calls == [handle]


def test_a_removed_callback_is_not_called(mach: am.Machine) -> None:
    """A callback can be taken back until it runs."""
    handle = mach.when1("B")
    calls: list[am.WaitHandle] = []
    handle.add_done_callback(calls.append)

    assert handle.remove_done_callback(calls.append) == 1
    mach.add1("B")
    assert calls == []


def test_waiting_for_a_match_is_true(mach: am.Machine) -> None:
    """A blocked thread gets True, one that is too late too."""
    handle = mach.when1("B")
    thread = threading.Thread(target=mach.add1, args=("B",))
    thread.start()

    assert handle.wait(10)
    assert handle.wait(0)
    thread.join()


def test_waiting_in_vain_is_false(mach: am.Machine, subscribe: Subscribe) -> None:
    """A timeout gives False, leaves the handle waiting and nothing else behind."""
    handle = subscribe(mach, None)

    assert not handle.wait(0)
    assert not handle.done
    assert handle._callbacks == {}
    assert len(index_of(mach)) == 1


def test_an_interrupted_wait_leaves_nothing_behind(
    mach: am.Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KeyboardInterrupt in a blocked thread takes its registration back."""

    class Gate:
        def acquire(self, timeout: float | None = None) -> None:
            if timeout is not None:
                raise KeyboardInterrupt

    handle = mach.when1("B")
    monkeypatch.setattr("machine._waiting.latch.threading.Lock", Gate)
    with pytest.raises(KeyboardInterrupt):
        handle.wait()

    assert handle._callbacks == {}


def test_cancel_drops_the_subscription(mach: am.Machine, subscribe: Subscribe) -> None:
    """A canceled handle is released, gives False and has left the index."""
    handle = subscribe(mach, None)
    calls: list[am.WaitHandle] = []
    handle.add_done_callback(calls.append)
    handle.cancel()
    handle.cancel()

    assert handle.reason == "canceled"
    assert calls == [handle]
    assert not handle.wait()
    assert is_empty(index_of(mach))


def test_a_handle_of_no_machine_is_released_by_hand() -> None:
    """Helpers make handles of their own, which end once as all do."""
    handle = free_handle()
    calls: list[am.WaitHandle] = []
    handle.add_done_callback(calls.append)
    assert repr(handle) == "<WaitHandle release: waiting>"
    handle.release("match")
    handle.release("canceled")

    assert handle.reason == "match"
    assert calls == [handle]


def test_a_subscription_alone_is_never_met(mach: am.Machine) -> None:
    """How states stand releases only what waits for that."""
    handle = free_handle()
    subscription = handle._subscription
    assert isinstance(subscription, Subscription)

    assert not subscription.met(mach._node, mach._ticks)
    assert subscription.match_text() == ""


# -- contexts


def test_an_ending_context_ends_the_wait(mach: am.Machine, subscribe: Subscribe) -> None:
    """The handle is released with the reason "ctx", and has left the index."""
    ctx = Context()
    handle = subscribe(mach, ctx)
    calls: list[am.WaitHandle] = []
    handle.add_done_callback(calls.append)
    assert len(index_of(mach)) == 1
    ctx.cancel()

    assert handle.reason == "ctx"
    assert calls == [handle]
    assert not handle.wait()
    assert is_empty(index_of(mach))


def test_an_ended_context_ends_the_wait_at_once(mach: am.Machine, subscribe: Subscribe) -> None:
    """A subscription under a context that is over never enters the index."""
    ctx = Context()
    ctx.cancel()

    assert subscribe(mach, ctx).reason == "ctx"
    assert is_empty(index_of(mach))


def test_what_is_there_matches_even_under_an_ended_context(mach: am.Machine) -> None:
    """A fact is a fact: the context limits waiting, and nobody has to wait."""
    ctx = Context()
    ctx.cancel()

    assert mach.when1("A", ctx).reason == "match"


def test_a_released_handle_lets_go_of_its_context(mach: am.Machine, subscribe: Subscribe) -> None:
    """A long-lived context does not collect what it once limited."""
    ctx = Context()
    released, dropped = subscribe(mach, ctx), subscribe(mach, ctx)
    released.cancel()
    del dropped
    gc.collect()

    assert ctx._callbacks == {}


def test_a_match_lets_go_of_its_context(mach: am.Machine) -> None:
    """After a match the context may end without being noticed."""
    ctx = Context()
    handle = mach.when1("B", ctx)
    mach.add1("B")
    assert ctx._callbacks == {}
    ctx.cancel()

    assert handle.reason == "match"


def test_one_context_ends_waits_of_all_kinds(made: Make) -> None:
    """Canceling the context of waiters for times, arguments and states removes all three."""
    mach = made("A{} B{}")
    ctx = Context()
    handles = [
        mach.when_time(["A", "B"], [3, 3], ctx),
        mach.when_args("A", {"x": 1}, ctx),
        mach.when1("A", ctx),
    ]
    ctx.cancel()

    assert [handle.reason for handle in handles] == ["ctx", "ctx", "ctx"]
    assert not mach.is1("A")
    assert is_empty(index_of(mach))


def test_the_end_of_the_queue_can_be_limited_too(made: Make) -> None:
    """`when_queue_ends` takes a context like the others."""
    mach = made()
    ctx = Context()
    handles: list[am.WaitHandle] = []
    mach.bind_handlers({"AState": lambda e: handles.append(mach.when_queue_ends(ctx))})
    mach.bind_handlers({"AnyState": lambda e: ctx.cancel()})
    mach.add1("A")

    assert handles[0].reason == "ctx"


def test_a_context_that_ends_after_its_handle_is_gone_does_nothing(mach: am.Machine) -> None:
    """The last reference to a handle may go while its context is ending."""
    handle = free_handle()
    subscription = handle._subscription
    assert subscription is not None
    del handle
    subscription.ctx_ended(Context())

    assert subscription() is None
    assert subscription.home == {}


# -- nobody left to learn of it


def test_a_handle_that_nothing_holds_leaves_the_index(
    mach: am.Machine, subscribe: Subscribe
) -> None:
    """A subscription lives as long as its release can be noticed."""
    handle = subscribe(mach, None)
    assert len(index_of(mach)) == 1
    del handle

    assert is_empty(index_of(mach))


def test_a_callback_keeps_the_subscription(mach: am.Machine) -> None:
    """With a callback the handle itself need not be held; without it again it must."""
    calls: list[str] = []

    def note(handle: am.WaitHandle) -> None:
        calls.append(handle.reason or "")

    mach.when1("B").add_done_callback(note)
    assert len(index_of(mach)) == 1
    mach.add1("B")
    assert calls == ["match"]

    handle = mach.when1("C")
    handle.add_done_callback(note)
    handle.remove_done_callback(note)
    del handle
    assert is_empty(index_of(mach))


def test_a_wait_with_a_timeout_in_a_loop_leaks_nothing(mach: am.Machine) -> None:
    """Each timed-out handle leaves the index before the next one is made."""
    for _ in range(100):
        assert not mach.when1("B").wait(0)
        assert is_empty(index_of(mach))


def test_a_released_handle_does_not_keep_its_machine(made: Make) -> None:
    """Only a handle that waits holds on to the machine."""
    mach = made()
    gone = weakref.ref(mach)
    handle = mach.when1("A")
    mach.add1("A")
    del mach
    gc.collect()

    assert handle.done
    assert gone() is None


def _add(mach: am.Machine, handle: am.WaitHandle) -> None:
    mach.add1("B")


def test_a_dropped_machine_and_its_waiters_are_freed(made: Make) -> None:
    """Handles, callbacks and machine refer to each other and still go together."""
    mach = made()
    gone = weakref.ref(mach)
    mach.when1("A").add_done_callback(partial(_add, mach))
    del mach
    gc.collect()

    assert gone() is None


# -- many


def test_many_waiters_under_one_context_leave_nothing(made: Make) -> None:
    """Ten thousand waiters end with their context: no entry, no thread is left."""
    mach = made()
    ctx = Context()
    threads = threading.active_count()
    handles = [mach.when1("A", ctx) for _ in range(10_000)]
    assert threading.active_count() == threads
    ctx.cancel()

    assert all(handle.reason == "ctx" for handle in handles)
    assert is_empty(index_of(mach))
    assert ctx._callbacks == {}


def test_the_same_wait_asked_for_often_is_cheap(made: Make) -> None:
    """A thousand equal waiters all wake, take little memory each and give it back."""
    mach = made()
    index_of(mach)
    tracemalloc.start()
    handles = [mach.when1("A") for _ in range(1000)]
    used, _ = tracemalloc.get_traced_memory()
    mach.add1("A")
    assert all(handles)
    handles.clear()
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert used / 1000 < 700
    assert left < used / 2


# -- disposal


def test_disposal_releases_everybody(mach: am.Machine) -> None:
    """Waiters of all kinds are released with the reason "disposed", the last one as a match."""
    handles = [subscribe(mach, None) for subscribe in EVERY_KIND.values()]
    gone = mach.when_disposed()
    order: list[str] = []
    handles[0].add_done_callback(lambda _: order.append("waiter"))
    gone.add_done_callback(lambda _: order.append("disposed"))
    mach.handle_dispose(lambda _id, ctx: order.append("handler"))
    mach.dispose()

    assert gone.wait(10)
    assert {handle.reason for handle in handles} == {"disposed"}
    assert order == ["handler", "waiter", "disposed"]
    assert is_empty(index_of(mach))


def test_a_disposed_machine_releases_at_once(mach: am.Machine, subscribe: Subscribe) -> None:
    """Whatever is asked of a disposed machine comes back released."""
    mach.dispose_force()

    assert subscribe(mach, None).reason == "disposed"
    assert mach.when1("Nope").reason == "disposed"
    assert mach.when_disposed().wait(0)
    assert is_empty(index_of(mach))


def test_waiting_for_the_end_of_the_queue_of_a_disposed_machine(mach: am.Machine) -> None:
    """There is no queue any more, so its end is not to be waited for."""
    index_of(mach)
    mach.dispose_force()

    assert mach.when_queue_ends().done


def test_what_is_asked_for_during_the_disposal_is_released_by_it(mach: am.Machine) -> None:
    """A dispose handler may subscribe; the disposal still releases everything."""
    index_of(mach)
    handles: list[am.WaitHandle] = []

    def subscribe_all(id: str, ctx: Context) -> None:
        handles.extend(subscribe(mach, None) for subscribe in EVERY_KIND.values())
        handles.append(mach.when_disposed())

    mach.handle_dispose(subscribe_all)
    mach.dispose_force()

    assert {handle.reason for handle in handles[:-1]} == {"disposed"}
    assert handles[-1].reason == "match"


def test_a_handle_for_the_disposal_costs_the_machine_nothing(mach: am.Machine) -> None:
    """It is not among what the machine looks at after a transition; it can be canceled."""
    handle = mach.when_disposed()
    assert not index_of(mach).pending
    assert len(index_of(mach)) == 1
    handle.cancel()

    assert is_empty(index_of(mach))
