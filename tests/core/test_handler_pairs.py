"""Handlers of two states: they are found in all kinds of objects, without useless look-ups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

import machine as am
from machine._handlers.meanings import Meaning
from machine._handlers.pairs import names_of, pairs_of

Made = Callable[..., am.Machine]


class Base:
    def AB(self, e: am.Event) -> bool:
        return False


class Inherits(Base):
    pass


class OnItself:
    def __init__(self) -> None:
        self.AB = lambda e: False


class InSlots:
    __slots__ = ("AB",)

    def __init__(self) -> None:
        self.AB = lambda e: False


class MadeUp:
    """An object with every attribute that is looked up."""

    def __getattr__(self, name: str) -> Any:
        if name == "AB":
            return lambda e: False
        raise AttributeError(name)


class MadeUpEarly:
    def __getattribute__(self, name: str) -> Any:
        if name == "AB":
            return lambda e: False
        return object.__getattribute__(self, name)


class Lazy(Mapping[str, Any]):
    """A mapping that reports no key before it is asked for it."""

    def __getitem__(self, name: str) -> Any:
        if name == "AB":
            return lambda e: False
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@pytest.mark.parametrize(
    "handlers",
    [
        Inherits(),
        OnItself(),
        InSlots(),
        MadeUp(),
        MadeUpEarly(),
        Lazy(),
        {"AB": lambda e: False},
        SimpleNamespace(AB=lambda e: False),
    ],
    ids=lambda handlers: type(handlers).__name__,
)
def test_a_handler_of_two_states_is_found(made: Made, handlers: object) -> None:
    """Wherever an object keeps it, and if it makes it up when it is asked."""
    mach = made("A{} B{} C{}")
    mach.bind_handlers({"CState": lambda e: None})
    mach.bind_handlers(handlers)
    mach.add1("A")

    assert mach.add1("C") is am.Result.EXECUTED
    assert mach.add1("B") is am.Result.CANCELED
    assert mach.is_(["A", "C"])


def test_a_name_can_be_of_several_pairs(made: Made) -> None:
    """`FooBarBaz` belongs to Foo and BarBaz as well as to FooBar and Baz."""
    index = {"Foo": 0, "BarBaz": 1, "FooBar": 2, "Baz": 3}

    assert pairs_of([{"FooBarBaz": None}], index) == {0: {1}, 2: {3}}


def test_the_pairs_of_several_objects_come_together() -> None:
    """What one of them does not have another may."""
    index = {"A": 0, "B": 1, "C": 2}

    assert pairs_of(map(names_of, [{"AB": None}, Inherits(), {"AC": None, "BA": None}]), index) == {
        0: {1, 2},
        1: {0},
    }
    assert pairs_of(map(names_of, [{"AB": None}, MadeUp()]), index) is None


def test_names_that_are_no_text_are_passed_over() -> None:
    """A dict may have other keys too."""
    assert names_of({"AB": None, 3: None}) == {"AB"}


def test_an_object_that_shows_its_names_is_not_asked_for_every_pair(made: Made) -> None:
    """With many active states there are too many pairs to ask for each."""
    names = [f"S{number}" for number in range(40)]
    mach = am.Machine(None, {name: am.State() for name in names})
    own = Inherits()
    vars(own)["S3S7"] = lambda e: True
    mach.bind_handlers(own)
    mach.add(names)
    mach.add1("S0")

    (binding,) = mach._bindings.items
    assert len(binding._found) < 4 * len(names)
    assert binding.find("S3S7", Meaning("S3", "S7", is_pair=True)) is not None


def test_a_changed_schema_has_other_pairs(made: Made) -> None:
    """The same name may be of a pair only after a state was added."""
    calls: list[str] = []
    mach = made("A{} B{}")
    mach.bind_handlers({"AState": lambda e: None})
    mach.add1("A")
    mach.bind_handlers(SimpleNamespace(ABee=lambda e: calls.append("ABee"), A3=None))
    mach.add1("B")
    mach.set_struct({**mach.get_struct(), "Bee": am.State()}, ["A", "B", "Exception", "Bee"])

    mach.add1("Bee")

    assert calls == ["ABee"]
