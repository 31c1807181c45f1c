"""Finds machines by a part of their name, and those that a mistyped id may have meant."""

from __future__ import annotations

from difflib import get_close_matches

from am_dbg.projection.clean import clean_name
from am_dbg.projection.machine_order import natural_key
from am_dbg.store import Store, Track

NEAR_MAX = 3
"""The most similar ids that are offered when an id is not found."""
COMPARED_MAX = 2_000
"""The most ids that are compared to find similar ones."""
NEAR_CHARS_MAX = 200
"""The most characters of an id that are compared."""


def machine_like(store: Store, text: str) -> Track | None:
    """A machine by name, by the beginning of its name, or by a part of it."""
    wanted = text.strip().lower()
    tracks = sorted(store.tracks, key=lambda track: natural_key(track.key))
    named = [(clean_name(track.key).lower(), track) for track in tracks]
    for test in (str.__eq__, str.startswith, str.__contains__):
        for name, track in named:
            if test(name, wanted):
                return track
    return None


def near(store: Store, id: str) -> tuple[str, ...]:
    """Keys of machines that a mistyped id may have meant."""
    keys = [track.key for track in store.tracks]
    found = get_close_matches(id[:NEAR_CHARS_MAX], keys[:COMPARED_MAX], NEAR_MAX, cutoff=0.7)
    return tuple(found)
