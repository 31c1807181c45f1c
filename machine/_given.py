"""Checks of arguments that users pass: one function for each kind of value.

Each raises at the call for what can only be a mistake: a TypeError for another kind of
value, a ValueError for one that is out of range. The text names the parameter, what was
given, what is allowed and, if that can be guessed, what was meant.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Reversible, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Generic, NoReturn, TypeVar

from machine._enums import LogLevel

Names = str | Iterable[str]
"""State names as an argument: one name or several."""

A = dict[str, Any]
"""Arguments of a mutation."""

Value = TypeVar("Value")
LEVELS = frozenset(map(int, LogLevel))
_SET_ITERATOR: type = type(iter(frozenset(())))


def names_tuple(names: Names, what: str = "states") -> tuple[str, ...]:
    """State names in the order in which they were given; a bare string is one name.

    The order of states decides which is resolved first, so a set is refused: it would give
    another result in another process. Dictionaries and their keys have an order.
    """
    kind = type(names)
    if kind is list or kind is tuple:
        return tuple(names)
    if isinstance(names, str):
        return (names,)
    return tuple(in_order(names, what))


def in_order(values: Iterable[Value], what: str) -> Iterable[Value]:
    """Values whose order matters; raises for a set, and for what is no iterable."""
    kind = type(values)
    is_set = isinstance(values, AbstractSet) and not isinstance(values, Reversible)
    if is_set or kind is _SET_ITERATOR:
        raise TypeError(
            f"{what} need an order, and a {kind.__name__} has none; give a list, not {values!r:.60}"
        )
    if not isinstance(values, Iterable) or kind is bytes:
        raise TypeError(f"{what} are given as a list, not {values!r:.60}")
    return values


def names_of(names: Names, what: str = "states") -> Iterable[str]:
    """State names whose order does not matter, so that a set is allowed too."""
    if isinstance(names, str):
        return (names,)
    return names if isinstance(names, AbstractSet) else names_tuple(names, what)


def checked_names(names: tuple[str, ...], what: str = "states") -> tuple[str, ...]:
    """The names; raises if one of them is not text."""
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"{what} are text, not {name!r:.60}")
    return names


def check_flat(names: tuple[Any, ...], what: str) -> tuple[Any, ...]:
    """The names; raises for a list among them."""
    for name in names:
        if not isinstance(name, str) and isinstance(name, Iterable):
            raise TypeError(f"{what} are one list of texts, and {name!r:.60} is not a text")
    return names


def refuse_name(name: object, what: str = "a state") -> NoReturn:
    """Raise for something in the place of one name."""
    hint = "; for several names use the call without a 1" if isinstance(name, Iterable) else ""
    raise TypeError(f"{what} is one name, not {name!r:.60}{hint}")


def checked_name(name: object, what: str = "a state") -> str:
    """The name of one state; raises for anything else, such as several names."""
    return name if isinstance(name, str) else refuse_name(name, what)


def check_mapping(value: object, what: str) -> None:
    """Raise unless it is a mapping, or None for an empty one."""
    if value is not None and not isinstance(value, Mapping):
        raise TypeError(f"{what} are a dict, not {value!r:.60}")


def checked_args(args: A | None) -> A | None:
    """Arguments of a mutation: a dictionary with text for keys, or None."""
    if type(args) is dict:
        for key in args:
            if type(key) is not str:
                break
        else:
            return args
    if args is not None:
        _check_args(args)
    return args


def _check_args(args: object) -> None:
    if not isinstance(args, dict):
        hint = "several states are passed as a list"
        if not isinstance(args, Iterable):
            hint = "pass_() makes one of typed arguments"
        raise TypeError(f"args are a dict, not {args!r:.60}; {hint}")
    for key in dict.__iter__(args):  # calls no code of a subclass
        if not issubclass(type(key), str):
            raise TypeError(f"args are a dict with text for keys, not {key!r:.60} in {args!r:.60}")


def checked_count(value: int, what: str, least: int = 0, most: int | None = None) -> int:
    """A whole number within limits; True and 2.0 are refused."""
    if isinstance(value, bool) or not hasattr(type(value), "__index__"):
        raise TypeError(f"{what} is a whole number, not {value!r:.60}")
    number = operator.index(value)
    if number < least:
        raise ValueError(f"{what} is at least {least}, not {value!r:.60}")
    if most is not None and number > most:
        raise ValueError(f"{what} is at most {most}, not {value!r:.60}")
    return number


def checked_seconds(value: float, what: str) -> float:
    """A number of seconds from 0 on; infinity means no limit."""
    number = checked_timeout(value, what)
    if number is None:
        raise TypeError(f"{what} is a number of seconds, not None")
    if number < 0:
        raise ValueError(f"{what} is a number of seconds from 0 on, not {value!r:.60}")
    return number


def checked_limit(value: float | None, what: str) -> float | None:
    """Seconds that something may take; None means no limit."""
    return None if value is None else checked_seconds(value, what)


def checked_timeout(value: float | None, what: str = "timeout") -> float | None:
    """How many seconds to wait: None means no limit, below 0 no wait at all."""
    if value is None:
        return None
    is_number = hasattr(type(value), "__float__") or hasattr(type(value), "__index__")
    if isinstance(value, bool) or not is_number:
        raise TypeError(f"{what} is a number of seconds, not {value!r:.60}")
    if value != value:
        raise ValueError(f"{what} is a number of seconds, not {value!r:.60}")
    return value


def checked_flag(value: bool, what: str) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{what} is True or False, not {value!r:.60}")
    return value


def checked_level(value: LogLevel | int, what: str) -> LogLevel:
    """A log level, given as such or as its number."""
    if isinstance(value, int) and not isinstance(value, bool) and value in LEVELS:
        return LogLevel(value)
    allowed = ", ".join(f"{level.value} ({level.name})" for level in LogLevel)
    kind = ValueError if isinstance(value, int) else TypeError
    raise kind(f"{what} is a LogLevel, one of {allowed}, not {value!r:.60}")


def checked_choice(value: str, what: str, choices: Sequence[str]) -> str:
    """One of a few words."""
    if value not in choices:
        allowed = " or ".join(f'"{choice}"' for choice in choices)
        raise ValueError(f"{what} is {allowed}, not {value!r:.60}")
    return value


def checked_text(value: str, what: str) -> str:
    """Text."""
    if not isinstance(value, str):
        raise TypeError(f"{what} is text, not {value!r:.60}")
    return value


def check_callable(value: object, what: str) -> None:
    """Raise unless it can be called."""
    if not callable(value):
        raise TypeError(f"{what} is a function, not {value!r:.60}")


class Setting(Generic[Value]):
    """An attribute of all machines with a default, checked when one machine changes it.

    The value is kept under the name with `_` in front, where the machine itself reads it.
    """

    def __init__(self, default: Value, check: Callable[[Value, str], Value]) -> None:
        self._default = default
        self._check = check

    def __set_name__(self, owner: type, name: str) -> None:
        self._name, self._kept = name, f"_{name}"
        setattr(owner, self._kept, self._default)

    def __get__(self, machine: object, owner: type) -> Value:
        value: Value = getattr(owner if machine is None else machine, self._kept)
        return value

    def __set__(self, machine: object, value: Value) -> None:
        setattr(machine, self._kept, self._check(value, self._name))
