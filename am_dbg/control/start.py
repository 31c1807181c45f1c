"""The selection at the start: what the command line asked for, once its data is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from am_dbg.errors import DebuggerError, MachineNotFoundError, TransitionNotFoundError
from am_dbg.projection.addresses.machine_names import machine_like, near
from am_dbg.projection.addresses.places import Location, place_in
from am_dbg.projection.addresses.resolve import resolve
from am_dbg.projection.addresses.write import SCHEME
from am_dbg.projection.machine_order import ListedMachine
from am_dbg.store import Store, Track


@dataclass(frozen=True, slots=True)
class Beginning:
    """A machine or an address, a place in its history, and what newly connected programs cause."""

    machine: str = ""
    transition: str = ""
    is_importing: bool = False
    select_connected: bool = False
    clean_on_connect: bool = False


BEGINNING = Beginning()
"""The first machine, at its newest transition."""


def place_to_begin_with(
    beginning: Beginning, store: Store, places: Sequence[ListedMachine]
) -> Location | None:
    """The place to select, None while the machine that was asked for is not there.

    The newest transition replaces one that is not there, or not there yet.
    """
    try:
        return _asked_for(beginning, store, places)
    except TransitionNotFoundError:
        track = _machine(beginning, store, places)
        return None if track is None else Location(track)
    except DebuggerError:
        return None


def trouble_of(beginning: Beginning, store: Store, places: Sequence[ListedMachine]) -> str:
    """Why the requested place is not shown though all data is there; empty when it is shown."""
    if not places:
        return ""
    try:
        _asked_for(beginning, store, places)
    except DebuggerError as error:
        return str(error)
    return ""


def _asked_for(
    beginning: Beginning, store: Store, places: Sequence[ListedMachine]
) -> Location | None:
    track = _machine(beginning, store, places)
    if track is None:
        return None
    if beginning.transition:
        return place_in(track, beginning.transition)
    if beginning.machine.startswith(SCHEME):
        return resolve(store, beginning.machine)
    return Location(track)


def _machine(beginning: Beginning, store: Store, places: Sequence[ListedMachine]) -> Track | None:
    """The machine named by an address, by its name, or by a part of the name."""
    wanted = beginning.machine
    if not places:
        return None
    if not wanted:
        return places[0].track
    if not wanted.startswith(SCHEME):
        track = store.find(wanted) or machine_like(store, wanted)
        if track is None:
            raise MachineNotFoundError(wanted, near(store, wanted))
        return track
    try:
        return resolve(store, wanted).track
    except TransitionNotFoundError as error:
        return store.find(error.id)


def newcomers(tracks: Sequence[Track], arrival: int) -> list[Track]:
    """The tracks that arrived after this one, the oldest first; older ones are not looked at."""
    found = list(takewhile(lambda track: track.arrival > arrival, reversed(tracks)))
    return found[::-1]


def remove_disconnected(store: Store, but: Sequence[Track]) -> bool:
    """Remove the other tracks if only the newcomers are connected; return whether it did."""
    kept = set(but)
    others = [track for track in store.tracks if track not in kept]
    if not others or any(track.connected for track in others):
        return False
    store.remove(*others)
    return True
