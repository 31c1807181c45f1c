"""Handler calls: at which places of a transition a handler of which name is called.

A call refers to callables by numbers: the place of the bound object among all that are bound,
and the place of the callable among all that a machine has (`_handlers.lookup`). So one call
serves all machines that have handlers of the same names.

The order in a transition (spec of the phases): `XExit` of all that leave, `XEnter` of all
that enter, `XX` of called active states (not for remove), `XY` for every active X by
index and every target Y, `AnyEnter`; then `XEnd`, `XState`, `AnyState`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from machine._enums import MutationType, StepType
from machine._handlers.meanings import Meaning
from machine._resolution.step import Step
from machine._schema.state import ANY

if TYPE_CHECKING:
    from machine._handlers.pairs import Pairs
    from machine._resolution.automaton import Plan

REFUSED_MAX = 16
"""Steps of one call that are kept to be used again when it is denied or fails."""

Names = tuple[str, ...]

Bound = tuple[tuple[int, int], ...]
"""The bound objects that have this handler: each by number, with the place of its callable."""

Question = tuple["Phase", int, int]

Turn = tuple[str, int, "HandlerCall"]
"""What a transition has to know of one callable: the handler's name, how many steps are added
once it passed (one for the last callable of a call, none for the others), and the call."""


class Phase(enum.IntEnum):
    """When a handler is called."""

    EXIT = 0
    ENTER = 1
    SELF = 2
    PAIR = 3
    ANY_ENTER = 4
    END = 5
    STATE = 6
    ANY_STATE = 7


_SUFFIX = {Phase.EXIT: "Exit", Phase.ENTER: "Enter", Phase.END: "End", Phase.STATE: "State"}


class Slot(NamedTuple):
    """A place in a transition: a handler name and what it is about.

    `position` is the place of the state among those that leave and then enter, counted
    over the final phase; -1 for handlers that belong to no such state.
    """

    name: str
    phase: Phase
    source: int = -1
    target: int = -1
    position: int = -1

    def meaning(self, names: Names) -> Meaning:
        """The meaning that a handler has at this place."""
        phase, source = self.phase, self.source
        if phase in (Phase.SELF, Phase.PAIR):
            to = source if phase is Phase.SELF else self.target
            return Meaning(names[source], names[to], is_pair=True)
        if phase in (Phase.ANY_ENTER, Phase.ANY_STATE):
            return Meaning(ANY, self.name[len(ANY) :])
        return Meaning(names[source if source >= 0 else self.target], _SUFFIX[phase])


class HandlerCall:
    """One handler name and where the callables of that name are; fields as in `Slot`."""

    __slots__ = (
        "_refused",
        "bound",
        "name",
        "names",
        "passed",
        "phase",
        "position",
        "source",
        "target",
        "turns",
    )

    def __init__(self, names: Names, slot: Slot, bound: Bound) -> None:
        self.names = names
        self.name, self.phase, self.source, self.target, self.position = slot
        self.bound = bound
        self.passed = self._step()
        self._refused: list[Step] = []
        last = len(bound) - 1
        self.turns: tuple[Turn, ...] = tuple(
            [(self.name, int(at == last), self) for at in range(len(bound))]
        )

    @property
    def question(self) -> Question:
        """What it decides, no matter in which program it stands."""
        return self.phase, self.source, self.target

    def refused(self, *, denied: bool, raised_at: str = "") -> Step:
        """The step of this call when it was denied, or when it failed and where."""
        for step in self._refused:
            if step.denied is denied and step.raised_at == raised_at:
                return step
        made = self._step(denied=denied, failed=not denied, raised_at=raised_at)
        if len(self._refused) < REFUSED_MAX:
            self._refused.append(made)
        return made

    def _step(self, *, denied: bool = False, failed: bool = False, raised_at: str = "") -> Step:
        names, phase = self.names, self.phase
        whole = phase in (Phase.ANY_ENTER, Phase.ANY_STATE)
        source = ANY if whole else names[self.source] if self.source >= 0 else ""
        target = ANY if whole else names[self.target] if self.target >= 0 else ""
        return Step(
            StepType.HANDLER,
            source,
            self.source,
            target,
            self.target,
            is_final=phase in (Phase.END, Phase.STATE),
            is_self=phase is Phase.SELF,
            is_enter=phase is Phase.STATE,
            denied=denied,
            failed=failed,
            raised_at=raised_at,
        )


BETWEEN = HandlerCall(("",), Slot("", Phase.ANY_ENTER), ())
"""Stands where the negotiation ends and the ticks change."""


def negotiation_slots(plan: Plan, pairs: Pairs | None) -> Iterator[Slot]:
    """Every negotiation handler that a plan may call, in order; of pairs only these if given."""
    names = plan.node.automaton.schema.names
    for state in plan.exits:
        yield Slot(names[state] + "Exit", Phase.EXIT, state)
    for state in plan.enters:
        yield Slot(names[state] + "Enter", Phase.ENTER, -1, state)
    if plan.call.type is not MutationType.REMOVE:
        for state in plan.call.called:
            if plan.node.mask >> state & 1:
                yield Slot(names[state] * 2, Phase.SELF, state)
    for state in sorted(plan.node.active):
        if pairs is not None and state not in pairs:
            continue
        for target in plan.targets:
            if state != target and (pairs is None or target in pairs[state]):
                yield Slot(names[state] + names[target], Phase.PAIR, state, target)
    yield Slot(ANY + "Enter", Phase.ANY_ENTER)


def final_slots(plan: Plan) -> Iterator[Slot]:
    """Every final handler of a plan's exits and enters, in order."""
    names, exits, enters = plan.node.automaton.schema.names, plan.exits, plan.enters
    for position, state in enumerate(exits):
        yield Slot(names[state] + "End", Phase.END, state, -1, position)
    for position, state in enumerate(enters, len(exits)):
        yield Slot(names[state] + "State", Phase.STATE, state, -1, position)
    last = len(exits) + len(enters)
    yield Slot(ANY + "State", Phase.ANY_STATE, position=last)
