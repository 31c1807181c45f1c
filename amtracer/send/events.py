"""Events that travel from the mutating thread to the sender, as small as possible.

A transition is a tuple: the machine with its schema, the plan, the number, when it started
and ended on the monotonic clock. Transitions that have more than most continue with the
steps of their handlers and how long these took, log lines, log lines from before, the length
of the queue, the source, the outcome, the ticks before, and then the arguments, key and text
in turns. The tuple keeps neither the transition nor the machine alive.

It is one flat tuple because thousands may wait, and each further object would make the
garbage collector's runs longer, which hold up the program.

Every 64th transition of a machine includes its ticks of before. When transitions were lost,
the sender goes on with the next one that has them and counts what is missing by the numbers;
so nothing needs to be counted where it is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from amtracer.wire.messages import OpenWork, StateDef

TICKS_MASK = 63
"""A transition whose number has none of these bits includes its ticks of before."""

Changes = tuple[tuple[int, int], ...]


class Source(Protocol):
    """The transition that a mutation was made from."""

    @property
    def mach_id(self) -> str: ...
    @property
    def tx_id(self) -> str: ...
    @property
    def mach_time(self) -> int: ...


class Line(Protocol):
    """A log line of a machine."""

    @property
    def level(self) -> int: ...
    @property
    def text(self) -> str: ...


class WaitingLines(Protocol):
    """The lines of a machine that wait for its next transition; a list that goes on growing.

    `missing` counts older ones that were dropped, `taken` says that a transition has them.
    """

    missing: int
    taken: bool

    def __iter__(self) -> Iterator[Line]: ...
    def __len__(self) -> int: ...


class Work(Protocol):
    """Something open in a machine, see `machine.OpenWork`."""

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


class Step(Protocol):
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


class Plan(Protocol):
    """A machine's plan, the part of a transition that it remembers."""

    accepted: bool
    growth: Changes
    call: Any
    after: Any

    @property
    def question(self) -> object: ...
    @property
    def is_remembered(self) -> bool: ...

    def notes(self) -> Any: ...


class TracedMachine:
    """A machine as the sender thread knows it; tracers only pass it on.

    `number` is its number in the current stream, -1 before it was sent. `row` counts the
    transitions before the next one, `ticks` are those after the last one; None when what
    was lost since is not known yet. A `quiet` one is sent when it does something. Of a
    `paused` one no transition was sent since its recording was paused. `redact` makes the
    texts that are shown, None for those there are. `queue_refused` is how many mutations
    its queue refused, `refused_told` how many the stream knows of; while `refusals_wait` the
    sender is about to be notified of more.

    `waiting` are lines that wait for its next transition, of which `waiting_told` were sent,
    or dropped before they could be. `open` and `open_more` are what was reported as open,
    `open_since` where the machine stood when each of it was seen first.
    """

    __slots__ = (
        "gone",
        "id",
        "number",
        "open",
        "open_more",
        "open_since",
        "parent",
        "paused",
        "queue_refused",
        "quiet",
        "redact",
        "refusals_wait",
        "refused",
        "refused_told",
        "row",
        "schema",
        "tags",
        "ticks",
        "tx_prefix",
        "waiting",
        "waiting_told",
    )

    def __init__(self, id: str, parent: str, tags: tuple[str, ...], tx_prefix: str) -> None:
        self.id = id
        self.parent = parent
        self.tags = tags
        self.tx_prefix = tx_prefix
        self.schema: TracedSchema | None = None
        self.number = -1
        self.row = 0
        self.ticks: list[int] | None = None
        self.gone = False
        self.refused = False
        self.quiet = False
        self.paused = False
        self.redact: Callable[[str], str] | None = None
        self.queue_refused = 0
        self.refused_told = 0
        self.refusals_wait = False
        self.waiting: WaitingLines | None = None
        self.waiting_told = 0
        self.open: tuple[OpenWork, ...] = ()
        self.open_more = 0
        self.open_since: dict[tuple[str, int], int] = {}


class TracedSchema:
    """A machine while it has one schema; it never changes."""

    __slots__ = ("machine", "states")

    def __init__(self, machine: TracedMachine, states: tuple[StateDef, ...]) -> None:
        self.machine = machine
        self.states = states


Outcome = tuple[bool, bool, Changes]
"""Accepted, only a check, what really changed; where the plan does not show it."""

TransitionEvent = tuple[Any, ...]
"""What most transitions consist of, then what the others have beside it, see above; a plain
tuple, as making anything else would take the program's time."""
PLAIN_LENGTH = 5
"""Values of an event that has nothing beside."""
STEPS, HANDLER_NS, LINES, PRE_LINES, QUEUE_LEN, SOURCE, OUTCOME, TICKS, ARGS = range(5, 14)
"""Where the others have what they have beside; the arguments are the rest from there on."""


class Seen:
    """A machine came into view, or has another schema: it stands at these ticks now.

    `row` is how many transitions it made before. A `quiet` one need not be sent yet.
    """

    __slots__ = ("quiet", "row", "schema", "ticks")

    def __init__(
        self, schema: TracedSchema, ticks: Sequence[int], row: int, *, quiet: bool = False
    ) -> None:
        self.schema = schema
        self.ticks = ticks
        self.row = row
        self.quiet = quiet


class Paused(Seen):
    """From here on the machine's transitions are not sent."""

    __slots__ = ()


class Resumed(Seen):
    """Its transitions are sent again; the first one may have come before this."""

    __slots__ = ()


class Waiting:
    """Lines of a machine wait for its next transition, which may never come."""

    __slots__ = ("lines", "schema")

    def __init__(self, schema: TracedSchema, lines: WaitingLines) -> None:
        self.schema = schema
        self.lines = lines


class Open:
    """What is open in a machine, seen by the sender; `more` is not listed.

    At the `last` look what is open is sent, otherwise only what was open at the look before too:
    most of what waits does so for a moment.
    """

    __slots__ = ("last", "machine", "more", "work")

    def __init__(
        self, machine: TracedMachine, work: Sequence[Work], more: int = 0, *, last: bool = False
    ) -> None:
        self.machine = machine
        self.work = work
        self.more = more
        self.last = last


class Gone:
    """A machine was disposed, or collected."""

    __slots__ = ("machine",)

    def __init__(self, machine: TracedMachine) -> None:
        self.machine = machine


class Refused:
    """A machine's full queue refused mutations; the machine knows how many."""

    __slots__ = ("machine",)

    def __init__(self, machine: TracedMachine) -> None:
        self.machine = machine


class Late:
    """A handler in the transition with this row runs longer than it may, and still does."""

    __slots__ = ("duration_ns", "handler", "machine", "place", "row")

    def __init__(
        self, machine: TracedMachine, row: int, handler: str, place: str, duration_ns: int
    ) -> None:
        self.machine = machine
        self.row = row
        self.handler = handler
        self.place = place
        self.duration_ns = duration_ns


Event = TransitionEvent | Seen | Waiting | Open | Gone | Refused | Late


def chars_of(event: Event) -> int:
    """How much text an event keeps in memory."""
    if type(event) is not tuple or len(event) == PLAIN_LENGTH:
        return 0
    lines = sum([len(line.text) for line in (*event[LINES], *event[PRE_LINES])])
    return lines + sum(map(len, event[ARGS:]))
