"""Computes how the ticks of a Go machine grew, from the clock after each transition."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from operator import ne

from amtracer.wire import limits
from amtracer.wire.messages import StateDef, StepDef
from amtracer.wire.vocabulary import StepKind

Ticks = tuple[int, ...]


def padded(clocks: Ticks, ticks: Ticks) -> Ticks:
    """The clock after a transition for all states; states without a new tick keep theirs."""
    return clocks if len(clocks) == len(ticks) else clocks + ticks[len(clocks) :]


def changes(before: Ticks, after: Ticks) -> tuple[tuple[int, int], ...] | None:
    """State index and growth, negative for states inactive after; None if a tick shrank.

    None too for growth larger than a shape may have.
    """
    if before == after:
        return ()
    moved = compress(range(len(after)), map(ne, before, after))
    grown = [(at, after[at] - before[at]) for at in moved]
    if not all(0 < growth <= limits.GROWTH_MAX for _, growth in grown):
        return None
    return tuple((at, growth if after[at] % 2 else -growth) for at, growth in grown)


def ticks_before(
    after: Ticks,
    states: Sequence[StateDef],
    called: Sequence[int],
    steps: Sequence[StepDef],
) -> Ticks:
    """The clock before an accepted transition, which its steps and the clock after it show.

    A state that is active now and was set has grown by one; active, called and multi
    without being set, by two; inactive and removed, by one. Every other tick is older.
    """
    were_set = {step.target for step in steps if step.type == StepKind.SET}
    removed = {
        step.target if step.type == StepKind.REMOVE else step.source
        for step in steps
        if step.type in (StepKind.REMOVE, StepKind.REMOVE_NOT_ACTIVE)
    }
    before = list(after)
    for at, tick in enumerate(after):
        if tick % 2:
            again = 2 * (states[at].multi and at in called)
            before[at] -= 1 if at in were_set else min(again, tick - 1)
        elif tick and at in removed:
            before[at] -= 1
    return tuple(before)
