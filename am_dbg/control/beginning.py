"""What to select when the first data is there, as the command line asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from am_dbg.projection.machines import Place
from am_dbg.store import Store, Track

__all__ = ["BEGINNING", "Beginning", "newcomers", "remove_disconnected", "track_to_begin_with"]


@dataclass(frozen=True, slots=True)
class Beginning:
    """A machine by name or part of it, a transition from 1, and what newcomers cause."""

    machine: str = ""
    transition: int = 0
    is_importing: bool = False
    select_connected: bool = False
    clean_on_connect: bool = False


BEGINNING = Beginning()
"""The first machine, at its newest transition."""


def track_to_begin_with(beginning: Beginning, places: Sequence[Place]) -> Track | None:
    """The machine to select, None while the one that was asked for is not there."""
    if not places:
        return None
    wanted = beginning.machine.lower()
    if not wanted:
        return places[0].track
    tracks = [place.track for place in places]
    keys = [track.key.lower() for track in tracks]
    for test in (str.__eq__, str.startswith, str.__contains__):
        for track, key in zip(tracks, keys, strict=True):
            if test(key, wanted):
                return track
    return None


def newcomers(tracks: Sequence[Track], known: set[str]) -> list[Track]:
    """The connected tracks that were not there before; from now on they are known."""
    found = [track for track in tracks if track.key not in known]
    known.update(track.key for track in found)
    return [track for track in found if track.connected]


def remove_disconnected(store: Store, but: Sequence[Track]) -> bool:
    """Forget every track when none but the newcomers is connected; tells whether it did."""
    kept = set(but)
    others = [track for track in store.tracks if track not in kept]
    if not others or any(track.connected for track in others):
        return False
    store.remove(*others)
    return True
