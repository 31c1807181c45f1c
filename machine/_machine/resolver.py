"""Resolvers: objects that replace the rules of relations for one machine.

`Machine(..., resolver=obj)` calls `obj` for the targets of every mutation, for their order,
and for the mutation of the auto states. Plans are not remembered then, since the results may
depend on anything; each mutation calls it again.

For each mutation:

1. `get_target_states(tx, states_to_set)`. `tx` is the transition about to begin, with its
   type, called states and the states before; it has no args and no source, since
   relations are about states. `states_to_set` are the states that the mutation names and keeps. It
   returns the targets in handler order.
2. The machine accepts or rejects as always: every called state has to be a target.
3. `sort_states(states)` puts the states that leave into handler order, in place.
4. After an accepted transition that changed a tick and was not auto itself:
   `get_auto_mutation()`, whose called states may activate next. While the machine is being
   disposed, one call may have no effect.

When handlers refuse states of an auto transition, the resolver is called again, with
the called states that are left. If it names a refused state all the same, that state is left
out. So are auto states that are held back after a failure. If a resolver
raises, the error is raised in the thread that drains the queue, mostly the caller of the
mutation, and nothing has changed.

A resolver is called by the drainer, in its thread, and must not mutate the machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from machine._enums import Relation
from machine._given import Names, names_tuple
from machine._handlers.lookup import NOTHING_BOUND
from machine._resolution.automaton import NO_MARKS, Automaton, Marks, Node, Plan
from machine._resolution.mutation import AutoMutation, Mutation
from machine._resolution.resolve import (
    Trail,
    Verdict,
    auto_states,
    judge,
    mask_of,
    request,
    sort,
    start,
    targets_of,
)
from machine._schema.state import State, unique
from machine._transition.transition import new_transition
from machine.errors import StateMissingError, StateUnknownError, did_you_mean

if TYPE_CHECKING:
    from machine._schema.schema import Call, Indexes, Schema
    from machine._transition.owner import Machine
    from machine._transition.transition import Transition

ORDER = (Relation.ADD, Relation.REQUIRE, Relation.REMOVE, Relation.AFTER)


class Resolver(Protocol):
    """What a machine needs of a resolver."""

    def get_target_states(self, tx: Transition, states_to_set: list[str]) -> Sequence[str]:
        """The states that are to be active after a transition, in handler order."""

    def get_auto_mutation(self) -> Mutation | None:
        """The mutation of the auto states now, if any."""

    def sort_states(self, states: list[str]) -> object:
        """Put states into handler order, in place."""

    def get_relations_of(self, state: str) -> list[Relation]:
        """The relations that a state defines, in the order add, require, remove, after."""

    def get_relations_between(self, from_state: str, to_state: str) -> list[Relation]:
        """The relations in which one state names another, in that order."""

    def new_struct(self) -> object:
        """Called when the machine gets a schema, and each time it changes."""


class RelationsResolver:
    """The rules of relations (`_resolution.resolve`); what every machine has by default.

    A subclass may change one answer and leave the others to it.
    """

    machine: Machine
    """The machine of this resolver; set by the machine that is made with it."""

    def __init__(self, machine: Machine | None = None) -> None:
        if machine is not None:
            self.machine = machine

    def get_target_states(self, tx: Transition, states_to_set: Sequence[str]) -> list[str]:
        """The states that relations leave of these and add to them."""
        node, plan = tx.plan.node, tx.plan
        schema = node.automaton.schema
        states = _indexes(schema, states_to_set)
        targets = targets_of(schema, list(states), node.mask, plan.call, self._trail())
        return [schema.names[index] for index in targets]

    def get_auto_mutation(self) -> Mutation | None:
        """An add of all auto states that are inactive and not removed by an active one."""
        schema, node = self.machine._schema, self.machine._node
        called = auto_states(schema, node.active, node.marks[0])
        return AutoMutation(schema.auto_call(called)) if called else None

    def auto_mutation(self, states: Names) -> Mutation:
        """A mutation by which these states try to activate, each on its own."""
        schema = self.machine._schema
        return AutoMutation(schema.auto_call(_indexes(schema, names_tuple(states))))

    def sort_states(self, states: list[str]) -> None:
        """Sort by Require, then by After."""
        schema = self.machine._schema
        order = sort(schema, list(_indexes(schema, states)), self._trail())
        states[:] = [schema.names[index] for index in order]

    def get_relations_of(self, state: str) -> list[Relation]:
        """The relations that a state defines, empty ones included."""
        defined = self._state(state)
        return [r for r in ORDER if defined.given(str(r)) is not None]

    def get_relations_between(self, from_state: str, to_state: str) -> list[Relation]:
        """The relations in which one state names another."""
        defined = self._state(from_state)
        self._state(to_state)
        return [r for r in ORDER if to_state in getattr(defined, str(r))]

    def new_struct(self) -> None:
        """Do nothing; nothing here depends on the schema."""

    def _trail(self) -> Trail | None:
        """The trail of the plan that is being made."""
        automaton = self.machine._node.automaton
        return automaton.trail if isinstance(automaton, ResolverAutomaton) else None

    def _state(self, name: str) -> State:
        schema = self.machine._schema
        if name not in schema.index:
            raise StateUnknownError(f"{name}{did_you_mean([name], schema.names)}")
        return schema.states[schema.index[name]]


def _indexes(schema: Schema, states: Iterable[str]) -> Indexes:
    names = unique(states)
    unknown = schema.unknown(names)
    if unknown:
        raise StateMissingError(unknown, "the resolver", schema.names)
    return tuple(schema.index[name] for name in names)


CALLS = tuple(name for name in vars(Resolver) if not name.startswith("_"))


def check_resolver(resolver: object) -> None:
    """Raise for an object that lacks a call that a resolver has."""
    missing = [name for name in CALLS if not callable(getattr(resolver, name, None))]
    if missing:
        raise TypeError(f"{resolver!r} is not a resolver: it lacks {', '.join(missing)}")


class ResolverAutomaton(Automaton):
    """Remembers nothing; the resolver decides about every plan when it is made."""

    is_pure = False

    __slots__ = ("machine", "resolver", "trail")

    trail: Trail | None
    """The trail of the plan that is being made."""

    def __init__(self, schema: Schema, machine: Machine, resolver: Resolver) -> None:
        super().__init__(schema, 0)
        self.machine = machine
        self.resolver = resolver
        self.trail = None

    def for_schema(self, schema: Schema) -> Automaton:
        return ResolverAutomaton(schema, self.machine, self.resolver)

    def node(self, active: Indexes, marks: Marks = NO_MARKS) -> Node:
        return ResolverNode(self, active, marks)

    def extend(self, node: Node, call: Call, *, explained: bool = True) -> Plan:
        schema = self.schema
        self.trail = trail = Trail(schema, node.active, call)
        try:
            if not call.again:
                request(node.active, node.mask, call, trail)
            targets = self._targets(node, call)
            if call.auto and call.barred:
                targets = tuple([state for state in targets if not call.barred >> state & 1])
            trail.line("implied", [t for t in targets if not (node.mask | call.mask) >> t & 1])
            verdict = judge(schema, node.active, call, targets, trail, self._order)
        finally:
            self.trail = None
        return Plan(node, call, verdict, trail.explanation())

    def _order(self, schema: Schema, states: list[int], _: Trail | None) -> list[int]:
        names = [schema.names[index] for index in states]
        self.resolver.sort_states(names)
        return list(_indexes(schema, names))

    def _targets(self, node: Node, call: Call) -> Indexes:
        """Call the resolver for a transition that has not begun."""
        names = self.schema.names
        begin = start(node.active, call)
        plan = Plan(node, call, Verdict(False, tuple(begin)))
        number = self.machine._tx_number + 1
        tx = new_transition(self.machine, plan, NOTHING_BOUND, None, number)
        states = [names[index] for index in begin]
        return _indexes(self.schema, self.resolver.get_target_states(tx, states))


class ResolverNode(Node):
    """One list of active states; it calls the resolver once for its auto states."""

    __slots__ = ("_made",)

    automaton: ResolverAutomaton

    def __init__(
        self, automaton: ResolverAutomaton, active: Indexes, marks: Marks = NO_MARKS
    ) -> None:
        names = automaton.schema.names
        self.automaton = automaton
        self.active = active
        self.marks = marks
        self.mask = mask_of(active)
        self.names = frozenset([names[index] for index in active])
        self.plans = {}
        self._made: Mutation | None = None

    @property
    def auto_mutation(self) -> Mutation | None:  # type: ignore[override]  # made when needed
        """The mutation of the auto states; None if it calls no states."""
        made = self._made
        if made is None:
            mutation = self.automaton.resolver.get_auto_mutation()
            wanted = () if mutation is None else mutation.call.called
            held = self.marks[0]
            called = tuple([state for state in wanted if not held >> state & 1])
            call = self.automaton.schema.auto_call(called, held)
            made = self._made = AutoMutation(call)
        return made if made.call.called else None

    @property
    def auto(self) -> Call | None:  # type: ignore[override]  # as above
        """The call of that mutation."""
        mutation = self.auto_mutation
        return None if mutation is None else mutation.call
