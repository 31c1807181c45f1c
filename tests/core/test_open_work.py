"""A machine lists what waits for what, which contexts live and which tasks run."""

from __future__ import annotations

import asyncio
from typing import Any

import machine as am

STATES = {"A": am.State(), "B": am.State(), "M": am.State(multi=True)}


def told(mach: am.Machine) -> list[tuple[str, str, str]]:
    return [(one.kind, " ".join(one.names), one.condition) for one in mach.open_work()]


def query(_: am.Clock) -> bool:
    return False


def test_a_machine_in_which_nothing_is_open_lists_nothing() -> None:
    """Nor does it make what would keep track of it."""
    mach = am.Machine(None, STATES)

    assert (mach.open_work(), mach.open_count()) == ([], 0)
    assert (mach._waiters, mach._state_contexts, mach._ctx) == (None, None, None)


def test_waiters_are_listed_in_the_words_of_their_log_lines() -> None:
    """With what they wait for, in the order in which they came; released ones are gone."""
    mach = am.Machine(None, STATES)
    mach.add1("M")
    handles = [
        mach.when(["A", "B"]),
        mach.when_not1("M"),
        mach.when_time(["A", "B"], [3, 5]),
        mach.when_args("A", {"size": 1, "path": 2}),
        mach.when_query(query),
        mach.when_queue(99),
        mach.when_disposed(),
    ]

    assert told(mach) == [
        ("when", "A B", ""),
        ("whenNot", "M", ""),
        ("whenTime", "A B", "3 5"),
        ("whenArgs", "A", "size,path"),
        ("whenQuery", "", "query"),
        ("whenQueue", "", "99"),
        ("whenDisposed", "", ""),
    ]
    assert mach.open_count() == 7
    assert [one.kind for one in mach.open_work(2)] == ["when", "whenNot"]
    handles[0].cancel()
    mach.remove1("M")
    assert mach.open_count() == 5
    assert len({one.key for one in mach.open_work()}) == 5


def test_contexts_are_listed_with_their_deadlines() -> None:
    """Those of states, and those with a time limit; a waiter has the first that ends it."""
    mach = am.Machine(None, STATES)
    mach.add1("A")
    ctx = mach.new_state_ctx("A")
    limited = ctx.with_timeout(60)
    late = mach.ctx.with_timeout(90)
    waiting = mach.when1("B", limited.child())
    work = {one.kind + " " + " ".join(one.names): one.deadline for one in mach.open_work()}

    assert set(work) == {"when B", "ctx A", "deadline A", "deadline "}
    assert work["when B"] == work["deadline A"] < work["deadline "]
    assert work["ctx A"] == 0
    assert mach.open_count() == 3
    mach.remove1("A")
    assert waiting.reason == "ctx"
    assert told(mach) == [("deadline", "", "")]
    late.cancel()


def test_tasks_are_listed_while_they_run() -> None:
    """By the name of the handler, until the state ends them."""
    mach = am.Machine(None, STATES)

    ended = asyncio.Event()

    async def work(_: am.Event) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async def main() -> list[Any]:
        mach.bind_handlers({"AState": work})
        mach.add1("A")
        await asyncio.sleep(0)
        seen = told(mach)
        task = mach.when1("B")
        mach.remove1("A")
        await asyncio.wait_for(ended.wait(), 20)
        await asyncio.sleep(0)
        return [seen, told(mach), task]

    seen, after, _ = asyncio.run(main())
    assert seen == [("task", "AState", ""), ("ctx", "A", "")]
    assert after == [("when", "B", "")]


def test_no_code_of_a_user_names_what_is_open() -> None:
    """A function that is an object of the user has no name here."""

    class Asking:
        def __call__(self, clock: am.Clock) -> bool:
            return False

        def __getattr__(self, name: str) -> Any:
            raise AssertionError

    mach = am.Machine(None, STATES)
    handles = [mach.when_query(Asking()), mach.when_query(Asking().__call__)]

    assert [one.condition for one in mach.open_work()][1].endswith("Asking.__call__")
    assert told(mach)[0] == ("whenQuery", "", "")
    assert not any(handles)
