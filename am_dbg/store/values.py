"""Frozen values that the store returns for one transition or one gap."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from amtracer.wire.messages import Shape, Source

Line = tuple[int, str]
"""A log line: its level and its text."""


class GapKind(Enum):
    """Why a track's history is not one unbroken run."""

    LATE = "late"
    DROPPED = "dropped"
    RECONNECTED = "reconnected"
    SCHEMA = "schema"
    CUT = "cut"
    TRIMMED = "trimmed"


@dataclass(frozen=True, slots=True)
class Gap:
    """A break in a track's history, right after transition `after_number`.

    `lost` counts the transitions that are missing there, -1 when nobody knows. A changed
    schema loses none.
    """

    after_number: int
    lost: int
    reason: str
    kind: GapKind


@dataclass(frozen=True, slots=True)
class Transition:
    """One whole decoded transition; `number` counts from 1 within its track.

    `queue_tick` is the number of the mutation taken from the queue last, 0 if not known.
    """

    number: int
    id: str
    shape: Shape
    time_ns: int
    duration_ns: int = 0
    queue_len: int = 0
    lines: tuple[Line, ...] = ()
    pre_lines: tuple[Line, ...] = ()
    source: Source | None = None
    args: tuple[tuple[str, str], ...] = ()
    handler_ns: tuple[int, ...] = ()
    queue_tick: int = 0


_CUT_MARK = "cut: "
_KINDS = {"reconnected": GapKind.RECONNECTED}


def reason_of_gap(gap: Gap) -> str:
    """The reason with which a break is written to a stream, so that its kind can be read back."""
    return f"{_CUT_MARK}{gap.reason}" if gap.kind is GapKind.CUT else gap.reason


def gap_of_reason(after_number: int, lost: int, reason: str) -> Gap:
    """The break that a stream reports under a reason."""
    if reason.startswith(_CUT_MARK):
        return Gap(after_number, -1, reason.removeprefix(_CUT_MARK), GapKind.CUT)
    return Gap(after_number, lost, reason or "dropped", _KINDS.get(reason, GapKind.DROPPED))
