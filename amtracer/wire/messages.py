"""The messages of the tracer protocol, as frozen values.

A stream is a sequence of messages. Sockets, session files and the debugger's store use the same
messages. They fall in five groups:

- the sender and its machines: `HelloMessage`, `SchemaMessage`, `MachineMessage`,
  `SchemaChangedMessage`, `GoneMessage`;
- the dictionary, values that repeat and are sent once: `StringsMessage`, `LinesMessage`,
  `ArgsMessage`, `ShapeMessage` (a reader can make a `ShapesMessage` of several); a
  `SegmentMessage` empties it;
- what machines did: `BatchMessage`, `DroppedMessage`, `RefusedMessage`, `TroubleMessage`,
  `LeftMessage`, `EndMessage`;
- what is open between transitions: `LaterLinesMessage`, `OpenWorkMessage`;
- history between two debuggers: `AnswerMessage`, `PieceMessage`, `RecordSchemasMessage`,
  `ChunkMessage`.

The sender gives numbers to schemas, machines, shapes, strings, line sets and sets of arguments.
They count from 0 and belong to one stream; numbers of the dictionary belong to one segment of
it. A number is defined before it is used, and only once.

Everything here is plain data. `amtracer.wire.codec` encodes it as bytes, `amtracer.wire.limits`
holds the limits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import islice
from typing import NamedTuple

from amtracer.wire.vocabulary import GapKind, StepKind

Pairs = tuple[tuple[int, int], ...]

PROTOCOL_VERSION = 2
PROTOCOL_VERSION_MIN = 1

DUMP_VERSION = 2
DUMP_VERSION_MIN = 1


class MessageKind(IntEnum):
    """First element of a frame's body; a number is never used twice.

    MAGIC is the first frame of a connection or file, BUNDLE is several messages in one frame.
    `amtracer.wire.codec` handles both; they have no message class. Names that end in V1 are
    kinds of version 1, which are read but not written.
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
    ANSWER = 23
    PIECE = 24
    RECORD_SCHEMAS = 25
    CHUNK = 26


@dataclass(frozen=True, slots=True)
class StateDef:
    """One state of a schema; a relation that the schema does not define is None, not empty.

    `groups` are the names of the groups of the state.
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
    """One step of a transition; `type` is a `StepKind`, `relation` a `RelationKind`.

    `relation` is -1 unless the step is a relation step. `source` and `target` are indexes of
    states, or -1 for none; a step of a global handler has neither.
    """

    type: int
    relation: int = -1
    flags: int = 0
    source: int = -1
    target: int = -1


class Shape(NamedTuple):
    """The part of a transition that can repeat.

    `changes` pairs a state index with the growth of its tick, positive if the state is active
    afterwards: +1 activated, -1 deactivated, +2 activated again, -2 activated and deactivated.
    Larger growths follow the same rule.
    """

    type: int
    called: tuple[int, ...]
    flags: int
    changes: Pairs = ()
    steps: tuple[StepDef, ...] = ()

    @property
    def calls(self) -> int:
        """The number of handler calls."""
        return [step[0] for step in self.steps].count(StepKind.HANDLER)


@dataclass(frozen=True, slots=True)
class Source:
    """The transition that caused this one: machine id, transition id, time sum of the machine."""

    machine: str
    tx: str
    time: int


@dataclass(frozen=True, slots=True)
class HelloMessage:
    """First message of a stream.

    `process` holds facts as text (pid, program, python). `wall_ns` and `mono_ns` are one
    moment on both clocks of the sender. `origin` is the kind of sender: "py" for this library,
    "go" for a converted session, whose times are arrival times at its server. `token` is the
    secret that a debugger may require; it is never in a file, never kept and never shown. `asks`
    is 1 if the sender can send records and reads an `AnswerMessage`, else 0.
    """

    version: int
    session: str
    wall_ns: int
    mono_ns: int
    origin: str = "py"
    process: Mapping[str, str] = field(default_factory=dict)
    token: bytes = field(default=b"", repr=False)
    asks: int = 0


@dataclass(frozen=True, slots=True)
class SchemaMessage:
    """Ordered states with their relations; machines that share a schema share this."""

    schema: int
    states: tuple[StateDef, ...]


@dataclass(frozen=True, slots=True)
class MachineMessage:
    """A machine joins the stream with `ticks`, before its transition number `row` + 1.

    `row` counts the transitions it made before; 0 for a machine recorded from its start.
    `tx_prefix` is the first half of its transition ids (see `BatchMessage.ids`).
    `unit_ns` is the number of nanoseconds in a unit of its times and durations.
    A debugger that records or forwards sends machines of other processes: `program` is the name
    of such a process, `process` the session in the hello of its own stream, `pid` and `path_hash`
    the facts of that hello.
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
    program: str = ""
    process: str = ""
    pid: str = ""
    path_hash: str = ""


@dataclass(frozen=True, slots=True)
class SchemaChangedMessage:
    """From the next transition on, the machine has another schema and these ticks."""

    machine: int
    schema: int
    ticks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GoneMessage:
    """The machine was disposed; no more messages about it follow."""

    machine: int


class TextWithNewHead(NamedTuple):
    """A text whose first `chars` characters are the next head."""

    text: str
    chars: int


class TextWithKnownHead(NamedTuple):
    """A text that is the head with this number, followed by `rest`."""

    head: int
    rest: str


@dataclass(frozen=True, slots=True)
class StringsMessage:
    """Defines strings `first`, `first + 1`, ...; heads count from 0 in a segment."""

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

    `lines` is the default line set of its transitions, plus 1; 0 is none.
    """

    shape: int
    schema: int
    value: Shape
    lines: int = 0


class ShapesMessage(NamedTuple):
    """Shapes of one schema from `first` on, as columns; a reader makes it of their bodies.

    It stands for one `ShapeMessage` of each. `called`, `changes` (states and growths in turns) and
    `lines` have a value for each shape. `called_masks` and `changed_masks` are the same states as
    masks, and no state is twice in one of them. `steps` are those of all shapes, one after the
    other, as many for each as `step_counts` says; `distinct_steps` are the different ones.
    """

    first: int
    schema: int
    types: tuple[int, ...]
    flags: tuple[int, ...]
    called: tuple[tuple[int, ...], ...]
    called_masks: Sequence[int]
    changes: tuple[tuple[int, ...], ...]
    changed_masks: Sequence[int]
    lines: tuple[int, ...]
    steps: Sequence[StepDef]
    step_counts: Sequence[int]
    distinct_steps: Collection[StepDef]

    def messages(self) -> Iterator[ShapeMessage]:
        """The definitions one by one."""
        steps = iter(self.steps)
        for at, called in enumerate(self.called):
            flat = self.changes[at]
            changes = tuple(zip(flat[::2], flat[1::2], strict=True))
            own = tuple(islice(steps, self.step_counts[at]))
            shape = Shape(self.types[at], called, self.flags[at], changes, own)
            yield ShapeMessage(self.first + at, self.schema, shape, self.lines[at])


@dataclass(frozen=True, slots=True)
class SegmentMessage:
    """The dictionary (shapes, strings, lines) is empty again; numbers restart at 0."""


class Run(NamedTuple):
    """`length` consecutive transitions of a machine, from row `row` on, counted from 0."""

    machine: int
    row: int
    length: int


@dataclass(frozen=True, slots=True)
class BatchMessage:
    """Transitions as columns of equal length: runs of some machines, one after the other.

    `times` are wall clock times and `durations` lengths, both in units of the machine; a
    duration of 0 is unknown. A dense column is empty if all its values are zero. `calls` are
    the durations of all handler steps, one after the other, for each transition as many as its
    shape has; empty if all are unknown.

    The sparse columns map an offset in the batch to a value: `lines`, a line set other than
    the shape's (plus 1, 0 is none); `args`, the number of a set or, in version 1, the pairs
    themselves; `links`, sources by numbers: machine of this stream, transition, time sum;
    `sources` in other streams; `pre_lines` (as `lines`); `own_calls`, durations of the handlers
    of a transition that has none in `calls`; `ids`, transition ids that do not follow the rule
    (see `amtracer.wire.vocabulary.split_tx`).

    `queue_ticks`, a dense column, are the numbers of the mutations that were taken last from
    the queue; 0 is unknown.
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
    """`count` transitions of a machine were lost here; its ticks are now `ticks`.

    Rows continue after the lost ones: the next batch begins `count` rows later. If `kind` is
    CUT, the number of lost transitions is not known, so `count` is 0.
    """

    machine: int
    count: int
    ticks: tuple[int, ...]
    reason: str = ""
    kind: GapKind = GapKind.DROPPED


@dataclass(frozen=True, slots=True)
class LeftMessage:
    """The program of a machine ended, or its connection was lost; a debugger sends it.

    Any later message about the machine means that it is back.
    """

    machine: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A machine's full queue has refused `count` mutations since the machine was made.

    `row` counts the transitions that it had made by then.
    """

    machine: int
    row: int
    count: int


@dataclass(frozen=True, slots=True)
class TroubleMessage:
    """A handler was late or raised, in the transition with this row, counted from 0.

    `what` is a `TroubleKind`. A LATE handler had run for `duration_ns` and was at `place` when
    the message was made; its transition follows when the handler returns, if it ever does. A
    handler that RAISED did so at `place`; it is that of step `step`, counted from 0. A place
    is "FILE:LINE in FUNCTION". The message may come before or after the transition's batch.
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
    """Log lines that a machine wrote after its last transition and after earlier such lines.

    `lines` is the number of a line set. The next transition repeats all later lines as its
    `pre_lines` and replaces them. `missing` counts lines between the earlier lines and these.
    """

    machine: int
    lines: int
    missing: int = 0


class OpenWorkItem(NamedTuple):
    """A waiter, context, deadline or task of a machine that has not ended.

    `kind` is the word in the log line of its beginning (`when`, `ctx`, `task` and so on).
    `names` are states, separated by spaces, or the handler of a task. `since` is the sum of the
    machine's ticks when it was first seen. `deadline` is the wall clock time at which it ends
    by itself, in units of the machine; 0 for never.
    """

    kind: str
    names: str
    condition: str = ""
    since: int = 0
    deadline: int = 0


@dataclass(frozen=True, slots=True)
class OpenWorkMessage:
    """The open work of a machine, in place of earlier work; `more` counts unlisted items.

    `before` is 0 for the present. After a `ChunkMessage` it can be one more than the row of the
    transition before which the work was open.
    """

    machine: int
    work: tuple[OpenWorkItem, ...]
    more: int = 0
    before: int = 0


@dataclass(frozen=True, slots=True)
class AnswerMessage:
    """What a debugger answers to a hello that asks: `takes` is 1 if it takes records, else 0."""

    takes: int


@dataclass(frozen=True, slots=True)
class PieceMessage:
    """Bytes of a record of session format 3; `left` counts the bytes of the record after them.

    The pieces of a record follow each other. Records of rows have numbers in the order in which
    they end.
    """

    left: int
    data: bytes


@dataclass(frozen=True, slots=True)
class RecordSchemasMessage:
    """The schemas that records of a segment use: for each of their numbers that of the stream.

    A later message of the same segment repeats them and adds others.
    """

    segment: int
    schemas: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChunkMessage:
    """The next transitions of a machine are a chunk of a record that was sent before."""

    machine: int
    record: int
    chunk: int
    segment: int


@dataclass(frozen=True, slots=True)
class EndMessage:
    """Last message of a session file; a file without it is cut.

    `frames` and `size` count the frames and bytes before this one, `crc` is their CRC32.
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
    | ShapesMessage
    | SegmentMessage
    | BatchMessage
    | DroppedMessage
    | LeftMessage
    | LaterLinesMessage
    | OpenWorkMessage
    | RefusedMessage
    | TroubleMessage
    | AnswerMessage
    | PieceMessage
    | RecordSchemasMessage
    | ChunkMessage
    | EndMessage
)
