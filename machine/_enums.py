"""Enums whose numbers are part of the wire and file formats."""

from __future__ import annotations

import enum
from typing import Literal


class Result(enum.IntEnum):
    """The outcome of a mutation call.

    EXECUTED: it ran and was accepted. CANCELED: it ran and was rejected or failed, or it
    was refused. QUEUED: it will run later, with an outcome that is still open. NO_OP is only
    returned by helpers and remote machines.
    """

    EXECUTED = 1
    """It ran and was accepted."""
    CANCELED = 2
    """It ran and was rejected or failed, or it was refused."""
    QUEUED = 4
    """It will run later; its outcome is still open."""
    NO_OP = 8
    """Nothing had to be done; only helpers and remote machines return it."""

    def __bool__(self) -> Literal[True]:
        """Every outcome is true: compare it, `mach.add1("A") is Result.EXECUTED`."""
        return True

    def __str__(self) -> str:
        return "" if self is Result.NO_OP else self.name.lower()


class MutationType(enum.IntEnum):
    """How called states meet the active ones; EVAL runs a function on the queue."""

    ADD = 0
    """The called states activate; the others stay."""
    REMOVE = 1
    """The called states deactivate; the others stay."""
    SET = 2
    """The called states activate; the others deactivate."""
    EVAL = 3
    """A function runs between two transitions; no state is called."""

    def __str__(self) -> str:
        return self.name.lower()


class StepType(enum.IntEnum):
    """What a step records."""

    RELATION = 1
    """A relation of one state to another was looked at."""
    HANDLER = 2
    """A handler was called."""
    SET = 4
    """A state became a target."""
    REMOVE = 8
    """An active state stopped being a target."""
    REMOVE_NOT_ACTIVE = 16
    """A state that was not active stopped being a target."""
    REQUESTED = 32
    """The mutation called this state."""
    CANCEL = 64
    """The transition was canceled because of this state."""

    def __str__(self) -> str:
        return _STEP_TEXTS[self]


_STEP_TEXTS = {
    StepType.RELATION: "rel",
    StepType.HANDLER: "handler",
    StepType.SET: "set",
    StepType.REMOVE: "remove",
    StepType.REMOVE_NOT_ACTIVE: "removenotactive",
    StepType.REQUESTED: "requested",
    StepType.CANCEL: "cancel",
}


def step_type_text(value: int) -> str:
    """The text of a step type; empty for a number that is none."""
    try:
        return str(StepType(value))
    except ValueError:
        return ""


class Relation(enum.IntEnum):
    """The four ways in which one state refers to another."""

    AFTER = 0
    """Its handlers run after those of the other state."""
    ADD = 1
    """It tries to activate the other state along."""
    REQUIRE = 2
    """It can be active only together with the other state."""
    REMOVE = 3
    """It deactivates the other state and blocks it."""

    def __str__(self) -> str:
        return self.name.lower()


class LogLevel(enum.IntEnum):
    """How much a machine logs; a line is produced when its level is at most this."""

    NOTHING = 0
    """No line."""
    CHANGES = 1
    """Changed states, errors, and the lines of the program itself."""
    OPS = 2
    """In addition mutations, the queue, handlers, waiters, why something was canceled."""
    DECISIONS = 3
    """In addition what relations did, and auto states."""
    EVERYTHING = 4
    """In addition every handler looked for, and every auto state that was blocked."""

    def __str__(self) -> str:
        return self.name.lower()


def log_level_text(value: int) -> str:
    """The text of a log level; "nothing" for a number that is none."""
    try:
        return str(LogLevel(value))
    except ValueError:
        return "nothing"


# The interpreter looks a member up on its class by a slow way (70 ns with CPython 3.11), so
# the modules that every mutation passes through use these names.
NOTHING, CHANGES, OPS, DECISIONS, EVERYTHING = LogLevel
ADD, REMOVE, SET, EVAL = MutationType
EXECUTED, CANCELED, QUEUED, NO_OP = Result
