"""Reasons: why a mutation or a check was canceled, as values with a kind, names and a text."""

from __future__ import annotations

import enum
from typing import NamedTuple


class ReasonKind(enum.Enum):
    """What canceled a mutation.

    RELATION: relations left out a called state. HANDLER: a negotiation handler denied. ERROR: a
    handler failed, or the error to add was refused. TIMEOUT: a handler was late. INTERRUPT: an
    interrupt ended the mutation. QUEUE_FULL: the full queue did not accept it. DISPOSED: the
    machine is disposed, or its disposal began first. LOOP_CLOSED: the event loop of the machine
    is closed.
    """

    RELATION = "relation"
    HANDLER = "handler"
    ERROR = "error"
    TIMEOUT = "timeout"
    INTERRUPT = "interrupt"
    QUEUE_FULL = "queue full"
    DISPOSED = "disposed"
    LOOP_CLOSED = "loop closed"

    def __str__(self) -> str:
        return str(self.value)


class Reason(NamedTuple):
    """Why a mutation or a check was canceled; it keeps no history alive.

    `states` are the called states that the reason concerns. `names` are what stood against them:
    the handler, or for relations the required and the removing states. A check (`can_add` and
    its relatives) is marked by `is_check`. `tx_id` is the id of the transition, empty if it had
    none; `time_sum` is the sum of all ticks before it.
    """

    kind: ReasonKind
    text: str
    states: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    is_check: bool = False
    tx_id: str = ""
    time_sum: int = 0

    def __str__(self) -> str:
        return self.text
