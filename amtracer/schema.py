"""The messages of the tracer protocol, as frozen values.

A stream is a sequence of messages. The same messages go over the socket, live in
the store and make up a session file. They fall in three groups:

- who speaks: `HelloMessage`, `SchemaMessage`, `MachineMessage`, `SchemaChangedMessage`,
  `GoneMessage`;
- the dictionary, everything that can repeat and is said once: `ShapeMessage`,
  `StringsMessage`, `LinesMessage`; a `SegmentMessage` empties it;
- what happened: `BatchMessage`, `DroppedMessage`, `EndMessage`.

Numbers (schema, machine, shape, string, lines) are given out by the sender, count
from 0 and belong to one stream; shapes, strings and lines belong to one segment of
it. A number is defined before it is used, never twice.

Everything here is plain data. Bytes are the matter of `amtracer.codec`, limits the
matter of `amtracer.limits`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import NamedTuple

PROTOCOL_VERSION = 1
PROTOCOL_VERSION_MIN = 1

DUMP_VERSION = 1
DUMP_VERSION_MIN = 1


class Kind(IntEnum):
    """First element of a frame's body; a number is never used twice.

    MAGIC is the first frame of a connection or file, BUNDLE several messages in one frame.
    Both belong to `amtracer.codec` and have no message.
    """

    MAGIC = 0
    HELLO = 1
    SCHEMA = 2
    MACHINE = 3
    SCHEMA_CHANGED = 4
    GONE = 5
    SHAPE = 6
    STRINGS = 7
    LINES = 8
    SEGMENT = 9
    BATCH = 10
    DROPPED = 11
    END = 12
    BUNDLE = 13


class ShapeFlag(IntFlag):
    """What a whole transition is, beside its type."""

    ACCEPTED = 1
    AUTO = 2
    CHECK = 4


class StepFlag(IntFlag):
    """What a step is, beside its type; DENIED and FAILED tell a handler's answer."""

    FINAL = 1
    SELF = 2
    ENTER = 4
    DENIED = 8
    FAILED = 16


@dataclass(frozen=True, slots=True)
class StateDef:
    """One state of a schema; a relation that was not given is None, not empty."""

    name: str
    auto: bool = False
    multi: bool = False
    require: tuple[str, ...] | None = None
    add: tuple[str, ...] | None = None
    remove: tuple[str, ...] | None = None
    after: tuple[str, ...] | None = None
    tags: tuple[str, ...] = ()


class StepDef(NamedTuple):
    """One step of a transition; `type`, `relation` as in `machine`, -1 is no state.

    `relation` is -1 unless the step is a relation step. A handler step of the global
    handlers has no state on either side.
    """

    type: int
    relation: int = -1
    flags: int = 0
    source: int = -1
    target: int = -1


class Shape(NamedTuple):
    """All of a transition that can repeat.

    `changes` pairs a state index with its tick growth, signed by what the state is
    afterwards: +1 activated, -1 deactivated, +2 re-entered, -2 on and off again.
    Any other growth (a gap in what was received) keeps the same rule.
    """

    type: int
    called: tuple[int, ...]
    flags: int
    changes: tuple[tuple[int, int], ...] = ()
    steps: tuple[StepDef, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """The transition that asked for this one: machine id, its transition, its time sum.

    `tx` is the transition id as the sender knows it.
    """

    machine: str
    tx: str
    time: int


@dataclass(frozen=True, slots=True)
class HelloMessage:
    """First message of a stream.

    `process` holds facts as text (pid, program, python, library). `wall_ns` and
    `mono_ns` are one moment on both clocks of the sender. `origin` tells what wrote
    the stream: "py" for this library, "go" for a converted session, whose times are
    arrival times at its server. `token` is the secret that a debugger may ask for; it is
    never in a file, never kept and never shown.
    """

    version: int
    session: str
    wall_ns: int
    mono_ns: int
    origin: str = "py"
    process: Mapping[str, str] = field(default_factory=dict)
    token: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class SchemaMessage:
    """Ordered states with their relations; machines that share a schema share this."""

    schema: int
    states: tuple[StateDef, ...]


@dataclass(frozen=True, slots=True)
class MachineMessage:
    """A machine enters the stream at `ticks`, before its transition number `row` + 1.

    `row` counts the transitions it made before; 0 for one recorded from its start.
    `tx_prefix` is the first half of its transition ids (see `BatchMessage.ids`).
    """

    machine: int
    id: str
    schema: int
    parent: str = ""
    tags: tuple[str, ...] = ()
    ticks: tuple[int, ...] = ()
    row: int = 0
    tx_prefix: str = ""


@dataclass(frozen=True, slots=True)
class SchemaChangedMessage:
    """From the next transition on the machine has another schema and these ticks."""

    machine: int
    schema: int
    ticks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GoneMessage:
    """The machine was disposed; no more of it follows."""

    machine: int


@dataclass(frozen=True, slots=True)
class ShapeMessage:
    """Defines a shape; its state indexes are those of `schema`."""

    shape: int
    schema: int
    value: Shape


@dataclass(frozen=True, slots=True)
class StringsMessage:
    """Defines strings `first`, `first + 1`, ..."""

    first: int
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LinesMessage:
    """Defines a set of log lines: pairs of level and string number, in order."""

    lines: int
    entries: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class SegmentMessage:
    """The dictionary (shapes, strings, lines) is empty again; numbers restart at 0."""


@dataclass(frozen=True, slots=True)
class BatchMessage:
    """A run of consecutive transitions of one machine, as columns of equal length.

    `row` is the number of the first one, counted from 0. `times` are wall clock
    nanoseconds, delta coded: the first is absolute, the others signed differences.
    `durations` are nanoseconds, 0 when not known. `lines` are numbers of line sets
    plus 1, 0 is none. Dense columns that are all zero are sent empty.

    The sparse columns map an offset in the batch to a value: `sources`; `args` (pairs
    of string numbers, key and text); `pre_lines` (as `lines`); `handlers` (the
    duration of each handler call in order, nanoseconds); `ids`, transition ids that
    do not follow the rule `tx_prefix` + number from 1 as 16 hex digits; `links`, sources
    by number: the machine's in this stream, the transition's, and the time sum.
    """

    machine: int
    row: int
    shapes: tuple[int, ...]
    times: tuple[int, ...]
    durations: tuple[int, ...] = ()
    queues: tuple[int, ...] = ()
    lines: tuple[int, ...] = ()
    sources: Mapping[int, Source] = field(default_factory=dict)
    args: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    pre_lines: Mapping[int, int] = field(default_factory=dict)
    handlers: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    ids: Mapping[int, str] = field(default_factory=dict)
    links: Mapping[int, tuple[int, int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DroppedMessage:
    """`count` transitions of a machine were lost here; it stands at `ticks` now.

    Rows go on after the lost ones: the next batch starts `count` later.
    """

    machine: int
    count: int
    ticks: tuple[int, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EndMessage:
    """Last message of a session file: what came before, to tell a cut from an end.

    `frames` and `size` count everything before this frame, `crc` is the CRC32 of it.
    """

    frames: int
    size: int
    crc: int


Message = (
    HelloMessage
    | SchemaMessage
    | MachineMessage
    | SchemaChangedMessage
    | GoneMessage
    | ShapeMessage
    | StringsMessage
    | LinesMessage
    | SegmentMessage
    | BatchMessage
    | DroppedMessage
    | EndMessage
)
