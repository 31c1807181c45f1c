"""What follows from a shape and its schema alone, so it is worked out once per shape.

Filters and jumps are questions about shapes. A session has few of them, whatever the
number of its transitions, so every answer that depends on the shape only is a table
look-up by shape number. Masks are integers with bit `i` set for state index `i`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
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
    deactivated or went on and off again, `flipped` those whose activity is another one
    afterwards. `growth` is what the machine's time sum grew by.
    """

    flags: Fact
    called: int
    added: int
    removed: int
    flipped: int
    growth: int

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
class Schema:
    """Ordered states, with what shapes ask of them worked out once."""

    states: tuple[StateDef, ...]
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


def shape_facts(shape: Shape, schema: Schema) -> ShapeFacts:
    """Work out everything that follows from a shape and its schema."""
    added = mask_of(index for index, growth in shape.changes if growth > 0)
    removed = mask_of(index for index, growth in shape.changes if growth < 0)
    return ShapeFacts(
        flags=_flags(shape, schema, added, removed),
        called=mask_of(shape.called),
        added=added,
        removed=removed,
        flipped=mask_of(index for index, growth in shape.changes if growth & 1),
        growth=sum(abs(growth) for _, growth in shape.changes),
    )


def _flags(shape: Shape, schema: Schema, added: int, removed: int) -> Fact:
    changed = added | removed
    found = (
        (Fact.CANCELED, not shape.flags & ShapeFlag.ACCEPTED),
        (Fact.AUTO, shape.flags & ShapeFlag.AUTO),
        (Fact.CHECK, shape.flags & ShapeFlag.CHECK),
        (Fact.EMPTY, not changed and all(step.type != _HANDLER_STEP for step in shape.steps)),
        (Fact.HEALTH, changed.bit_count() == 1 and changed & schema.health),
        (
            Fact.ERROR,
            added & schema.errors or any(step.flags & StepFlag.FAILED for step in shape.steps),
        ),
    )
    flags = Fact(0)
    for fact, is_true in found:
        if is_true:
            flags |= fact
    return flags
