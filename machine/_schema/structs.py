"""Merges state lists and schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from machine._given import A, Names, check_mapping, checked_names, names_of, names_tuple
from machine._schema.state import RELATIONS, S, State, Struct, unique
from machine.errors import StateUnknownError, did_you_mean


def s_add(*lists: Names) -> S:
    """All names of these lists in order, each once."""
    return list(dict.fromkeys(name for names in lists for name in names_tuple(names)))


def diff_states(states: Names, other: Names) -> S:
    """The names that are in `states` and not in `other`, in order."""
    unwanted = set(names_of(other))
    return [name for name in names_tuple(states) if name not in unwanted]


def states_equal(states: Names, other: Names) -> bool:
    """Whether both hold the same names, in any order."""
    return set(names_of(states)) == set(names_of(other))


def state_add(source: State, overlay: State) -> State:
    """A copy of `source` whose relations and tags are extended by those of `overlay`.

    The time limit of `overlay` counts if it has one; its flags do not.
    """
    changes: dict[str, Any] = {"tags": s_add(source.tags, overlay.tags), **_time_limit(overlay)}
    for relation in RELATIONS:
        more = overlay.given(relation)
        if more is not None:
            changes[relation] = s_add(getattr(source, relation), more)
    return source.replace(**changes)


def state_set(source: State, auto: bool, multi: bool, overlay: State) -> State:
    """A copy with these flags, and with what else `overlay` defines replaced.

    That is its relations and its time limit.
    """
    defined = {relation: overlay.given(relation) for relation in RELATIONS}
    given = {relation: names for relation, names in defined.items() if names is not None}
    return source.replace(auto=auto, multi=multi, **given, **_time_limit(overlay))


def _time_limit(overlay: State) -> dict[str, Any]:
    if overlay.timeout is None:
        return {}
    return {"timeout": overlay.timeout, "on_timeout": overlay.on_timeout}


def struct_merge(*structs: Struct) -> dict[str, State]:
    """One schema of several; of two definitions of a state the later one counts, as a whole.

    A state stays at the place where it was defined first.
    """
    merged: dict[str, State] = {}
    for struct in structs:
        merged.update(struct)
    return merged


def struct_exclusive(struct: Struct, *groups: Names) -> dict[str, State]:
    """A schema in which the states of each of these groups remove one another.

    What they remove already stays. Raises for a state that the schema does not have.
    """
    made = dict(struct)
    for group in groups:
        names = unique(checked_names(names_tuple(group)))
        for name in names:
            if name not in made:
                near = did_you_mean([name], made)
                raise StateUnknownError(f"{name}, in a group of states that exclude others{near}")
            made[name] = excluding(made[name], name, names)
    return made


def excluding(state: State, name: str, group: Iterable[str]) -> State:
    """A copy of the state of this name that removes the others of its group."""
    others = (other for other in group if other != name)
    return state.replace(remove=unique((*state.remove, *others)))


def clone_states(struct: Struct) -> dict[str, State]:
    """A copy of a schema; states never change, so both may share them."""
    return dict(struct)


def a_merge(*maps: Mapping[str, Any] | None) -> A:
    """One set of arguments of several; of two values of a name the later one counts."""
    merged: A = {}
    for args in maps:
        check_mapping(args, "args")
    for args in _given(maps):
        merged.update(args)
    return merged


def _given(maps: Iterable[Mapping[str, Any] | None]) -> Iterable[Mapping[str, Any]]:
    return (args for args in maps if args is not None)
