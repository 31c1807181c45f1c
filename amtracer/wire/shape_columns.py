"""Reads shapes that stand one after another as columns, without an object for each.

In the worst case every transition has a shape of its own. Reading shapes one by one takes most of
the time then. Here one call reads and checks a value of all shapes. Nothing is checked less: if a
check of a column fails, or a shape is unusual, there are no columns, and the caller reads the
shapes one by one. So a fault is found, and named, by the reader of one shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice

from amtracer.errors import WireError
from amtracer.wire import limits
from amtracer.wire.definitions import STEP_FIELDS, read_coded_steps
from amtracer.wire.fields import Body, Fields
from amtracer.wire.messages import MessageKind, ShapesMessage, StepDef

SHAPES_MIN = 4
"""Fewer shapes are read faster one by one."""
VALUES_MAX = 65_536
"""Values of all shapes together; columns of more take too much memory while they are checked."""
_KIND = int(MessageKind.SHAPE)
_DEFAULTS = ((), 0, ())
"""Changes, line set and steps of a shape that does not have them."""
_REQUIRED = 6
_FIELDS = _REQUIRED + len(_DEFAULTS)
_INT, _TUPLE = {int}, {tuple}


class _Bits(dict[int, int]):
    """The mask of each state alone; filled on demand, with states that are in range."""

    def __missing__(self, state: int) -> int:
        bit = self[state] = 1 << state
        return bit


BITS = _Bits()
"""The mask of each state alone."""


def run_key(body: Body) -> object:
    """Equal for neighbours that columns can be made of: shapes of one schema."""
    return body[2] if body[0] == _KIND and len(body) >= _REQUIRED else None


def read_shape_columns(bodies: Sequence[Body], where: str) -> ShapesMessage | None:
    """The shapes of some bodies as columns; None if they must be read one by one."""
    if len(bodies) < SHAPES_MIN or not set(map(len, bodies)) <= _LENGTHS:
        return None
    if set(map(len, bodies)) != {_FIELDS}:
        bodies = [(*body, *_DEFAULTS[len(body) - _REQUIRED :]) for body in bodies]
    _, shapes, schemas, types, flags, called, changes, lines, steps = zip(*bodies, strict=True)
    if set(map(type, chain(shapes, schemas, types, flags, lines))) != _INT:
        return None
    if set(map(type, chain(called, changes, steps))) != _TUPLE:
        return None
    first, count = shapes[0], len(shapes)
    if not (
        shapes == tuple(range(first, first + count))
        and _are_within(shapes, limits.SHAPES_MAX - 1)
        and _are_within(schemas, limits.SCHEMAS_MAX - 1)
        and len(set(schemas)) == 1
        and _are_within(types, limits.SMALL_MAX)
        and _are_within(flags, limits.SMALL_MAX)
        and _are_within(lines, limits.LINE_SETS_MAX)
        and sum(map(len, chain(called, changes, steps))) <= VALUES_MAX
    ):
        return None
    called_masks, changed_masks = _masks_of_called(called), _masks_of_changes(changes)
    found = _steps(steps, where)
    if called_masks is None or changed_masks is None or found is None:
        return None
    return ShapesMessage(
        first,
        schemas[0],
        types,
        flags,
        called,
        called_masks,
        changes,
        changed_masks,
        lines,
        found,
        [len(one) // STEP_FIELDS for one in steps],
        dict(zip(map(id, found), found, strict=True)).values(),
    )


_LENGTHS = frozenset(range(_REQUIRED, _FIELDS + 1))


def _masks_of_called(called: Sequence[tuple[int, ...]]) -> list[int] | None:
    """The called states of each shape as a mask; None if they are unusual."""
    counts = list(map(len, called))
    flat = list(chain.from_iterable(called))
    if max(counts) > limits.STATES_MAX or not _are_states(flat):
        return None
    return _masks(flat, counts)


def _masks_of_changes(changes: Sequence[tuple[int, ...]]) -> list[int] | None:
    """The changed states of each shape as a mask; None if a change breaks a rule."""
    counts = list(map(len, changes))
    flat = list(chain.from_iterable(changes))
    if not flat:
        return counts
    if max(counts) > 2 * limits.STATES_MAX or any(count & 1 for count in set(counts)):
        return None
    states, growths = flat[::2], flat[1::2]
    distinct = set(growths)
    if set(map(type, growths)) != _INT or not _are_states(states) or 0 in distinct:
        return None
    if max(distinct) > limits.GROWTH_MAX or min(distinct) < -limits.GROWTH_MAX:
        return None
    return _masks(states, [count >> 1 for count in counts])


def _masks(states: Iterable[int], counts: Sequence[int]) -> list[int] | None:
    """A mask of each group of so many states; None if a state is twice in a group."""
    bits = map(BITS.__getitem__, states)
    masks = [sum(islice(bits, count)) for count in counts]
    return masks if list(map(int.bit_count, masks)) == list(counts) else None


def _steps(steps: Sequence[tuple[int, ...]], where: str) -> list[StepDef] | None:
    """The steps of all shapes, one after the other; None if a step is unusual."""
    lengths = set(map(len, steps))
    if max(lengths) > STEP_FIELDS * limits.STEPS_MAX or any(one % STEP_FIELDS for one in lengths):
        return None
    flat = list(chain.from_iterable(steps))
    if flat and set(map(type, flat)) != _INT:
        return None
    groups = zip(*[iter(flat)] * STEP_FIELDS, strict=True)
    try:
        return read_coded_steps(Fields((), where, "shape"), groups)
    except WireError:
        return None


def _are_states(values: Sequence[int]) -> bool:
    return not values or (
        set(map(type, values)) == _INT and _are_within(values, limits.STATES_MAX - 1)
    )


def _are_within(values: Sequence[int], high: int) -> bool:
    return min(values) >= 0 and max(values) <= high
