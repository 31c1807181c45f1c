"""Cache of the shapes of transitions, found by the plan that a transition followed.

A shape follows from a plan and the answers of its handlers, so it is made once for each such
outcome. Many plans lead to equal shapes. Equal shapes become the same object, which a stream
finds by identity. If a machine does not remember a plan, it makes a new one each time; then the
shape is found by the question that the plan answers. To make a shape, the plan is resolved
again with all its steps, which is slow, so it is done once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from amtracer.send.events import Changes, Outcome, PlanLike, StepLike
from amtracer.wire.messages import Shape, StepDef
from amtracer.wire.vocabulary import ShapeFlag, StepFlag

_OUTCOMES_MAX = 16_384
_SHAPES_MAX = 65_536
_STEPS_MAX = 16_384
_ACCEPTED, _AUTO, _CHECK = int(ShapeFlag.ACCEPTED), int(ShapeFlag.AUTO), int(ShapeFlag.CHECK)

_Key = TypeVar("_Key")


class Shapes:
    """A bounded cache of outcomes and shapes; used by the sender thread only.

    `known` finds the shape that `planned` returned for a plan that the machine remembers.
    """

    def __init__(self) -> None:
        self._planned: dict[PlanLike, Shape] = {}
        self.known: Callable[[PlanLike], Shape | None] = self._planned.get
        self._asked: dict[object, Shape] = {}
        self._others: dict[object, Shape] = {}
        self._shapes: dict[Shape, Shape] = {}
        self._steps: dict[StepLike, StepDef] = {}

    def planned(self, plan: PlanLike) -> Shape:
        """The shape of a transition that went as planned, without handlers."""
        shape = self._planned.get(plan)
        if shape is None:
            if plan.is_remembered:
                shape = self._shape(plan, (), None)
                _keep(self._planned, plan, shape)
            else:
                shape = self._answer(plan)
        return shape

    def _answer(self, plan: PlanLike) -> Shape:
        """The shape of a plan that the machine does not remember, found by its question."""
        question = plan.question
        shape = self._asked.get(question)
        if shape is None:
            shape = self._shape(plan, (), None)
            _keep(self._asked, question, shape)
        return shape

    def of(self, plan: PlanLike, steps: Sequence[StepLike], outcome: Outcome | None) -> Shape:
        """The shape of a transition with handlers, or of one that differs from its plan."""
        if not steps and outcome is None:
            return self.planned(plan)
        steps = tuple(steps)
        key = (plan.question, steps, outcome)
        shape = self._others.get(key)
        if shape is None:
            shape = self._shape(plan, steps, outcome)
            _keep(self._others, key, shape)
        return shape

    def _shape(self, plan: PlanLike, steps: Sequence[StepLike], outcome: Outcome | None) -> Shape:
        call = plan.call
        flags = _AUTO if call.auto else 0
        changes: Changes = ()
        if outcome is not None:
            accepted, is_check, changes = outcome
            flags |= _ACCEPTED if accepted else 0
            flags |= _CHECK if is_check else 0
        elif plan.accepted:
            mask = plan.after.mask
            changes = tuple([(at, up if mask >> at & 1 else -up) for at, up in plan.growth])
            flags |= _ACCEPTED
        known, convert = self._steps.get, self._converted
        all_steps = (*plan.explanation().steps, *steps)
        step_defs = tuple([known(step) or convert(step) for step in all_steps])
        shape = Shape(int(call.type), tuple(call.called), flags, changes, step_defs)
        if len(self._shapes) >= _SHAPES_MAX:
            self._shapes.clear()
        return self._shapes.setdefault(shape, shape)

    def _converted(self, step: StepLike) -> StepDef:
        """The step as its definition, converted once: a machine reuses its step objects."""
        if len(self._steps) >= _STEPS_MAX:
            self._steps.clear()
        converted = self._steps[step] = _step(step)
        return converted


def _keep(outcomes: dict[_Key, Shape], key: _Key, shape: Shape) -> None:
    if len(outcomes) >= _OUTCOMES_MAX:
        outcomes.clear()
    outcomes[key] = shape


def _step(step: StepLike) -> StepDef:
    flags = (
        StepFlag.FINAL * step.is_final
        | StepFlag.SELF * step.is_self
        | StepFlag.ENTER * step.is_enter
        | StepFlag.DENIED * step.denied
        | StepFlag.FAILED * step.failed
    )
    relation = -1 if step.rel_type is None else int(step.rel_type)
    return StepDef(int(step.type), relation, flags, step.from_state_idx, step.to_state_idx)
