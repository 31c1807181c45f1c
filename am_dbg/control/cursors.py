"""Cursors for addresses, history entries and bookmarks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from am_dbg.control.history import SavedPlace
from am_dbg.control.workspace import Workspace
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
class Unreachable:
    """Why there is no cursor for an address, a history entry or a bookmark."""

    reason: str


def cursor_at_address(workspace: Workspace, text: str) -> Cursor | Unreachable:
    """The cursor for an address; a part of a machine's name is enough."""
    moment = workspace.moment
    try:
        place = resolve(workspace.store, text, workspace.track, moment.time_ns if moment else None)
    except MachineNotFoundError as error:
        named = text.strip()
        track = None if named.startswith(SCHEME) else machine_like(workspace.store, named)
        if track is not None:
            return _at_moment(workspace, track)
        is_name = named.startswith(SCHEME) or error.near
        return Unreachable(clean(str(error if is_name else NotAnAddressError(named))))
    except DebuggerError as error:
        return Unreachable(clean(str(error)))
    return _cursor(workspace, place)


def _cursor(workspace: Workspace, place: Location) -> Cursor:
    if place.number is None:
        return _at_moment(workspace, place.track)
    cursor = Cursor(place.track).at(place.number)
    return at_step(workspace, cursor, place.step) if place.step else cursor


def cursor_at_place(workspace: Workspace, place: SavedPlace) -> Cursor | Unreachable:
    """The cursor for a history entry or a bookmark, unless its transition was removed."""
    track, name = place.track(workspace.store), clean_name(place.key)
    if track is None:
        return Unreachable(f"{name} is gone: the machine was removed from the list")
    if 0 < place.number < track.first:
        which = f"transition {count(place.number)} of {name}"
        return Unreachable(f"{which} is gone: it was removed to save memory")
    return Cursor(track).at(place.number)


def at_step(workspace: Workspace, cursor: Cursor, step: int) -> Cursor:
    """The cursor inside a transition, with this many of its steps shown."""
    if cursor.number < cursor.track.first:
        return cursor
    steps = len(cursor.track.shape_at(cursor.number).steps)
    if not 0 < step < steps:
        return cursor
    before = workspace.visible(cursor.track).previous(cursor.number)
    number = cursor.track.first - 1 if before is None else before
    return replace(cursor, number=number, step=step)


def _at_moment(workspace: Workspace, track: Track) -> Cursor:
    moment = workspace.moment
    number = track.last_at_or_before(moment.time_ns) if moment else track.count
    return Cursor(track).at(number)
