"""Typed state names: a class of states that gives names, order and schema.

    class FileStates(StatesBase):
        Processing: str = state(remove="Processed")
        Processed: str = state(remove="Processing")
        InProgress: str = state(auto=True, require=Processing)

Every attribute is its own name, for the class and for its instances, so an editor completes
it and a type checker refuses one that does not exist. A bare annotation, `Idle: str`,
declares a state without relations. `names()` gives the order, `struct()` the schema.

    Phase = exclusive(Processing, Processed)

States that exclude one another are a group: each gets the others as its `remove`, beside its
own. The attribute is a tuple of names, also for relations of states further down
(`remove=Phase`). States of a base may be in a group; the class then has definitions of its own
for them, in their place.

Order: what a base lists stands where the base stands among the bases, then come the own
states. A state that is declared again moves to where it is declared last; if that is a
bare annotation, its definition stays. Of several definitions the one that Python's order
of classes finds first counts, as a whole.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, TypeVar, cast

from machine._given import Names, checked_names, names_tuple
from machine._schema.state import EXCEPTION, RELATIONS, S, State, unique
from machine._schema.structs import excluding
from machine.errors import did_you_mean


class _Declared:
    """Stands in the body of a class for a state that has no name yet."""

    __slots__ = ("fields", "name")

    def __init__(self, fields: dict[str, Any]) -> None:
        self.name = ""
        self.fields = fields

    def state(self) -> State:
        fields = dict(self.fields)
        for relation in RELATIONS:
            if fields[relation] is not None:
                fields[relation] = _named(relation, fields[relation])
        if isinstance(fields["on_timeout"], _Declared):
            fields["on_timeout"] = fields["on_timeout"].name
        return State(**fields)


class _Exclusive:
    """Stands in the body of a class for a group of states that have no names yet."""

    __slots__ = ("states",)

    def __init__(self, states: tuple[object, ...]) -> None:
        self.states = states

    def __iter__(self) -> Iterator[object]:
        return iter(self.states)


def _named(relation: str, given: object) -> list[str]:
    """The names in a relation, which may refer to states declared further up."""
    targets = (given,) if isinstance(given, _Declared) else cast("Names", given)
    states: Iterable[object] = names_tuple(targets, f"the states of {relation}")  # type: ignore[arg-type]
    return cast("list[str]", [one.name if isinstance(one, _Declared) else one for one in states])


def state(
    *,
    auto: bool = False,
    multi: bool = False,
    require: Names | None = None,
    add: Names | None = None,
    remove: Names | None = None,
    after: Names | None = None,
    tags: Names = (),
    initial: bool = False,
    timeout: float | None = None,
    on_timeout: str | None = None,
) -> str:
    """Declare a state, in the body of a states class: its attribute, annotated as text.

    The fields are those of `State`. Relations and `on_timeout` may name states as text, or
    refer to states declared further up in this way (a bare annotation is no value to refer to).
    """
    fields = {
        "auto": auto,
        "multi": multi,
        "require": require,
        "add": add,
        "remove": remove,
        "after": after,
        "tags": tags,
        "initial": initial,
        "timeout": timeout,
        "on_timeout": on_timeout,
    }
    return cast("str", _Declared(fields))


def exclusive(*states: str) -> tuple[str, ...]:
    """Declare a group of states that exclude one another, in the body of a states class.

    Each of them removes the others. They are named as in relations; `exclusive(*GROUP, Other)`
    extends a group.
    """
    return cast("tuple[str, ...]", _Exclusive(states))


class StatesBase:
    """The base of all states classes; contributes `Exception`."""

    Exception: str = EXCEPTION

    _own: ClassVar[dict[str, State]] = {EXCEPTION: State(multi=True)}
    _order: ClassVar[tuple[str, ...]] = (EXCEPTION,)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        declared = _declared_in(cls)
        bases = [base for base in cls.__bases__ if issubclass(base, StatesBase)]
        inherited = dict.fromkeys(name for base in bases for name in base._order)
        cls._own = {}
        for name, value in declared.items():
            if isinstance(value, _Declared):
                cls._own[name] = value.state()
            elif name not in inherited:
                cls._own[name] = State()
            setattr(cls, name, name)
        cls._order = (*(name for name in inherited if name not in declared), *declared)
        for group, value in list(cls.__dict__.items()):
            if isinstance(value, _Exclusive):
                setattr(cls, group, cls._excluded(group, value))

    @classmethod
    def names(cls) -> S:
        """All state names in order, each once."""
        return list(cls._order)

    @classmethod
    def struct(cls) -> dict[str, State]:
        """The schema: all states with their definitions, in the order of `names`."""
        return {name: cls._definition(name) for name in cls._order}

    @classmethod
    def _excluded(cls, group: str, given: _Exclusive) -> tuple[str, ...]:
        """The names in a group of states, which remove one another from now on."""
        names = unique(checked_names(tuple(_named(group, given)), f"the states of {group}"))
        for name in names:
            if name not in cls._order:
                text = f"{cls.__name__}.{group}: there is no state {name}"
                raise TypeError(text + did_you_mean([name], cls._order))
            cls._own[name] = excluding(cls._definition(name), name, names)
        return names

    @classmethod
    def _definition(cls, name: str) -> State:
        return next(
            base._own[name]
            for base in cls.__mro__
            if issubclass(base, StatesBase) and name in base._own
        )


def _declared_in(cls: type) -> dict[str, object]:
    """The states that the body of this class declares, in order."""
    declared: dict[str, object] = {}
    for name, annotation in cls.__annotations__.items():
        if name.startswith("_") or annotation not in ("str", str):
            continue
        if callable(getattr(StatesBase, name, None)):
            raise TypeError(
                f"{cls.__name__}.{name}: a method has this name, so no state can have it"
            )
        value = declared[name] = cls.__dict__.get(name)
        if isinstance(value, _Declared):
            value.name = name
        elif value not in (None, name):
            raise TypeError(f"{cls.__name__}.{name}: the value of a state is its name")
    for name, value in cls.__dict__.items():
        if isinstance(value, _Declared) and name not in declared:
            raise TypeError(f"{cls.__name__}.{name}: write it as `{name}: str = state(...)`")
    return declared


States = TypeVar("States", bound=StatesBase)
Groups = TypeVar("Groups")


def new_states(definition: type[States]) -> States:
    """An object whose attributes are the names of the states."""
    return definition()


class GroupsBase:
    """The base of classes that list groups of states: `Connected: list[str]`.

    Made with the groups as keywords; those that are left out can come from elsewhere, by
    `new_state_groups`.
    """

    def __init__(self, **groups: Names) -> None:
        known = self.names()
        for name, states in groups.items():
            if name not in known:
                text = f"{type(self).__name__} has no group {name}"
                raise TypeError(text + did_you_mean([name], known))
            what = f"the states of group {name}"
            setattr(self, name, list(checked_names(names_tuple(states, what), what)))

    @classmethod
    def names(cls) -> list[str]:
        """The names of the groups, inherited ones first."""
        return _fields(cls)


def new_state_groups(definition: Groups, *inherited: object) -> Groups:
    """A copy of the groups, completed by those of the same name in `inherited`.

    Works for any object whose class annotates its groups. A group that is nowhere to be
    found is a `TypeError`.
    """
    made = copy.copy(definition)
    for name in _fields(type(definition)):
        for source in (definition, *inherited):
            if hasattr(source, name):
                setattr(made, name, list(names_tuple(getattr(source, name), f"group {name}")))
                break
        else:
            raise TypeError(f"{type(definition).__name__}: no states for group {name}")
    return made


def _fields(cls: type) -> list[str]:
    own = (getattr(base, "__annotations__", {}) for base in reversed(cls.__mro__))
    fields = dict.fromkeys(name for annotations in own for name in annotations)
    return [name for name in fields if not name.startswith("_")]
