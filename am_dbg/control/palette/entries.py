"""The entries of the palette: commands with their keys, filters, themes, machines, states, marks.

An entry is known by its name, such as `command:next_error` or `machine:pool`, also in the list
of what was used last, which is kept between two starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from am_dbg.control.workspace import Workspace
from am_dbg.keys import Key, sign_of
from am_dbg.projection.clean import clean, clean_name
from am_dbg.projection.times import count, counted
from am_dbg.store import Track

MACHINES_MAX = 20_000
"""Machines that are searched; a key in the palette stays fast with more of them."""
STATES_MAX = 5_000


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """One entry: its name, its kind, what the user reads, and the keys that do the same."""

    name: str
    kind: str
    title: str
    note: str = ""
    keys: str = ""


def commands(keys: Sequence[Key]) -> Iterator[PaletteEntry]:
    """All actions of the table; those of the filters are a kind of their own."""
    for key in keys:
        if key.action != "command_palette":
            kind = "filter" if key.action.startswith(("filter", "level")) else "command"
            title = key.action.replace("_", " ").capitalize()
            signs = " ".join(sign_of(one) for one in key.all_keys)
            yield PaletteEntry(f"command:{key.action}", kind, title, key.help, signs)


def themes(names: Sequence[str]) -> Iterator[PaletteEntry]:
    """The themes that the screen has."""
    for name in names:
        yield PaletteEntry(f"theme:{name}", "theme", f"Theme {name}", "change the colours")


def files(paths: Sequence[str]) -> Iterator[PaletteEntry]:
    """Session files that were open, the newest first."""
    for path in paths:
        yield PaletteEntry(f"file:{path}", "file", clean(path), "open beside what is here")


def marks(workspace: Workspace) -> Iterator[PaletteEntry]:
    """The bookmarks, by their position."""
    for at, place in enumerate(workspace.bookmarks.places):
        title = f"{clean_name(place.key)}  tx {count(place.number)}"
        yield PaletteEntry(f"bookmark:{at}", "bookmark", title)


def states(workspace: Workspace) -> Iterator[PaletteEntry]:
    """The states of the selected machine."""
    for state in islice(workspace.track.states if workspace.track else (), STATES_MAX):
        yield PaletteEntry(f"state:{state.name}", "state", clean_name(state.name))


def machines(workspace: Workspace) -> Iterator[PaletteEntry]:
    """The machines in the order of their list."""
    return map(machine, islice(workspace.store.tracks, MACHINES_MAX))


def machine(track: Track) -> PaletteEntry:
    """The entry of a machine."""
    note = counted(track.count, "transition")
    return PaletteEntry(f"machine:{track.key}", "machine", clean_name(track.key), note)
