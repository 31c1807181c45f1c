"""The full path: carries out a transition that tracers or log lines observe.

The order of things:

1. The transition is created and becomes the machine's current one; `transition_init`.
2. Log lines of the mutation and of its resolution; `transition_start`.
3. Rejected by relations: nothing else happens until 7.
4. *Negotiation.* The program's negotiation handlers in order; the first that denies ends
   it, and a handler that raises or comes late denies too. In an auto transition a denial
   that concerns an entering state (its `Enter`, or a `YX` handler) only refuses that state;
   every other denial cancels. After a refusal the transition is resolved again without the
   refused states (`_resolution.resolve`), and the new targets, exits, enters and handlers
   replace the old ones. Handlers that were called already are not called again. So the
   `Exit` of a state that stays after all may have been called. If none of the called states
   is still a target, the transition is canceled.
5. *Apply.* Ticks and active states change, here and nowhere else (except as in 6).
6. *Final phase.* `End` and `State` handlers, whose answers do not count. If one raises,
   the states whose final handlers did not complete are reverted, which is one more clock
   change, and the transition counts as canceled. If one is late, the rest is skipped and
   the states stay.
7. If it was accepted and a tick changed, the auto states get their turn: their mutation
   goes to the front of the queue. `transition_end`, then waiters and state contexts.

An error in a handler becomes a mutation of `Exception` at the front of the queue, unless
the failed transition itself called `Exception`: that one is only canceled, or a failing
error handler would never let the machine go on; the error is logged. The auto state of a
handler that failed is held back (`_calling.held_back`). Errors that are no `Exception`
(KeyboardInterrupt and the like), and all errors while `panic_to_exception` is off, cancel
and revert in the same way and then pass through to the caller.

Once the disposal of the machine has begun no handler starts. A transition that still had
handlers to call, or had not applied its states, is canceled; what was applied stays.

`_engine.unwatched` carries out a plan with handlers that nothing observes, and
`_engine.traced` one without handlers that only tracers observe, in the same order. A plan without
handlers that nothing observes takes the short way (`_engine.carrying`), which makes no transition
object and results in the same ticks.
"""

from __future__ import annotations

from collections import deque
from time import monotonic_ns
from typing import TYPE_CHECKING, Protocol

from machine._calling.calling import END, Handled, add_step, call_handlers, handle_failure
from machine._enums import CANCELED, CHANGES, DECISIONS, EVERYTHING, EXECUTED, OPS, Result
from machine._handlers.calls import BETWEEN, HandlerCall, Phase, Question
from machine._reasons.denials import keep_refused
from machine._resolution.automaton import NO_MARKS
from machine._transition.transition import Transition
from machine._waiting.stack import runs_in_drain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from machine._given import A
    from machine._handlers.lookup import Bindings, Program
    from machine._logging.log import LogEntry, PendingLines
    from machine._resolution.automaton import Plan
    from machine._resolution.mutation import Mutation, MutSource
    from machine._schema.schema import Call
    from machine._waiting.state_contexts import StateContexts
    from machine._waiting.waiters import Waiters


class Walked(Handled, Protocol):
    """What carrying out a transition needs of a machine."""

    _disposing: bool
    _pending_lines: PendingLines | tuple[()]
    _queue: deque[Mutation]
    _slow: bool
    _state_contexts: StateContexts | None
    _tx: Transition | None
    _watched: bool
    _tx_number: int
    _waiters: Waiters | None

    def _queue_auto(self, after: Call) -> None: ...
    def _release(self, changed: Sequence[int]) -> None: ...
    def _take_lines(self) -> Sequence[LogEntry]: ...


@runs_in_drain("mach", walks=True)
def walk(  # noqa: C901 - one function, so that few calls are made; see its docstring
    mach: Walked,
    plan: Plan,
    program: Program,
    bindings: Bindings,
    args: A | None,
    source: MutSource | None,
    mutation: Mutation | None,
) -> Result:
    """Carry out a transition from its creation to the end, waiters included.

    This one function does what every transition needs, and other functions do what few
    need: a call costs as much here as half of what a handler does.
    """
    mach._tx_number = number = mach._tx_number + 1
    mach._tx = tx = Transition()  # as `new_transition` makes one
    tx.machine, tx.plan, tx.number = mach, plan, number  # type: ignore[assignment]  # it is whole
    tx._args, tx._program, tx._before = args, program, mach._ticks
    tx._bindings = bindings
    tx._again = tx._steps = None
    tx._calls_done, tx.is_check, tx.is_plain = 0, False, not args
    if mutation is not None or source is not None:
        set_rare_fields(tx, source, mutation)
    if mach._slow or mach._hooks is not None:
        report_start(mach, tx)
    accepted = plan.accepted
    if accepted:
        if program.negotiation:
            for call in program.negotiation:
                if mach._disposing:
                    break
                if call_handlers(mach, tx, call):
                    accepted = _continue_without_refused(mach, tx, call)
                    break
        if mach._disposing:
            accepted = False
        if accepted and not tx.is_check:
            _apply(mach, tx)
            waiters = mach._waiters
            if tx._again is not None or (waiters is not None and waiters.awaits_args(plan)):
                accepted = run_finals(mach, tx)
            elif program.finals:
                for call in program.finals:
                    if mach._disposing or call_handlers(mach, tx, call):
                        accepted = False
                        break
    return conclude(mach, tx, accepted)


def set_rare_fields(tx: Transition, source: MutSource | None, mutation: Mutation | None) -> None:
    """Set the fields that only few transitions have."""
    if source is not None:
        tx.source = source
        tx.is_plain = False
    if mutation is not None:
        tx._mutation = mutation
        if mutation.is_check:
            tx.is_check, tx.is_plain = True, False


def report_start(mach: Walked, tx: Transition) -> None:
    """Report the start to tracers, and into the log."""
    hooks = mach._hooks
    if hooks is not None:
        tx.started_ns = monotonic_ns()
        for hook in hooks.transition_init:
            try:
                hook(tx)
            except Exception as error:  # noqa: BLE001 - protects the program from a tracer
                hooks.failed(hook, error)
    if mach._log_level >= OPS:
        _log_start(mach, tx)
    hooks = mach._hooks  # without those that failed just now
    if hooks is not None:
        for hook in hooks.transition_start:
            try:
                hook(tx)
            except Exception as error:  # noqa: BLE001 - protects the program from a tracer
                hooks.failed(hook, error)


def conclude(mach: Walked, tx: Transition, accepted: bool) -> Result:
    """End a transition after its handlers: auto states, tracers, waiters."""
    if not accepted:
        tx.accepted = False
        keep_refused(tx)
        if tx.plan.accepted:
            tx.is_plain = False
    if tx._marks is not NO_MARKS:
        mach._node = mach._node.marked(*tx._marks)
    before = tx._before
    tx._after = after = mach._ticks or before  # a machine disposed by force has none
    mach._handler = ""
    if accepted and before is not after and (mach._node.auto is not None or mach._log_level >= OPS):
        mach._queue_auto(tx.plan.call)
    if mach._pending_lines:
        tx.pre_log_entries = mach._take_lines()
        tx.is_plain = False
    if mach._queue:
        tx.queue_len = len(mach._queue)
        tx.is_plain = False
    tx.completed = True
    hooks = mach._hooks
    if hooks is not None:
        tx.ended_ns = monotonic_ns()
        for hook in hooks.transition_end:
            tx._last_hook = hook
            try:
                hook(tx)
            except Exception as error:  # noqa: BLE001 - protects the program from a tracer
                hooks.failed(hook, error)
    if before is not after and (mach._waiters is not None or mach._state_contexts is not None):
        _release(mach, tx, after)
    if not accepted and tx._to_raise is not None:
        passing, tx._to_raise = tx._to_raise, None
        try:
            raise passing
        finally:
            del passing  # or its frames would keep it, and it them
    return EXECUTED if accepted else CANCELED


def _release(mach: Walked, tx: Transition, after: Sequence[int]) -> None:
    """Release waiters and state contexts of the states whose ticks grew."""
    plan, waiters = tx._again or tx.plan, mach._waiters
    if not tx.accepted:  # the ticks may differ from the plan
        mach._release([state for state, tick in enumerate(tx._before) if tick != after[state]])
        return
    if waiters is not None and waiters.awaits_change(plan):
        waiters.ticks_changed(plan.changed)
    if mach._state_contexts is not None:
        mach._state_contexts.ticks_changed(plan.changed)


# -- before the handlers


def _log_start(mach: Walked, tx: Transition) -> None:
    call = tx.plan.call
    level = DECISIONS if call.auto else OPS
    mach.log_lvl(level, f"[{call.label}{tx.log_args() if tx._args else ''}")
    if tx.source is not None:
        mach.log_lvl(OPS, f"[source] {tx.source}")
    for line_level, text in tx.plan.explanation().lines:
        mach.log_lvl(line_level, text)


# -- negotiation


def resume_after_error(
    mach: Walked, tx: Transition, call: HandlerCall, error: BaseException
) -> bool:
    """Continue an unwatched transition after a handler raised; False if it is over.

    An error that no handler raised goes on to the recovery (`_engine.recovery`).
    """
    tx._call = call
    if call is BETWEEN or (call.phase < END and mach._ticks is not tx._before):
        raise error
    return resume_after(mach, tx, call, handle_failure(mach, tx, call, error))


def resume_after(mach: Walked, tx: Transition, call: HandlerCall, outcome: int) -> bool:
    """Continue an unwatched transition after a call that did not pass; False if it is over."""
    add_step(tx, call, outcome)
    if call.phase >= END or tx._to_raise is not None:
        return False
    if not _continue_without_refused(mach, tx, call) or mach._disposing:
        return False
    _apply(mach, tx)
    mach._node = mach._node.marked(*tx._marks)
    return run_finals(mach, tx)


def _continue_without_refused(mach: Walked, tx: Transition, denied: HandlerCall) -> bool:
    """Resolve an auto transition again without what was refused; False if it is canceled."""
    calls = tx._program.negotiation
    called = {call.question for call in calls[: calls.index(denied) + 1]}
    while _refuses_alone(mach, tx, denied):
        _resolve_again(mach, tx, denied.target)
        if not tx.verdict.accepted:
            return False
        found = _call_others(mach, tx, called)
        if found is None:
            return True
        denied = found
    return False


def _refuses_alone(mach: Walked, tx: Transition, call: HandlerCall) -> bool:
    """Log a denial; True if it only refuses one auto state, False if it cancels everything."""
    if tx._to_raise is not None:
        return False
    tag = "[cancel:self]" if call.phase is Phase.SELF else "[cancel]"
    mach.log_lvl(OPS, f"{tag} ({' '.join(tx.target_states())}) by {call.name}")
    plan, target = tx.plan, call.target
    return plan.call.auto and target >= 0 and not plan.node.mask >> target & 1


def _resolve_again(mach: Walked, tx: Transition, refused: int) -> None:
    """Decide about an auto transition again, without the state that was refused."""
    node, call, steps = tx.plan.node, tx.plan.call, tx.own_steps()
    barred = tx.verdict.call.barred | 1 << refused
    left = tuple([state for state in call.called if not barred >> state & 1])
    call = node.automaton.schema.auto_call(left, barred, again=True)
    watched = bool(mach._log_level) or mach._hooks is not None
    plan = node.plans.get(call) or node.automaton.extend(node, call, explained=watched)
    explanation = plan.explanation()
    steps.extend(explanation.steps)
    for level, text in explanation.lines:
        mach.log_lvl(level, text)
    tx._again = plan
    bindings = tx._bindings
    if mach._log_level >= EVERYTHING:
        tx._program = bindings.every(plan)
    else:
        tx._program = bindings.programs.get(plan) or bindings.program(plan)


def _call_others(mach: Walked, tx: Transition, called: set[Question]) -> HandlerCall | None:
    """Call the negotiation handlers that were not called yet; returns the one that denies."""
    for call in tx._program.negotiation:
        if mach._disposing:
            break
        if call.question in called:
            continue
        called.add(call.question)
        if call_handlers(mach, tx, call):
            return call
    return None


# -- applying and the final phase


def _apply(mach: Walked, tx: Transition) -> None:
    plan = tx._again or tx.plan  # `tx.verdict`, without a call
    if plan.growth:
        ticks = mach._ticks.copy()
        for index, ticked in plan.growth:
            ticks[index] += ticked
        mach._ticks = ticks
    mach._node = plan.after
    if mach._log_level:
        log_change(mach, tx)


def log_change(mach: Walked, tx: Transition) -> None:
    """The log line that lists which states changed."""
    plan = tx._again or tx.plan
    text = plan.change_texts()[mach._log_level >= EVERYTHING]
    if text:
        mach.log_lvl(CHANGES, text + tx.log_args() if tx._args else text)


def run_finals(mach: Walked, tx: Transition) -> bool:
    """Call the final handlers, and release the waiters for arguments between them.

    Those of a state are released after its State handlers, bound or not.
    """
    due = _args_awaited(mach, tx)
    for call in tx._program.finals:
        if mach._disposing:
            return False
        _release_args(mach, tx, due, call.position)
        if call_handlers(mach, tx, call):
            return False
        _release_args(mach, tx, due, call.position + 1)
    if not mach._disposing:
        _release_args(mach, tx, due, len(mach._ticks))
    return True


def _args_awaited(mach: Walked, tx: Transition) -> deque[tuple[int, int]]:
    """The states that enter and for which arguments are awaited, by their place in the phase."""
    waiters, verdict = mach._waiters, tx.verdict
    if waiters is None or not waiters.awaits_args(verdict):
        return deque()
    return deque(enumerate(verdict.enters, len(verdict.exits)))


def _release_args(mach: Walked, tx: Transition, due: deque[tuple[int, int]], end: int) -> None:
    """Release the waiters for arguments of all states before this place."""
    waiters = mach._waiters
    while due and due[0][0] < end and waiters is not None:
        waiters.activated(due.popleft()[1], tx.args())
