"""Assertions about states, with the reason in the message."""

from __future__ import annotations

import asyncio
import threading

import pytest

import machine as am
from machine.testing import (
    ManualClock,
    a_assert_becomes,
    assert_active,
    assert_becomes,
    assert_inactive,
)


@pytest.fixture
def mach() -> am.Machine:
    struct = {"Up": am.State(), "Open": am.State(require=["Up"]), "Shut": am.State()}
    made = am.Machine(None, struct, id="door")
    made.add1("Shut")
    return made


def test_what_holds_is_silent(mach: am.Machine) -> None:
    """All states of a list, or one by its name."""
    assert_active(mach, "Shut")
    assert_active(mach, ["Shut"])
    assert_inactive(mach, ["Up", "Open"])
    assert_becomes(mach, "Shut", 0)


def test_the_message_has_the_reason(mach: am.Machine) -> None:
    """Which states are wrong, why, and all states with their ticks."""
    with pytest.raises(AssertionError) as caught:
        assert_active(mach, ["Shut", "Open"])

    assert str(caught.value).splitlines() == [
        "machine door: not active: Open",
        "Open could not activate now:",
        "  it requires Up, which is not active but could activate",
        "states: (Shut:1) [Up:0 Open:0 Exception:0]",
    ]


def test_states_that_should_not_be_active_are_named(mach: am.Machine) -> None:
    """Only those that are."""
    with pytest.raises(AssertionError, match="machine door: active: Shut\nstates: "):
        assert_inactive(mach, ["Open", "Shut"])


def test_a_state_that_comes_in_time_is_awaited(mach: am.Machine) -> None:
    """By a thread and by a task."""
    thread = threading.Thread(target=mach.add, args=(["Up", "Open"],))
    thread.start()
    assert_becomes(mach, ["Up", "Open"], 10)
    thread.join(10)


def test_a_state_that_does_not_come_is_explained(mach: am.Machine) -> None:
    """With the limit, and why it could not activate."""
    with pytest.raises(AssertionError, match="not active within 0.001 s: Open\n.*\n.*requires Up"):
        assert_becomes(mach, "Open", 0.001)


async def test_tasks_wait_with_a_limit_that_is_moved_by_hand(mach: am.Machine) -> None:
    """The same message, and no real time passes."""
    with ManualClock() as clock:
        late = asyncio.ensure_future(a_assert_becomes(mach, "Open", 60))
        early = asyncio.ensure_future(a_assert_becomes(mach, "Up", 60))
        await asyncio.sleep(0)
        mach.add1("Up")
        clock.advance(60)
        await early
        with pytest.raises(AssertionError, match="not active within 60 s: Open\n"):
            await late
