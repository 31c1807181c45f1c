"""Mutating a machine: the methods that put a mutation into its queue.

All of them may be made from any thread and from handlers, return a `Result` and never
wait for a drain that is under way elsewhere. An unknown state raises before anything is
queued, and so do arguments that are no dictionary with text for keys. Arguments are passed
on as they are; log lines show what the machine's mapper selects of them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

from machine._asking.asking import Asking, Mutate, source_of
from machine._calling.frames import release_frames
from machine._calling.guard import Guard
from machine._calling.traces import message_of, origin_of, trace_of
from machine._enums import LogLevel, MutationType, Result
from machine._given import (
    A,
    Names,
    check_callable,
    checked_args,
    checked_flag,
    checked_name,
    checked_names,
    names_tuple,
)
from machine._machine.breakpoints import Breakpoints
from machine._machine.reading import Reading
from machine._reasons.reason import ReasonKind
from machine._resolution.mutation import Mutation, MutSource
from machine._schema.schema import Call
from machine._schema.state import EXCEPTION
from machine._transition.event import Event
from machine.errors import StateMissingError

if TYPE_CHECKING:
    from machine._transition.owner import Machine

OnError = TypeVar("OnError", bound="Callable[[Machine, BaseException], object]")

ADD, REMOVE, SET = MutationType.ADD, MutationType.REMOVE, MutationType.SET


class Mutating(Reading):
    """The writing half of a machine's calls."""

    _breakpoints: Breakpoints | None = None
    _last_toggle: Mutation | None = None

    def add1(self, state: str, args: A | None = None) -> Result:
        """Activate a state, keep the others."""
        try:
            call = self._schema.added.get(state) or self._call(ADD, (state,))
        except TypeError:
            checked_name(state)
            raise
        if args is not None:
            checked_args(args)
        return self._mutate(call, args, None)

    def add(self, states: Names, args: A | None = None) -> Result:
        """Activate these states, keep the others."""
        if args is not None:
            checked_args(args)
        return self._mutate(self._call(ADD, states), args, None)

    def remove1(self, state: str, args: A | None = None) -> Result:
        """Deactivate a state, keep the others."""
        try:
            call = self._schema.removed.get(state) or self._call(REMOVE, (state,))
        except TypeError:
            checked_name(state)
            raise
        if args is not None:
            checked_args(args)
        return self._mutate(call, args, None)

    def remove(self, states: Names, args: A | None = None) -> Result:
        """Deactivate these states, keep the others."""
        if args is not None:
            checked_args(args)
        return self._mutate(self._call(REMOVE, states), args, None)

    def set(self, states: Names, args: A | None = None) -> Result:
        """Make exactly these states active, with those they imply."""
        if args is not None:
            checked_args(args)
        return self._mutate(self._call(SET, states), args, None)

    def toggle1(self, state: str, args: A | None = None) -> Result:
        """Deactivate a state if it is active, else activate it; decided at the call."""
        try:
            self._idle  # noqa: B018 - `_is_idle`, without a call
        except AttributeError:
            return self._toggle((checked_name(state),), args, None)
        if self._slow:
            return self._toggle((checked_name(state),), args, None)
        return self.remove1(state, args) if self.is1(state) else self.add1(state, args)

    def toggle(self, states: Names, args: A | None = None) -> Result:
        """Deactivate these states if all are active, else activate them; decided at the call."""
        return self._toggle(states, args, None)

    def _toggle(
        self,
        states: Names,
        args: A | None,
        source: MutSource | None,
        mutate: Mutate | None = None,
    ) -> Result:
        """Toggle states; toggle them back if the last mutation that waits toggled the same.

        `mutate` makes the mutation, in place of `_mutate`.
        """
        if args is not None:
            checked_args(args)
        names = names_tuple(states)
        kind, opposite = (REMOVE, ADD) if self.is_(names) else (ADD, REMOVE)
        last = self._last_queued()
        if last is not None and last is self._last_toggle:
            same = self._call(kind, names)
            if last.call.type is same.type and last.call.mask == same.mask:
                kind = opposite
        call = self._call(kind, names)
        result = (mutate or self._mutate)(call, args, source)
        queued = self._last_queued() if result is Result.QUEUED else None
        if queued is not last and queued is not None and queued.call is call:
            self._last_toggle = queued
        return result

    def _last_queued(self) -> Mutation | None:
        try:
            return self._queue[-1]
        except IndexError:
            return None

    def _call(self, kind: MutationType, states: Names) -> Call:
        given = type(states)  # the fastest test
        names = tuple(states) if given is list or given is tuple else names_tuple(states)
        schema = self._schema
        try:
            return schema.calls[kind].get(names) or schema.call(kind, names)
        except (KeyError, TypeError):
            checked_names(names)
            if self._disposing:  # the mutation will be canceled
                return schema.call(kind, ())
            raise StateMissingError(schema.unknown(names), self.id, schema.names) from None

    def _enqueue(self, call: Call, args: A | None, source: MutSource | None) -> Result:
        self._check_breakpoints(call)
        return super()._enqueue(call, args, source)

    def _check_breakpoints(self, call: Call) -> None:
        if self._breakpoints is not None:
            self._breakpoints.check(self, call, with_stack=self.log_stack_trace)

    @property
    def ask(self) -> Asking:
        """The same calls with an `Outcome` in place of a result, which can be waited for."""
        return Asking(self)  # type: ignore[arg-type]  # it is whole

    # -- with a source

    def ev_add1(self, event: Event, state: str, args: A | None = None) -> Result:
        """`add1` with an event's transition as its source."""
        return self.ev_add(event, (checked_name(state),), args)

    def ev_add(self, event: Event, states: Names, args: A | None = None) -> Result:
        """`add` with an event's transition as its source."""
        return self._mutate(self._call(ADD, states), checked_args(args), source_of(event))

    def ev_remove1(self, event: Event, state: str, args: A | None = None) -> Result:
        """`remove1` with an event's transition as its source."""
        return self.ev_remove(event, (checked_name(state),), args)

    def ev_remove(self, event: Event, states: Names, args: A | None = None) -> Result:
        """`remove` with an event's transition as its source."""
        return self._mutate(self._call(REMOVE, states), checked_args(args), source_of(event))

    def ev_toggle1(self, event: Event, state: str, args: A | None = None) -> Result:
        """`toggle1` with an event's transition as its source."""
        return self._toggle((checked_name(state),), args, source_of(event))

    def ev_toggle(self, event: Event, states: Names, args: A | None = None) -> Result:
        """`toggle` with an event's transition as its source."""
        return self._toggle(states, args, source_of(event))

    # -- errors

    def add_err(self, err: BaseException | None, args: A | None = None) -> Result:
        """Store an error and add the `Exception` state; None does nothing, CANCELED."""
        return self._add_err(EXCEPTION, err, args, None)

    def add_err_state(self, state: str, err: BaseException | None, args: A | None = None) -> Result:
        """Store an error and add an error state along with `Exception`."""
        return self._add_err(state, err, args, None)

    def ev_add_err(self, event: Event, err: BaseException | None, args: A | None = None) -> Result:
        """`add_err` with an event's transition as its source."""
        return self._add_err(EXCEPTION, err, args, source_of(event))

    def ev_add_err_state(
        self, event: Event, state: str, err: BaseException | None, args: A | None = None
    ) -> Result:
        """`add_err_state` with an event's transition as its source."""
        return self._add_err(state, err, args, source_of(event))

    def _add_err(
        self,
        state: str,
        err: BaseException | None,
        args: A | None,
        source: MutSource | None,
        mutate: Mutate | None = None,
    ) -> Result:
        """Store an error, then add its state; `mutate` does that in place of `_mutate`."""
        if err is None:
            return self._cancel(ReasonKind.ERROR)
        if not isinstance(err, BaseException):
            raise TypeError(f"an error is an exception, not {err!r:.60}")
        if self._disposing:
            self._log_late_error(err)
            return self._cancel(ReasonKind.DISPOSED)
        call = self._call(ADD, (checked_name(state), EXCEPTION))
        if self._log_if_nested(err):
            return self._cancel(ReasonKind.ERROR, "an error handler reported it")
        return (mutate or self._mutate)(call, self._err_args(err, checked_args(args)), source)

    def _err_args(self, err: BaseException, args: A | None) -> A:
        """Store an error and return the arguments of its mutation; releases its frames."""
        given: A = {**(args or {}), "err": err}
        self._store_err(err)
        if self._log_level and self.log_stack_trace:
            self.log_lvl(LogLevel.CHANGES, f"[raised] {message_of(err)}{origin_of(err)}")
        if self.log_stack_trace:
            given["err.trace"] = trace_of(err)
        release_frames(err)
        return given

    def _error_again(self) -> Mutation | None:
        """The last error as a mutation that adds it once more; without a queue tick."""
        err = self._err
        if err is None or self._disposing or self._log_if_nested(err):
            return None
        call = self._call(ADD, (EXCEPTION,))
        mutation = Mutation(call, self._err_args(err, None))
        mutation.context = copy_context()
        return mutation

    def _log_if_nested(self, err: BaseException) -> bool:
        """If a handler or listener reports an error while it handles another, log it; True then.

        A report by any other handler counts as a failure of its state.
        """
        from machine._calling.held_back import hold_back
        from machine._calling.nested_errors import report_nested
        from machine._engine import callers  # errors are rare

        if callers.is_in_error_listener(self):
            report_nested(self, "a listener", err)
            return True
        inside = callers.running_handler(self)
        if inside is None:
            return False
        if inside.tx.plan.call.calls_exception:
            report_nested(self, inside.handler, err)
            return True
        if inside.task is not None:
            inside.task.hold_back()
        elif (call := inside.call()) is not None:
            hold_back(self, inside.tx, call)
        return False

    def panic_to_err(self, args: A | None = None) -> Guard:
        """A context manager and decorator that turns an exception into `add_err`."""
        return self.panic_to_err_state(EXCEPTION, args)

    def panic_to_err_state(self, state: str, args: A | None = None) -> Guard:
        """A context manager and decorator that turns an exception into `add_err_state`."""
        self._call(ADD, (checked_name(state), EXCEPTION))
        return Guard(self, state, checked_args(args))

    @overload
    def on_error(self, fn: OnError, *, submachines: bool = False) -> OnError: ...
    @overload
    def on_error(self, *, submachines: bool = False) -> Callable[[OnError], OnError]: ...
    def on_error(self, fn: Any = None, *, submachines: bool = False) -> Any:
        """Call `fn(machine, error)` for every error, before its mutation is made.

        Errors come from `add_err` and the like, and from handlers that raise or take too
        long. It runs in the thread where that happened and must not wait; what it raises
        is logged. Also a decorator, with or without arguments.

        With `submachines` it is also called for the errors of all machines below this one: those
        that were made with it as `parent`, before or afterwards, and those below them. The
        functions of a machine itself come first, then those of its parent, and so on upwards.
        Those of a machine that is disposed, or was collected, are not called.
        """
        checked_flag(submachines, "submachines")
        if fn is None:
            return partial(self.on_error, submachines=submachines)
        check_callable(fn, "what on_error takes")
        self._error_listeners = (*self._error_listeners, fn)
        if submachines:
            self._submachine_listeners = (*self._submachine_listeners, fn)
        return fn

    # -- checking, and going first

    def can_add(self, states: Names, args: A | None = None) -> Result:
        """Check an add against relations and negotiation handlers, without changing anything."""
        return self._check(self._call(ADD, states), checked_args(args))

    def can_add1(self, state: str, args: A | None = None) -> Result:
        """Check an add of this state, without changing anything."""
        return self.can_add((checked_name(state),), args)

    def can_remove(self, states: Names, args: A | None = None) -> Result:
        """Check a removal against negotiation handlers, without changing anything."""
        return self._check(self._call(REMOVE, states), checked_args(args))

    def can_remove1(self, state: str, args: A | None = None) -> Result:
        """Check a removal of this state, without changing anything."""
        return self.can_remove((checked_name(state),), args)

    def _check(self, call: Call, args: A | None) -> Result:
        if self._disposing:
            return self._cancel(ReasonKind.DISPOSED, is_check=True)
        return self._prepend(Mutation(call, args, is_check=True))

    def new_mutation(self, type: MutationType, states: Names, args: A | None = None) -> Mutation:
        """A mutation for `prepend_mut`; it does nothing by itself. Not for EVAL."""
        if type not in (ADD, REMOVE, SET):
            raise ValueError(f"a mutation is ADD, REMOVE or SET, not {type!r}")
        return Mutation(self._call(type, states), checked_args(args))

    def prepend_mut(self, mutation: Mutation) -> Result:
        """Put a mutation at the front of the queue; its own outcome cannot be waited for.

        A handler that prepends a mutation which it cancels causes an endless loop.
        """
        if self._disposing:
            return self._cancel(ReasonKind.DISPOSED)
        return self._prepend(mutation)

    def _prepend(self, mutation: Mutation) -> Result:
        mutation.context = copy_context()
        self._queue.appendleft(mutation)
        return self._drain_or_wait(mutation)

    def add_breakpoint(self, added: Names, removed: Names, strict: bool = True) -> None:
        """Write a line whenever a mutation adds, or removes, exactly these states.

        One of the two lists has to be empty. If not `strict`, the mutation may call other
        states as well. The line has the caller's stack if `log_stack_trace` is on.
        """
        names = names_tuple(added), names_tuple(removed)
        self.must_parse_states((*names[0], *names[1]))
        found = self._breakpoints or Breakpoints()
        found.add(*names, strict=strict)
        self._breakpoints = found
        self._set_slow()

    def add_breakpoint1(self, added: str, removed: str, strict: bool = True) -> None:
        """`add_breakpoint` for one state; the other name is empty."""
        self.add_breakpoint([added] if added else [], [removed] if removed else [], strict)

    def _set_slow(self) -> None:
        super()._set_slow()
        self._slow = self._slow or self._breakpoints is not None
