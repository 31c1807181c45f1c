"""Calls the handlers of one name: the border between the machine and user code.

Each call of a handler has an outcome: it passed, denied, failed or was late, or it raised
an error that is raised again in the caller once the transition has ended. If a handler
of the final phase fails, the states whose final handlers did not complete are reverted
here, as one more clock change.

`call_handlers` is the one way to call a handler, except for the fast path, which has the
same steps inline (`_engine.unwatched`).
"""

from __future__ import annotations

from collections.abc import Coroutine
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from machine._calling.frames import raised_at
from machine._calling.tasks import start_task
from machine._calling.traces import message_of
from machine._clock import time_after
from machine._enums import CHANGES, EVERYTHING, OPS
from machine._handlers.calls import HandlerCall, Phase
from machine._handlers.kinds import Handler
from machine._logging.log import Logged
from machine._reasons.denials import keep_denial
from machine._reasons.reason import ReasonKind
from machine._transition.event import new_event
from machine._transition.transition import Transition
from machine.errors import HandlerTimeoutError

if TYPE_CHECKING:
    from machine._resolution.automaton import Node
    from machine._transition.tracing import TracerHooks

PASSED, DENIED, FAILED, LATE, RAISES = range(5)
KINDS = {
    DENIED: ReasonKind.HANDLER,
    FAILED: ReasonKind.ERROR,
    LATE: ReasonKind.TIMEOUT,
    RAISES: ReasonKind.ERROR,
}
END = Phase.END
NAME_WIDTH = 15
NS = 1_000_000_000


class Handled(Logged, Protocol):
    """What calling handlers needs of a machine."""

    _handler: str
    _handler_limit: float
    _hooks: TracerHooks | None
    _log_stack_trace: bool
    _node: Node
    _panic_to_exception: bool
    _ticks: list[int]

    def _add_panic(self, tx: Transition, handler: str, error: Exception) -> None: ...
    def _add_err_from(self, tx: Transition, error: Exception) -> None: ...


def call_handlers(mach: Handled, tx: Transition, call: HandlerCall) -> int:
    """Call what is bound to one name, in binding order, until one does not pass."""
    outcome = PASSED
    tx._call = call
    if mach._log_level and mach._log_level == EVERYTHING:
        outcome = _call_logging_all(mach, tx, call)
    else:
        callables = tx._bindings.callables
        for index, place in call.bound:
            outcome = _call_one(mach, tx, call, index, callables[place])
            if outcome:
                break
    if outcome or tx._steps is not None:
        return add_step(tx, call, outcome)
    if call.bound:
        tx._calls_done += 1
    return PASSED


def add_step(tx: Transition, call: HandlerCall, outcome: int) -> int:
    """Add the step of a call to the list of a transition that has its own; returns the outcome."""
    if outcome:
        denied = outcome == DENIED
        at = "" if denied else tx.raised_at
        tx.own_steps().append(call.refused(denied=denied, raised_at=at))
        keep_denial(tx, call, KINDS[outcome], at)
    elif call.bound:
        tx.own_steps().append(call.passed)
    return outcome


def outcome_of(
    mach: Handled, tx: Transition, call: HandlerCall, answer: object, took: float
) -> int:
    """The outcome of a call that did not raise: the answer of a late one does not count.

    A final handler may return a coroutine, which becomes a task of its state; the negotiation
    cannot wait for one.
    """
    if isinstance(answer, Coroutine):
        if took <= mach._handler_limit and call.phase >= END:
            start_task(tx, call, answer)
            return PASSED
        answer.close()
        if took <= mach._handler_limit:
            return handle_failure(mach, tx, call, TypeError(f"{call.name} has to answer at once"))
    if took > mach._handler_limit:
        return _late(mach, tx, call)
    if answer is None or call.phase >= END:
        return PASSED
    try:
        return PASSED if answer else DENIED
    except Exception as error:  # noqa: BLE001 - the truth of an answer is user code too
        return handle_failure(mach, tx, call, error)


def _call_logging_all(mach: Handled, tx: Transition, call: HandlerCall) -> int:
    """At the highest log level every bound object is named, with this handler or without."""
    bindings, places = tx._bindings, dict(call.bound)
    for index, item in enumerate(bindings.items):
        name = item.emitter[:NAME_WIDTH].ljust(NAME_WIDTH, "_")
        mach.log_lvl(EVERYTHING, f"[handle:{name}] {call.name}")
        if index in places:
            outcome = _call_one(mach, tx, call, index, bindings.callables[places[index]])
            if outcome:
                return outcome
    return PASSED


def _call_one(
    mach: Handled, tx: Transition, call: HandlerCall, index: int, handler: Handler
) -> int:
    name = call.name
    if mach._log_level or mach._hooks is not None:
        _report_start(mach, tx, index, name)
    mach._handler = name
    error: BaseException | None = None
    answer: object = None
    tx.clock = started = monotonic()
    try:
        answer = handler(new_event(name, tx))
    except BaseException as raised:  # noqa: BLE001 - protects the machine from user code
        error = raised
    took = monotonic() - started
    mach._handler = ""
    if mach._log_level or mach._hooks is not None:
        _report_end(mach, tx, call, index, took)
    if error is not None:
        return handle_failure(mach, tx, call, error)
    if took <= mach._handler_limit and (answer is None or answer is True):
        return PASSED
    return outcome_of(mach, tx, call, answer, took)


def _report_start(mach: Handled, tx: Transition, index: int, name: str) -> None:
    if mach._log_level:
        mach._handler = ""
        mach.log_lvl(OPS, f"[handler:{index}] {name}")
    hooks = mach._hooks
    if hooks is not None and hooks.handler_start:
        hooks.fire(hooks.handler_start, tx, tx._bindings.items[index].emitter, name)


def _report_end(mach: Handled, tx: Transition, call: HandlerCall, index: int, took: float) -> None:
    if mach._log_level:
        mach.log_lvl(EVERYTHING, f"[handler:end] {call.name}")
    hooks = mach._hooks
    if hooks is not None:
        _take_time(tx, int(took * NS), begins=index == call.bound[0][0])
        tx.is_plain = False
        if hooks.handler_end:
            hooks.fire(hooks.handler_end, tx, tx._bindings.items[index].emitter, call.name)


def _take_time(tx: Transition, took_ns: int, *, begins: bool) -> None:
    """Add up the time of the handlers of one name, which are one step."""
    times = tx.handler_ns
    if begins or not times:
        tx.handler_ns = [*times, took_ns]
    else:
        times[-1] += took_ns


def _late(mach: Handled, tx: Transition, call: HandlerCall) -> int:
    tx.late = (*tx.late, call.name)
    tx.raised_at = ""
    mach.log_lvl(OPS, f"[cancel] ({' '.join(tx.target_states())}) by timeout")
    error = HandlerTimeoutError(call.name)
    if tx.plan.call.calls_exception:
        _report_nested(mach, call, error)
    else:
        mach._add_err_from(tx, error)
    _hold_back(mach, tx, call)
    return LATE


def handle_failure(mach: Handled, tx: Transition, call: HandlerCall, error: BaseException) -> int:
    """A handler raised: store it, queue the Exception mutation, revert what did not complete."""
    raises = not isinstance(error, Exception) or not mach._panic_to_exception
    tx.raised_at = place = raised_at(error)
    if mach._log_level and mach._log_stack_trace:
        where = f", raised at {place}" if place else ""
        mach.log_lvl(CHANGES, f"[raised] in {call.name}: {message_of(error)}{where}")
    if not raises:
        mach.log_lvl(OPS, "[recover] handling panic...")
    if not tx.plan.call.calls_exception:
        if call.phase >= END:
            revert(mach, tx, call)
        if isinstance(error, Exception) and not raises:
            mach._add_panic(tx, call.name, error)
    elif not raises:
        _report_nested(mach, call, error)
    _hold_back(mach, tx, call)
    if raises:
        tx._to_raise = error
        return RAISES
    mach.log_lvl(OPS, f"[cancel] ({' '.join(tx.target_states())}) by recover")
    return FAILED


def _report_nested(mach: Handled, call: HandlerCall, error: BaseException) -> None:
    from machine._calling.nested_errors import (
        report_nested,  # errors are rare, and so is what needs this
    )

    report_nested(mach, call.name, error)


def _hold_back(mach: Handled, tx: Transition, call: HandlerCall) -> None:
    from machine._calling.held_back import hold_back  # as above

    hold_back(mach, tx, call)


def revert(mach: Handled, tx: Transition, call: HandlerCall) -> None:
    """Undo the states whose final handlers did not complete, as one more clock change.

    If a handler disposed the machine by force, nothing is left to undo; what is undone
    already stays undone.
    """
    exits, enters, ticks = tx.verdict.exits, tx.verdict.enters, mach._ticks
    if not ticks:
        return
    back = [state for state in exits[call.position :] if not ticks[state] & 1]
    out = [state for state in enters[max(0, call.position - len(exits)) :] if ticks[state] & 1]
    names = tx.plan.node.automaton.schema.names
    active = (*(state for state in mach._node.active if state not in out), *back)
    done = " ".join(names[state] for state in active)
    mach.log_lvl(OPS, f"[recover] partial final states as ({done})")
    if not (back or out):
        return
    node = tx.plan.node.automaton.node(active, mach._node.marks)
    ticks = time_after(ticks, [(state, 1) for state in (*out, *back)])
    mach._ticks = ticks
    mach._node = node
    parts = [f"+{names[state]}" for state in back] + [f"-{names[state]}" for state in out]
    mach.log_lvl(CHANGES, f"[state] {' '.join(parts)}{tx.log_args()}")
