"""Checks a mutation first, and makes it only if relations and handlers let it pass.

Use it where a refused transition would be noise, in the log and in the debugger.
Between the check and the mutation another thread may change the machine, so the mutation
may be canceled all the same. `last_refusal` has the reason of either. Inside a transition of
the machine a check cannot run, so nothing is refused there.
"""

from __future__ import annotations

import machine as am

CANCELED = am.Result.CANCELED


def ask_add(mach: am.Machine, states: am.Names, args: am.A | None = None) -> am.Result:
    """Add these states if `can_add` does not refuse them; CANCELED if it does."""
    return CANCELED if mach.can_add(states, args) is CANCELED else mach.add(states, args)


def ask_add1(mach: am.Machine, state: str, args: am.A | None = None) -> am.Result:
    """Add this state if `can_add1` does not refuse it; CANCELED if it does."""
    return CANCELED if mach.can_add1(state, args) is CANCELED else mach.add1(state, args)


def ask_remove(mach: am.Machine, states: am.Names, args: am.A | None = None) -> am.Result:
    """Remove these states if `can_remove` does not refuse it; CANCELED if it does."""
    return CANCELED if mach.can_remove(states, args) is CANCELED else mach.remove(states, args)


def ask_remove1(mach: am.Machine, state: str, args: am.A | None = None) -> am.Result:
    """Remove this state if `can_remove1` does not refuse it; CANCELED if it does."""
    return CANCELED if mach.can_remove1(state, args) is CANCELED else mach.remove1(state, args)
