"""Binding handlers and tracers to a machine.

One assignment replaces all bindings, so after an interrupt (`_engine.recovery`) an object is either
bound or not. If the machine has an error already, binding the first handler of errors also
queues that error.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, overload

from machine._engine.core import NO_BINDINGS
from machine._enums import LogLevel
from machine._handlers.bound import AskedBinding, Binding, KnownBinding
from machine._handlers.kinds import kind_of, learn_kind
from machine._handlers.lookup import Bindings
from machine._handlers.meanings import SUFFIXES, Handlers, Meaning
from machine._handlers.names import check_handlers, list_handlers
from machine._handlers.on import F, meaning, put
from machine._machine.mutating import Mutating
from machine._transition.tracing import Tracer, TracerHooks
from machine.errors import HandlerNameError, HandlersNotBoundError, StateMissingError, did_you_mean

if TYPE_CHECKING:
    from machine._calling.thread import HandlerThread


class BindingCalls(Mutating):
    """The calls that bind and detach."""

    _strict: bool = False
    _detect_eval: bool = False
    _handles_errors: bool = False
    _handler_thread: HandlerThread | None = None
    _changing = threading.RLock()  # of all machines; held only to replace what is bound

    def bind_handlers(self, handlers: object) -> None:
        """Call this object's methods named after states and phases.

        Any object or mapping with callables can be bound; several are called in the order
        in which they were bound. A transition that is under way goes on with those it began
        with. Raises for a class, None, a misspelled handler name, or a coroutine function
        in the negotiation phase. A name that means two things is reported, and refused by
        a `strict` machine.

        If the machine has an error already, binding its first handler of `Exception` adds
        that error once more, so the handler receives it.
        """
        if handlers is None or isinstance(handlers, type):
            raise TypeError(f"bind_handlers needs an object or a mapping, got {handlers!r}")
        if self._disposing:
            return
        binding = self._checked(handlers)
        is_first = not self._handles_errors and binding.handles_errors
        error = self._error_again() if is_first and self.is_err() else None
        with BindingCalls._changing:
            items = self._bindings.items
            bindings = Bindings((*items, binding))
            self._bindings = bindings  # no interrupt comes between these
            if is_first:
                self._handles_errors = True
                if error is not None:
                    self._queue.append(error)
        if self._log_level:
            self.log_lvl(LogLevel.OPS, f"[handlers] bind {binding.emitter or len(items)}")
        if error is not None:
            self._drain_or_wait(error)

    def _checked(self, handlers: object) -> Binding:
        """An object as it is to be bound; raises for wrong handlers.

        What others of its kind passed is not checked again.
        """
        schema, strict = self._schema, self._strict
        kind = kind_of(handlers, schema, strict=strict)
        if kind is None:
            check_handlers(handlers, schema.names, strict=strict)
            kind = learn_kind(handlers, schema)
            if kind is not None:
                kind.is_checked = True
        if (kind is None or kind.has_strays) and (self._detect_eval or "AM_DEBUG" in os.environ):
            list_handlers(handlers, schema.names)
        runner = self._handler_thread
        if kind is None or runner is not None:
            return AskedBinding(handlers, None if runner is None else runner.wrap)
        return KnownBinding(handlers, kind)

    @overload
    def on(self, state: str, phase: str) -> Callable[[F], F]: ...
    @overload
    def on(self, state: str, *, to: str) -> Callable[[F], F]: ...
    def on(self, state: str, phase: str = "", *, to: str = "") -> Callable[[F], F]:
        """A decorator that binds a function as the handler of a state's phase.

        Or as the handler from this state `to` another.
        """
        made = meaning(state, phase, to)

        def bind(function: F) -> F:
            self._check_meaning(made)
            handlers = Handlers()
            put(handlers, made, function)
            self.bind_handlers(handlers)
            return function

        return bind

    def _check_meaning(self, made: Meaning) -> None:
        """Raise for a handler of states that this machine does not have."""
        if self._disposing or made.fits(self._index):
            return
        states = self._schema.names
        if not made.is_pair:
            detail = f"{made.first} from handler {made.name}"
            raise StateMissingError([made.first], self.id, states, detail)
        unknown = self._schema.unknown((made.first, made.second))
        near = did_you_mean(unknown, [*states, *SUFFIXES])
        raise HandlerNameError(
            f"{made.name} is no handler of a known state, {' '.join(unknown)}"
            f" is not defined in struct for {self.id}{near}"
        )

    def detach_handlers(self, handlers: object) -> None:
        """Undo the first binding of this object; raises if it is not bound."""
        if self._disposing:
            return
        with BindingCalls._changing:
            items = self._bindings.items
            at = next((at for at, item in enumerate(items) if item.target is handlers), None)
            if at is not None:
                rest = (*items[:at], *items[at + 1 :])
                self._bindings = Bindings(rest) if rest else NO_BINDINGS
        if at is None:
            raise HandlersNotBoundError(repr(handlers))
        self.log_lvl(LogLevel.OPS, f"[handlers] detach {items[at].emitter or at}")

    def handlers(self) -> list[object]:
        """The bound objects, in order."""
        return [binding.target for binding in self._bindings.items]

    def bind_tracer(self, tracer: Tracer) -> None:
        """Let a tracer watch this machine; its `machine_init` is not called."""
        if isinstance(tracer, type) or not isinstance(tracer, Tracer):
            raise TypeError(f"bind_tracer needs a Tracer instance, got {tracer!r}")
        if self._disposed:
            return
        with BindingCalls._changing:
            self._set_tracers((*self.tracers(), tracer))
        self.log_lvl(LogLevel.OPS, f"[tracers] bind {type(tracer).__name__}")

    def detach_tracer(self, tracer: Tracer) -> bool:
        """Stop a tracer watching; False if it is not bound."""
        with BindingCalls._changing:
            bound = self.tracers()
            rest = tuple(other for other in bound if other is not tracer)
            if len(rest) == len(bound):
                return False
            self._set_tracers(rest)
        self.log_lvl(LogLevel.OPS, f"[tracers] detach {type(tracer).__name__}")
        return True

    def tracers(self) -> list[Tracer]:
        """The bound tracers, in order."""
        return [] if self._hooks is None else list(self._hooks.tracers)

    def _set_tracers(self, tracers: tuple[Tracer, ...]) -> None:
        self._watched = True
        self._hooks = hooks = TracerHooks(tracers, self.detach_tracer) if tracers else None
        if hooks is not None and hooks.handler_late:
            from machine._calling.watchdog import watch

            watch(self, warns=False)
