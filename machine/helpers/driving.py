"""Waits as plans: one order of waits, carried out by a thread or by a task.

A plan is a generator. It yields what to wait for, and how many seconds at most, and gets back what
ended first, or None after the time. So a call and its twin for tasks have one order of things.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

import machine as am

Waited = am.WaitHandle | am.Outcome | am.Context
Wanted = tuple[tuple[Waited, ...], float | None]
Found = TypeVar("Found")
Plan = Generator[Wanted, Waited | None, Found]


def block(plan: Plan[Found]) -> Found:
    """Carry out a plan in this thread."""
    ended: Waited | None = None
    try:
        wanted = next(plan)
        while True:
            ended = am.first(*wanted[0], timeout=wanted[1])
            wanted = plan.send(ended)
    except StopIteration as end:
        found: Found = end.value
        return found


async def drive(plan: Plan[Found]) -> Found:
    """Carry out a plan in this task."""
    ended: Waited | None = None
    try:
        wanted = next(plan)
        while True:
            ended = await am.first_async(*wanted[0], timeout=wanted[1])
            wanted = plan.send(ended)
    except StopIteration as end:
        found: Found = end.value
        return found


def with_ctx(ctx: am.Context | None, *waited: Waited) -> tuple[Waited, ...]:
    """These, and the end of the context if there is one."""
    return waited if ctx is None else (*waited, ctx)
