"""Why one state changed in a transition: it was called, or a relation brought or removed it.

The steps of a transition list its relations in order, met and unmet. A relation that dropped a
state stands right before the step that drops it. The state that owns a relation counts only if
it was not dropped itself, unless there is no other. A canceled transition with a failed final
handler takes some changes back, whose ticks grow by two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from am_dbg.projection.clean import clean_name
from am_dbg.store import Track
from amtracer.wire.messages import Shape, StateDef, StepDef
from amtracer.wire.vocabulary import MutationKind, RelationKind, ShapeFlag, StepKind

_DROPS = (StepKind.REMOVE, StepKind.REMOVE_NOT_ACTIVE)


class CauseKind(Enum):
    """The ways in which a state changes."""

    CALLED = "called"
    AUTO = "auto"
    RELATION = "relation"
    REQUIREMENT = "requirement"
    SET = "set"
    FAILURE = "failure"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cause:
    """What changed a state; `state` is the other state of the relation, as its program names it."""

    kind: CauseKind
    is_added: bool
    state: str = ""

    @property
    def words(self) -> str:
        """The cause after a verb: `activated`, `added by Foo`, `removed by Foo`."""
        verb = "added" if self.is_added else "removed"
        if self.kind is CauseKind.RELATION:
            return f"{verb} by {clean_name(self.state)}"
        if self.kind is CauseKind.REQUIREMENT:
            return f"dropped, because it requires {clean_name(self.state)}"
        return {
            CauseKind.CALLED: "called" if self.is_added else "removed by a call",
            CauseKind.AUTO: "auto",
            CauseKind.SET: "not in the set",
            CauseKind.FAILURE: "reverted, because a handler failed",
        }.get(self.kind, verb)


def cause_at(track: Track, number: int, index: int, *, is_added: bool) -> Cause:
    """Why the state at an index changed in a transition."""
    return cause_of(track.shape_at(number), track.schema_at(number), index, is_added=is_added)


def cause_of(shape: Shape, states: Sequence[StateDef], index: int, *, is_added: bool) -> Cause:
    """Why the state at an index changed in a transition of this shape."""
    if not shape.flags & ShapeFlag.ACCEPTED and _is_undone(shape, index, is_added=is_added):
        return Cause(CauseKind.FAILURE, is_added)
    if index in shape.called:
        is_auto = shape.flags & ShapeFlag.AUTO
        return Cause(CauseKind.AUTO if is_auto else CauseKind.CALLED, is_added)
    relation = RelationKind.ADD if is_added else RelationKind.REMOVE
    owner = owner_of(shape, relation, index)
    if owner >= 0:
        return Cause(CauseKind.RELATION, is_added, _raw_name(states, owner))
    needed = -1 if is_added else requirement_of(shape, index)
    if needed >= 0:
        return Cause(CauseKind.REQUIREMENT, is_added, _raw_name(states, needed))
    is_left_out = not is_added and shape.type == MutationKind.SET
    return Cause(CauseKind.SET if is_left_out else CauseKind.UNKNOWN, is_added)


def _is_undone(shape: Shape, index: int, *, is_added: bool) -> bool:
    """Whether a change takes another one of the same transition back."""
    growth = dict(shape.changes).get(index, 0)
    return growth % 2 == 0 and (growth > 0) is is_added


def _raw_name(states: Sequence[StateDef], index: int) -> str:
    return states[index].name if 0 <= index < len(states) else "?"


def owner_of(shape: Shape, relation: int, target: int) -> int:
    """The state whose relation changed a target; -1 if there is none."""
    owners = [
        step.source
        for step in shape.steps
        if step.type == StepKind.RELATION and step.relation == relation and step.target == target
    ]
    dropped = {step.target for step in shape.steps if step.type in _DROPS}
    return next((owner for owner in owners if owner not in dropped), owners[0] if owners else -1)


def requirement_of(shape: Shape, owner: int) -> int:
    """The missing state for which a state was dropped; -1 if it does not follow from the steps."""
    steps = shape.steps
    required = [at for at, step in enumerate(steps) if _requires(step, owner)]
    for at in required:
        if at + 1 < len(steps) and _drops(steps[at + 1], owner):
            return steps[at].target
    gone = {index for index, growth in shape.changes if growth < 0}
    targets = [steps[at].target for at in required]
    return next((one for one in targets if one in gone), targets[0] if targets else -1)


def _requires(step: StepDef, owner: int) -> bool:
    is_relation = step.type == StepKind.RELATION and step.relation == RelationKind.REQUIRE
    return is_relation and step.source == owner


def _drops(step: StepDef, state: int) -> bool:
    return step.type in _DROPS and state in (step.source, step.target)
