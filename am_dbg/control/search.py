"""Incremental search: names in the lists, everything else in the log."""

from __future__ import annotations

from am_dbg.control import states as s
from am_dbg.control.jumps import Jumping
from am_dbg.control.modes import Modes
from am_dbg.control.navigation import Moving
from am_dbg.control.workspace import Desk, Found
from am_dbg.drawing import layout
from am_dbg.projection.states_tree import TreeSpot
from am_dbg.query import Hits
from am_dbg.query.cursor import Cursor

TEXT_MAX = 200


class Searching:
    """Runs a search in the pane that had the focus when the search began."""

    def __init__(self, desk: Desk, modes: Modes, moving: Moving, jumping: Jumping) -> None:
        self.desk = desk
        self.modes = modes
        self.moving = moving
        self.jumping = jumping

    def search(self) -> None:
        """Open the search."""
        pane = self.modes.focus
        pane = pane if pane in (layout.MACHINES, layout.STATES) else layout.LOG
        if self.modes.open(s.SEARCH_OPEN):
            before = self.desk.found
            text = before.text if before and before.pane == pane else ""
            self.desk.found = Found(pane, text, origin=self.desk.cursor)
            if text:
                self.type(text)

    def type(self, text: str) -> None:
        """Look for a text while it is being typed, from where the search began."""
        found = self.desk.found
        if found is None:
            return
        found.text = text[:TEXT_MAX]
        found.hits = None
        if found.pane == layout.LOG:
            self._type_in_log(found)
        elif found.text:
            self._to_name(found, 1, stay=True)

    def _type_in_log(self, found: Found) -> None:
        origin = self._origin(found) or self.desk.cursor
        if origin is None:
            return
        if not found.text.strip():
            self._show(origin)
            return
        found.hits = Hits(self.desk.visible(origin.track), found.text)
        number = found.hits.next(origin.number - 1) or found.hits.next(0)
        self._show(origin if number is None else origin.at(number))

    def _show(self, cursor: Cursor) -> None:
        if cursor != self.desk.cursor and self.modes.moved():
            self.desk.go(cursor)

    def accept(self) -> None:
        """Close the search and stay at the hit."""
        found = self.desk.found
        self.modes.close()
        if found is None or not found.text.strip():
            self.desk.found = None
        elif (origin := self._origin(found)) and origin != self.desk.cursor:
            here = self.desk.cursor
            self.desk.cursor = origin
            self.desk.remember()
            self.desk.cursor = here
            self.desk.remember()

    def cancel(self) -> None:
        """Close the search and go back to where it began."""
        found = self.desk.found
        self.modes.close()
        self.desk.found = None
        if found is None or found.origin is None:
            return
        origin = self._origin(found)
        if origin is None:
            self.desk.message = "where the search began is gone"
        elif origin.track is self.desk.track:
            self._show(origin)

    def _origin(self, found: Found) -> Cursor | None:
        """Where the search began, unless that was removed meanwhile."""
        origin = found.origin
        if origin is None or self.desk.order.position_of(origin.track) < 0:
            return None
        return origin if origin.number >= origin.track.first - 1 else None

    def next_hit(self) -> None:
        """Go to the next hit; after the last one, to the first."""
        self._hit(1)

    def previous_hit(self) -> None:
        """Go to the previous hit."""
        self._hit(-1)

    def _hit(self, by: int) -> None:
        found = self.desk.found
        if found is None or not found.text:
            self.desk.message = "nothing searched for yet; / begins a search"
        elif found.pane == layout.LOG:
            self._log_hit(found, by)
        else:
            self._to_name(found, by)

    def _log_hit(self, found: Found, by: int) -> None:
        cursor = self.desk.cursor
        if cursor is None:
            return
        visible = self.desk.visible(cursor.track)
        if found.hits is None or found.hits.track is not cursor.track:
            found.hits = Hits(visible, found.text)
        hits = found.hits
        number = hits.next(cursor.number) if by > 0 else hits.previous(cursor.number)
        message = ""
        if number is None:
            number = hits.first() if by > 0 else hits.last()
            message = "from the first hit again" if by > 0 else "from the last hit again"
        if not number:
            self.desk.message = "no hits"
            return
        self.jumping.jump(cursor.at(number))
        self.desk.message = message

    def _to_name(self, found: Found, by: int, *, stay: bool = False) -> None:
        if found.pane == layout.MACHINES:
            places = self.desk.places
            at = self.desk.order.position_of(self.desk.track)
            names = [place.track.key for place in places]
            index = _matching(names, found.text, at, by, stay=stay)
            if index >= 0:
                self.jumping.select(places[index].track)
        else:
            self._to_state(found, by, stay=stay)
            return
        self._tell(index, found)

    def _to_state(self, found: Found, by: int, *, stay: bool) -> None:
        moment = self.desk.moment
        if moment is None:
            return
        names = [state.name for state in moment.track.schema_at(moment.number)]
        spot = self.desk.spot
        at = names.index(spot.state) if spot and spot.state in names else -1
        index = _matching(names, found.text, at, by, stay=stay)
        if index >= 0 and self.modes.chose_state():
            self.desk.spot = TreeSpot(names[index])
            self.desk.loose.discard(layout.STATES)
        self._tell(index, found)

    def _tell(self, index: int, found: Found) -> None:
        self.desk.message = "" if index >= 0 else f"no {found.pane[:-1]} like {found.text}"


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
