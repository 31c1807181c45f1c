"""Waiting: the index of everything that waits for one machine.

Who is released when:

- `when_args`: in the final phase, right after the State handlers of the state.
- `when` and `when_not`, then `when_time` and its variants, then `when_query`: after
  `transition_end` of each transition that changed a tick, before the next one starts, in
  the order in which they were made. They see the ticks as they are then.
- `when_queue_ends`: once the right to drain is given back and tracers were told.
- everything: when its context ends, when it is canceled, on disposal, or when nobody is
  left to learn of it (`_wait_handle`).

The index is keyed by state names, one table of subscriptions per state and kind, so a
transition costs what is subscribed to the states it changed and nothing else, and a change
of schema moves nothing. The subscription carries the indexes that its check needs; they
are looked up again when the schema changes.

No wake-up is lost, although the engine takes no lock and looks here only when `pending` is
not empty. Registering does, in this order: (1) put the subscription into its tables and
into `pending`; (2) take the machine's ticks again, and release it if they satisfy it. The
engine does: (3) publish new ticks; (4) read `pending` and the tables. Say the engine
misses the subscription in (4). Then (4) came before the end of (1); so (3), which is before
(4), came before (2), and (2) sees the new ticks. Both may find it; then claiming it decides
(`_wait_handle`). The same holds for the end of a drain: the drainer gives its token back,
then reads `pending`; the registrar subscribes, then looks for the token.

What does take the lock: registering, so that names, indexes and ticks are those of one
schema; changing the schema; ending a handle. Nothing of a user runs under it: lines are
logged and callbacks run after it is released, and all handles released by one event have
ended before the first callback runs.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

from machine._clock import Clock
from machine._enums import LogLevel
from machine._latch import call_all
from machine._state import EXCEPTION, A, Names, names_tuple, unique
from machine._wait_handle import (
    Reason,
    Subscription,
    Table,
    WaitHandle,
    forget,
    mark_all,
    released,
)
from machine._wait_kinds import (
    Active,
    Disposal,
    Inactive,
    Query,
    QueueEnd,
    Reached,
    WithArgs,
)

if TYPE_CHECKING:
    from machine._context import Context
    from machine._schema import Schema

OPS = LogLevel.OPS

Kind = TypeVar("Kind", bound=Subscription)
Tables = dict[str, Table]


class Host(Protocol):
    """What waiting needs of a machine."""

    _schema: Schema
    _ticks: list[int]
    """Replaced by every change, never altered, so taking it gives one moment."""
    _idle: list[None]
    """Holds the token of the drainer while nobody drains."""
    _log_level: LogLevel

    def log_lvl(self, level: LogLevel, msg: str, *args: Any) -> None:
        """Write a line of the log."""

    def _missing(self, names: Sequence[str]) -> NoReturn:
        """Raise the error for names that the schema does not define."""


class Waiters:
    """Everything that waits for one machine. All methods can be called from any thread."""

    __slots__ = (
        "_active",
        "_args",
        "_closed",
        "_disposals",
        "_host",
        "_inactive",
        "_lock",
        "_numbers",
        "_queries",
        "_queue_ends",
        "_reached",
        "args_pending",
        "pending",
    )

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lock = threading.RLock()
        self._closed = False
        self._numbers = itertools.count()
        self._active: Tables = {}
        self._inactive: Tables = {}
        self._reached: Tables = {}
        self._args: Tables = {}
        self._queries: Table = {}
        self._queue_ends: Table = {}
        self._disposals: Table = {}
        self.pending: Table = {}
        """Everything that the machine's work can release; while empty, it need not look."""
        self.args_pending: Table = {}
        """Those of `pending` that wait for arguments."""

    def __len__(self) -> int:
        """How many subscriptions there are."""
        return len(self.pending) + len(self._disposals)

    # -- subscribing

    def when(self, states: Names, ctx: Context | None = None) -> WaitHandle:
        """Released when all these states are active at the same time."""
        return self._when(Active, self._active, states, ctx)

    def when_not(self, states: Names, ctx: Context | None = None) -> WaitHandle:
        """Released when all these states are inactive at the same time."""
        return self._when(Inactive, self._inactive, states, ctx)

    def when_err(self, ctx: Context | None = None) -> WaitHandle:
        """Released when there is an error."""
        return self._when(Active, self._active, EXCEPTION, ctx)

    def when_time(
        self, states: Names, times: Iterable[int], ctx: Context | None = None
    ) -> WaitHandle:
        """Released when the tick of each state has reached its own number.

        The numbers need not be reached at the same time. A state named twice has to reach
        the higher one.
        """
        names, wanted = names_tuple(states), tuple(times)
        if len(names) != len(wanted):
            text = f"whenTime: states and times must have the same length ({' '.join(names)})"
            raise ValueError(text)
        pairs: dict[str, int] = {}
        for name, time in zip(names, wanted, strict=True):
            pairs[name] = max(time, pairs.get(name, time))
        with self._lock:
            handle, subscription = self._new(Reached, tuple(pairs), ctx, self._reached)
            subscription.times = tuple(pairs.values())
            subscription.wanted = tuple(pairs.items())
            self._enter(handle, subscription)
        return self._opened(handle, subscription)

    def when_ticks(self, state: str, ticks: int, ctx: Context | None = None) -> WaitHandle:
        """Released when the tick of the state has grown by this much since now."""
        return self.when_time(state, (self._tick(state) + ticks,), ctx)

    def when_ticks_eq(self, state: str, tick: int, ctx: Context | None = None) -> WaitHandle:
        """Released when the tick of the state has reached this number."""
        return self.when_time(state, (tick,), ctx)

    def when_next_active(self, state: str, ctx: Context | None = None) -> WaitHandle:
        """Released when the state activates the next time, whether it is active now or not."""
        tick = self._tick(state)
        return self.when_time(state, (tick + 2 if tick & 1 else tick + 1,), ctx)

    def when_args(self, state: str, args: A | None, ctx: Context | None = None) -> WaitHandle:
        """Released when the state activates by a mutation with these arguments.

        The mutation may have more; values are compared by `==`. Only activations to come
        count, those of an active multi state among them.
        """
        with self._lock:
            handle, subscription = self._new(WithArgs, (state,), ctx, self._args)
            subscription.tables = (*subscription.tables, self.args_pending)
            subscription.args = dict(args or {})
            self._enter(handle, subscription)
        return self._opened(handle, subscription)

    def when_query(self, fn: Callable[[Clock], object], ctx: Context | None = None) -> WaitHandle:
        """Released when `fn(clock)` is true after a transition that changed a tick.

        It is not asked at the call. It runs in the thread that runs the machine and must be
        quick. If it raises, that is logged and the handle is canceled.
        """
        with self._lock:
            handle, subscription = self._new(Query, (), ctx, table=self._queries)
            subscription.fn = fn
            self._enter(handle, subscription)
        return self._opened(handle, subscription)

    def when_queue_ends(self, ctx: Context | None = None) -> WaitHandle:
        """Released when the drain that is under way ended; at once if there is none."""
        with self._lock:
            handle, subscription = self._new(QueueEnd, (), ctx, table=self._queue_ends)
            if self._host._idle:
                handle._mark("match")
                return handle
            self._enter(handle, subscription)
            if self._host._idle and subscription.claim():
                handle._mark("match")
        return self._opened(handle, subscription)

    def when_disposed(self) -> WaitHandle:
        """Released as the very last thing that a machine does."""
        with self._lock:
            if self._closed:
                return released("match")
            handle, subscription = self._new(Disposal, (), None)
            subscription.home = self._disposals
            self._enter(handle, subscription)
        return handle

    # -- what the engine tells

    def advanced(self, changed: Sequence[int]) -> None:
        """A transition is over; the ticks of these states changed."""
        host = self._host
        ticks, names = host._ticks, host._schema.names
        met: list[Subscription] = []
        for index in changed:
            tables = self._active if ticks[index] & 1 else self._inactive
            table = tables.get(names[index])
            if table:
                met += [found for found in list(table.values()) if found.met(ticks)]
        if len(met) > 1:
            met.sort(key=_number)
        if self._reached:
            met += self._reached_by(changed)
        if self._queries:
            met += self._queries_true()
        if met:
            self._release(met)

    def activated(self, index: int, args: A | None) -> None:
        """The State handlers of this state are through, in a mutation with these arguments."""
        table = self._args.get(self._host._schema.names[index])
        if table:
            given = {} if args is None else args
            matching = [
                found
                for found in list(table.values())
                if isinstance(found, WithArgs) and found.matches(given)
            ]
            self._release(matching)

    def queue_ended(self) -> None:
        """A drain is over and its token given back."""
        if self._queue_ends:
            self._release(list(self._queue_ends.values()))

    def change_schema(self, publish: Callable[[], None]) -> None:
        """Let `publish` replace the machine's schema and ticks; nothing registers meanwhile.

        Waiters go on by name. What a waiter for times had reached stays reached. A state
        that the new schema lacks is inactive and cannot activate. `publish` must do
        nothing but assign.
        """
        with self._lock:
            before = self._host._ticks
            publish()
            index, ticks = self._host._schema.index, self._host._ticks
            waiting = list(self.pending.values())
            for subscription in waiting:
                subscription.reindex(index, before)
            met = [subscription for subscription in waiting if subscription.met(ticks)]
        self._release(met)

    def dispose(self) -> None:
        """The machine is gone: release all, then those who wait for just that.

        What is asked for afterwards comes back released.
        """
        with self._lock:
            self._closed = True
        for table, reason in self._last_reasons():
            marked = mark_all(list(table.values()), reason)
            call_all([(fn, handle) for _, handle, calls in marked for fn in calls])

    def _last_reasons(self) -> Iterable[tuple[Table, Reason]]:
        return (self.pending, "disposed"), (self._disposals, "match")

    # -- inside

    def _when(
        self, kind: type[Subscription], tables: Tables, states: Names, ctx: Context | None
    ) -> WaitHandle:
        names = (states,) if isinstance(states, str) else unique(states)
        with self._lock:
            handle, subscription = self._new(kind, names, ctx, tables)
            self._enter(handle, subscription)
        return self._opened(handle, subscription)

    def _new(
        self,
        kind: type[Kind],
        names: tuple[str, ...],
        ctx: Context | None,
        tables: Tables | None = None,
        table: Table | None = None,
    ) -> tuple[WaitHandle, Kind]:
        """A handle and its subscription, in no table yet; with the lock."""
        handle = WaitHandle(self._lock)
        subscription = kind(handle, forget)
        handle._subscription = subscription
        subscription.names = names
        subscription.indexes = () if self._closed else self._indexes(names)
        subscription.ctx = ctx
        subscription.keep = None
        subscription.number = next(self._numbers)
        subscription.home = self.pending
        if tables is not None:
            subscription.tables = [tables.setdefault(name, {}) for name in names]
        else:
            subscription.tables = () if table is None else (table,)
        return handle, subscription

    def _indexes(self, names: Sequence[str]) -> Sequence[int]:
        index = self._host._schema.index
        try:
            return [index[name] for name in names]
        except KeyError:
            self._host._missing([name for name in names if name not in index])

    def _enter(self, handle: WaitHandle, subscription: Subscription) -> None:
        """Put a subscription into the index unless it is over already; with the lock."""
        ticks, ctx = self._host._ticks, subscription.ctx
        if self._closed:
            handle._mark("disposed")
        elif subscription.met(ticks):
            handle._mark("match")
        elif ctx is not None and ctx._done:
            handle._mark("ctx")
        else:
            number = subscription.number
            for table in subscription.tables:
                table[number] = subscription
            subscription.home[number] = subscription
            now = self._host._ticks
            if now is not ticks and subscription.met(now) and subscription.claim():
                handle._mark("match")

    def _opened(self, handle: WaitHandle, subscription: Subscription) -> WaitHandle:
        """What follows on registering once the lock is released."""
        if not handle._done:
            if self._host._log_level >= OPS:
                text = f"[{subscription.label}:new] {subscription.new_text()}".rstrip()
                self._host.log_lvl(OPS, text)
            ctx = subscription.ctx
            if ctx is not None:
                if not ctx._watch(subscription, subscription.ctx_ended):
                    subscription.ctx_ended(ctx)
                if handle._done:
                    ctx._unwatch(subscription)
        return handle

    def _tick(self, state: str) -> int:
        with self._lock:
            if self._closed:
                return 0
            return self._host._ticks[self._indexes((state,))[0]]

    def _reached_by(self, changed: Sequence[int]) -> list[Subscription]:
        ticks, names = self._host._ticks, self._host._schema.names
        met: list[Subscription] = []
        for index in changed:
            table = self._reached.get(names[index])
            if table:
                met += [found for found in list(table.values()) if found.met(ticks)]
        met.sort(key=_number)
        return met

    def _queries_true(self) -> list[Subscription]:
        clock = dict(zip(self._host._schema.names, self._host._ticks, strict=True))
        met: list[Subscription] = []
        for query in list(self._queries.values()):
            assert isinstance(query, Query)
            answer = query.asks(clock)
            handle = query()
            if answer is None and handle is not None:
                handle.cancel()
            elif answer:
                met.append(query)
        return met

    def _release(self, met: list[Subscription]) -> None:
        """End these for a match, each once; then log, then run their callbacks."""
        marked = mark_all(met, "match")
        try:
            if self._host._log_level >= OPS:
                for subscription, _, _ in marked:
                    text = f"[{subscription.label}:match] {subscription.match_text()}".rstrip()
                    self._host.log_lvl(OPS, text)
        finally:
            call_all([(fn, handle) for _, handle, calls in marked for fn in calls])


def _number(subscription: Subscription) -> int:
    return subscription.number
