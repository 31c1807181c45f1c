"""Runs a function between two transitions, on the thread that drains the queue."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from machine._calling.traces import message_of, origin_of
from machine._enums import LogLevel, MutationType
from machine._given import Setting, check_callable, checked_seconds
from machine._machine.expiring import Expiring
from machine._resolution.mutation import Mutation
from machine._waiting.context import Context, check_ctx
from machine._waiting.gates import open_gate
from machine.errors import EvalTimeoutError, InvalidArgsError


class Evaluating(Expiring):
    """The call that evaluates."""

    eval_timeout: Setting[float] = Setting(1.0, checked_seconds)

    _eval_timeout: float

    def eval(self, source: str, fn: Callable[[], object], ctx: Context | None = None) -> bool:
        """Run `fn` at the front of the queue and wait until it ran.

        False if it did not start within `eval_timeout` (which adds an error), if the machine
        was disposed or if `ctx` ended; `fn` does not run later then. `source` names the caller
        in log lines. In a handler of the same machine this can only time out; with
        `detect_eval` it raises `RuntimeError` instead. An error that `fn` raises is raised.
        """
        if not source or not isinstance(source, str):
            raise InvalidArgsError(f"eval needs a source, a text, not {source!r:.60}")
        check_callable(fn, "what eval runs")
        check_ctx(ctx)
        if self._disposing or (ctx is not None and ctx.done):
            return False
        if self._detects_eval() and self._is_inside():
            raise RuntimeError(f"eval {source} called from handler {self._handler}")
        evaluation = _Evaluation(fn)
        self.log_lvl(LogLevel.OPS, f"[eval] {source}")
        mutation = Mutation(self._schema.call(MutationType.ADD, ()), eval_fn=evaluation.run)
        self._prepend(mutation)
        return self._await_result(source, evaluation, ctx)

    def _detects_eval(self) -> bool:
        return self._detect_eval or "AM_DETECT_EVAL" in os.environ or "AM_DEBUG" in os.environ

    def _is_inside(self) -> bool:
        """Whether the calling thread is in a drain of this machine."""
        from machine._waiting.deadlocks import is_held  # few need it

        return is_held(self)

    def _await_result(self, source: str, evaluation: _Evaluation, ctx: Context | None) -> bool:
        if not evaluation.ran:
            endings = [ending for ending in (self.ctx, ctx) if ending is not None]
            for ending in endings:
                ending.add_done_callback(evaluation.wake)
            try:
                evaluation.wait(self._eval_timeout)
            finally:
                for ending in endings:
                    ending.remove_done_callback(evaluation.wake)
        if evaluation.give_up():
            error, evaluation.error = evaluation.error, None
            if error is not None:
                self.log_lvl(
                    LogLevel.CHANGES, f"[eval:err] {source}: {message_of(error)}{origin_of(error)}"
                )
                try:
                    raise error
                finally:
                    del error  # or its frames would keep it, and it them
            self.log_lvl(LogLevel.EVERYTHING, f"[eval:end] {source}")
            return True
        if self._disposing or (ctx is not None and ctx.done):
            self.log_lvl(LogLevel.DECISIONS, f"[eval:ctxdone] {source}")
            return False
        self.log_lvl(LogLevel.OPS, f"[eval:timeout] {source}")
        self.add_err(EvalTimeoutError(f"eval:{source}"))
        return False


class _Evaluation:
    """One evaluation: run once, or given up before.

    Its gates are plain locks, opened by one call each, so that an interrupt of the drainer
    (`_engine.recovery`) leaves no thread waiting.
    """

    __slots__ = ("_claim", "_ended", "_fn", "_gate", "error", "ran")

    def __init__(self, fn: Callable[[], object]) -> None:
        self._fn = fn
        self._claim = [None]  # the thread that takes it decides whether the function runs
        self._ended = threading.Lock()
        self._ended.acquire()
        self._gate = threading.Lock()
        self._gate.acquire()
        self.error: BaseException | None = None
        self.ran = False

    def run(self) -> None:
        """Run the function, unless it was given up; by the drainer."""
        try:
            del self._claim[0]
        except IndexError:
            return
        try:
            self._fn()
        except Exception as error:  # noqa: BLE001 - handed to the caller of eval
            self.error = error
        finally:
            self.ran = True
            self._ended.release()
            open_gate(self._gate)

    def wake(self, _: Context) -> None:
        """Wake the waiting thread, since a context ended."""
        open_gate(self._gate)

    def wait(self, seconds: float) -> None:
        """Wait until it ran, or a context ends."""
        self._gate.acquire(timeout=min(max(0, seconds), threading.TIMEOUT_MAX))

    def give_up(self) -> bool:
        """Wait for its end if it runs or ran, and return True; else keep it from running: False."""
        try:
            del self._claim[0]
        except IndexError:
            self._ended.acquire()
            return True
        return False
