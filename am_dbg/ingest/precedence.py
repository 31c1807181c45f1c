"""Lets the screen go first: while it works, the thread that takes in data gives way.

Both threads need the interpreter's lock, and some work of the screen needs that of the store. A
thread that takes in data without a pause would get them again before the screen does. So it takes
in data in slices of a few milliseconds, and holds no lock between them. There it waits until the
screen is idle, at most for a while each time that the screen works.

The screen works whenever its loop does not wait for events, so its selector shows that.
"""

from __future__ import annotations

from selectors import DefaultSelector, SelectorKey
from threading import Event

WAIT_S_MAX = 0.1
"""The longest that data waits at once, each time that the screen works."""
WAIT_AGAIN_S = 0.001
"""The longest that it waits between later slices, while that work goes on."""
SWITCH_S = 0.001
"""The longest that a thread which needs the interpreter waits for another one that uses it."""


class Precedence:
    """Whether the screen works; one thread works and any other gives way."""

    def __init__(self) -> None:
        self._idle = Event()
        self._idle.set()
        self._turn = self._waited_in = 0

    def begin(self) -> None:
        """The screen works from now on."""
        self._turn += 1
        self._idle.clear()

    def end(self) -> None:
        """The screen is idle from now on."""
        self._idle.set()

    def give_way(self) -> None:
        """Wait while the screen works; only shortly once the same work took too long."""
        if not self._idle.is_set():
            turn = self._turn
            is_long = self._waited_in == turn
            if not self._idle.wait(WAIT_AGAIN_S if is_long else WAIT_S_MAX):
                self._waited_in = turn


class ScreenSelector(DefaultSelector):
    """The selector of the screen's loop: the screen works while it does not wait here."""

    def __init__(self, precedence: Precedence) -> None:
        super().__init__()
        self._precedence = precedence

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """Wait for events; the screen is idle meanwhile, unless it only looks."""
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        self._precedence.end()
        try:
            return super().select(timeout)
        finally:
            self._precedence.begin()

    def close(self) -> None:
        """Close it; without a screen nothing waits."""
        super().close()
        self._precedence.end()
