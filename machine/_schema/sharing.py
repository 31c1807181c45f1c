"""Shared schemas: machines of equal structs get the same one.

Three tables find a schema: by the struct, by the states class, by the value of all its
states. The first two only refer to it; what keeps it is the table `_kept`, whose limit counts
states, and with them the configurations that its automata remember (`grown`). A schema that
was dropped from it goes on as long as a machine uses it, and is found by value as long.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary, ref

from machine._given import names_tuple
from machine._logging.report import warn
from machine._schema.bounded import BoundedTable
from machine._schema.contradictions import contradictions, pointless
from machine._schema.schema import Indexes, Schema, take_in
from machine._schema.state import EXCEPTION, RELATIONS, State, Struct
from machine.errors import RelationError, did_you_mean

if TYPE_CHECKING:
    from machine._schema.typed import StatesBase

    Definition = Struct | type[StatesBase] | StatesBase
    """A schema as users give it: states by name, or a states class or its names."""

ADD_LEVELS = 2
STATES_MAX = 20_000
"""States of all schemas that are kept; the same for all known structs, and all classes."""
NODES_PER_STATE = 13
"""So many remembered configurations count as one state."""

Value = tuple[tuple[str, ...], tuple[State, ...]]
Known = tuple[dict[str, State], tuple[str, ...], ref[Schema]]


def long_add_chains(schema: Schema) -> list[str]:
    """Add chains longer than one transition follows, as texts `A > B > C > D`."""
    chains = (_chain(schema, (first,)) for first, adds in enumerate(schema.add) if adds)
    return [" > ".join(schema.names[i] for i in chain) for chain in chains if chain]


def _chain(schema: Schema, path: Indexes) -> Indexes:
    """The first path of Adds that begins with `path` and is too long; empty if none is."""
    if len(path) == ADD_LEVELS + 2:
        return path
    tries = (_chain(schema, (*path, then)) for then in schema.add[path[-1]] if then not in path)
    return next(filter(None, tries), ())


def undefined(struct: Struct) -> list[tuple[str, str, str]]:
    """Relations to names that the struct does not define: a state, a relation, a name."""
    defined = {*struct, EXCEPTION}
    return [
        (name, relation, target)
        for name, state in struct.items()
        for relation in (*RELATIONS, "on_timeout")
        for target in names_tuple(getattr(state, relation) or ())
        if target not in defined
    ]


def check_strict(struct: Struct, schema: Schema) -> None:
    """Raise for a relation to an undefined state, and for relations that contradict each other."""
    for name, relation, target in undefined(struct):
        near = did_you_mean([target], schema.names)
        raise RelationError(f"{name} {relation} {target}: {target} is not defined{near}")
    for text in contradictions(schema):
        raise RelationError(f"{text}, which contradict each other")


def struct_of(definition: Definition) -> Struct:
    """States by name, from a mapping or a states class; raises for anything else."""
    if isinstance(definition, Mapping):
        return definition
    make = getattr(definition, "struct", None)
    if not callable(make):
        raise TypeError(
            f"a schema is a mapping of names to State, or a states class, not {definition!r:.60}"
        )
    made: Struct = make()
    return made


_by_struct: BoundedTable[int, Known] = BoundedTable(STATES_MAX)
_by_class: BoundedTable[type, ref[Schema]] = BoundedTable(STATES_MAX)
_by_value: WeakValueDictionary[Value, Schema] = WeakValueDictionary()
_kept: BoundedTable[Schema, None] = BoundedTable(STATES_MAX)
_sharing = threading.RLock()  # the collector may run a program's code while it is held


def schema_of(definition: Definition | None, *, strict: bool = False) -> Schema:
    """The schema of a struct, shared with every machine of an equal one.

    If `strict`, relations to undefined states and contradictions are refused.

    A struct is recognized by comparing it with a copy of its earlier content. States are
    compared by identity first, which makes a new machine of a known struct cheap. A states
    class never changes and is recognized by identity.
    """
    struct: Any = definition or {}
    known = _by_struct.entries.get(id(struct))
    if known is not None and known[0] == struct and known[1] == tuple(struct):
        schema = known[2]()
        if schema is not None:
            if strict:
                check_strict(struct, schema)
            return schema
    if not isinstance(struct, Mapping):
        return _schema_of_class(struct, strict=strict)
    schema = _taken_in(struct, strict=strict)
    with _sharing:
        entry = dict(struct), tuple(struct), ref(schema)
        _by_struct.put(id(struct), entry, len(schema.names))
    return schema


def _schema_of_class(definition: type[StatesBase] | StatesBase, *, strict: bool) -> Schema:
    kind = definition if isinstance(definition, type) else type(definition)
    known = _by_class.entries.get(kind)
    schema = None if known is None else known()
    if schema is None:
        schema = _taken_in(struct_of(definition), strict=strict)
        with _sharing:
            _by_class.put(kind, ref(schema), len(schema.names))
    elif strict:
        check_strict(struct_of(definition), schema)
    return schema


def _taken_in(struct: Struct, *, strict: bool) -> Schema:
    states = take_in(struct)
    schema = _shared(states, tuple(states))
    if strict:
        check_strict(struct, schema)
    _warn(struct, schema)
    return schema


def forget_all() -> None:
    """Forget all structs, as in a new process; for benchmarks."""
    with _sharing:
        _by_struct.clear()
        _by_class.clear()
        _by_value.clear()
        _kept.clear()


def grown(schema: Schema, nodes: int) -> None:
    """Count configurations that this schema remembers from now on, or forgets if negative."""
    with _sharing:
        schema.nodes += nodes
        if schema in _kept.entries:
            _keep(schema)


def _keep(schema: Schema) -> None:
    _kept.put(schema, None, len(schema.names) + schema.nodes // NODES_PER_STATE)


def _warn(struct: Struct, schema: Schema) -> None:
    """Warn, once for each struct, of parts without the effect that they seem to have."""
    for name, relation, target in undefined(struct):
        text = f"{name} {relation} {target}"
        near = did_you_mean([target], schema.names)
        warn("relation to an undefined state: %s%s", text, near)
    for text in contradictions(schema):
        warn("relations that contradict each other: %s", text)
    for text in pointless(schema):
        warn("a relation without effect: %s", text)
    for chain in long_add_chains(schema):
        warn("an Add chain is followed %d levels only: %s", ADD_LEVELS, chain)


def _shared(states: Mapping[str, State], names: tuple[str, ...]) -> Schema:
    key = (names, tuple([states[name] for name in names]))
    with _sharing:
        known = _by_value.get(key)
        if known is None:
            known = _by_value[key] = Schema(states, names)
        if known not in _kept.entries:
            _keep(known)
    return known


def reordered(schema: Schema, names: Sequence[str]) -> Schema:
    """The same states in another order."""
    if tuple(names) == schema.names:
        return schema
    return _shared(schema.struct(), tuple(names))
