"""Writes addresses."""

from __future__ import annotations

from am_dbg.store import Store, Track

SCHEME = "mach://"


def write_address(machine: str, *places: object) -> str:
    """The address of a machine, of a place in its history, or of a step there."""
    return SCHEME + "/".join(map(str, (machine, *places)))


def address_of(store: Store, track: Track, number: int | None = None, step: int = 0) -> str:
    """The address of a location; it is unambiguous even if other ids look like places in it."""
    return write_address(track.key, *places_of(store, track, number, step))


def places_of(store: Store, track: Track, number: int | None, step: int = 0) -> tuple[str, ...]:
    """What follows the id in an address: the place, and the step if there is one."""
    if number is None:
        return ()
    texts = [str(number)]
    if number >= track.first:
        texts.append(track.tx_id_at(number))
    end = (str(step),) if step else ()
    for text in texts:
        key = f"{track.key}/{text}"
        if store.find(key) is None and store.find("/".join((key, *end))) is None:
            break
    return (text, *end)
