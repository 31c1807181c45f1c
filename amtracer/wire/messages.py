"""The messages of the tracer protocol, as frozen values.

A stream is a sequence of messages. The same messages go over the socket, live in
the store and make up a session file. They fall in four groups:

- the speaker and its machines: `HelloMessage`, `SchemaMessage`, `MachineMessage`,
  `SchemaChangedMessage`, `GoneMessage`;
- the dictionary, everything that can repeat and is sent once: `StringsMessage`,
  `LinesMessage`, `ArgsMessage`, `ShapeMessage`; a `SegmentMessage` empties it;
- what happened: `BatchMessage`, `DroppedMessage`, `RefusedMessage`, `TroubleMessage`,
  `LeftMessage`, `EndMessage`;
- how a machine stands meanwhile: `LaterLinesMessage`, `OpenWorkMessage`.

Numbers (schema, machine, shape, string, line set, set of arguments) are given out by the
sender, count from 0 and belong to one stream; those of the dictionary belong to one
segment of it. A number is defined before it is used, never twice.

Everything here is plain data. `amtracer.wire.codec` encodes it as bytes, `amtracer.wire.limits`
holds the limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from amtracer.wire.vocabulary import StepKind

Pairs = tuple[tuple[int, int], ...]

PROTOCOL_VERSION = 2
PROTOCOL_VERSION_MIN = 1

DUMP_VERSION = 2
DUMP_VERSION_MIN = 1


class MessageKind(IntEnum):
    """First element of a frame's body; a number is never used twice.

    MAGIC is the first frame of a connection or file, BUNDLE several messages in one frame.
    Both belong to `amtracer.wire.codec` and have no message. What ends in V1 is the form of
    version 1, which is read but never written.
    """

    MAGIC = 0
    HELLO = 1
    SCHEMA = 2
    MACHINE = 3
    SCHEMA_CHANGED = 4
    GONE = 5
    SHAPE_V1 = 6
    STRINGS = 7
    LINES_V1 = 8
    SEGMENT = 9
    BATCH_V1 = 10
    DROPPED = 11
    END = 12
    BUNDLE = 13
    SHAPE = 14
    LINES = 15
    ARGS = 16
    BATCH = 17
    LEFT = 18
    LATER_LINES = 19
    OPEN_WORK = 20
    REFUSED = 21
    TROUBLE = 22


@dataclass(frozen=True, slots=True)
class StateDef:
    """One state of a schema; a relation that was not given is None, not empty.

    `groups` are the names of the groups it is in.
    """

    name: str
    auto: bool = False
    multi: bool = False
    require: tuple[str, ...] | None = None
    add: tuple[str, ...] | None = None
    remove: tuple[str, ...] | None = None
    after: tuple[str, ...] | None = None
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


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
    changes: Pairs = ()
    steps: tuple[StepDef, ...] = ()

    @property
    def calls(self) -> int:
        """How many handlers were called."""
        return [step[0] for step in self.steps].count(StepKind.HANDLER)


@dataclass(frozen=True, slots=True)
class Source:
    """The transition that caused this one: machine id, its transition, its time sum.

    `tx` is the transition id as the sender knows it.
    """

    machine: str
    tx: str
    time: int


@dataclass(frozen=True, slots=True)
class HelloMessage:
    """First message of a stream.

    `process` holds facts as text (pid, program, python, library). `wall_ns` and
    `mono_ns` are one moment on both clocks of the sender. `origin` says what wrote
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
    `unit_ns` is how many nanoseconds a unit of its times and durations is.
    """

    machine: int
    id: str
    schema: int
    parent: str = ""
    tags: tuple[str, ...] = ()
    ticks: tuple[int, ...] = ()
    row: int = 0
    tx_prefix: str = ""
    unit_ns: int = 1


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


class TextWithNewHead(NamedTuple):
    """A text whose first `chars` characters are the next head."""

    text: str
    chars: int


class TextWithKnownHead(NamedTuple):
    """A text that is a head and a rest."""

    head: int
    rest: str


@dataclass(frozen=True, slots=True)
class StringsMessage:
    """Defines strings `first`, `first + 1`, ...; heads are counted from 0 in a segment."""

    first: int
    texts: tuple[str | TextWithNewHead | TextWithKnownHead, ...]


@dataclass(frozen=True, slots=True)
class LinesMessage:
    """Defines sets of log lines from `first` on: pairs of level and string number, in order."""

    first: int
    sets: tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True, slots=True)
class ArgsMessage:
    """Defines sets of arguments from `first` on: strings, key and text in turns."""

    first: int
    sets: tuple[tuple[int, ...], ...]


class ShapeMessage(NamedTuple):
    """Defines a shape; its state indexes are those of `schema`.

    `lines` is the line set, plus 1, of its transitions that name no other; 0 is none.
    """

    shape: int
    schema: int
    value: Shape
    lines: int = 0


@dataclass(frozen=True, slots=True)
class SegmentMessage:
    """The dictionary (shapes, strings, lines) is empty again; numbers restart at 0."""


class Run(NamedTuple):
    """`length` consecutive transitions of a machine, from its row `row` on, counted from 0."""

    machine: int
    row: int
    length: int


@dataclass(frozen=True, slots=True)
class BatchMessage:
    """Transitions as columns of equal length: runs of some machines, one after the other.

    `times` are wall clock units of the machine, `durations` units too, 0 when not known.
    Dense columns that are all zero are sent empty. `calls` are the durations of all handler
    steps, one after the other: for each transition as many as its shape has; empty when
    none is known.

    The sparse columns map an offset in the batch to a value: `lines`, where the line set
    is not the one of the shape (plus 1, 0 is none); `args`, the number of a set or, in
    version 1, the pairs themselves; `links`, sources by number: the machine's in
    this stream, the transition's, and the time sum; `sources` in other machines;
    `pre_lines` (as `lines`); `own_calls`, durations of the handlers of a transition that
    has none in `calls`; `ids`, transition ids that do not follow the rule `tx_prefix` +
    number from 1 as 16 hex digits.

    `queue_ticks`, a dense column, are the numbers of the mutations that were taken from the
    queue last, 0 when not known.
    """

    runs: tuple[Run, ...]
    shapes: tuple[int, ...]
    times: tuple[int, ...]
    durations: tuple[int, ...] = ()
    queues: tuple[int, ...] = ()
    calls: tuple[int, ...] = ()
    lines: Mapping[int, int] = field(default_factory=dict)
    args: Mapping[int, int] | Mapping[int, Pairs] = field(default_factory=dict)
    links: Mapping[int, tuple[int, int, int]] = field(default_factory=dict)
    sources: Mapping[int, Source] = field(default_factory=dict)
    pre_lines: Mapping[int, int] = field(default_factory=dict)
    own_calls: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    ids: Mapping[int, str] = field(default_factory=dict)
    queue_ticks: tuple[int, ...] = ()


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
class LeftMessage:
    """The program of a machine ended, or was lost for a reason; sent on behalf of programs.

    Any later message of the machine means that it is back.
    """

    machine: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A machine's full queue has refused `count` mutations since the machine was made.

    `row` is how many transitions it had made by then.
    """

    machine: int
    row: int
    count: int


@dataclass(frozen=True, slots=True)
class TroubleMessage:
    """What a handler came to, in the transition with this row, counted from 0.

    `what` is a `TroubleKind`. One that is LATE still ran after `duration_ns` when this was
    sent, and was at `place`; its transition comes once it returns, if it ever does. One
    that RAISED did so at `place`; its name is that of step `step` of the transition, counted
    from 0. A place is "FILE:LINE in FUNCTION". The message may come before the transition's
    batch, or after it.
    """

    machine: int
    row: int
    what: int
    handler: str
    place: str = ""
    duration_ns: int = 0
    step: int = 0


@dataclass(frozen=True, slots=True)
class LaterLinesMessage:
    """Log lines that a machine wrote after its last transition, and after those sent so far.

    `lines` is the number of a line set. The next transition sends all of them again, as its
    `pre_lines`; what was sent here is over then. `missing` counts lines between those sent
    before and these.
    """

    machine: int
    lines: int
    missing: int = 0


class OpenWork(NamedTuple):
    """Something open in a machine: a waiter, a context, a deadline, a task.

    `kind` is a word as in the log line of its beginning (`when`, `ctx`, `task` and so on).
    `names` are states, or the handler of a task, with spaces between. `since` is the sum of
    the machine's ticks when it was seen first, `deadline` when it ends by itself, a wall
    clock time in units of the machine, 0 for never.
    """

    kind: str
    names: str
    condition: str = ""
    since: int = 0
    deadline: int = 0


@dataclass(frozen=True, slots=True)
class OpenWorkMessage:
    """What is open in a machine from now on, in place of what was; `more` is not listed."""

    machine: int
    work: tuple[OpenWork, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class EndMessage:
    """Last message of a session file: what came before, to distinguish a cut from an end.

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
    | StringsMessage
    | LinesMessage
    | ArgsMessage
    | ShapeMessage
    | SegmentMessage
    | BatchMessage
    | DroppedMessage
    | LeftMessage
    | LaterLinesMessage
    | OpenWorkMessage
    | RefusedMessage
    | TroubleMessage
    | EndMessage
)
