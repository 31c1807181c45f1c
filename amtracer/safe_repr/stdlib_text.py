"""One-line texts of values of the standard library, such as dates and paths.

A text is made only if no code of the traced program can run. A class defined in C cannot be
changed, so its own text is used; a date also calls its time zone, which must be such a class
too. A class written in Python may have been changed, and its objects may hold anything, so only
its slots are read, and shown if they hold plain values.
"""

from __future__ import annotations

import ntpath
import posixpath
import sys
from collections.abc import Callable
from typing import Any

from amtracer.safe_repr.introspection import class_name, is_from, is_immutable, mro, slot_value

_DECIMAL_BYTES_MAX = 4_096
_INT_BITS_MAX = 512
_PARTS = "_parts" if sys.version_info < (3, 12) else "_raw_paths"
_PARTS_MAX = 32
_PART_CHARS_MAX = 256


def stdlib_text(value: object, name: str) -> str | None:
    """The text of a value of the standard library whose class has this name, or None."""
    module, show = _SHOWN.get(name, ("", None))
    if show is None or not is_from(type(value), module, name):
        return None
    text = show(value)
    return None if text is None else f"{name}({text})"


def is_from_stdlib(kind: type) -> bool:
    """Whether a class is or is derived from one of these; its fields are not shown."""
    for base in mro(kind):
        name = class_name(base)
        if name in _SHOWN and is_from(base, _SHOWN[name][0], name):
            return True
    return False


def _date(value: Any) -> str | None:
    if not is_immutable(type(value)):
        return None
    zone = getattr(value, "tzinfo", None)
    return str(value) if zone is None or _is_known_zone(type(zone)) else None


def _is_known_zone(kind: type) -> bool:
    name = class_name(kind)
    module = {"timezone": "datetime", "ZoneInfo": "zoneinfo"}.get(name, "")
    return is_from(kind, module, name) and is_immutable(kind)


def _decimal(value: Any) -> str | None:
    if not is_immutable(type(value)) or sys.getsizeof(value) > _DECIMAL_BYTES_MAX:
        return None
    return str(value)


def _fraction(value: object) -> str | None:
    above, below = slot_value(value, "_numerator"), slot_value(value, "_denominator")
    if not (_is_short_int(above) and _is_short_int(below)):
        return None
    return f"{above}" if below == 1 else f"{above}/{below}"


def _uuid(value: object) -> str | None:
    number = slot_value(value, "int")
    if not _is_short_int(number):
        return None
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _is_short_int(value: Any) -> bool:
    return type(value) is int and value.bit_length() <= _INT_BITS_MAX


def _posix_path(value: object) -> str | None:
    return _path(value, posixpath.join)


def _windows_path(value: object) -> str | None:
    return _path(value, ntpath.join)


def _path(value: object, join: Callable[..., str]) -> str | None:
    """The cached text of a path, or its joined parts if it has none yet."""
    text = slot_value(value, "_str")
    if type(text) is str:
        return text[: _PARTS_MAX * _PART_CHARS_MAX]
    parts = slot_value(value, _PARTS)
    if type(parts) is not list:
        return None
    first = parts[:_PARTS_MAX]
    if any(type(part) is not str for part in first):
        return None
    return join("", *[part[:_PART_CHARS_MAX] for part in first]) or "."


_SHOWN: dict[str, tuple[str, Callable[[Any], str | None]]] = {
    "date": ("datetime", _date),
    "datetime": ("datetime", _date),
    "time": ("datetime", _date),
    "timedelta": ("datetime", _date),
    "Decimal": ("decimal", _decimal),
    "Fraction": ("fractions", _fraction),
    "UUID": ("uuid", _uuid),
    "PosixPath": ("pathlib", _posix_path),
    "PurePosixPath": ("pathlib", _posix_path),
    "PureWindowsPath": ("pathlib", _windows_path),
    "WindowsPath": ("pathlib", _windows_path),
}
"""By class name: the module of the class, and the function that makes a text of its objects."""
