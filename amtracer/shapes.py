"""Shapes of transitions, found again by the plan they followed.

A plan and how its handlers answered decide all of a shape. So a shape is made once for
each such outcome; and since many plans come to equal shapes, equal ones become the same
object, by which a stream then knows its number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from amtracer.events import Changes, Outcome, Plan, Step
from amtracer.schema import Shape, ShapeFlag, StepDef, StepFlag

__all__ = ["Shapes"]

_OUTCOMES_MAX = 16_384
_SHAPES_MAX = 65_536


class Shapes:
    """Remembers so many outcomes and shapes, then begins anew; the sender thread only."""

    def __init__(self) -> None:
        self._planned: dict[Plan, Shape] = {}
        self._others: dict[object, Shape] = {}
        self._shapes: dict[Shape, Shape] = {}

    def planned(self, plan: Plan) -> Shape:
        """The shape of a transition that went as planned, without handlers."""
        shape = self._planned.get(plan)
        if shape is None:
            shape = self._same(_shape(plan, (), None))
            if len(self._planned) >= _OUTCOMES_MAX:
                self._planned.clear()
            self._planned[plan] = shape
        return shape

    def of(self, plan: Plan, steps: Sequence[Step], outcome: Outcome | None) -> Shape:
        """The shape of a transition with handlers, or one that went otherwise."""
        if not steps and outcome is None:
            return self.planned(plan)
        steps = tuple(steps)
        key = (plan, steps, outcome)
        shape = self._others.get(key)
        if shape is None:
            shape = self._same(_shape(plan, steps, outcome))
            if len(self._others) >= _OUTCOMES_MAX:
                self._others.clear()
            self._others[key] = shape
        return shape

    def _same(self, shape: Shape) -> Shape:
        if len(self._shapes) >= _SHAPES_MAX:
            self._shapes.clear()
        return self._shapes.setdefault(shape, shape)


def _shape(plan: Plan, steps: Sequence[Step], outcome: Outcome | None) -> Shape:
    call = plan.call
    flags = ShapeFlag.AUTO if call.auto else ShapeFlag(0)
    changes: Changes = ()
    if outcome is not None:
        accepted, is_check, changes = outcome
        flags |= ShapeFlag.ACCEPTED if accepted else 0
        flags |= ShapeFlag.CHECK if is_check else 0
    elif plan.accepted:
        mask = plan.after.mask
        changes = tuple((at, ticks if mask >> at & 1 else -ticks) for at, ticks in plan.growth)
        flags |= ShapeFlag.ACCEPTED
    trail: Iterable[Step] = plan.trail().steps
    return Shape(
        int(call.type),
        tuple(call.called),
        int(flags),
        changes,
        tuple(_step(step) for part in (trail, steps) for step in part),
    )


def _step(step: Step) -> StepDef:
    flags = (
        StepFlag.FINAL * step.is_final
        | StepFlag.SELF * step.is_self
        | StepFlag.ENTER * step.is_enter
        | StepFlag.DENIED * step.denied
        | StepFlag.FAILED * step.failed
    )
    relation = -1 if step.rel_type is None else int(step.rel_type)
    return StepDef(int(step.type), relation, flags, step.from_state_idx, step.to_state_idx)
