"""Resolves addresses: finds the machine, the transition and the step that a text names."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from am_dbg.errors import (
    DebuggerError,
    MachineNotFoundError,
    NotAnAddressError,
    StepNotFoundError,
    TransitionNotFoundError,
)
from am_dbg.projection.addresses.machine_names import near
from am_dbg.projection.addresses.places import Location, is_place, is_range, place_in
from am_dbg.projection.addresses.write import SCHEME
from am_dbg.projection.clean import clean_name
from am_dbg.safe_text import one_line
from am_dbg.store import Store, Track

TEXT_MAX = 70_000
"""An id of the greatest length, and a place in its history."""

_Find = Callable[[str], Track | None]


def resolve(
    store: Store, text: str, here: Track | None = None, near_ns: int | None = None
) -> Location:
    """The location that a text names in a session, relative to a machine and a time if given.

    Raises a `DebuggerError` with the forms that are allowed.
    """
    text = text.lstrip()[:TEXT_MAX]
    if text.startswith(SCHEME):
        return _addressed(store, text.removeprefix(SCHEME), near_ns)
    tidy = text.strip()
    if not tidy:
        raise NotAnAddressError(text)
    if here is None and len(store.tracks) == 1:
        here = store.tracks[0]
    trouble: DebuggerError | None = None
    if here is not None and (is_place(tidy) or _transition(store, here, tidy)):
        try:
            return _transition(store, here, tidy) or place_in(here, tidy, near_ns)
        except TransitionNotFoundError as error:
            trouble = error
    try:
        return _addressed(store, text, near_ns)
    except MachineNotFoundError as error:
        raise trouble or (NotAnAddressError(tidy) if is_place(tidy) else error) from None


def _addressed(store: Store, rest: str, near_ns: int | None) -> Location:
    """`id`, `id/place` or `id/place/step`."""
    tidy = rest.split("?", 1)[0].strip().rstrip("/")
    trouble: DebuggerError | None = None
    for find in _finders(store):
        for text in dict.fromkeys((rest, tidy)):
            try:
                place = _found(store, find, text, near_ns)
            except DebuggerError as error:
                trouble = trouble or error
            else:
                if place is not None:
                    return place
    if trouble is None:
        name = _machine_of(tidy)
        trouble = MachineNotFoundError(name, near(store, name))
    raise trouble


def _machine_of(text: str) -> str:
    """The probable id in an address: the address without a place and a step at its end."""
    head, slash, tail = text.rpartition("/")
    if not slash or not (is_place(tail) or is_range(tail)):
        return text
    before, slash, place = head.rpartition("/")
    return before if slash and is_place(place) and tail.isdecimal() else head


def _finders(store: Store) -> Iterator[_Find]:
    yield store.find
    for shown in (clean_name, one_line):
        yield {shown(track.key): track for track in store.tracks}.get


def _found(store: Store, find: _Find, text: str, near_ns: int | None) -> Location | None:
    """The place that an address names; None if it names no machine."""
    track = find(text)
    if track is not None:
        return Location(track)
    head, _, tail = text.rpartition("/")
    track = find(head)
    if track is not None:
        return _transition(store, track, tail) or place_in(track, tail, near_ns)
    head, _, middle = head.rpartition("/")
    track = find(head)
    if track is None:
        return None
    place = _transition(store, track, middle)
    if place is None or place.track.identity.tx_prefix:
        return _stepped(place or place_in(track, middle, near_ns), tail)
    try:
        return _stepped(place, tail)
    except StepNotFoundError:
        if not tail.isdecimal():
            raise
        return place


def _transition(store: Store, track: Track, text: str) -> Location | None:
    """A transition by its id, in any run of a machine."""
    for written in dict.fromkeys((text, text.lower())):
        found = store.find_transition(track.key, written)
        if found is not None:
            return Location(*found)
    return None


def _stepped(place: Location, text: str) -> Location:
    track, number = place.track, place.number or 0
    steps = len(track.shape_at(number).steps) if number >= track.first else 0
    if not (text.isdecimal() and len(text) < 10 and int(text) <= steps):
        raise StepNotFoundError(track.key, number, text, steps)
    return Location(track, number, int(text))


def resolve_range(store: Store, address: str) -> tuple[Track, str]:
    """The machine of an address, and its range of transitions or its transition, if any."""
    machine, _, numbers = address.removeprefix(SCHEME).rpartition("/")
    track = store.find(machine)
    if track and is_range(numbers) and store.find(f"{machine}/{numbers}") is None:
        return track, numbers
    location = resolve(store, address)
    return location.track, "" if location.number is None else str(location.number)
