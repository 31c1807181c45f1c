"""A parsed schema: ordered states with their relations as numbers.

A `Schema` is what resolution needs of a user's struct and nothing else: names in order,
relations as tuples of state indexes and as bit masks, and the order by Require. It never
changes and refers to no machine, so all machines of one struct share one `Schema` and its
calls, nodes and plans.

States are cleaned first: a state is dropped from its own `remove` and `after`, and what it
adds is dropped from its `remove`. Names the schema does not define are dropped from `add`,
`remove` and `after`; in `require` they stay, as *ghosts*: numbers past the last state that
are never active, so the state that requires one can never activate. A time limit that leads to
an undefined state is dropped as a whole.

Order by Require: a required state comes before the one that requires it. Going over the
states that require something, by index, and depth first over their requirements, a state's
rank is the moment its walk ends. States outside of every require relation rank before all
others. A cycle means no order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from machine._enums import MutationType
from machine._given import checked_names
from machine._schema.state import ANY, EXCEPTION, State, Struct, unique
from machine.errors import StateNameError

CALLS_MAX = 4096
NAME_CHARS_MAX = 1000

Indexes = tuple[int, ...]

_LABELS = [f"{kind}] " for kind in MutationType]
_AUTO_LABELS = [f"{kind}:auto] " for kind in MutationType]


def clean(name: str, state: State, defined: Mapping[str, object]) -> State:
    """The state without relations to itself, contradictions and undefined targets."""
    add, remove, after = state.add, state.remove, state.after
    kept = {
        "remove": tuple(r for r in remove if r != name and r not in add and r in defined),
        "after": tuple(a for a in after if a != name and a in defined),
        "add": tuple(a for a in add if a in defined),
    }
    changes = {field: names for field, names in kept.items() if names != getattr(state, field)}
    cleaned = state.replace(**changes) if changes else state
    if state.on_timeout is not None and state.on_timeout not in defined:
        cleaned = cleaned.replace(timeout=None, on_timeout=None)
    return cleaned


def take_in(struct: Struct | None) -> dict[str, State]:
    """The cleaned states in their order, the Exception state added when missing."""
    states = dict(struct or {})
    for name, state in states.items():
        _check_name(name, state)
    states.setdefault(EXCEPTION, State(multi=True))
    return {name: clean(name, state, states) for name, state in states.items()}


def _check_name(name: object, state: object) -> None:
    if not isinstance(name, str) or not name or len(name) > NAME_CHARS_MAX:
        raise StateNameError(
            f"{name!r:.60} (a state name is text of 1 to {NAME_CHARS_MAX} characters)"
        )
    if name == ANY:
        raise StateNameError(f"{ANY!r} (stands for all states in the names of handlers)")
    if not isinstance(state, State):
        raise TypeError(f"state {name}: expected a State, got {type(state).__name__}")


class Call:
    """The request of a mutation: its type, the called states, auto or not.

    `barred` are the states that no `add` may bring: those that are being removed, and for
    auto states those that are held back or were refused. `again` marks the call of the
    auto states that are left after a refusal.

    One object stands for all mutations with the same request to one schema, so plans are
    found by identity.
    """

    __slots__ = (
        "again",
        "auto",
        "barred",
        "called",
        "calls_exception",
        "lasts",
        "mask",
        "multi",
        "names",
        "text",
        "type",
    )

    def __init__(
        self,
        type: MutationType,
        called: Indexes,
        schema: Schema,
        *,
        auto: bool = False,
        barred: int = 0,
        again: bool = False,
    ) -> None:
        self.type: MutationType = type
        self.called: Indexes = called
        self.names: tuple[str, ...] = tuple(schema.names[index] for index in called)
        self.auto: bool = auto
        self.again: bool = again
        self.mask: int = sum(1 << index for index in called)
        self.barred: int = self.mask if type is MutationType.REMOVE else barred
        self.multi: bool = bool(self.mask & schema.multi_mask)
        self.lasts: bool | None = None  # computed by `_engine.queue` when it needs it
        self.calls_exception: bool = EXCEPTION in self.names
        self.text: str = " ".join(self.names)

    @property
    def label(self) -> str:
        """How log lines that are about it begin, after the bracket."""
        return (_AUTO_LABELS if self.auto else _LABELS)[self.type] + self.text

    def __repr__(self) -> str:
        return f"<Call {self.type}{':auto' if self.auto else ''} {self.text}>"


class Schema:
    """Ordered states, their relations as indexes and masks, and the calls met so far."""

    __slots__ = (
        "__weakref__",
        "_by_indexes",
        "add",
        "added",
        "after",
        "after_mask",
        "all_names",
        "auto_calls",
        "automata",
        "autos",
        "calls",
        "contradictions",
        "cycle",
        "index",
        "initial",
        "kinds",
        "multi_mask",
        "names",
        "nodes",
        "rank",
        "remove",
        "remove_mask",
        "removed",
        "require",
        "require_mask",
        "states",
        "steps",
        "timed",
    )

    def __init__(self, states: Mapping[str, State], names: Sequence[str]) -> None:
        self.names: tuple[str, ...] = tuple(names)
        self.states: tuple[State, ...] = tuple(states[name] for name in names)
        self.index: dict[str, int] = {name: position for position, name in enumerate(names)}
        ghosts = {
            name: None for state in self.states for name in state.require if name not in self.index
        }
        self.all_names: tuple[str, ...] = (*self.names, *ghosts)
        numbers = {name: position for position, name in enumerate(self.all_names)}
        self.require: tuple[Indexes, ...] = tuple(
            _numbers(state.require, numbers) for state in self.states
        )
        self.add: tuple[Indexes, ...] = tuple(_numbers(state.add, numbers) for state in self.states)
        self.remove: tuple[Indexes, ...] = tuple(
            _numbers(state.remove, numbers) for state in self.states
        )
        self.after: tuple[Indexes, ...] = tuple(
            _numbers(state.after, numbers) for state in self.states
        )
        self.require_mask: tuple[int, ...] = tuple(map(_mask, self.require))
        self.remove_mask: tuple[int, ...] = tuple(map(_mask, self.remove))
        self.after_mask: tuple[int, ...] = tuple(map(_mask, self.after))
        self.multi_mask: int = _mask(i for i, state in enumerate(self.states) if state.multi)
        self.autos: tuple[int, ...] = tuple(i for i, state in enumerate(self.states) if state.auto)
        self.initial: tuple[str, ...] = tuple(name for name in names if states[name].initial)
        self.timed: frozenset[str] = frozenset(
            name for name in names if states[name].timeout is not None
        )
        self.rank: tuple[int, ...] | None
        self.cycle: int
        self.rank, self.cycle = _rank(self.require, len(self.names))
        self.calls: tuple[dict[tuple[str, ...], Call], ...] = ({}, {}, {})
        self.added: dict[str, Call] = {}
        self.removed: dict[str, Call] = {}
        self._by_indexes: tuple[dict[Indexes, Call], ...] = ({}, {}, {})
        self.contradictions: list[str] | None = None
        self.auto_calls: dict[tuple[Indexes, int, bool], Call] = {}
        self.automata: dict[int, object] = {}
        self.nodes: int = 0  # how many its automata remember, counted in steps
        self.steps: dict[int, Any] = {}
        self.kinds: dict[Any, Any] = {}  # of bound objects; see `_handlers.kinds`

    def call(self, type: MutationType, names: Sequence[str]) -> Call:
        """The call of these states, repeats removed; KeyError for an unknown name."""
        called = unique(names)
        found = self._found(type, tuple([self.index[name] for name in called]))
        calls = self.calls[type]
        if len(calls) >= CALLS_MAX:
            calls.clear()
        calls[tuple(names)] = found
        if len(called) == 1 and type is not MutationType.SET:
            by_name = self.removed if type is MutationType.REMOVE else self.added
            by_name[called[0]] = found
        return found

    def _found(self, type: MutationType, called: Indexes) -> Call:
        calls = self._by_indexes[type]
        found = calls.get(called)
        if found is None:
            if len(calls) >= CALLS_MAX:
                calls.clear()
            found = calls.setdefault(called, Call(type, called, self))
        return found

    def auto_call(self, called: Indexes, barred: int = 0, *, again: bool = False) -> Call:
        """The call that auto states make together; the `barred` ones come by no `add` either."""
        key = called, barred, again
        found = self.auto_calls.get(key)
        if found is None:
            if len(self.auto_calls) >= CALLS_MAX:
                self.auto_calls.clear()
            call = Call(MutationType.ADD, called, self, auto=True, barred=barred, again=again)
            found = self.auto_calls.setdefault(key, call)
        return found

    def unknown(self, names: Iterable[str]) -> list[str]:
        """The names that this schema does not define."""
        names = checked_names(tuple(names))
        return [name for name in names if name not in self.index]

    def struct(self) -> dict[str, State]:
        """The cleaned states by name, in order."""
        return dict(zip(self.names, self.states, strict=True))


def _numbers(names: Iterable[str] | None, numbers: Mapping[str, int]) -> Indexes:
    return tuple([numbers[name] for name in names]) if names else ()


def _mask(indexes: Iterable[int]) -> int:
    mask = 0
    for index in indexes:
        mask |= 1 << index
    return mask


def _rank(require: Sequence[Indexes], count: int) -> tuple[tuple[int, ...] | None, int]:
    """Ranks by Require, and the state a cycle was met at (-1 for none).

    The walk keeps its own stack, so a long chain is no deep recursion.
    """
    rank = [0] * count
    walking: set[int] = set()
    finished = 0
    for start in range(count):
        if rank[start] or not require[start]:
            continue
        stack = [(start, iter(require[start]))]
        walking.add(start)
        while stack:
            state, targets = stack[-1]
            for target in targets:
                if target >= count or rank[target]:
                    continue
                if target in walking:
                    return None, target
                walking.add(target)
                stack.append((target, iter(require[target])))
                break
            else:
                stack.pop()
                walking.discard(state)
                finished += 1
                rank[state] = finished
    return tuple(rank), -1
