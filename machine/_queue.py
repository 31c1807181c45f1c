"""What may be dropped from or refused by a machine's queue, as pure functions.

The queue holds mutations in the order in which they will run. Put at its front are only
the auto mutation, the `Exception` mutation after a handler failure, and evals.

A mutation is a *duplicate* when skipping it changes nothing: it has no arguments, calls no
multi state, and an equal one without arguments waits already. An add or remove is still
needed if its opposite, for the same states or more, waits behind that equal one. A set is
a duplicate only of the last entry, since anything behind an earlier set may undo it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from machine._enums import ADD, REMOVE, SET, MutationType
from machine._mutation import Mutation
from machine._schema import Call

_OPPOSITE = {ADD: REMOVE, REMOVE: ADD}


def duplicate_of(queue: deque[Mutation], call: Call) -> Mutation | None:
    """The waiting mutation that makes this call, without arguments, superfluous.

    It looks at a copy, since other threads go on changing the queue.
    """
    if call.multi or not queue:
        return None
    waiting = list(queue.copy())
    if call.type is SET:
        waiting = waiting[-1:]
    for position, mutation in enumerate(waiting):
        if _equal(mutation, call):
            rest = waiting[position + 1 :]
            return None if any(_counters(later, call) for later in rest) else mutation
    return None


def _equal(waiting: Mutation, call: Call) -> bool:
    return waiting.type is call.type and not waiting._args and waiting.call.mask == call.mask


def _counters(waiting: Mutation, call: Call) -> bool:
    opposite = waiting.type is _OPPOSITE[call.type]
    return opposite and not call.mask & ~waiting.call.mask


def position_of(
    queue: Sequence[Mutation],
    type: MutationType,
    mask: int,
    *,
    without_args_only: bool = False,
    states_strict_equal: bool = False,
    start_index: int = 0,
) -> int:
    """Index of the first waiting mutation that calls these states, or -1."""
    for index, waiting in enumerate(queue):
        if index < start_index or waiting.type is not type:
            continue
        if without_args_only and waiting._args:
            continue
        called = waiting.call.mask
        if called == mask or not (states_strict_equal or mask & ~called):
            return index
    return -1


def may_enter_full(call: Call, in_exception: bool, has_source: bool) -> bool:
    """May this call enter a full queue: only so that one error always gets in."""
    if has_source or not call.calls_exception:
        return False
    if call.type is ADD:
        return not in_exception
    return call.type is REMOVE and in_exception
