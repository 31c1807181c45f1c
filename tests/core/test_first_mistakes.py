"""Common mistakes raise at the call, with what was probably meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import machine as am


class Light(am.StatesBase):
    """States of a light."""

    On: str = am.state(remove="Off")
    Off: str = am.state(auto=True, remove=On)


STATES = {"A": am.State(), "B": am.State()}


def test_a_states_class_is_a_schema() -> None:
    """A machine takes a states class, or its names, in place of states by name."""
    machines = [am.Machine(None, Light), am.Machine(struct=am.new_states(Light), strict=True)]

    for mach in machines:
        assert mach.state_names() == Light.names()
        assert mach.get_struct() == Light.struct()
    assert machines[0]._schema is machines[1]._schema is am.Machine(None, Light.struct())._schema


def test_a_schema_can_change_to_a_states_class() -> None:
    """`set_struct` takes a states class too."""
    mach = am.Machine(None, {"Off": am.State()})

    mach.set_struct(Light, Light.names())

    assert mach.get_struct() == Light.struct()


@pytest.mark.parametrize("schema", [["A", "B"], "A", 5, object()])
def test_what_is_no_schema_is_refused(schema: Any) -> None:
    """A list of names, a name, anything else: the error says what a schema is."""
    for build in (am.Machine, lambda _, struct: am.Machine(None, struct, strict=True)):
        with pytest.raises(TypeError, match="a schema is a mapping of names to State"):
            build(None, schema)


def test_a_schema_in_the_place_of_the_context_is_refused() -> None:
    """The schema is the second argument, and the error says so."""
    with pytest.raises(TypeError, match="first argument of Machine is a Context") as caught:
        am.Machine(STATES)  # type: ignore[arg-type]

    assert str(caught.value).endswith("; the schema is the second one: Machine(None, schema)")


def test_an_option_that_does_not_exist_is_refused() -> None:
    """The nearest option is named."""
    with pytest.raises(TypeError, match="Machine has no option queue_limits") as caught:
        am.Machine(None, STATES, queue_limits=3)  # type: ignore[call-arg]

    assert str(caught.value).endswith("; did you mean queue_limit?")


def test_an_option_that_is_near_to_none_suggests_nothing() -> None:
    """The error only names it."""
    with pytest.raises(TypeError, match="no option zzz") as caught:
        am.Machine(None, STATES, zzz=1)  # type: ignore[call-arg]

    assert "did you mean" not in str(caught.value)


def test_every_option_has_its_type() -> None:
    """`Opts` lists what `Machine` takes by name, so that a type checker knows it."""
    taken = {
        parameter.name
        for function in (am.Machine.__init__, am.Machine._configure)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }

    assert set(am.Opts.__annotations__) == taken


@pytest.mark.parametrize("call", [am.Machine.add, am.Machine.remove, am.Machine.set])
def test_a_second_state_as_arguments_is_refused(call: Callable[..., object]) -> None:
    """Several states are one list; the place after it is for arguments."""
    mach = am.Machine(None, STATES)

    with pytest.raises(
        TypeError, match="args are a dict, not 'B'; several states are passed as a list"
    ):
        call(mach, "A", "B")

    assert mach.time_sum() == 0


def test_an_error_has_to_be_an_exception() -> None:
    """A text as an error is refused before anything is stored."""
    mach = am.Machine(None, STATES)

    with pytest.raises(TypeError, match="an error is an exception, not 'broken'"):
        mach.add_err("broken")  # type: ignore[arg-type]

    assert mach.err is None
    assert not mach.is_err()


def test_a_timeout_in_the_place_of_a_context_is_refused() -> None:
    """How long to wait is for `wait`; what `when1` takes is a context."""
    mach = am.Machine(None, STATES)

    with pytest.raises(TypeError, match=r"with a Context, not 5; for a time, wait\(5\)"):
        mach.when1("A", 5)  # type: ignore[arg-type]


def needs_nothing() -> None:
    """A function that cannot be called with an event."""


@pytest.mark.parametrize(
    "handler",
    [
        needs_nothing,
        lambda e, more: None,
        lambda e, *, named: None,
    ],
)
def test_a_handler_that_cannot_take_the_event_is_refused(handler: Callable[..., object]) -> None:
    """At binding; in a transition the error would silently become a state."""
    mach = am.Machine(None, STATES)

    with pytest.raises(TypeError, match="AState has to take the event, and nothing else"):
        mach.bind_handlers({"AState": handler})

    assert mach.handlers() == []


class Odd:
    """Handlers that can be called with an event in one way or another."""

    def AState(self, e: am.Event, more: int = 0, *, named: int = 1) -> None: ...

    def AEnd(self, *args: object) -> None: ...

    @staticmethod
    def BState(e: am.Event) -> None: ...

    @classmethod
    def BEnd(cls, e: am.Event) -> None: ...

    AnyState = staticmethod(partial(print, end=""))

    def Assemble(self) -> None:
        """No handler at all."""


def test_a_handler_may_have_defaults() -> None:
    """What an event alone can call is bound."""
    mach = am.Machine(None, STATES)

    mach.bind_handlers(Odd())

    assert mach.set(["A"]) is mach.set(["B"]) is mach.set([]) is am.Result.EXECUTED
    assert mach.err is None
