"""Fan-out and fan-in: many tasks, of which only some run at a time, and a state for their end.

For the state `Name` and three tasks these states are added to the schema:

- `Name0`, `Name1`, `Name2`: the task runs. Each requires `Name`, so removing that stops all.
- `Name0Done`, `Name1Done`, `Name2Done`: the task is done. Each removes the state of its task.
- `NameDone`, which the schema has already, becomes an auto state that requires all of these.

A mutation that calls `Name` starts tasks that neither run nor are done, in random order, until
`concurrency` run. One that calls a task's state calls `fn`. One that calls the state of its end
calls `Name` again, and so starts the next task. A task whose state is removed without its end
starts again when `Name` is called the next time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import machine as am
from machine._given import check_callable, checked_count

DONE = "Done"

FanFn = Callable[[int, str, str], object]
Choose = Callable[[Sequence[str], int], Sequence[str]]


class FanOut:
    """The handlers of one fan-out, bound by `fan_out_in`; detach them to start no more tasks."""

    def __init__(self, name: str, total: int, concurrency: int, fn: FanFn, choose: Choose) -> None:
        self.name = name
        self.tasks: tuple[str, ...] = tuple([f"{name}{number}" for number in range(total)])
        self.dones: tuple[str, ...] = tuple([task + DONE for task in self.tasks])
        self._concurrency = concurrency
        self._fn = fn
        self._choose = choose

    def AnyState(self, event: am.Event) -> None:
        mutation = event.mutation()
        called = set() if mutation is None else set(mutation.called_states)
        if self.name in called:
            self._start(event)
        for number, task in enumerate(self.tasks):
            if task in called and event.machine.is1(task):
                self._fn(number, task, self.dones[number])
        if not called.isdisjoint(self.dones):
            event.machine.ev_add1(event, self.name)

    def _start(self, event: am.Event) -> None:
        mach = event.machine
        free = self._concurrency - mach.count_active(self.tasks)
        left = [
            task
            for task, done in zip(self.tasks, self.dones, strict=True)
            if not mach.any1(task, done)
        ]
        chosen = self._choose(left, min(free, len(left))) if free > 0 else ()
        if chosen:
            mach.ev_add(event, chosen)


def fan_out_in(
    mach: am.Machine,
    name: str,
    total: int,
    concurrency: int,
    fn: FanFn,
    choose: Choose = random.sample,
) -> FanOut:
    """Add the states of `total` tasks to a machine, and start them when `name` is called.

    `fn(number, state, done_state)` starts one task: it runs in a handler, so it must not block,
    and the work adds `done_state` at its end. At most `concurrency` tasks run at a time. The state
    `name` and the state `nameDone` must exist. Raises RuntimeError in a transition of the machine,
    as any change of the schema. `choose(states, count)` replaces the random choice.
    """
    checked_count(total, "the number of tasks", 1)
    checked_count(concurrency, "the number of tasks that run at a time", 1)
    check_callable(fn, "what fan_out_in calls for a task")
    end = name + DONE
    mach.must_parse_states((name, end))
    handlers = FanOut(name, total, concurrency, fn, choose)
    struct = mach.get_struct()
    names = mach.state_names()
    for task, done in zip(handlers.tasks, handlers.dones, strict=True):
        struct[task] = am.State(require=[name])
        struct[done] = am.State(remove=[task])
    require = (*struct[end].require, *handlers.dones)
    struct[end] = struct[end].replace(auto=True, require=require)
    added = [one for pair in zip(handlers.tasks, handlers.dones, strict=True) for one in pair]
    mach.set_struct(struct, [*names, *[one for one in added if one not in names]])
    mach.bind_handlers(handlers)
    return handlers
