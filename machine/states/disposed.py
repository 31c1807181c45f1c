"""Disposal states, for a machine that cleans up before it is disposed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from machine._schema.state import State
from machine._schema.typed import GroupsBase, StatesBase, new_state_groups, new_states, state

if TYPE_CHECKING:
    from machine._machine.machine import Machine
    from machine._transition.event import Event
    from machine._waiting.context import Context

__all__ = [
    "DISPOSED_ARG_HANDLER",
    "DisposedGroupsDef",
    "DisposedHandlers",
    "DisposedStatesDef",
    "disposed_groups",
    "disposed_states",
    "disposed_struct",
]

DISPOSED_ARG_HANDLER = "DisposedArgHandler"
"""The argument of `RegisterDisposal`: a function `fn(machine_id, ctx)`."""

Disposal = Callable[[str, "Context"], object]

_GROUP = ("RegisterDisposal", "Disposing", "Disposed")


class DisposedStatesDef(StatesBase):
    """Registering clean-ups, running them, done; the schema also needs a `Start` state."""

    RegisterDisposal: str = state()
    """Registers one function to be called while disposing; removes itself."""
    Disposing: str = state(remove=_GROUP)
    """The registered functions are running."""
    Disposed: str = state(remove=(*_GROUP, "Start"))
    """All of them have run."""


class DisposedGroupsDef(GroupsBase):
    """The states of which at most one is active."""

    Disposed: list[str]


disposed_states: DisposedStatesDef = new_states(DisposedStatesDef)
disposed_struct: dict[str, State] = DisposedStatesDef.struct()
disposed_groups: DisposedGroupsDef = new_state_groups(DisposedGroupsDef(Disposed=_GROUP))


class DisposedHandlers:
    """Handlers of the three states, to be mixed into a class of handlers.

    The functions run in a thread of their own, one after another in the order in which they
    were registered, as long as `Disposing` stays active. One that raises adds an error to
    the machine, and the next one runs.
    """

    _disposals: tuple[Disposal, ...] = ()

    def RegisterDisposalEnter(self, event: Event) -> bool:
        return callable(event.args.get(DISPOSED_ARG_HANDLER))

    def RegisterDisposalState(self, event: Event) -> None:
        self._disposals = (*self._disposals, event.args[DISPOSED_ARG_HANDLER])
        event.machine.remove1(disposed_states.RegisterDisposal)

    def DisposingState(self, event: Event) -> None:
        mach = event.machine
        ctx = mach.new_state_ctx(disposed_states.Disposing)
        threading.Thread(
            target=_dispose, args=(mach, ctx, self._disposals), name="am-disposing", daemon=True
        ).start()


def _dispose(mach: Machine, ctx: Context, disposals: tuple[Disposal, ...]) -> None:
    for fn in disposals:
        if ctx.done:
            return
        with mach.panic_to_err():
            fn(mach.id, ctx)
    if not ctx.done:
        mach.add1(disposed_states.Disposed)
