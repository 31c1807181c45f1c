"""The words and numbers of the protocol: mutations, relations, steps, levels, gaps, ids.

Every reader and writer of shapes, steps and transition ids takes them from here, so that each
number has one meaning. The numbers of mutations, relations, steps and levels are those of
`machine`; this module repeats them because a traced program may have another version of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, IntFlag
from typing import Protocol

ANY = "Any"
"""The name that a global handler has in place of a state."""

_NUMBER_DIGITS = 16
"""The number of a transition in its id, in hex digits; it follows the machine's prefix."""


class MutationKind(IntEnum):
    """What a mutation does with its called states; EVAL runs a function on the queue."""

    ADD = 0
    REMOVE = 1
    SET = 2
    EVAL = 3


class RelationKind(IntEnum):
    """The four ways in which one state refers to another."""

    AFTER = 0
    ADD = 1
    REQUIRE = 2
    REMOVE = 3


class StepKind(IntEnum):
    """What a step records."""

    RELATION = 1
    HANDLER = 2
    SET = 4
    REMOVE = 8
    REMOVE_NOT_ACTIVE = 16
    REQUESTED = 32
    CANCEL = 64


class ShapeFlag(IntFlag):
    """Properties of a whole transition."""

    ACCEPTED = 1
    AUTO = 2
    CHECK = 4


class StepFlag(IntFlag):
    """Properties of a step; DENIED and FAILED are answers of a handler."""

    FINAL = 1
    SELF = 2
    ENTER = 4
    DENIED = 8
    FAILED = 16


class TroubleKind(IntEnum):
    """Why a handler is reported: it is still running after its time limit, or it raised."""

    LATE = 0
    RAISED = 1


class GapKind(IntEnum):
    """Why the history of a machine is not one unbroken run.

    DROPPED: the sender could not keep some transitions. RECONNECTED: the connection was lost
    and came back. CUT: the program or its connection ended too early, and an unknown number of
    transitions is missing. DAMAGED: bytes of a session file were changed, so some of its
    transitions cannot be read. A `DroppedMessage` has one of these four kinds.

    A reader finds the others by itself. LATE: the recording began after the machine. SCHEMA:
    the schema changed. TRIMMED: the reader removed transitions to save memory.
    """

    DROPPED = 0
    RECONNECTED = 1
    CUT = 2
    LATE = 3
    SCHEMA = 4
    TRIMMED = 5
    DAMAGED = 6


class LevelKind(IntEnum):
    """How much a machine logs; a line has the lowest level at which it is logged."""

    NOTHING = 0
    CHANGES = 1
    OPS = 2
    DECISIONS = 3
    EVERYTHING = 4


MUTATION_WORDS = tuple(kind.name.lower() for kind in MutationKind)
RELATION_WORDS = tuple(kind.name.lower() for kind in RelationKind)
LEVEL_WORDS = tuple(level.name.lower() for level in LevelKind)
"""Words in the order of their numbers, which begin at 0."""

_MUTATION_WORD = dict(enumerate(MUTATION_WORDS))
_RELATION_WORD = dict(enumerate(RELATION_WORDS))
_STEP_WORD: dict[int, str] = {
    **{kind: kind.name.lower() for kind in StepKind},
    StepKind.RELATION: "rel",
    StepKind.REMOVE_NOT_ACTIVE: "removenotactive",
}


def mutation_word(kind: int, unknown: str = "unknown") -> str:
    """The word for a kind of mutation."""
    return _MUTATION_WORD.get(kind, unknown)


def relation_word(kind: int) -> str | None:
    """The word for a kind of relation; None for any other number."""
    return _RELATION_WORD.get(kind)


def step_word(kind: int) -> str:
    """The word for a kind of step; its number if it has none."""
    return _STEP_WORD.get(kind, str(kind))


class HandlerStep(Protocol):
    """The part of a step that names its handler."""

    @property
    def type(self) -> int: ...
    @property
    def flags(self) -> int: ...
    @property
    def source(self) -> int: ...
    @property
    def target(self) -> int: ...


class NamedState(Protocol):
    """The part of a state that handler names contain."""

    @property
    def name(self) -> str: ...


def handler_name(step: HandlerStep, states: Sequence[NamedState]) -> str:
    """The name of the handler that a step called, empty if it called none.

    It follows from the states on both sides and the flags: `FooExit`, `FooEnter`, `FooFoo`,
    `FooBar`, `FooEnd`, `FooState`; without a state `AnyEnter` and `AnyState`.
    """
    if step.type != StepKind.HANDLER:
        return ""
    source = states[step.source].name if step.source >= 0 else ""
    target = states[step.target].name if step.target >= 0 else ""
    name = source or target or ANY
    if step.flags & StepFlag.FINAL:
        is_entered = step.flags & StepFlag.ENTER or name == ANY
        return f"{name}State" if is_entered else f"{name}End"
    if step.flags & StepFlag.SELF:
        return f"{name}{name}"
    if source and target:
        return f"{source}{target}"
    is_entered = step.flags & StepFlag.ENTER or not source
    return f"{name}Enter" if is_entered else f"{name}Exit"


def split_tx(tx: str) -> tuple[str, int]:
    """Prefix and number of a transition id; the whole id and 0 if it follows no rule."""
    digits = tx[-_NUMBER_DIGITS:]
    try:
        number = int(digits, 16)
    except ValueError:
        return tx, 0
    if number <= 0 or f"{number:016x}" != digits:
        return tx, 0
    return tx[:-_NUMBER_DIGITS], number


def join_tx(prefix: str, number: int) -> str:
    """The transition id of a prefix and a number, see `split_tx`."""
    return f"{prefix}{number:016x}" if number else prefix
