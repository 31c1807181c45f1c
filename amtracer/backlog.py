"""What waits while nothing can go out, bounded in number and in text."""

from __future__ import annotations

from collections import deque

from amtracer import limits
from amtracer.events import Event

__all__ = ["BACKLOG_CHARS_MAX", "Backlog"]

BACKLOG_CHARS_MAX = 32 * 1024 * 1024
"""Characters of log lines and arguments; the oldest events go first."""


class Backlog:
    """A queue that lets its oldest events go when there are too many or they are too long.

    Nothing is counted here: the numbers of transitions tell what is missing.
    """

    def __init__(
        self,
        events_max: int = limits.SENDER_QUEUE_MAX,
        chars_max: int = BACKLOG_CHARS_MAX,
    ) -> None:
        self._events_max = events_max
        self._chars_max = chars_max
        self._events: deque[tuple[Event, int]] = deque()
        self._chars = 0

    def __len__(self) -> int:
        return len(self._events)

    def add(self, event: Event) -> None:
        """Put an event at the end."""
        chars = 0
        if type(event) is tuple and event[5] is not None:
            chars = event[5].text_chars()
        self._events.append((event, chars))
        self._chars += chars
        while len(self._events) > self._events_max or self._chars > self._chars_max:
            self.pop()

    def pop(self) -> Event:
        """Take the oldest event."""
        event, chars = self._events.popleft()
        self._chars -= chars
        return event
