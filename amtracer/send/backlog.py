"""Limits the queue of events while nothing can be sent: keeps the newest, limited in text too."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from amtracer.send.events import TracerEvent, chars_of

BACKLOG_MAX = 2_048
"""Events kept for a debugger that may start. Few, because every object that stays alive makes
the garbage collector's runs longer, and the program waits for those."""
BACKLOG_CHARS_MAX = 32 * 1024 * 1024
"""Characters of their log lines and arguments."""


def trim(
    queue: deque[TracerEvent],
    on_dropped: Callable[[TracerEvent], object],
    events_max: int = BACKLOG_MAX,
    chars_max: int = BACKLOG_CHARS_MAX,
) -> None:
    """Drop the oldest events of a queue, to which other threads may append meanwhile.

    Nothing is counted: the numbers of transitions show what is missing.
    """
    for _ in range(len(queue) - events_max):
        on_dropped(queue.popleft())
    chars = 0
    kept = 0
    newest_first = list(queue)[::-1]
    for event in newest_first:
        chars += chars_of(event)
        if chars > chars_max:
            break
        kept += 1
    for _ in range(len(newest_first) - kept):
        on_dropped(queue.popleft())
