"""Reads the history of one machine: transitions by number, row, id or time.

Held transitions have numbers from 1 without holes, and a number never changes: trimming raises
`first` and renumbers nothing. Rows are what the machine itself counts; they have holes where
transitions were lost. A chunk has the row of its first transition.

Any thread reads. The writer sets `count` last, so everything up to it can be read without a
lock. Readers write only a cached clock: one value, in one assignment.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from am_dbg.store.chunk import CHUNK_LIMITS, Chunk, ChunkIndex, ChunkLimits
from am_dbg.store.facts import IndexedSchema, ShapeFacts
from am_dbg.store.gaps import Gaps
from am_dbg.store.notes import MachineNotes, Trouble
from am_dbg.store.values import Gap, MachineIdentity, TransitionRecord
from amtracer.wire.messages import Shape, StateDef
from amtracer.wire.vocabulary import join_tx, split_tx


class TrackReader:
    """The history of one machine, numbered from 1; number 0 is before the first transition.

    `key` is the shown name: the id, with `#2` and so on if another track has the same id.
    `first` is the oldest number still held, `count` the newest, `row_next` the row of the next
    transition. `damaged` counts the chunks that were found damaged when a reader looked at them.
    """

    __slots__ = (
        "__weakref__",
        "_base",
        "_clock_cache",
        "_gaps",
        "_index",
        "_limits",
        "_open",
        "_opening",
        "count",
        "damaged",
        "first",
        "identity",
        "key",
        "notes",
        "row_next",
    )

    def __init__(
        self,
        key: str,
        identity: MachineIdentity,
        schema: IndexedSchema,
        ticks: tuple[int, ...],
        row: int,
        limits: ChunkLimits = CHUNK_LIMITS,
    ) -> None:
        self.key = key
        self.identity = identity
        self.first = 1
        self.count = self.damaged = 0
        self.row_next = row
        self.notes = MachineNotes()
        self._index = ChunkIndex()
        self._limits = limits
        self._gaps = Gaps()
        self._opening = self._base = (schema, ticks)
        self._open: Chunk | None = None
        self._clock_cache: tuple[Chunk, int, tuple[int, ...]] | None = None

    @property
    def id(self) -> str:
        return self.identity.id

    @property
    def parent(self) -> str:
        return self.identity.parent

    @property
    def tags(self) -> tuple[str, ...]:
        return self.identity.tags

    def is_of_process(self, other: TrackReader) -> bool:
        """Whether the same process made both machines, as far as their streams name it."""
        return bool(self.identity.process) and self.identity.process == other.identity.process

    @property
    def gaps(self) -> Sequence[Gap]:
        """Gaps in the history, in order of `after_number`."""
        return self._gaps.all

    def gaps_after(self, number: int) -> tuple[Gap, ...]:
        """The gaps between a transition and the next one."""
        return self._gaps.after(number)

    @property
    def chunks(self) -> Sequence[Chunk]:
        """The chunks in order; the last one may still grow, see `count`."""
        return self._index.chunks

    @property
    def schema(self) -> IndexedSchema:
        """The present schema."""
        chunk = self._open
        return chunk.schema if chunk else self._base[0]

    @property
    def states(self) -> tuple[StateDef, ...]:
        """The states of the present schema, after everything that was received."""
        return self.schema.states

    @property
    def ticks(self) -> tuple[int, ...]:
        """The present clock, by index of `states`."""
        chunk = self._open
        return self._clock(chunk, chunk.rows) if chunk else self._base[1]

    # Reading one transition.

    def schema_at(self, number: int) -> tuple[StateDef, ...]:
        """The schema under which a transition ran; for 0 the first one."""
        return self._schema_at(number).states

    def index_at(self, number: int, name: str) -> int:
        """Index of a state in `schema_at(number)`, -1 if it has no state of that name."""
        return self._schema_at(number).index.get(name, -1)

    def clock_at(self, number: int) -> tuple[int, ...]:
        """Ticks after a transition, by index of `schema_at(number)`; for 0 the first ones.

        After trimming, the number before the oldest held one means the same as 0.
        """
        if number < self.first:
            return self._before_all(number)[1]
        chunk = self.chunk_of(number)
        return self._clock(chunk, number - chunk.first + 1)

    def clock_before(self, number: int) -> tuple[int, ...]:
        """Ticks before a transition; at a gap they differ from those after the previous one."""
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

        For 0 it is the beginning of the stream. If that is not known or is later than the first
        transition, it is right before that transition: a tracer can send its hello late.
        """
        if 0 <= number < self.first:
            started = self.identity.started_ns
            if self.first > self.count:
                return started
            before = self.time_at(self.first) - 1
            return min(started, before) if started else before
        chunk = self.chunk_of(number)
        return chunk.time(number - chunk.first)

    def rough_time_at(self, number: int) -> int:
        """About the wall time of a transition: within the time of its chunk, without its rows."""
        chunk = self.chunk_of(number)
        return chunk.rough_time(number - chunk.first)

    def transition(self, number: int) -> TransitionRecord:
        """A transition with all its data; IndexError if it is not held."""
        chunk = self.chunk_of(number)
        return chunk.record(number - chunk.first, self.tx_id_at(number))

    def tx_id_at(self, number: int) -> str:
        """The id of a transition, as its program has it."""
        chunk = self.chunk_of(number)
        row = number - chunk.first
        own = chunk.own_id(row)
        return own or join_tx(self.identity.tx_prefix, chunk.row_first + row + 1)

    def number_at_row(self, row: int) -> int:
        """The first held transition with this row or a later one; `count + 1` if there is none."""
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
        """The place where a step of a transition raised; empty if it did not."""
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
        """The last transition at this wall time or earlier, 0 if there is none."""
        for chunk in reversed(self.chunks):
            rows = self._rows_of(chunk)
            if rows and chunk.time_min <= time_ns:
                row = chunk.last_at_or_before(time_ns, rows)
                if row >= 0:
                    return chunk.first + row
        return 0

    def chunk_of(self, number: int) -> Chunk:
        """The chunk that holds a transition; IndexError if no chunk does."""
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
        """The schema and ticks before the oldest held transition."""
        chunks = self._index.chunks
        if number == 0:
            return self._opening
        if number != self.first - 1:
            self.chunk_of(number)
        return (chunks[0].schema, chunks[0].ticks) if chunks else self._base

    def _clock(self, chunk: Chunk, rows: int) -> tuple[int, ...]:
        cached = self._clock_cache
        if (
            cached is not None
            and cached[0] is chunk
            and abs(cached[1] - rows) <= self._limits.walk_rows
        ):
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


def _row_first(chunk: Chunk) -> int:
    return chunk.row_first
