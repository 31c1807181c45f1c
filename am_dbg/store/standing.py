"""The state of a machine as a whole: its origin, and how it stands after its last transition."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.store.values import Gap
from amtracer.wire.messages import StateDef


@dataclass(frozen=True, slots=True)
class Origin:
    """The facts about a machine that do not change."""

    id: str
    parent: str
    tags: tuple[str, ...]
    tx_prefix: str
    session: str
    started_ns: int
    unit_ns: int = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """How a machine stands after transition `number`, with the breaks since; replaced as a whole.

    It is newer than what was received last if that was a break or the end.
    """

    number: int
    gaps: tuple[Gap, ...]
    states: tuple[StateDef, ...]
    ticks: tuple[int, ...]
    row: int
    ended: bool = False
    gone: bool = False
