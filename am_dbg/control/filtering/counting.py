"""Counts what a typed query finds, in slices between the keys.

A slice looks at a bounded number of transitions, so the next key is handled soon whatever the
size of the history. A new text abandons the count of the one before. All of it runs on the thread
of the screen: nothing else changes the sets that are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

SLICE_ROWS = 8_192
"""Transitions that a slice looks at, about; it ends with the chunk in which it reaches them."""
STEP_ROWS = 64
"""What a step costs beside its transitions, such as the change to another machine."""

Steps = Iterator[int]
"""The steps of a count; each yields how many transitions it looked at."""


class Counting:
    """The count that is going on, and what to do at its end; at most one at a time."""

    def __init__(self) -> None:
        self._steps: Steps | None = None
        self._then: Callable[[], None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether a count is not at its end."""
        return self._steps is not None

    def begin(self, steps: Steps, then: Callable[[], None]) -> None:
        """Abandon the count before, and do the first slice of a new one."""
        self._steps, self._then = steps, then
        self.go_on()

    def go_on(self) -> None:
        """Do one slice; at the end of the count, do what follows it."""
        left = SLICE_ROWS
        while left > 0 and self._steps is not None:
            left -= self._step() + STEP_ROWS

    def finish(self) -> None:
        """Do all that is left, at once."""
        while self._steps is not None:
            self._step()

    def abandon(self) -> None:
        """Forget the count; what follows it does not happen."""
        self._steps = self._then = None

    def _step(self) -> int:
        steps, then = self._steps, self._then
        assert steps is not None
        self.abandon()  # a step that fails ends the count
        rows = next(steps, None)
        if rows is not None:
            self._steps, self._then = steps, then
        elif then is not None:
            then()
        return rows or 0
