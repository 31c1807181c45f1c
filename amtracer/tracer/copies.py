"""What is copied of a machine before it goes on.

The sender's thread comes later, when the machine has other states or other ticks. So what
it needs is read here, on the thread at hand, as values that never change.
"""

from __future__ import annotations

import machine as am
from amtracer.events import Changes
from amtracer.schema import StateDef

__all__ = ["changes_of", "states_of"]


def states_of(mach: am.Machine) -> tuple[StateDef, ...]:
    """The states of a machine in order, all of one schema, whatever other threads do."""
    return tuple(
        StateDef(
            name,
            state.auto,
            state.multi,
            state.require,
            state.add,
            state.remove,
            state.after,
            state.tags,
        )
        for name, state in mach.get_struct().items()
    )


def changes_of(tx: am.Transition) -> Changes:
    """Index and growth of each state whose tick changed, below zero where it ended inactive.

    A transition that was denied before its clocks moved changed nothing, so its times are
    not compared.
    """
    if not tx.accepted and not any(step.is_final for step in tx.handler_steps):
        return ()
    pairs = zip(tx.time_before, tx.time_after, strict=True)
    return tuple(
        (index, after - before if am.is_active_tick(after) else before - after)
        for index, (before, after) in enumerate(pairs)
        if before != after
    )
