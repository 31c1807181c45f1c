"""What travels from the mutating thread to the sender: as little as possible.

A transition is a tuple: the machine with its schema, the plan, the number, when it started
and ended on the monotonic clock, and a `Rest`, None for most. It keeps neither the
transition nor the machine alive.

Ticks of before are told by every 64th transition of a machine. When transitions were lost,
the sender takes the next one that tells its ticks and counts what is missing by the
numbers; so nothing needs to be counted where it is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from amtracer.schema import StateDef

__all__ = [
    "ALWAYS",
    "TICKS_MASK",
    "Changes",
    "Event",
    "Gone",
    "Line",
    "Outcome",
    "Plan",
    "Rest",
    "Seen",
    "Step",
    "TracedMachine",
    "TracedSchema",
    "TransitionEvent",
]

TICKS_MASK = 63
"""A transition whose number has none of these bits tells its ticks."""
ALWAYS = 0
"""As a mask: every transition tells its ticks."""

Changes = tuple[tuple[int, int], ...]


class Line(Protocol):
    """A log line of a machine."""

    @property
    def level(self) -> int: ...
    @property
    def text(self) -> str: ...


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


class Plan(Protocol):
    """A machine's plan, the part of a transition that it remembers."""

    accepted: bool
    growth: Changes
    call: Any
    after: Any

    def trail(self) -> Any: ...


class TracedMachine:
    """A machine as the sender knows it; the tracer reads `ticks_mask` only.

    `number` is its number in the current stream, -1 before it was told. `row` counts the
    transitions before the next one, `ticks` are those after the last one; None when what
    was lost since is not known yet.
    """

    __slots__ = (
        "gone",
        "id",
        "number",
        "parent",
        "refused",
        "row",
        "schema",
        "tags",
        "ticks",
        "ticks_mask",
        "tx_prefix",
    )

    def __init__(self, id: str, parent: str, tags: tuple[str, ...], tx_prefix: str) -> None:
        self.id = id
        self.parent = parent
        self.tags = tags
        self.tx_prefix = tx_prefix
        self.ticks_mask = ALWAYS
        self.schema: TracedSchema | None = None
        self.number = -1
        self.row = 0
        self.ticks: list[int] | None = None
        self.gone = False
        self.refused = False


class TracedSchema:
    """A machine while it has one schema; it never changes."""

    __slots__ = ("machine", "states")

    def __init__(self, machine: TracedMachine, states: tuple[StateDef, ...]) -> None:
        self.machine = machine
        self.states = states


class Outcome:
    """How a transition ended, when its plan does not tell."""

    __slots__ = ("accepted", "changes", "is_check")

    def __init__(self, accepted: bool, is_check: bool, changes: Changes) -> None:
        self.accepted = accepted
        self.is_check = is_check
        self.changes = changes


class Rest:
    """What most transitions do not have."""

    __slots__ = (
        "args",
        "handler_ns",
        "lines",
        "outcome",
        "pre_lines",
        "queue_len",
        "source",
        "steps",
        "ticks",
    )

    def __init__(
        self,
        steps: Sequence[Step],
        handler_ns: Sequence[int],
        lines: Sequence[Line],
        pre_lines: Sequence[Line],
        args: tuple[tuple[str, str], ...],
        queue_len: int,
        source: Any,
        outcome: Outcome | None,
        ticks: Sequence[int] | None,
    ) -> None:
        self.steps = steps
        self.handler_ns = handler_ns
        self.lines = lines
        self.pre_lines = pre_lines
        self.args = args
        self.queue_len = queue_len
        self.source = source
        self.outcome = outcome
        self.ticks = ticks

    def text_chars(self) -> int:
        """How much text it keeps in memory."""
        lines = sum(len(line.text) for entries in (self.lines, self.pre_lines) for line in entries)
        return lines + sum(len(key) + len(text) for key, text in self.args)


class Seen:
    """A machine came into view, or has another schema: it stands at these ticks now.

    `row` is how many transitions it made before.
    """

    __slots__ = ("row", "schema", "ticks")

    def __init__(self, schema: TracedSchema, ticks: Sequence[int], row: int) -> None:
        self.schema = schema
        self.ticks = ticks
        self.row = row


class Gone:
    """A machine was disposed, or nobody has it any more."""

    __slots__ = ("machine",)

    def __init__(self, machine: TracedMachine) -> None:
        self.machine = machine


TransitionEvent = tuple[TracedSchema, Plan, int, int, int, Rest | None]
Event = TransitionEvent | Seen | Gone
