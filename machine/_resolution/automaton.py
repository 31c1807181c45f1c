"""The cache of resolved mutations, as an automaton that grows with each new transition.

Resolution is a pure function of the schema, the ordered active states and the call. So a
`Node` stands for one ordered active list, and remembers for each call met there the
`Plan`: what resolution decided, which ticks grow and which node follows. Machines of one
schema walk the same automaton. The order of the active list belongs to the node, since
results depend on it. So do the marks of auto states that failed (`_calling.held_back`), since other
auto states follow then: a plan that changes a tick leads to a node without marks, unless an
error or the auto states caused it.

The memory is bounded: once there are `limit` nodes, or `PLANS_PER_NODE` times as many plans,
it is closed. What it holds stays in use; any other plan is computed each time, and its nodes
are freed afterwards. So a program that never returns to an earlier configuration is not
slower than without a memory, whose upkeep costs a tenth of a plan. Of the plans that find no
room some are sampled, by their hash. Once many of these come back, all that is remembered is
forgotten at once, and the memory fills again with the plans that come then. With `limit` 0
nothing is remembered and the same code computes every plan.

A machine keeps the node it stands on when all is forgotten; the plans of that node are
forgotten too, so its next step leads into the new memory and the old one can be freed. While
it makes no step (mutations that are rejected) its node is a part of the new memory, unless
another node of the same states is; then it remembers one plan only.

The nodes of all automata together are bounded as well: every `COUNT_EVERY` of them are counted
with the schema, and schemas that no machine uses are dropped (`_schema.sharing`).

Threads: several machines may extend one automaton at the same time. Each extension is one
assignment into a dict; when two threads compute the same plan both results are equal and
one of them stays. Counting may lag by a few, which moves the bound by as much.
"""

from __future__ import annotations

from typing import Any

from machine._enums import CANCELED, EXECUTED, Result
from machine._resolution.mutation import AutoMutation
from machine._resolution.resolve import (
    Explanation,
    Trail,
    Verdict,
    auto_states,
    growth_of,
    mask_of,
    resolve,
)
from machine._schema.schema import Call, Indexes, Schema
from machine._schema.sharing import grown

Marks = tuple[int, int]
"""Masks of auto states that failed: those held back, and those suspected."""

NO_MARKS: Marks = (0, 0)

Key = Indexes | tuple[Indexes, Marks]

NODES_MAX = 4096
PLANS_PER_NODE = 2
SAMPLE_EVERY = 8
COUNT_EVERY = 256
"""So many new nodes are counted at once with all others that the process remembers."""


class Node:
    """One ordered list of active states, and where each call met here leads."""

    __slots__ = ("active", "auto", "auto_mutation", "automaton", "marks", "mask", "names", "plans")

    def __init__(self, automaton: Automaton, active: Indexes, marks: Marks = NO_MARKS) -> None:
        schema, held = automaton.schema, marks[0]
        self.automaton: Automaton = automaton
        self.active: Indexes = active
        self.marks: Marks = marks
        self.mask: int = mask_of(active)
        self.names: frozenset[str] | None = None
        self.plans: dict[Call, Plan] = {}
        called = auto_states(schema, active, held) if schema.autos else ()
        self.auto: Call | None = schema.auto_call(called, held) if called else None
        self.auto_mutation: AutoMutation | None = (
            None if self.auto is None else AutoMutation(self.auto)
        )

    @property
    def key(self) -> Key:
        """The key that distinguishes it from the other nodes of its automaton."""
        return self.active if self.marks is NO_MARKS else (self.active, self.marks)

    def marked(self, held: int, suspected: int) -> Node:
        """The node of the same active states with these marks as well."""
        marks = self.marks[0] | held, self.marks[1] | suspected
        return self if marks == self.marks else self.automaton.node(self.active, marks)

    def named(self) -> frozenset[str]:
        """The `names` of the active states, made when they are first needed.

        They take more memory than the rest of a node, and most nodes never need them.
        """
        made = self.names
        if made is None:
            names = self.automaton.schema.names
            self.names = made = frozenset([names[index] for index in self.active])
        return made


class Plan:
    """The outcome of one call at one node.

    `growth` pairs a state with how much its tick grows; `changed` lists those states.
    `after` is the node that follows. `entered` and `moved` are the names of the states that
    activate, or change at all; None until waiters ask for them.
    """

    __slots__ = (
        "_explanation",
        "accepted",
        "after",
        "call",
        "changed",
        "entered",
        "enters",
        "exits",
        "growth",
        "moved",
        "node",
        "result",
        "targets",
    )

    def __init__(
        self, node: Node, call: Call, verdict: Verdict, explanation: Explanation | None = None
    ) -> None:
        automaton = node.automaton
        self.node: Node = node
        self.call: Call = call
        self.accepted: bool = verdict.accepted
        self.exits: Indexes = verdict.exits
        self.enters: Indexes = verdict.enters
        self._explanation = explanation
        self.entered: frozenset[str] | None = None
        self.moved: frozenset[str] | None = None
        self.result: Result = EXECUTED if verdict.accepted else CANCELED
        if not verdict.accepted:
            self.growth: tuple[tuple[int, int], ...] = ()
            self.changed: Indexes = ()
            self.targets: Indexes = verdict.targets
            self.after: Node = node
            return
        self.growth = growth_of(node.mask, verdict.enters, verdict.exits)
        self.changed = tuple([index for index, _ in self.growth])
        marks = node.marks
        if self.growth and not (call.auto or call.calls_exception):
            marks = NO_MARKS
        self.after = automaton.node(verdict.targets, marks)
        self.targets = self.after.active  # equal, and kept once

    def name_states(self) -> tuple[frozenset[str], frozenset[str]]:
        """Make `entered` and `moved`; most plans have no waiters and never need them."""
        names = self.node.automaton.schema.names
        self.entered = entered = frozenset([names[index] for index in self.enters])
        self.moved = moved = frozenset([names[index] for index in self.changed])
        return entered, moved

    def change_texts(self) -> tuple[str, str]:
        """The log line of the change, and the longer one of all targets; empty if none changes.

        They are kept with the automaton, since most plans are never logged.
        """
        kept = self.node.automaton.change_texts
        texts = kept.get(self)
        if texts is None:
            texts = self._write_change()
            if self.is_remembered:
                kept[self] = texts
        return texts

    def _write_change(self) -> tuple[str, str]:
        names, before = self.node.automaton.schema.names, self.node.mask
        added = [state for state in self.enters if not before >> state & 1]
        again = [state for state in self.enters if before >> state & 1]
        parts = [f"+{names[state]}" for state in (*added, *again)]
        parts += [f"-{names[state]}" for state in self.exits]
        kept = [names[state] for state in self.targets if state not in self.enters]
        begin = f"[state{':auto' * self.call.auto}]"
        texts = " ".join([begin, *parts]), " ".join([begin, *parts, *kept])
        return texts if parts else ("", "")

    @property
    def question(self) -> object:
        """The key of a plan: plans with equal keys have the same content."""
        node = self.node
        return (self.call, node.active) if node.automaton.is_pure else self

    @property
    def is_remembered(self) -> bool:
        """Whether the same call at the same node returns this plan again."""
        return self.node.plans.get(self.call) is self

    def explanation(self) -> Explanation:
        """How it was decided, as steps and log lines; computed again unless they were kept."""
        if self._explanation is None:
            schema, active = self.node.automaton.schema, self.node.active
            trail = Trail(schema, active, self.call)
            resolve(schema, active, self.call, trail)
            self._explanation = trail.explanation()
        return self._explanation


class Automaton:
    """The nodes of one schema that are remembered, at most `limit` of them."""

    is_pure = True  # equal calls at equal nodes have equal plans

    __slots__ = (
        "_missed",
        "_misses",
        "_returns",
        "_room",
        "change_texts",
        "layouts",
        "limit",
        "nodes",
        "resets",
        "schema",
    )

    def __init__(self, schema: Schema, limit: int = NODES_MAX) -> None:
        self.schema: Schema = schema
        self.limit: int = limit
        self.nodes: dict[Key, Node] = {}
        self.resets: int = 0
        self.layouts: dict[Any, Any] = {}  # of handlers; see `_handlers.lookup`
        self._begin()

    def _begin(self) -> None:
        """Begin a memory with room for some plans."""
        self._room = self.limit * PLANS_PER_NODE
        self._missed: set[int] = set()
        self._misses = self._returns = 0
        self.change_texts: dict[Plan, tuple[str, str]] = {}

    def node(self, active: Indexes, marks: Marks = NO_MARKS) -> Node:
        """The node of an ordered active list; closes the memory if it is full."""
        key: Key = active if marks is NO_MARKS else (active, marks)
        found = self.nodes.get(key)
        if found is not None:
            return found
        if len(self.nodes) >= self.limit:
            self._room = 0
            return Node(self, active, marks)
        if len(self.nodes) % COUNT_EVERY == COUNT_EVERY - 1:
            grown(self.schema, COUNT_EVERY)
        return self.nodes.setdefault(key, Node(self, active, marks))

    def extend(self, node: Node, call: Call, *, explained: bool = False) -> Plan:
        """Compute a plan, and remember it while there is room.

        An `explained` one gets its explanation at once, which costs less than to decide again.
        """
        schema, active = self.schema, node.active
        trail = Trail(schema, active, call) if explained else None
        verdict = resolve(schema, active, call, trail)
        plan = Plan(node, call, verdict, None if trail is None else trail.explanation())
        if self._room > 0 or self._starts_again(node, call):
            if self.nodes.setdefault(node.key, node) is not node:
                node.plans = {}  # the other node remembers
            self._room -= 1
            node.plans[call] = plan
        return plan

    def _starts_again(self, node: Node, call: Call) -> bool:
        """Sample the plans that find no room; forget all once many of the sample came back.

        Many are half as many as there is room for nodes, within as many others as there is
        room for plans; after those, the sample begins again.
        """
        self._misses += 1
        if self._misses % SAMPLE_EVERY or not self.limit:
            return False
        key = hash((node.active, call))
        if key in self._missed:
            self._returns += 1
        elif len(self._missed) * SAMPLE_EVERY < self.limit * PLANS_PER_NODE:
            self._missed.add(key)
        else:
            self._missed, self._returns = {key}, 0
        if self._returns * SAMPLE_EVERY * 2 < self.limit:
            return False
        self._forget()
        return True

    def for_schema(self, schema: Schema) -> Automaton:
        """The automaton that goes on when the schema is changed."""
        return automaton_of(schema, self.limit)

    def _forget(self) -> None:
        nodes, self.nodes = self.nodes, {}
        grown(self.schema, -(len(nodes) // COUNT_EVERY * COUNT_EVERY))
        for node in list(nodes.values()):
            node.plans = {}
        self.layouts = {}
        self.resets += 1
        self._begin()


def automaton_of(schema: Schema, limit: int = NODES_MAX) -> Automaton:
    """The automaton that all machines of this schema and limit share."""
    found = schema.automata.get(limit)
    if found is None:
        found = schema.automata.setdefault(limit, Automaton(schema, limit))
    assert isinstance(found, Automaton)
    return found
