"""Rules about handlers: names with two meanings, and states that no code refers to.

The code of handlers is read and never run: the names in it are the texts and attributes in the
functions of the modules that define the handlers.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import CodeType, FunctionType, MethodType

from machine._checking.finding import Finding, FindingKind
from machine._handlers.meanings import GLOBAL, Handlers, declared_in, meanings_of
from machine._handlers.names import handler_names
from machine._schema.schema import Schema
from machine._schema.state import EXCEPTION, RELATIONS
from machine.states.basic import basic_struct
from machine.states.connected import connected_struct
from machine.states.disposed import disposed_struct

READY_MADE = frozenset((*basic_struct, *connected_struct, *disposed_struct))
"""States that many machines inherit without a use for each of them."""


def ambiguous_names(schema: Schema, handlers: Iterable[object]) -> Iterator[Finding]:
    """Handlers that are called for two things because of their name."""
    for target in handlers:
        declared = _declared(target)
        for name in handler_names(target):
            found = [] if name in declared else meanings_of(name, schema.index)
            if len(found) < 2:
                continue
            parts = [part for one in found for part in (one.first, one.second)]
            states = tuple(dict.fromkeys(part for part in parts if part in schema.index))
            whose = _class_of(target).__name__
            happens = (
                f"{name}{'' if isinstance(target, Mapping) else f' of {whose}'} is"
                f" {' and '.join(map(str, found))}, and is called as each of them."
            )
            ways = " or ".join(f"`@am.{one.decorator()}`" for one in found)
            yield Finding(
                FindingKind.AMBIGUOUS, states, happens, f"Say which one is meant: {ways}."
            )


def unused_states(schema: Schema, handlers: list[object]) -> Iterator[Finding]:
    """States without relations, without handlers, and without a name in the handlers' code."""
    bound = {name for target in handlers for name in (*handler_names(target), *_declared(target))}
    if bound.intersection(GLOBAL) or any(map(_answers_any_name, handlers)):
        return  # such handlers are called for every state
    used = {EXCEPTION, *READY_MADE, *named_in_code(handlers), *_related(schema)}
    for name in schema.names:
        if name in used or any(name in handler for handler in bound):
            continue
        happens = (
            f"Nothing refers to {name}: it is in no relation, is no auto state, has no handler, and"
            " the code of the handlers does not name it."
        )
        meant = f"Leave it out, or give it a handler: `def {name}State(self, e): ...`."
        yield Finding(FindingKind.UNUSED, (name,), happens, meant)


def _related(schema: Schema) -> Iterator[str]:
    """States in relations and time limits, and those that activate by themselves."""
    for name, state in zip(schema.names, schema.states, strict=True):
        targets = [target for field in RELATIONS for target in getattr(state, field)]
        yield from targets
        if state.on_timeout is not None:
            yield state.on_timeout
        if targets or state.auto or state.initial or state.on_timeout is not None:
            yield name


def named_in_code(handlers: Iterable[object]) -> set[str]:
    """Texts and attributes in the code of handlers, and of the modules that define them."""
    functions = [one for target in handlers for one in _functions(target)]
    modules = {one.__module__ for one in functions}
    for name in sorted(modules):
        if name.partition(".")[0] != __name__.partition(".")[0] and name in sys.modules:
            functions += _functions_in(vars(sys.modules[name]), name)
    return {text for one in functions for text in _texts(one.__code__)}


def _functions(target: object) -> list[FunctionType]:
    """The functions of a class, of an object, or in a mapping."""
    if isinstance(target, Mapping):
        values = list(target.values())
    else:
        values = [one for kind in _class_of(target).__mro__ for one in vars(kind).values()]
        values += getattr(target, "__dict__", {}).values()
    plain = [one.__func__ if isinstance(one, MethodType) else one for one in values]
    return [one for one in plain if isinstance(one, FunctionType)]


def _functions_in(module: Mapping[str, object], name: str) -> Iterator[FunctionType]:
    """The functions that a module defines, in its classes too."""
    for value in list(module.values()):
        if isinstance(value, FunctionType):
            yield value
        elif isinstance(value, type) and value.__module__ == name:
            yield from _functions(value)


def _texts(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for value in code.co_consts:
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple | frozenset):
            yield from (one for one in value if isinstance(one, str))
        elif isinstance(value, CodeType):
            yield from _texts(value)


def _declared(target: object) -> Collection[str]:
    """The names of handlers that have one meaning, since `on` made them."""
    if isinstance(target, Mapping):
        return target.declared.keys() if isinstance(target, Handlers) else ()
    return declared_in(_class_of(target)).keys()


def _answers_any_name(target: object) -> bool:
    return hasattr(_class_of(target), "__getattr__")


def _class_of(target: object) -> type:
    return target if isinstance(target, type) else type(target)
