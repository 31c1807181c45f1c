"""The speed of playing: how many transitions a second."""

from __future__ import annotations

from dataclasses import dataclass, replace

SPEEDS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""Transitions a second; the fastest leaves the screen time to paint each of them."""


@dataclass(frozen=True, slots=True)
class PlaySpeed:
    """One of the speeds, by its index; it begins with two transitions a second."""

    at: int = SPEEDS.index(2.0)

    @property
    def every_s(self) -> float:
        """The seconds between two transitions."""
        return 1 / SPEEDS[self.at]

    @property
    def text(self) -> str:
        """The speed as the screen shows it: 2/s."""
        return f"{SPEEDS[self.at]:g}/s"

    def changed(self, by: int) -> PlaySpeed:
        """The speed that many places faster, or slower; it stops at both ends."""
        return replace(self, at=max(0, min(len(SPEEDS) - 1, self.at + by)))
