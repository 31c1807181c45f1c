"""Parses a handler's name: a state and a phase, or one state and another.

Some names have two meanings, since nothing separates the parts: with states `Start` and
`End`, `StartEnd` is the End handler of Start as well as the handler from Start to End; with
`Db`, `DbSync`, `SyncDone` and `Done`, `DbSyncDone` is a pair in two ways. A handler that is
bound by such a name is called for each meaning. `on` makes handlers with one meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from machine._schema.state import ANY

SUFFIXES = ("Enter", "Exit", "State", "End")
NEGOTIATION_SUFFIXES = ("Enter", "Exit")
GLOBAL_SUFFIXES = ("Enter", "State")
GLOBAL = tuple(ANY + suffix for suffix in GLOBAL_SUFFIXES)

DECLARED = "_meanings_of_handlers"
"""Where a class keeps what `on` made: for each name, functions by their meaning."""


class Meaning(NamedTuple):
    """One meaning: `second` is a phase, or for a pair the other state."""

    first: str
    second: str
    is_pair: bool = False

    @property
    def name(self) -> str:
        """The handler's name."""
        return self.first + self.second

    @property
    def negotiates(self) -> bool:
        """Whether it is called before anything changes."""
        return self.is_pair or self.second in NEGOTIATION_SUFFIXES

    def fits(self, states: Collection[str]) -> bool:
        """Whether its states are among these; the global handlers belong to all."""
        if self.is_pair:
            return self.first in states and self.second in states
        return self.first in states or (self.first == ANY and self.second in GLOBAL_SUFFIXES)

    def decorator(self) -> str:
        """The `on` decorator that declares it."""
        first = "ANY" if self.first == ANY else f'"{self.first}"'
        return f'on({first}, {"to=" if self.is_pair else ""}"{self.second}")'

    def __str__(self) -> str:
        if self.is_pair and self.first == self.second:
            return f"the handler of {self.first} called again"
        if self.is_pair:
            return f"the handler from {self.first} to {self.second}"
        whose = "all states" if self.first == ANY else self.first
        return f"the {self.second} handler of {whose}"


Declared = Mapping[str, Mapping[Meaning, Callable[..., Any]]]
"""Handler names, and for each the functions by their meaning."""


class Handlers(dict[str, Callable[..., Any]]):
    """Functions by handler name, and what each name means."""

    def __init__(self) -> None:
        self.declared: dict[str, dict[Meaning, Callable[..., Any]]] = {}


def meanings_of(name: str, states: Collection[str]) -> list[Meaning]:
    """All meanings of a name in a schema with these states; empty if it is no handler."""
    found = [Meaning(ANY, name[len(ANY) :])] if name in GLOBAL else []
    found += [
        Meaning(name[: -len(suffix)], suffix)
        for suffix in SUFFIXES
        if name.endswith(suffix) and name[: -len(suffix)] in states
    ]
    found += [
        Meaning(name[:cut], name[cut:], is_pair=True)
        for cut in range(1, len(name))
        if name[:cut] in states and name[cut:] in states
    ]
    return found


def declared_by(target: object) -> Declared:
    """The handlers of an object that were declared by `on`, by name and meaning."""
    if isinstance(target, Mapping):
        return target.declared if isinstance(target, Handlers) else {}
    found = {
        name: {meaning: _method(one, target) for meaning, one in functions.items()}
        for name, functions in declared_in(type(target)).items()
    }
    for name in found.keys() & getattr(target, "__dict__", {}).keys():
        del found[name]
    return found


def declared_in(kind: type) -> Declared:
    """The handlers of a class that were declared by `on`, as plain functions."""
    found: dict[str, dict[Meaning, Callable[..., Any]]] = {}
    for base in reversed(kind.__mro__):
        declared: Declared = vars(base).get(DECLARED, {})
        for name in found.keys() & vars(base).keys() - declared.keys():
            del found[name]  # a method by that name takes its place
        for name, functions in declared.items():
            found[name] = {**found.get(name, {}), **functions}
    return found


def _method(function: Any, target: object) -> Callable[..., Any]:
    """The function as a method of an object."""
    bind = getattr(type(function), "__get__", None)
    method: Callable[..., Any] = function if bind is None else bind(function, target, type(target))
    return method
