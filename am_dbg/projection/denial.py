"""Why a transition was canceled: the handler or relation that stopped it.

Steps list relations in order: each dropped state follows the relation that dropped it, and
only the relations of called states decide. A `require` that is met is listed too, so a
relation without a drop behind it is no reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from am_dbg.projection.clean import clean, clean_name
from am_dbg.projection.steps import handler_name, name_at
from am_dbg.store import LogLine
from amtracer.wire.messages import Shape, StateDef, StepDef
from amtracer.wire.vocabulary import RelationKind, StepFlag, StepKind

_REJECTED = "[cancel:reject] "
_A_HANDLER = "a handler"
_CANCEL_LINE = re.compile(r"^\[cancel(?::self)?\] \(.*\) by (\S+)")


@dataclass(frozen=True, slots=True)
class Denial:
    """The handler or relation that canceled a transition.

    `handler` is set when a handler denied, `failed` or was `late`. Otherwise a relation did:
    `state` was called, and it either `requires` another state or is `blocked_by` one.
    `is_known` is False if nothing shows what it was.
    """

    handler: str = ""
    failed: bool = False
    late: bool = False
    state: str = ""
    requires: str = ""
    blocked_by: str = ""
    is_known: bool = True

    @property
    def note(self) -> str:
        """The denial in a few words, for a row."""
        if self.handler:
            verb = "late in" if self.late else "failed in" if self.failed else "denied by"
            return f"{verb} {self.handler}"
        if self.blocked_by:
            return f"blocked by {self.blocked_by}"
        if self.requires:
            return f"requires {self.requires}"
        return f"rejected {self.state}" if self.state else "canceled"


def denial_of(
    shape: Shape, states: Sequence[StateDef], lines: Sequence[LogLine], *, has_steps: bool = True
) -> Denial:
    """Work out what stopped a transition, from its steps or else from its log lines.

    It is unknown if there are neither steps nor a line about it.
    """
    return (
        _by_flagged_handler(shape, states, lines)
        or _by_line(shape, states, lines)
        or _by_relation(shape, states)
        or _by_last_handler(shape, states)
        or Denial(is_known=has_steps or _is_rejected(lines))
    )


def _is_rejected(lines: Sequence[LogLine]) -> bool:
    """Whether a line reports that relations rejected all of it."""
    return any(text.startswith(_REJECTED) for _, text in lines)


def _by_flagged_handler(
    shape: Shape, states: Sequence[StateDef], lines: Sequence[LogLine]
) -> Denial | None:
    for step in shape.steps:
        if step.flags & (StepFlag.DENIED | StepFlag.FAILED):
            failed = bool(step.flags & StepFlag.FAILED)
            late = failed and _canceled_by(lines) == "timeout"
            return Denial(handler=handler_name(step, states), failed=failed, late=late)
    return None


def _by_line(shape: Shape, states: Sequence[StateDef], lines: Sequence[LogLine]) -> Denial | None:
    name = _canceled_by(lines)
    if name not in ("recover", "timeout"):
        return Denial(handler=clean(name)) if name else None
    last = _by_last_handler(shape, states)
    return Denial(handler=last.handler if last else _A_HANDLER, failed=True, late=name == "timeout")


def _canceled_by(lines: Sequence[LogLine]) -> str:
    for _, text in lines:
        match = _CANCEL_LINE.match(text)
        if match:
            return match[1]
    return ""


def _by_relation(shape: Shape, states: Sequence[StateDef]) -> Denial | None:
    steps, called = shape.steps, shape.called
    for at, step in enumerate(steps):
        if step.type not in (StepKind.REMOVE, StepKind.REMOVE_NOT_ACTIVE) or at == 0:
            continue
        before = steps[at - 1]
        if before.type != StepKind.RELATION:
            continue
        if before.relation == RelationKind.REMOVE and before.target == step.target in called:
            blocker = name_at(states, _blocker(steps, at))
            return Denial(state=name_at(states, step.target), blocked_by=blocker)
        dropped = max(step.source, step.target)
        if before.relation == RelationKind.REQUIRE and before.source == dropped in called:
            return Denial(state=name_at(states, dropped), requires=_required(before, states))
    canceled = [
        max(step.target, step.source) for step in shape.steps if step.type == StepKind.CANCEL
    ]
    if canceled:
        index = next((one for one in canceled if one in shape.called), canceled[0])
        return Denial(state=name_at(states, index))
    return None


def _blocker(steps: Sequence[StepDef], at: int) -> int:
    """The state that dropped one: the first that removes it and was not dropped itself."""
    state = steps[at].target
    removers = [
        step.source
        for step in takewhile(lambda step: step.type == StepKind.RELATION, reversed(steps[:at]))
        if step.relation == RelationKind.REMOVE and step.target == state
    ]
    dropped = {
        step.target for step in steps if step.type in (StepKind.REMOVE, StepKind.REMOVE_NOT_ACTIVE)
    }
    return next((one for one in reversed(removers) if one not in dropped), removers[0])


def _required(relation: StepDef, states: Sequence[StateDef]) -> str:
    """The state that is missing; a schema may require a state that it does not define."""
    if relation.target >= 0:
        return name_at(states, relation.target)
    defined = {state.name for state in states}
    required = states[relation.source].require or ()
    return clean_name(next((name for name in required if name not in defined), "?"))


def _by_last_handler(shape: Shape, states: Sequence[StateDef]) -> Denial | None:
    """The last handler: without flags of denial, it is the one that ended the negotiation."""
    if shape.steps and shape.steps[-1].type == StepKind.HANDLER:
        return Denial(handler=handler_name(shape.steps[-1], states))
    return None
