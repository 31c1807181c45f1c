"""The fast path: carries out a transition with handlers, but without tracers or log lines.

The steps and their order are those of `_engine.walk`, which takes over in all special
cases: a call that does not pass, waiters for arguments, something to report at the end. One
function does the rest and calls nothing but handlers, because calling another function costs
about as much here as a handler itself.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Protocol

from machine._calling.calling import outcome_of
from machine._engine.walk import (
    Walked,
    conclude,
    log_change,
    resume_after,
    resume_after_error,
    run_finals,
    set_rare_fields,
)
from machine._enums import EXECUTED, Result
from machine._handlers.calls import BETWEEN
from machine._transition.event import Event
from machine._transition.transition import Transition
from machine._waiting.stack import runs_in_drain

if TYPE_CHECKING:
    from machine._given import A
    from machine._handlers.lookup import Bindings, Program
    from machine._resolution.automaton import Plan
    from machine._resolution.mutation import Mutation, MutSource
    from machine._schema.schema import Call


class Running(Walked, Protocol):
    """What the fast path needs of a machine; it runs auto states right away."""

    _auto_due: bool

    def _carry_out(
        self, call: Call, args: A | None, source: MutSource | None, mutation: Mutation | None
    ) -> Result: ...


@runs_in_drain("mach", walks=True)
def run_unwatched(  # noqa: C901 - one function, so that few calls are made; see above
    mach: Running,
    plan: Plan,
    program: Program,
    bindings: Bindings,
    args: A | None,
    source: MutSource | None,
    mutation: Mutation | None,
) -> Result:
    """Carry out an accepted plan from its creation to the end, auto states included."""
    mach._tx_number = number = mach._tx_number + 1
    mach._tx = tx = Transition()
    tx.machine, tx.plan, tx.number = mach, plan, number  # type: ignore[assignment]  # it is whole
    tx._args, tx._program, tx._bindings = args, program, bindings
    tx._before, tx._calls_done = mach._ticks, 0
    if mutation is not None or source is not None:
        set_rare_fields(tx, source, mutation)
    turns = bindings.own.get(program) or bindings.paired(program)
    accepted, call, tx.clock = True, BETWEEN, monotonic()
    try:
        for handler, (name, counts, call) in turns:
            if mach._disposing and bindings.begins(call, handler):
                accepted = False
                break
            if handler is None:  # between negotiation and final phase
                if plan.growth:
                    ticks = mach._ticks.copy()
                    for index, ticked in plan.growth:
                        ticks[index] += ticked
                    mach._ticks = ticks
                mach._node = plan.after
                if mach._watched and _goes_on_watched(mach, tx):
                    accepted = run_finals(mach, tx)
                    break
                continue
            mach._handler = name
            event = Event()
            event.name, event.machine, event._tx = name, tx.machine, tx
            answer = handler(event)
            now = monotonic()
            took, tx.clock = now - tx.clock, now
            if took > mach._handler_limit or (answer is not None and answer is not True):
                outcome = outcome_of(mach, tx, call, answer, took)
                if outcome:
                    accepted = resume_after(mach, tx, call, outcome)
                    break
            tx._calls_done += counts
    except BaseException as error:  # noqa: BLE001 - protects the machine from user code
        accepted = resume_after_error(mach, tx, call, error)
    if not accepted or mach._queue or mach._slow or (mach._watched and _is_watched(mach, tx)):
        return conclude(mach, tx, accepted)
    tx._after, tx.completed, mach._handler = mach._ticks, True, ""
    auto = mach._node.auto
    if auto is not None and plan.growth and not plan.call.auto:
        tx.queue_len, mach._auto_due = 1, True
        mach._carry_out(auto, None, None, mach._node.auto_mutation)
        mach._auto_due = False
    return EXECUTED


def _goes_on_watched(mach: Running, tx: Transition) -> bool:
    """Log what changed, if there is a level now; True if arguments of a state are awaited."""
    if mach._log_level:
        log_change(mach, tx)
    waiters, plan = mach._waiters, tx.plan
    return waiters is not None and plan not in waiters.args_ignored and waiters.awaits_args(plan)


def _is_watched(mach: Running, tx: Transition) -> bool:
    """Whether the end has to be reported to tracers, waiters, or contexts of states."""
    if mach._hooks is not None or mach._pending_lines:
        return True
    waiters, contexts, plan = mach._waiters, mach._state_contexts, tx._again or tx.plan
    if waiters is not None and waiters.pending and waiters.awaits_change(plan):
        return True
    return contexts is not None and contexts.ends_by(plan)
