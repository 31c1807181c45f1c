"""Facts of shapes that came as columns, and their check, without an object for each.

The rules are those of one shape (`am_dbg.store.definitions.shape_check`, `am_dbg.store.facts`).
What does not keep them, or is close to a limit, is taken one by one, so an error is the same.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from itertools import chain, islice, repeat

from am_dbg.store.definitions.shape_check import MUTATION_MAX, check_steps
from am_dbg.store.facts import FLAGS_OF, ColumnFacts, IndexedSchema, flags_of
from amtracer.errors import WireError
from amtracer.wire.messages import ShapesMessage
from amtracer.wire.shape_columns import BITS
from amtracer.wire.vocabulary import StepFlag, StepKind

_HANDLER, _STEP_FAILED = int(StepKind.HANDLER), int(StepFlag.FAILED)


def are_fitting(message: ShapesMessage, schema: IndexedSchema) -> bool:
    """Whether each of the shapes fits the schema; False is not sure."""
    states = len(schema.states)
    mask = max(chain(message.called_masks, message.changed_masks))
    if max(message.types) > MUTATION_MAX or mask.bit_length() > states:
        return False
    steps, checked = message.distinct_steps, schema.checked_steps
    try:
        if not checked.issuperset(steps):
            check_steps(steps, states, checked)
    except WireError:
        return False
    return True


def column_facts(message: ShapesMessage, schema: IndexedSchema) -> ColumnFacts:
    """What follows from shapes that fit the schema."""
    changed = message.changed_masks
    flat = list(chain.from_iterable(message.changes))
    states, growths = flat[::2], flat[1::2]
    counts = [len(one) >> 1 for one in message.changes]
    different = set(growths)
    added = changed if min(different, default=1) > 0 else _masks(states, growths, counts, _is_added)
    are_odd = all(growth & 1 for growth in different)
    flipped = changed if are_odd else _masks(states, growths, counts, _is_odd)
    calls = _calls(message)
    return ColumnFacts(
        _flags(message, schema, added, calls),
        list(map(operator.or_, message.called_masks, changed)),
        calls,
        list(zip(flipped, changed, added, strict=True)),
        states,
        growths,
        counts,
    )


def _is_added(growth: int) -> bool:
    return growth > 0


def _is_odd(growth: int) -> bool:
    return growth & 1 == 1


def _masks(
    states: Iterable[int],
    growths: Sequence[int],
    counts: Iterable[int],
    has: Callable[[int], bool],
) -> list[int]:
    """The masks of the states whose growth has a property, for each shape."""
    having = {growth: has(growth) for growth in set(growths)}
    bits = map(operator.mul, map(BITS.__getitem__, states), map(having.__getitem__, growths))
    return [sum(islice(bits, count)) for count in counts]


def _calls(message: ShapesMessage) -> list[int]:
    """How many handlers each shape calls."""
    if not any(step[0] == _HANDLER for step in message.distinct_steps):
        return [0] * len(message.types)
    kinds = iter([step[0] for step in message.steps])
    return [list(islice(kinds, count)).count(_HANDLER) for count in message.step_counts]


def _flags(
    message: ShapesMessage, schema: IndexedSchema, added: Sequence[int], calls: Sequence[int]
) -> bytes:
    """The facts of each shape; most follow from its flags alone."""
    changed = message.changed_masks
    usual = bytes(message.flags).translate(FLAGS_OF)
    has_failed = any(step[2] & _STEP_FAILED for step in message.distinct_steps)
    union = reduce(operator.or_, changed)
    if all(changed) and not has_failed and not union & (schema.health | schema.errors):
        return usual
    failed: Iterable[bool] = repeat(False, len(calls))
    if has_failed:
        flags = iter([step[2] & _STEP_FAILED for step in message.steps])
        failed = [any(tuple(islice(flags, count))) for count in message.step_counts]
    columns = zip(message.flags, changed, added, calls, failed, strict=True)
    return bytes([flags_of(*values, schema) for values in columns])
