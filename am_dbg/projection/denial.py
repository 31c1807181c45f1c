"""What stopped a transition that was not accepted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from am_dbg.projection.clean import clean
from am_dbg.projection.steps import (
    CANCEL,
    HANDLER,
    RELATION,
    REMOVE_NOT_ACTIVE,
    handler_name,
    name_at,
)
from am_dbg.store import Line
from amtracer.schema import Shape, StateDef, StepFlag

__all__ = ["Denial", "denial_of"]

_REQUIRE, _REMOVE = 2, 3
_CANCEL_LINE = re.compile(r"^\[cancel(?::self)?\] \(.*\) by (\S+)")


@dataclass(frozen=True, slots=True)
class Denial:
    """Who or what said no.

    `handler` is set when a handler denied or failed. Else a relation did: `state` was
    called, and it either `requires` another state or is `blocked_by` one.
    """

    handler: str = ""
    failed: bool = False
    state: str = ""
    requires: str = ""
    blocked_by: str = ""

    @property
    def note(self) -> str:
        """The denial in a few words, for a row."""
        if self.handler:
            return f"{'failed in' if self.failed else 'denied by'} {self.handler}"
        if self.blocked_by:
            return f"blocked by {self.blocked_by}"
        if self.requires:
            return f"requires {self.requires}"
        return f"rejected {self.state}" if self.state else "canceled"


def denial_of(shape: Shape, states: Sequence[StateDef], lines: Sequence[Line]) -> Denial:
    """Work out what stopped a transition: its steps say, else its log lines."""
    return (
        _by_flagged_handler(shape, states)
        or _by_line(lines)
        or _by_relation(shape, states)
        or _by_last_handler(shape, states)
        or Denial()
    )


def _by_flagged_handler(shape: Shape, states: Sequence[StateDef]) -> Denial | None:
    for step in shape.steps:
        if step.flags & (StepFlag.DENIED | StepFlag.FAILED):
            failed = bool(step.flags & StepFlag.FAILED)
            return Denial(handler=handler_name(step, states), failed=failed)
    return None


def _by_line(lines: Sequence[Line]) -> Denial | None:
    for _, text in lines:
        match = _CANCEL_LINE.match(text)
        if match:
            name = clean(match[1])
            return Denial(handler=name, failed=name in ("recover", "timeout"))
    return None


def _by_relation(shape: Shape, states: Sequence[StateDef]) -> Denial | None:
    canceled = [step for step in shape.steps if step.type == CANCEL]
    dropped = {step.target for step in shape.steps if step.type == REMOVE_NOT_ACTIVE}
    for step in shape.steps:
        if step.type != RELATION:
            continue
        if step.relation == _REMOVE and step.target in dropped:
            return Denial(
                state=name_at(states, step.target), blocked_by=name_at(states, step.source)
            )
        if step.relation == _REQUIRE and step.source in dropped and canceled:
            return Denial(state=name_at(states, step.source), requires=name_at(states, step.target))
    if canceled:
        first = canceled[0]
        return Denial(state=name_at(states, first.target if first.target >= 0 else first.source))
    return None


def _by_last_handler(shape: Shape, states: Sequence[StateDef]) -> Denial | None:
    """Sessions without answers: the negotiation ended with the handler that was asked last."""
    if shape.steps and shape.steps[-1].type == HANDLER:
        return Denial(handler=handler_name(shape.steps[-1], states))
    return None
