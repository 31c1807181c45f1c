"""Facts that follow from a shape and its schema alone, computed once per shape.

Filters and jumps ask about shapes. A session has few shapes, however many transitions it has, so
an answer that depends on the shape alone is a look-up by shape number. Masks are integers with
bit `i` set for state index `i`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntFlag
from typing import NamedTuple

from amtracer.wire import limits
from amtracer.wire.messages import Shape, StateDef, StepDef
from amtracer.wire.vocabulary import ShapeFlag, StepFlag, StepKind

EXCEPTION = "Exception"
CHECKED_STEPS_MAX = 4_096
"""The most checked steps that a schema remembers."""
HEALTH_STATES = frozenset({"Healthcheck", "Heartbeat"})


class Fact(IntFlag):
    """The yes-or-no facts of a shape; they fit one byte, so a filter is a table of 256 bytes.

    EMPTY: accepted, and no state was added or removed, no handler was called, and it was no
    check. HEALTH: the only state that was added or removed is a health check. ERROR: an error
    state was added, or a handler failed.
    """

    CANCELED = 1
    AUTO = 2
    EMPTY = 4
    HEALTH = 8
    ERROR = 16
    CHECK = 32


# Plain integers, because every operation of a flag enum takes a microsecond.
_CANCELED, _AUTO, _EMPTY = int(Fact.CANCELED), int(Fact.AUTO), int(Fact.EMPTY)
_HEALTH, _ERROR, _CHECK = int(Fact.HEALTH), int(Fact.ERROR), int(Fact.CHECK)
_SHAPE_ACCEPTED, _SHAPE_AUTO = int(ShapeFlag.ACCEPTED), int(ShapeFlag.AUTO)
_SHAPE_CHECK, _STEP_FAILED = int(ShapeFlag.CHECK), int(StepFlag.FAILED)
_HANDLER = int(StepKind.HANDLER)


class ShapeFacts(NamedTuple):
    """The facts of one shape under one schema; `flags` are those of `Fact`.

    `added` are the states that are active afterwards and whose tick grew, `removed` those that
    are inactive and whose tick grew, `flipped` those whose activity changed. `growth` is the
    growth of the machine's time sum, `calls` the number of called handlers.
    """

    flags: int
    called: int
    added: int
    removed: int
    flipped: int
    growth: int
    calls: int

    @property
    def changed(self) -> int:
        """The states whose tick grew."""
        return self.added | self.removed

    @property
    def touched(self) -> int:
        """The states that were called or whose tick grew."""
        return self.called | self.added | self.removed

    @property
    def is_canceled(self) -> bool:
        return self.flags & _CANCELED != 0

    @property
    def is_auto(self) -> bool:
        return self.flags & _AUTO != 0

    @property
    def is_empty(self) -> bool:
        return self.flags & _EMPTY != 0

    @property
    def is_error(self) -> bool:
        return self.flags & _ERROR != 0

    @property
    def is_check(self) -> bool:
        return self.flags & _CHECK != 0


class ColumnFacts(NamedTuple):
    """What follows from shapes: their flags of `Fact`, touched states and handler calls.

    `activity` has for each the masks of states that it flips, changes and activates. `states`
    and `growths` are the changes of all shapes, one after the other, as many as `counts` says.
    """

    flags: bytes
    touched: list[int]
    calls: list[int]
    activity: list[tuple[int, int, int]]
    states: list[int]
    growths: list[int]
    counts: list[int]


def groups_of(states: Iterable[StateDef]) -> dict[str, list[int]]:
    """The groups of a schema: name and indexes of states, in the order of their states."""
    groups: dict[str, list[int]] = {}
    for index, state in enumerate(states):
        for name in state.groups:
            groups.setdefault(name, []).append(index)
    return groups


def is_error_state(name: str) -> bool:
    """Whether a state of this name means an error."""
    return name == EXCEPTION or name.startswith("Err")


def mask_of(indexes: Iterable[int]) -> int:
    """The mask with these bits set."""
    mask = 0
    for index in indexes:
        mask |= 1 << index
    return mask


def indexes_of(mask: int) -> list[int]:
    """The state indexes in a mask, ascending."""
    indexes = []
    while mask:
        low = mask & -mask
        indexes.append(low.bit_length() - 1)
        mask ^= low
    return indexes


@dataclass(frozen=True, slots=True)
class IndexedSchema:
    """The states of a schema, with an index by name and masks of errors and health checks.

    `checked_steps` are steps that were checked against it; only the thread of the store uses them.
    """

    states: tuple[StateDef, ...]
    checked_steps: set[StepDef] = field(default_factory=set, init=False, compare=False, repr=False)
    index: dict[str, int] = field(init=False, compare=False)
    errors: int = field(init=False, compare=False)
    health: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        index = {state.name: i for i, state in enumerate(self.states)}
        object.__setattr__(self, "index", index)
        object.__setattr__(
            self, "errors", mask_of(i for name, i in index.items() if is_error_state(name))
        )
        object.__setattr__(
            self, "health", mask_of(i for name, i in index.items() if name in HEALTH_STATES)
        )


LOST_SCHEMA = IndexedSchema(())
"""In the place of a schema that a damaged file lacks: no transition can be read with it."""


def shape_facts(shape: Shape, schema: IndexedSchema) -> ShapeFacts:
    """Compute everything that follows from a shape and its schema."""
    _, called, shape_flags, changes, steps = shape
    added = removed = flipped = total = 0
    for index, growth in changes:
        bit = 1 << index
        if growth > 0:
            added |= bit
            total += growth
        else:
            removed |= bit
            total -= growth
        if growth & 1:
            flipped |= bit
    calls = [step[0] for step in steps].count(_HANDLER)
    has_failed = any(step[2] & _STEP_FAILED for step in steps)
    flags = flags_of(shape_flags, added | removed, added, calls, has_failed, schema)
    return ShapeFacts(flags, mask_of(called), added, removed, flipped, total, calls)


def flags_of(
    shape_flags: int, changed: int, added: int, calls: int, has_failed: bool, schema: IndexedSchema
) -> int:
    """The yes-or-no facts of a shape, from its flags and from what follows from it."""
    flags = FLAGS_OF[shape_flags]
    if not changed and not calls and not flags & (_CANCELED | _CHECK):
        flags |= _EMPTY
    if changed & schema.health and changed.bit_count() == 1:
        flags |= _HEALTH
    if added & schema.errors or has_failed:
        flags |= _ERROR
    return flags


def _flags_alone(shape_flags: int) -> int:
    """The facts that the flags of a shape alone decide."""
    flags = 0 if shape_flags & _SHAPE_ACCEPTED else _CANCELED
    if shape_flags & _SHAPE_AUTO:
        flags |= _AUTO
    if shape_flags & _SHAPE_CHECK:
        flags |= _CHECK
    return flags


FLAGS_OF = bytes(_flags_alone(shape_flags) for shape_flags in range(limits.SMALL_MAX + 1))
"""For each value of the flags of a shape the facts that these alone decide."""
