"""Reads the fields that a class declares, and their values in an object, without calling either.

Declared fields are those of dataclasses, named tuples, attrs and pydantic classes, and those
that a plain class lists in `__slots__` or annotates, unless their names are private. Fields with
`repr=False` are left out. Other attributes are not shown, because they may be anything.

Values are read from a slot or from the object's dictionary, with the interpreter's own
descriptors. So no property and no `__getattr__` is called, even if the class defines its own
`__dict__`. Names are compared only if they are plain texts, because a subclass can define its
own equality.

The declared fields of a class are looked up once. Classes are found by their `id`, and dropped
when they are gone.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, NamedTuple
from weakref import ref

from amtracer.safe_repr.introspection import is_a, module_object, mro, namespace, slot_value
from amtracer.safe_repr.machine_fields import machine_class, machine_fields
from amtracer.safe_repr.stdlib_text import is_from_stdlib

Reader = Callable[[Any], Any]

_CLASSES_MAX = 1_024
"""Classes whose fields are kept."""
_NAMES_MAX = 1_024
"""Names that are read in one class, or in the dictionary of one object."""


class Declared(NamedTuple):
    """The declared fields of a class.

    `fields` are the names in order, each with a reader of its slot, or None if the field is in
    the dictionary that `own` reads. For a named tuple, `items` has the names.
    """

    fields: tuple[tuple[str, Reader | None], ...] = ()
    own: Reader | None = None
    items: tuple[str, ...] | None = None


_known: dict[int, tuple[ref[type], Declared | None]] = {}


def declared_fields(kind: type) -> Declared | None:
    """The fields that a class declares; None if it declares none."""
    found = _known.get(id(kind))
    if found is not None and found[0]() is kind:
        return found[1]
    declared = _declared(kind)
    if len(_known) >= _CLASSES_MAX:
        _known.clear()
    _known[id(kind)] = (ref(kind), declared)
    return declared


def field_values(value: Any, declared: Declared) -> list[tuple[str, Any]]:
    """The declared fields of an object, with their values.

    Raises RuntimeError if another thread adds or removes fields at this moment.
    """
    if declared.items is not None:
        return list(zip(declared.items, tuple.__iter__(value), strict=False))
    own = {} if declared.own is None else _own_values(value, declared.own)
    values = []
    for name, read in declared.fields:
        if read is None:
            if name in own:
                values.append((name, own[name]))
            continue
        with suppress(AttributeError, TypeError):  # never set, or of another class
            values.append((name, read(value)))
    return values


def _declared(kind: type) -> Declared | None:
    spaces = [_plain_names(base) for base in mro(kind)]
    for base in mro(kind):
        if base is tuple:
            return _named_tuple(spaces)
        if base is list or base is dict or base is set or base is frozenset:
            return None
    if is_from_stdlib(kind):
        return None
    ours = machine_class(kind)
    names = _declared_names(spaces) if ours is None else list(machine_fields(ours))
    if names is None:
        return None
    fields = tuple([(name, _slot_reader(spaces, name)) for name in names])
    return Declared(fields, _own_reader(spaces))


def _named_tuple(spaces: list[dict[str, Any]]) -> Declared | None:
    for space in spaces:
        names = space.get("_fields")
        if type(names) is tuple and all(type(name) is str for name in names):
            return Declared(items=names)
    return None


def _declared_names(spaces: list[dict[str, Any]]) -> list[str] | None:
    """The names from the first kind of declaration that the class has."""
    for attribute, names_of in _DECLARATIONS:
        for space in spaces:
            if attribute in space:
                names = names_of(space[attribute])
                if names is not None:
                    return names
    names = [name for space in reversed(spaces) for name in _listed_names(space)]
    return list(dict.fromkeys(names)) or None


def _dataclass_names(fields: object) -> list[str] | None:
    if type(fields) is not dict:
        return None
    usual = module_object("dataclasses", "_FIELD")
    return [
        name
        for name, one in list(fields.items())[:_NAMES_MAX]
        if type(name) is str
        and slot_value(one, "_field_type") is usual
        and slot_value(one, "repr") is True
    ]


def _attrs_names(attributes: object) -> list[str] | None:
    if not is_a(attributes, tuple):
        return None
    names = []
    for one in islice(tuple.__iter__(attributes), _NAMES_MAX):
        name = slot_value(one, "name")
        if type(name) is str and slot_value(one, "repr") is not False:
            names.append(name)
    return names


def _pydantic_names(fields: object) -> list[str] | None:
    if type(fields) is not dict:
        return None
    return [
        name
        for name, one in list(fields.items())[:_NAMES_MAX]
        if type(name) is str and slot_value(one, "repr") is not False
    ]


_DECLARATIONS: tuple[tuple[str, Callable[[object], list[str] | None]], ...] = (
    ("__dataclass_fields__", _dataclass_names),
    ("__attrs_attrs__", _attrs_names),
    ("__pydantic_fields__", _pydantic_names),
    ("model_fields", _pydantic_names),
)
"""Class attributes that declare fields, with readers of the names; pydantic has used both names."""


def _listed_names(space: dict[str, Any]) -> list[str]:
    """The names that a plain class lists in `__slots__` or annotates, without private ones."""
    names: list[str] = []
    slots, annotations = space.get("__slots__"), space.get("__annotations__")
    if type(slots) is str:
        names.append(slots)
    elif type(slots) is tuple or type(slots) is list or type(slots) is dict:
        names += [name for name in islice(slots, _NAMES_MAX) if type(name) is str]
    if type(annotations) is dict:
        names += [name for name in list(annotations)[:_NAMES_MAX] if type(name) is str]
    return [name for name in names if not name.startswith("_")]


def _slot_reader(spaces: list[dict[str, Any]], name: str) -> Reader | None:
    """A reader of the slot with this name, even if a subclass overrides the name."""
    for space in spaces:
        found = space.get(name)
        if type(found) is MemberDescriptorType:
            read: Reader = found.__get__
            return read
    return None


def _plain_names(kind: type) -> dict[str, Any]:
    return {name: value for name, value in list(namespace(kind).items()) if type(name) is str}


def _own_reader(spaces: list[dict[str, Any]]) -> Reader | None:
    """A reader of an object's dictionary, even if its class overrides `__dict__`."""
    for space in spaces:
        found = space.get("__dict__")
        if type(found) is GetSetDescriptorType:
            read: Reader = found.__get__
            return read
    return None


def _own_values(value: object, read: Reader) -> dict[str, Any]:
    """The items of an object's dictionary whose keys are plain texts."""
    try:
        own = read(value)
    except (AttributeError, TypeError):
        return {}
    if not is_a(own, dict):
        return {}
    return {key: one for key, one in islice(dict.items(own), _NAMES_MAX) if type(key) is str}
