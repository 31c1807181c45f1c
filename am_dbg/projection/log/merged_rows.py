"""The rows of a transition in the log of all machines: gaps, itself, log lines, how it ended.

Each row names its machine, and the transition of another machine that requested it. Rows that
are near are marked: the one that requested the row of the cursor, and those that it requested.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from am_dbg.projection.clean import clean_name
from am_dbg.projection.log.ends import end_text
from am_dbg.projection.log.gaps import gap_text
from am_dbg.projection.log.lines import LATER_TITLE, later_lines
from am_dbg.projection.log.window import LogOptions, LogRow, RowKind, entry_and_lines
from am_dbg.projection.log.wrapping import wrapped
from am_dbg.projection.note_texts import notes_between
from am_dbg.projection.times import SECOND
from am_dbg.query.cursor import Cursor
from am_dbg.store import Store

CAUSE_MARK, EFFECT_MARK = "╭", "╰"
"""Mark the row that requested the one of the cursor, and the rows that it requested."""


class MergedRows:
    """Makes the rows of transitions; `here` is the one of the cursor."""

    def __init__(
        self,
        store: Store,
        here: Cursor,
        level: int,
        options: LogOptions,
        bookmarked: Collection[Cursor] = (),
    ) -> None:
        self.here = here
        self.level = level
        self.options = options
        self._store = store
        self._bookmarked = bookmarked
        self._sources: dict[Cursor, Cursor | None] = {}

    def of(self, place: Cursor, second_before: int | None) -> list[LogRow]:
        """The rows of a transition, with a heading if a second begins with it."""
        heading = self._heading(place, second_before)
        texts = self._gaps_after(place, place.number - 1, place.number)
        return [
            *heading,
            *self._gap_rows(place, texts),
            *self._own(place),
            *self._trailing_rows(place),
        ]

    def _heading(self, place: Cursor, second_before: int | None) -> Iterator[LogRow]:
        second = second_of(place)
        if self.options.seconds and second != second_before:
            yield LogRow(RowKind.SECOND, place.number, time_ns=second * SECOND, place=place)

    def _own(self, place: Cursor) -> Iterator[LogRow]:
        """The row of a transition and its log lines."""
        track, number = place.track, place.number
        entry, lines = entry_and_lines(track, number, self.level, self.options.width)
        yield LogRow(
            RowKind.ENTRY,
            number,
            entry,
            time_ns=entry.time_ns,
            is_current=place == self.here,
            mark="b" if place in self._bookmarked else "",
            machine=clean_name(track.key),
            cause=self._cause_of(place),
            place=place,
        )
        for parts in lines:
            yield LogRow(RowKind.LINE, number, parts=parts, place=place)

    def _trailing_rows(self, place: Cursor) -> Iterator[LogRow]:
        """What stands below the last transition of a machine: gaps, lines since then, its end."""
        track = place.track
        if place.number < track.count:
            return
        yield from self._gap_rows(place, self._gaps_after(place, place.number, track.count + 1))
        if parts := later_lines(track.later, self.level):
            yield from self._gap_rows(place, [LATER_TITLE])
            rows = wrapped(parts, self.options.width) if self.options.width else parts
            for one in rows:
                yield LogRow(RowKind.LINE, place.number, parts=one, place=place)
        yield from self._gap_rows(place, filter(None, [end_text(track)]))

    @staticmethod
    def _gaps_after(place: Cursor, number: int, before: int) -> list[str]:
        track = place.track
        gaps = [gap_text(gap, is_live=track.is_live) for gap in track.gaps_after(number)]
        return [*gaps, *(text for _, text in notes_between(track, number, before))]

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
            found = self._store.source_of(place.track, source) if source else None
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


def second_of(place: Cursor) -> int:
    """The second in which a transition was recorded."""
    return place.track.time_at(place.number) // SECOND
