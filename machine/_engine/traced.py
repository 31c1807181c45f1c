"""The traced path: carries out a transition without handlers that only tracers observe.

The steps and their order are those of `_engine.walk`. As in `_engine.unwatched`, one function
does everything that is usual. Functions of `walk` take over for hooks of the start, and at
the end if there are auto states, a queue, lines, or other tracers than at the start.
"""

from __future__ import annotations

from time import monotonic_ns
from typing import TYPE_CHECKING

from machine._engine.walk import Walked, conclude, report_start, run_finals
from machine._enums import EXECUTED, Result
from machine._transition.transition import PlainTransition
from machine._waiting.stack import runs_in_drain

if TYPE_CHECKING:
    from machine._given import A
    from machine._resolution.automaton import Plan
    from machine._transition.tracing import TracerHooks


@runs_in_drain("mach", walks=True)
def run_traced(mach: Walked, plan: Plan, hooks: TracerHooks, args: A | None) -> Result:
    """Carry out an accepted plan from its creation to the end, waiters included."""
    mach._tx_number = number = mach._tx_number + 1
    mach._tx = tx = PlainTransition()
    tx.machine, tx.plan, tx.number = mach, plan, number  # type: ignore[assignment]  # it is whole
    tx._args, tx._before, tx.is_plain = args, mach._ticks, not args
    if hooks.of_starts:
        report_start(mach, tx)
        if mach._disposing:
            return conclude(mach, tx, accepted=False)
    else:
        tx.started_ns = monotonic_ns()
    if plan.growth:
        ticks = mach._ticks.copy()
        for index, ticked in plan.growth:
            ticks[index] += ticked
        mach._ticks = ticks
    mach._node = node = plan.after
    waiters = mach._waiters
    if waiters is not None and waiters.args_pending and waiters.awaits_args(plan):
        run_finals(mach, tx)
    if node.auto is not None or mach._queue or mach._pending_lines or mach._hooks is not hooks:
        return conclude(mach, tx, accepted=True)
    tx._after, tx.completed, tx.ended_ns = mach._ticks or tx._before, True, monotonic_ns()
    for hook in hooks.transition_end:
        tx._last_hook = hook
        try:
            hook(tx)
        except Exception as error:  # noqa: BLE001 - protects the program from a tracer
            hooks.failed(hook, error)
    if plan.growth:
        waiters, contexts = mach._waiters, mach._state_contexts
        if waiters is not None and waiters.pending and waiters.awaits_change(plan):
            waiters.ticks_changed(plan.changed)
        if contexts is not None:
            contexts.ticks_changed(plan.changed)
    return EXECUTED
