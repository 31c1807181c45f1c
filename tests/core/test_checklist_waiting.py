"""The behaviour checklist: waiting and state contexts. Each docstring begins with its name."""

from __future__ import annotations

import threading
from collections.abc import Callable

import machine as am

Made = Callable[..., am.Machine]


def in_thread(work: Callable[[], object]) -> None:
    """Run this in another thread to its end."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()


def begun(made: Made, *active: str, text: str = "A{} B{} C{} D{}") -> am.Machine:
    """A machine in which these states were set."""
    mach = made(text)
    mach.set(active)
    return mach


def test_when(made: Made) -> None:
    """When: two states activated one after the other from a fork release the waiter."""
    mach = begun(made, "A")
    handle = mach.when(["B", "C"])

    in_thread(lambda: [mach.add1("B"), mach.add1("C")])

    assert handle.wait(1)


def test_when_2(made: Made) -> None:
    """When2: two concurrent waiters of the same states are both released."""
    mach = begun(made, "A")
    handles = [mach.when(["A", "B"]), mach.when(["A", "B"])]

    in_thread(lambda: mach.add(["A", "B"]))

    assert all(handle.wait(1) for handle in handles)


def test_when_active(made: Made) -> None:
    """WhenActive: an active state releases at once."""
    assert begun(made, "A").when(["A"]).done


def test_when_dups(made: Made) -> None:
    """WhenDups: overlapping waiters on one state are each released at their own time."""
    mach = begun(made, "D")
    overlapping = [mach.when(["A", "B"]), mach.when(["A"]), mach.when(["B", "A", "B"])]

    mach.add1("A")
    assert [handle.done for handle in overlapping] == [False, True, False]

    mach.add1("B")
    assert [handle.done for handle in overlapping] == [True, True, True]


def test_when_not(made: Made) -> None:
    """WhenNot: two deactivations, one after the other, release the waiter."""
    mach = begun(made, "B", "C")
    handle = mach.when_not(["B", "C"])

    mach.remove1("B")
    assert not handle.done
    mach.remove1("C")
    assert handle.done


def test_when_not_2(made: Made) -> None:
    """WhenNot2: two concurrent waiters for the same states to end are both released."""
    mach = begun(made, "A", "B")
    handles = [mach.when_not(["A", "B"]), mach.when_not(["A", "B"])]

    in_thread(lambda: mach.remove(["A", "B"]))

    assert all(handle.wait(1) for handle in handles)


def test_when_not_active(made: Made) -> None:
    """WhenNotActive: an inactive state releases at once."""
    assert begun(made, "A").when_not(["B"]).done


def test_state_ctx(made: Made) -> None:
    """StateCtx: a context taken in AState is canceled after A is removed."""
    mach = made()
    contexts: list[am.Context] = []
    mach.bind_handlers({"AState": lambda e: contexts.append(mach.new_state_ctx("A"))})

    mach.add1("A")
    assert [ctx.done for ctx in contexts] == [False]

    mach.remove1("A")
    assert [ctx.done for ctx in contexts] == [True]


def test_when_ctx(made: Made) -> None:
    """WhenCtx: the end of a context removes all that was subscribed with it."""
    mach = made()
    ctx = am.Context()
    handles = [
        mach.when_time(["A", "B"], [1, 2], ctx),
        mach.when_args("A", {}, ctx),
        mach.when1("A", ctx),
    ]
    assert len(mach._subscriptions()) == 3

    ctx.cancel()

    assert [handle.reason for handle in handles] == ["ctx"] * 3
    assert len(mach._subscriptions()) == 0


def test_when_args(made: Made) -> None:
    """WhenArgs: only an activation with equal arguments releases."""
    mach = made("A{} B{multi}")
    handle = mach.when_args("B", {"foo": "bar"})

    mach.add1("B", {"foo": "foo"})
    assert not handle.done
    mach.add1("B", {"foo": "bar", "more": 1})
    assert handle.done


def test_when_time(made: Made) -> None:
    """WhenTime: [5, 2] from 1, 1 is released at 5, 3 and not at 3, 3."""
    mach = begun(made, "A", "B")
    handle = mach.when_time(["A", "B"], [5, 2])
    later = mach.when_time(["A", "B"], [7, 2])

    for _ in range(2):
        mach.toggle(["A", "B"])
    assert mach.time(["A", "B"]) == [3, 3]
    assert not handle.done

    for _ in range(2):
        mach.toggle1("A")
    assert mach.time(["A", "B"]) == [5, 3]
    assert handle.done
    assert not later.done

    for _ in range(2):
        mach.toggle1("A")
    assert later.done


def test_when_queue_ends(made: Made) -> None:
    """WhenQueueEnds: subscribed while a handler runs, released after the drain."""
    mach = made()
    handles: list[am.WaitHandle] = []
    done: list[bool] = []
    mach.bind_handlers(
        {
            "AState": lambda e: [handles.append(mach.when_queue_ends()), mach.add1("B")],
            "BState": lambda e: done.append(handles[0].done),
        }
    )

    mach.add1("A")

    assert done == [False]
    assert handles[0].done
