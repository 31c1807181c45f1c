"""Why a state could not activate now.

The answer is about a call of the state alone, and follows from the schema, the active states and
what handlers refused before:

- *Relations* decide as they would for the call, step by step (`_resolution.resolve`). Either the
  state misses required states, or other states remove it, after all that the call brings along.
- A missing requirement is explained in the same way, some levels deep, each state once. If it
  requires a state that is being explained, they form a ring: none of them can come first.
- *Handlers* are not called. The handler that refused the state last, since the state was last
  active, is a reason; it may answer otherwise now.
- *The machine* may be disposed, or its queue full.

If a resolver decides in place of the relations, only handlers and the machine are explained.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from machine._enums import ADD
from machine._reasons.denials import Remembering, denial_of
from machine._reasons.refused import Prefixed
from machine._reasons.relations import Dropped, drops_of

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Sequence
    from typing import NoReturn

    from machine._reasons.reason import Reason
    from machine._resolution.automaton import Node
    from machine._resolution.mutation import Mutation

LEVELS_MAX = 8
"""How deep missing requirements are explained, the state itself included."""


class Missing(NamedTuple):
    """A required state that would be missing.

    It `is_active` if it is active now and would not stay, and `is_removed` if the state that
    requires it removes it as well. `why_not` explains an inactive one; None if it is not defined,
    or explained elsewhere in the answer.
    """

    state: str
    is_active: bool = False
    is_removed: bool = False
    is_defined: bool = True
    why_not: WhyNot | None = None

    @property
    def text(self) -> str:
        """Why it would be missing, in a line."""
        if not self.is_defined:
            return f"it requires {self.state}, which the schema does not define"
        if self.is_removed:
            return f"it requires {self.state}, which it removes"
        if self.is_active:
            return f"it requires {self.state}, which would not stay"
        free = self.why_not is not None and not self.why_not
        return f"it requires {self.state}, which is not active{' but could activate' * free}"


class WhyNot(NamedTuple):
    """Why a state could not activate now; false if nothing known stands against it.

    `missing` are required states that would be missing, `blockers` the states that would remove
    it, `replaced` the active states that it removes itself, which are no reason. `ring` are states
    that require each other, if it is one of them: call them together. `refusal` is what a handler
    answered last. `is_held_back` is set for an auto state that failed and does not try by itself;
    a call activates it. `str()` gives all of it in words.
    """

    state: str
    is_active: bool = False
    missing: tuple[Missing, ...] = ()
    blockers: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    ring: tuple[str, ...] = ()
    refusal: Reason | None = None
    is_held_back: bool = False
    is_queue_full: bool = False
    is_disposed: bool = False

    def __bool__(self) -> bool:
        if self.is_active:
            return False
        against = self.missing, self.blockers, self.refusal, self.is_queue_full, self.is_disposed
        return any(against)

    @property
    def text(self) -> str:
        """The reasons in words, one a line, those of missing states indented below."""
        return "\n".join([self._head(), *_lines(self, "  ")])

    def _head(self) -> str:
        if self.is_active:
            return f"{self.state} is active"
        return (
            f"{self.state} could not activate now:" if self else f"{self.state} could activate now"
        )

    def __str__(self) -> str:
        return self.text


def _lines(answer: WhyNot, indent: str) -> Iterator[str]:
    """The reasons of one state, in the order of the fields."""
    for one in answer.missing:
        yield f"{indent}{one.text}"
        if one.why_not is not None:
            yield from _lines(one.why_not, indent + "  ")
    for blocker in answer.blockers:
        yield f"{indent}{blocker} removes it"
    if answer.ring:
        yield f"{indent}{' and '.join(answer.ring)} require each other: call them together"
    if answer.refusal is not None:
        yield f"{indent}{answer.refusal.text} last time, in {answer.refusal.tx_id}"
    if answer.is_held_back:
        yield f"{indent}it failed, and does not activate by itself until another state changes"
    if answer.is_queue_full:
        yield f"{indent}the queue is full"
    if answer.is_disposed:
        yield f"{indent}the machine is disposed"


class Explained(Remembering, Prefixed, Protocol):
    """A machine, as the explanation of a state needs it."""

    _disposing: bool
    _node: Node
    _queue: deque[Mutation]
    _queue_limit: int

    def _missing(self, names: Sequence[str]) -> NoReturn: ...


def why_not(mach: Explained, state: str) -> WhyNot:
    """Why a state could not activate now; all of it is about one moment."""
    node = mach._node
    schema = node.automaton.schema
    if mach._disposing:
        return WhyNot(state, is_disposed=True)
    if state not in schema.index:
        mach._missing((state,))
    index = schema.index[state]
    if node.mask >> index & 1:
        return WhyNot(state, is_active=True)
    answer = _Explainer(mach, node).of(index, LEVELS_MAX)
    return answer._replace(is_queue_full=len(mach._queue) >= mach._queue_limit)


class _Explainer:
    """Explains states of one moment, each once."""

    def __init__(self, mach: Explained, node: Node) -> None:
        self.mach = mach
        self.node = node
        self.schema = node.automaton.schema
        self.path: list[int] = []
        self.seen: set[int] = set()
        self.rings: dict[int, tuple[str, ...]] = {}

    def of(self, state: int, levels: int) -> WhyNot:
        """Why an inactive state could not activate."""
        self.seen.add(state)
        self.path.append(state)
        schema, node, name = self.schema, self.node, self.schema.names[state]
        drop = self._drop(state)
        missing = tuple([self._missing(state, one, levels) for one in drop.missing])
        self.path.pop()
        refused = denial_of(self.mach, name, self._tick(state))
        return WhyNot(
            name,
            missing=missing,
            blockers=tuple([schema.names[one] for one in drop.removers]),
            replaced=tuple(
                [schema.names[one] for one in schema.remove[state] if node.mask >> one & 1]
            ),
            ring=self.rings.get(state, ()),
            refusal=None if refused is None else refused.reason(self.mach),
            is_held_back=bool(node.marks[0] >> state & 1),
        )

    def _drop(self, state: int) -> Dropped:
        if not self.node.automaton.is_pure:  # a resolver decides
            return Dropped()
        call = self.schema.call(ADD, (self.schema.names[state],))
        return drops_of(self.node, call).get(state, Dropped())

    def _missing(self, state: int, required: int, levels: int) -> Missing:
        names, name = self.schema.names, self.schema.all_names[required]
        if required >= len(names):
            return Missing(name, is_defined=False)
        is_removed = bool(self.schema.remove_mask[state] >> required & 1)
        if self.node.mask >> required & 1:
            return Missing(name, is_active=True, is_removed=is_removed)
        if required in self.path:
            ring = self.path[self.path.index(required) :]
            self.rings.update(dict.fromkeys(ring, tuple([names[one] for one in ring])))
        explain = levels > 1 and required not in self.seen
        answer = self.of(required, levels - 1) if explain else None
        return Missing(name, is_removed=is_removed, why_not=answer)

    def _tick(self, state: int) -> int:
        ticks = self.mach._ticks
        return ticks[state] if state < len(ticks) else 0
