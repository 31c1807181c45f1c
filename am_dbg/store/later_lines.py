"""Log lines that a machine wrote after its last transition.

They belong to a transition that has not come yet. When it comes they are dropped, because it has
them too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from am_dbg.store.values import LogLine
from amtracer.wire import limits

_LINE_BYTES = 120


class LaterLines(NamedTuple):
    """The newest lines after a transition; `total` counts all of them, `size` is their bytes."""

    lines: tuple[LogLine, ...] = ()
    total: int = 0
    size: int = 0

    @property
    def missing(self) -> int:
        """How many older lines are not kept."""
        return self.total - len(self.lines)

    def extended(self, lines: Sequence[LogLine], missing: int) -> LaterLines:
        """These lines and newer ones, up to the limits; `missing` lines are lost in between."""
        kept = [*self.lines, *lines] if not missing else list(lines)
        del kept[: -limits.LATER_LINES_MAX]
        size = sum([_LINE_BYTES + len(text) for _, text in kept])
        first = 0
        while size > limits.LATER_BYTES_MAX and first < len(kept) - 1:
            size -= _LINE_BYTES + len(kept[first][1])
            first += 1
        return LaterLines(tuple(kept[first:]), self.total + missing + len(lines), size)


NO_LINES = LaterLines()
