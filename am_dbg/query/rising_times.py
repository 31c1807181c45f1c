"""The wall times of one track as a line that never goes back.

Clocks of hosts are set back, and then the times of a track go back too. To merge tracks by time,
their times have to rise, so a transition counts as no earlier than those before it in its track.
Where no clock was set back, both times are the same, and the columns of the chunks are searched
as they are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from am_dbg.store import Track
from am_dbg.store.chunk import Chunk


class RisingTimes:
    """The rising times of a track by number, and its numbers by time; it follows the track.

    Only one thread at a time may use it.
    """

    def __init__(self, track: Track) -> None:
        self._track = track
        self._seen = (-1, -1)
        self._chunks: Sequence[Chunk] = ()
        self._highest: list[int] = []
        self._settled = 0
        self._risen: tuple[int, int, list[int]] = (-1, -1, [])

    def at(self, number: int) -> int:
        """The time of a transition; a number before the first one has the time of the first."""
        chunks = self._current()
        if not chunks:
            return self._track.time_at(0)
        number = max(number, self._track.first)
        place = max(0, bisect_right(chunks, number, key=_first) - 1)
        chunk = chunks[place]
        if self._rises(place):
            return chunk.time(number - chunk.first)
        return self._times(place)[number - chunk.first]

    def first_from(self, time_ns: int) -> int:
        """The first number with this time or a later one, `count + 1` if there is none."""
        track, chunks = self._track, self._current()
        place = bisect_left(self._highest, time_ns)
        if place >= len(chunks):
            return track.count + 1
        chunk = chunks[place]
        if self._rises(place):
            row = chunk.first_at_or_after(time_ns, self._rows(chunk))
        else:
            row = bisect_left(self._times(place), time_ns)
        return min(max(chunk.first + row, track.first), track.count + 1)

    def _current(self) -> Sequence[Chunk]:
        """The chunks; for each, the highest time up to its end is known."""
        track = self._track
        seen = (track.version, track.count)
        if seen == self._seen:
            return self._chunks
        chunks = track.chunks
        if chunks is not self._chunks:
            self._chunks, self._highest, self._settled = chunks, [], 0
        highest = self._highest
        del highest[self._settled :]
        for chunk in chunks[self._settled :]:
            is_settled = chunk.is_sealed
            highest.append(max(highest[-1], chunk.time_max) if highest else chunk.time_max)
            self._settled += is_settled
        self._seen = seen
        return chunks

    def _rises(self, place: int) -> bool:
        """Whether the times of a chunk rise by themselves."""
        chunk = self._chunks[place]
        return chunk.is_ascending and (not place or self._highest[place - 1] <= chunk.time_min)

    def _times(self, place: int) -> list[int]:
        """The rising times of a chunk whose own times go back."""
        chunk = self._chunks[place]
        rows = self._rows(chunk)
        if self._risen[:2] != (chunk.first, rows):
            times = [chunk.time(row) for row in range(rows)]
            start = self._highest[place - 1] if place else times[0]
            risen = list(accumulate(times, max, initial=start))[1:]
            self._risen = (chunk.first, rows, risen)
        return self._risen[2]

    def _rows(self, chunk: Chunk) -> int:
        return max(0, min(chunk.rows, self._track.count - chunk.first + 1))


def _first(chunk: Chunk) -> int:
    return chunk.first
