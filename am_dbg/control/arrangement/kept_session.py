"""Keeps the place, bookmarks, filters and scope of a session until it is opened again.

The values are those of JSON. They may come from an older debugger or from a damaged file, so
each one is checked on its own, and what does not fit is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from weakref import ref

from am_dbg.control.history import BOOKMARKS_MAX, Bookmarks, SavedPlace
from am_dbg.control.modes import Modes
from am_dbg.control.workspace import Workspace
from am_dbg.drawing.layout import MAIN_PANES, Pane
from am_dbg.projection.addresses.write import address_of
from am_dbg.projection.clean import clean
from am_dbg.projection.times import counted
from am_dbg.query import Filters
from am_dbg.query.cursor import Cursor
from amtracer.wire.vocabulary import LEVEL_WORDS

FILTER_CHARS_MAX = 1_000


@dataclass(eq=False, slots=True)
class KeptSession:
    """Writes the workspace as values, and restores it from them."""

    workspace: Workspace
    modes: Modes

    def values(self) -> dict[str, object]:
        """What is to be kept; empty if no machine is selected."""
        workspace = self.workspace
        place = workspace.current_place()
        if place is None:
            return {}
        filters = workspace.filters
        return {
            "place": [place.key, place.number],
            "bookmarks": [[one.key, one.number] for one in workspace.bookmarks.places],
            "filters": {one.name: getattr(filters, one.name) for one in fields(filters)},
            "across": workspace.is_across,
            "chosen": sorted(workspace.chosen),
            "seconds": workspace.shows_seconds,
            "main": str(self.modes.main),
        }

    def restore(self, values: Mapping[str, object], *, with_place: bool) -> None:
        """Restore what fits this session, and report what was restored."""
        workspace = self.workspace
        marks = tuple(self._places(values.get("bookmarks")))
        workspace.bookmarks = Bookmarks(marks[-BOOKMARKS_MAX:])
        filters = _filters(values.get("filters"))
        is_filtered = filters != workspace.filters and self.modes.changed_filters()
        if is_filtered:
            workspace.refilter(filters)
        workspace.shows_seconds = values.get("seconds") is True
        restored = [counted(len(marks), "bookmark")] if marks else []
        restored += ["filters"] if is_filtered else []
        restored += self._restore_scope(values)
        if with_place:
            self._restore_view(values.get("main"))
            where = self._restore_place(values.get("place"))
            restored = [where, *restored] if where else restored
        if restored:
            workspace.message = f"as you left it: {', '.join(restored)}"

    def _restore_scope(self, values: Mapping[str, object]) -> list[str]:
        """Restore the scope and the chosen machines that this session has; return their words.

        A scope that the user already changed stays.
        """
        workspace = self.workspace
        chosen = frozenset(self._keys(values.get("chosen")))
        is_across = values.get("across") is True
        if workspace.is_across or workspace.chosen or not (is_across or chosen):
            return []
        if not self.modes.changed_filters():
            return []
        workspace.chosen, workspace.is_across = chosen, is_across
        if is_across:
            return [f"scope: {workspace.scope_words}"]
        return [counted(len(chosen), "chosen machine")]

    def _keys(self, names: object) -> Iterator[str]:
        """The keys of machines that this session has."""
        for name in names if isinstance(names, list) else ():
            track = self.workspace.store.find(name) if isinstance(name, str) else None
            if track is not None and track.key == name:
                yield name

    def _restore_view(self, name: object) -> None:
        if isinstance(name, str) and name in MAIN_PANES and self.modes.main is Pane.LOG:
            focus = self.modes.focus
            self.modes.show(Pane(name))
            if focus is not Pane.LOG:
                self.modes.focus_on(focus)

    def _restore_place(self, pair: object) -> str:
        """Go to the place, and return its address; empty if it is not in this session."""
        workspace = self.workspace
        place = next(self._places([pair]), None)
        track = place.track(workspace.store) if place else None
        if place is None or track is None:
            return ""
        if track is not workspace.track and not self.modes.chose_machine():
            return ""
        cursor = Cursor(track).at(place.number).kept(workspace.visible(track))
        workspace.select(track, cursor.number)
        return clean(address_of(workspace.store, track, cursor.number))

    def _places(self, pairs: object) -> Iterator[SavedPlace]:
        """The places of machines that this session has."""
        for pair in pairs if isinstance(pairs, list) else ():
            match pair:
                case [str(key), int(number)] if track := self.workspace.store.find(key):
                    if max(0, track.first - 1) <= number <= track.count:
                        yield SavedPlace(key, number, ref(track))


def _filters(values: object) -> Filters:
    """The filters, from the values that have the type of a filter."""
    default = Filters()
    given = values if isinstance(values, dict) else {}
    known: dict[str, Any] = {
        one.name: given[one.name]
        for one in fields(default)
        if type(given.get(one.name)) is type(getattr(default, one.name))
    }
    filters = replace(default, **known)
    return replace(
        filters,
        level=max(0, min(len(LEVEL_WORDS) - 1, filters.level)),
        text=filters.text[:FILTER_CHARS_MAX],
    )
