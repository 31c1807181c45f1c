"""Sets of transitions of a track: the numbers of those that pass some conditions."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import compress
from operator import sub

from am_dbg.query.conditions import Conditions
from am_dbg.store import Track
from am_dbg.store.chunk import Chunk

CACHED_CHUNKS_MAX = 4_096
"""Chunks whose flags are remembered, one byte for each transition."""


class TransitionSet:
    """The numbers of the transitions that pass; positions among them count from 1.

    It follows the track while that grows or is trimmed. `next` and `previous` read chunks
    near by; positions and the count read every chunk's palette once. When a chunk is found damaged,
    all counts are made again: its head, on which they relied, was wrong. Only one thread at a time
    may use it.
    """

    def __init__(self, track: Track, conditions: Conditions, touching: str = "") -> None:
        self.track = track
        self.conditions = conditions
        self._touching = touching
        self._flags: dict[int, bytes | None] = {}
        self._growing: tuple[Chunk | None, int, bytes | None] = (None, 0, None)
        self._seen = (-1, -1)
        self._chunks: Sequence[Chunk] = ()
        self._ends: list[int] = []
        self._settled = 0
        self._damaged = track.damaged

    @property
    def count(self) -> int:
        """How many numbers the set has."""
        ends = self._counts()
        return ends[-1] if ends else 0

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int) or not self.track.first <= number <= self.track.count:
            return False
        chunk = self.track.chunk_of(number)
        flags = self._flags_of(chunk)
        return flags is None or flags[number - chunk.first] == 1

    def number_at(self, position: int) -> int:
        """The number at a position, 0 for position 0; IndexError outside."""
        if position == 0:
            return 0
        ends, chunks = self._counts(), self._chunks
        at = bisect_left(ends, position)
        if position < 0 or at >= len(ends):
            raise IndexError(f"no position {position} among {self.count}")
        chunk, nth = chunks[at], position - (ends[at - 1] if at else 0)
        flags = self._flags_of(chunk)
        if flags is None:
            return chunk.first + nth - 1
        rows = range(len(flags))
        return chunk.first + bisect_left(rows, nth, key=lambda row: flags.count(1, 0, row + 1))

    def position_of(self, number: int) -> int:
        """How many numbers of the set are not above this number."""
        ends, chunks = self._counts(), self._chunks
        at = bisect_left(chunks, number, key=_last)
        if at >= len(ends):
            return ends[-1] if ends else 0
        before = ends[at - 1] if at else 0
        row = number - chunks[at].first
        if row < 0:
            return before
        flags = self._flags_of(chunks[at])
        return before + (row + 1 if flags is None else flags.count(1, 0, row + 1))

    def numbers(self, position: int, count: int) -> list[int]:
        """Up to `count` numbers from a position on."""
        ends, chunks = self._counts(), self._chunks
        found: list[int] = []
        at = bisect_left(ends, max(position, 1))
        skip = max(position, 1) - 1 - (ends[at - 1] if at else 0)
        while at < len(ends) and len(found) < count:
            found += self._numbers_in(chunks[at])[skip : skip + count - len(found)]
            at, skip = at + 1, 0
        return found

    def next(self, number: int) -> int | None:
        """The next one after this number."""
        for chunk in self._from(number + 1):
            flags = self._flags_of(chunk)
            row = max(0, number + 1 - chunk.first)
            if flags is not None:
                row = flags.find(1, row)
            if 0 <= row < self._rows(chunk):
                return chunk.first + row
        return None

    def previous(self, number: int) -> int | None:
        """The one before this number."""
        for chunk in self._back_from(number - 1):
            flags = self._flags_of(chunk)
            end = min(number - chunk.first, self._rows(chunk))
            row = end - 1 if flags is None else flags.rfind(1, 0, max(0, end))
            if row >= 0:
                return chunk.first + row
        return None

    def nearest(self, number: int) -> int:
        """The number itself if the set has it, else the one before, else the one after, else 0."""
        if number in self:
            return number
        return self.previous(number) or self.next(number) or 0

    def first(self) -> int:
        """The first one, 0 when there is none."""
        return self.next(0) or 0

    def last(self) -> int:
        """The last one, 0 when there is none."""
        return self.previous(self.track.count + 1) or 0

    def by_chunk(self) -> list[tuple[Chunk, int]]:
        """The chunks that hold numbers of the set, and how many; often without a look at rows."""
        ends = self._counts()
        counts = map(sub, ends, (0, *ends))
        return [pair for pair in zip(self._chunks, counts, strict=True) if pair[1]]

    def _from(self, number: int) -> Iterator[Chunk]:
        chunks = self.track.chunks
        for at in range(bisect_left(chunks, number, key=_last), len(chunks)):
            if self._may_hold(chunks[at]):
                yield chunks[at]

    def _back_from(self, number: int) -> Iterator[Chunk]:
        chunks = self.track.chunks
        for at in range(min(bisect_left(chunks, number, key=_last), len(chunks) - 1), -1, -1):
            if self._may_hold(chunks[at]):
                yield chunks[at]

    def _may_hold(self, chunk: Chunk) -> bool:
        """Whether a chunk may hold a number of the set; never False for one that does."""
        if not self._touching:
            return True
        index = chunk.schema.index.get(self._touching, -1)
        return index >= 0 and chunk.touched >> index & 1 == 1

    def _rows(self, chunk: Chunk) -> int:
        return max(0, min(chunk.rows, self.track.count - chunk.first + 1))

    def _flags_of(self, chunk: Chunk) -> bytes | None:
        """The flags of a chunk's published rows; those of a chunk that grows until it does."""
        self._forget_damaged()
        if chunk.first in self._flags:
            return self._flags[chunk.first]
        rows = self._rows(chunk)
        known, known_rows, flags = self._growing
        if chunk is not known or rows != known_rows:
            flags = self.conditions.flags(chunk, rows)
        if chunk.is_sealed:
            if len(self._flags) >= CACHED_CHUNKS_MAX:
                self._flags = {}
            self._flags[chunk.first] = flags
        else:
            self._growing = chunk, rows, flags
        return flags

    def _numbers_in(self, chunk: Chunk) -> Sequence[int]:
        span = range(chunk.first, chunk.first + self._rows(chunk))
        flags = self._flags_of(chunk)
        return span if flags is None else list(compress(span, flags))

    def _counts(self) -> list[int]:
        """For each chunk how many numbers there are up to its end; only new ones are counted."""
        for _ in self._counted():
            pass
        return self._ends

    def _forget_damaged(self) -> None:
        """Forget all counts and flags if a chunk was found damaged since they were made."""
        if self.track.damaged != self._damaged:
            self._damaged = self.track.damaged
            self._flags, self._growing, self._seen, self._chunks = {}, (None, 0, None), (-1, -1), ()

    def counting(self) -> Iterator[int]:
        """Count in steps, so that `count` is at hand afterwards.

        Each step yields how many transitions or texts it looked at. Between steps the set may be
        used, and the track may grow. A count that stops early goes on with the next call.
        """
        self._forget_damaged()
        if (self.track.version, self.track.count) == self._seen:
            return
        for chunk in self.track.chunks:
            yield from self.conditions.preparing(chunk)
        yield from self._counted()

    def _counted(self) -> Iterator[int]:
        self._forget_damaged()
        seen, chunks = (self.track.version, self.track.count), self.track.chunks
        if seen == self._seen:
            return
        if chunks is not self._chunks:
            self._chunks, self._ends, self._settled = chunks, [], 0
        while self._settled < len(chunks) and chunks[self._settled].is_sealed:
            chunk = chunks[self._settled]
            self._ends[self._settled :] = [self._end(self._settled, chunk)]
            self._settled += 1
            yield chunk.rows
            if chunks is not self._chunks:
                return  # another caller has counted, because the history was cut meanwhile
        del self._ends[self._settled :]
        for at in range(self._settled, len(chunks)):
            self._ends.append(self._end(at, chunks[at]))
        self._seen = seen
        yield chunks[-1].rows if self._settled < len(chunks) else 0

    def _end(self, at: int, chunk: Chunk) -> int:
        """How many numbers there are up to the end of a chunk, by the end of the one before."""
        count = self.conditions.count(chunk, self._rows(chunk)) if self._may_hold(chunk) else 0
        return (self._ends[at - 1] if at else 0) + count


def _last(chunk: Chunk) -> int:
    return chunk.last
