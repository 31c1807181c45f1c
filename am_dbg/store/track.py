"""The track of one machine: it takes in what the stream sends, and frees old transitions.

One thread writes, any thread reads (see `am_dbg.store.track_reader`).

`weigh` returns by how much the memory of the track grew. The track counts each change when it
makes it, so `weigh` is fast.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import count
from operator import is_not

from am_dbg.store.batch_rows import BatchRows
from am_dbg.store.chunk import CHUNK_LIMITS, Chunk, ChunkIndex, ChunkLimits
from am_dbg.store.chunk_columns import ColumnLoader, Piece
from am_dbg.store.clock_check import ClockCheck
from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.facts import IndexedSchema
from am_dbg.store.later_lines import NO_LINES
from am_dbg.store.open_work import OpenWorkReport, OpenWorkReports
from am_dbg.store.packed.heads import ChunkHead
from am_dbg.store.track_reader import TrackReader
from am_dbg.store.values import Gap, LogLine, MachineIdentity, TrackSnapshot
from am_dbg.store.weights import TRACK_BYTES, texts_bytes, ticks_bytes
from amtracer.errors import WireError
from amtracer.wire.messages import OpenWorkItem
from amtracer.wire.vocabulary import GapKind

_moments = count()
_NEVER = 2**63

UNWEIGHED_ROWS_MAX = 8
"""The most plain rows whose memory is not counted yet: counting takes longer than adding a row."""


class Track(TrackReader):
    """The history of one machine, which grows; only the thread of the store writes.

    `stream` is the stream that feeds it now, `connected` whether that one is live and open,
    `ended` whether its stream or its program ended, `gone` whether the machine was disposed,
    `removed` whether the store dropped it. `snapshot` is its state at the last gap or end,
    `later` the log lines after the last transition, `open` the reports of open work, `check`
    the row and the clock that the next transitions must fit. `version`
    grows with every change. `entered_at` and `left_at` order the beginnings and ends of all
    tracks; `is_live` is whether it came from a connected program.
    """

    __slots__ = (
        "_clock_bytes",
        "_sealed_bytes",
        "_text_bytes",
        "_weighed",
        "arrival",
        "changed_at",
        "check",
        "connected",
        "ended",
        "entered_at",
        "gone",
        "is_live",
        "later",
        "left_at",
        "open",
        "removed",
        "row_start",
        "snapshot",
        "stream",
        "version",
        "weight",
    )

    def __init__(
        self,
        key: str,
        identity: MachineIdentity,
        stream: int,
        schema: IndexedSchema,
        ticks: tuple[int, ...],
        row: int = 0,
        limits: ChunkLimits = CHUNK_LIMITS,
    ) -> None:
        super().__init__(key, identity, schema, ticks, row, limits)
        self.stream = stream
        self.connected = self.is_live = False
        self.ended = self.gone = self.removed = False
        self.entered_at = next(_moments)
        self.left_at = _NEVER
        self.later = NO_LINES
        self.open = OpenWorkReports()
        self.version = 0
        self.row_start = row
        if row:
            self._gaps.add(Gap(0, row, "recorded from here on", GapKind.LATE))
        self._sealed_bytes = 0
        self.check = ClockCheck(ticks, row)
        self._text_bytes = texts_bytes(
            (
                key,
                identity.id,
                identity.parent,
                identity.tx_prefix,
                identity.program,
                identity.process,
                identity.pid,
                identity.path_hash,
                *identity.tags,
            )
        )
        self._clock_bytes: tuple[tuple[tuple[int, ...], ...], int] = (((), (), ()), 0)
        self._weighed: tuple[Chunk | None, int] = (None, 0)
        self.weight = 0
        self.changed_at = 0
        self.arrival = 0
        self._publish()

    def append(self, batch: BatchRows, start: int, end: int, dictionary: SegmentDictionary) -> None:
        """Add the rows of a batch from `start` up to `end`; `check` has them already."""
        row = self.row_next
        self.later = NO_LINES
        step = self._limits.piece_rows
        for low in range(start, start if self.removed else end, step):
            high = min(low + step, end)
            chunk = self._chunk_for(dictionary, row + low - start, batch.times[low])
            chunk.extend(Piece(batch, low, high))
            self.count += high - low
        self.row_next = row + end - start
        self.version += 1

    def adopt(self, head: ChunkHead, dictionary: SegmentDictionary, loader: ColumnLoader) -> None:
        """Add a complete chunk of which only the head is in memory.

        Rows that are missing before it were damaged. WireError if it does not follow what is there.
        """
        if head.first_row < self.row_next:
            raise WireError(f"rows of {self.key!r} that do not follow the rows before")
        missing = head.first_row - self.row_next
        if missing or head.ticks != self.ticks:
            self.skip_lost(missing, head.ticks, "damaged", GapKind.DAMAGED)
        chunk = Chunk.loaded(
            self.count + 1, head, dictionary, self.schema, self.identity.unit_ns, loader
        )
        dictionary.holders.add(self)
        self.later = NO_LINES
        self._index.chunks.append(chunk)
        self._index.firsts.append(chunk.first)
        self._sealed_bytes += chunk.size()
        self._base = (chunk.schema, chunk.ticks_end)
        self.count += head.rows
        self.row_next = self.check.row = head.first_row + head.rows
        self.version += 1

    def adopt_next(
        self, head: ChunkHead, dictionary: SegmentDictionary, loader: ColumnLoader
    ) -> None:
        """Add a complete chunk that begins where the machine is; see `check_next`."""
        self._end_chunk(self.schema)
        if self.removed:
            self.row_next = head.first_row + head.rows
            self.version += 1
        else:
            self.adopt(head, dictionary, loader)
        self.check.row = self.row_next
        self.check.start_at(head.ticks_end)

    def check_next(self, head: ChunkHead) -> None:
        """Refuse a chunk that does not begin at the row and the clock of the machine."""
        is_same = self.removed or head.ticks == self.ticks
        active = ClockCheck(head.ticks, head.first_row).active
        if head.first_row != self.row_next or not is_same or active != self.check.active:
            raise WireError(f"rows of {self.key!r} that do not follow the rows before")

    def skip_lost(self, count: int, ticks: tuple[int, ...], reason: str, kind: GapKind) -> None:
        """Continue after lost transitions, from these ticks."""
        self.row_next += count
        self.check.row = self.row_next
        if count:
            self.later = NO_LINES
        self._end_chunk(self.schema, ticks)
        lost = -1 if kind is GapKind.CUT else count
        self._add_gap(Gap(self.count, lost, reason or kind.name.lower(), kind))
        self._publish()

    def change_schema(self, schema: IndexedSchema, ticks: tuple[int, ...]) -> None:
        """Continue with another schema; what was received keeps the old one."""
        self._end_chunk(schema, ticks)
        self._add_gap(Gap(self.count, 0, "schema changed", GapKind.SCHEMA))
        self._publish()

    def resume(
        self,
        stream: int,
        schema: IndexedSchema,
        ticks: tuple[int, ...],
        row: int,
        *,
        live: bool = True,
    ) -> None:
        """Continue in another stream; only a file can continue without a gap."""
        self.stream = stream
        self.later = NO_LINES
        is_same = schema.states == self.states
        goes_on = not live and is_same and ticks == self.ticks
        self._end_chunk(schema, ticks)
        lost, self.row_next = row - self.row_next, row
        self.check.row = row
        self.reopen(live=live)
        if lost or not goes_on:
            self._add_gap(Gap(self.count, lost, "reconnected", GapKind.RECONNECTED))
        if not is_same:
            self._add_gap(Gap(self.count, 0, "schema changed", GapKind.SCHEMA))
        self._publish()

    def reopen(self, live: bool) -> None:
        """Continue after an end: nothing was lost, or a gap that reports the loss follows."""
        if not self.ended:
            return
        self.ended = False
        self.left_at = _NEVER
        self.connected = live
        self._gaps.remove_cut(self.count)

    def close(self, reason: str) -> None:
        """Record that its stream or program ended; with a reason, it ended too early."""
        self.connected = False
        self.ended = True
        self.left_at = next(_moments)
        self._end_chunk(self.schema)
        if reason and not self.gone:
            self._add_gap(Gap(self.count, -1, reason, GapKind.CUT))
        self._publish()

    def notes_changed(self) -> None:
        """Record that the notes changed."""
        self.version += 1

    def add_lines(self, lines: Sequence[LogLine], missing: int) -> None:
        """Add log lines that the machine wrote after its last transition."""
        if not self.removed:
            self.later = self.later.extended(lines, missing)
        self.version += 1

    def add_open_work(
        self, work: tuple[OpenWorkItem, ...], more: int, number: int | None = None
    ) -> None:
        """Add a report of open work, which holds from now on, or after an earlier transition."""
        if not self.removed:
            after = self.count if number is None else number
            self.open.add(OpenWorkReport(after, work, more))
        self.version += 1

    def dispose(self) -> None:
        """Record that the machine was disposed."""
        newest = self.open.newest
        if newest is not None and newest.work:
            self.add_open_work((), 0)
        self.gone = True
        self.connected = False
        self._publish()

    def sealed_in_memory(self) -> list[Chunk]:
        """The complete chunks whose columns no loader gives."""
        return [chunk for chunk in self._index.chunks if chunk.is_sealed and not chunk.is_loaded]

    def end_chunk_of(self, dictionary: SegmentDictionary) -> None:
        """End the chunk that grew if it belongs to a segment that ended."""
        if self._open is not None and self._open.dictionary is dictionary:
            self._end_chunk(self.schema)

    def end_grown_chunk(self, rows: int) -> bool:
        """End the chunk that grows if it has so many rows; return whether it did."""
        is_grown = self._open is not None and self._open.rows >= rows
        if is_grown:
            self._end_chunk(self.schema)
        return is_grown

    def load_chunk_from(self, chunk: Chunk, loader: ColumnLoader) -> None:
        """Let go of the columns of a complete chunk: from now on a loader gives them."""
        before = chunk.size()
        chunk.load_from(loader)
        self._sealed_bytes += chunk.size() - before

    def damage_chunks(
        self, dictionary: SegmentDictionary, is_damaged: Callable[[Chunk], bool]
    ) -> list[Chunk]:
        """Make some of the chunks that use a dictionary damaged: a gap says how many rows.

        The transitions keep their numbers, and have nothing else. Returns these chunks.
        """
        users = [one for one in self._index.chunks if one.dictionary is dictionary]
        damaged = [one for one in users if not one.is_damaged and is_damaged(one)]
        for one in damaged:
            before = one.size()
            one.be_damaged()
            self._sealed_bytes += one.size() - before
            self._gaps.insert(Gap(one.first - 1, one.rows, "damaged", GapKind.DAMAGED))
        self._clock_cache = None
        self.damaged += len(damaged)
        if not any(one.dictionary is dictionary for one in self._index.chunks):
            dictionary.holders.discard(self)
        self._publish()
        return damaged

    def trim(self, dictionary: SegmentDictionary) -> set[SegmentDictionary]:
        """Drop the oldest chunks, up to the last one that uses this dictionary.

        Returns the dictionaries that the track no longer holds.
        """
        chunks = self._index.chunks
        count = 1 + max(
            (at for at, chunk in enumerate(chunks) if chunk.dictionary is dictionary), default=-1
        )
        if count and count == len(chunks):
            self._end_chunk(self.schema)
        return self._drop_oldest(count)

    def trim_through(self, number: int) -> set[SegmentDictionary]:
        """Drop the oldest chunks, up to the one with this transition, which is complete."""
        return self._drop_oldest(bisect_right(self._index.firsts, number))

    def trim_sealed(self) -> set[SegmentDictionary]:
        """Drop all chunks except the one that still grows."""
        return self._drop_oldest(len(self._index.chunks) - (self._open is not None))

    def _drop_oldest(self, count: int) -> set[SegmentDictionary]:
        """Drop `count` of the oldest chunks."""
        index = self._index
        if not count:
            return set()
        firsts, chunks = index.firsts[count:], index.chunks[count:]
        self.first = firsts[0] if firsts else self.count + 1  # before the chunks, for readers
        self._index = ChunkIndex(firsts, chunks)
        self._sealed_bytes -= sum(chunk.size() for chunk in index.chunks[:count])
        self._gaps.trim(self.first)
        if self.first > self.count:
            self._publish()
        self.version += 1
        return self._release(index.chunks[:count], chunks)

    def stub(self) -> Track:
        """A track that checks messages and keeps nothing; the stream continues with it.

        This track was removed and keeps its history for readers that still use it.
        """
        stub = Track(self.key, self.identity, self.stream, self.schema, self.ticks, self.row_next)
        stub.removed = True
        stub.check.active = self.check.active
        self.connected = False
        self.version += 1
        return stub

    def size(self) -> int:
        """Bytes in memory, about, without the schema and the dictionaries."""
        chunks = self._sealed_bytes + (self._open.size() if self._open else 0)
        snapshot = self.snapshot
        clocks = (self._opening[1], self._base[1], snapshot.ticks)
        known, kept = self._clock_bytes
        if any(map(is_not, known, clocks)):
            kept = sum(map(ticks_bytes, {id(one): one for one in clocks}.values()))
            self._clock_bytes = clocks, kept
        gaps = self._gaps.size + sys.getsizeof(snapshot.gaps)
        rest = self.notes.size + self.later.size + self.open.size
        return TRACK_BYTES + self._text_bytes + kept + chunks + gaps + rest

    @property
    def is_light(self) -> bool:
        """Whether only a few plain rows came since the memory was counted."""
        chunk, count = self._weighed
        return chunk is self._open and self.count - count < UNWEIGHED_ROWS_MAX

    def weigh(self) -> int:
        """By how much the weight has changed since the last call."""
        self._weighed = (self._open, self.count)
        before, self.weight = self.weight, self.size()
        return self.weight - before

    def release(self) -> set[SegmentDictionary]:
        """Release its dictionaries and return them."""
        return self._release(self._index.chunks)

    def _release(
        self, chunks: Sequence[Chunk], kept: Sequence[Chunk] = ()
    ) -> set[SegmentDictionary]:
        dictionaries = {one.dictionary for one in chunks} - {one.dictionary for one in kept}
        for dictionary in dictionaries:
            dictionary.holders.discard(self)
        return dictionaries

    def _chunk_for(self, dictionary: SegmentDictionary, row: int, time_ns: int) -> Chunk:
        chunk = self._open
        if chunk is not None and (
            chunk.is_full(self._limits) or chunk.dictionary is not dictionary
        ):
            self._end_chunk(chunk.schema)
            chunk = None
        if chunk is None:
            schema, ticks = self._base
            prior = self._index.chunks[-1].ticks_end if self._index.chunks else self._opening[1]
            owns_ticks = ticks is not prior
            chunk = Chunk(
                self.count + 1, row, dictionary, schema, ticks, time_ns, owns_ticks=owns_ticks
            )
            dictionary.holders.add(self)
            self._index.chunks.append(chunk)
            self._index.firsts.append(chunk.first)
            self._open = chunk
        return chunk

    def _end_chunk(self, schema: IndexedSchema, ticks: tuple[int, ...] | None = None) -> None:
        """End the chunk; the next rows continue from its clock, or from `ticks`."""
        chunk = self._open
        if chunk is not None:
            chunk.seal()
            self._sealed_bytes += chunk.size()
            self._base = (schema, chunk.ticks_end)
        if ticks is not None:
            self._base = (schema, ticks)
            self.check.start_at(ticks)
        self._open = None
        self.version += 1

    def _publish(self) -> None:
        """Publish a snapshot; the version grows last, because readers wait for it."""
        self.snapshot = TrackSnapshot(
            self.count,
            self.gaps_after(self.count),
            self.states,
            self.ticks,
            self.row_next,
            self.ended,
            self.gone,
        )
        self.version += 1

    def _add_gap(self, gap: Gap) -> None:
        self._gaps.add(gap)
        self.version += 1
