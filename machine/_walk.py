"""Carrying out one transition that somebody watches.

The order of things:

1. The transition is created and becomes the machine's current one; `transition_init`.
2. Log lines of the mutation and of its resolution; `transition_start`.
3. Rejected by relations: nothing else happens until 7.
4. *Negotiation.* The program's negotiation handlers in order; the first that denies ends
   it, and a handler that raises or comes late denies too. In an auto transition a denial
   that concerns an entering state (its `Enter`, or a `YX` handler) drops only that state,
   with all that only it implied or that requires it; every other denial cancels.
5. *Apply.* Ticks and active states change, here and nowhere else (but see 6).
6. *Final phase.* `End` and `State` handlers, whose answers do not count. If one raises,
   the states whose final handlers did not complete are reverted, which is one more clock
   change, and the transition counts as canceled. If one is late, the rest is skipped and
   the states stay.
7. If it was accepted and a tick changed, the auto states get their turn: their mutation
   goes to the front of the queue. `transition_end`, then waiters and state contexts.

An error in a handler becomes a mutation of `Exception` at the front of the queue, unless
the failed transition itself called `Exception`: that one is only canceled, or a failing
error handler would never let the machine go on. Errors that are no `Exception`
(KeyboardInterrupt and the like), and all errors while `panic_to_exception` is off, cancel
and revert in the same way and then pass through to the caller.

A plan that nobody watches takes the short way in `_engine`: no transition object, same
ticks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import monotonic_ns
from typing import TYPE_CHECKING

from machine._clock import time_after
from machine._enums import LogLevel, Result
from machine._handlers import (
    Binding,
    Handler,
    HandlerCall,
    Phase,
    Program,
    final_calls,
)
from machine._resolve import Trail, Verdict, fallen_out, growth_of
from machine._transition import Event, Transition
from machine.errors import HandlerTimeoutError

if TYPE_CHECKING:
    from machine._engine import Engine

PASSED, DENIED, FAILED, LATE = range(4)
NAME_WIDTH = 15
NS = 1_000_000_000


def walk(mach: Engine, tx: Transition, program: Program) -> Result:
    """Carry out a transition from its creation to the end, waiters included."""
    hooks = mach._hooks
    mach._tx = tx
    if hooks is not None:
        tx.started_ns = monotonic_ns()
        hooks.fire("transition_init", tx)
    if mach._log_level:
        _announce(mach, tx)
    if hooks is not None:
        hooks.fire("transition_start", tx)
    passing = None
    try:
        _phases(mach, tx, program)
    except BaseException as error:  # passes through, once the books are closed
        tx.accepted = False
        passing = error
    _close(mach, tx)
    if passing is not None:
        raise passing
    return Result.EXECUTED if tx.accepted else Result.CANCELED


def _phases(mach: Engine, tx: Transition, program: Program) -> None:
    if not tx.plan.accepted:
        tx.accepted = False
        return
    tx.accepted = _negotiate(mach, tx, program.negotiation)
    if tx.accepted and not tx.is_check:
        _apply(mach, tx)
        _finish(mach, tx, program)


def _close(mach: Engine, tx: Transition) -> None:
    """Everything after the handlers: auto states, tracers, waiters."""
    before, after = tx._before, mach._ticks
    tx._after = after
    moved = before is not after
    call = tx.plan.call
    if moved and tx.accepted and not call.auto and not mach._disposing:
        mach._queue_auto()
    if mach._pending_lines:
        tx.pre_log_entries, mach._pending_lines = mach._pending_lines, ()
    tx.queue_len = len(mach._queue)
    tx.completed = True
    hooks = mach._hooks
    if hooks is not None:
        tx.ended_ns = monotonic_ns()
        hooks.fire("transition_end", tx)
    if moved:
        mach._release([i for i, tick in enumerate(after) if tick != before[i]])


# -- before the handlers


def _announce(mach: Engine, tx: Transition) -> None:
    call = tx.plan.call
    level = LogLevel.DECISIONS if call.auto else LogLevel.OPS
    mach.log_lvl(level, f"[{call.type}{':auto' * call.auto}] {call.text}{tx.log_args()}")
    if tx.source is not None:
        mach.log_lvl(LogLevel.OPS, f"[source] {tx.source}")
    for line_level, text in tx.plan.trail().lines:
        mach.log_lvl(line_level, text)


# -- negotiation


def _negotiate(mach: Engine, tx: Transition, calls: Iterable[HandlerCall]) -> bool:
    auto = tx.plan.call.auto
    gone: set[int] = set()
    for call in calls:
        if gone and _concerns(call, gone):
            continue
        if auto and call.phase is Phase.ANY_ENTER and not tx.verdict.targets:
            return False
        outcome = run_handler(mach, tx, call)
        if not outcome:
            continue
        _log_denial(mach, tx, call)
        if not (auto and _is_entering(tx, call)):
            return False
        gone |= _drop(mach, tx, call.target)
    return bool(tx.verdict.targets) or not auto


def _concerns(call: HandlerCall, gone: set[int]) -> bool:
    """Is this a handler of, or towards, a state that was dropped."""
    return call.target in gone or (call.phase is Phase.EXIT and call.source in gone)


def _is_entering(tx: Transition, call: HandlerCall) -> bool:
    return call.target >= 0 and not tx.plan.node.mask >> call.target & 1


def _log_denial(mach: Engine, tx: Transition, call: HandlerCall) -> None:
    kind = "[cancel:self]" if call.phase is Phase.SELF else "[cancel]"
    mach.log_lvl(LogLevel.OPS, f"{kind} ({' '.join(tx.target_states())}) by {call.name}")


def _drop(mach: Engine, tx: Transition, denied: int) -> set[int]:
    """Take an entering state out of an auto transition, with all that falls with it."""
    plan, old = tx.plan, tx.verdict
    automaton = plan.node.automaton
    trail = Trail(automaton.schema, plan.node.active, plan.call)
    targets = [state for state in old.targets if state != denied]
    targets = fallen_out(automaton.schema, plan.node.active, plan.call, targets, trail)
    _steps(tx).extend(trail.steps)
    for level, text in trail.lines:
        mach.log_lvl(level, text)
    kept = set(targets)
    lost = [state for state in plan.node.active if state in old.targets and state not in kept]
    tx.verdict = Verdict(
        True,
        tuple(targets),
        (*old.exits, *lost),
        tuple(state for state in old.enters if state in kept),
    )
    return {denied, *old.targets} - kept


def _steps(tx: Transition) -> list[object]:
    steps = tx.handler_steps
    if not isinstance(steps, list):
        steps = tx.handler_steps = []
    return steps


# -- handlers


def run_handler(mach: Engine, tx: Transition, call: HandlerCall) -> int:
    """Call what is bound to one name, in binding order, until one does not pass."""
    outcome = PASSED
    if mach._log_level >= LogLevel.EVERYTHING:
        outcome = _run_loudly(mach, tx, call)
    else:
        for binding, handler in call.bound:
            outcome = _run_one(mach, tx, call, binding, handler)
            if outcome:
                break
    if call.bound:
        step = call.step(tx.plan.node.automaton.schema, outcome if outcome < LATE else FAILED)
        _steps(tx).append(step)
    return outcome


def _run_loudly(mach: Engine, tx: Transition, call: HandlerCall) -> int:
    """At the highest log level every bound object is named, with the handler or without."""
    handlers = dict(call.bound)
    for binding in mach._bindings.items:
        name = binding.name[:NAME_WIDTH].ljust(NAME_WIDTH, "_")
        mach.log_lvl(LogLevel.EVERYTHING, f"[handle:{name}] {call.name}")
        if binding not in handlers:
            continue
        outcome = _run_one(mach, tx, call, binding, handlers[binding])
        if outcome:
            return outcome
    return PASSED


def _run_one(
    mach: Engine, tx: Transition, call: HandlerCall, binding: Binding, handler: Handler
) -> int:
    name, hooks, level = call.name, mach._hooks, mach._log_level
    if level:
        mach.log_lvl(LogLevel.OPS, f"[handler:{binding.index}] {name}")
    if hooks is not None:
        hooks.fire("handler_start", tx, binding.name, name)
    mach._handler = name
    started = monotonic_ns()
    failure: BaseException | None = None
    answer: object = None
    try:
        answer = handler(Event(name, tx))
    except BaseException as error:  # protects the machine: a handler is user code
        failure = error
    took = monotonic_ns() - started
    mach._handler = ""
    if level:
        mach.log_lvl(LogLevel.EVERYTHING, f"[handler:end] {name}")
    if hooks is not None:
        tx.handler_ns = [*tx.handler_ns, took]
        hooks.fire("handler_end", tx, binding.name, name)
    if failure is not None:
        return _failed(mach, tx, call, failure)
    limit = mach.handler_timeout
    if limit and took > limit * NS:
        return _late(mach, tx, call)
    final = call.phase >= Phase.END
    if final:
        return mach._final_returned(tx, call, answer) if answer is not None else PASSED
    return PASSED if answer is None or answer else DENIED


def _late(mach: Engine, tx: Transition, call: HandlerCall) -> int:
    mach.log_lvl(LogLevel.OPS, f"[cancel] ({' '.join(tx.target_states())}) by timeout")
    mach._add_err_from(tx, HandlerTimeoutError(call.name))
    return LATE


def _failed(mach: Engine, tx: Transition, call: HandlerCall, error: BaseException) -> int:
    """A handler raised: store it, queue the Exception mutation, revert what did not complete."""
    passes = not isinstance(error, Exception) or not mach.panic_to_exception
    if not passes:
        mach.log_lvl(LogLevel.OPS, "[recover] handling panic...")
    if not tx.plan.call.calls_exception:
        if call.phase >= Phase.END:
            _revert(mach, tx, call)
        if not passes:
            mach._recover(tx, call.name, error)
    if passes:
        if call.bound:
            _steps(tx).append(call.step(tx.plan.node.automaton.schema, FAILED))
        raise error
    mach.log_lvl(LogLevel.OPS, f"[cancel] ({' '.join(tx.target_states())}) by recover")
    return FAILED


# -- applying and the final phase


def _apply(mach: Engine, tx: Transition) -> None:
    plan, verdict = tx.plan, tx.verdict
    if verdict is plan:
        growth, node = plan.growth, plan.after
    else:
        automaton = plan.node.automaton
        growth = growth_of(automaton.schema, plan.node.mask, verdict)
        node = automaton.node(verdict.targets)
    if growth:
        mach._ticks = time_after(mach._ticks, growth)
    mach._node = node
    if mach._log_level:
        _log_change(mach, tx)


def _log_change(mach: Engine, tx: Transition) -> None:
    verdict, names = tx.verdict, tx.plan.node.automaton.schema.names
    before = tx.plan.node.mask
    anew = [state for state in verdict.enters if not before >> state & 1]
    again = [state for state in verdict.enters if before >> state & 1]
    parts = [f"+{names[state]}" for state in (*anew, *again)]
    parts += [f"-{names[state]}" for state in verdict.exits]
    if not parts:
        return
    if mach._log_level >= LogLevel.EVERYTHING:
        changed = {*anew, *again}
        parts += [names[state] for state in verdict.targets if state not in changed]
    auto = ":auto" * tx.plan.call.auto
    mach.log_lvl(LogLevel.CHANGES, f"[state{auto}] {' '.join(parts)}{tx.log_args()}")


def _finish(mach: Engine, tx: Transition, program: Program) -> None:
    """The final phase; `when_args` waiters of a state match after its State handlers."""
    verdict = tx.verdict
    calls: Sequence[HandlerCall] = program.finals
    if verdict is not tx.plan:
        calls = _finals_left(mach, tx)
    waiters = mach._waiters
    match = verdict.enters if waiters is not None and waiters.args_pending else ()
    matched = 0
    offset = len(verdict.exits)
    for call in calls:
        if call.phase is not Phase.END:
            matched = _match(mach, tx, match, matched, call.position - offset)
        if run_handler(mach, tx, call):
            tx.accepted = False
            return
        if call.phase is Phase.STATE:
            matched = _match(mach, tx, match, matched, call.position - offset + 1)
    _match(mach, tx, match, matched, len(match))


def _match(mach: Engine, tx: Transition, enters: Sequence[int], done: int, until: int) -> int:
    """Match `when_args` of the states whose turn has passed."""
    if enters and mach._waiters is not None:
        for state in enters[done:until]:
            mach._waiters.activated(state, tx.args())
    return max(done, until)


def _finals_left(mach: Engine, tx: Transition) -> list[HandlerCall]:
    """The final handlers of an auto transition that was cut down in negotiation."""
    calls = final_calls(tx.verdict.exits, tx.verdict.enters, tx.plan)
    every = mach._log_level >= LogLevel.EVERYTHING
    return list(mach._bindings.bound(calls, every=every))


def _revert(mach: Engine, tx: Transition, call: HandlerCall) -> None:
    """Undo the states whose final handlers did not complete, as one more clock change."""
    verdict = tx.verdict
    exits, enters = verdict.exits, verdict.enters
    back = exits[call.position :]
    out = enters[max(0, call.position - len(exits)) :]
    names = tx.plan.node.automaton.schema.names
    kept = [state for state in mach._node.active if state not in out]
    active = (*kept, *back)
    done = " ".join(names[state] for state in active)
    mach.log_lvl(LogLevel.OPS, f"[recover] partial final states as ({done})")
    if not (back or out):
        return
    mach._ticks = time_after(mach._ticks, [(state, 1) for state in (*out, *back)])
    mach._node = tx.plan.node.automaton.node(active)
    parts = [f"+{names[state]}" for state in back] + [f"-{names[state]}" for state in out]
    mach.log_lvl(LogLevel.CHANGES, f"[state] {' '.join(parts)}{tx.log_args()}")


