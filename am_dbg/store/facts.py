"""What follows from a shape and its schema alone, so it is worked out once per shape.

Filters and jumps are questions about shapes. A session has few of them, whatever the
number of its transitions, so every answer that depends on the shape only is a table
look-up by shape number. Masks are integers with bit `i` set for state index `i`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntFlag

from amtracer.schema import Shape, ShapeFlag, StateDef, StepFlag

EXCEPTION = "Exception"
HEALTH_STATES = frozenset({"Healthcheck", "Heartbeat"})

_HANDLER_STEP = 2


class Fact(IntFlag):
    """The yes-or-no facts of a shape; they fit one byte, so a filter is a table of 256.

    EMPTY: no state added or removed and no handler called. HEALTH: the single state that
    was added or removed is a health check. ERROR: an error state was added, or a handler
    failed.
    """

    CANCELED = 1
    AUTO = 2
    EMPTY = 4
    HEALTH = 8
    ERROR = 16
    CHECK = 32


@dataclass(frozen=True, slots=True)
class ShapeFacts:
    """The facts of one shape under one schema.

    `added` holds the states that were activated or re-entered, `removed` those that were
    deactivated or went on and off again, `odd` those whose activity flipped. `touched`
    adds the called states to both. `growth` is what the machine's time sum grew by.
    """

    flags: Fact
    called: int
    added: int
    removed: int
    odd: int
    growth: int

    @property
    def changed(self) -> int:
        return self.added | self.removed

    @property
    def touched(self) -> int:
        return self.called | self.added | self.removed

    @property
    def is_canceled(self) -> bool:
        return Fact.CANCELED in self.flags

    @property
    def is_auto(self) -> bool:
        return Fact.AUTO in self.flags

    @property
    def is_empty(self) -> bool:
        return Fact.EMPTY in self.flags

    @property
    def is_health(self) -> bool:
        return Fact.HEALTH in self.flags

    @property
    def is_error(self) -> bool:
        return Fact.ERROR in self.flags

    @property
    def is_check(self) -> bool:
        return Fact.CHECK in self.flags


def is_error_state(name: str) -> bool:
    """Does an active state of this name tell of an error."""
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
class SchemaFacts:
    """What shapes need to know of their schema: the error and the health states."""

    errors: int
    health: int


def schema_facts(states: Sequence[StateDef]) -> SchemaFacts:
    """Work out the masks of special states once per schema."""
    names = [state.name for state in states]
    return SchemaFacts(
        errors=mask_of(i for i, name in enumerate(names) if is_error_state(name)),
        health=mask_of(i for i, name in enumerate(names) if name in HEALTH_STATES),
    )


def shape_facts(shape: Shape, schema: SchemaFacts) -> ShapeFacts:
    """Work out everything that follows from a shape and its schema."""
    added = mask_of(index for index, growth in shape.changes if growth > 0)
    removed = mask_of(index for index, growth in shape.changes if growth < 0)
    return ShapeFacts(
        flags=_flags(shape, schema, added, removed),
        called=mask_of(shape.called),
        added=added,
        removed=removed,
        odd=mask_of(index for index, growth in shape.changes if growth & 1),
        growth=sum(abs(growth) for _, growth in shape.changes),
    )


def _flags(shape: Shape, schema: SchemaFacts, added: int, removed: int) -> Fact:
    flags = Fact(0)
    changed = added | removed
    if not shape.flags & ShapeFlag.ACCEPTED:
        flags |= Fact.CANCELED
    if shape.flags & ShapeFlag.AUTO:
        flags |= Fact.AUTO
    if shape.flags & ShapeFlag.CHECK:
        flags |= Fact.CHECK
    if not changed and all(step.type != _HANDLER_STEP for step in shape.steps):
        flags |= Fact.EMPTY
    if changed.bit_count() == 1 and changed & schema.health:
        flags |= Fact.HEALTH
    if added & schema.errors or any(step.flags & StepFlag.FAILED for step in shape.steps):
        flags |= Fact.ERROR
    return flags
