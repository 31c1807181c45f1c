"""Time limits of connections, which prove that a program is on the other side.

A debugger accepts a limited number of connections. So each one must send a hello, then a machine,
and complete every frame that it begins, within some seconds each. After that a connection can be
silent for any time, because a program in which nothing happens sends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_BYTES_S_MAX = 10.0
"""Seconds from connecting to the first whole message."""
MACHINE_S_MAX = 10.0
"""Seconds from there to the first machine."""
FRAME_S_MAX = 10.0
"""Seconds from the first byte of a frame to its last one, for a small frame."""
FRAME_BYTES_S_MIN = 64 * 1024
"""So many bytes give an incomplete frame one more second, for slow networks."""
TAKEN_S_MAX = 10.0
"""Seconds for which a reconnected program waits for the end of its old connection."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The limits of one server."""

    first_bytes_s_max: float = FIRST_BYTES_S_MAX
    machine_s_max: float = MACHINE_S_MAX
    frame_s_max: float = FRAME_S_MAX
    taken_s_max: float = TAKEN_S_MAX

    @property
    def shortest_s(self) -> float:
        """The smallest of them."""
        return min(self.first_bytes_s_max, self.machine_s_max, self.frame_s_max, self.taken_s_max)


class ConnectionProgress:
    """The progress of one connection, in seconds of the server's clock."""

    __slots__ = (
        "_frame_since",
        "_since",
        "_timeouts",
        "_unfinished",
        "_whole",
        "has_machine",
        "has_sent",
    )

    def __init__(self, timeouts: Timeouts, now: float) -> None:
        self._timeouts = timeouts
        self._since = now
        self._frame_since = now
        self._unfinished = 0
        self._whole = 0
        self.has_sent = False
        self.has_machine = False

    def sent_message(self, now: float) -> None:
        """Record that the first whole message came."""
        self.has_sent = True
        self._since = now

    def sent_machine(self) -> None:
        """Record that a machine came."""
        self.has_machine = True

    def received(self, unfinished: int, whole: int, now: float) -> None:
        """Record the bytes of an incomplete frame, and the number of whole frames before it."""
        if not self._unfinished or whole != self._whole:
            self._frame_since = now
        self._unfinished, self._whole = unfinished, whole

    def go_on(self, now: float) -> None:
        """Restart all times, because the server held the connection."""
        self._since = self._frame_since = now

    def overdue(self, now: float) -> str:
        """The reason to close the connection, empty if there is none."""
        timeouts, waited_s = self._timeouts, now - self._since
        if not self.has_sent:
            is_late = waited_s >= timeouts.first_bytes_s_max
            return "it sent no whole message" if is_late else ""
        frame_s_max = timeouts.frame_s_max + self._unfinished / FRAME_BYTES_S_MIN
        if self._unfinished and now - self._frame_since >= frame_s_max:
            return "it sent a part of a frame and not the rest"
        if not self.has_machine and waited_s >= timeouts.machine_s_max:
            return "it sent a hello and no machine"
        return ""
