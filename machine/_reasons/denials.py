"""Why a transition was canceled, and which handler refused a state last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from machine._enums import REMOVE
from machine._reasons.reason import ReasonKind
from machine._reasons.refused import Refused, Table, keep, refused_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from machine._handlers.calls import HandlerCall
    from machine._resolution.automaton import Plan
    from machine._resolution.mutation import Mutation


class Remembering(Protocol):
    """A machine, as its denials need it."""

    _denied: dict[str, tuple[Refused, int]] | None
    _refused_thread: int
    _refused_table: Table
    _refused_plan: Plan | None
    _refused_ticks: Sequence[int]
    _ticks: list[int]


class Cancelable(Protocol):
    """A transition, as its reason needs it."""

    is_check: bool
    _before: list[int]
    _recovered: bool
    _refused: Refused | None

    @property
    def machine(self) -> Remembering: ...
    @property
    def plan(self) -> Plan: ...
    @property
    def number(self) -> int: ...
    @property
    def _mutation(self) -> Mutation | None: ...


def keep_denial(tx: Cancelable, call: HandlerCall, kind: ReasonKind, at: str) -> None:
    """Keep which handler did not pass, with the transition and with the states it refused.

    In an auto transition it refuses the state that it is about, in any other all called states.
    """
    plan = tx.plan
    tx._refused = refused = refused_by(plan, kind, tx._before)
    refused.handler, refused.at = call.name, at
    refused.is_check, refused.number = tx.is_check, tx.number
    mach, ticks = tx.machine, tx.machine._ticks
    if plan.call.type is REMOVE or not ticks:
        return
    about = call.target if call.target >= 0 else call.source
    states = (about,) if plan.call.auto and about >= 0 else plan.call.called
    denied = mach._denied
    if denied is None:
        denied = mach._denied = {}
    for state in states:
        denied[plan.node.automaton.schema.names[state]] = refused, ticks[state]


def denial_of(mach: Remembering, state: str, tick: int) -> Refused | None:
    """The handler that refused a state last, unless the state has changed since then."""
    found = (mach._denied or {}).get(state)
    return found[0] if found is not None and found[1] == tick else None


def refused_of(tx: Cancelable) -> Refused:
    """Why a transition was canceled."""
    if tx._refused is not None:
        return tx._refused
    kind = ReasonKind.INTERRUPT if tx._recovered else ReasonKind.DISPOSED
    if not tx.plan.accepted:
        kind = ReasonKind.RELATION
    refused = refused_by(tx.plan, kind, tx._before)
    refused.is_check, refused.number = tx.is_check, tx.number
    return refused


def keep_refused(tx: Cancelable) -> None:
    """Keep why a transition was canceled, for the caller of its mutation.

    No caller made the mutation of auto states; one object stands for it every time.
    """
    if not tx.plan.call.auto:
        keep(tx.machine, tx._mutation, refused_of(tx))
