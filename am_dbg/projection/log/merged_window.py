"""The window of the log of all machines: which rows it has, and where it begins.

It begins at any row of a transition, so it scrolls by rows however tall a transition is. It is
worked out from its first transition on, so its cost depends on its height and on the number of
machines, not on the number of transitions. As long as the row of the cursor stays inside, the
first row stays, so nothing moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

from am_dbg.projection.log.merged_rows import MergedRows, second_of
from am_dbg.projection.log.window import ROWS_AROUND, LogRow, row_with
from am_dbg.query.across import Across
from am_dbg.query.cursor import Cursor


class MergedPlace(NamedTuple):
    """Where a window begins: a transition, and how many of its rows are above the window."""

    place: Cursor
    skip: int = 0


class _Block(NamedTuple):
    """A transition with all its rows."""

    place: Cursor
    rows: list[LogRow]


class MergedWindow:
    """Rows of transitions in both directions from a place."""

    def __init__(self, merged: Across, rows: MergedRows, height: int) -> None:
        self.merged = merged
        self.rows = rows
        self.here = rows.here
        self.height = max(1, height)

    def rows_from(self, top: MergedPlace) -> list[LogRow]:
        """The rows of a window that begins at a place."""
        rows = [row for block in self._shown(top) for row in block.rows]
        return rows[top.skip : top.skip + self.height]

    def place_showing(self, top: MergedPlace | None, words: Sequence[str]) -> MergedPlace | None:
        """The place to start from so that the transition of the cursor is on the screen.

        With the words of a search, it is the row of the transition that has the first of them
        which it has at all. None if there are no transitions.
        """
        at, is_line = self._row_with(words)
        if top is not None and self._shows_cursor(top, at, is_line=is_line):
            return self._to_full(top)
        around = self._around(top)
        if around is None or not is_line or self._shows_cursor(around, at, is_line=True):
            return around
        return self._to_full(MergedPlace(self.here, max(0, at - self.height // 3)))

    def filled(self, top: MergedPlace | None) -> MergedPlace | None:
        """A place from which rows fill the window, if there are enough."""
        return self._end() if top is None else self._to_full(top)

    def scrolled(self, top: MergedPlace, by: int) -> MergedPlace:
        """The place some rows further; there is no empty space below the last row."""
        place, skip = top.place, top.skip + by
        if skip < 0:
            for block in self._before(place):
                place, skip = block.place, skip + len(block.rows)
                if skip >= 0:
                    break
            return self._to_full(MergedPlace(place, max(0, skip)))
        for block in self._from(place):
            if skip < len(block.rows):
                return self._to_full(MergedPlace(block.place, skip))
            skip -= len(block.rows)
        return self._end() or top

    def rows_on(self, rows: int) -> Cursor:
        """The transition whose row is about so many rows further on, or back; another one."""
        here, left = self.here, abs(rows)
        own = self._block_of(here).rows if here in self.merged else []
        following = self._after(here) if rows > 0 else self._before(here)
        for block, further in pairwise(chain([_Block(here, own)], following)):
            left -= len(block.rows if rows > 0 else further.rows)
            if left < 0 and here != self.here:
                break
            here = further.place
        return here

    def goes_on(self, top: MergedPlace, by: int) -> bool:
        """Whether the transition of the cursor has more rows in a direction than are on show."""
        blocks = self._shown(top)
        edge = blocks[-1 if by > 0 else 0] if blocks else None
        if edge is None or edge.place != self.here:
            return False
        return _height(blocks) > top.skip + self.height if by > 0 else top.skip > 0

    def _shown(self, top: MergedPlace) -> list[_Block]:
        return self._filled(self._from(top.place), top.skip + self.height)

    def _row_with(self, words: Sequence[str]) -> tuple[int, bool]:
        """The row of the cursor's transition to show, and whether it is one of its log lines."""
        if self.here not in self.merged:
            return 0, False
        return row_with(self._block_of(self.here).rows, words)

    def _shows_cursor(self, top: MergedPlace, at: int, *, is_line: bool) -> bool:
        """Whether a row of the cursor's transition is in a window, and rows around it."""
        blocks = self._shown(top)
        places = [block.place for block in blocks]
        if not places or top.place not in self.merged:
            return False
        if self.here not in places:
            first, last = self.merged.key(places[0]), self.merged.key(places[-1])
            return first <= self.merged.key(self.here) <= last and not is_line
        index = places.index(self.here)
        before = _height(blocks[:index]) - top.skip
        if is_line:
            return 0 <= before + at < self.height
        below = _height(blocks[index:])
        room = self.height - before - min(len(blocks[index].rows), 2)
        is_low = below <= ROWS_AROUND and room < ROWS_AROUND
        is_last = self.merged.next(self.here) is None
        return before + at >= 0 and room >= 0 and (is_last or not is_low)

    def _around(self, top: MergedPlace | None) -> MergedPlace | None:
        """A new place: moved as little as possible if the cursor is near, else at a third."""
        above = self.height // 3
        shown = self._shown(top) if top is not None else []
        if shown and self._is_next_to(shown[0].place, -1):
            above = ROWS_AROUND
        elif shown and self._is_next_to(shown[-1].place, 1):
            above = self.height - 1 - ROWS_AROUND
        start = self.here if self.here in self.merged else self.merged.next(self.here)
        for block in self._before(self.here):
            above -= len(block.rows)
            if above < 0:
                break
            start = block.place
        return self._end() if start is None else self._to_full(MergedPlace(start))

    def _is_next_to(self, edge: Cursor, by: int) -> bool:
        """Whether the cursor is a few places outside of an edge of the window."""
        far = self.merged.moved(edge, by * (ROWS_AROUND + 1))
        if far is None:
            return True
        here, limit = self.merged.key(self.here), self.merged.key(far)
        return here <= limit if by > 0 else here >= limit

    def _to_full(self, top: MergedPlace) -> MergedPlace:
        """Go back as far as rows at the end of the window would stay empty."""
        is_full = _height(self._shown(top)) >= top.skip + self.height
        return top if is_full else self._end() or top

    def _end(self) -> MergedPlace | None:
        """The place from which the last row is at the bottom; None without transitions."""
        last = self.merged.last()
        if last is None:
            return None
        blocks = self._filled(chain([self._block_of(last)], self._before(last)), self.height)
        return MergedPlace(blocks[-1].place, max(0, _height(blocks) - self.height))

    @staticmethod
    def _filled(blocks: Iterator[_Block], room: int) -> list[_Block]:
        """Blocks as long as there is room."""
        kept: list[_Block] = []
        while room > 0 and (block := next(blocks, None)) is not None:
            kept.append(block)
            room -= len(block.rows)
        return kept

    def _from(self, place: Cursor) -> Iterator[_Block]:
        """The transition at a place and those after it."""
        if place in self.merged:
            yield self._block_of(place)
        yield from self._after(place)

    def _after(self, place: Cursor) -> Iterator[_Block]:
        before = place if place in self.merged else self._previous(place)
        for following in self.merged.after(place):
            yield self._block_after(before, following)
            before = following

    def _before(self, place: Cursor) -> Iterator[_Block]:
        """The transitions before a place, backwards."""
        for found, before in pairwise(chain(self.merged.before(place), [None])):
            if found is not None:
                yield self._block_after(before, found)

    def _block_of(self, place: Cursor) -> _Block:
        return self._block_after(self._previous(place), place)

    def _previous(self, place: Cursor) -> Cursor | None:
        """The transition before a place, if the rows depend on it."""
        return self.merged.previous(place) if self.rows.options.seconds else None

    def _block_after(self, before: Cursor | None, place: Cursor) -> _Block:
        return _Block(place, self.rows.of(place, None if before is None else second_of(before)))


def _height(blocks: Sequence[_Block]) -> int:
    return sum(len(block.rows) for block in blocks)
