"""Finds entries of the palette for what is typed, and does what a chosen entry names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import chain, islice

from am_dbg.control.effects import Effect, UseTheme
from am_dbg.control.jumps import Jumps
from am_dbg.control.modes import Modes
from am_dbg.control.palette import entries
from am_dbg.control.palette.entries import PaletteEntry
from am_dbg.control.palette.ranking import points, words_of
from am_dbg.control.pane_actions import PaneActions
from am_dbg.control.workspace import Workspace
from am_dbg.drawing.layout import Pane
from am_dbg.keys import Key
from am_dbg.projection.states_tree import TreeSpot
from am_dbg.store import Track

SHOWN_MAX = 60
"""Entries that the palette shows."""
RECENT_MAX = 30
RECENT_POINTS = 70
"""What it counts for an entry that it was used last; the older, the less."""


@dataclass(eq=False, slots=True)
class CommandPalette:
    """Offers entries and carries them out; `recent` are names, what was used last first.

    `open_file` opens a session file beside what is there, and returns a message.
    """

    workspace: Workspace
    modes: Modes
    jumps: Jumps
    pane_actions: PaneActions
    keys: tuple[Key, ...]
    do: Callable[[str], Effect | None]
    themes: Sequence[str] = ()
    recent: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    open_file: Callable[[str], str] = lambda _: "no file can be opened here"

    def found(self, needle: str) -> list[PaletteEntry]:
        """The entries for what is typed, the best first; without that, what was used last."""
        ages = {name: age for age, name in enumerate(self.recent)}
        if not needle.strip():
            oldest = len(ages)
            listed = list(islice(self._all(), SHOWN_MAX + len(ages)))
            last = [one for one in self._named(self.recent) if one not in listed]
            listed = sorted(chain(last, listed), key=lambda one: ages.get(one.name, oldest))
            return listed[:SHOWN_MAX]
        words = words_of(needle)
        ranked: list[tuple[int, int, PaletteEntry | Track]] = []
        for at, entry in enumerate(self._all_but_machines()):
            found = points(words, f"{entry.title} {entry.kind} {entry.note}")
            if found:
                found += points(words, entry.title) + _recency(ages.get(entry.name))
                ranked.append((-found, at, entry))
        at = len(ranked)
        for track in islice(self.workspace.store.tracks, entries.MACHINES_MAX):
            found = points(words, f"{track.key} machine")
            if found:
                found += points(words, track.key) + _recency(ages.get(f"machine:{track.key}"))
                ranked.append((-found, at, track))
            at += 1
        best = nsmallest(SHOWN_MAX, ranked, key=lambda one: one[:2])
        return [
            one if isinstance(one, PaletteEntry) else entries.machine(one) for _, _, one in best
        ]

    def _all_but_machines(self) -> Iterator[PaletteEntry]:
        workspace = self.workspace
        return chain(
            entries.commands(self.keys),
            entries.marks(workspace),
            entries.themes(self.themes),
            entries.files(self.files),
            entries.states(workspace),
        )

    def _all(self) -> Iterator[PaletteEntry]:
        return chain(self._all_but_machines(), entries.machines(self.workspace))

    def _named(self, names: Sequence[str]) -> list[PaletteEntry]:
        """The entries of these names that exist now."""
        wanted, find = set(names), self.workspace.store.find
        found = [entry for entry in self._all_but_machines() if entry.name in wanted]
        keys = [name.removeprefix("machine:") for name in names if name.startswith("machine:")]
        return found + [entries.machine(track) for key in keys if (track := find(key))]

    def choose(self, name: str) -> Effect | None:
        """Carry out what an entry names, and put it first the next time."""
        self.recent = [name, *(one for one in self.recent if one != name)][:RECENT_MAX]
        kind, _, what = name.partition(":")
        if kind == "command":
            return self.do(what)
        if kind == "theme":
            return UseTheme(what)
        if kind == "file":
            self.workspace.message = self.open_file(what)
        elif kind == "bookmark" and int(what) < len(self.workspace.bookmarks.places):
            self.jumps.open_place(self.workspace.bookmarks.places[int(what)])
        elif kind == "state":
            self.modes.focus_on(Pane.STATES)
            self.pane_actions.select_state(TreeSpot(what))
        elif kind == "machine" and (track := self.workspace.store.find(what)):
            self.jumps.select(track)
        return None


def _recency(age: int | None) -> int:
    """The points of an entry that was used so many choices ago, none if it was not."""
    return 0 if age is None else max(0, RECENT_POINTS - age)
