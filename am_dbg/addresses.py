"""Addresses of machines and transitions in a session: `mach://ID`, `mach://ID/PLACE`.

A place is a number, `t` and a machine time, or a transition id. An id may hold slashes
itself, so the machine whose id is the longest fit is meant.
"""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.errors import MachineNotFoundError, NotAnAddressError, TransitionNotFoundError
from am_dbg.store import Store, Track

__all__ = [
    "COMPARED_MAX",
    "NEAR_MAX",
    "SCHEME",
    "Place",
    "first_with_time",
    "near",
    "number_at",
    "resolve",
]

SCHEME = "mach://"
NEAR_MAX = 3
"""Similar ids that are offered when one is not found."""
COMPARED_MAX = 2_000
"""Ids that are compared to find them."""

_NUMBER_DIGITS_MAX = 18


@dataclass(frozen=True, slots=True)
class Place:
    """A machine, or one of its transitions."""

    track: Track
    number: int | None = None


def resolve(store: Store, text: str) -> Place:
    """What an address names in a session."""
    if not text.startswith(SCHEME):
        raise NotAnAddressError(text)
    rest = text.removeprefix(SCHEME)
    track = store.find(rest) or store.find(rest.removesuffix("/"))
    if track is not None:
        return Place(track)
    machine, slash, place = rest.rpartition("/")
    track = store.find(machine) if slash else None
    if track is None:
        name = machine or rest
        raise MachineNotFoundError(name, near(store, name))
    return Place(track, number_at(track, place))


def number_at(track: Track, place: str) -> int:
    """The number of the transition at a place in a machine's history."""
    number: int | None
    if place.isdecimal() and len(place) <= _NUMBER_DIGITS_MAX:
        number = int(place)
    elif place[:1] == "t" and place[1:].isdecimal() and len(place) <= _NUMBER_DIGITS_MAX:
        number = first_with_time(track, int(place[1:]))
    else:
        number = track.number_of(place.lower())
        number = track.number_of(place) if number is None else number
    if number is None or not track.first <= number <= track.count:
        raise TransitionNotFoundError(track.key, place, track.first, track.count)
    return number


def first_with_time(track: Track, time_sum: int) -> int | None:
    """The first transition after which all ticks together are at least this."""
    low, high = track.first, track.count + 1
    while low < high:
        middle = (low + high) // 2
        if track.time_sum(middle) >= time_sum:
            high = middle
        else:
            low = middle + 1
    return low if low <= track.count else None


def near(store: Store, id: str) -> tuple[str, ...]:
    """Keys of machines that a mistyped id may have meant."""
    from difflib import get_close_matches

    keys = [track.key for track in store.tracks]
    found = get_close_matches(id, keys[:COMPARED_MAX], NEAR_MAX, cutoff=0.7)
    return tuple(found)
