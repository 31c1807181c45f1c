"""Copies the parts of a machine that the sender needs, before the machine changes them.

The sender's thread runs later, when the machine has other states or other ticks. So this
module reads them on the current thread, as values that never change.

Names, labels and sources may be objects of the program: texts with methods of their own, or no
texts at all, because a machine may have 5 as its id. Here they become plain texts and numbers
that a reader accepts; otherwise one of them would end the whole stream.
"""

from __future__ import annotations

import machine as am
from amtracer.safe_repr.arg_text import name_text
from amtracer.send.events import Changes, TracedMachine
from amtracer.wire.limits import INTEGER_MAX
from amtracer.wire.messages import StateDef
from machine import MutSource

_mach_id = vars(MutSource)["mach_id"].__get__
_tx_id = vars(MutSource)["tx_id"].__get__
_mach_time = vars(MutSource)["mach_time"].__get__


def machine_of(mach: am.Machine) -> TracedMachine:
    """The sender's record of a machine, without its states."""
    return TracedMachine(
        name_text(mach.id), name_text(mach.parent_id), _names(tuple(mach.tags)), mach.tx_prefix
    )


def states_of(mach: am.Machine) -> tuple[StateDef, ...]:
    """The states of a machine in order, all of one schema even if another thread changes it."""
    return tuple(
        StateDef(
            name_text(name),
            state.auto,
            state.multi,
            _relation(state, "require"),
            _relation(state, "add"),
            _relation(state, "remove"),
            _relation(state, "after"),
            state.tags and _names(state.tags),
        )
        for name, state in mach.get_struct().items()
    )


def _relation(state: am.State, relation: str) -> tuple[str, ...] | None:
    """The states of a relation as plain texts; None if it was not given."""
    names = state.given(relation)
    return names and _names(names)


def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The same names, as plain texts."""
    for name in names:
        if type(name) is not str:
            return tuple(map(name_text, names))
    return names


def source_of(source: MutSource) -> MutSource | None:
    """The transition from which a mutation was made; None if it is no valid source."""
    try:
        if type(source) is MutSource:
            mach_id, tx_id, time = source.mach_id, source.tx_id, source.mach_time
        else:  # a subclass may have properties by these names
            mach_id, tx_id, time = _mach_id(source), _tx_id(source), _mach_time(source)
    except (AttributeError, TypeError):  # an empty slot, or another class
        return None
    fits = type(time) is int and 0 <= time <= INTEGER_MAX
    if fits and type(mach_id) is str and type(tx_id) is str and type(source) is MutSource:
        return source
    return MutSource(name_text(mach_id), name_text(tx_id), time if fits else 0)


def changes_of(tx: am.Transition) -> Changes:
    """Index and growth of each state whose tick changed, negative if it ended inactive.

    A transition that was denied before its clocks changed has no changes, so its times are not
    compared.
    """
    if not tx.accepted and not any(step.is_final for step in tx.handler_steps):
        return ()
    pairs = zip(tx.time_before, tx.time_after, strict=True)
    return tuple(
        (index, after - before if am.is_active_tick(after) else before - after)
        for index, (before, after) in enumerate(pairs)
        if before != after
    )
