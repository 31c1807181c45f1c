"""The rules that a shape must keep, however it came: over a connection or from a file."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from am_dbg.store.definitions.shape_table import ShapeTable
from am_dbg.store.facts import CHECKED_STEPS_MAX, LOST_SCHEMA, IndexedSchema
from amtracer.errors import LimitError, WireError
from amtracer.wire import limits
from amtracer.wire.messages import Pairs, Shape, StepDef
from amtracer.wire.vocabulary import MutationKind, RelationKind

MUTATION_MAX = max(MutationKind)
_RELATION_MAX = max(RelationKind)


def check_shape(shape: Shape, states: int, checked: set[StepDef]) -> None:
    """Refuse a shape that does not fit a schema of so many states.

    Steps repeat far more often than shapes. So the steps that fit are added to `checked`.
    """
    type_, called, flags, changes, steps = shape
    _need(0 <= type_ <= MUTATION_MAX, "a mutation of unknown type")
    _need(0 <= flags <= limits.SMALL_MAX, "flags of a shape out of range")
    _need(_all_below(called, states), "a called state out of range")
    if changes:
        _check_changes(changes, states)
    if len(steps) > limits.STEPS_MAX:
        raise LimitError("steps of a shape", len(steps), limits.STEPS_MAX)
    if not checked.issuperset(steps):
        check_steps(steps, states, checked)


def _check_changes(changes: Pairs, states: int) -> None:
    changed, growths = zip(*changes, strict=True)
    _need(min(changed) >= 0 and max(changed) < states, "a changed state out of range")
    _need(len(set(changed)) == len(changes), "a state that is changed twice in a shape")
    if 0 in growths or min(growths) < -limits.GROWTH_MAX or max(growths) > limits.GROWTH_MAX:
        raise WireError("a tick growth out of range")


def check_steps(steps: Collection[StepDef], states: int, checked: set[StepDef]) -> None:
    """Refuse steps that do not fit so many states; add the others to `checked`."""
    for step in steps:
        _need(0 <= step.type <= limits.SMALL_MAX, "the type of a step out of range")
        _need(0 <= step.flags <= limits.SMALL_MAX, "the flags of a step out of range")
        _need(-1 <= step.relation <= _RELATION_MAX, "the relation of a step out of range")
        _need(-1 <= step.source < states, "the source of a step out of range")
        _need(-1 <= step.target < states, "the target of a step out of range")
        if len(checked) >= CHECKED_STEPS_MAX:
            checked.clear()
        checked.add(step)


def check_table(table: ShapeTable, schemas: Sequence[IndexedSchema]) -> None:
    """Refuse shapes of a file that have no schema, or that change states which it does not have.

    Nothing is known of the shapes of a lost schema, and nothing uses them.
    """
    used = set(table.schema_of)
    _need(_all_below(used, len(schemas)), "a shape of a schema that is not defined")
    states = min((len(schemas[schema].states) for schema in used), default=0)
    if _all_below(table.growth_states, states):
        return
    ends = table.growth_ends
    for number, schema in enumerate(table.schema_of):
        if schemas[schema] is LOST_SCHEMA:
            continue
        changed = table.growth_states[ends[number] : ends[number + 1]]
        _need(_all_below(changed, len(schemas[schema].states)), "a changed state out of range")


def _all_below(values: Collection[int], end: int) -> bool:
    return not values or (min(values) >= 0 and max(values) < end)


def _need(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise WireError(otherwise)
