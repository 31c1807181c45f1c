"""The index of everything that waits for one machine.

When each kind of waiter is released:

- `when_args`: in the final phase, right after the State handlers of the state.
- `when`, `when_any` and `when_not`, then `when_time` and its variants, then `when_query`: after
  `transition_end` of each transition that changed a tick, before the next one starts, in
  the order in which they were made. They see the states as they are then.
- `when_queue_ends`: once the right to drain is given back and tracers were called.
- all of them: when the context ends, on `cancel`, on disposal, or when nothing holds the
  handle any more (`_waiting.handle`).

The index is keyed by state names, one table of subscriptions per state and kind, so a
change of schema moves nothing. A transition costs what is subscribed to the states it
changed and nothing else: a plan lists the names of the states that it activates and
changes, and while none of these is awaited (`awaits_args`, `awaits_change`) the engine goes
on as if there were no waiters. Only a query is called after every change.

No wake-up is lost, although no lock is taken and the engine looks here only when
`pending` is not empty. Registering does, in this order: (1) put the subscription into its
tables and then into `pending`; (2) look at the machine's node and ticks again, and release
it if they satisfy it. The engine does: (3) publish new ticks, then the new node; (4) read
`pending` and the tables. Suppose the engine misses the subscription in (4), or cannot claim it
yet. Then (4) came before the end of (1); so (3), which is before (4), came before (2), and
(2) sees the new node. Both may find it; then claiming it decides. In the same way a
registrar and the end of a drain meet (the drainer gives its token back, then reads
`pending`; the registrar subscribes, then looks for the token), and a registrar and the
disposal (which takes the ticks away, sets `_closed`, then releases all).

A change of schema publishes node, ticks and schema in this order and then calls
`schema_changed`. If a thread reads schema, ticks and node in the opposite order, and the
node is of that schema, the ticks are of that schema too. If not, a change is under way, and
its `schema_changed` looks at the subscription, which is in the index by then.

No user code runs in between: all handles released by one event have ended before a
line is logged or a callback runs.

Interrupts (`_engine.recovery`): handles that have ended but whose callbacks are still to be run are
kept in `_ending`; `recover` runs those, after it has looked at every subscription again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeVar

from machine._enums import LogLevel
from machine._given import (
    Names,
    check_callable,
    checked_args,
    checked_count,
    checked_name,
    checked_names,
    in_order,
    names_tuple,
)
from machine._logging.log import Logged
from machine._waiting.context import Context, check_ctx
from machine._waiting.handle import (
    Handle,
    Pending,
    ReleaseReason,
    Subscription,
    Table,
    WaitHandle,
    forget,
    mark_all,
    released,
)
from machine._waiting.kinds import (
    Active,
    AnyActive,
    Disposal,
    Inactive,
    Query,
    QueueEnd,
    Reached,
    WithArgs,
)
from machine._waiting.latch import Latch, call_each
from machine._waiting.select import every

if TYPE_CHECKING:
    from machine._clock import Clock
    from machine._given import A
    from machine._resolution.automaton import Node, Plan
    from machine._schema.schema import Schema

OPS = LogLevel.OPS

IGNORED_MAX = 1024
"""Plans that are known to activate no state for which arguments are awaited."""

new_handle: Callable[[type[WaitHandle]], WaitHandle] = object.__new__
"""Makes a handle without calling its `__init__`."""

Kind = TypeVar("Kind", bound=Subscription)
Entered = TypeVar("Entered", bound=Handle)
Tables = dict[str, Table]


class Awaited(Logged, Protocol):
    """What waiting needs of a machine. Node and ticks are replaced, never altered."""

    _schema: Schema
    _node: Node
    _ticks: list[int]
    _disposed: bool

    def _is_idle(self) -> bool: ...
    def _missing(self, names: Sequence[str]) -> NoReturn: ...


class Waiters:
    """Everything that waits for one machine. All methods can be called from any thread."""

    __slots__ = (
        "_active",
        "_args",
        "_closed",
        "_disposal_ended",
        "_disposals",
        "_ending",
        "_inactive",
        "_mach",
        "_numbers",
        "_queries",
        "_queue_ends",
        "_reached",
        "args_ignored",
        "args_pending",
        "pending",
        "states",
        "with_args",
    )

    def __init__(self, mach: Awaited) -> None:
        self._mach = mach
        self._closed = mach._disposed
        self._disposal_ended = False
        self._numbers = itertools.count()
        self._active: Tables = {}
        self._inactive: Tables = {}
        self._reached: Tables = {}
        self._args: Tables = {}
        self.states: set[str] = set()
        """Names of the states for which a waiter was made, other than for arguments."""
        self.with_args: set[str] = set()
        """Names of the states for which arguments were awaited."""
        self.args_ignored: set[Plan] = set()
        """Plans that activate none of these; replaced when there are more names."""
        self._queries: Table = {}
        self._queue_ends: Table = {}
        """Those of `pending` that the end of a drain releases."""
        self._disposals: Table = {}
        self._ending: dict[int, Handle] = {}
        self.pending = Pending()
        self.pending.mach = mach
        """What mutations can release; the machine skips it while it is empty."""
        self.args_pending = Pending()
        self.args_pending.mach = mach
        """What waits for arguments; it is not in `pending`."""

    def __len__(self) -> int:
        """How many subscriptions there are."""
        return len(self.pending) + len(self.args_pending) + len(self._disposals)

    # -- subscribing

    def when(self, states: Names, ctx: Context | None = None) -> WaitHandle:
        """Released when all these states are active at the same time."""
        return self._when(Active, self._active, states, ctx)

    def when1(self, state: str) -> WaitHandle:
        """`when` for one state, which is what most programs wait for.

        It does what `_new` and `_enter` do, in the same order, and leaves all special cases to
        them; calling functions takes longer here than their work.
        """
        mach = self._mach
        schema, ticks, node = mach._schema, mach._ticks, mach._node
        index = schema.index.get(state) if type(state) is str else None
        if index is None or self._closed or node.automaton.schema is not schema or mach._log_level:
            return self.when((state,))
        handle = new_handle(WaitHandle)
        handle._callbacks = {}
        if node.mask >> index & 1 and ticks:
            handle._mark("match")
            return handle
        number = next(self._numbers)
        self.states.add(state)
        table = self._active.setdefault(state, {})
        handle._done, handle._reason = False, None
        handle._subscription = subscription = Active(handle, forget)
        subscription.names, subscription.number = (state,), number
        subscription.ctx = subscription.keep = None
        subscription.home, subscription.tables = self.pending, (table,)
        table[number] = subscription
        self.pending[number] = subscription
        if mach._ticks is not ticks:
            self._recheck(handle, subscription)
        return handle

    def when_any(self, states: Names, ctx: Context | None = None) -> WaitHandle:
        """Released when at least one of these states is active."""
        names = names_tuple(states)
        if not names:
            raise ValueError("when_any waits for at least one state, none is given")
        return self._when(AnyActive, self._active, names, ctx)

    def when_not(self, states: Names, ctx: Context | None = None) -> WaitHandle:
        """Released when all these states are inactive at the same time."""
        return self._when(Inactive, self._inactive, states, ctx)

    def when_time(
        self, states: Names, times: Iterable[int], ctx: Context | None = None
    ) -> WaitHandle:
        """Released when the tick of each state has reached its own number.

        The numbers need not be reached at the same time. A state named twice has to reach
        the higher one.
        """
        names, numbers = names_tuple(states), tuple(in_order(times, "times"))
        if len(names) != len(numbers):
            named = " ".join(map(str, names))
            raise ValueError(f"states and times must have the same length in when_time ({named})")
        wanted: dict[str, int] = {}
        for name, number in zip(checked_names(names), numbers, strict=True):
            checked_count(number, "a tick to wait for")
            wanted[name] = max(number, wanted.get(name, number))
        handle, subscription = self._new(Reached, tuple(wanted), ctx, self._reached)
        subscription.wanted = subscription.left = tuple(wanted.items())
        return self._enter(handle, subscription)

    def when_ticks(self, state: str, ticks: int, ctx: Context | None = None) -> WaitHandle:
        """Released when the tick of the state has grown by this much since now."""
        ticks = checked_count(ticks, "the number of ticks")
        return self.when_time(state, (self._tick(state) + ticks,), ctx)

    def when_next_active(self, state: str, ctx: Context | None = None) -> WaitHandle:
        """Released when the state activates the next time, whether it is active now or not."""
        tick = self._tick(state)
        return self.when_time(state, (tick + 2 if tick & 1 else tick + 1,), ctx)

    def when_args(self, state: str, args: A | None, ctx: Context | None = None) -> WaitHandle:
        """Released when the state activates by a mutation with these arguments.

        The mutation may have more; values are compared by `==`. Only activations to come
        count, those of an active multi state among them.
        """
        handle, subscription = self._new(WithArgs, (state,), ctx, self._args)
        subscription.home = self.args_pending
        subscription.args = dict(checked_args(args) or {})
        return self._enter(handle, subscription)

    def when_query(self, fn: Callable[[Clock], object], ctx: Context | None = None) -> WaitHandle:
        """Released when `fn(clock)` is true: at once, or after a transition that changed a tick.

        It is called right away in this thread, later in the thread that runs the machine, and must
        be quick. If it raises, that is logged and the handle is canceled.
        """
        check_callable(fn, "the query of when_query")
        handle, subscription = self._new(Query, (), ctx)
        subscription.tables = (self._queries,)
        subscription.fn, subscription.failed = fn, False
        self._enter(handle, subscription)
        if subscription.failed:
            handle.cancel()
        return handle

    def when_queue_ends(self, ctx: Context | None = None) -> WaitHandle:
        """Released when the drain that is under way ended; at once if there is none."""
        if self._mach._is_idle() and not self._closed:
            return released("match")
        handle, subscription = self._new(QueueEnd, (), ctx)
        subscription.tables = (self._queue_ends,)
        self._enter(handle, subscription)
        if self._mach._is_idle():
            handle.release("match")
        return handle

    def when_disposed(self) -> WaitHandle:
        """Released as the very last thing that a machine does."""
        handle, subscription = self._new(Disposal, (), None)
        subscription.home = self._disposals
        subscription.home[subscription.number] = subscription
        if self._disposal_ended:
            handle.release("match")
        return handle

    # -- what the engine calls

    def awaits_args(self, plan: Plan) -> bool:
        """Whether a state activates for which arguments are awaited."""
        ignored = self.args_ignored  # taken before the names are read, as they may grow
        if plan in ignored:
            return False
        entered = plan.entered
        if entered is None:
            entered = plan.name_states()[0]
        if not entered.isdisjoint(self.with_args):
            awaited = [self._args[name] for name in entered if name in self._args]
            return any(awaited)
        if plan.is_remembered:
            if len(ignored) >= IGNORED_MAX:
                ignored.clear()
            ignored.add(plan)
        return False

    def awaits_change(self, plan: Plan) -> bool:
        """Whether a state changes that a waiter may wait for."""
        if not self.pending:
            return False
        moved = plan.moved
        if moved is None:
            moved = plan.name_states()[1]
        return bool(self._queries) or not moved.isdisjoint(self.states)

    def ticks_changed(self, changed: Iterable[int]) -> None:
        """Release the waiters of these states, whose ticks a transition changed."""
        mach = self._mach
        node, ticks, names = mach._node, mach._ticks, mach._schema.names
        if not ticks:  # disposed meanwhile
            return
        met: list[Subscription] = []
        for index in changed:
            tables = self._active if ticks[index] & 1 else self._inactive
            table = tables.get(names[index])
            if table:
                held = list(table.values())
                met += [one for one in held if len(one.names) == 1 or one.met(node, ticks)]
        if len(met) > 1:
            met.sort(key=_number)
        if self._reached:
            met += self._reached_by([names[index] for index in changed])
        if self._queries:
            met += self._queries_true()
        if met:
            self._release(met)

    def activated(self, index: int, args: A | None) -> None:
        """Release the waiters for arguments of this state, after its State handlers."""
        table = self._args.get(self._mach._schema.names[index])
        if table:
            waiting = [found for found in list(table.values()) if isinstance(found, WithArgs)]
            self._release([found for found in waiting if found.matches(args or {})])

    def queue_ended(self) -> None:
        """Release the waiters for the end of the drain, after it gave back the token."""
        if self._queue_ends:
            self._release(list(self._queue_ends.values()))

    def schema_changed(self) -> None:
        """Release the waiters that another schema, or another order, satisfies.

        Waiters go on by name. A removed state is inactive and cannot activate; the
        ticks that it had reached for a waiter stay reached.
        """
        self._release(self._all_met())

    def recover(self) -> None:
        """After an interrupt, release all that is due, and run the callbacks of what has ended."""
        if self._mach._ticks:
            self._release(self._all_met())
        self._call_back()

    def dispose(self) -> None:
        """Release all waiters except those for the disposal, since the machine is disposed.

        Its ticks must be gone before. Handles made afterwards are released from the start.
        """
        self._closed = True
        waiting = {**self.pending, **self.args_pending}
        self._end_all(dict(sorted(waiting.items())), "disposed")

    def end_disposal(self) -> None:
        """Release the waiters for the end of the disposal."""
        self._disposal_ended = True
        self._end_all(self._disposals, "match")

    def end_disposal_after(self, tasks: Iterable[Latch], seconds: float) -> None:
        """The same once these tasks have ended, or after this time."""
        try:
            every(*tasks, timeout=seconds)
        finally:
            self.end_disposal()

    # -- inside

    def _when(
        self, kind: type[Subscription], tables: Tables, states: Names, ctx: Context | None
    ) -> WaitHandle:
        handle, subscription = self._new(
            kind, states if type(states) is tuple else names_tuple(states), ctx, tables
        )
        return self._enter(handle, subscription)

    def _new(
        self,
        kind: type[Kind],
        names: tuple[str, ...],
        ctx: Context | None,
        tables: Tables | None = None,
    ) -> tuple[WaitHandle, Kind]:
        """A handle and its subscription, in no table yet."""
        index = self._mach._schema.index
        try:
            for name in names:
                if name not in index and not self._closed:
                    self._mach._missing([name for name in names if name not in index])
        except TypeError:
            checked_names(names)
            raise
        if ctx is not None:
            check_ctx(ctx)
        number = next(self._numbers)
        found: Sequence[Table] = ()
        if tables is not None:
            if tables is not self._args:
                self.states.update(names)
            elif not self.with_args.issuperset(names):
                self.with_args.update(names)
                self.args_ignored = set()
            found = [tables.setdefault(name, {}) for name in names]
        handle = WaitHandle()
        subscription = kind(handle, forget)  # no call comes until it is whole
        handle._subscription = subscription
        subscription.names = names
        subscription.ctx = ctx
        subscription.keep = None
        subscription.number = number
        subscription.home = self.pending
        subscription.tables = found
        return handle, subscription

    def _enter(self, handle: Entered, subscription: Subscription) -> Entered:
        """Put a subscription into the index unless it is over already."""
        mach, ctx = self._mach, subscription.ctx
        schema, ticks, node = mach._schema, mach._ticks, mach._node
        if self._closed:
            handle._mark("disposed")
        elif ticks and node.automaton.schema is schema and subscription.met(node, ticks):
            handle._mark("match")
        elif ctx is not None and ctx._done:
            handle._mark("ctx")
        else:
            number = subscription.number
            for table in subscription.tables:
                table[number] = subscription
            subscription.home[number] = subscription
            if mach._ticks is not ticks:
                self._recheck(handle, subscription)
            if mach._log_level >= OPS or ctx is not None:
                self._log_and_limit(handle, subscription)
        return handle

    def _recheck(self, handle: Handle, subscription: Subscription) -> None:
        """The ticks were replaced while it was put into the index."""
        mach = self._mach
        schema, ticks, node = mach._schema, mach._ticks, mach._node
        if self._closed:
            handle.release("disposed")
        elif ticks and node.automaton.schema is schema and subscription.met(node, ticks):
            handle.release("match")

    def _log_and_limit(self, handle: Handle, subscription: Subscription) -> None:
        """Log a new subscription and watch its context, unless it was released meanwhile."""
        if handle._done:
            return
        text = f"[{subscription.label}:new] {subscription.new_text()}".rstrip()
        self._mach.log_lvl(OPS, text)
        if subscription.ctx is not None:
            subscription.limit(subscription.ctx, handle)

    def _tick(self, state: str) -> int:
        """The tick of a state; 0 on a disposed machine, or while its schema is changed."""
        mach = self._mach
        schema, ticks, node = mach._schema, mach._ticks, mach._node
        if checked_name(state) not in schema.index and not self._closed:
            mach._missing((state,))
        same = node.automaton.schema is schema and ticks
        return ticks[schema.index[state]] if same else 0

    def _reached_by(self, names: Iterable[str]) -> list[Subscription]:
        node, ticks = self._mach._node, self._mach._ticks
        met: list[Subscription] = []
        for name in names:
            table = self._reached.get(name)
            if table:
                met += [found for found in list(table.values()) if found.met(node, ticks)]
        met.sort(key=_number)
        return met

    def _queries_true(self) -> list[Subscription]:
        clock = dict(zip(self._mach._schema.names, self._mach._ticks, strict=True))
        met: list[Subscription] = []
        for query in list(self._queries.values()):
            assert isinstance(query, Query)
            answer = query.answer(clock)
            handle = query()
            if answer is None and handle is not None:
                handle.release("canceled")
            elif answer:
                met.append(query)
        return met

    def _all_met(self) -> list[Subscription]:
        node, ticks = self._mach._node, self._mach._ticks
        return [found for found in list(self.pending.values()) if found.met(node, ticks)]

    def _release(self, met: Iterable[Subscription]) -> None:
        """End these for a match, each once; then log, then run their callbacks."""
        marked = mark_all(met, "match", self._ending)
        try:
            if self._mach._log_level >= OPS:
                for subscription in marked:
                    text = f"[{subscription.label}:match] {subscription.match_text()}".rstrip()
                    self._mach.log_lvl(OPS, text)
        finally:
            if self._ending:
                self._call_back()

    def _end_all(self, table: Table, reason: ReleaseReason) -> None:
        mark_all(list(table.values()), reason, self._ending)
        self._call_back()

    def _call_back(self) -> None:
        """Run the callbacks of handles that have ended; those that an interrupt prevents stay."""
        ending = self._ending
        if not ending:
            return
        try:
            for number in list(ending):
                handle = ending.get(number)
                if handle is not None:
                    call_each(handle._callbacks, handle)
                    ending.pop(number, None)
        except BaseException:
            self._call_back()
            raise


def _number(subscription: Subscription) -> int:
    return subscription.number
