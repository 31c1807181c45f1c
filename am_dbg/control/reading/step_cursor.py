"""The cursor in the tab of steps: it moves from step to step, and Enter follows its step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from am_dbg.drawing.detail import DrawnRow
from am_dbg.projection.steps import Moment


@dataclass(eq=False, slots=True)
class StepCursor:
    """The index of a step, of `count`; without steps there is no cursor.

    A step has one or more rows on the screen; `DrawnRow.index` is its index.
    """

    at: int = 0
    count: int = 0

    def begin(self, moment: Moment, count: int) -> None:
        """Begin at the step on show, or at the first one of a complete transition."""
        self.count = count
        self.put(moment.step - 1 if moment.is_stepping else 0)

    def put(self, at: int) -> None:
        """Put the cursor on a step."""
        self.at = max(0, min(at, self.count - 1))

    def move(self, drawn: Sequence[DrawnRow], rows: int) -> None:
        """Move by a step, or by a page of rows."""
        if abs(rows) == 1:
            self.put(self.at + rows)
            return
        first, _ = self.rows(drawn)
        self.put(drawn[max(0, min(first + rows, len(drawn) - 1))].index)

    def rows(self, drawn: Sequence[DrawnRow]) -> tuple[int, int]:
        """The first and the last row of the step on the screen."""
        own = [place for place, row in enumerate(drawn) if row.index == self.at]
        return (own[0], own[-1]) if own and self.count else (-1, -1)

    def top_showing(self, drawn: Sequence[DrawnRow], top: int, height: int) -> int:
        """The first row of a window, scrolled as little as shows the step."""
        first, last = self.rows(drawn)
        if first < 0:
            return top
        return min(first, max(top, last - height + 1))
