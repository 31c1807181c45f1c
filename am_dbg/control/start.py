"""What is selected at the start, as the options of the command line say."""

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
class StartOptions:
    """A machine or an address, a place in its history, and what follows when programs connect.

    Without any, the first machine is selected at its newest transition.
    """

    machine: str = ""
    transition: str = ""
    is_importing: bool = False
    select_connected: bool = False
    clean_on_connect: bool = False


def start_place(
    start: StartOptions, store: Store, machines: Sequence[ListedMachine]
) -> Location | None:
    """The place to select, None while the machine of the options does not exist.

    If the transition of the options does not exist, the newest one is selected.
    """
    try:
        return _requested(start, store, machines)
    except TransitionNotFoundError:
        track = _machine(start, store, machines)
        return None if track is None else Location(track)
    except DebuggerError:
        return None


def why_not_shown(start: StartOptions, store: Store, machines: Sequence[ListedMachine]) -> str:
    """Why the place of the options is not shown at the end of an import; empty if it is."""
    if not machines:
        return ""
    try:
        _requested(start, store, machines)
    except DebuggerError as error:
        return str(error)
    return ""


def _requested(
    start: StartOptions, store: Store, machines: Sequence[ListedMachine]
) -> Location | None:
    track = _machine(start, store, machines)
    if track is None:
        return None
    if start.transition:
        return place_in(track, start.transition)
    if start.machine.startswith(SCHEME):
        return resolve(store, start.machine)
    return Location(track)


def _machine(start: StartOptions, store: Store, machines: Sequence[ListedMachine]) -> Track | None:
    """The machine of the options: by an address, by its name, or by a part of its name."""
    wanted = start.machine
    if not machines:
        return None
    if not wanted:
        return machines[0].track
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
    """The tracks that arrived after this number, the oldest first."""
    found = list(takewhile(lambda track: track.arrival > arrival, reversed(tracks)))
    return found[::-1]


def remove_disconnected(store: Store, newcomers: Sequence[Track]) -> bool:
    """Remove all other tracks if none of them is connected; return whether it did."""
    kept = set(newcomers)
    others = [track for track in store.tracks if track not in kept]
    if not others or any(track.connected for track in others):
        return False
    store.remove(*others)
    return True
