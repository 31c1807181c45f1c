"""Tells the history of a track again, to a stream of its own, bit by bit.

An export tells it once and whole; a debugger that forwards, or that records while it
listens, tells what is new every now and then. Either way the reader of the stream gets the
same numbers, clocks and breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from weakref import WeakKeyDictionary, WeakSet

from am_dbg.store import Gap, GapKind, Store, Track
from am_dbg.store.values import reason_of_gap
from amtracer.interning import StreamWriter
from amtracer.schema import StateDef

__all__ = ["News", "Retelling"]

States = tuple[StateDef, ...]


class Retelling:
    """One track on its way into a stream, from transition `first` on.

    It begins with the clock before that transition. An id that does not follow the rule
    of transition ids is told if `keeps_id` says so.
    """

    def __init__(
        self,
        writer: StreamWriter,
        track: Track,
        first: int,
        keeps_id: Callable[[str], bool] = bool,
    ) -> None:
        self.track = track
        self.next = first
        self._writer = writer
        self._first = first
        self._keeps_id = keeps_id
        self._row = 0
        self._schema: States = ()
        self._machine = self._enter()

    def tell(self, last: int) -> Iterator[None]:
        """Tell up to this number, with a step for each transition."""
        for chunk in list(self.track.chunks):
            low, high = max(self.next, chunk.first), min(last, chunk.last)
            if low > high:
                continue
            if low > self.next:
                self._tell_hole(low)
            elif low == chunk.first and (low > self._first or low == 1):
                self._tell_gaps(low - 1)
            self._row = chunk.row_first + high - chunk.first + 1
            for row in chunk.replay(low - chunk.first, high - chunk.first + 1):
                own_id = row[-1] if self._keeps_id(row[-1]) else ""
                self._writer.record(self._machine, *row[:-1], own_id)
                self.next += 1
                yield

    def finish(self) -> None:
        """Tell what came after the last transition."""
        if self.next > self._first or self._first == 1:
            self._tell_gaps(self.track.count)
        if self.track.gone:
            self._writer.gone(self._machine)

    def _enter(self) -> int:
        """The number of the machine in the stream, as it stands before its first transition."""
        track, first = self.track, self._first
        if first == 1:
            schema, ticks, row = track.schema_at(0), track.clock_at(0), track.row_start
        elif first <= track.count:
            schema, ticks = track.schema_at(first), track.clock_before(first)
            row = track.row_at(first)
        else:
            schema, ticks, row = track.states, track.ticks, track.row_next
        self._row, self._schema = row, schema
        return self._writer.machine(
            track.id,
            self._writer.schema(schema),
            parent=track.parent,
            tags=track.tags,
            ticks=ticks,
            row=row,
            tx_prefix=track.origin.tx_prefix,
            unit_ns=track.origin.unit_ns,
        )

    def _tell_hole(self, number: int) -> None:
        """What was to be told next was trimmed before it could be; go on from this number."""
        track, ticks = self.track, self.track.clock_before(number)
        if track.schema_at(number) != self._schema:
            self._change_schema(track.schema_at(number), ticks)
        self._writer.dropped(self._machine, track.row_at(number) - self._row, ticks, "trimmed")
        self.next = number

    def _tell_gaps(self, number: int) -> None:
        for gap in list(self.track.gaps):
            if gap.after_number == number and gap.kind is not GapKind.LATE:
                self._tell_gap(gap)

    def _tell_gap(self, gap: Gap) -> None:
        """Tell a break with the clock that comes after it, as far as that is known.

        Of several breaks at one place only the last clock is known; before the schema
        changed to that of this clock, the clock stands where it was.
        """
        track, number = self.track, gap.after_number + 1
        is_last = number > track.count
        schema = track.states if is_last else track.schema_at(number)
        ticks = track.ticks if is_last else track.clock_before(number)
        if gap.kind is GapKind.SCHEMA:
            self._change_schema(schema, ticks)
            return
        if schema != self._schema:
            ticks = track.clock_at(gap.after_number)
        self._writer.dropped(self._machine, max(0, gap.lost), ticks, reason_of_gap(gap))

    def _change_schema(self, schema: States, ticks: tuple[int, ...]) -> None:
        self._writer.schema_changed(self._machine, self._writer.schema(schema), ticks)
        self._schema = schema


class News:
    """What came from live programs and was not told yet.

    Streams may follow one another: machines go on in the next one where they were. One
    thread at a time.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._told: WeakKeyDictionary[Track, int] = WeakKeyDictionary()
        self._finished: WeakSet[Track] = WeakSet()
        self._telling: dict[Track, Retelling] = {}
        self._writer: StreamWriter | None = None

    def begin(self, writer: StreamWriter) -> None:
        """Go on in this stream."""
        self._telling = {}
        self._writer = writer

    def tell(self, rows_max: int) -> bool:
        """Write what is new, about so many transitions of it; whether there was any."""
        writer = self._writer
        assert writer is not None  # a stream was begun
        rows = 0
        for track in self._live_tracks():
            if track in self._finished:
                continue
            retelling = self._telling.get(track)
            if retelling is None:
                first = max(self._told.get(track, 0) + 1, track.first)
                retelling = self._telling[track] = Retelling(writer, track, first)
            is_gone, last = track.gone, track.count
            if retelling.next > last and not is_gone:
                continue
            start = max(retelling.next, track.first)
            for _ in retelling.tell(min(last, start + rows_max - 1)):
                rows += 1
            self._told[track] = retelling.next - 1
            if is_gone and retelling.next > last:
                retelling.finish()
                self._finished.add(track)
            if rows >= rows_max:
                break
        writer.flush()
        return rows > 0

    def _live_tracks(self) -> Iterator[Track]:
        streams = self._store.streams
        return (track for track in list(self._store.tracks) if streams[track.stream].live)
