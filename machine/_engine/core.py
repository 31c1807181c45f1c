"""The state of a machine, which its other parts read and change.

`_watched` stands for everything that may observe a mutation, so a mutation that nothing observes
makes one test. It is set before the observer is there and stays set. The engine reads it after
it has published the new node, as it does with waiters (`_waiting.waiters`), so none is missed.

Ticks are replaced, not changed: no code alters the list `_ticks` after it is published. So
a reader that takes it has one consistent moment, and a transition keeps the one before.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING

from machine._enums import NOTHING, OPS, LogLevel
from machine._given import Setting, checked_count, checked_flag, checked_limit
from machine._handlers.lookup import Bindings
from machine._logging.log import Logging, PendingLines
from machine._resolution.automaton import Node, Plan
from machine._schema.schema import Schema

if TYPE_CHECKING:
    from weakref import ref

    from machine._calling.tasks import OwnedTask
    from machine._engine.executor import Executor
    from machine._engine.refusals import Refusals
    from machine._reasons.refused import Refused, Table
    from machine._resolution.mutation import Mutation
    from machine._transition.tracing import TracerHooks
    from machine._transition.transition import Transition
    from machine._waiting.queue_ticks import QueueTicks
    from machine._waiting.state_contexts import StateContexts
    from machine._waiting.waiters import Waiters

HANDLER_TIMEOUT_S = 1.0
NO_BINDINGS = Bindings()
"""Those of every machine to which nothing is bound."""


class DrainToken:
    """The right to drain a machine's queue; free while the slot is filled."""

    __slots__ = ("_idle",)

    _idle: None

    def _is_idle(self) -> bool:
        """Whether no thread drains the queue."""
        return hasattr(self, "_idle")


class Core(Logging, DrainToken):
    """The state of a machine, which all other parts read and change."""

    queue_limit: Setting[int] = Setting(1000, checked_count)
    panic_to_exception: Setting[bool] = Setting(True, checked_flag)
    log_stack_trace: Setting[bool] = Setting(True, checked_flag)

    _queue_limit: int
    _tx_prefix: str = ""
    _err: BaseException | None = None
    _executor: Executor | None = None
    _queue_ticks: QueueTicks | None = None
    _refusals: Refusals | None = None
    _refused_thread: int = 0  # the newest plan that relations refused, and to which thread
    _refused_table: Table
    _refused_plan: Plan | None = None
    _refused_ticks: Sequence[int] = ()
    _denied: dict[str, tuple[Refused, int]] | None = (
        None  # by state: its last refusal, and its tick
    )
    _interrupted: bool = False  # an interrupt left something open (`_engine.recovery`)
    _auto_due: bool = False
    _unfinished: Mutation | None = None
    _first = threading.Lock()  # of all machines; held only to make a part
    _error_listeners: tuple[Callable[..., object], ...] = ()
    _submachine_listeners: tuple[Callable[..., object], ...] = ()  # some of those
    _parents: tuple[ref[Core], ...] = ()  # the machines above, from below
    _tasks: dict[OwnedTask, None] | None = None
    _panic_to_exception: bool
    _log_stack_trace: bool

    def __init__(self, node: Node) -> None:
        """Only what every mutation reads is set on the object, where it is found faster."""
        self._schema: Schema = node.automaton.schema
        self._node: Node = node
        self._index: dict[str, int] = self._schema.index
        self._ticks: list[int] = [0] * len(self._index)
        self._queue: deque[Mutation] = deque()
        self._idle = None
        self._slow: bool = False  # the short way may not be taken at once
        self._watched: bool = False  # a tracer, level, waiter or context was ever there
        self._disposing: bool = False
        self._hooks: TracerHooks | None = None
        self._bindings: Bindings = NO_BINDINGS
        self._waiters: Waiters | None = None
        self._state_contexts: StateContexts | None = None
        self._log_level: LogLevel = NOTHING
        self._pending_lines: PendingLines | tuple[()] = ()
        self._tx: Transition | None = None
        self._tx_number: int = 0
        self._handler: str = ""
        self._handler_limit: float = HANDLER_TIMEOUT_S

    @property
    def handler_timeout(self) -> float | None:
        """Limit of one handler call in seconds; None or 0 for none."""
        return self._handler_limit if self._handler_limit < inf else None

    @handler_timeout.setter
    def handler_timeout(self, limit: float | None) -> None:
        self._handler_limit = checked_limit(limit, "handler_timeout") or inf

    @property
    def tx_prefix(self) -> str:
        """First half of the ids of this machine's transitions; 16 random hex digits."""
        if not self._tx_prefix:
            self._tx_prefix = os.urandom(8).hex()
        return self._tx_prefix

    @property
    def tx_number(self) -> int:
        """The number of the last transition that had one, 0 before the first.

        A transition has a number if the machine has a tracer or the transition has handlers;
        one that nothing observes has none. So this does not count all transitions; `time_sum`
        shows how much changed, observed or not.
        """
        return self._tx_number

    def _set_slow(self) -> None:
        self._watched = self._watched or bool(self._log_level)
        self._slow = bool(self._log_level >= OPS or self._disposing or self._executor)
        if self._interrupted:  # read last: an interrupt in another thread may have set it
            self._slow = True

    def _follow_schema(self) -> None:
        """Finish a change of schema that an interrupt left open."""

    def transition(self) -> Transition | None:
        """The transition that the machine carries out now, if it can be observed."""
        return self._tx
