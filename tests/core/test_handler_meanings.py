"""Names of handlers that mean two things, and how `on` says which is meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine.errors import AmbiguousHandlerError, HandlerNameError

LOGGER = "asyncmachine"


def machine_of(names: str, **options: Any) -> am.Machine:
    return am.Machine(None, {name: am.State() for name in names.split()}, id="m", **options)


AMBIGUOUS = [
    ("Start End", "StartEnd", 'on("Start", "End") or on("Start", to="End")'),
    ("Foo State", "FooState", 'on("Foo", "State") or on("Foo", to="State")'),
    ("Foo Enter", "FooEnter", 'on("Foo", "Enter") or on("Foo", to="Enter")'),
    ("Foo Exit", "FooExit", 'on("Foo", "Exit") or on("Foo", to="Exit")'),
    ("End", "EndEnd", 'on("End", "End") or on("End", to="End")'),
    ("Db SyncDone DbSync Done", "DbSyncDone", 'on("Db", to="SyncDone") or on("DbSync", to="Done")'),
    ("A AA", "AAA", 'on("A", to="AA") or on("AA", to="A")'),
    ("DbSync Db SyncEnter", "DbSyncEnter", 'on("DbSync", "Enter") or on("Db", to="SyncEnter")'),
    ("An yEnter", "AnyEnter", 'on(ANY, "Enter") or on("An", to="yEnter")'),
    ("AnyS tate", "AnyState", 'on(ANY, "State") or on("AnyS", to="tate")'),
]


@pytest.mark.parametrize(("states", "name", "way"), AMBIGUOUS)
def test_a_name_that_means_two_things_is_reported(
    states: str, name: str, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """At binding, with the decorators that have one meaning each; `strict` refuses it."""
    handlers = {name: lambda e: None}

    machine_of(states).bind_handlers(handlers)
    [record] = caplog.records
    assert (record.name, record.levelname) == (LOGGER, "WARNING")
    assert name in record.getMessage()
    assert way in record.getMessage()

    strict = machine_of(states, strict=True)
    with pytest.raises(AmbiguousHandlerError, match=name) as caught:
        strict.bind_handlers(handlers)
    assert way in str(caught.value)
    assert strict.handlers() == []


@pytest.mark.parametrize(
    ("states", "name"),
    [("Start Stop", "StartEnd"), ("Start End", "EndStart"), ("Foo Bar", "FooBar"), ("A", "AA")],
)
def test_a_name_that_means_one_thing_is_not(
    states: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where another state has the name of a phase."""
    machine_of(states, strict=True).bind_handlers({name: lambda e: None})

    assert caplog.records == []


def test_a_class_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """Short-lived machines bind an object of the same class again and again."""

    class Handlers:
        def StartEnd(self, e: am.Event) -> None: ...

    for _ in range(3):
        machine_of("Start End").bind_handlers(Handlers())
    assert len(caplog.records) == 1
    assert "StartEnd of Handlers is the End handler of Start" in caplog.text

    machine_of("Start End Other").bind_handlers(Handlers())
    assert len(caplog.records) == 2


def test_states_that_come_later_are_looked_at_too(caplog: pytest.LogCaptureFixture) -> None:
    """A new schema may give a bound name another meaning; `strict` refuses the schema."""
    handlers = {"StartEnd": lambda e: None}
    later = {"Start": am.State(), "End": am.State()}
    mach, strict = machine_of("Start"), machine_of("Start", strict=True)
    for one in (mach, strict):
        one.bind_handlers(handlers)
    assert caplog.records == []

    mach.set_struct(later, ["Start", "End"])
    assert "StartEnd" in caplog.text
    mach.set_struct({**later, "More": am.State()}, ["Start", "End", "More"])
    assert len(caplog.records) == 1

    with pytest.raises(AmbiguousHandlerError, match="StartEnd"):
        strict.set_struct(later, ["Start", "End"])
    assert strict.state_names() == ["Start", "Exception"]


def called_with(handlers: object, *, strict: bool = True) -> list[str]:
    """What is called when End takes the place of Start."""
    mach = turns(strict=strict)
    mach.bind_handlers(handlers)
    calls.clear()
    mach.add1("Start")
    mach.add1("End")
    return list(calls)


def turns(**options: Any) -> am.Machine:
    """A machine of Start and End, of which one is active at a time."""
    states = {"Start": am.State(remove=["End"]), "End": am.State(remove=["Start"])}
    return am.Machine(None, states, **options)


calls: list[str] = []


def note(text: str) -> Callable[[am.Event], None]:
    return lambda e: calls.append(text)


def test_on_with_a_phase_is_the_phase_only() -> None:
    """Whatever states there are."""

    class Handlers:
        @am.on("Start", "End")
        def ended(self, e: am.Event) -> None:
            calls.append("ended")

    assert called_with(Handlers()) == ["ended"]
    assert called_with(am.handlers_of(am.on("Start", "End")(note("ended")))) == ["ended"]


def test_on_with_a_state_is_the_pair_only() -> None:
    """From one state to the other, while the first is active."""

    class Handlers:
        @am.on("Start", to="End")
        def goes_on(self, e: am.Event) -> None:
            calls.append("goes on")

    assert called_with(Handlers()) == ["goes on"]
    assert called_with(am.handlers_of(am.on("Start", to="End")(note("pair")))) == ["pair"]


def test_a_class_may_have_both() -> None:
    """Under one name, each called for what it is meant for."""

    class Handlers:
        @am.on("Start", "End")
        def ended(self, e: am.Event) -> None:
            calls.append("ended")

        @am.on("Start", to="End")
        def goes_on(self, e: am.Event) -> None:
            calls.append("goes on")

    both = am.handlers_of(
        am.on("Start", "End")(note("ended")), am.on("Start", to="End")(note("goes on"))
    )

    assert called_with(Handlers()) == called_with(both) == ["goes on", "ended"]


def test_one_function_may_be_meant_for_both() -> None:
    """It is decorated twice then."""

    class Handlers:
        @am.on("Start", "End")
        @am.on("Start", to="End")
        def both(self, e: am.Event) -> None:
            calls.append("both")

    assert called_with(Handlers()) == ["both", "both"]


def test_the_own_name_of_a_method_shows_no_more_than_on() -> None:
    """A decorated method may have the handler's name."""

    class Handlers:
        @am.on("Start", to="End")
        def other(self, e: am.Event) -> None:
            calls.append("pair")

        @am.on("Start", "End")
        def StartEnd(self, e: am.Event) -> None:
            calls.append("phase")

    assert called_with(Handlers()) == ["pair", "phase"]


def test_a_subclass_overrides_one_meaning_or_the_name() -> None:
    """Decorated again it replaces that meaning; a plain method of the name replaces all."""

    class Base:
        @am.on("Start", "End")
        def ended(self, e: am.Event) -> None:
            calls.append("ended")

        @am.on("Start", to="End")
        def goes_on(self, e: am.Event) -> None:
            calls.append("goes on")

    class Anew(Base):
        @am.on("Start", "End")
        def stopped(self, e: am.Event) -> None:
            calls.append("stopped")

    class Plain(Base):
        def StartEnd(self, e: am.Event) -> None:
            calls.append("plain")

    assert called_with(Anew()) == ["goes on", "stopped"]
    assert called_with(Plain(), strict=False) == ["plain", "plain"]
    with pytest.raises(AmbiguousHandlerError):
        called_with(Plain())


def test_a_machine_decorates_for_one_meaning() -> None:
    """As the decorator of a class does."""
    mach = turns(strict=True)
    calls.clear()
    mach.on("Start", "End")(note("ended"))
    mach.on("Start", to="End")(note("goes on"))
    mach.add1("Start")
    mach.add1("End")

    assert calls == ["goes on", "ended"]


def test_joins_of_names_can_be_distinguished() -> None:
    """`to` names the second state, so the first is known."""
    mach = machine_of("Db SyncDone DbSync Done", strict=True)
    calls.clear()
    mach.on("DbSync", to="Done")(note("DbSync"))
    mach.add1("Db")
    mach.add1("SyncDone")
    assert calls == []

    mach.add1("DbSync")
    mach.add1("Done")
    assert calls == ["DbSync"]


def test_a_global_handler_is_no_pair() -> None:
    """`ANY` with a phase is for all states."""
    mach = machine_of("An yEnter", strict=True)
    calls.clear()
    mach.on(am.ANY, "Enter")(note("any"))
    mach.add1("An")
    mach.add1("yEnter")

    assert calls == ["any", "any"]


def test_a_coroutine_that_would_have_to_decide_is_refused() -> None:
    """As a pair it is asked; as an End handler it is work that is left to the state."""

    async def work(e: am.Event) -> None: ...

    mach = machine_of("Start End")
    with pytest.raises(TypeError, match="StartEnd decides .* it is the handler from Start to End"):
        mach.bind_handlers({"StartEnd": work})
    with pytest.raises(TypeError, match="cannot be a coroutine"):
        mach.on("Start", to="End")(work)
    mach.on("Start", "End")(work)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (("A", "Enter", "B"), "of a phase or to a state"),
        (("A", "", ""), "a state and a phase"),
        (("A", "Any", ""), "AAny is never called"),
        (("Any", "A", ""), "AnyA is never called"),
        (("Any", "", "Enter"), "AnyEnter is never called"),
        (("Any", "Exit", ""), "AnyExit is never called"),
    ],
)
def test_what_makes_no_handler_is_refused(parts: tuple[str, str, str], words: str) -> None:
    """Where it is written."""
    state, phase, to = parts

    with pytest.raises(HandlerNameError, match=words):
        am.on(state, phase, to=to)


def test_a_meaning_of_other_states_is_refused() -> None:
    """The name fits these states in another way, in which it is not meant."""
    other = am.handlers_of(am.on("DbSync", to="Done")(note("pair")))

    with pytest.raises(HandlerNameError, match="DbSyncDone"):
        machine_of("Db SyncDone").bind_handlers(other)
    with pytest.raises(HandlerNameError, match="Entr is not defined .* did you mean Enter"):
        machine_of("A").on("A", "Entr")(note("misspelled"))


def test_handlers_that_a_thread_calls_keep_their_meaning() -> None:
    """`handler_runner` wraps them, and the answer is the same."""

    class Handlers:
        @am.on("Start", to="End")
        def refuses(self, e: am.Event) -> bool:
            return False

    mach = machine_of("Start End", handler_runner="thread", strict=True)
    mach.bind_handlers(Handlers())

    assert mach.add1("Start") is am.Result.EXECUTED
    assert mach.add1("End") is am.Result.CANCELED
    assert mach.remove1("Start") is am.Result.EXECUTED
    mach.dispose_force()
