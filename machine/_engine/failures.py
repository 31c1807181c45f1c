"""Turns errors of handlers into mutations that add `Exception`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from machine._calling.frames import release_frames
from machine._calling.traces import trace_of
from machine._clock import Time
from machine._engine.queueing import Queueing
from machine._enums import ADD
from machine._logging.report import log_error
from machine._resolution.mutation import Mutation, MutSource
from machine._schema.state import EXCEPTION
from machine._transition.args import AT, Panic, pass_
from machine._waiting.latch import call_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from machine._given import A
    from machine._transition.transition import Transition


class Failures(Queueing):
    """The part of a machine that takes errors in."""

    def _add_panic(self, tx: Transition, handler: str, error: Exception) -> None:
        """Make the error of a handler the machine's next mutation."""
        self._store_err(error)
        if self._disposing:
            self._log_late_error(error)
        trace = trace_of(error) if self.log_stack_trace else ""
        args: A = {"err": error, "panic": Panic(tx, handler, trace)}
        if trace:
            args["err.trace"] = trace
        release_frames(error)
        call = self._schema.call(ADD, (EXCEPTION,))
        self._queue.appendleft(Mutation(call, args))

    def _add_err_from(self, tx: Transition, error: Exception) -> None:
        """Add an error at the end of the queue, with a transition as its source.

        A full queue takes it, as any error, only if `Exception` is not active.
        """
        self._store_err(error)
        call = self._schema.call(ADD, (EXCEPTION,))
        full = len(self._queue) >= self._queue_limit
        if self._disposing:
            self._log_late_error(error)
            return
        source = MutSource(self.id, tx.id, tx.time_sum_before())
        if full and EXCEPTION in self._node.named():
            self._refuse(Mutation(call, {"err": error}, source))
            return
        details = AT(
            error,
            trace_of(error) if self.log_stack_trace else "",
            None,
            tx.target_states(),
            tx.called_states(),
            tx.time_before,
            Time(self._ticks),
        )
        mutation = Mutation(call, pass_(details), source)
        self._append(mutation)
        self._drain_or_wait(mutation)

    def _store_err(self, error: BaseException) -> None:
        """Store an error before it has any effect, and call the `on_error` functions."""
        self._err = error
        if self._error_listeners or self._parents:
            call_all([(partial(fn, self), error) for fn in self._all_error_listeners()])

    def _all_error_listeners(self) -> list[Callable[..., object]]:
        """The `on_error` functions of this machine, then those of its parents for submachines."""
        found = [*self._error_listeners]
        for parent in self._parents:
            mach = parent()
            if mach is not None and not mach._disposed:
                found += mach._submachine_listeners
        return found

    def _log_late_error(self, error: BaseException) -> None:
        """Log an error that comes after the disposal has begun, when no state can take it."""
        log_error(error, "error of %s, which is disposed", self.id)
