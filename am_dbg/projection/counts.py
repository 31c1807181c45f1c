"""Counts over all machines, updated from the machines that changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from am_dbg.ingest.memory import MEGABYTE
from am_dbg.projection.times import totals
from am_dbg.settings.program_version import program_version
from am_dbg.store import Store, Track


@dataclass(frozen=True, slots=True)
class Counts:
    """How many machines are connected, how many are not, and the time of all together."""

    live: int = 0
    recorded: int = 0
    time_sum: int = 0


class MachineCounter:
    """Counts the machines of a store; the cost depends on what changed since the last count."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._begin(store.tracks)

    def _begin(self, tracks: Sequence[Track]) -> None:
        self._tracks = tracks
        self._mark = 0
        self._known: dict[Track, tuple[bool, int]] = {}
        self._live = self._time_sum = 0

    @property
    def counts(self) -> Counts:
        """The counts as they are now."""
        tracks = self._store.tracks
        if tracks is not self._tracks:  # some were removed
            self._begin(tracks)
        changed, self._mark = self._store.changed_since(self._mark)
        for track in changed:
            was_live, time_before = self._known.get(track, (False, 0))
            is_live, time_sum = track.connected, track.time_sum(track.count)
            self._known[track] = (is_live, time_sum)
            self._live += is_live - was_live
            self._time_sum += time_sum - time_before
        return Counts(self._live, len(self._known) - self._live, self._time_sum)


def memory_text(store: Store) -> str:
    """How much memory the data takes, and the limit if there is one: 12 of 1,000 MB."""
    of = f" of {store.bytes_max // MEGABYTE:,}" if store.bytes_max else ""
    return f"{-(-store.size() // MEGABYTE):,}{of} MB"


def about_text(store: Store) -> str:
    """The version of the debugger, and how much memory the data takes."""
    return f"{program_version()} · {memory_text(store)}"


def exit_words(store: Store) -> str:
    """What was seen, in words for the shell after the screen is closed."""
    megabytes = store.size() / 1_000_000
    return f"{totals(len(store.tracks), store.transitions)}, {megabytes:,.1f} MB in memory"
