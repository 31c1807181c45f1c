"""Schemas as plain data: dictionaries that JSON can hold, and schemas read from them.

    {"version": 1,
     "order": ["Draft", "Sent"],
     "states": {"Draft": {"remove": ["Sent"]}, "Sent": {}},
     "groups": {"Open": ["Draft"]}}

A state has the fields that it was given; the others have their defaults. `order` keeps the
order of states, whatever happens to the order of the keys; without it that of the keys counts.
`version` is that of this format: 1 if it is missing, and a later one is refused. So is a key
that the format does not have, since it is most likely misspelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from machine._given import Names, checked_count, checked_names, names_tuple
from machine._schema.schema import take_in
from machine._schema.sharing import struct_of
from machine._schema.state import State
from machine._schema.typed import GroupsBase
from machine.errors import MachineError, did_you_mean

if TYPE_CHECKING:
    from machine._schema.sharing import Definition

VERSION = 1
"""The version of new dictionaries; earlier versions are read too."""

KEYS = ("version", "order", "states", "groups")

Groups = Mapping[str, Names] | GroupsBase
"""Groups of states by name, or an object of a groups class."""


def struct_to_dict(struct: Definition, groups: Groups | None = None) -> dict[str, object]:
    """A schema as a dictionary that JSON can hold, for `struct_from_dict`.

    It has lists, dictionaries, text, numbers and booleans only. Raises ValueError for a group
    with a state that the schema does not have.
    """
    states = struct_of(struct)
    made: dict[str, object] = {
        "version": VERSION,
        "order": list(states),
        "states": {name: state.to_dict() for name, state in states.items()},
    }
    if groups is not None:
        made["groups"] = _checked_groups(_by_name(groups), states)
    return made


def struct_from_dict(data: Mapping[str, object]) -> dict[str, State]:
    """The schema in a dictionary of `struct_to_dict`; raises ValueError for anything else.

    Relations to states that it does not have are kept; the machine reports or refuses them.
    """
    try:
        return _read_states(data)
    except (TypeError, ValueError, MachineError) as error:
        raise ValueError(f"not a schema: {error}") from error


def groups_from_dict(data: Mapping[str, object]) -> dict[str, list[str]]:
    """The groups in a dictionary of `struct_to_dict`; none if it has none.

    Raises ValueError as `struct_from_dict` does, and for a group with an unknown state.
    """
    states = struct_from_dict(data)
    try:
        return _checked_groups(_mapping(data.get("groups", {}), "groups"), states)
    except (TypeError, ValueError) as error:
        raise ValueError(f"not a schema: {error}") from error


def _read_states(data: Mapping[str, object]) -> dict[str, State]:
    for key in _mapping(data, "it"):
        if key not in KEYS:
            raise ValueError(f"unknown key {key!r:.60}{did_you_mean([key], KEYS)}")
    version: Any = data.get("version", VERSION)
    checked_count(version, "version", 1, VERSION)
    if "states" not in data:
        raise ValueError("it lacks states")
    states = _mapping(data["states"], "states")
    order = _checked_order(data.get("order", list(states)), states)
    read = {name: _read_state(name, states[name]) for name in order}
    take_in(read)  # checks the names
    return read


def _read_state(name: str, fields: object) -> State:
    try:
        return State.of(_mapping(fields, "its fields"))
    except (TypeError, ValueError) as error:
        raise ValueError(f"state {name}: {error}") from error


def _checked_order(order: object, states: Mapping[str, object]) -> list[str]:
    if not isinstance(order, list) or len(set(checked_names(tuple(order)))) != len(order):
        raise ValueError(f"order lists each state once, not {order!r:.60}")
    wrong = set(order) ^ set(states)
    if wrong:
        raise ValueError(f"order and states differ in {', '.join(sorted(map(repr, wrong)))}")
    return order


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{what} is a dictionary, not {value!r:.60}")
    return value


def _by_name(groups: Groups) -> Mapping[str, Names]:
    if isinstance(groups, GroupsBase):
        return {name: getattr(groups, name) for name in type(groups).names()}
    return _mapping(groups, "groups")


def _checked_groups(
    groups: Mapping[str, Names], states: Mapping[str, object]
) -> dict[str, list[str]]:
    checked: dict[str, list[str]] = {}
    for group, names in groups.items():
        what = f"the states of group {group}"
        (group,) = checked_names((group,), "groups")
        checked[group] = list(checked_names(names_tuple(names, what), what))
        for name in checked[group]:
            if name not in states:
                near = did_you_mean([name], states)
                raise ValueError(f"group {group}: there is no state {name}{near}")
    return checked
