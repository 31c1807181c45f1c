"""Frozen values that the store returns for one transition or one gap."""

from __future__ import annotations

from dataclasses import dataclass

from amtracer.wire.messages import Shape, Source
from amtracer.wire.vocabulary import GapKind

Line = tuple[int, str]
"""A log line: its level and its text."""


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
