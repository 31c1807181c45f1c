"""Data of a machine between transitions: log lines after the last one, open work.

A program sends both while its machine is idle. The lines belong to a transition that has not
come yet. They are dropped when it comes, because it brings them itself. A report of what is
open holds from the transition after which it was sent until the next report. A limited number
of reports, the newest ones, is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from am_dbg.store.values import Line
from amtracer.wire import limits
from amtracer.wire.messages import OpenWorkItem

OPEN_PICTURES_MAX = 64
"""The most reports of open work that are kept of one machine."""
OPEN_BYTES_MAX = 256 * 1024
"""Memory that they may take together."""

_LINE_BYTES = 120
_WORK_BYTES = 400


class LaterLines(NamedTuple):
    """The newest lines after a transition; `total` counts all there were, `size` is bytes."""

    lines: tuple[Line, ...] = ()
    total: int = 0
    size: int = 0

    @property
    def missing(self) -> int:
        """How many older ones are not here."""
        return self.total - len(self.lines)

    def joined_by(self, lines: Sequence[Line], missing: int) -> LaterLines:
        """These lines and newer ones, as far as there is room; `missing` lie between."""
        kept = [*self.lines, *lines] if not missing else list(lines)
        del kept[: -limits.LATER_LINES_MAX]
        size = sum([_LINE_BYTES + len(text) for _, text in kept])
        first = 0
        while size > limits.LATER_BYTES_MAX and first < len(kept) - 1:
            size -= _LINE_BYTES + len(kept[first][1])
            first += 1
        return LaterLines(tuple(kept[first:]), self.total + missing + len(lines), size)


NO_LINES = LaterLines()


class OpenPicture(NamedTuple):
    """What is open in a machine after transition `number`; `more` is not listed."""

    number: int
    work: tuple[OpenWorkItem, ...] = ()
    more: int = 0

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        return _WORK_BYTES * (1 + len(self.work))


class OpenPictures:
    """The newest pictures of one machine, in order; one thread writes, any thread reads.

    `total` counts all there were.
    """

    __slots__ = ("_pictures", "size", "total")

    def __init__(self) -> None:
        self._pictures: tuple[OpenPicture, ...] = ()
        self.total = 0
        self.size = 0

    @property
    def newest(self) -> OpenPicture | None:
        """The last one, None before the first."""
        pictures = self._pictures
        return pictures[-1] if pictures else None

    def at(self, number: int) -> OpenPicture | None:
        """The picture that holds after a transition; None when none is known."""
        for picture in reversed(self._pictures):
            if picture.number <= number:
                return picture
        return None

    def beyond(self, total: int) -> Sequence[OpenPicture]:
        """Those that came after so many."""
        count = self.total - total
        return self._pictures[-count:] if count > 0 else ()

    def add(self, picture: OpenPicture) -> None:
        """Keep a new one and drop old ones."""
        kept = [*self._pictures, picture][-OPEN_PICTURES_MAX:]
        size = sum([one.size for one in kept])
        while size > OPEN_BYTES_MAX and len(kept) > 1:
            size -= kept.pop(0).size
        self._pictures, self.size = tuple(kept), size
        self.total += 1
