"""Short texts of arguments, made without running any code of the traced program.

An argument may be huge, deep, circular or changed by another thread, or its `repr` may raise,
block or mutate the machine. So only methods of known built-in classes are called, and types are
read without the program's code (see `introspection`). An object of the program shows its class
and the fields that the class declares (see `declared_fields`), or only its class. An object of a
class derived from a known one is read as the known class reads it. The number of visited
objects, the depth and the length of each text are bounded, and so is the time. A mark counts
what is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from itertools import islice
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from amtracer.safe_repr.declared_fields import declared_fields, field_values
from amtracer.safe_repr.introspection import (
    class_name,
    enum_field,
    exception_args,
    is_a,
    module_names,
    mro,
    plain_text,
)
from amtracer.safe_repr.machine_fields import machine_class
from amtracer.safe_repr.stdlib_text import stdlib_text
from amtracer.wire.limits import ARGS_MAX

TEXT_CHARS_MAX = 200
"""Characters of one argument's text."""
TRACE_KEY = "err.trace"
"""The argument that is the stack trace of an error."""
TRACE_CHARS_MAX = 4_000
"""The last characters of a trace, which are kept."""
ITEMS_MAX = 8
"""Items shown of one container."""
TICKS_MAX = 32
"""Ticks shown of a time."""
DEPTH_MAX = 3
"""Containers that are shown within each other."""
_INT_BITS_MAX = 512
_BYTES_MAX = TEXT_CHARS_MAX // 4

_REST = "…"
"""The mark for values that are not shown, also in place of a key."""
_BRACKETS = {
    "dict": ("{", "}"),
    "list": ("[", "]"),
    "tuple": ("(", ")"),
    "set": ("{", "}"),
    "frozenset": ("frozenset({", "})"),
}


def arg_texts(args: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Key and text of each argument, in order; other objects than a dict show their class."""
    if type(args) is not dict and not is_a(args, dict):
        return ((_REST, arg_text(args)),)
    items = dict.items(args)
    count = len(items)
    try:
        pairs = list(items if count <= ARGS_MAX else islice(items, ARGS_MAX - 1))
    except RuntimeError:  # pragma: no cover - another thread changed it at this moment
        return ((_REST, "<being changed>"),)
    shown = [
        (
            key if type(key) is str else name_text(key),
            _trace_text(value) if _is_trace(key, value) else arg_text(value),
        )
        for key, value in pairs
    ]
    if count > ARGS_MAX:
        shown.append((_REST, _more(count - len(shown))))
    return tuple(shown)


def arg_text(value: object) -> str:
    """A short text of any object; never raises and never calls the program."""
    return _cut(_text(value, DEPTH_MAX))


def _is_trace(key: object, value: object) -> bool:
    """Whether this is the trace of an error; only plain texts are compared."""
    return type(key) is str and key == TRACE_KEY and type(value) is str


def _trace_text(trace: str) -> str:
    """The end of a stack trace, where the error comes from."""
    if len(trace) <= TRACE_CHARS_MAX:
        return repr(trace)
    return f"…{trace[-TRACE_CHARS_MAX:]!r}"


def name_text(value: object) -> str:
    """A whole text as a plain one; other objects as arguments are shown."""
    if type(value) is str:
        return value
    return plain_text(value) if is_a(value, str) else arg_text(value)


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_CHARS_MAX else f"{text[: TEXT_CHARS_MAX - 1]}…"


def _more(count: int) -> str:
    return f"… {count:,} more"


def _text(value: Any, depth: int) -> str:
    """The text of an object, with containers down to a depth."""
    kind = type(value)
    if kind is str:
        return _str_text(value)
    if kind is int:
        return _int_text(value)
    if value is None or kind is bool or kind is float or kind is complex:
        return repr(value)
    if kind is dict or kind is list or kind is tuple or kind is set or kind is frozenset:
        return _container_text(value, depth) if depth else _REST
    if kind is bytes or kind is bytearray:
        return _bytes_text(value)
    return _object_text(value, depth)


def _str_text(value: str) -> str:
    """The text, or its beginning and its length."""
    length = str.__len__(value)
    shown = repr(str.__getitem__(value, slice(TEXT_CHARS_MAX)))
    if length <= TEXT_CHARS_MAX >= len(shown):
        return shown
    mark = f"… ({length:,} characters)"
    return f"{shown[: TEXT_CHARS_MAX - len(mark)]}{mark}"


def _int_text(value: int) -> str:
    bits = int.bit_length(value)
    return int.__repr__(value) if bits <= _INT_BITS_MAX else f"<int of {bits:,} bits>"


def _bytes_text(value: bytes | bytearray) -> str:
    head = repr(bytes(value[:_BYTES_MAX]))
    return head if len(value) <= _BYTES_MAX else f"{head}… ({len(value):,} bytes)"


def _container_text(value: Any, depth: int) -> str:
    name = type(value).__name__
    items = value.items() if name == "dict" else value
    try:
        first = list(islice(items, ITEMS_MAX))
    except RuntimeError:  # pragma: no cover - another thread changed it at this moment
        return f"<{name} being changed>"
    if name == "dict":
        shown = [f"{_inner(key, depth)}: {_inner(item, depth)}" for key, item in first]
    else:
        shown = [_inner(item, depth) for item in first]
    return _joined(shown, len(value), *_BRACKETS[name])


def _inner(value: object, depth: int) -> str:
    return _cut(_text(value, depth - 1))


def _joined(shown: list[str], length: int, left: str, right: str) -> str:
    if length > len(shown):
        shown.append(_more(length - len(shown)))
    return f"{left}{', '.join(shown)}{right}"


def _object_text(value: Any, depth: int) -> str:
    kind = type(value)
    name = class_name(kind)
    for base in mro(kind):
        show = _BY_BASE.get(id(base))
        if show is not None:
            return show(value, name, depth)
    callable_name = _callable_name(value, kind)
    if callable_name is not None:
        return f"<{name} {callable_name}>"
    return stdlib_text(value, name) or _fields_text(value, name, depth) or f"<{name}>"


def _fields_text(value: Any, name: str, depth: int) -> str | None:
    """The fields of an object whose class declares some; None for any other."""
    declared = declared_fields(type(value))
    if declared is None:
        is_time = is_a(value, list) and machine_class(type(value)) is not None
        return _ticks_text(value, name) if is_time else None
    if not depth:
        return f"{name}({_REST})"
    try:
        fields = field_values(value, declared)
    except RuntimeError:  # pragma: no cover - another thread changed it at this moment
        return f"<{name} being changed>"
    if not fields and declared.fields:
        return None
    shown = [f"{field}={_inner(one, depth)}" for field, one in fields[:ITEMS_MAX]]
    return _joined(shown, len(fields), f"{name}(", ")")


def _ticks_text(value: Any, name: str) -> str:
    shown = [_inner(tick, 1) for tick in islice(list.__iter__(value), TICKS_MAX)]
    return _joined(shown, list.__len__(value), f"{name}([", "])")


def _of_str(value: Any, name: str, _: int) -> str:
    return _of_enum(value, name, _) if is_a(value, Enum) else _str_text(value)


def _of_int(value: Any, name: str, _: int) -> str:
    return _of_enum(value, name, _) if is_a(value, Enum) else _int_text(value)


def _of_enum(value: Any, name: str, _: int) -> str:
    """A member by its name; flags without a name by their number."""
    member, number = enum_field(value, "_name_"), enum_field(value, "_value_")
    if is_a(member, str):
        return f"{name}.{plain_text(member)}"
    return f"{name}({_int_text(number)})" if type(number) is int else f"<{name}>"


def _of_exception(value: Any, name: str, depth: int) -> str:
    args = exception_args(value)
    if type(args) is not tuple or not depth:
        return f"{name}({_REST})"
    shown = [_inner(arg, depth) for arg in args[:ITEMS_MAX]]
    return _joined(shown, len(args), f"{name}(", ")")


def _of_class(value: Any, _: str, __: int) -> str:
    return f"<class {class_name(value)}>"


_BY_BASE: dict[int, Callable[[Any, str, int], str]] = {
    id(str): _of_str,
    id(int): _of_int,
    id(Enum): _of_enum,
    id(BaseException): _of_exception,
    id(type): _of_class,
}
"""Functions that show objects of classes derived from known ones, by the `id` of the latter."""


def _callable_name(value: Any, kind: type) -> str | None:
    """The name of a function, method or module."""
    if kind is MethodType:
        value, kind = value.__func__, type(value.__func__)
    if kind is FunctionType or kind is BuiltinFunctionType:
        return plain_text(value.__name__)
    if kind is not ModuleType:
        return None
    name = module_names(value).get("__name__")
    return plain_text(name) if is_a(name, str) else None
