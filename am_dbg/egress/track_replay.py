"""Replays the history of a track into another stream, in portions.

An export replays a track once, from beginning to end. A debugger that forwards, or that records
while it listens, replays what is new again and again. In both cases the reader of the stream gets
the same numbers, clocks and gaps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from am_dbg.store import Gap, GapKind, Track
from am_dbg.store.chunk import Chunk
from am_dbg.store.notes import RefusalNote, Trouble
from am_dbg.store.values import TrackSnapshot
from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire.messages import StateDef
from amtracer.wire.vocabulary import TroubleKind

States = tuple[StateDef, ...]

_ROWS_END = 2**63
"""After every row: a note can be about a transition that has not come yet."""


class TrackReplay:
    """Replays one track into a stream, from transition `first` on.

    It begins with the clock before that transition. With `goes_on` the reader has received
    everything before it. An id that follows no rule is written only if `keeps_id` returns True
    for it.

    While a track has no new transition, gaps can be added, merged and removed. So this class
    records what was sent, and sends the difference. `sent` counts messages other than
    transitions; `has_left` is whether the last message reported the end of the program,
    `is_gone` whether it reported that the machine was disposed.
    """

    def __init__(
        self,
        writer: StreamWriter,
        track: Track,
        first: int,
        keeps_id: Callable[[str], bool] = bool,
        *,
        goes_on: bool = False,
    ) -> None:
        self.track = track
        self.next = first
        self.sent = 0
        self.has_left = False
        self.is_gone = False
        self._writer = writer
        self._keeps_id = keeps_id
        self._lines_sent = 0
        self._reports_sent = 0
        self._skips_damaged = False
        """Whether damaged transitions were left out and no gap was sent for them yet."""
        entrance = self._entrance(goes_on)
        self._row = entrance.row
        self._states = entrance.states
        self._ticks: tuple[int, ...] | None = entrance.ticks
        self._gaps = entrance.gaps
        self._machine = self._enter(entrance)
        self._row_first = entrance.row
        self._noted: set[RefusalNote | Trouble] = set()
        self._notes_seen = 0
        self.sent += 1

    def replay_to(self, last: int) -> Iterator[int]:
        """Replay up to this number; yield the number of transitions after each portion."""
        self._send_notes(last)
        before: Chunk | None = None
        for chunk in list(self.track.chunks):
            low, high = max(self.next, chunk.first), min(last, chunk.last)
            if low <= high:
                is_whole = self._can_replay(chunk)
                if low > self.next or low == chunk.first:
                    self._send_gaps_before(low, chunk, before)
                if is_whole:
                    yield from self._replay_rows(chunk, low, high)
                else:
                    yield from self._skip_damaged(low, high)
            before = chunk

    def _send_notes(self, last: int) -> None:
        """Send the notes about transitions up to this number.

        They are sent before the transitions, so that a reader that shows these has all notes.
        Mutations that were refused before the first transition are reported with it.
        """
        track, notes = self.track, self.track.notes
        if notes.total == self._notes_seen or self.is_gone:
            return
        is_all = last >= track.count
        if is_all:
            self._notes_seen = notes.total
        rows_end = _ROWS_END if is_all else track.row_at(max(last, track.first)) + 1
        earlier = 0
        for note in notes.all():
            if note in self._noted or not self._row_first <= note.row < rows_end:
                if isinstance(note, RefusalNote) and note.row < self._row_first:
                    earlier = max(earlier, note.count)
                continue
            self._send_note(note)
        if earlier and RefusalNote(self._row_first, earlier) not in self._noted:
            self._send_note(RefusalNote(self._row_first, earlier))

    def _send_note(self, note: RefusalNote | Trouble) -> None:
        self._noted.add(note)
        self.sent += 1
        if isinstance(note, RefusalNote):
            self._writer.refused(self._machine, note.row, note.count)
            return
        what = TroubleKind.LATE if note.is_late else TroubleKind.RAISED
        self._writer.trouble(
            self._machine,
            note.row,
            what,
            note.handler,
            note.place,
            note.duration_ns,
            max(0, note.step),
        )

    def finish(self) -> None:
        """Send what came after the last transition; nothing follows."""
        snapshot = self.track.snapshot
        if snapshot.number == self.next - 1:
            self._send_snapshot(snapshot)
        self._send_rest()
        if self.track.gone:
            self._writer.gone(self._machine)

    def catch_up(self) -> None:
        """Send what came after the last transition of a track that can continue.

        The end of its program is sent too. If the history was cut, that is the reason of the end.
        """
        snapshot = self.track.snapshot
        gaps, reason = snapshot.gaps, ""
        is_all_trimmed = self.next <= snapshot.number < self.track.first
        if not self.is_gone and snapshot.number != self.next - 1:
            self._send_rest()
        if self.is_gone or not (is_all_trimmed or snapshot.number == self.next - 1):
            return
        if snapshot.ended and gaps and gaps[-1].kind is GapKind.CUT:
            gaps, reason = gaps[:-1], gaps[-1].reason
        if is_all_trimmed:
            self.next, self._ticks, self._gaps, gaps = snapshot.number + 1, None, (), ()
        self._send_snapshot(replace(snapshot, gaps=gaps))
        self._send_rest()
        if snapshot.gone:
            self._writer.gone(self._machine)
            self.is_gone = True
            self.sent += 1
        elif snapshot.ended and not self.has_left:
            self.leave(reason)
        elif self.has_left and not snapshot.ended:
            self._drop(0, snapshot.ticks, "reconnected", GapKind.RECONNECTED)

    def leave(self, reason: str = "") -> None:
        """Send that its program ended, or was lost for a reason."""
        self._writer.left(self._machine, reason)
        self.has_left = True
        self.sent += 1

    def _entrance(self, goes_on: bool) -> TrackSnapshot:
        """The state of the machine where it enters the stream."""
        track, first = self.track, self.next
        snapshot, count = track.snapshot, track.count
        if first == 1 and not goes_on:
            return TrackSnapshot(0, (), track.schema_at(0), track.clock_at(0), track.row_start)
        if first <= count:
            ticks, row = track.clock_before(first), track.row_at(first)
            gaps = track.gaps_after(first - 1)
            return TrackSnapshot(first - 1, gaps, track.schema_at(first), ticks, row)
        if snapshot.number == count:
            return snapshot
        return TrackSnapshot(count, (), track.states, track.ticks, track.row_next)

    def _enter(self, entrance: TrackSnapshot) -> int:
        """Define the machine and return its number in the stream."""
        return self._writer.machine(
            self.track.id,
            self._writer.schema(entrance.states),
            parent=self.track.parent,
            tags=self.track.tags,
            ticks=entrance.ticks,
            row=entrance.row,
            tx_prefix=self.track.identity.tx_prefix,
            unit_ns=self.track.identity.unit_ns,
            program=self.track.identity.program,
            process=self.track.identity.process,
            pid=self.track.identity.pid,
            path_hash=self.track.identity.path_hash,
        )

    def _replay_rows(self, chunk: Chunk, low: int, high: int) -> Iterator[int]:
        self._row = chunk.row_first + high - chunk.first + 1
        self._ticks, self._gaps, self.has_left = None, (), False
        self._lines_sent = 0
        reports = self.track.open.beyond(self._reports_sent)
        stops = {report.number for report in reports if low - 1 <= report.number < high}
        yield from self._replay_chunk(chunk, low, high, sorted(stops | {high}))

    def _can_replay(self, chunk: Chunk) -> bool:
        """Whether the rows of a chunk are there."""
        return chunk.can_be_read()

    def _skip_damaged(self, low: int, high: int) -> Iterator[int]:
        """Leave transitions out; what follows is sent after a gap of them."""
        self.next = high + 1
        self._skips_damaged = True
        self._lines_sent = 0
        yield high - low + 1

    def _replay_chunk(
        self, chunk: Chunk, low: int, high: int, stops: Sequence[int]
    ) -> Iterator[int]:
        """Send rows, and after each of `stops` the open work there."""
        for stop in stops:
            yield from self._replay_run(chunk, low, stop)
            self._send_open_work(stop)
            low = stop + 1

    def _send_open_work(self, number: int) -> None:
        """Send the open work after a transition, if it was not sent yet."""
        reports = self.track.open.beyond(self._reports_sent)
        due = [report for report in reports if report.number <= number]
        if due:
            self._reports_sent = self.track.open.total - (len(reports) - len(due))
            self._writer.open_work(self._machine, due[-1].work, due[-1].more)
            self.sent += 1

    def _send_rest(self) -> None:
        """Send open work and later lines, once all transitions are sent."""
        later, last = self.track.later, self.next - 1
        if self.track.count != last:
            return
        self._send_open_work(last)
        if later.total > self._lines_sent:
            new = later.lines[max(0, self._lines_sent - later.missing) :]
            missing = max(0, later.missing - self._lines_sent)
            self._writer.later_lines(self._machine, new, missing)
            self._lines_sent = later.total
            self.sent += 1

    def _replay_run(self, chunk: Chunk, low: int, high: int) -> Iterator[int]:
        for row in chunk.replay(low - chunk.first, high - chunk.first + 1):
            own_id = row[-2] if self._keeps_id(row[-2]) else ""
            self._writer.record(self._machine, *row[:-2], own_id, row[-1])
            self.next += 1
            yield 1

    def _send_gaps_before(self, number: int, chunk: Chunk, before: Chunk | None) -> None:
        """Send the gaps before a transition, also one for transitions that were trimmed unsent."""
        gaps: tuple[Gap, ...] = ()
        if number == self.next:
            gaps = self.track.gaps_after(number - 1)
            if chunk.is_damaged and number == chunk.first:
                gaps = gaps[:-1]
            if self._ticks is None and before is not None and before.last == number - 1:
                self._ticks = before.clock_after(before.rows)
        at = number - chunk.first
        states, row = chunk.schema.states, chunk.row_first + at
        self._send_snapshot(TrackSnapshot(number - 1, gaps, states, chunk.clock_after(at), row))
        self.next = number

    def _send_snapshot(self, snapshot: TrackSnapshot) -> None:
        """Send the state between two transitions, as far as it was not sent yet."""
        if self._ticks is None:
            self._ticks = self._clock_after_last()
        known, self._gaps = self._gaps, snapshot.gaps
        for at, gap in enumerate(snapshot.gaps):
            before = known[at] if at < len(known) and known[at].kind is gap.kind else None
            if gap != before and gap.kind not in _NOT_SENT:
                self._send_gap(gap, before.lost if before else 0, snapshot)
        missing = max(0, snapshot.row - self._row)
        last = snapshot.gaps[-1] if snapshot.gaps else None
        is_schema_last = last is not None and last.kind is GapKind.SCHEMA
        if snapshot.states != self._states or (is_schema_last and snapshot.ticks != self._ticks):
            self._change_schema(snapshot)
        if missing or snapshot.ticks != self._ticks:
            why = ("damaged", GapKind.DAMAGED) if self._skips_damaged else _why_moved(last)
            self._drop(missing, snapshot.ticks, *why)
        self._skips_damaged = False

    def _send_gap(self, gap: Gap, lost_before: int, snapshot: TrackSnapshot) -> None:
        """Send a gap with the clock after it, if that clock is known.

        Of several gaps at one place only the last clock is known. A gap before a change of the
        schema gets the clock before all of them.
        """
        if gap.kind is GapKind.SCHEMA:
            self._change_schema(snapshot)
            return
        ticks = snapshot.ticks if snapshot.states == self._states else self._ticks
        if ticks is not None:
            self._drop(max(0, gap.lost - lost_before), ticks, gap.reason, gap.kind)

    def _clock_after_last(self) -> tuple[int, ...] | None:
        """The clock after the last sent transition, None if the store no longer holds it."""
        number = self.next - 1
        try:
            return self.track.clock_at(number) if number >= self.track.first else None
        except IndexError:  # trimmed meanwhile
            return None

    def _drop(self, count: int, ticks: tuple[int, ...], reason: str, kind: GapKind) -> None:
        self._writer.dropped(self._machine, count, ticks, reason, kind)
        self._row += count
        self._ticks, self.has_left = ticks, False
        self.sent += 1

    def _change_schema(self, snapshot: TrackSnapshot) -> None:
        number = self._writer.schema(snapshot.states)
        self._writer.schema_changed(self._machine, number, snapshot.ticks)
        self._states, self._ticks, self.has_left = snapshot.states, snapshot.ticks, False
        self.sent += 1


_NOT_SENT = (GapKind.LATE, GapKind.TRIMMED)
"""Kinds that the reader finds by itself, by the row with which the machine continues."""


def _why_moved(last: Gap | None) -> tuple[str, GapKind]:
    """The reason and kind of a gap, if clock or row changed without a new gap in the track."""
    if last and last.kind in (GapKind.DROPPED, GapKind.RECONNECTED):
        return last.reason, last.kind
    return "trimmed", GapKind.DROPPED
