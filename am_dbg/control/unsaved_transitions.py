"""Unsaved data: transitions that programs sent and that no file holds."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from am_dbg.egress.export import Selection
from am_dbg.projection.clean import clean_name
from am_dbg.projection.times import counted
from am_dbg.spans import cut
from am_dbg.store import Store, Track

NAME_CELLS_MAX = 24
"""Of a name, so that a question about it fits on the screen."""


class Unsaved:
    """Counts, for each machine, the transitions from a program that were not exported since.

    Data read from a file is in that file. An export saves what it wrote without a hole from the
    first transition that was held.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._exported: WeakKeyDictionary[Track, int] = WeakKeyDictionary()

    def kept(self, selection: Iterable[Selection]) -> None:
        """Note that these transitions are in a file now."""
        for part in selection:
            if part.first <= max(self._done(part.track) + 1, part.track.first):
                self._exported[part.track] = max(self._done(part.track), part.last)

    def transitions(self, *tracks: Track) -> int:
        """How many of these machines' transitions would be lost."""
        return sum(map(self._lost, tracks))

    def words(self, *tracks: Track) -> str:
        """What would be lost, in words; empty for nothing."""
        losing = [track for track in tracks if self._lost(track)]
        if not losing:
            return ""
        of = clean_name(losing[0].key) if len(losing) == 1 else counted(len(losing), "machine")
        lost = counted(self.transitions(*losing), "transition")
        return f"{lost} of {cut(of, NAME_CELLS_MAX)}"

    def _lost(self, track: Track) -> int:
        if not self._store.streams[track.stream].live:
            return 0
        return max(0, track.count - max(self._done(track), track.first - 1))

    def _done(self, track: Track) -> int:
        return self._exported.get(track, 0)
