"""Objects of a program whose every method is noted, and raises."""

from __future__ import annotations

import datetime as dt
import enum
import pathlib
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CALLED: list[str] = []
"""What was called of the program."""

KNOWN = (object, type, str, int, list, dict, dt.datetime, pathlib.PurePath, BaseException)
METHODS = {name for kind in KNOWN for name, what in vars(kind).items() if callable(what)}
METHODS |= {"__getattr__", "__instancecheck__", "__next__", "__length_hint__", "__complex__"}
METHODS -= {"__class__", "__new__", "__init__", "__init_subclass__", "__class_getitem__"}
PROPERTIES = {"_name_", "_value_", "_numerator", "_parts", "_str", "args", "int", "name", "value"}
FIXED = ["__class__", "__dict__", "__bases__", "__flags__", "__module__", "__mro__", "__name__"]
"""Attributes that a class has from the beginning or never."""

armed = threading.Event()


def trap(name: str) -> Callable[..., Any]:
    def called(*_: object, **__: object) -> Any:
        CALLED.append(name)
        raise LookupError(name)

    return called


def fixed(name: str) -> property:
    """Reads as ever, until it is armed."""

    def read(owner: Any) -> Any:
        if armed.is_set():
            return trap(name)()
        return type(owner) if name == "__class__" else getattr(super(type(owner), owner), name)

    return property(read)


@contextmanager
def hostile(value: object) -> Iterator[None]:
    """Every method of its class, and of the class of that, is one of the program that raises."""
    traps: dict[str, Any] = {name: trap(name) for name in METHODS}
    traps |= {name: property(trap(name)) for name in PROPERTIES}
    places = [(one, name) for one in (type(value), type(type(value))) for name in traps]
    CALLED.clear()
    try:
        for one, name in places:
            type.__setattr__(one, name, traps[name])
        armed.set()
        yield
    finally:
        armed.clear()
        for one, name in reversed(places):
            type.__delattr__(one, name)


def derived(base: Any, *args: Any) -> Any:
    """An object of a class `Host` with a metaclass of its own, both derived from the known."""
    meta = type("Meta", (type(base),), {name: fixed(name) for name in FIXED})
    of_objects = {name: fixed(name) for name in FIXED[:2]}
    if issubclass(base, enum.Enum):
        body = {**of_objects, "RED": args[0]}
        made: Any = types.new_class(
            "Host", (base,), {"metaclass": meta}, lambda names: names.update(body)
        )
        return made.RED
    return meta("Host", (base,), of_objects)(*args)


class Lazy:
    """A proxy that looks for what it stands for when it is asked for its class."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise AssertionError


class Name(str):
    """A text with methods of the program."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        raise AssertionError

    __str__ = __len__ = __getitem__ = __format__  # type: ignore[assignment]
