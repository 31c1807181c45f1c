"""The senders of this process: one for each destination, whatever traces to it.

They are closed when the interpreter exits, and begin anew in a forked child.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable

from amtracer.outlets import Outlet
from amtracer.sender import Sender

__all__ = ["after_fork", "close_senders", "sender_to"]

_senders: dict[str, Sender] = {}
_choosing = threading.Lock()

after_fork: list[Callable[[], None]] = []
"""Done in a forked child once its senders have begun anew."""


def sender_to(destination: str, outlet: Callable[[], Outlet]) -> Sender:
    """The sender to a destination; made with the outlet when it is the first."""
    with _choosing:
        sender = _senders.get(destination)
        if sender is None or sender.ended:
            sender = _senders[destination] = Sender(outlet())
        return sender


def close_senders() -> None:
    """Bring out what is there and end all senders, each within its limit."""
    for sender in list(_senders.values()):
        sender.close()


def _reborn() -> None:
    global _choosing  # noqa: PLW0603 - another thread may have held it at the fork
    _choosing = threading.Lock()
    for sender in list(_senders.values()):
        sender.reborn()
    for work in after_fork:
        work()


atexit.register(close_senders)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reborn)
