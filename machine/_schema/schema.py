"""A parsed schema: ordered states with their relations as numbers.

A `Schema` is what resolution needs of a user's struct and nothing else: names in order,
relations as tuples of state indexes and as bit masks, and the order by Require. It never
changes and knows no machine, so all machines of one struct share one `Schema` and all
that hangs on it (calls, nodes, plans).

Taking in cleans: a state loses itself from its `remove` and `after`, and from `remove`
what it also adds. Names the schema does not define are dropped from `add`, `remove` and
`after`; in `require` they stay, as *ghosts*: numbers past the last state that are never
active, so the state that requires one can never activate.

Order by Require: a required state comes before the one that requires it. Going over the
states that require something, by index, and depth first over their requirements, a state's
rank is the moment its walk ends. States outside of every require relation rank before all
others. A cycle means no order.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from machine._enums import MutationType
from machine._given import checked_names
from machine._logging.report import warn
from machine._resolution.step import Step
from machine._schema.contradictions import contradictions, pointless
from machine._schema.state import ANY, EXCEPTION, State, Struct, unique
from machine.errors import RelationError, StateNameError, did_you_mean

if TYPE_CHECKING:
    from machine._schema.typed import StatesBase

    Definition = Struct | type[StatesBase] | StatesBase
    """A schema as users give it: states by name, or a states class or its names."""

CALLS_MAX = 4096
SCHEMAS_MAX = 64
NAME_CHARS_MAX = 1000
ADD_LEVELS = 2

Indexes = tuple[int, ...]


def clean(name: str, state: State, defined: Mapping[str, object]) -> State:
    """The state without relations to itself, contradictions and undefined targets."""
    add, remove, after = state.add, state.remove, state.after
    if remove is not None:
        remove = tuple(r for r in remove if r != name and r not in (add or ()) and r in defined)
    if after is not None:
        after = tuple(a for a in after if a != name and a in defined)
    if add is not None:
        add = tuple(a for a in add if a in defined)
    if (add, remove, after) == (state.add, state.remove, state.after):
        return state
    return state.replace(add=add, remove=remove, after=after)


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
    """What a mutation asks of the states: its type, the called states, auto or not.

    `barred` are the states that no `add` may bring: those that are being removed, and for
    auto states those that are held back or were refused. `again` marks the call of the
    auto states that are left after a refusal.

    One object stands for all mutations that ask the same of one schema, so plans are
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
        self.type = type
        self.called = called
        self.names = tuple(schema.names[index] for index in called)
        self.auto = auto
        self.again = again
        self.mask = sum(1 << index for index in called)
        self.barred = self.mask if type is MutationType.REMOVE else barred
        self.multi = bool(self.mask & schema.multi_mask)
        self.lasts: bool | None = None  # for `_queue`, which finds it out when it has to
        self.calls_exception = EXCEPTION in self.names
        self.text = " ".join(self.names)

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
        "multi_mask",
        "names",
        "rank",
        "remove",
        "remove_mask",
        "removed",
        "require",
        "require_mask",
        "states",
        "steps",
    )

    def __init__(self, states: Mapping[str, State], names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.states = tuple(states[name] for name in names)
        self.index = {name: position for position, name in enumerate(names)}
        ghosts = {
            name: None
            for state in self.states
            for name in state.require or ()
            if name not in self.index
        }
        self.all_names = (*self.names, *ghosts)
        numbers = {name: position for position, name in enumerate(self.all_names)}
        self.require = tuple(_numbers(state.require, numbers) for state in self.states)
        self.add = tuple(_numbers(state.add, numbers) for state in self.states)
        self.remove = tuple(_numbers(state.remove, numbers) for state in self.states)
        self.after = tuple(_numbers(state.after, numbers) for state in self.states)
        self.require_mask = tuple(map(_mask, self.require))
        self.remove_mask = tuple(map(_mask, self.remove))
        self.after_mask = tuple(map(_mask, self.after))
        self.multi_mask = _mask(i for i, state in enumerate(self.states) if state.multi)
        self.autos = tuple(i for i, state in enumerate(self.states) if state.auto)
        self.rank, self.cycle = _rank(self.require, len(self.names))
        self.calls: tuple[dict[tuple[str, ...], Call], ...] = ({}, {}, {})
        self.added: dict[str, Call] = {}
        self.removed: dict[str, Call] = {}
        self._by_indexes: tuple[dict[Indexes, Call], ...] = ({}, {}, {})
        self.contradictions: list[str] | None = None
        self.auto_calls: dict[tuple[Indexes, int, bool], Call] = {}
        self.automata: dict[int, object] = {}
        self.steps: dict[int, Step] = {}

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
        """Those of the names that this schema does not define."""
        names = checked_names(tuple(names))
        return [name for name in names if name not in self.index]

    def struct(self) -> dict[str, State]:
        """The cleaned states by name, in order."""
        return dict(zip(self.names, self.states, strict=True))


def _numbers(names: Iterable[str] | None, numbers: Mapping[str, int]) -> Indexes:
    return tuple(numbers[name] for name in names or ())


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


def long_add_chains(schema: Schema) -> list[str]:
    """Add chains longer than one transition follows, as texts `A > B > C > D`."""
    chains = (_chain(schema, (first,)) for first in range(len(schema.names)))
    return [" > ".join(schema.names[i] for i in chain) for chain in chains if chain]


def _chain(schema: Schema, path: Indexes) -> Indexes:
    """The first path of Adds that begins like this and is too long; empty for none."""
    if len(path) == ADD_LEVELS + 2:
        return path
    tries = (_chain(schema, (*path, then)) for then in schema.add[path[-1]] if then not in path)
    return next(filter(None, tries), ())


def dropped_names(struct: Struct) -> list[tuple[str, str]]:
    """Relations to names that the struct does not define, as texts `A add B`, and the names."""
    defined = {*struct, EXCEPTION}
    return [
        (f"{name} {relation} {target}", target)
        for name, state in struct.items()
        for relation in ("require", "add", "remove", "after")
        for target in getattr(state, relation) or ()
        if target not in defined
    ]


def check_strict(struct: Struct, schema: Schema) -> None:
    """Raise for a relation to an undefined state, and for relations that contradict each other."""
    for text, target in dropped_names(struct):
        near = did_you_mean([target], schema.names)
        raise RelationError(f"{text}: {target} is not defined{near}")
    for text in contradictions(schema):
        raise RelationError(f"{text}, which contradict each other")


def struct_of(definition: Definition) -> Struct:
    """States by name, of a mapping as well as of a states class; raises for what is neither."""
    if isinstance(definition, Mapping):
        return definition
    make = getattr(definition, "struct", None)
    if not callable(make):
        raise TypeError(
            f"a schema is a mapping of names to State, or a states class, not {definition!r:.60}"
        )
    made: Struct = make()
    return made


_by_struct: dict[int, tuple[dict[str, State], tuple[str, ...], Schema]] = {}
_by_class: dict[type, Schema] = {}
_by_value: dict[tuple[tuple[str, ...], tuple[State, ...]], Schema] = {}
_sharing = threading.Lock()


def schema_of(definition: Definition | None, *, strict: bool = False) -> Schema:
    """The schema of a struct, shared with every machine of an equal one.

    If `strict`, relations to undefined states and contradictions are refused.

    A struct met before is known again by what it is compared with: a copy of what it was
    then. States are compared by identity first, which makes a new machine of a known
    struct cheap; a states class never changes and is known by itself. The last
    `SCHEMAS_MAX` of either are remembered.
    """
    struct: Any = definition or {}
    known = _by_struct.get(id(struct))
    if known is not None and known[0] == struct and known[1] == tuple(struct):
        if strict:
            check_strict(struct, known[2])
        return known[2]
    if not isinstance(struct, Mapping):
        return _schema_of_class(struct, strict=strict)
    schema = _taken_in(struct, strict=strict)
    with _sharing:
        _make_room(_by_struct)
        _by_struct[id(struct)] = (dict(struct), tuple(struct), schema)
    return schema


def _schema_of_class(definition: type[StatesBase] | StatesBase, *, strict: bool) -> Schema:
    kind = definition if isinstance(definition, type) else type(definition)
    known = _by_class.get(kind)
    if known is None:
        known = _taken_in(struct_of(definition), strict=strict)
        with _sharing:
            _make_room(_by_class)
            _by_class[kind] = known
    elif strict:
        check_strict(struct_of(definition), known)
    return known


def _taken_in(struct: Struct, *, strict: bool) -> Schema:
    states = take_in(struct)
    schema = _shared(states, tuple(states))
    if strict:
        check_strict(struct, schema)
    _warn(struct, schema)
    return schema


def forget_all() -> None:
    """Forget all structs, as in a fresh process; for benchmarks of that."""
    with _sharing:
        _by_struct.clear()
        _by_class.clear()
        _by_value.clear()


def _make_room(table: dict[Any, Any]) -> None:
    """Forget the oldest entry of a full table."""
    if len(table) >= SCHEMAS_MAX:
        del table[next(iter(table))]


def _warn(struct: Struct, schema: Schema) -> None:
    """Warn, once for each struct, of parts that do not do what they seem to say."""
    for text, target in dropped_names(struct):
        near = did_you_mean([target], schema.names)
        warn("relation to an undefined state: %s%s", text, near)
    for text in contradictions(schema):
        warn("relations that contradict each other: %s", text)
    for text in pointless(schema):
        warn("a relation without effect: %s", text)
    for chain in long_add_chains(schema):
        warn("an Add chain is followed %d levels only: %s", ADD_LEVELS, chain)


def _shared(states: Mapping[str, State], names: tuple[str, ...]) -> Schema:
    key = (names, tuple(states[name] for name in names))
    with _sharing:
        known = _by_value.get(key)
        if known is None:
            _make_room(_by_value)
            known = _by_value[key] = Schema(states, names)
    return known


def reordered(schema: Schema, names: Sequence[str]) -> Schema:
    """The same states in another order."""
    if tuple(names) == schema.names:
        return schema
    return _shared(schema.struct(), tuple(names))
