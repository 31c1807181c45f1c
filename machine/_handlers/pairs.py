"""Finds the pairs of states that have a handler (`FooBar`), without trying every pair.

A schema of a hundred states has ten thousand pairs, and bound objects have handlers for
hardly any. So the names of an object are listed once, instead of being looked up one by
one. An object that creates its attributes on demand (`__getattr__`) does not list them;
then each pair is looked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from machine._handlers.meanings import Handlers

Pairs = Mapping[int, frozenset[int]]
"""States by index, and those towards which they have a handler."""


def pairs_of(listed: Iterable[set[str] | None], index: Mapping[str, int]) -> Pairs | None:
    """The pairs among the names of several objects; None if one could not list them."""
    found: dict[int, set[int]] = {}
    for names in listed:
        if names is None:
            return None
        for name in names:
            for cut in range(1, len(name)):
                first, second = index.get(name[:cut]), index.get(name[cut:])
                if first is not None and second is not None:
                    found.setdefault(first, set()).add(second)
    return {first: frozenset(second) for first, second in found.items()}


def names_of(target: object) -> set[str] | None:
    """All names that an object or a dict has; None if it cannot list them."""
    kind = type(target)
    if kind is dict or kind is Handlers:
        return {name for name in target if isinstance(name, str)}  # type: ignore[attr-defined]
    plain = kind.__getattribute__ is object.__getattribute__ and not hasattr(kind, "__getattr__")
    if not plain or isinstance(target, Mapping):
        return None
    names = set(getattr(target, "__dict__", ()))
    for base in kind.__mro__:
        names.update(vars(base))
    return names
