"""Options of a machine: what is made without any, presets for debugging, `new_common`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import machine as am
from machine.errors import MachineError

Struct = Callable[[str], dict[str, am.State]]
LogOf = Callable[..., list[str]]


def test_a_machine_needs_no_options() -> None:
    """Without a context and an id it has a random id, an empty queue, and lives."""
    first, second = am.Machine(), am.Machine()

    assert len(first.id) > 5
    assert first.id != second.id
    assert not first.ctx.done
    assert first.queue() == []


def test_the_log_level_is_an_option() -> None:
    """It can be read from the machine."""
    mach = am.Machine(log_level=am.LogLevel.EVERYTHING)

    assert mach.log_level is am.LogLevel.EVERYTHING


def test_options_for_debugging_and_tracers_are_added() -> None:
    """Debugging gives handlers time and lets their errors pass; given options stay."""
    debug = {"handler_timeout": 600.0, "panic_to_exception": False}
    tracer = am.Tracer()

    assert am.opts_with_debug() == debug
    assert am.opts_with_debug({"id": "m"}) == {"id": "m", **debug}
    assert am.opts_with_tracers({"id": "m"}, tracer) == {"id": "m", "tracers": [tracer]}
    assert am.opts_with_tracers(None) == {}


def test_new_common_makes_a_whole_machine(struct: Struct) -> None:
    """Id, order of states, handlers and options are given in one call."""
    calls: list[str] = []
    mach = am.new_common(
        None,
        "common",
        struct("A{} B{}"),
        ["B", "A", "Exception"],
        {"AState": lambda e: calls.append("AState")},
        None,
        tags=["tag"],
    )
    mach.add1("A")

    assert (mach.id, mach.tags, mach.state_names()) == ("common", ["tag"], ["B", "A", "Exception"])
    assert mach.states_verified()
    assert calls == ["AState"]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, (True, 1.0)),
        ({"AM_TEST_RUNNER": "1"}, (True, 1.0)),
        ({"AM_DEBUG": "1"}, (False, 600.0)),
        ({"AM_DEBUG": "1", "AM_TEST_RUNNER": "1"}, (False, 600.0)),
    ],
)
def test_new_common_follows_the_environment(
    struct: Struct,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    expected: tuple[bool, float],
) -> None:
    """Debugging lets errors through and gives handlers time."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    mach = am.new_common(None, "m", struct("A{}"), ["A", "Exception"])

    assert (mach.panic_to_exception, mach.handler_timeout) == expected


def test_given_options_win_over_the_environment(
    struct: Struct, monkeypatch: pytest.MonkeyPatch, log_of: LogOf
) -> None:
    """The log shows common arguments unless an option says otherwise."""
    monkeypatch.setenv("AM_DEBUG", "1")
    parent = am.Machine(id="parent")
    mach = am.new_common(
        None, "m", struct("A{}"), ["A", "Exception"], None, parent, handler_timeout=2.0
    )
    lines = log_of(mach, am.LogLevel.CHANGES)
    mach.add1("A", {"name": "n" * 30, "id": 1, "port": 2, "addr": "a", "other": 3})

    assert mach.handler_timeout == 2.0
    assert mach.parent_id == "parent"
    assert lines == [f"[state] +A (addr=a id=1 name={'n' * 17}... port=2)"]


def test_new_common_raises_for_a_wrong_order(struct: Struct) -> None:
    """It raises the error of `verify_states`."""
    with pytest.raises(MachineError):
        am.new_common(None, "m", struct("A{}"), ["B"])
