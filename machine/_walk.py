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

Once the disposal of the machine has begun no handler starts. A transition that still had
handlers to call, or had not applied its states, is canceled; what was applied stays.

A plan with handlers that nobody watches is carried out in `_unwatched`, in the same order;
one without takes the short way in `_engine`: no transition object, same ticks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import monotonic, monotonic_ns
from typing import TYPE_CHECKING

from machine._calling import END, failed, noted, run_handler, run_watched
from machine._enums import CANCELED, CHANGES, DECISIONS, EVERYTHING, EXECUTED, OPS, Result
from machine._handlers import BETWEEN, HandlerCall, Phase, Program, final_slots
from machine._resolve import Trail, Verdict, fallen_out, growth_of
from machine._transition import Transition

if TYPE_CHECKING:
    from machine._automaton import Plan
    from machine._engine import Engine
    from machine._mutation import Mutation, MutSource
    from machine._state import A


STATE = Phase.STATE


def walk(  # noqa: C901 - one function, so that few calls are made; see its docstring
    mach: Engine,
    plan: Plan,
    program: Program,
    args: A | None,
    source: MutSource | None,
    mutation: Mutation | None,
) -> Result:
    """Carry out a transition from its creation to the end, waiters included.

    What happens to every transition stands in this one function, what happens to few in
    others: a call costs as much here as half of what a handler does.
    """
    mach._tx_number = number = mach._tx_number + 1
    mach._tx = tx = Transition()  # as `new_transition` makes one
    tx.machine, tx.plan, tx.number = mach, plan, number  # type: ignore[assignment]  # it is whole
    tx._args, tx._program, tx._before = args, program, mach._ticks
    tx._verdict = tx._steps = None
    tx._calls_done, tx.is_check, tx.is_plain = 0, False, not args
    if mutation is not None or source is not None:
        lend(tx, source, mutation)
    run = run_handler
    if mach._slow or mach._hooks is not None:
        run = run_watched
        _begin(mach, tx)
    accepted = plan.accepted
    try:
        if accepted:
            if program.negotiation:
                tx.clock = monotonic()
                for call in program.negotiation:
                    if mach._disposing:
                        break
                    if run(mach, tx, call):
                        accepted = _is_passed_over(mach, tx, call)
                        break
            if mach._disposing:
                accepted = False
            if accepted and not tx.is_check:
                _apply(mach, tx)
                waiters = mach._waiters
                if tx._verdict is not None or (waiters is not None and waiters.expects(plan)):
                    accepted = finish(mach, tx, program)
                elif program.finals:
                    if not program.negotiation:
                        tx.clock = monotonic()
                    for call in program.finals:
                        if mach._disposing or run(mach, tx, call):
                            accepted = False
                            break
    except BaseException as error:  # noqa: BLE001 - passes through, once the books are closed
        accepted, tx._passing = False, error
    return conclude(mach, tx, accepted)


def lend(tx: Transition, source: MutSource | None, mutation: Mutation | None) -> None:
    """Give a transition what only few have."""
    if source is not None:
        tx.source = source
        tx.is_plain = False
    if mutation is not None:
        tx._mutation = mutation
        if mutation.is_check:
            tx.is_check, tx.is_plain = True, False


def _begin(mach: Engine, tx: Transition) -> None:
    hooks = mach._hooks
    if hooks is not None:
        tx.started_ns = monotonic_ns()
        for tell in hooks.transition_init:
            try:
                tell(tx)
            except Exception as error:  # noqa: BLE001 - protects the host from a guest
                hooks.failed(tell, error)
    if mach._log_level:
        _announce(mach, tx)
    hooks = mach._hooks  # without those that failed just now
    if hooks is not None:
        for tell in hooks.transition_start:
            try:
                tell(tx)
            except Exception as error:  # noqa: BLE001 - protects the host from a guest
                hooks.failed(tell, error)


def conclude(mach: Engine, tx: Transition, accepted: bool) -> Result:
    """Everything after the handlers: auto states, tracers, waiters."""
    if not accepted:
        tx.accepted = False
        if tx.plan.accepted:
            tx.is_plain = False
    before = tx._before
    tx._after = after = mach._ticks or before  # a machine disposed by force has none
    mach._handler = ""
    if accepted and before is not after and (mach._node.auto is not None or mach._log_level):
        mach._queue_auto(tx.plan.call)
    if mach._pending_lines:
        tx.pre_log_entries, mach._pending_lines = mach._pending_lines, ()
        tx.is_plain = False
    if mach._queue:
        tx.queue_len = len(mach._queue)
        tx.is_plain = False
    tx.completed = True
    hooks = mach._hooks
    if hooks is not None:
        tx.ended_ns = monotonic_ns()
        for tell in hooks.transition_end:
            try:
                tell(tx)
            except Exception as error:  # noqa: BLE001 - protects the host from a guest
                hooks.failed(tell, error)
    if before is not after and (mach._waiters is not None or mach._state_contexts is not None):
        _release(mach, tx, after)
    if not accepted and tx._passing is not None:
        passing, tx._passing = tx._passing, None
        try:
            raise passing
        finally:
            del passing  # or its frames would keep it, and it them
    return EXECUTED if accepted else CANCELED


def _release(mach: Engine, tx: Transition, after: Sequence[int]) -> None:
    """Waiters and state contexts of the states whose ticks grew."""
    plan, waiters = tx.plan, mach._waiters
    if not tx.accepted or tx._verdict is not None:  # not all went by the plan
        mach._release([state for state, tick in enumerate(tx._before) if tick != after[state]])
        return
    if waiters is not None and waiters.awaits(plan):
        waiters.advanced(plan.changed)
    if mach._state_contexts is not None:
        mach._state_contexts.ended(plan.changed)


# -- before the handlers


def _announce(mach: Engine, tx: Transition) -> None:
    call = tx.plan.call
    level = DECISIONS if call.auto else OPS
    mach.log_lvl(level, f"[{call.type}{':auto' * call.auto}] {call.text}{tx.log_args()}")
    if tx.source is not None:
        mach.log_lvl(OPS, f"[source] {tx.source}")
    for line_level, text in tx.plan.notes().lines:
        mach.log_lvl(line_level, text)


# -- negotiation


def survives(mach: Engine, tx: Transition, call: HandlerCall, error: BaseException) -> bool:
    """What becomes of an unwatched transition after a handler raised; False if it is over."""
    if call is BETWEEN:
        tx._passing = error
        return False
    return goes_on(mach, tx, call, failed(mach, tx, call, error))


def goes_on(mach: Engine, tx: Transition, call: HandlerCall, outcome: int) -> bool:
    """Carry an unwatched transition on after a call that did not pass; False if it is over."""
    noted(tx, call, outcome)
    if call.phase >= END or not _is_passed_over(mach, tx, call) or mach._disposing:
        return False
    _apply(mach, tx)
    return finish(mach, tx, tx._program)


def _is_passed_over(mach: Engine, tx: Transition, denied: HandlerCall) -> bool:
    """Does a transition go on after a handler denied: only one of autos, with less."""
    if tx._passing is not None:
        return False
    if not _drops_alone(mach, tx, denied):
        return False
    gone = _drop(mach, tx, denied.target)
    calls = tx._program.negotiation
    run = run_watched if mach._slow or mach._hooks is not None else run_handler
    for call in calls[calls.index(denied) + 1 :]:
        if mach._disposing:
            break
        if _concerns(call, gone):
            continue
        if call.phase is Phase.ANY_ENTER and not tx.verdict.targets:
            return False
        if run(mach, tx, call):
            if not _drops_alone(mach, tx, call):
                return False
            gone |= _drop(mach, tx, call.target)
    return bool(tx.verdict.targets)


def _concerns(call: HandlerCall, gone: set[int]) -> bool:
    """Is this a handler of, or towards, a state that was dropped."""
    return call.target in gone or (call.phase is Phase.EXIT and call.source in gone)


def _drops_alone(mach: Engine, tx: Transition, call: HandlerCall) -> bool:
    """Log a denial, and tell if it costs one entering state of autos or everything."""
    tag = "[cancel:self]" if call.phase is Phase.SELF else "[cancel]"
    mach.log_lvl(OPS, f"{tag} ({' '.join(tx.target_states())}) by {call.name}")
    plan, target = tx.plan, call.target
    return plan.call.auto and target >= 0 and not plan.node.mask >> target & 1


def _drop(mach: Engine, tx: Transition, denied: int) -> set[int]:
    """Take an entering state out of an auto transition, with all that falls with it."""
    plan, old = tx.plan, tx.verdict
    automaton = plan.node.automaton
    trail = Trail(automaton.schema, plan.node.active, plan.call)
    targets = [state for state in old.targets if state != denied]
    targets = fallen_out(automaton.schema, plan.node.active, plan.call, targets, trail)
    tx.own_steps().extend(trail.steps)
    for level, text in trail.lines:
        mach.log_lvl(level, text)
    kept = set(targets)
    lost = [state for state in plan.node.active if state in old.targets and state not in kept]
    tx._verdict = Verdict(
        True,
        tuple(targets),
        (*old.exits, *lost),
        tuple(state for state in old.enters if state in kept),
    )
    return {denied, *old.targets} - kept


# -- applying and the final phase


def _apply(mach: Engine, tx: Transition) -> None:
    plan, verdict = tx.plan, tx._verdict
    if verdict is None:
        growth, node = plan.growth, plan.after
    else:
        growth = growth_of(plan.node.mask, verdict.enters, verdict.exits)
        node = plan.node.automaton.node(verdict.targets)
    if growth:
        ticks = mach._ticks.copy()
        for index, ticked in growth:
            ticks[index] += ticked
        mach._ticks = ticks
    mach._node = node
    if mach._log_level:
        log_change(mach, tx)


def log_change(mach: Engine, tx: Transition) -> None:
    """The line that tells which states changed."""
    verdict, names = tx.verdict, tx.plan.node.automaton.schema.names
    before = tx.plan.node.mask
    anew = [state for state in verdict.enters if not before >> state & 1]
    again = [state for state in verdict.enters if before >> state & 1]
    parts = [f"+{names[state]}" for state in (*anew, *again)]
    parts += [f"-{names[state]}" for state in verdict.exits]
    if not parts:
        return
    if mach._log_level >= EVERYTHING:
        changed = {*anew, *again}
        parts += [names[state] for state in verdict.targets if state not in changed]
    auto = ":auto" * tx.plan.call.auto
    mach.log_lvl(CHANGES, f"[state{auto}] {' '.join(parts)}{tx.log_args()}")


def finish(mach: Engine, tx: Transition, program: Program) -> bool:
    """The final phase when waiters may match or the auto transition lost states.

    `when_args` waiters of a state match after its State handlers, bound or not.
    """
    waiters = mach._waiters
    matching = waiters is not None and waiters.expects(tx.plan)
    calls: Iterable[HandlerCall] = program.finals
    if matching or tx._verdict is not None:
        names = tx.plan.node.automaton.schema.names
        every = matching or mach._log_level >= EVERYTHING
        calls = program.bindings.bound(names, final_slots(names, tx.verdict), every=every)
    run = run_watched if mach._slow or mach._hooks is not None else run_handler
    tx.clock = monotonic()
    for call in calls:
        if mach._disposing or run(mach, tx, call):
            return False
        if matching and waiters is not None and call.phase is STATE:
            waiters.activated(call.source, tx.args())
            tx.clock = monotonic()  # their callbacks are not the next handler's time
    return True
