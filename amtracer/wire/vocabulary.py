"""The words behind the numbers of the protocol: steps, relations, mutations, gaps, ids.

All readers and writers of shapes, steps and transition ids take their numbers and words from
here, so that no number has two meanings. The numbers of steps, relations and mutations are
those of `machine`, which a traced program may have in another version.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, IntFlag
from typing import Protocol

ANY = "Any"
"""The name that a global handler has in place of a state."""

_DIGITS = 16


class MutationKind(IntEnum):
    """How the called states meet the active ones; EVAL runs a function on the queue."""

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
    """The one thing that a step records."""

    RELATION = 1
    HANDLER = 2
    SET = 4
    REMOVE = 8
    REMOVE_NOT_ACTIVE = 16
    REQUESTED = 32
    CANCEL = 64


class ShapeFlag(IntFlag):
    """What a whole transition is, beside its type."""

    ACCEPTED = 1
    AUTO = 2
    CHECK = 4


class StepFlag(IntFlag):
    """What a step is, beside its type; DENIED and FAILED are a handler's answer."""

    FINAL = 1
    SELF = 2
    ENTER = 4
    DENIED = 8
    FAILED = 16


class TroubleKind(IntEnum):
    """What a handler came to."""

    LATE = 0
    RAISED = 1


class GapKind(IntEnum):
    """Why transitions are missing from a stream.

    DROPPED: the sender could not keep them. RECONNECTED: the connection was lost and came
    back. CUT: a session file ends too early, and nobody knows how many are missing.
    """

    DROPPED = 0
    RECONNECTED = 1
    CUT = 2


_MUTATION_WORDS: dict[int, str] = {kind: kind.name.lower() for kind in MutationKind}
_RELATION_WORDS: dict[int, str] = {kind: kind.name.lower() for kind in RelationKind}
_STEP_WORDS: dict[int, str] = {
    **{kind: kind.name.lower() for kind in StepKind},
    StepKind.RELATION: "rel",
    StepKind.REMOVE_NOT_ACTIVE: "removenotactive",
}


def mutation_word(kind: int, unknown: str = "unknown") -> str:
    """The word for a kind of mutation."""
    return _MUTATION_WORDS.get(kind, unknown)


def relation_word(kind: int) -> str | None:
    """The word for a kind of relation; None for a step that is no relation."""
    return _RELATION_WORDS.get(kind)


def step_word(kind: int) -> str:
    """The word for a kind of step; its number if it has none."""
    return _STEP_WORDS.get(kind, str(kind))


class Step(Protocol):
    """What is needed of a step to find its handler."""

    @property
    def type(self) -> int: ...
    @property
    def flags(self) -> int: ...
    @property
    def source(self) -> int: ...
    @property
    def target(self) -> int: ...


class Named(Protocol):
    """What is needed of a state."""

    @property
    def name(self) -> str: ...


def handler_name(step: Step, states: Sequence[Named]) -> str:
    """The name of the handler that a step called, empty when it called none.

    It follows from the states on both sides and the flags: `FooExit`, `FooEnter`, `FooFoo`,
    `FooBar`, `FooEnd`, `FooState`, and `AnyEnter` and `AnyState` without a state.
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
    """Prefix and number of a transition id, or all of it and 0 when it follows no rule."""
    digits = tx[-_DIGITS:]
    try:
        number = int(digits, 16)
    except ValueError:
        return tx, 0
    if number <= 0 or f"{number:016x}" != digits:
        return tx, 0
    return tx[:-_DIGITS], number


def join_tx(prefix: str, number: int) -> str:
    """The transition id of a prefix and a number, see `split_tx`."""
    return f"{prefix}{number:016x}" if number else prefix
