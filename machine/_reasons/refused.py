"""Keeps why calls were refused, for those that ask.

A `Refused` is made when a mutation is canceled, so an accepted one pays nothing. It keeps what the
reason is made of: the plan, the name of a handler, the ticks before. It refers to no
transition, no arguments and no handler, so it keeps no history alive. Its text is made when it
is read.

There are three places for it:

- *The last of a thread.* `Machine.last_refusal` shows what the calling thread was refused last by
  that machine. The mutation of a call may run inside a drain that runs others as well; those
  are refused to other callers. So the engine keeps the last one only for the mutation of the call
  itself: one that runs without the queue, or the one with which its thread began to drain.
- *The last of a state.* The handler that refused a state last, while it was called. It counts
  until the state activates, which its tick shows.
- *The mutation*, for its outcome (`_asking`).

Most refusals are those of plans that relations refused, and they have to cost next to nothing. So
the machine itself keeps the newest of these, with the ticks before, as long as they belong to
one thread (`_engine.carrying`). When another thread's comes, it moves to what its own thread
keeps, as do all other refusals: at least those of the last `MACHINES_MAX` machines, which are
referred to weakly. Of the thread the machine has the identifier, since that is read fastest. The
system may give it again to a later thread, for which the last refusal is then that of the one that
has ended, until it is refused something itself. A state has at most one.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from threading import get_ident
from typing import TYPE_CHECKING, Protocol
from weakref import ref

from machine._reasons.reason import Reason, ReasonKind
from machine._reasons.relations import drop_text, drops_of

if TYPE_CHECKING:
    from machine._resolution.automaton import Node, Plan
    from machine._resolution.mutation import Mutation
    from machine._schema.schema import Call

MACHINES_MAX = 16
"""Of at least so many machines each thread remembers the last refusal."""


class Prefixed(Protocol):
    """The machine whose transitions have this prefix."""

    @property
    def tx_prefix(self) -> str: ...


class RefusingMachine(Protocol):
    """A machine, as far as its refusals are kept."""

    _refused_thread: int
    _refused_table: Table
    _refused_plan: Plan | None
    _refused_ticks: Sequence[int]
    _ticks: list[int]


class Refused:
    """What the reason of one refused call is made of; a field that is not set has no meaning.

    `plan` is None if a resolver decides, since its plans refer to the machine; then `call` is set.
    """

    # As for a transition, `__init__` would cost more than all that it does.

    kind = ReasonKind.RELATION
    plan: Plan | None = None
    call: Call | None = None
    handler = ""
    at = ""
    """Where the handler raised; or the text of the reason, if there is no handler."""
    is_check = False
    number = 0
    before: Sequence[int] = ()

    def reason(self, mach: Prefixed) -> Reason:
        """The reason with its text, made when it is read."""
        states, names, text = self._words()
        tx_id = f"{mach.tx_prefix}{self.number:016x}" if self.number else ""
        return Reason(self.kind, text, states, names, self.is_check, tx_id, sum(self.before))

    def _words(self) -> tuple[tuple[str, ...], tuple[str, ...], str]:
        """The states, the names and the text of the reason."""
        plan = self.plan
        call = self.call if plan is None else plan.call
        called = () if call is None else call.names
        if self.handler:
            return called, (self.handler,), self._of_handler()
        if self.kind is not ReasonKind.RELATION:
            return called, (), self.at or TEXTS[self.kind]
        if plan is None:
            return called, (), f"the resolver leaves out some of {' '.join(called)}"
        return _of_relations(plan.node, plan.call)

    def _of_handler(self) -> str:
        if self.kind is ReasonKind.HANDLER:
            return f"{self.handler} denied it"
        if self.kind is ReasonKind.TIMEOUT:
            return f"{self.handler} was late"
        return f"{self.handler} failed{f', raised at {self.at}' if self.at else ''}"


TEXTS = {
    ReasonKind.ERROR: "there is no error to add",
    ReasonKind.INTERRUPT: "an interrupt ended it",
    ReasonKind.DISPOSED: "the machine is disposed",
    ReasonKind.LOOP_CLOSED: "the event loop of the machine is closed",
}


def _of_relations(node: Node, call: Call) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """The called states that relations leave out, what stands against them, and all in words."""
    names, drops = node.automaton.schema.all_names, drops_of(node, call)
    out = [state for state in call.called if state in drops]
    against = [one for state in out for one in (*drops[state].missing, *drops[state].removers)]
    return (
        tuple([names[state] for state in out]),
        tuple(dict.fromkeys([names[one] for one in against])),
        "; ".join([drop_text(node, state, drops[state]) for state in out]),
    )


Table = dict[int, tuple["ref[object]", Refused]]


class ThreadRefusals(threading.local):
    """The last refusals of the calling thread, by the id of the machine."""

    def __init__(self) -> None:
        self.table: Table = {}

    def put(self, mach: RefusingMachine, refused: Refused) -> None:
        """Keep a refusal of this thread; it is newer than what the machine has of it."""
        with _moving:
            _put(self.table, mach, refused)
            if mach._refused_thread == get_ident():
                mach._refused_thread = 0

    def take_over(self, mach: RefusingMachine, plan: Plan) -> None:
        """The machine keeps plans refused to this thread from now on; that of another moves."""
        with _moving:
            if mach._refused_thread:
                _put(mach._refused_table, mach, _of_machine(mach))
            mach._refused_plan, mach._refused_ticks = plan, mach._ticks
            mach._refused_table, mach._refused_thread = self.table, get_ident()

    def of(self, mach: RefusingMachine) -> Refused | None:
        """The last refusal of a machine."""
        with _moving:
            if mach._refused_thread == get_ident():
                return _of_machine(mach)
            found = self.table.get(id(mach))
        return found[1] if found is not None and found[0]() is mach else None


here = ThreadRefusals()
_moving = threading.RLock()
"""Held to read and change what threads keep; a finalizer may run within it."""


def _put(table: Table, mach: object, refused: Refused) -> None:
    key = id(mach)
    table.pop(key, None)  # it may be that of a machine that is gone, and has to come last
    if len(table) >= MACHINES_MAX:
        del table[next(iter(table))]
    table[key] = ref(mach), refused


def _of_machine(mach: RefusingMachine) -> Refused:
    plan = mach._refused_plan
    assert plan is not None  # it has a thread
    return refused_by(plan, ReasonKind.RELATION, mach._refused_ticks)


def keep_last(mach: RefusingMachine, refused: Refused) -> None:
    """Keep what a machine refused to the calling thread, in place of the one before."""
    here.put(mach, refused)


def last_of(mach: RefusingMachine) -> Refused | None:
    """What this machine refused last to the calling thread."""
    return here.of(mach)


def refused_by(plan: Plan | None, kind: ReasonKind, before: Sequence[int] = ()) -> Refused:
    """A refusal of this kind."""
    refused = Refused()
    refused.kind = kind
    refused.before = before
    if plan is None or plan.node.automaton.is_pure:
        refused.plan = plan
    else:
        refused.call = plan.call
    return refused


def keep_own(mach: RefusingMachine, mutation: Mutation) -> None:
    """Keep why the mutation with which this thread began to drain was canceled."""
    keep_last(mach, refused_in(mutation))


def refused_in(mutation: Mutation, kind: ReasonKind = ReasonKind.DISPOSED) -> Refused:
    """Why a mutation was canceled; `kind` is why it was if it did not begin."""
    refused = mutation.refused
    return refused if isinstance(refused, Refused) else refused_by(None, kind)


def keep_plan(mach: RefusingMachine, plan: Plan, mutation: Mutation | None) -> None:
    """Keep a plan that relations refused; called by the drainer."""
    if mutation is None:
        here.take_over(mach, plan)
    else:
        mutation.refused = refused_by(plan, ReasonKind.RELATION, mach._ticks)


def keep(mach: RefusingMachine, mutation: Mutation | None, refused: Refused) -> None:
    """Keep it with its mutation; one without a mutation ran in the call of this thread."""
    if mutation is None:
        keep_last(mach, refused)
    else:
        mutation.refused = refused
