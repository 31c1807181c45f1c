"""Enums whose numbers are part of the wire and file formats."""

from __future__ import annotations

import enum


class Result(enum.IntEnum):
    """The outcome of a mutation call.

    EXECUTED: it ran and was accepted. CANCELED: it ran and was rejected or failed, or it
    was refused. QUEUED: it will run later, with an outcome that is still open. NO_OP is only
    returned by helpers and remote machines.
    """

    EXECUTED = 1
    CANCELED = 2
    QUEUED = 4
    NO_OP = 8

    def __str__(self) -> str:
        return "" if self is Result.NO_OP else self.name.lower()


class MutationType(enum.IntEnum):
    """How called states meet the active ones; EVAL runs a function on the queue."""

    ADD = 0
    REMOVE = 1
    SET = 2
    EVAL = 3

    def __str__(self) -> str:
        return self.name.lower()


class StepType(enum.IntEnum):
    """What a step records."""

    RELATION = 1
    HANDLER = 2
    SET = 4
    REMOVE = 8
    REMOVE_NOT_ACTIVE = 16
    REQUESTED = 32
    CANCEL = 64

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
    ADD = 1
    REQUIRE = 2
    REMOVE = 3

    def __str__(self) -> str:
        return self.name.lower()


class LogLevel(enum.IntEnum):
    """How much a machine logs; a line is produced when its level is at most this."""

    NOTHING = 0
    CHANGES = 1
    OPS = 2
    DECISIONS = 3
    EVERYTHING = 4

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
