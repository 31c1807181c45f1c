"""Basic states of a worker: its start, its readiness and its health."""

from __future__ import annotations

from machine._schema.state import EXCEPTION, State
from machine._schema.typed import StatesBase, new_states, state

__all__ = ["BasicStatesDef", "basic_states", "basic_struct"]


class BasicStatesDef(StatesBase):
    """Errors, start and readiness, signs of life."""

    ErrNetwork: str = state(require=EXCEPTION)
    """Something went wrong with the network."""
    ErrHandlerTimeout: str = state(require=EXCEPTION)
    """A handler took too long."""
    Start: str = state()
    """The machine should be working; removing it can force it to stop."""
    Ready: str = state(require=Start)
    """Everything that the work needs is there."""
    Healthcheck: str = state(multi=True)
    """Added from time to time, to check that the machine is alive."""
    Heartbeat: str = state()
    """Added from time to time, so that the machine checks itself."""


basic_states: BasicStatesDef = new_states(BasicStatesDef)
basic_struct: dict[str, State] = BasicStatesDef.struct()
