"""Recovery after an interrupt: finishes the transition and drain that it left open.

Ctrl+C raises KeyboardInterrupt in the main thread, a signal handler may raise anything
there, and `PyThreadState_SetAsyncExc` raises in any thread. The interpreter lets such an
*interrupt* in at three kinds of places only: after a call, when a function begins, and when
a loop turns. It never does between two assignments, or inside an operation of a built-in
type. So everything that belongs together is written as statements without a call
between them:

- Taking the token and recording that: `del self._idle`, then `holds = True`. A call such as
  `idle.pop()` could lose the token, because an interrupt may come after the call and before
  its result is stored. For the same reason the step of a `for` loop takes a mutation out of
  the queue, and a number for it.
- Changing states: the new ticks, then the new node.
- Ending a waiter: out of the index, then its mark.

If the thread that holds the token is interrupted, it does three things: it sets `_interrupted`,
gives the token back, and tries to finish what is open. `_interrupted` is set before anything can
interrupt again, and only `recover` clears it, at its end. So if finishing is interrupted as
well, the next drain begins with it, in any thread. Each step of `recover` can be repeated
without harm.

The outcome of an interrupted mutation:

- If its states have not changed yet, it is canceled.
- If they have changed, everything that follows is done: tracers are called, waiters and
  contexts are released. If final handlers are still to be called, or one was interrupted,
  their states are reverted, as when a handler raises; recovery calls no handler. Otherwise
  the mutation is accepted, and its auto states wait at the front of the queue.
- Mutations in the queue go on waiting, for the next drain. A mutation that was taken out
  and had not begun is back in its place.

Two things may happen twice: a tracer gets a new schema, and the auto states are run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from machine._calling.calling import END, revert
from machine._engine.walk import Walked, conclude
from machine._handlers.calls import HandlerCall
from machine._waiting.stack import runs_in_drain

if TYPE_CHECKING:
    from machine._resolution.mutation import Mutation
    from machine._transition.transition import Transition


class Interruptible(Walked, Protocol):
    """What recovery needs of a machine."""

    _interrupted: bool
    _auto_due: bool
    _unfinished: Mutation | None

    def _follow_schema(self) -> None: ...
    def _finish_queued(self, mutation: Mutation) -> None: ...
    def _put_auto(self, mutation: Mutation) -> None: ...
    def _set_slow(self) -> None: ...


@runs_in_drain("mach")
def recover(mach: Interruptible) -> None:
    """Finish what is open; with the token, before anything else is done with it."""
    tx = mach._tx
    if tx is not None:
        _end_transition(mach, tx)
        mach._tx = None
    _put_back(mach)
    mach._follow_schema()
    ticks = mach._ticks
    if mach._state_contexts is not None and ticks:
        mach._state_contexts.ticks_changed(range(len(ticks)))
    if mach._waiters is not None:
        mach._waiters.recover()
    mach._handler = ""
    mach._interrupted = False
    mach._set_slow()


def _end_transition(mach: Interruptible, tx: Transition) -> None:
    """End a transition that an interrupt left open."""
    if not tx.completed:
        accepted = not tx._recovered and tx.accepted and _took_effect(mach, tx)
        tx._recovered, tx._to_raise = True, None  # a second attempt runs no auto states
        conclude(mach, tx, accepted)
        return
    hooks = mach._hooks
    if hooks is not None:
        calls, last = hooks.transition_end, tx._last_hook
        for hook in calls[calls.index(last) + 1 :] if last in calls else calls:
            tx._last_hook = hook
            try:
                hook(tx)
            except Exception as error:  # noqa: BLE001 - protects the program from a tracer
                hooks.failed(hook, error)


def _took_effect(mach: Interruptible, tx: Transition) -> bool:
    """Whether the mutation took effect; if not, its states are as before."""
    ticks, before = mach._ticks, tx._before
    if not ticks or ticks is before:
        return False
    call = _open_call(tx)
    if call is not None:
        revert(mach, tx, call)
    waiters = mach._waiters
    if waiters is not None and waiters.args_pending:
        for state in tx.verdict.enters:
            if ticks[state] & 1 and mach._ticks[state] == ticks[state]:
                waiters.activated(state, tx.args())
    return call is None


def _open_call(tx: Transition) -> HandlerCall | None:
    """The first final handler that did not return; None if all did."""
    finals = [call for call in tx._program.finals if call.bound]
    if tx._steps is None:
        negotiation = [call for call in tx._program.negotiation if call.bound]
        done = tx._calls_done - len(negotiation)
        return finals[done] if done < len(finals) else None
    call = tx._call
    return call if call is not None and call.phase >= END else next(iter(finals), None)


def _put_back(mach: Interruptible) -> None:
    """Put back what was taken out of the queue, and the auto states that are due."""
    mutation = mach._unfinished
    if mutation is not None:
        if mutation.result is None:
            mach._unfinished = None
            mach._queue.appendleft(mutation)
        elif mutation.queue_tick:
            mach._finish_queued(mutation)
        mach._unfinished = None
    if mach._auto_due:
        put_due_auto(mach)


def put_due_auto(mach: Interruptible) -> None:
    """Put auto states at the front of the queue if an interrupt took their turn."""
    mach._auto_due = False
    mutation = None if mach._disposing else mach._node.auto_mutation
    if mutation is not None:
        mach._put_auto(mutation)
