"""Frozen values that the store returns: transitions, gaps, and facts about whole machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from amtracer.wire.messages import Shape, Source, StateDef
from amtracer.wire.vocabulary import GapKind

LogLine = tuple[int, str]
"""A log line: its level and its text."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap in a track's history, right after transition `after_number`.

    `lost` counts the transitions that are missing there, -1 if the number is not known. A
    changed schema loses none.
    """

    after_number: int
    lost: int
    reason: str
    kind: GapKind


@dataclass(frozen=True, slots=True)
class TransitionRecord:
    """One decoded transition; `number` counts from 1 within its track.

    `queue_tick` is the number of the mutation taken from the queue last, 0 if not known.
    """

    number: int
    id: str
    shape: Shape
    time_ns: int
    duration_ns: int = 0
    queue_len: int = 0
    lines: tuple[LogLine, ...] = ()
    pre_lines: tuple[LogLine, ...] = ()
    source: Source | None = None
    args: tuple[tuple[str, str], ...] = ()
    handler_ns: tuple[int, ...] = ()
    queue_tick: int = 0


@dataclass(frozen=True, slots=True)
class MachineIdentity:
    """The facts about a machine that do not change.

    `program` is the name of the program that made it, empty if it is not known, `process` the
    session of its process. `pid` and `path_hash` are those of its process, empty if they are not
    known. `session` is that of the stream, which a debugger may forward.
    """

    id: str
    parent: str
    tags: tuple[str, ...]
    tx_prefix: str
    session: str
    started_ns: int
    unit_ns: int = 1
    program: str = ""
    process: str = ""
    pid: str = ""
    path_hash: str = ""


class Damage(NamedTuple):
    """What of a session is damaged.

    `offset` is that of a record, -1 if it is not known. `first` and `last` are transitions as
    their machine counts them, from 1.
    """

    what: str
    offset: int = -1
    machine: str = ""
    first: int = 0
    last: int = 0

    @property
    def text(self) -> str:
        """Where it is, and what."""
        record = [f"record at {self.offset:,}"] if self.offset >= 0 else []
        machine = [f"{self.machine}, transitions {self.first:,} to {self.last:,}"]
        return ": ".join((*record, *machine * bool(self.machine), self.what))


DAMAGE_MAX = 1_000
"""The most damage that is kept; the rest is in the gaps alone."""


@dataclass(frozen=True, slots=True)
class TrackSnapshot:
    """The state of a machine after transition `number`, with the gaps since then.

    A track replaces it as a whole at each gap and at the end.
    """

    number: int
    gaps: tuple[Gap, ...]
    states: tuple[StateDef, ...]
    ticks: tuple[int, ...]
    row: int
    ended: bool = False
    gone: bool = False
