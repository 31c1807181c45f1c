"""Predefined states that many machines share: definitions to inherit from, schemas, groups.

    class MyStatesDef(BasicStatesDef, ConnectedStatesDef):
        Downloading: str = am.state(require=BasicStatesDef.Start)

The classes of definitions can be inherited together, and each has a matching schema.
"""

from machine.states.basic import BasicStatesDef, basic_states, basic_struct
from machine.states.connected import (
    ConnectedGroupsDef,
    ConnectedStatesDef,
    ConnectingError,
    add_err_connecting,
    connected_groups,
    connected_states,
    connected_struct,
)
from machine.states.disposed import (
    DISPOSED_ARG_HANDLER,
    DisposedGroupsDef,
    DisposedHandlers,
    DisposedStatesDef,
    disposed_groups,
    disposed_states,
    disposed_struct,
)

__all__ = [
    "DISPOSED_ARG_HANDLER",
    "BasicStatesDef",
    "ConnectedGroupsDef",
    "ConnectedStatesDef",
    "ConnectingError",
    "DisposedGroupsDef",
    "DisposedHandlers",
    "DisposedStatesDef",
    "add_err_connecting",
    "basic_states",
    "basic_struct",
    "connected_groups",
    "connected_states",
    "connected_struct",
    "disposed_groups",
    "disposed_states",
    "disposed_struct",
]
