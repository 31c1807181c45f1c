"""Mutates and waits until the state was reached.

The waiter is made before the mutation, so a state that comes and goes at once is not missed. A
mutation that has to wait in the queue is waited for first: if it is canceled there, so is the
wait. A multi state is waited for until it was removed again, which takes two ticks.
"""

from __future__ import annotations

import machine as am
from machine.helpers.driving import Plan, block, drive, with_ctx


def is_multi(mach: am.MachineApi, state: str) -> bool:
    """Whether this state is a multi state; raises for an unknown one."""
    struct = mach.get_struct()
    if state not in struct:
        raise am.errors.StateMissingError([state], mach.id, struct)
    return bool(struct[state].multi)


def add1_block(
    ctx: am.Context | None, mach: am.MachineApi, state: str, args: am.A | None = None
) -> am.Result:
    """Add a state and block until it has activated; NO_OP if it is active and not multi.

    Returns CANCELED if the mutation was refused, at once or in the queue. If the context ends
    first, returns the result so far. In a handler of the machine it raises `DeadlockError`.
    """
    return block(_add(ctx, mach, state, args))


async def a_add1_block(
    ctx: am.Context | None, mach: am.MachineApi, state: str, args: am.A | None = None
) -> am.Result:
    """Like `add1_block`, for tasks."""
    return await drive(_add(ctx, mach, state, args))


def add1_async_block(
    ctx: am.Context | None,
    mach: am.MachineApi,
    wait_state: str,
    add_state: str,
    args: am.A | None = None,
) -> am.Result:
    """Add a state that starts work, and block until the state that reports its end has activated.

    The results are those of `add1_block`. An activation of `wait_state` before the call does not
    count; its next change does.
    """
    return block(_add_other(ctx, mach, wait_state, add_state, args))


async def a_add1_async_block(
    ctx: am.Context | None,
    mach: am.MachineApi,
    wait_state: str,
    add_state: str,
    args: am.A | None = None,
) -> am.Result:
    """Like `add1_async_block`, for tasks."""
    return await drive(_add_other(ctx, mach, wait_state, add_state, args))


def _add(
    ctx: am.Context | None, mach: am.MachineApi, state: str, args: am.A | None
) -> Plan[am.Result]:
    if mach.is1(state) and not is_multi(mach, state):
        return am.Result.NO_OP
    return (yield from _add_other(ctx, mach, state, state, args))


def _add_other(
    ctx: am.Context | None, mach: am.MachineApi, wait_state: str, add_state: str, args: am.A | None
) -> Plan[am.Result]:
    reached = mach.when_ticks(wait_state, 2 if is_multi(mach, wait_state) else 1)
    outcome = mach.ask.add1(add_state, args)
    if not outcome.done:
        yield with_ctx(ctx, outcome), None
    if outcome.result is am.Result.EXECUTED:
        yield with_ctx(ctx, reached), None
    reached.cancel()
    return outcome.result
