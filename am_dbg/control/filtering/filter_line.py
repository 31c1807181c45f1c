"""The line in which a filter is typed: a query for transitions, words for the list of machines.

The typed text filters as soon as it is counted, but for a last word that is not finished yet.
Enter does the rest of the count at once. Escape brings back
the filter and the place from before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from am_dbg.control import states as s
from am_dbg.control.modes import Modes
from am_dbg.control.navigation import Navigation
from am_dbg.control.search import SEARCH_CHARS_MAX
from am_dbg.control.view_switches import ViewSwitches
from am_dbg.control.workspace import Workspace
from am_dbg.drawing.layout import Pane
from am_dbg.projection.bars import Playback
from am_dbg.projection.clean import clean_name
from am_dbg.projection.filtering.filter_line import (
    NO_FILTER,
    FilterLineView,
    machine_line,
    query_line,
)
from am_dbg.projection.machine_list import MachineSort
from am_dbg.projection.times import counted
from am_dbg.query import Visible
from am_dbg.query.cursor import Cursor
from am_dbg.query.query_keys import KnownNames
from am_dbg.query.terms import finished, parse
from am_dbg.store import Track

_SORTS = tuple(MachineSort)


@dataclass(eq=False, slots=True)
class FilterLine:
    """Changes the filter of the pane that had the focus when the line was opened."""

    workspace: Workspace
    modes: Modes
    navigation: Navigation
    view_switches: ViewSwitches
    _is_of_machines: bool = False
    _typed: str = ""
    _before: str = ""
    _origin: Cursor | None = None
    _without_query: Visible | None = None

    def filter_query(self) -> None:
        """Ask for a filter: of machines while their list has the focus, else of transitions."""
        if not self.modes.open(s.FILTER_OPEN):
            return
        self._is_of_machines = self.modes.focus is Pane.MACHINES
        self._before = self._typed = self._text
        self._origin = self.workspace.cursor

    @property
    def _text(self) -> str:
        machines, filters = self.workspace.machine_list, self.workspace.filters
        return machines.text if self._is_of_machines else filters.text

    def type(self, text: str) -> None:
        """Filter by the text typed so far, once what it finds is counted."""
        self._typed = text[:SEARCH_CHARS_MAX]
        is_query = not self._is_of_machines
        if not is_query:
            self._filter(self._typed)
            return
        text = finished(self._typed, self._names()).strip()
        counting = self.workspace.counting_typed
        counting.abandon()
        if text != self._text:
            steps = self.workspace.counting(replace(self.workspace.filters, text=text))
            counting.begin(steps, lambda: self._filter(text))

    def _names(self) -> KnownNames:
        """The names of the selected machine that may follow a key."""
        track = self.workspace.track
        states = [state.name for state in track.states] if track else []
        return KnownNames(states, self.workspace.groups)

    def _filter(self, text: str) -> None:
        text = text.strip()
        if text == self._text:
            return
        if self._is_of_machines:
            self._filter_machines(text)
        else:
            self._filter_transitions(text, self._origin)

    def _filter_machines(self, text: str) -> None:
        if self.modes.changed_filters():
            self.workspace.machine_list.filter_by(text)
            self.workspace.scrolled_away.discard(Pane.MACHINES)

    def _filter_transitions(self, text: str, place: Cursor | None) -> None:
        """Filter, and stay as near as possible to a place."""
        workspace = self.workspace
        is_tailing = self.modes.playback is Playback.TAIL
        if place and place.track is workspace.track and not is_tailing:
            workspace.move_cursor(place)
        self.view_switches.change(replace(workspace.filters, text=text))
        if is_tailing:
            self.navigation.to_newest()

    def accept(self) -> None:
        """Close the line and keep the filter; report what of it finds nothing."""
        self.modes.close()
        self.workspace.counting_typed.finish()
        self._filter(self._typed)
        self.workspace.message = "; ".join(self._troubles) or self._where_some_pass()

    def _where_some_pass(self) -> str:
        """If no transition of this machine passes the query, the machines where some do."""
        workspace, track = self.workspace, self.workspace.track
        if self._is_of_machines or not workspace.filters.text or track is None:
            return ""
        if workspace.visible(track).first():
            return ""
        others = workspace.across.visible(workspace.filters).holding
        if not others:
            return "no transition of any machine passes the query"
        more = f" and {counted(len(others) - 1, 'more machine')}" if len(others) > 1 else ""
        name = clean_name(others[0].key)
        return (
            "" if workspace.is_across else f"nothing passes here, but in {name}{more} (A shows all)"
        )

    @property
    def _troubles(self) -> tuple[str, ...]:
        if self._is_of_machines:
            return self.workspace.machine_list.filter.troubles
        return parse(self.workspace.filters.text).troubles

    def cancel(self) -> None:
        """Close the line; the filter and the place are those from before."""
        self.modes.close()
        self.workspace.counting_typed.abandon()
        self._filter(self._before)

    def sort_machines(self) -> None:
        """Sort the list of machines by the next of its orders."""
        machines = self.workspace.machine_list
        machines.sort_by(_SORTS[(_SORTS.index(machines.sort) + 1) % len(_SORTS)])
        self.workspace.scrolled_away.discard(Pane.MACHINES)
        self.workspace.message = f"machines sorted by {machines.sort.value}"

    def view(self, track: Track | None) -> FilterLineView:
        """What the line and the titles of panes show of the filters."""
        workspace, machines = self.workspace, self.workspace.machine_list
        is_open = self.modes.is_filtering
        if is_open and self._is_of_machines:
            return machine_line(self._typed, machines.filter.troubles)
        query = workspace.filters.text
        if not query and not is_open:
            return NO_FILTER
        return query_line(
            query,
            typed=self._typed if is_open else None,
            names=self._names(),
            shown=workspace.visible(track).count if track else 0,
            hidden=self._hidden(track) if track else 0,
            is_counting=workspace.counting_typed.is_running,
        )

    def _hidden(self, track: Track) -> int:
        """How many transitions of a machine the query hides that the other filters show."""
        filters = self.workspace.filters
        if not filters.text:
            return 0
        wanted, kept = replace(filters, text=""), self._without_query
        if (merged := self.workspace.merged) is not None:
            keys = self.workspace.scope_keys
            return self.workspace.across.visible(wanted, keys).count - merged.count
        if kept is None or kept.track is not track or kept.filters != wanted:
            kept = self._without_query = Visible(track, wanted)
        return kept.count - self.workspace.visible(track).count
