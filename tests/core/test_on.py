"""Handlers with names of their own, bound by a decorator."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import machine as am
from machine.errors import HandlerNameError, StateMissingError

Made = Callable[..., am.Machine]


class States(am.StatesBase):
    Foo: str = am.state()
    Bar: str = am.state()


ss = am.new_states(States)


def test_a_decorated_method_is_a_handler() -> None:
    """The class has it under the handler's name and under its own."""

    class Handlers:
        def __init__(self) -> None:
            self.told: list[str] = []

        @am.on(ss.Foo, "Enter")
        def is_there_room(self, e: am.Event) -> bool:
            self.told.append(e.name)
            return True

        @am.on(ss.Foo, "State")
        @am.on(ss.Foo, "End")
        def note(self, e: am.Event) -> None:
            self.told.append(e.name)

    handlers = Handlers()
    mach = am.Machine(None, States.struct())
    mach.bind_handlers(handlers)
    mach.add1(ss.Foo)
    mach.remove1(ss.Foo)

    assert handlers.told == ["FooEnter", "FooState", "FooEnd"]
    assert am.list_handlers(handlers, ss.names()) == ["FooEnter", "FooState", "FooEnd"]
    assert Handlers.is_there_room is Handlers.FooEnter  # type: ignore[attr-defined]


def test_decorated_methods_are_inherited() -> None:
    """A subclass overrides one by the handler's name or by decorating again."""
    told: list[str] = []

    class Base:
        @am.on("A", "State")
        def first(self, e: am.Event) -> None:
            told.append("base A")

        @am.on("B", "State")
        def second(self, e: am.Event) -> None:
            told.append("base B")

    class Child(Base):
        @am.on("B", "State")
        def other(self, e: am.Event) -> None:
            told.append("child B")

    mach = am.Machine(None, {"A": am.State(), "B": am.State()})
    mach.bind_handlers(Child())
    mach.add(["A", "B"])

    assert told == ["base A", "child B"]


def test_two_states_and_the_global_handlers_can_be_named(made: Made) -> None:
    """The second part may be a state, and the first may stand for any."""
    told: list[str] = []

    @am.on("A", "B")
    @am.on(am.ANY, "Enter")
    @am.on(am.ANY, "State")
    def note(e: am.Event) -> None:
        told.append(e.name)

    mach = made()
    mach.bind_handlers(am.handlers_of(note))
    mach.add1("A")
    mach.add1("B")

    assert told == ["AnyEnter", "AnyState", "AB", "AnyEnter", "AnyState"]


def test_a_decorated_function_stays_what_it_was() -> None:
    """It can be called, and shows its name and purpose."""

    @am.on("A", "State")
    def note(number: int) -> int:
        """Twice the number."""
        return 2 * number

    assert note(2) == 4
    assert note.__name__ == "note"
    assert note.__doc__ == "Twice the number."


def test_a_class_cannot_have_a_handler_twice() -> None:
    """The later one would hide the other."""
    with pytest.raises((HandlerNameError, RuntimeError)) as caught:

        class Handlers:
            def FooEnter(self, e: am.Event) -> None: ...

            @am.on("Foo", "Enter")
            def other(self, e: am.Event) -> None: ...

    error = caught.value.__cause__ or caught.value
    assert str(error) == "unknown handler: Handlers has FooEnter twice"


def test_a_method_may_be_decorated_with_its_own_name() -> None:
    """Saying it twice is no conflict."""

    class Handlers:
        @am.on("Foo", "Enter")
        def FooEnter(self, e: am.Event) -> bool:
            return False

    mach = am.Machine(None, {"Foo": am.State()})
    mach.bind_handlers(Handlers())

    assert mach.add1("Foo") is am.Result.CANCELED


def test_functions_make_a_mapping_of_handlers() -> None:
    """A name that two of them have, and a function without any, are refused."""

    @am.on("A", "State")
    def one(e: am.Event) -> None: ...

    @am.on("A", "State")
    def two(e: am.Event) -> None: ...

    assert list(am.handlers_of(one)) == ["AState"]
    with pytest.raises(HandlerNameError, match="AState is declared twice"):
        am.handlers_of(one, two)
    with pytest.raises(TypeError, match="was not decorated"):
        am.handlers_of(print)


@pytest.mark.parametrize("parts", [("", "Enter"), ("Foo", ""), (1, "Enter"), ("Foo", None)])
def test_a_handler_is_of_a_state_and_a_phase(parts: tuple[str, str]) -> None:
    """Anything else is refused where it is written."""
    with pytest.raises(HandlerNameError, match="a state and a phase"):
        am.on(*parts)


def test_a_machine_binds_what_it_decorates(made: Made) -> None:
    """`Machine.on` is for programs that need no class."""
    mach = made()
    told: list[str] = []

    @mach.on("A", "Enter")
    def allowed(e: am.Event) -> bool:
        return not told

    @mach.on("A", "State")
    def note(e: am.Event) -> None:
        told.append(e.name)

    assert mach.add1("A") is am.Result.EXECUTED
    mach.remove1("A")
    assert mach.add1("A") is am.Result.CANCELED
    assert told == ["AState"]


def test_a_machine_refuses_what_could_never_be_called(made: Made) -> None:
    """An unknown state is reported with its name."""
    mach = made()

    with pytest.raises(StateMissingError, match="Z from handler ZEnter"):
        mach.on("Z", "Enter")(print)
    with pytest.raises(HandlerNameError, match="AZ is no handler"):
        mach.on("A", "Z")(print)
    assert mach.handlers() == []
