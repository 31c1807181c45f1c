"""Registry of the senders of this process: one for each destination, shared by all tracers.

Senders are closed when the interpreter exits, and start again in a forked child.

The destination that the environment names is fixed by the first caller that asks and finds
one there, as a path from the root on and without links. So all machines of a process go to one
place until all is closed, whatever happens to its folder, to the links in the path and to the
variables.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from dataclasses import replace

from amtracer.env import Destinations, destinations_from_env
from amtracer.send.sender import Sender
from amtracer.send.sinks import Sink, whole_path

_senders: dict[str, Sender] = {}
_choosing = threading.Lock()
_fixed: Destinations | None = None

after_fork: list[Callable[[], None]] = []
"""Done in a forked child once its senders have started again."""


def sender_to(destination: str, sink: Callable[[], Sink]) -> Sender:
    """The sender to a destination; made with the sink when it is the first."""
    with _choosing:
        sender = _senders.get(destination)
        if sender is None or sender.ended:
            sender = _senders[destination] = Sender(sink())
        return sender


def destinations() -> Destinations:
    """Where this process sends and records to, as the environment says."""
    global _fixed  # noqa: PLW0603 - it is of the process
    with _choosing:
        if _fixed is not None:
            return _fixed
        found = destinations_from_env()
        if found.path is not None:
            found = replace(found, path=whole_path(found.path))
        if found != Destinations(None, None):
            _fixed = found
        return found


def close_senders() -> None:
    """Send what is there and end all senders, each within its limit."""
    global _fixed  # noqa: PLW0603 - it is of the process
    _fixed = None
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
