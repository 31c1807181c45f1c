"""The log of all machines: a window of rows around the cursor, in order of time.

Each row names its machine, and the transition of another machine that requested it. Rows that
are near are marked: the one that requested the row of the cursor, and those that it requested.
Log lines of the chosen level hang below a row, as in the log of one machine.

The window is worked out from its first place on, so its cost depends on its height and on the
number of machines, not on the number of transitions. As long as the cursor stays inside, the
first place stays, so nothing moves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from am_dbg.projection.clean import clean_name
from am_dbg.projection.log.ends import end_text
from am_dbg.projection.log.gaps import gap_text
from am_dbg.projection.log.view import LogView
from am_dbg.projection.log.window import (
    ROWS_AROUND,
    LogOptions,
    LogRow,
    RowKind,
    entry_and_lines,
)
from am_dbg.projection.note_texts import notes_between
from am_dbg.projection.times import SECOND
from am_dbg.query.across import Across
from am_dbg.query.cursor import Cursor
from am_dbg.spans import width_of
from am_dbg.store import Store
from amtracer.wire.vocabulary import LEVEL_WORDS

NAME_WIDTH_MAX = 24
"""The most cells of the column of names."""
CAUSE_MARK, EFFECT_MARK = "╭", "╰"
"""Mark the row that requested the one of the cursor, and the rows that it requested."""
_Block = tuple[Cursor, list[LogRow]]


class MergedColumns(NamedTuple):
    """The widths of the columns of names and numbers; they depend on the machines, not on rows."""

    names: int
    digits: int


def merged_columns(merged: Across) -> MergedColumns:
    """The columns that all machines of a merged set need."""
    tracks = merged.holding
    names = max((width_of(clean_name(track.key)) for track in tracks), default=0)
    newest = max((track.count for track in tracks), default=0)
    return MergedColumns(min(NAME_WIDTH_MAX, names), len(str(newest)))


def project_merged_log(
    store: Store,
    merged: Across,
    here: Cursor,
    top: Cursor | None,
    height: int,
    options: LogOptions,
    columns: MergedColumns,
    *,
    level: int,
    follow: bool = True,
    needle: str = "",
    scope: str = "",
    bookmarked: Collection[Cursor] = (),
) -> tuple[LogView, Cursor | None]:
    """The rows from `top` on, moved as little as shows the cursor, and the new `top`."""
    window = _MergedWindow(store, merged, here, max(1, height), level, options, bookmarked)
    blocks = window.blocks(top, follow=follow)
    rows = _with_seconds(blocks) if options.seconds else [row for _, part in blocks for row in part]
    view = LogView(
        rows=tuple(window.marked(rows[:height])),
        level=LEVEL_WORDS[min(level, len(LEVEL_WORDS) - 1)],
        hidden=merged.in_all - merged.count,
        total=merged.in_all,
        number_digits=columns.digits,
        needle=needle,
        scope=scope,
        name_width=columns.names,
    )
    return view, blocks[0][0] if blocks else None


def merged_top_moved(merged: Across, top: Cursor, by: int, height: int) -> Cursor:
    """The first place of the window after scrolling by some transitions."""
    moved = merged.moved(top, by) or top
    last = merged.last()
    lowest = merged.moved(last, 1 - height) if last and height > 1 else last
    return moved if lowest is None or merged.key(moved) <= merged.key(lowest) else lowest


class _MergedWindow:
    """Rows of transitions in both directions from a place."""

    def __init__(
        self,
        store: Store,
        merged: Across,
        here: Cursor,
        height: int,
        level: int,
        options: LogOptions,
        bookmarked: Collection[Cursor],
    ) -> None:
        self.store = store
        self.merged = merged
        self.here = here
        self.height = height
        self.level = level
        self.options = options
        self.bookmarked = bookmarked
        self._sources: dict[Cursor, Cursor | None] = {}

    def blocks(self, top: Cursor | None, *, follow: bool) -> list[_Block]:
        """The places of the window with their rows."""
        shown = [] if top is None else self._filled(self._from(top), self.height)
        if not follow or self._shows_cursor(shown):
            return self._to_full(shown)
        return self._to_full(self._around(shown))

    def _around(self, shown: list[_Block]) -> list[_Block]:
        """A new window: moved as little as possible if the cursor is near, else at a third."""
        above = self.height // 3
        if shown and self._is_next_to(shown[0][0], -1):
            above = ROWS_AROUND
        elif shown and self._is_next_to(shown[-1][0], 1):
            above = self.height - 1 - ROWS_AROUND
        before = self._filled(self._block_of(self.merged.before(self.here)), above, is_cut=False)
        start = before[-1][0] if before else self.here
        return self._filled(self._from(start), self.height)

    def _is_next_to(self, edge: Cursor, by: int) -> bool:
        """Whether the cursor is a few places outside of an edge of the window."""
        far = self.merged.moved(edge, by * (ROWS_AROUND + 1))
        if far is None:
            return True
        here, limit = self.merged.key(self.here), self.merged.key(far)
        return here <= limit if by > 0 else here >= limit

    def _shows_cursor(self, blocks: list[_Block]) -> bool:
        """Whether the cursor has its rows in a window, and rows around it if there are any."""
        places = [place for place, _ in blocks]
        if not places:
            return False
        key = self.merged.key(self.here)
        if self.here not in places:
            first, last = self.merged.key(places[0]), self.merged.key(places[-1])
            return first <= key <= last
        at = places.index(self.here)
        rows_below = sum(len(rows) for _, rows in blocks[at:])
        used = sum(len(rows) for _, rows in blocks[:at])
        room = self.height - used - min(len(blocks[at][1]), 2)
        is_low = rows_below <= ROWS_AROUND and room < ROWS_AROUND
        return room >= 0 and not (is_low and self.merged.next(self.here) is not None)

    def _to_full(self, blocks: list[_Block]) -> list[_Block]:
        """Go back as far as rows at the end of the window would stay empty."""
        used = sum(len(rows) for _, rows in blocks)
        if used >= self.height:
            return blocks
        first = blocks[0][0] if blocks else self.here
        room = self.height - used
        before = self._filled(self._block_of(self.merged.before(first)), room, is_cut=False)
        return [*before[::-1], *blocks]

    def _from(self, top: Cursor) -> Iterator[_Block]:
        places: Iterable[Cursor] = self.merged.after(top)
        if top in self.merged:
            places = chain([top], places)
        return self._block_of(places)

    def _block_of(self, places: Iterable[Cursor]) -> Iterator[_Block]:
        return ((place, self._rows_of(place)) for place in places)

    @staticmethod
    def _filled(blocks: Iterator[_Block], room: int, *, is_cut: bool = True) -> list[_Block]:
        """Blocks as long as there is room; the last one may be cut off."""
        kept: list[_Block] = []
        for place, rows in blocks:
            if not is_cut and len(rows) > room:
                break
            kept.append((place, rows))
            room -= len(rows)
            if room <= 0:
                break
        return kept if room > -1 or is_cut else kept[:-1]

    def _rows_of(self, place: Cursor) -> list[LogRow]:
        """The rows of a transition: gaps before it, itself, its lines."""
        track, number = place.track, place.number
        entry, lines = entry_and_lines(track, number, self.level, self.options.width)
        name = clean_name(track.key)
        is_current = place == self.here
        texts = [gap_text(gap, is_live=track.is_live) for gap in track.gaps_after(number - 1)]
        texts += [text for _, text in notes_between(track, number - 1, number)]
        row = LogRow(
            RowKind.ENTRY,
            number,
            entry,
            time_ns=entry.time_ns,
            is_current=is_current,
            mark="b" if place in self.bookmarked else "",
            machine=name,
            cause=self._cause_of(place),
            place=place,
        )
        below = (LogRow(RowKind.LINE, number, parts=parts, place=place) for parts in lines)
        return [*self._gap_rows(place, texts), row, *below, *self._trailing_rows(place)]

    def _trailing_rows(self, place: Cursor) -> Iterator[LogRow]:
        """What stands below the last transition of a machine: gaps, and how it ended."""
        track = place.track
        if place.number < track.count:
            return iter(())
        texts = [gap_text(gap, is_live=track.is_live) for gap in track.gaps_after(place.number)]
        texts += [text for _, text in notes_between(track, place.number, track.count + 1)]
        return self._gap_rows(place, [*texts, *filter(None, [end_text(track)])])

    @staticmethod
    def _gap_rows(place: Cursor, texts: Iterable[str]) -> Iterator[LogRow]:
        name = clean_name(place.track.key)
        return (
            LogRow(RowKind.GAP, place.number, text=f"{name}: {text}", place=place) for text in texts
        )

    def _source_of(self, place: Cursor) -> Cursor | None:
        """The transition that requested one, if it is recorded."""
        if place not in self._sources:
            chunk = place.track.chunk_of(place.number)
            source = chunk.source(place.number - chunk.first)
            found = self.store.source_of(place.track, source) if source else None
            self._sources[place] = Cursor(*found) if found else None
        return self._sources[place]

    def _cause_of(self, place: Cursor) -> str:
        """The transition of another machine that requested one: `pool/203`."""
        source = self._source_of(place)
        if source is None or source.track is place.track:
            return ""
        return f"{clean_name(source.track.key)}/{source.number}"

    def marked(self, rows: list[LogRow]) -> Iterator[LogRow]:
        """The rows, with marks at the cause of the current one and at its effects."""
        is_start = self.here.number < self.here.track.first
        cause = None if is_start else self._source_of(self.here)
        for row in rows:
            if row.kind is not RowKind.ENTRY or row.mark or row.place is None:
                yield row
            elif row.place == cause:
                yield replace(row, mark=CAUSE_MARK)
            elif self._source_of(row.place) == self.here:
                yield replace(row, mark=EFFECT_MARK)
            else:
                yield row


def _with_seconds(blocks: list[_Block]) -> list[LogRow]:
    """The rows with a heading for each second."""
    rows: list[LogRow] = []
    before = -1
    for place, part in blocks:
        second = place.track.time_at(place.number) // SECOND
        if second != before:
            rows.append(LogRow(RowKind.SECOND, place.number, time_ns=second * SECOND))
        rows += part
        before = second
    return rows
