"""Rules of the queue as pure functions: which mutations are dropped or refused.

The queue holds mutations in the order in which they will run. Put at its front are only
the auto mutation, the `Exception` mutation after a handler failure, and evals.

A mutation is a *duplicate* when skipping it changes nothing: it has no arguments, calls no
multi state, and is equal to the last mutation in the queue, which has no arguments either.
A mutation that waits between two equal ones may change the outcome of the second, so an
earlier one does not count. Nor does one with another kind of outcome: a check, or the
mutation of the auto states.

Relations may give the second one an effect even then, so a duplicate has to *last*:

- A `set` drops what an equal one brought by `add`, so its states may add nothing.
- The states that an `add` brings remove others only in the next transition. So the states
  that its states and the multi states bring may remove nothing. An `add` that excludes itself
  is canceled every time.
- A `remove` is undone by the auto states, so none of its states may be one, nor be brought
  by one or by a multi state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from machine._enums import ADD, REMOVE, SET, MutationType
from machine._resolution.mutation import Mutation
from machine._resolution.resolve import indexes_of
from machine._schema.schema import Call, Schema

DRAIN_MAX = 10_000
"""Mutations of one drain, before it is reported as a long one."""
LONG_DRAIN_FROM = DRAIN_MAX - 100
"""From here on the states of its mutations are listed."""


def duplicate_of(queue: deque[Mutation], call: Call, schema: Schema) -> Mutation | None:
    """The waiting mutation that makes this call, without arguments, superfluous."""
    if call.multi or not queue:
        return None
    try:
        last = queue[-1]
    except IndexError:  # empty, perhaps since just now: other threads take from it
        return None
    waiting = last.call
    if last._args or waiting.mask != call.mask or last.type is not call.type:
        return None
    if waiting.auto or last.is_check:
        return None
    if call.lasts is None:
        call.lasts = _lasts(schema, call)
    return last if call.lasts else None


def _lasts(schema: Schema, call: Call) -> bool:
    """Whether making the same mutation once more has no effect."""
    again = [state for state in indexes_of(schema.multi_mask) if schema.add[state]]
    if call.type is SET:
        return not any(schema.add[state] for state in call.called)
    if call.type is REMOVE:
        back = {*schema.autos, *_brought(schema, (*schema.autos, *again))}
        return back.isdisjoint(call.called)
    if any(schema.remove_mask[state] & call.mask for state in call.called):
        return True
    return not any(schema.remove[state] for state in _brought(schema, (*call.called, *again)))


def _brought(schema: Schema, states: Iterable[int]) -> set[int]:
    """What these states add, and what that adds."""
    first = {target for state in states for target in schema.add[state]}
    return first | {target for state in first for target in schema.add[state]}


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
    """Whether this call may enter a full queue, so that one error always gets in."""
    if has_source or not call.calls_exception:
        return False
    if call.type is ADD:
        return not in_exception
    return call.type is REMOVE and in_exception
