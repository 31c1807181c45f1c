"""Unsaved transitions: those that programs sent and that are in no file."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from am_dbg.egress.export import Selection
from am_dbg.projection.clean import clean_name
from am_dbg.projection.times import counted
from am_dbg.spans import cut
from am_dbg.store import Store, Track

NAME_CELLS_MAX = 24
"""Cells of a name in a question, so that the question fits on the screen."""


class UnsavedTransitions:
    """Counts the unsaved transitions of each machine.

    Data read from a file is in that file. An export saves what it wrote, if nothing between the
    first transition in memory and the export is unsaved.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._exported: WeakKeyDictionary[Track, int] = WeakKeyDictionary()

    def mark_exported(self, selection: Iterable[Selection]) -> None:
        """Count these transitions as saved."""
        for part in selection:
            if part.first <= max(self._done(part.track) + 1, part.track.first):
                self._exported[part.track] = max(self._done(part.track), part.last)

    def transitions(self, *tracks: Track) -> int:
        """How many unsaved transitions these machines have."""
        return sum(map(self._lost, tracks))

    def describe(self, *tracks: Track) -> str:
        """What would be lost, as a text; empty for nothing."""
        losing = [track for track in tracks if self._lost(track)]
        if not losing:
            return ""
        of = clean_name(losing[0].key) if len(losing) == 1 else counted(len(losing), "machine")
        lost = counted(self.transitions(*losing), "unsaved transition")
        return f"{lost} of {cut(of, NAME_CELLS_MAX)}"

    def _lost(self, track: Track) -> int:
        if not self._store.streams[track.stream].live:
            return 0
        return max(0, track.count - max(self._done(track), track.first - 1))

    def _done(self, track: Track) -> int:
        return self._exported.get(track, 0)
