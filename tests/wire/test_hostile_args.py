"""No code of the program runs to show an argument of a mutation."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import fractions
import pathlib
import sys
import types
import uuid
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

import machine as am
from amtracer.safe_repr.arg_text import arg_text, arg_texts, name_text
from amtracer.safe_repr.introspection import class_name
from amtracer.send.events import ARGS
from amtracer.wire.limits import ARGS_MAX
from tests.wire.hostile import CALLED, Lazy, Name, derived, hostile, trap
from tests.wire.tracing import FakeSender

DERIVED: dict[str, tuple[Callable[[], Any], str]] = {
    "object": (lambda: derived(object), "<Host>"),
    "str": (lambda: derived(str, "x"), "'x'"),
    "int": (lambda: derived(int, 1), "1"),
    "float": (lambda: derived(float, 1.5), "<Host>"),
    "complex": (lambda: derived(complex, 1.5), "<Host>"),
    "bytes": (lambda: derived(bytes, b"x"), "<Host>"),
    "bytearray": (lambda: derived(bytearray, b"x"), "<Host>"),
    "list": (lambda: derived(list, [1]), "<Host>"),
    "tuple": (lambda: derived(tuple, [1]), "<Host>"),
    "dict": (lambda: derived(dict, {"a": 1}), "<Host>"),
    "OrderedDict": (lambda: derived(OrderedDict, {"a": 1}), "<Host>"),
    "set": (lambda: derived(set, [1]), "<Host>"),
    "frozenset": (lambda: derived(frozenset, [1]), "<Host>"),
    "exception": (lambda: derived(ValueError, "x", 1), "Host('x', 1)"),
    "Enum": (lambda: derived(enum.Enum, 1), "Host.RED"),
    "IntEnum": (lambda: derived(enum.IntEnum, 1), "Host.RED"),
    "StrEnum": (lambda: derived(enum.StrEnum, "x"), "Host.RED"),
    "Flag": (lambda: derived(enum.Flag, 1), "Host.RED"),
    "date": (lambda: derived(dt.date, 2024, 2, 3), "<Host>"),
    "datetime": (lambda: derived(dt.datetime, 2024, 2, 3), "<Host>"),
    "timedelta": (lambda: derived(dt.timedelta, 1), "<Host>"),
    "tzinfo": (lambda: derived(dt.tzinfo), "<Host>"),
    "Decimal": (lambda: derived(decimal.Decimal, 1), "<Host>"),
    "Fraction": (lambda: derived(fractions.Fraction, 1), "<Host>"),
    "UUID": (lambda: derived(uuid.UUID, "0" * 32), "<Host>"),
    "path": (lambda: derived(pathlib.PurePosixPath, "a/b"), "<Host>"),
    "class": (lambda: derived(type, "Made", (), {}), "<class Made>"),
    "module": (lambda: derived(types.ModuleType, "made"), "<Host>"),
}
"""Objects of classes derived from known ones, and how they are shown."""


def test_python_calls_a_class_of_the_host_where_one_would_not_think_of_it() -> None:
    """To read a class, a name, a hash or equality calls it."""
    value = derived(object)
    kind = type(value)
    asked: list[Callable[[], Any]] = [
        lambda: isinstance(value, int),
        lambda: isinstance(1, kind),
        lambda: kind.__name__,
        lambda: type.__getattribute__(kind, "__mro__"),
        lambda: kind in {int: 1},
        lambda: kind in (int, str),
    ]

    with hostile(value):
        for ask in asked:
            with pytest.raises(LookupError):
                ask()

    assert len(CALLED) == len(asked)


@pytest.mark.parametrize("name", DERIVED)
def test_nothing_of_a_class_of_the_host_is_called(name: str) -> None:
    """None of its methods, properties and metaclass; it shows its class or its plain value."""
    make, text = DERIVED[name]
    value = make()

    with hostile(value):
        shown = arg_text(value)

    assert (shown, CALLED) == (text, [])


@pytest.mark.parametrize("name", DERIVED)
def test_nothing_is_called_of_what_lies_in_a_container(name: str) -> None:
    """Items, values, keys and the arguments of exceptions are shown in the same way."""
    make, text = DERIVED[name]
    value = make()
    holders: list[Any] = [[value], (value,), {"k": value}, ValueError(value), [[value]]]
    shown_as = [f"[{text}]", f"({text})", f"{{'k': {text}}}", f"ValueError({text})", f"[[{text}]]"]
    if type(value).__hash__ is not None:
        holders += [{value: 1}, {value}, frozenset([value])]
        shown_as += [f"{{{text}: 1}}", f"{{{text}}}", f"frozenset({{{text}}})"]

    with hostile(value):
        shown = [arg_text(holder) for holder in holders]

    assert (shown, CALLED) == (shown_as, [])


@pytest.mark.parametrize("name", DERIVED)
def test_a_mutation_goes_on_whatever_it_is_given(name: str) -> None:
    """As an argument, and a text as its key: it is sent, and the machine is still traced."""
    make, text = DERIVED[name]
    value = make()
    mach, caught = am.Machine(None, {"M": am.State(multi=True)}), FakeSender()
    caught.trace(mach)
    args: dict[Any, Any] = {"a": value}
    key = ""
    if isinstance(value, str):
        args[value] = 1
        key = str.__str__(value)

    with hostile(value):
        result = mach.add1("M", args)

    assert (result, CALLED) == (am.Result.EXECUTED, [])
    assert caught.transitions()[-1][ARGS:] == ("a", text, key, "1")[: 2 * len(args)]
    assert len(mach.tracers()) == 1


@pytest.mark.parametrize("base", [dict, OrderedDict])
def test_arguments_in_a_dict_of_the_host_are_shown(base: type) -> None:
    """They are read in the way of a plain one."""
    args = derived(base, {"a": 1, "b": "x"})

    with hostile(args):
        shown = arg_texts(args)

    assert (shown, CALLED) == ((("a", "1"), ("b", "'x'")), [])


def test_arguments_that_are_no_dict_show_their_class() -> None:
    """A mapping of the program would have to be called."""
    args = derived(types.SimpleNamespace)

    with hostile(args):
        shown = arg_texts(args)

    assert (shown, CALLED) == ((("…", "<Host>"),), [])


def test_the_arguments_shown_are_as_many_as_a_reader_takes() -> None:
    """At the limit all are shown; one past it the last one counts the missing ones."""
    most = arg_texts({f"k{at}": at for at in range(ARGS_MAX)})
    cut = arg_texts({f"k{at}": at for at in range(ARGS_MAX + 1)})

    assert most[-1] == (f"k{ARGS_MAX - 1}", str(ARGS_MAX - 1))
    assert cut == (*most[:-1], ("…", "… 2 more"))


# What only seems to be known.


class Host(enum.Enum):
    RED = 1


class Flags(enum.Flag):
    RED = 1


class Callable_:
    def __getattribute__(self, name: str) -> Any:
        raise AssertionError

    def __call__(self) -> None: ...


def dead() -> Any:
    """A reference to an object that is gone; every question to it raises."""
    return weakref.proxy(Lazy())


def module(**names: Any) -> types.ModuleType:
    made = types.ModuleType("made")
    vars(made).clear()
    vars(made).update(names)
    return made


def function() -> Any:
    def made() -> None: ...

    made.__name__ = Name("named")
    return made


def renamed() -> enum.Enum:
    member: enum.Enum = Host.RED
    member._name_ = Name("NAMED")
    return member


class Claiming(type):
    """Its classes say that they are derived from one that they are not."""

    def mro(cls) -> list[type]:
        return [cls, enum.Enum, object]


SEEMING: list[tuple[Callable[[], Any], str]] = [
    (Lazy, "<Lazy>"),
    (dead, f"<{weakref.ProxyType.__name__}>"),
    (lambda: mock.Mock(spec="x"), "<Mock>"),
    (lambda: mock.MagicMock(spec=int), "<MagicMock>"),
    (lambda: mock.Mock(spec=ValueError), "<Mock>"),
    (lambda: mock.Mock(spec=type), "<Mock>"),
    (lambda: mock.Mock(spec=enum.Enum), "<Mock>"),
    (lambda: types.MethodType(Callable_(), 1), "<method>"),
    (function, "<function named>"),
    (lambda: types.MethodType(function(), 1), "<method named>"),
    (lambda: type(Name("Named"), (), {}), "<class Named>"),
    (type(Name("Named"), (), {}), "<Named>"),
    (lambda: module(__getattr__=trap("__getattr__")), "<module>"),
    (lambda: module(__name__=Lazy()), "<module>"),
    (lambda: module(__name__=Name("named")), "<module named>"),
    (Claiming("Host", (), {"__new__": object.__new__}), "<Host>"),
    (renamed, "Host.NAMED"),
    (lambda: Flags(0), "Flags(0)"),
]


@pytest.mark.parametrize(("make", "text"), SEEMING)
def test_nothing_is_asked_what_it_is(make: Callable[[], Any], text: str) -> None:
    """Proxies, mocks and names of the program pass for what they are by the interpreter alone."""
    CALLED.clear()
    value = make()
    shown = arg_text(value), arg_text([value]), arg_texts({"a": value})

    assert (shown, CALLED) == ((text, f"[{text}]", (("a", text),)), [])


def test_a_name_becomes_a_plain_text() -> None:
    """The whole of a text; other objects are shown as arguments are."""
    long = Name("x" * 1_000)

    assert name_text(long) == "x" * 1_000
    assert type(name_text(long)) is str
    assert [name_text(5), name_text(None), name_text(Lazy())] == ["5", "None", "<Lazy>"]
    assert type(class_name(type(Name("Named"), (), {}))) is str


def test_exceptions_in_exceptions_end() -> None:
    """They count as containers, so a circle of them is no endless text."""
    around = ValueError("a")
    around.args = (around, [around])
    wide: list[Any] = [1]
    for _ in range(20):
        wide = [ValueError(*wide * 20)]

    assert arg_text(around).startswith("ValueError(ValueError(ValueError(ValueError(…), …")
    assert "… 12 more" in arg_text(ValueError(*range(20)))
    assert len(arg_text(wide)) <= 200


# Values of the standard library that the host has put something into.


class Number(int):
    """Stands in for the number that it is derived from."""

    numerator = property(lambda self: self)

    def __str__(self) -> str:
        raise AssertionError

    __format__ = __repr__ = bit_length = __str__  # type: ignore[assignment]


def filled(value: Any, **slots: Any) -> Any:
    for name, content in slots.items():
        object.__setattr__(value, name, content)
    return value


def huge() -> fractions.Fraction:
    return fractions.Fraction(10**5_000, 3)


PARTS = "_parts" if sys.version_info < (3, 12) else "_raw_paths"

FILLED: list[tuple[Callable[[], Any], str]] = [
    (lambda: fractions.Fraction(6, 4), "Fraction(3/2)"),
    (lambda: fractions.Fraction(-3), "Fraction(-3)"),
    (huge, "<Fraction>"),
    (lambda: fractions.Fraction(Number(3)), "<Fraction>"),
    (lambda: object.__new__(fractions.Fraction), "<Fraction>"),
    (lambda: uuid.UUID(int=Number(3)), "<UUID>"),
    (lambda: filled(uuid.UUID(int=3), int=Lazy()), "<UUID>"),
    (lambda: decimal.Decimal(10**20_000), "<Decimal>"),
    (lambda: pathlib.PurePosixPath("/a", "b"), "PurePosixPath(/a/b)"),
    (pathlib.PurePosixPath, "PurePosixPath(.)"),
    (lambda: pathlib.PureWindowsPath("c:\\", "b"), "PureWindowsPath(c:\\b)"),
    (lambda: filled(pathlib.PurePosixPath("a"), _str="a"), "PurePosixPath(a)"),
    (lambda: filled(pathlib.PurePosixPath("a"), **{PARTS: [Name("a")]}), "<PurePosixPath>"),
    (lambda: filled(pathlib.PurePosixPath("a"), **{PARTS: Lazy()}), "<PurePosixPath>"),
    (lambda: dt.time(1, tzinfo=dt.timezone(dt.timedelta(hours=1))), "time(01:00:00+01:00)"),
    (lambda: dt.time(1, tzinfo=derived(dt.tzinfo)), "<time>"),
]


@pytest.mark.parametrize(("make", "text"), FILLED)
def test_a_known_value_is_shown_if_plain_values_lie_in_it(
    make: Callable[[], Any], text: str
) -> None:
    """Also an object of the standard library may hold something of the program."""
    assert arg_text(make()) == text


@pytest.mark.parametrize(
    ("module", "name"), [(decimal, "Decimal"), (dt, "datetime"), (fractions, "Fraction")]
)
def test_a_class_put_in_place_of_a_known_one_is_not_trusted(
    module: types.ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the program puts into a module of the standard library is still of the program."""
    kind = type(name, (), {"_numerator": property(trap("_numerator")), "__str__": trap("__str__")})
    monkeypatch.setattr(module, name, kind)
    CALLED.clear()

    assert arg_text(kind()) == f"<{name}>"
    assert CALLED == []
