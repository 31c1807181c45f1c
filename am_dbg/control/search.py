"""Incremental search: for names in the lists, for all texts in the log."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.control import states as s
from am_dbg.control.jumps import Jumps
from am_dbg.control.modes import Modes
from am_dbg.control.reading.detail import Detail
from am_dbg.control.workspace import SearchState, Workspace
from am_dbg.drawing.layout import Pane
from am_dbg.projection.states_tree import TreeSpot
from am_dbg.query import Hits
from am_dbg.query.across import Across
from am_dbg.query.cursor import Cursor

SEARCH_CHARS_MAX = 200


@dataclass(eq=False, slots=True)
class Search:
    """Runs a search in the pane that had the focus when the search began."""

    workspace: Workspace
    modes: Modes
    jumps: Jumps
    detail_reading: Detail

    def search(self) -> None:
        """Open the search."""
        pane = self.modes.focus
        pane = pane if pane in (Pane.MACHINES, Pane.STATES, Pane.DETAIL) else Pane.LOG
        if self.modes.open(s.SEARCH_OPEN):
            before = self.workspace.search
            text = before.text if before and before.pane == pane else ""
            self.workspace.search = SearchState(pane, text, origin=self.workspace.cursor)
            if text:
                self.type(text)

    def type(self, text: str) -> None:
        """Search for the text typed so far, from where the search began.

        In the log, the cursor goes to a hit as soon as all of them are counted.
        """
        search = self.workspace.search
        if search is None:
            return
        search.text = text[:SEARCH_CHARS_MAX]
        search.hits = None
        self.workspace.counting_typed.abandon()
        if search.pane == Pane.LOG:
            self._type_in_log(search)
        elif search.pane is Pane.DETAIL:
            self.detail_reading.find(search.text)
        elif search.text:
            self._to_name(search, 1, stay=True)

    def _type_in_log(self, search: SearchState) -> None:
        origin = self._origin(search) or self.workspace.cursor
        if origin is None:
            return
        if not search.text.strip():
            self._show(origin)
            return
        begin = self.workspace.counting_typed.begin
        if self.workspace.is_across:
            found = self._across(search)
            begin(found.counting(), lambda: self._show_first(search, found))
        else:
            hits = Hits(self.workspace.visible(origin.track), search.text)
            begin(hits.counting(), lambda: self._show_first(search, hits))

    def _show_first(self, search: SearchState, found: Hits | Across) -> None:
        """Show the hit at the place where the search began, or the next one."""
        origin = self._origin(search) or self.workspace.cursor
        if search is not self.workspace.search or origin is None:
            return
        if isinstance(found, Across):
            hit = origin if origin in found else found.next(origin) or found.first()
            self._show(hit or origin)
        elif found.track is origin.track:
            search.hits = found
            number = found.next(origin.number - 1) or found.next(0)
            self._show(origin if number is None else origin.at(number))

    def _show(self, cursor: Cursor) -> None:
        if cursor != self.workspace.cursor and self.modes.moved():
            self.workspace.move_cursor(cursor)

    def accept(self) -> None:
        """Close the search and stay at the hit."""
        self.workspace.counting_typed.finish()
        search = self.workspace.search
        self.modes.close()
        if search is None or not search.text.strip():
            self.workspace.search = None
        elif (origin := self._origin(search)) and origin != self.workspace.cursor:
            here = self.workspace.cursor
            self.workspace.cursor = origin
            self.workspace.add_to_history()
            self.workspace.cursor = here
            self.workspace.add_to_history()

    def cancel(self) -> None:
        """Close the search and go back to where it began."""
        search = self.workspace.search
        self.workspace.counting_typed.abandon()
        self.modes.close()
        self.workspace.search = None
        self.detail_reading.find("")
        if search is None or search.origin is None:
            return
        origin = self._origin(search)
        if origin is None:
            self.workspace.message = "the place where the search began is gone"
        elif origin.track is self.workspace.track or self._goes_across(search):
            self._show(origin)

    def _goes_across(self, search: SearchState) -> bool:
        return self.workspace.is_across and search.pane is Pane.LOG

    def _origin(self, search: SearchState) -> Cursor | None:
        """The cursor when the search began, unless its place was removed since."""
        origin = search.origin
        if origin is None or not self.workspace.store.holds(origin.track):
            return None
        return origin if origin.number >= origin.track.first - 1 else None

    def next_hit(self) -> None:
        """Go to the next hit; after the last one, to the first."""
        self._hit(1)

    def previous_hit(self) -> None:
        """Go to the previous hit."""
        self._hit(-1)

    def _hit(self, by: int) -> None:
        search = self.workspace.search
        if self.modes.focus is Pane.DETAIL and self.detail_reading.next_hit(by):
            return
        if search is None or not search.text:
            self.workspace.message = "there is no search yet; / begins one"
        elif search.pane == Pane.LOG:
            self._log_hit(search, by)
        else:
            self._to_name(search, by)

    def _log_hit(self, search: SearchState, by: int) -> None:
        cursor = self.workspace.cursor
        if cursor is None:
            return
        if self.workspace.is_across:
            self._hit_across(search, by)
            return
        visible = self.workspace.visible(cursor.track)
        if search.hits is None or search.hits.track is not cursor.track:
            search.hits = Hits(visible, search.text)
        hits = search.hits
        number = hits.next(cursor.number) if by > 0 else hits.previous(cursor.number)
        message = ""
        if number is None:
            number = hits.first() if by > 0 else hits.last()
            message = "continued from the first hit" if by > 0 else "continued from the last hit"
        if not number:
            self.workspace.message = "no hits"
            return
        self.jumps.jump(cursor.at(number))
        self.workspace.message = message

    def _to_name(self, search: SearchState, by: int, *, stay: bool = False) -> None:
        if search.pane == Pane.MACHINES:
            machines = self.workspace.machines
            at = self.workspace.machine_list.position_of(self.workspace.track)
            names = [machine.track.key for machine in machines]
            index = _matching(names, search.text, at, by, stay=stay)
            if index >= 0:
                self.jumps.select(machines[index].track)
        else:
            self._to_state(search, by, stay=stay)
            return
        self._report(index, search)

    def _across(self, search: SearchState) -> Across:
        """The hits of all machines in the scope."""
        workspace = self.workspace
        return workspace.across.hits(workspace.filters, search.text, workspace.scope_keys)

    def _hit_across(self, search: SearchState, by: int) -> None:
        found = self._across(search)
        if not found.count:
            self.workspace.message = "no hits in any machine"
        elif not self.jumps.to_across(found, by, "hit"):
            end = found.first() if by > 0 else found.last()
            if end is not None:
                self.jumps.jump(end)
                which = "first" if by > 0 else "last"
                self.workspace.message = f"continued from the {which} hit"

    def _to_state(self, search: SearchState, by: int, *, stay: bool) -> None:
        moment = self.workspace.moment
        if moment is None:
            return
        names = [state.name for state in moment.track.schema_at(moment.number)]
        selected = self.workspace.selected_state
        at = names.index(selected.state) if selected and selected.state in names else -1
        index = _matching(names, search.text, at, by, stay=stay)
        if index >= 0 and self.modes.chose_state():
            self.workspace.selected_state = TreeSpot(names[index])
            self.workspace.scrolled_away.discard(Pane.STATES)
        self._report(index, search)

    def _report(self, index: int, search: SearchState) -> None:
        self.workspace.message = "" if index >= 0 else f"no {search.pane[:-1]} like {search.text}"


def _matching(names: list[str], text: str, at: int, by: int, *, stay: bool) -> int:
    """The next name that contains the text, wrapping around; names that begin with it first."""
    wanted = text.lower()
    first = max(at, 0) if stay else at + by
    order = [(first + by * place) % len(names) for place in range(len(names))] if names else []
    hits = [index for index in order if wanted in names[index].lower()]
    if stay:
        starting = [index for index in hits if names[index].lower().startswith(wanted)]
        hits = starting or hits
    return hits[0] if hits else -1
