"""Connection states of one side: at most one of four is active."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from machine._schema.state import EXCEPTION, State
from machine._schema.typed import GroupsBase, StatesBase, new_state_groups, new_states, state
from machine.errors import MachineError

if TYPE_CHECKING:
    from machine._enums import Result
    from machine._machine.machine import Machine
    from machine._transition.event import Event

__all__ = [
    "ConnectedGroupsDef",
    "ConnectedStatesDef",
    "ConnectingError",
    "add_err_connecting",
    "connected_groups",
    "connected_states",
    "connected_struct",
]

_START = "Start"
_GROUP = ("Connecting", "Connected", "Disconnecting", "Disconnected")


class ConnectedStatesDef(StatesBase):
    """Connecting, connected and back; the schema also needs a `Start` state."""

    ErrConnecting: str = state(require=EXCEPTION)
    """The connection could not be made."""
    Connecting: str = state(require=_START, remove=_GROUP)
    Connected: str = state(require=_START, remove=_GROUP)
    Disconnecting: str = state(remove=_GROUP)
    Disconnected: str = state(auto=True, remove=_GROUP)
    Exception: str


class ConnectedGroupsDef(GroupsBase):
    """The states of which at most one is active."""

    Connected: list[str]


connected_states: ConnectedStatesDef = new_states(ConnectedStatesDef)
connected_struct: dict[str, State] = ConnectedStatesDef.struct()
connected_groups: ConnectedGroupsDef = new_state_groups(ConnectedGroupsDef(Connected=_GROUP))


class ConnectingError(MachineError):
    """A connection could not be made; what went wrong is its `__cause__`."""

    prefix = "error connecting"


def add_err_connecting(
    event: Event | None,
    mach: Machine,
    err: BaseException,
    args: Mapping[str, Any] | None = None,
) -> Result:
    """Add `ErrConnecting` with this error, and this event, if given, as its source."""
    wrapped = ConnectingError(str(err))
    wrapped.__cause__ = err
    given = dict(args or {})
    if event is None:
        return mach.add_err_state(connected_states.ErrConnecting, wrapped, given)
    return mach.ev_add_err_state(event, connected_states.ErrConnecting, wrapped, given)
