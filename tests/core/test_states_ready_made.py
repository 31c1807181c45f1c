"""The states that come with the library."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import machine as am
from machine import State, states
from machine.states import (
    DISPOSED_ARG_HANDLER,
    BasicStatesDef,
    ConnectedStatesDef,
    DisposedHandlers,
    DisposedStatesDef,
    basic_states,
    connected_groups,
    connected_states,
    disposed_groups,
    disposed_states,
)

WAIT_S = 10


def test_basic_states_are_in_order() -> None:
    """Errors, start and readiness, signs of life."""
    assert basic_states.names() == [
        "Exception",
        "ErrNetwork",
        "ErrHandlerTimeout",
        "Start",
        "Ready",
        "Healthcheck",
        "Heartbeat",
    ]
    assert basic_states.Heartbeat == "Heartbeat"
    assert states.basic_struct == {
        "Exception": State(multi=True),
        "ErrNetwork": State(require="Exception"),
        "ErrHandlerTimeout": State(require="Exception"),
        "Start": State(),
        "Ready": State(require="Start"),
        "Healthcheck": State(multi=True),
        "Heartbeat": State(),
    }


def test_connected_states_are_in_order() -> None:
    """The four states of a connection exclude each other; `Exception` comes last."""
    group = ["Connecting", "Connected", "Disconnecting", "Disconnected"]
    assert connected_states.names() == ["ErrConnecting", *group, "Exception"]
    assert connected_groups.Connected == group
    assert states.connected_struct == {
        "ErrConnecting": State(require="Exception"),
        "Connecting": State(require="Start", remove=group),
        "Connected": State(require="Start", remove=group),
        "Disconnecting": State(remove=group),
        "Disconnected": State(auto=True, remove=group),
        "Exception": State(multi=True),
    }


def test_disposed_states_are_in_order() -> None:
    """The three states of a clean-up exclude each other; the last one ends `Start`."""
    group = ["RegisterDisposal", "Disposing", "Disposed"]
    assert disposed_states.names() == ["Exception", *group]
    assert disposed_groups.Disposed == group
    assert states.disposed_struct == {
        "Exception": State(multi=True),
        "RegisterDisposal": State(),
        "Disposing": State(remove=group),
        "Disposed": State(remove=[*group, "Start"]),
    }


class All(BasicStatesDef, ConnectedStatesDef, DisposedStatesDef):
    """A machine with all of them."""

    Working: str


@pytest.fixture
def mach() -> am.Machine:
    """A machine with all ready-made states, started."""
    made = am.Machine(None, All.struct(), id="mach")
    made.verify_states(All.names())
    made.add1(All.Start)
    return made


def test_definitions_are_combined_by_inheritance() -> None:
    """Each base contributes at its place, what they share comes once."""
    assert All.names() == [
        *basic_states.names(),
        "ErrConnecting",
        *connected_groups.Connected,
        *disposed_groups.Disposed,
        "Working",
    ]


def test_a_connection_goes_round(mach: am.Machine) -> None:
    """At most one state of the group is active, and without another it is `Disconnected`."""
    assert mach.switch(connected_groups.Connected) == "Disconnected"
    for state in ("Connecting", "Connected", "Disconnecting"):
        mach.add1(state)
        assert [one for one in connected_groups.Connected if mach.is1(one)] == [state]
    mach.remove1("Disconnecting")
    assert mach.is1("Disconnected")

    mach.add1("Connecting")
    mach.remove1("Start")
    assert mach.is1("Disconnected")


def test_an_error_of_connecting_is_wrapped(mach: am.Machine) -> None:
    """The machine gets `ErrConnecting`, and the error that caused it."""
    cause = OSError("refused")

    assert states.add_err_connecting(None, mach, cause, {"addr": "x"}) is am.Result.EXECUTED
    assert mach.is_(["ErrConnecting", "Exception"])
    assert isinstance(mach.err, states.ConnectingError)
    assert mach.err.__cause__ is cause
    assert str(mach.err) == "error connecting: refused"


def test_an_error_of_connecting_shows_its_source(mach: am.Machine) -> None:
    """From a handler of another machine the event is the mutation's source."""
    other = am.Machine(None, {"A": State()}, id="other")
    sources: list[Any] = []

    class Watch(am.Tracer):
        def transition_end(self, tx: am.Transition) -> None:
            sources.append(tx.mutation.source)

    mach.bind_tracer(Watch())
    other.bind_handlers(
        {"AState": lambda e: states.add_err_connecting(e, mach, OSError("refused"))}
    )
    other.add1("A")

    assert mach.is1("ErrConnecting")
    assert sources[0].mach_id == "other"


# -- disposal as a state


class Handlers(DisposedHandlers):
    """Handlers of a machine that cleans up."""


@pytest.fixture
def register(mach: am.Machine) -> Callable[[object], am.Result]:
    """Registers a clean-up with the machine."""
    mach.bind_handlers(Handlers())
    return lambda fn: mach.add1("RegisterDisposal", {DISPOSED_ARG_HANDLER: fn})


def test_clean_ups_run_in_order(mach: am.Machine, register: Callable[[object], am.Result]) -> None:
    """Registered one by one, called one after another in a thread; then `Disposed` is there."""
    calls: list[tuple[str, str, bool]] = []
    for name in ("first", "second"):

        def clean(mach_id: str, ctx: am.Context, name: str = name) -> None:
            here = threading.current_thread() is threading.main_thread()
            calls.append((name, mach_id, here))

        assert register(clean) is am.Result.EXECUTED
        assert mach.not1("RegisterDisposal")
    done = mach.when1("Disposed")
    mach.add1("Disposing")

    assert done.wait(WAIT_S)
    assert calls == [("first", "mach", False), ("second", "mach", False)]
    assert mach.not_(["Disposing", "Start"])


@pytest.mark.parametrize("args", [None, {}, {DISPOSED_ARG_HANDLER: "no function"}])
def test_only_functions_are_registered(mach: am.Machine, args: dict[str, Any] | None) -> None:
    """Anything else is refused in negotiation."""
    mach.bind_handlers(Handlers())

    assert mach.add1("RegisterDisposal", args) is am.Result.CANCELED


def test_without_clean_ups_disposing_is_short(
    mach: am.Machine, register: Callable[[object], am.Result]
) -> None:
    """With nothing registered the machine goes on to `Disposed`."""
    done = mach.when1("Disposed")
    mach.add1("Disposing")

    assert done.wait(WAIT_S)


def test_clean_ups_end_with_the_state(
    mach: am.Machine, register: Callable[[object], am.Result]
) -> None:
    """Removing `Disposing` keeps the rest from running, and `Disposed` from coming."""
    calls: list[str] = []
    threads: list[threading.Thread] = []

    def stop(mach_id: str, ctx: am.Context) -> None:
        threads.append(threading.current_thread())
        mach.remove1("Disposing")
        calls.append(f"stop {ctx.wait(WAIT_S)}")

    register(stop)
    register(lambda mach_id, ctx: calls.append("never"))
    gone = mach.when_ticks("Disposing", 2)
    mach.add1("Disposing")
    assert gone.wait(WAIT_S)
    threads[0].join(WAIT_S)

    assert calls == ["stop True"]
    assert mach.not1("Disposed")


def test_the_last_clean_up_may_end_the_state(
    mach: am.Machine, register: Callable[[object], am.Result]
) -> None:
    """Without the state there is no `Disposed` either."""
    threads: list[threading.Thread] = []

    def stop(mach_id: str, ctx: am.Context) -> None:
        threads.append(threading.current_thread())
        mach.remove1("Disposing")
        ctx.wait(WAIT_S)

    register(stop)
    gone = mach.when_ticks("Disposing", 2)
    mach.add1("Disposing")
    assert gone.wait(WAIT_S)
    threads[0].join(WAIT_S)

    assert mach.not1("Disposed")


def test_a_failing_clean_up_is_an_error_and_the_next_one_runs(
    mach: am.Machine, register: Callable[[object], am.Result]
) -> None:
    """Its exception becomes the machine's error."""
    calls: list[str] = []
    register(lambda mach_id, ctx: 1 / 0)
    register(lambda mach_id, ctx: calls.append("second"))
    done = mach.when1("Disposed")
    mach.add1("Disposing")

    assert done.wait(WAIT_S)
    assert calls == ["second"]
    assert mach.is_err()
    assert isinstance(mach.err, ZeroDivisionError)
