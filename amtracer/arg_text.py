"""Short texts of arguments, made without running a line of the host's code.

An argument may be huge, deep, circular, changed by another thread meanwhile, or have a
`repr` that raises, blocks or mutates the machine. So no method of a class that is not
known here is ever called: an object of the host shows its class. What is visited, how
deep and how much of each text is bounded, and with it the time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from itertools import islice
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

__all__ = ["DEPTH_MAX", "ITEMS_MAX", "TEXT_CHARS_MAX", "arg_text", "arg_texts"]

TEXT_CHARS_MAX = 200
"""Characters of one argument's text."""
ITEMS_MAX = 8
"""Items shown of one container."""
DEPTH_MAX = 3
"""Containers shown within each other."""
_INT_BITS_MAX = 512

_TRUSTED = {
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "time"),
    ("datetime", "timedelta"),
    ("decimal", "Decimal"),
    ("fractions", "Fraction"),
    ("uuid", "UUID"),
    *(
        (module, name)
        for module in ("pathlib", "pathlib._local")  # the latter is where 3.13 has them
        for name in ("Path", "PosixPath", "PurePath", "PurePosixPath", "WindowsPath")
    ),
}
"""Classes of the standard library whose `str` is short and runs nothing else."""
_ZONES = {("datetime", "timezone"), ("zoneinfo", "ZoneInfo")}
_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}


def arg_texts(args: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Key and text of each argument, in order."""
    return tuple([(str(key), arg_text(value)) for key, value in list(args.items())])


def arg_text(value: object) -> str:
    """A short text of any object; it never raises and never calls the host."""
    return _cut(_text(value, DEPTH_MAX))


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_CHARS_MAX else f"{text[: TEXT_CHARS_MAX - 1]}…"


def _text(value: object, depth: int) -> str:
    kind = type(value)
    if value is None or kind is bool or kind is float or kind is complex:
        return repr(value)
    if isinstance(value, Enum):
        return f"{kind.__name__}.{object.__getattribute__(value, '_name_')}"
    if isinstance(value, str):
        return repr(str.__getitem__(value, slice(TEXT_CHARS_MAX)))
    if isinstance(value, int):
        return _int_text(value)
    if kind is bytes or kind is bytearray:
        return _bytes_text(value)
    if kind in _BRACKETS or kind is dict:
        return _container_text(value, depth)
    return _object_text(value, depth)


def _int_text(value: int) -> str:
    bits = int.bit_length(value)
    return int.__repr__(value) if bits <= _INT_BITS_MAX else f"<int of {bits:,} bits>"


def _bytes_text(value: object) -> str:
    assert isinstance(value, bytes | bytearray)
    head = repr(bytes(value[: TEXT_CHARS_MAX // 4]))
    return head if len(value) <= TEXT_CHARS_MAX // 4 else f"{head}… ({len(value):,} bytes)"


def _container_text(value: object, depth: int) -> str:
    try:
        if type(value) is dict:
            pairs = list(islice(value.items(), ITEMS_MAX))
            shown = [f"{_inner(k, depth)}: {_inner(v, depth)}" for k, v in pairs]
            return _joined(shown, len(value), ("{", "}"))
        assert isinstance(value, list | tuple | set | frozenset)
        items: Iterable[object] = list(islice(value, ITEMS_MAX))
        return _joined([_inner(item, depth) for item in items], len(value), _BRACKETS[type(value)])
    except RuntimeError:  # pragma: no cover - another thread changed it at this moment
        return f"<{type(value).__name__} being changed>"


def _inner(value: object, depth: int) -> str:
    if depth <= 1 and (type(value) in _BRACKETS or type(value) is dict):
        return "…"
    return _cut(_text(value, depth - 1))


def _joined(shown: list[str], length: int, brackets: tuple[str, str]) -> str:
    if length > len(shown):
        shown.append(f"… {length - len(shown):,} more")
    return f"{brackets[0]}{', '.join(shown)}{brackets[1]}"


def _object_text(value: object, depth: int) -> str:
    kind = type(value)
    name = type.__getattribute__(kind, "__name__")
    if _is_one_of(_TRUSTED, kind) and _is_trusted_zone(getattr(value, "tzinfo", None)):
        return f"{name}({str(value)[:TEXT_CHARS_MAX]})"
    if isinstance(value, BaseException):
        args: tuple[object, ...] = object.__getattribute__(value, "args")
        return _joined(
            [_inner(arg, depth) for arg in args[:ITEMS_MAX]], len(args), (f"{name}(", ")")
        )
    if kind is type or isinstance(value, type):
        return f"<class {type.__getattribute__(value, '__name__')}>"
    if kind in (FunctionType, BuiltinFunctionType, MethodType, ModuleType):
        return f"<{name} {getattr(value, '__name__', '')}>"
    return f"<{name}>"


def _is_trusted_zone(zone: object) -> bool:
    """A moment asks its time zone, which may be a class of the host."""
    return zone is None or _is_one_of(_ZONES, type(zone))


def _is_one_of(trusted: AbstractSet[tuple[str, str]], kind: type) -> bool:
    """Whether it is really the class of that name, not one of the host that says so."""
    module = type.__getattribute__(kind, "__module__")
    name = type.__getattribute__(kind, "__name__")
    if not isinstance(module, str) or (module, name) not in trusted:
        return False
    return module in sys.modules and vars(sys.modules[module]).get(name) is kind
