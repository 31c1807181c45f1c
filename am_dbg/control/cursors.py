"""Turns addresses, history entries and bookmarks into cursors."""

from __future__ import annotations

from dataclasses import dataclass, replace

from am_dbg.control.history import Spot
from am_dbg.control.workspace import Desk
from am_dbg.errors import DebuggerError, MachineNotFoundError, NotAnAddressError
from am_dbg.projection.addresses.machine_names import machine_like
from am_dbg.projection.addresses.places import Location
from am_dbg.projection.addresses.resolve import resolve
from am_dbg.projection.addresses.write import SCHEME
from am_dbg.projection.clean import clean, clean_name
from am_dbg.projection.times import count
from am_dbg.query.cursor import Cursor
from am_dbg.store import Track


@dataclass(frozen=True, slots=True)
class NoPlace:
    """Why a text, or a mark, leads nowhere."""

    reason: str


def place_of(desk: Desk, text: str) -> Cursor | NoPlace:
    """The cursor for an address; a part of a machine's name is enough."""
    moment = desk.moment
    try:
        place = resolve(desk.store, text, desk.track, moment.time_ns if moment else None)
    except MachineNotFoundError as error:
        named = text.strip()
        track = None if named.startswith(SCHEME) else machine_like(desk.store, named)
        if track is not None:
            return _at_moment(desk, track)
        is_name = named.startswith(SCHEME) or error.near
        return NoPlace(clean(str(error if is_name else NotAnAddressError(named))))
    except DebuggerError as error:
        return NoPlace(clean(str(error)))
    return _cursor(desk, place)


def _cursor(desk: Desk, place: Location) -> Cursor:
    if place.number is None:
        return _at_moment(desk, place.track)
    cursor = Cursor(place.track).at(place.number)
    return at_step(desk, cursor, place.step) if place.step else cursor


def place_of_spot(desk: Desk, spot: Spot) -> Cursor | NoPlace:
    """The cursor for a place of the history or a bookmark; both outlive what they point to."""
    track = spot.track(desk.store)
    if track is None:
        return NoPlace(f"{clean_name(spot.key)} is gone: the machine was removed from the list")
    if 0 < spot.number < track.first:
        which = f"transition {count(spot.number)} of {clean_name(spot.key)}"
        return NoPlace(f"{which} is gone: it was removed to save memory")
    return Cursor(track).at(spot.number)


def at_step(desk: Desk, cursor: Cursor, step: int) -> Cursor:
    """The cursor inside a transition, with so many of its steps shown."""
    if cursor.number < cursor.track.first:
        return cursor
    steps = len(cursor.track.shape_at(cursor.number).steps)
    if not 0 < step < steps:
        return cursor
    before = desk.visible(cursor.track).previous(cursor.number)
    number = cursor.track.first - 1 if before is None else before
    return replace(cursor, number=number, step=step)


def _at_moment(desk: Desk, track: Track) -> Cursor:
    moment = desk.moment
    number = track.last_at_or_before(moment.time_ns) if moment else track.count
    return Cursor(track).at(number)
