"""Finds the type of an object without calling any code of the object or its class.

Python lets a class of the traced program run code in surprising places: `isinstance` reads
`__class__`, which may be a property; a metaclass may have methods of its own for the name,
the bases, the namespace, for comparing and for hashing. So what is read of an object or a
class is read by the interpreter's own descriptors, taken from where they are defined, and
classes are compared by identity and found by their `id`, never by what they say they equal.
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
    """Reads an attribute in the way of this class, whatever a subclass has by that name."""
    read: Callable[[Any], Any] = kind.__dict__[name].__get__
    return read


bases = _reader(type, "__mro__")
"""A class and each it is derived from, by the class."""
_name = _reader(type, "__name__")
namespace = _reader(type, "__dict__")
"""What the body of a class has left in it, by the class."""
_flags = _reader(type, "__flags__")
_enum_dict = _reader(Enum, "__dict__")
module_names = _reader(ModuleType, "__dict__")
"""The names in a module, by the module."""
exception_args = _reader(BaseException, "args")
"""The arguments of an exception, by the exception."""


def is_a(value: object, kind: type[_T]) -> TypeGuard[_T]:
    """Whether it is really of that class or of one derived from it, whatever it says."""
    for base in bases(type(value)):  # noqa: SIM110 - `any` takes twice as long
        if base is kind:
            return True
    return False


def plain(text: str) -> str:
    """The same text, as an object that has no methods of the program."""
    return text if type(text) is str else str.__str__(text)


def class_name(kind: type) -> str:
    """The name of a class, for which its metaclass is not asked."""
    return plain(_name(kind))


def enum_field(member: Enum, name: str) -> Any:
    """What a member of an enumeration holds by that name, whatever its class has there."""
    try:
        return dict.get(_enum_dict(member), name)
    except AttributeError:  # pragma: no cover - its metaclass only claims that it is an `Enum`
        return None


def slot(value: object, name: str) -> Any:
    """What lies in a slot; None for nothing, and where the class has something else."""
    for base in bases(type(value)):
        found = namespace(base).get(name)
        if found is not None:
            try:
                return found.__get__(value) if type(found) is MemberDescriptorType else None
            except AttributeError:
                return None
    return None


def is_from(kind: type, module: str, name: str) -> bool:
    """Whether it is the class of that name in a module that is loaded."""
    return module_object(module, name) is kind


def module_object(module: str, name: str) -> Any:
    """What a loaded module has by that name; None for nothing."""
    modules = sys.modules
    found = modules.get(module) if type(modules) is dict else None
    return module_names(found).get(name) if type(found) is ModuleType else None


def is_immutable(kind: type) -> bool:
    """Whether it was made in C and can neither be changed nor made by the program."""
    flags = _flags(kind)
    return not flags & _HEAP_TYPE or bool(flags & _IMMUTABLE_TYPE)
