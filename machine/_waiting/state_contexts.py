"""State contexts: work that is wanted only while a state is active.

Each activation of a state has one context, made for the first caller and shared by all. It
ends when the state deactivates: after `transition_end`, after the waiters of that transition,
so in the `End` handler it is still live. Activating a multi state again does not end it. A
context that is requested while the state is inactive has ended already.

A context can be requested in any thread while the machine runs in another. As with waiters
(`_waiting.waiters`), it is put into the table first and the ticks are looked at again, and the
engine publishes ticks first and looks into the table then; so one of them ends it. A
context leaves the table once it has ended, so one whose end was interrupted is ended again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, NoReturn, Protocol

from machine._enums import LogLevel
from machine._logging.log import Logged
from machine._waiting.context import Context

if TYPE_CHECKING:
    from machine._resolution.automaton import Plan
    from machine._schema.schema import Schema
    from machine._waiting.timers import Timer

OPS = LogLevel.OPS


class CtxValue(NamedTuple):
    """What a state context carries: which activation of which machine it stands for."""

    id: str
    state: str
    tick: int


class ContextOwner(Logged, Protocol):
    """What state contexts need of a machine."""

    _schema: Schema
    _ticks: list[int]

    @property
    def ctx(self) -> Context: ...
    def _missing(self, names: Sequence[str]) -> NoReturn: ...


class RunningDeadline(Protocol):
    """The deadline of a state, as open work shows it (`_waiting.state_deadlines`)."""

    timer: Timer

    @property
    def state(self) -> str: ...
    @property
    def target(self) -> str: ...


class StateContexts:
    """The state contexts of one machine. All methods can be called from any thread."""

    __slots__ = ("_live", "_lock", "_mach")

    def __init__(self, mach: ContextOwner) -> None:
        self._mach = mach
        self._lock = threading.RLock()
        self._live: dict[str, Context] = {}

    def __len__(self) -> int:
        """How many are live."""
        return len(self._live)

    def new(self, state: str) -> Context:
        """The context of this activation of the state; one that ended if it is inactive."""
        mach = self._mach
        with self._lock:
            tick = self._tick(state)
            known = self._live.get(state)
            if known is not None and not known.done and tick & 1:
                return known
            value = CtxValue(mach.id, state, tick)
            made = mach.ctx.child(value) if tick & 1 else Context(value)
            if tick & 1 and not made.done:
                self._live[state] = made
        if not tick & 1:
            made.cancel()
        elif not made.done:
            mach.log_lvl(OPS, f"[ctx:new] {state}")
            self._recheck(state, tick, made)
        return made

    def owns(self, ctx: object) -> bool:
        """Whether this is a live context of a state."""
        return any(live is ctx for live in list(self._live.values()))

    def deadlines(self) -> Iterator[RunningDeadline]:
        """The deadlines of states; none unless the schema has time limits."""
        return iter(())

    def ends_by(self, plan: Plan) -> bool:
        """Whether a state with a live context changes."""
        live = self._live
        return bool(live) and not (plan.moved or plan.name_states()[1]).isdisjoint(live)

    def ticks_changed(self, changed: Iterable[int]) -> None:
        """End the contexts of those changed states that are inactive now."""
        if not self._live:
            return
        names, ticks = self._mach._schema.names, self._mach._ticks
        for index in changed:
            ctx = self._live.get(names[index])
            if ctx is not None and not ticks[index] & 1:
                self._end(names[index], ctx)

    def schema_changed(self) -> None:
        """End the contexts of states that the new schema does not have."""
        index = self._mach._schema.index
        for state, ctx in self._live.copy().items():
            if state not in index:
                self._end(state, ctx)

    def dispose(self) -> None:
        """End all of them, without a line in the log."""
        for state, ctx in self._live.copy().items():
            ctx.cancel()
            self._forget(state, ctx)

    def _tick(self, state: str) -> int:
        mach = self._mach
        try:
            index = mach._schema.index[state]
        except KeyError:
            mach._missing((state,))
        ticks = mach._ticks
        return ticks[index] if ticks else 0

    def _recheck(self, state: str, tick: int, ctx: Context) -> None:
        """End a new context if its activation ended before it was in the table."""
        now = self._tick(state)
        schema = self._mach._schema
        again = now & 1 and schema.states[schema.index[state]].multi
        if now != tick and not again:
            self._end(state, ctx)

    def _end(self, state: str, ctx: Context) -> None:
        if not ctx.done:
            self._mach.log_lvl(OPS, f"[ctx:match] {state}")
        ctx.cancel()
        self._forget(state, ctx)

    def _forget(self, state: str, ctx: Context) -> None:
        with self._lock:
            if self._live.get(state) is ctx:
                del self._live[state]
