"""The protocol that code can ask for instead of a machine."""

from __future__ import annotations

import machine as am


def offered() -> set[str]:
    """The names of the protocol."""
    return {
        name
        for part in am.MachineApi.__mro__
        if part.__module__ == am.MachineApi.__module__
        for name in vars(part)
        if not name.startswith("_")
    }


def needs_any_machine(mach: am.MachineApi) -> bool:
    return mach.is1("A")


def test_a_machine_has_everything_that_the_protocol_names() -> None:
    """What works on the protocol works on a machine."""
    assert {name for name in offered() if not hasattr(am.Machine, name)} == set()
    assert len(offered()) == 73


def test_a_machine_is_accepted_where_the_protocol_is_asked_for() -> None:
    """The type checker sees the same, since this file is checked too."""
    mach = am.Machine(None, {"A": am.State()})
    mach.add1("A")
    assert needs_any_machine(mach)
