"""Lists what is open in a machine: waiters, contexts and tasks.

Any thread may read this while the machine goes on, so it is a picture of one moment.
No user code runs for it: a function is named only if it is a plain one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from machine._waiting.context import Context
    from machine._waiting.handle import Subscription
    from machine._waiting.state_contexts import StateContexts
    from machine._waiting.waiters import Waiters

PARENTS_MAX = 16
"""How far up a deadline of a context is looked for."""


class OpenWork(NamedTuple):
    """One thing that is open.

    `kind` is that of the log line of its beginning: `when`, `whenNot`, `whenTime`,
    `whenArgs`, `whenAny`, `whenQuery`, `ask`, `whenQueue`, `whenQueueBelow`, `whenQueueEnds` and
    `whenDisposed` for waiters, `ctx` for the context of a state, `deadline` for a context
    with a time limit below one and for the time limit of a state, `task` for the task of a
    handler. `names` are the states, or the handler of a task; `condition` is what else is
    waited for, or the state that a deadline adds. `deadline` is when it ends
    by itself on the monotonic clock in seconds, 0 for never. `key` is the same as long as it
    is open.
    """

    kind: str
    names: tuple[str, ...]
    condition: str
    deadline: float
    key: tuple[str, int]


class NamedTask(Protocol):
    """A task of a coroutine handler."""

    handler: str


class HasOpenWork(Protocol):
    """Where a machine keeps what is open; each part is made when it is first needed."""

    _ctx: Context | None
    _waiters: Waiters | None
    _state_contexts: StateContexts | None

    @property
    def _tasks(self) -> Collection[NamedTask] | None: ...


def open_count(mach: HasOpenWork) -> int:
    """How many waiters, contexts, time limits and tasks; deadlines below a state's aside."""
    waiters, contexts, ctx = mach._waiters, mach._state_contexts, mach._ctx
    count = 0 if waiters is None else len(waiters)
    count += 0 if contexts is None else len(contexts) + sum(1 for _ in contexts.deadlines())
    count += len(mach._tasks or ())
    if ctx is not None and ctx._children:
        count += sum(child._timer is not None for child in list(ctx._children))
    return count


def open_work(mach: HasOpenWork) -> Iterator[OpenWork]:
    """All of it, the oldest of each kind first."""
    waiters, contexts = mach._waiters, mach._state_contexts
    for task in list(mach._tasks or ()):
        yield OpenWork("task", (task.handler,), "", 0.0, ("task", id(task)))
    if waiters is not None:
        for one in _waiting(waiters):
            due = _deadline(one.ctx)
            names, key = tuple(dict.fromkeys(one.names)), (one.label, one.number)
            yield OpenWork(one.label, names, one.condition(), due, key)
    if contexts is not None:
        for limit in contexts.deadlines():
            due, key = limit.timer.due, ("deadline", id(limit))
            yield OpenWork("deadline", (limit.state,), limit.target, due, key)
        for state, ctx in contexts._live.copy().items():
            yield OpenWork("ctx", (state,), "", _deadline(ctx), ("ctx", id(ctx)))
            yield from _limits(ctx, (state,))
    if mach._ctx is not None:
        yield from _limits(mach._ctx, ())


def _waiting(waiters: Waiters) -> list[Subscription]:
    """All subscriptions in the order in which they were made."""
    found = list(waiters.pending.values())
    rest = [*list(waiters.args_pending.values()), *list(waiters._disposals.values())]
    if rest:
        found += rest
        found.sort(key=attrgetter("number"))
    return found


def _limits(ctx: Context, names: tuple[str, ...]) -> Iterator[OpenWork]:
    """The contexts right below one that have a time limit of their own."""
    for child in list(ctx._children):
        timer = child._timer
        if timer is not None:
            yield OpenWork("deadline", names, "", timer.due, ("deadline", id(child)))


def _deadline(ctx: Context | None) -> float:
    """When a context ends by itself, by its own time limit or that of one above."""
    due = 0.0
    for _ in range(PARENTS_MAX):
        if ctx is None:
            break
        timer = ctx._timer
        if timer is not None and (not due or timer.due < due):
            due = timer.due
        ctx = ctx._parent
    return due


def first_of(mach: HasOpenWork, limit: int | None) -> list[OpenWork]:
    """The first of it, at most `limit`."""
    return list(islice(open_work(mach), limit))
