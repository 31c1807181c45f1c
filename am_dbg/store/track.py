"""The track of one machine: its chunks, its gaps, its relation to other machines.

Transitions are numbered by what is held, from 1 without holes, and a number never
changes: trimming raises `first`, it does not renumber. What the machine itself counts,
its rows, has holes where transitions were lost; chunks hold the first row of their run.

One thread writes, any thread reads. `count` is published last, so everything it covers
can be read without a lock. The only thing readers write is a cached clock, one value in
one assignment.

`weigh` returns how much more memory the track takes than before. The track counts each change
as it makes it, so `weigh` walks over nothing.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Sequence
from itertools import count
from operator import is_not

from am_dbg.store.batch_rows import BatchRows
from am_dbg.store.chunk import PIECE_ROWS_MAX, Chunk, ChunkIndex, Piece
from am_dbg.store.clock_check import ClockCheck
from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.facts import IndexedSchema, ShapeFacts
from am_dbg.store.gaps import Gaps
from am_dbg.store.later_lines import NO_LINES
from am_dbg.store.notes import MachineNotes, Trouble
from am_dbg.store.open_work import OpenWorkReport, OpenWorkReports
from am_dbg.store.values import Gap, LogLine, MachineIdentity, TrackSnapshot, TransitionRecord
from am_dbg.store.weights import TRACK_BYTES, texts_bytes, ticks_bytes
from amtracer.errors import WireError
from amtracer.wire.messages import OpenWork, Shape, StateDef
from amtracer.wire.vocabulary import GapKind, join_tx, split_tx

_moments = count()
_NEVER = 2**63

UNWEIGHED_ROWS_MAX = 8
"""Plain rows of a track that may wait to be counted: weighing takes longer than a row."""
WALK_ROWS_MAX = 64
"""How far a cached clock is moved row by row before it is counted again."""


class Track:
    """The history of one machine, numbered from 1; number 0 is before the first transition.

    `key` is the shown name: the id, with `#2` and so on when another stream has the same.
    `stream` is the stream that feeds it now, `connected` whether that is a live one still
    open, `ended` whether its stream or its program ended, `gone` whether the machine was
    disposed. `snapshot` is how it stood at the last break or end. `later` are log lines after
    the last transition, `open` what is open and was. `first` is the oldest number still held,
    `count` the newest, `version` grows with every change. `entered_at` and `left_at` put the
    beginnings and ends of all tracks in order; `is_live` is whether it came from a program
    that was connected.
    """

    __slots__ = (
        "__weakref__",
        "_base",
        "_clock_bytes",
        "_clock_cache",
        "_clock_check",
        "_gaps",
        "_index",
        "_open",
        "_opening",
        "_sealed_bytes",
        "_text_bytes",
        "_weighed",
        "arrival",
        "changed_at",
        "connected",
        "count",
        "ended",
        "entered_at",
        "first",
        "gone",
        "identity",
        "is_live",
        "key",
        "later",
        "left_at",
        "notes",
        "open",
        "removed",
        "row_next",
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
    ) -> None:
        self.key = key
        self.identity = identity
        self.stream = stream
        self.connected = self.is_live = False
        self.ended = self.gone = self.removed = False
        self.entered_at = next(_moments)
        self.left_at = _NEVER
        self.later = NO_LINES
        self.open = OpenWorkReports()
        self.first = 1
        self.count = 0
        self.version = 0
        self.row_start = self.row_next = row
        self.notes = MachineNotes()
        self._index = ChunkIndex()
        self._gaps = Gaps()
        if row:
            self._gaps.add(Gap(0, row, "recorded from here on", GapKind.LATE))
        self._opening = self._base = (schema, ticks)
        self._open: Chunk | None = None
        self._sealed_bytes = 0
        self._clock_check = ClockCheck(ticks)
        self._clock_cache: tuple[Chunk, int, tuple[int, ...]] | None = None
        self._text_bytes = texts_bytes(
            (key, identity.id, identity.parent, identity.tx_prefix, *identity.tags)
        )
        self._clock_bytes: tuple[tuple[tuple[int, ...], ...], int] = (((), (), ()), 0)
        self._weighed: tuple[Chunk | None, int] = (None, 0)
        self.weight = 0
        self.changed_at = 0
        self.arrival = 0
        self._settle()

    @property
    def id(self) -> str:
        return self.identity.id

    @property
    def parent(self) -> str:
        return self.identity.parent

    @property
    def tags(self) -> tuple[str, ...]:
        return self.identity.tags

    def is_of_session(self, other: Track) -> bool:
        """Whether both tracks are of one process, as far as their streams say so."""
        return bool(self.identity.session) and self.identity.session == other.identity.session

    @property
    def gaps(self) -> Sequence[Gap]:
        """Breaks in the history, in order of `after_number`."""
        return self._gaps.all

    def gaps_after(self, number: int) -> tuple[Gap, ...]:
        """The breaks between a transition and the next one."""
        return self._gaps.after(number)

    @property
    def chunks(self) -> Sequence[Chunk]:
        """The chunks in order; the last one may still grow, see `count`."""
        return self._index.chunks

    @property
    def schema(self) -> IndexedSchema:
        """The schema as it is now."""
        chunk = self._open
        return chunk.schema if chunk else self._base[0]

    @property
    def states(self) -> tuple[StateDef, ...]:
        """The states of the schema as it is now, after everything that was received."""
        return self.schema.states

    @property
    def ticks(self) -> tuple[int, ...]:
        """The clock as it is now, by index of `states`."""
        chunk = self._open
        return self._clock(chunk, chunk.rows) if chunk else self._base[1]

    # Reading one transition.

    def schema_at(self, number: int) -> tuple[StateDef, ...]:
        """The schema under which a transition ran; for 0 the first one."""
        return self._schema_at(number).states

    def index_at(self, number: int, name: str) -> int:
        """Index of a state in `schema_at(number)`, -1 when it has none of that name."""
        return self._schema_at(number).index.get(name, -1)

    def clock_at(self, number: int) -> tuple[int, ...]:
        """Ticks after a transition, by index of `schema_at(number)`; for 0 the first ones.

        After trimming, the number before the oldest one held stands for 0.
        """
        if number < self.first:
            return self._before_all(number)[1]
        chunk = self.chunk_of(number)
        return self._clock(chunk, number - chunk.first + 1)

    def clock_before(self, number: int) -> tuple[int, ...]:
        """Ticks before a transition; differs from those after the one before it at a gap."""
        if number < self.first:
            return self._before_all(number)[1]
        chunk = self.chunk_of(number)
        return self._clock(chunk, number - chunk.first)

    def time_sum(self, number: int) -> int:
        """All ticks after a transition together."""
        return sum(self.clock_at(number))

    def shape_at(self, number: int) -> Shape:
        """The shape of a transition: all of it that can repeat."""
        chunk = self.chunk_of(number)
        return chunk.dictionary.shape(chunk.shapes[number - chunk.first])

    def facts_at(self, number: int) -> ShapeFacts:
        """The facts that follow from the shape of a transition."""
        chunk = self.chunk_of(number)
        return chunk.dictionary.facts(chunk.shapes[number - chunk.first])

    def time_at(self, number: int) -> int:
        """Wall time of a transition in nanoseconds.

        For 0 it is when the stream began, or right before the first transition where that
        is not known or was before: a tracer says hello when it finds time to.
        """
        if 0 <= number < self.first:
            started = self.identity.started_ns
            if self.first > self.count:
                return started
            before = self.time_at(self.first) - 1
            return min(started, before) if started else before
        chunk = self.chunk_of(number)
        return chunk.time(number - chunk.first)

    def transition(self, number: int) -> TransitionRecord:
        """The whole record of a transition; IndexError when it is not held."""
        chunk = self.chunk_of(number)
        return chunk.record(number - chunk.first, self.tx_id_at(number))

    def tx_id_at(self, number: int) -> str:
        """The id of a transition as the sender knows it."""
        chunk = self.chunk_of(number)
        row = number - chunk.first
        own = chunk.own_id(row)
        return own or join_tx(self.identity.tx_prefix, chunk.row_first + row + 1)

    def number_at_row(self, row: int) -> int:
        """The first held transition with this row or a later one; after the last for none."""
        chunks = self.chunks
        at = max(0, bisect_right(chunks, row, key=_row_first) - 1)
        for chunk in chunks[at : at + 2]:
            held = max(0, row - chunk.row_first)
            if held < self._rows_of(chunk):
                return max(self.first, chunk.first + held)
        return self.count + 1

    def row_at(self, number: int) -> int:
        """How many transitions the machine itself had made before this one."""
        chunk = self.chunk_of(number)
        return chunk.row_first + number - chunk.first

    def troubles_at(self, number: int) -> tuple[Trouble, ...]:
        """The troubles of a transition's handlers: late, or raised at a place."""
        return self.notes.troubles_at(self.row_at(number))

    def raised_at(self, number: int, step: int) -> str:
        """Where a step of a transition raised; empty for none."""
        return self.notes.raised_at(self.row_at(number), step)

    @property
    def hanging(self) -> tuple[Trouble, ...]:
        """The handlers that were last reported late and have not returned."""
        return tuple(one for one in self.notes.troubles_at(self.row_next) if one.is_late)

    # Finding one.

    def number_of(self, tx_id: str) -> int | None:
        """The number of the transition with this id."""
        for chunk in self.chunks:
            row = chunk.row_of_own_id(tx_id)
            if row >= 0:
                found = chunk.first + row
                return found if self.first <= found <= self.count else None
        prefix, row = split_tx(tx_id)
        if prefix != self.identity.tx_prefix or row < 1:
            return None
        number = self._number_of_row(row - 1)
        return number if number is not None and self.tx_id_at(number) == tx_id else None

    def first_at_or_after(self, time_ns: int) -> int | None:
        """The first transition at this wall time or later."""
        for chunk in self.chunks:
            rows = self._rows_of(chunk)
            if rows and chunk.time_max >= time_ns:
                row = chunk.first_at_or_after(time_ns, rows)
                if row < rows:
                    return chunk.first + row
        return None

    def last_at_or_before(self, time_ns: int) -> int:
        """The last transition at this wall time or earlier, 0 when there is none."""
        for chunk in reversed(self.chunks):
            rows = self._rows_of(chunk)
            if rows and chunk.time_min <= time_ns:
                row = chunk.last_at_or_before(time_ns, rows)
                if row >= 0:
                    return chunk.first + row
        return 0

    def chunk_of(self, number: int) -> Chunk:
        """The chunk that holds a transition; IndexError when none does."""
        index = self._index
        if not self.first <= number <= self.count:
            raise IndexError(
                f"{self.key} has no transition {number}: it holds {self.first} to {self.count}"
            )
        return index.chunks[bisect_right(index.firsts, number) - 1]

    def _rows_of(self, chunk: Chunk) -> int:
        return max(0, min(chunk.rows, self.count - chunk.first + 1))

    def _schema_at(self, number: int) -> IndexedSchema:
        if number < self.first:
            return self._before_all(number)[0]
        return self.chunk_of(number).schema

    def _before_all(self, number: int) -> tuple[IndexedSchema, tuple[int, ...]]:
        """Schema and ticks before the oldest transition that is held."""
        chunks = self._index.chunks
        if number == 0:
            return self._opening
        if number != self.first - 1:
            self.chunk_of(number)
        return (chunks[0].schema, chunks[0].ticks) if chunks else self._base

    def _clock(self, chunk: Chunk, rows: int) -> tuple[int, ...]:
        cached = self._clock_cache
        if cached is not None and cached[0] is chunk and abs(cached[1] - rows) <= WALK_ROWS_MAX:
            ticks = chunk.clock_moved(cached[2], cached[1], rows)
        else:
            ticks = chunk.clock_after(rows)
        self._clock_cache = (chunk, rows, ticks)
        return ticks

    def _number_of_row(self, row: int) -> int | None:
        chunks = self.chunks
        at = bisect_right(chunks, row, key=_row_first) - 1
        if at < 0 or row - chunks[at].row_first >= self._rows_of(chunks[at]):
            return None
        return chunks[at].first + row - chunks[at].row_first

    # Writing; only the store's thread.

    def append(
        self, batch: BatchRows, start: int, count: int, dictionary: SegmentDictionary, active: int
    ) -> None:
        """Take in `count` rows of a batch; `active` is what `check_run` gave for them."""
        row = self.row_next
        self.later = NO_LINES
        for low in range(start, start if self.removed else start + count, PIECE_ROWS_MAX):
            high = min(low + PIECE_ROWS_MAX, start + count)
            chunk = self._chunk_for(dictionary, row + low - start, batch.times[low])
            chunk.extend(Piece(batch, low, high))
            self.count += high - low
        self.row_next = row + count
        self._clock_check.take(active, count, dictionary)
        self.version += 1

    def check_run(
        self, shapes: Sequence[int], dictionary: SegmentDictionary, ticks_max: int
    ) -> int:
        """The states that are active after some shapes; WireError when one does not fit."""
        check = self._clock_check
        active = check.active_after(shapes, dictionary)
        if active < 0:
            raise WireError(f"ticks of {self.key!r} that do not fit those before")
        is_sure = check.is_surely_below(ticks_max, len(shapes), dictionary)
        if not is_sure and not check.stays_below(ticks_max, shapes, dictionary, self.ticks):
            raise WireError(f"a tick of {self.key!r} out of range")
        return active

    def lose(self, count: int, ticks: tuple[int, ...], reason: str, kind: GapKind) -> None:
        """Go on after lost transitions, from these ticks."""
        self.row_next += count
        if count:
            self.later = NO_LINES
        self._begin_anew(self.schema, ticks)
        lost = -1 if kind is GapKind.CUT else count
        self._add_gap(Gap(self.count, lost, reason or kind.name.lower(), kind))
        self._settle()

    def change_schema(self, schema: IndexedSchema, ticks: tuple[int, ...]) -> None:
        """Go on with another schema; what was received keeps the old one."""
        self._begin_anew(schema, ticks)
        self._add_gap(Gap(self.count, 0, "schema changed", GapKind.SCHEMA))
        self._settle()

    def rejoin(
        self,
        stream: int,
        schema: IndexedSchema,
        ticks: tuple[int, ...],
        row: int,
        *,
        live: bool = True,
    ) -> None:
        """The same machine came back on another stream, in a file perhaps without a break."""
        self.stream = stream
        self.later = NO_LINES
        goes_on = not live and (schema.states, ticks) == (self.states, self.ticks)
        self._begin_anew(schema, ticks)
        lost, self.row_next = row - self.row_next, row
        self.come_back(live=live)
        if lost or not goes_on:
            self._add_gap(Gap(self.count, lost, "reconnected", GapKind.RECONNECTED))
        self._settle()

    def come_back(self, live: bool) -> None:
        """Go on after an end: what was lost there is sent now, or nothing was lost."""
        if not self.ended:
            return
        self.ended = False
        self.left_at = _NEVER
        self.connected = live
        self._gaps.take_back_cut(self.count)

    def close(self, reason: str) -> None:
        """Note that its stream or program ended; with a reason, too early."""
        self.connected = False
        self.ended = True
        self.left_at = next(_moments)
        self._begin_anew(self.schema)
        if reason and not self.gone:
            self._add_gap(Gap(self.count, -1, reason, GapKind.CUT))
        self._settle()

    def note_changed(self) -> None:
        """Note that the notes beside transitions changed."""
        self.version += 1

    def add_lines(self, lines: Sequence[LogLine], missing: int) -> None:
        """Take log lines that the machine wrote after its last transition."""
        if not self.removed:
            self.later = self.later.joined_by(lines, missing)
        self.version += 1

    def set_open(self, work: tuple[OpenWorkItem, ...], more: int) -> None:
        """Take a report of what is open from now on."""
        if not self.removed:
            self.open.add(OpenWorkReport(self.count, work, more))
        self.version += 1

    def dispose(self) -> None:
        """Note that the machine was disposed."""
        newest = self.open.newest
        if newest is not None and newest.work:
            self.set_open((), 0)
        self.gone = True
        self.connected = False
        self._settle()

    def trim(self, dictionary: SegmentDictionary) -> set[SegmentDictionary]:
        """Drop the oldest chunks, up to the last one that uses this dictionary.

        Returns the dictionaries that the track does not hold any more.
        """
        chunks = self._index.chunks
        count = 1 + max(
            (at for at, chunk in enumerate(chunks) if chunk.dictionary is dictionary), default=-1
        )
        if count and count == len(chunks):
            self._begin_anew(self.schema)
        return self._let_chunks_go(count)

    def trim_sealed(self) -> set[SegmentDictionary]:
        """Drop all chunks but the one that may still grow."""
        return self._let_chunks_go(len(self._index.chunks) - (self._open is not None))

    def _let_chunks_go(self, count: int) -> set[SegmentDictionary]:
        """Drop so many of the oldest chunks."""
        index = self._index
        if not count:
            return set()
        firsts, chunks = index.firsts[count:], index.chunks[count:]
        self.first = firsts[0] if firsts else self.count + 1  # before the chunks, for readers
        self._index = ChunkIndex(firsts, chunks)
        self._sealed_bytes -= sum(chunk.size() for chunk in index.chunks[:count])
        self._gaps.trim(self.first)
        if self.first > self.count:
            self._settle()
        self.version += 1
        return self._let_go(index.chunks[:count], chunks)

    def forgotten(self) -> Track:
        """The track with which the stream goes on when this one is removed: it keeps nothing.

        It still checks messages. This one keeps its history for readers that still use it.
        """
        stub = Track(self.key, self.identity, self.stream, self.schema, self.ticks, self.row_next)
        stub.removed = True
        stub._clock_check.active = self._clock_check.active
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
        """Whether only a few plain rows came since the last weighing."""
        chunk, count = self._weighed
        return chunk is self._open and self.count - count < UNWEIGHED_ROWS_MAX

    def weigh(self) -> int:
        """By how much the weight has changed since the last call."""
        self._weighed = (self._open, self.count)
        before, self.weight = self.weight, self.size()
        return self.weight - before

    def let_go(self) -> set[SegmentDictionary]:
        """Release its dictionaries and return them."""
        return self._let_go(self._index.chunks)

    def _let_go(
        self, chunks: Sequence[Chunk], kept: Sequence[Chunk] = ()
    ) -> set[SegmentDictionary]:
        dictionaries = {one.dictionary for one in chunks} - {one.dictionary for one in kept}
        for dictionary in dictionaries:
            dictionary.holders.discard(self)
        return dictionaries

    def _chunk_for(self, dictionary: SegmentDictionary, row: int, time_ns: int) -> Chunk:
        chunk = self._open
        if chunk is not None and (chunk.is_full or chunk.dictionary is not dictionary):
            self._begin_anew(chunk.schema)
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

    def _begin_anew(self, schema: IndexedSchema, ticks: tuple[int, ...] | None = None) -> None:
        """Begin a new chunk for the next rows; the clock goes on from there, or from `ticks`."""
        chunk = self._open
        if chunk is not None:
            chunk.seal()
            self._sealed_bytes += chunk.size()
            self._base = (schema, chunk.ticks_end)
        if ticks is not None:
            self._base = (schema, ticks)
            self._clock_check.stand_at(ticks)
        self._open = None
        self.version += 1

    def _settle(self) -> None:
        """Publish how it stands; the version comes last, for readers that wait for it to grow."""
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


def _row_first(chunk: Chunk) -> int:
    return chunk.row_first
