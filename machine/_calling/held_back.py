"""Holds back auto states that failed, until something else changes.

An error changes a tick, a changed tick lets the auto states try to activate, and an auto
state whose handler fails makes an error. To end this circle, an auto state whose
handler failed is *held back*: it is left out of auto mutations, and no other auto state
brings it by `add`, until a transition changes a tick that neither an error nor the auto
states caused. A mutation with `Exception` among its called states counts as one of an error.

A handler fails when it raises, is late, or reports an error itself (`add_err` and its kin);
a coroutine handler when its task does. A refusal is not a failure. `FooEnter`, `FooState` and
`YFoo` are handlers of Foo, in every transition in which Foo enters.

An auto transition also fails by handlers of other states: of those that auto states push
out or bring along, or of all (`AnyEnter`, `AnyState`). The called states that lead to it
are *suspected* then: those that add or remove the state whose handler it was, directly or
through what they add, and if there are none, all that were targets. They may try once more; if
they lead to a failure again, they are held back too.

So each auto transition that fails marks at least one more of its called states, and the
drain ends. The marks belong to the node on which the machine stands (`_resolution.automaton`), so a
machine whose auto states never fail pays nothing for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from machine._enums import MutationType
from machine._handlers.calls import HandlerCall, Phase
from machine._resolution.mutation import Mutation

if TYPE_CHECKING:
    from collections import deque

    from machine._resolution.automaton import Marks, Node
    from machine._schema.schema import Call, Schema
    from machine._transition.transition import Transition

TRIES = (Phase.ENTER, Phase.PAIR, Phase.STATE)


class Marked(Protocol):
    """A machine, as the marks of its auto states need it."""

    _node: Node


class MarkedLater(Marked, Protocol):
    """The same where the marks have to wait for their turn."""

    _schema: Schema
    _queue: deque[Mutation]


def hold_back(mach: Marked, tx: Transition, call: HandlerCall) -> None:
    """Mark the auto states that led to a handler that failed; called by the drainer."""
    if not tx.plan.node.automaton.schema.autos:
        return
    held, suspected = _marks(tx, call)
    if held or suspected:
        tx._marks = tx._marks[0] | held, tx._marks[1] | suspected
        mach._node = mach._node.marked(held, suspected)


def _marks(tx: Transition, call: HandlerCall) -> Marks:
    """Which states to hold back and which to suspect; some were suspected before."""
    schema, mutation, plan = tx.plan.node.automaton.schema, tx.plan.call, tx.verdict
    about = call.source if call.phase is Phase.STATE else call.target
    tried = call.phase in TRIES and about in plan.enters
    own = 1 << about if tried and about in schema.autos else 0
    if not mutation.auto or own & mutation.mask:
        return own, 0
    targets = mutation.mask & plan.after.mask
    leading = _leading_to(schema, mutation, (call.source, call.target)) or targets
    return own | leading & tx.plan.node.marks[1], leading


def _leading_to(schema: Schema, call: Call, about: tuple[int, int]) -> int:
    """The called states that add or remove one of these, directly or through what they add."""
    found = 0
    for state in call.called:
        reached = {state, *schema.add[state]}
        reached.update(*[schema.add[added] for added in schema.add[state]])
        removed = {target for one in reached for target in schema.remove[one]}
        if not (reached | removed).isdisjoint(about):
            found |= 1 << state
    return found


def hold_back_soon(mach: MarkedLater, state: str) -> None:
    """Hold back an auto state before the machine runs the error that follows; in any thread."""
    schema = mach._schema
    if schema.index.get(state) in schema.autos:
        call = schema.call(MutationType.ADD, ())
        mach._queue.append(Mutation(call, eval_fn=lambda: _hold(mach, state)))


def _hold(mach: MarkedLater, state: str) -> None:
    index = mach._schema.index.get(state)
    if index is not None:
        mach._node = mach._node.marked(1 << index, 0)
