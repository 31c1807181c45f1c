"""Finds states that relations rule out, alone or together.

The relations of a state contradict each other when they need states together that exclude
each other: it removes what it requires, directly or by way of others; what it requires
removes it; or of two that it requires one removes the other. Such a state is canceled
whenever it is called; only an `add` late in a transition may still activate it. Each
contradiction is reported for the first state that it concerns, not for those that require
that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from machine._schema.schema import Indexes, Schema


def contradictions(schema: Schema) -> list[str]:
    """Which states need others together that exclude each other, as texts; found once."""
    if schema.contradictions is None:
        schema.contradictions = _found(schema)
    return schema.contradictions


def _found(schema: Schema) -> list[str]:
    return [_text(schema, *conflict) for conflict in conflicts(schema)]


def conflicts(schema: Schema) -> Iterator[tuple[int, int, int]]:
    """A state, and two of it and all that it requires, of which the first removes the second.

    Starts at the last states, so that long chains stay cheap.
    """
    if not any(schema.remove_mask):
        return
    known: dict[int, int] = {}
    for state in reversed(range(len(schema.names))):
        reach(schema, state, known)
    for state, required in enumerate(schema.require):
        if required:
            for remover, removed in _conflicts(schema, state, known):
                yield state, remover, removed


def pointless(schema: Schema) -> list[str]:
    """Relations without effect, as texts."""
    own = [name for index, name in enumerate(schema.names) if index in schema.require[index]]
    return [f"{name} requires itself" for name in own]


def forbidden(schema: Schema, active: Iterable[int]) -> list[str]:
    """Why these states cannot be active together, as texts; empty if they can."""
    names, together = schema.all_names, list(active)
    lacking = [
        f"{names[state]} requires {names[other]}"
        for state in together
        for other in schema.require[state]
        if other not in together
    ]
    removing = [
        f"{names[state]} removes {names[other]}"
        for state in together
        for other in schema.remove[state]
        if other in together
    ]
    return lacking + removing


def _conflicts(schema: Schema, state: int, known: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Which of a state and all it requires remove each other, unless one has the conflict."""
    wanted = reach(schema, state, known)
    if not any(schema.remove_mask[index] & wanted for index in _indexes(wanted)):
        return
    others = [reach(schema, other, known) for other in _own(schema, state) if other != state]
    for remover in _indexes(wanted):
        for removed in _indexes(schema.remove_mask[remover] & wanted):
            both = 1 << remover | 1 << removed
            if not any(both & other == both for other in others):
                yield remover, removed


def _own(schema: Schema, state: int) -> list[int]:
    return [other for other in schema.require[state] if other < len(schema.names)]


def reach(schema: Schema, state: int, known: dict[int, int]) -> int:
    """A state and all that it requires, as a mask; `known` keeps what was found before."""
    found = known.get(state)
    if found is None:
        found, left = 1 << state, [state]
        while left:
            for other in _own(schema, left.pop()):
                if other in known:
                    found |= known[other]
                elif not found >> other & 1:
                    found |= 1 << other
                    left.append(other)
        known[state] = found
    return found


def _indexes(mask: int) -> Indexes:
    return tuple(index for index in range(mask.bit_length()) if mask >> index & 1)


def _text(schema: Schema, state: int, remover: int, removed: int) -> str:
    name, by, what = (schema.names[index] for index in (state, remover, removed))
    if remover == state:
        return f"{name} requires {what}{_way(schema, state, removed)} and removes it"
    if removed == state:
        return f"{name} requires {by}{_way(schema, state, remover)}, which removes {name}"
    ways = _way(schema, state, remover), _way(schema, state, removed)
    return f"{name} requires {by}{ways[0]} and {what}{ways[1]}, of which {by} removes {what}"


def _way(schema: Schema, state: int, other: int) -> str:
    """The states by way of which a state requires another; empty if directly."""
    path = _path(schema, state, other)
    return f" (by way of {', '.join(schema.names[i] for i in path)})" if path else ""


def _path(schema: Schema, state: int, other: int) -> Sequence[int]:
    """The states between these two, by the shortest way."""
    paths: list[Indexes] = [()]
    ends, seen = [state], {state}
    for end, path in zip(ends, paths, strict=False):  # both grow meanwhile
        for then in _own(schema, end):
            if then == other:
                return path
            if then not in seen:
                seen.add(then)
                ends.append(then)
                paths.append((*path, then))
    return ()
