"""Registry of the senders of this process: one for each destination, shared by all tracers.

Senders are closed when the interpreter exits, and start again in a forked child.

The first caller that finds a destination in the environment fixes it for the process, as an
absolute path without links. So all machines of a process go to one place until the senders
are closed, even if the folder, the links in the path or the variables change.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from dataclasses import replace

from amtracer.env import Destinations, destinations_from_env
from amtracer.send.sender import Sender
from amtracer.send.sinks import Sink, absolute_path

_senders: dict[str, Sender] = {}
_lock = threading.Lock()
_fixed: Destinations | None = None

after_fork: list[Callable[[], None]] = []
"""Called in a forked child after its senders have started again."""


def sender_to(destination: str, sink: Callable[[], Sink]) -> Sender:
    """The sender to a destination; the first call makes it, with its sink."""
    with _lock:
        sender = _senders.get(destination)
        if sender is None or sender.ended:
            sender = _senders[destination] = Sender(sink())
        return sender


def destinations() -> Destinations:
    """The destinations of this process, from the environment."""
    global _fixed  # noqa: PLW0603 - it is of the process
    with _lock:
        if _fixed is not None:
            return _fixed
        found = destinations_from_env()
        if found.path is not None:
            found = replace(found, path=absolute_path(found.path))
        if found != Destinations(None, None):
            _fixed = found
        return found


def close_senders() -> None:
    """Send what is queued and end all senders, each within its time limit."""
    global _fixed  # noqa: PLW0603 - it is of the process
    _fixed = None
    for sender in list(_senders.values()):
        sender.close()


def _restart_in_child() -> None:
    global _lock  # noqa: PLW0603 - another thread may have held it at the fork
    _lock = threading.Lock()
    for sender in list(_senders.values()):
        sender.restart_in_child()
    for callback in after_fork:
        callback()


atexit.register(close_senders)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restart_in_child)
