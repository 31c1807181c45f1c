"""Protocols for what a machine offers, whether local or remote.

`Machine` has all of it. Code that takes a `MachineApi` also works with an object that
stands for a machine in another process: mutations, arguments to wait for and the last error
come from that process, everything else from a copy of its clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from machine._asking.asking import Asking
from machine._clock import Clock, Tick, Time
from machine._enums import LogLevel, Result
from machine._given import A, Names
from machine._logging.log import Logger, SimpleLogger
from machine._machine.serialized import Serialized
from machine._reasons.reason import Reason
from machine._reasons.why_not import WhyNot
from machine._schema.state import State
from machine._transition.event import Event
from machine._transition.tracing import Tracer
from machine._waiting.context import Context
from machine._waiting.handle import WaitHandle


class MutatingApi(Protocol):
    """Mutations, and what only the machine's own process has."""

    def add1(self, state: str, args: A | None = None) -> Result:
        """Activate a state, keep the others."""

    def add(self, states: Names, args: A | None = None) -> Result:
        """Activate these states, keep the others."""

    def remove1(self, state: str, args: A | None = None) -> Result:
        """Deactivate a state, keep the others."""

    def remove(self, states: Names, args: A | None = None) -> Result:
        """Deactivate these states, keep the others."""

    def set(self, states: Names, args: A | None = None) -> Result:
        """Make exactly these states active, with those they imply."""

    def add_err(self, err: BaseException | None, args: A | None = None) -> Result:
        """Store an error and add the `Exception` state; None does nothing, CANCELED."""

    def add_err_state(self, state: str, err: BaseException | None, args: A | None = None) -> Result:
        """Store an error and add an error state along with `Exception`."""

    def ev_add1(self, event: Event, state: str, args: A | None = None) -> Result:
        """`add1` with an event's transition as its source."""

    def ev_add(self, event: Event, states: Names, args: A | None = None) -> Result:
        """`add` with an event's transition as its source."""

    def ev_remove1(self, event: Event, state: str, args: A | None = None) -> Result:
        """`remove1` with an event's transition as its source."""

    def ev_remove(self, event: Event, states: Names, args: A | None = None) -> Result:
        """`remove` with an event's transition as its source."""

    def ev_add_err(self, event: Event, err: BaseException | None, args: A | None = None) -> Result:
        """`add_err` with an event's transition as its source."""

    def ev_add_err_state(
        self, event: Event, state: str, err: BaseException | None, args: A | None = None
    ) -> Result:
        """`add_err_state` with an event's transition as its source."""

    def when_args(self, state: str, args: A, ctx: Context | None = None) -> WaitHandle:
        """Released by the next activation of this state whose args contain these, equal."""

    @property
    def ask(self) -> Asking:
        """The same calls with an `Outcome` in place of a result, which can be waited for."""

    @property
    def err(self) -> BaseException | None:
        """The last error that was added; kept after `Exception` was removed."""


class ReadingApi(Protocol):
    """Checks and getters, answered from the clock at hand."""

    def is_err(self) -> bool:
        """Whether the `Exception` state is active."""

    def is_(self, states: Names) -> bool:
        """Whether all of these are active; True for none, False when one is unknown."""

    def is1(self, state: str) -> bool:
        """Whether this state is active; False for an unknown one."""

    def not_(self, states: Names) -> bool:
        """Whether none of these is active; raises for an unknown one."""

    def not1(self, state: str) -> bool:
        """Whether this state is inactive; raises for an unknown one."""

    def any(self, *lists: Names) -> bool:
        """Whether all states of at least one of these lists are active."""

    def any1(self, *states: str) -> bool:
        """Whether at least one of these is active."""

    def has(self, states: Names) -> bool:
        """Whether all of these are defined."""

    def has1(self, state: str) -> bool:
        """Whether this state is defined."""

    def is_time(self, time: Sequence[Tick], states: Names | None = None) -> bool:
        """Whether every given tick equals the present one, position by position."""

    def is_clock(self, clock: Clock) -> bool:
        """Whether every named tick equals the present one."""

    def state_names(self) -> list[str]:
        """All states in their order."""

    def active_states(self) -> list[str]:
        """The active states, in the order in which they were made the targets."""

    def why_not(self, state: str) -> WhyNot:
        """Why this state could not activate now; false if nothing known stands against it."""

    @property
    def last_refusal(self) -> Reason | None:
        """Why the last canceled call of this thread was canceled; None if none was."""

    def tick(self, state: str) -> Tick:
        """The tick of a state; 0 for an unknown one."""

    def clock(self, states: Names | None = None) -> Clock:
        """Ticks by name, of these states or of all."""

    def time(self, states: Names | None = None) -> Time:
        """Ticks of these states in this order, or of all by index."""

    def time_sum(self, states: Names | None = None) -> int:
        """The sum of these ticks, or of all."""

    def export(self) -> Serialized:
        """The machine's id, its states in their order, their ticks, and its open tasks."""

    def get_struct(self) -> dict[str, State]:
        """The cleaned schema, states by name."""

    def switch(self, *groups: Names) -> str:
        """The first active state of these lists, in their order; empty if none is."""

    def string(self) -> str:
        """Active states with their ticks, `(A:1 C:3)`; empty once disposed."""

    def string_all(self) -> str:
        """All states with their ticks, the inactive ones in brackets."""

    def inspect(self, states: Names | None = None) -> str:
        """A block of text for each of these states, or for all."""

    def index(self, state: str) -> int:
        """The place of a state in `state_names`; -1 for an unknown one."""

    def states_verified(self) -> bool:
        """Whether `verify_states` fixed the order of states."""


class WaitingApi(Protocol):
    """Waiting for the clock at hand."""

    def when(self, states: Names, ctx: Context | None = None) -> WaitHandle:
        """Released when all of these are active at the same time."""

    def when1(self, state: str, ctx: Context | None = None) -> WaitHandle:
        """Released when this state is active."""

    def when_any(self, states: Names, ctx: Context | None = None) -> WaitHandle:
        """Released when at least one of these is active; refuses an empty list."""

    def when_any1(self, *states: str, ctx: Context | None = None) -> WaitHandle:
        """Released when at least one of these states is active."""

    def when_not(self, states: Names, ctx: Context | None = None) -> WaitHandle:
        """Released when all of these are inactive at the same time."""

    def when_not1(self, state: str, ctx: Context | None = None) -> WaitHandle:
        """Released when this state is inactive."""

    def when_time(
        self, states: Names, times: Sequence[int], ctx: Context | None = None
    ) -> WaitHandle:
        """Released when each of these states has reached its tick, once, not together."""

    def when_ticks(self, state: str, ticks: int, ctx: Context | None = None) -> WaitHandle:
        """Released when the tick of this state has grown by this much from now on."""

    def when_ticks_eq(self, state: str, tick: int, ctx: Context | None = None) -> WaitHandle:
        """Released when the tick of this state has reached this number."""

    def when_err(self, ctx: Context | None = None) -> WaitHandle:
        """Released when the `Exception` state is active."""

    def new_state_ctx(self, state: str) -> Context:
        """A context that ends when this state deactivates; one that has ended if it is inactive."""


class MachineApi(MutatingApi, ReadingApi, WaitingApi, Protocol):
    """Everything that both a machine and one that stands for it can do."""

    @property
    def id(self) -> str:
        """The machine's id; 32 random hex digits unless it was given."""

    @property
    def parent_id(self) -> str:
        """Id of the parent machine; empty for none."""

    @property
    def tags(self) -> list[str]:
        """Free labels."""

    @property
    def ctx(self) -> Context:
        """The machine's context; ends with the machine."""

    def log(self, msg: str, *args: Any) -> None:
        """Write a line of the program's own, at level CHANGES; line ends become spaces."""

    def set_log_id(self, val: bool) -> None:
        """Put the first characters of the id before each line, or not."""

    def get_log_id(self) -> bool:
        """Whether each line begins with the id."""

    def set_logger(self, logger: Logger | None) -> None:
        """Send lines to `logger(level, format, *args)`; None prints them again."""

    def set_log_level(self, level: LogLevel | int) -> None:
        """Change the level, but not the logger."""

    def set_logger_empty(self, level: LogLevel | int) -> None:
        """Send lines nowhere, but keep them in transitions for tracers."""

    def set_logger_simple(self, logf: SimpleLogger, level: LogLevel | int) -> None:
        """Send lines to `logf(format, *args)` and set the level."""

    def bind_handlers(self, handlers: object) -> None:
        """Call this object's methods named after states and phases."""

    def detach_handlers(self, handlers: object) -> None:
        """Undo the first binding of this object; raises if it is not bound."""

    def tracers(self) -> list[Tracer]:
        """The bound tracers, in order."""

    def bind_tracer(self, tracer: Tracer) -> None:
        """Let a tracer watch this machine; its `machine_init` is not called."""

    def detach_tracer(self, tracer: Tracer) -> bool:
        """Stop a tracer watching; False if it is not bound."""

    def dispose(self) -> None:
        """Begin the end of the machine; returns at once, safe in handlers."""

    def when_disposed(self) -> WaitHandle:
        """Released when the disposal has finished, the tasks of coroutine handlers included."""

    def is_disposed(self) -> bool:
        """Whether the disposal has finished."""
