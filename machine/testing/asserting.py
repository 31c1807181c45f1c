"""Assertions about the states of a machine, whose messages give the reason.

They raise AssertionError. The message has the states that are wrong, what stands against each
(`Machine.why_not`), and all states with their ticks.
"""

from __future__ import annotations

from collections.abc import Iterable

import machine as am
from machine._given import names_tuple


def assert_active(mach: am.MachineApi, states: am.Names) -> None:
    """All these states are active; the message says why the others are not."""
    missing = [name for name in names_tuple(states) if mach.not1(name)]
    if missing:
        raise AssertionError(_not_active(mach, missing, "not active"))


def assert_inactive(mach: am.MachineApi, states: am.Names) -> None:
    """None of these states is active."""
    active = [name for name in names_tuple(states) if mach.is1(name)]
    if active:
        raise AssertionError(_text(mach, f"active: {' '.join(active)}", ()))


def assert_becomes(mach: am.MachineApi, states: am.Names, timeout: float) -> None:
    """All these states are active at the same time within `timeout` seconds of real time."""
    if not mach.when(states).wait(timeout):
        _fail_late(mach, states, timeout)


async def a_assert_becomes(
    mach: am.MachineApi,
    states: am.Names,
    timeout: float,  # noqa: ASYNC109 - the twin of `assert_becomes`
) -> None:
    """Like `assert_becomes`, for tasks; a clock that is moved by hand moves the limit."""
    handle = mach.when(states)
    if await am.first_async(handle, timeout=timeout) is None or handle.reason != "match":
        _fail_late(mach, states, timeout)


def _fail_late(mach: am.MachineApi, states: am.Names, timeout: float) -> None:
    names = names_tuple(states)
    missing = [name for name in names if mach.not1(name)] or list(names)
    raise AssertionError(_not_active(mach, missing, f"not active within {timeout:g} s"))


def _not_active(mach: am.MachineApi, names: list[str], what: str) -> str:
    return _text(mach, f"{what}: {' '.join(names)}", [str(mach.why_not(name)) for name in names])


def _text(mach: am.MachineApi, headline: str, reasons: Iterable[str]) -> str:
    return "\n".join([f"machine {mach.id}: {headline}", *reasons, f"states: {mach.string_all()}"])
