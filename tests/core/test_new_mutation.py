"""Mutations that are made first and put into the queue later."""

from __future__ import annotations

import pytest

import machine as am
from machine import MutationType

STATES = {"Door": am.State(), "Key": am.State()}


class KeyFirst:
    """Fetches the key before the door opens."""

    def DoorEnter(self, e: am.Event) -> bool:
        mach, asked = e.machine, e.mutation()
        assert asked is not None
        if mach.is1("Key"):
            return True
        mach.prepend_mut(asked)
        mach.prepend_mut(mach.new_mutation(MutationType.ADD, "Key", {"from": "pocket"}))
        return False


def test_a_handler_can_put_another_mutation_first() -> None:
    """Denied, prepended, and with its condition before it: it comes to the same end."""
    mach = am.Machine(None, STATES)
    fetched: list[object] = []
    mach.bind_handlers({"KeyState": lambda e: fetched.append(e.args["from"])})
    mach.bind_handlers(KeyFirst())

    assert mach.add1("Door") is am.Result.CANCELED
    assert mach.is_(["Door", "Key"])
    assert fetched == ["pocket"]


def test_a_new_mutation_does_nothing_by_itself() -> None:
    """It can be looked at, and the machine stays as it is."""
    mach = am.Machine(None, STATES)

    mutation = mach.new_mutation(MutationType.SET, ["Key", "Door", "Key"], {"n": 1})

    assert (mutation.type, mutation.called_states) == (MutationType.SET, ["Key", "Door"])
    assert mutation.args == {"n": 1}
    assert mach.queue() == []
    assert mach.time_sum() == 0


def test_a_new_mutation_is_of_known_states_and_a_known_type() -> None:
    """Unknown states raise as in every mutation, and a function is for `eval`."""
    mach = am.Machine(None, STATES)

    with pytest.raises(am.errors.StateMissingError):
        mach.new_mutation(MutationType.ADD, "Window")
    with pytest.raises(ValueError, match="ADD, REMOVE or SET"):
        mach.new_mutation(MutationType.EVAL, "Door")
