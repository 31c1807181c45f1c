"""Events that the mutating thread passes to the sender, as small as possible.

A transition is a tuple: the machine with its schema, the plan, the number, and when it started
and ended on the monotonic clock. A plain transition has nothing else. Other transitions
continue with the steps of their handlers and the durations of these, log lines, log lines from
before, the length of the queue, the source, the outcome, the ticks before, and then the
arguments, key and text in turns. The tuple keeps neither the transition nor the machine alive.

It is one flat tuple because thousands may wait. Each further object would make the garbage
collector's runs longer, and the program waits for those.

Every 64th transition of a machine includes the ticks before it. After lost transitions the
sender continues with the next one that has them, and finds the number of lost ones from the
numbers of transitions. So nothing is counted where it is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from amtracer.wire.messages import OpenWorkItem, StateDef

TICKS_MASK = 63
"""A transition whose number has none of these bits includes the ticks before it."""

Changes = tuple[tuple[int, int], ...]


class LogLineLike(Protocol):
    """A log line of a machine."""

    @property
    def level(self) -> int: ...
    @property
    def text(self) -> str: ...


class WaitingLines(Protocol):
    """The lines of a machine that wait for its next transition; a list that grows.

    `missing` counts older lines that were dropped. `taken`: a transition has taken them.
    """

    missing: int
    taken: bool

    def __iter__(self) -> Iterator[LogLineLike]: ...
    def __len__(self) -> int: ...


class OpenWorkLike(Protocol):
    """A waiter, context or task of a machine that has not ended, see `machine.OpenWork`."""

    @property
    def kind(self) -> str: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def condition(self) -> str: ...
    @property
    def deadline(self) -> float: ...
    @property
    def key(self) -> tuple[str, int]: ...


class StepLike(Protocol):
    """A step of a machine's transition."""

    @property
    def type(self) -> int: ...
    @property
    def rel_type(self) -> int | None: ...
    @property
    def from_state_idx(self) -> int: ...
    @property
    def to_state_idx(self) -> int: ...
    @property
    def is_final(self) -> bool: ...
    @property
    def is_self(self) -> bool: ...
    @property
    def is_enter(self) -> bool: ...
    @property
    def denied(self) -> bool: ...
    @property
    def failed(self) -> bool: ...
    @property
    def raised_at(self) -> str: ...


class PlanLike(Protocol):
    """A machine's plan: the part of a transition that follows from schema and mutation."""

    accepted: bool
    growth: Changes
    call: Any
    after: Any

    @property
    def question(self) -> object: ...
    @property
    def is_remembered(self) -> bool: ...

    def explanation(self) -> Any: ...


class TracedMachine:
    """The sender's record of a machine; tracers only pass it on.

    `number` is the machine's number in the current stream, -1 before it was sent. `row` counts
    its transitions so far, `ticks` are those after the last one, None if they are unknown after
    a loss. A deferred machine is sent when it does something. No transition of a `paused` one
    is sent. `is_untraceable`: the protocol cannot carry the machine. `redact` returns the text to
    show, None to show texts as they are. `queue_refused` counts the mutations that its queue
    refused, `refusals_sent` is the count that the stream has; `refusals_pending`: a
    `RefusedEvent` is in the queue.

    `waiting_lines` wait for its next transition; `lines_sent` of them were sent, or dropped
    before that. `open_work` and `open_work_more` were sent last, `open_since` has the sum of
    ticks at which each item was first seen.
    """

    __slots__ = (
        "gone",
        "id",
        "is_deferred",
        "is_untraceable",
        "lines_sent",
        "number",
        "open_since",
        "open_work",
        "open_work_more",
        "parent",
        "paused",
        "queue_refused",
        "redact",
        "refusals_pending",
        "refusals_sent",
        "row",
        "schema",
        "tags",
        "ticks",
        "tx_prefix",
        "waiting_lines",
    )

    def __init__(self, id: str, parent: str, tags: tuple[str, ...], tx_prefix: str) -> None:
        self.id: str = id
        self.parent: str = parent
        self.tags: tuple[str, ...] = tags
        self.tx_prefix: str = tx_prefix
        self.schema: TracedSchema | None = None
        self.number: int = -1
        self.row: int = 0
        self.ticks: list[int] | None = None
        self.gone: bool = False
        self.is_untraceable: bool = False
        self.is_deferred: bool = False
        self.paused: bool = False
        self.redact: Callable[[str], str] | None = None
        self.queue_refused: int = 0
        self.refusals_sent: int = 0
        self.refusals_pending: bool = False
        self.waiting_lines: WaitingLines | None = None
        self.lines_sent: int = 0
        self.open_work: tuple[OpenWorkItem, ...] = ()
        self.open_work_more: int = 0
        self.open_since: dict[tuple[str, int], int] = {}


class TracedSchema:
    """A machine with one of its schemas; this value never changes."""

    __slots__ = ("machine", "states")

    def __init__(self, machine: TracedMachine, states: tuple[StateDef, ...]) -> None:
        self.machine: TracedMachine = machine
        self.states: tuple[StateDef, ...] = states


Outcome = tuple[bool, bool, Changes]
"""Accepted, only a check, changes; for transitions that differ from their plan."""

TransitionEvent = tuple[Any, ...]
"""See the page above; a plain tuple, because other objects take longer to make."""
PLAIN_LENGTH = 5
"""Values of a plain event."""
STEPS, HANDLER_NS, LINES, PRE_LINES, QUEUE_LEN, SOURCE, OUTCOME, TICKS, ARGS = range(5, 14)
"""Positions of the other values; the arguments are all values from `ARGS` on."""


class SnapshotEvent:
    """The present ticks of a machine that was attached or has another schema.

    `row` counts its transitions so far. A deferred snapshot need not be sent yet.
    """

    __slots__ = ("is_deferred", "row", "schema", "ticks")

    def __init__(
        self, schema: TracedSchema, ticks: Sequence[int], row: int, *, deferred: bool = False
    ) -> None:
        self.schema: TracedSchema = schema
        self.ticks: Sequence[int] = ticks
        self.row: int = row
        self.is_deferred: bool = deferred


class PausedEvent(SnapshotEvent):
    """The machine's transitions are not sent from now on."""

    __slots__ = ()


class ResumedEvent(SnapshotEvent):
    """The machine's transitions are sent again; the first one may have come before this."""

    __slots__ = ()


class WaitingLinesEvent:
    """Log lines wait for the next transition of a machine, which may never come."""

    __slots__ = ("lines", "schema")

    def __init__(self, schema: TracedSchema, lines: WaitingLines) -> None:
        self.schema: TracedSchema = schema
        self.lines: WaitingLines = lines


class OpenWorkEvent:
    """The open work of a machine at a poll; `more` counts items that are not listed.

    Items that were also open at the previous poll are sent, because most work ends at once. At
    the `last` poll all items are sent.
    """

    __slots__ = ("last", "machine", "more", "work")

    def __init__(
        self,
        machine: TracedMachine,
        work: Sequence[OpenWorkLike],
        more: int = 0,
        *,
        last: bool = False,
    ) -> None:
        self.machine: TracedMachine = machine
        self.work: Sequence[OpenWorkLike] = work
        self.more: int = more
        self.last: bool = last


class GoneEvent:
    """A machine was disposed, or collected."""

    __slots__ = ("machine",)

    def __init__(self, machine: TracedMachine) -> None:
        self.machine: TracedMachine = machine


class RefusedEvent:
    """A machine's full queue refused mutations; `TracedMachine.queue_refused` counts them."""

    __slots__ = ("machine",)

    def __init__(self, machine: TracedMachine) -> None:
        self.machine: TracedMachine = machine


class LateHandlerEvent:
    """A handler of the transition with this row still runs after its time limit."""

    __slots__ = ("duration_ns", "handler", "machine", "place", "row")

    def __init__(
        self, machine: TracedMachine, row: int, handler: str, place: str, duration_ns: int
    ) -> None:
        self.machine: TracedMachine = machine
        self.row: int = row
        self.handler: str = handler
        self.place: str = place
        self.duration_ns: int = duration_ns


TracerEvent = (
    TransitionEvent
    | SnapshotEvent
    | WaitingLinesEvent
    | OpenWorkEvent
    | GoneEvent
    | RefusedEvent
    | LateHandlerEvent
)


def chars_of(event: TracerEvent) -> int:
    """The characters of text that an event keeps in memory."""
    if type(event) is not tuple or len(event) == PLAIN_LENGTH:
        return 0
    lines = sum([len(line.text) for line in (*event[LINES], *event[PRE_LINES])])
    return lines + sum(map(len, event[ARGS:]))
