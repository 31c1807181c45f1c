"""Finds the type of an object without calling any code of the object or its class.

A class of the traced program can run code in unexpected places: `isinstance` reads `__class__`,
which may be a property, and a metaclass may define its own name, bases, namespace, equality and
hash. So attributes of objects and classes are read with the interpreter's own descriptors, and
classes are compared by identity and found by their `id`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import Enum
from types import MemberDescriptorType, ModuleType
from typing import Any, TypeGuard, TypeVar

_T = TypeVar("_T")

_HEAP_TYPE = 1 << 9
_IMMUTABLE_TYPE = 1 << 8


def _reader(kind: type, name: str) -> Callable[[Any], Any]:
    """A reader of an attribute of this class, even if a subclass overrides its name."""
    read: Callable[[Any], Any] = kind.__dict__[name].__get__
    return read


mro: Callable[[Any], Any] = _reader(type, "__mro__")
"""Returns the classes in the method resolution order of a class."""
_name = _reader(type, "__name__")
namespace: Callable[[Any], Any] = _reader(type, "__dict__")
"""Returns the attributes that a class itself defines."""
_flags = _reader(type, "__flags__")
_enum_dict = _reader(Enum, "__dict__")
module_names: Callable[[Any], Any] = _reader(ModuleType, "__dict__")
"""Returns the names in a module."""
exception_args: Callable[[Any], Any] = _reader(BaseException, "args")
"""Returns the arguments of an exception."""


def is_a(value: object, kind: type[_T]) -> TypeGuard[_T]:
    """Whether the type of an object is this class or derived from it."""
    for base in mro(type(value)):  # noqa: SIM110 - `any` takes twice as long
        if base is kind:
            return True
    return False


def plain_text(text: str) -> str:
    """The same text as a plain `str`, without methods of the program."""
    return text if type(text) is str else str.__str__(text)


def class_name(kind: type) -> str:
    """The name of a class, without its metaclass."""
    return plain_text(_name(kind))


def enum_field(member: Enum, name: str) -> Any:
    """An attribute in the dictionary of an enum member, even if its class overrides the name."""
    try:
        return dict.get(_enum_dict(member), name)
    except AttributeError:  # pragma: no cover - a metaclass can pretend that it is an `Enum`
        return None


def slot_value(value: object, name: str) -> Any:
    """The value in a slot; None if there is no slot or it is empty."""
    for base in mro(type(value)):
        found = namespace(base).get(name)
        if found is not None:
            try:
                return found.__get__(value) if type(found) is MemberDescriptorType else None
            except AttributeError:
                return None
    return None


def is_from(kind: type, module: str, name: str) -> bool:
    """Whether it is the class with this name in a loaded module."""
    return module_object(module, name) is kind


def module_object(module: str, name: str) -> Any:
    """The object with this name in a loaded module; None if there is none."""
    modules = sys.modules
    found = modules.get(module) if type(modules) is dict else None
    return module_names(found).get(name) if type(found) is ModuleType else None


def is_immutable(kind: type) -> bool:
    """Whether it is defined in C, so that the program cannot change it."""
    flags = _flags(kind)
    return not flags & _HEAP_TYPE or bool(flags & _IMMUTABLE_TYPE)
