"""Jumps: to the same state, errors, canceled transitions, causes, history, bookmarks."""

from __future__ import annotations

from collections.abc import Callable
from weakref import ref

from am_dbg.control import states as s
from am_dbg.control.cursors import NoPlace, place_of, place_of_spot
from am_dbg.control.effects import OpenDialog
from am_dbg.control.history import History, Spot
from am_dbg.control.modes import Modes
from am_dbg.control.navigation import Moving
from am_dbg.control.workspace import Desk
from am_dbg.projection.addresses.write import address_of
from am_dbg.projection.bars import Playback
from am_dbg.projection.clean import clean, clean_name
from am_dbg.projection.reader import source_chain
from am_dbg.projection.times import count
from am_dbg.query import TransitionSet, Visible, canceled, changing, errors, touching
from am_dbg.query.cursor import JUMP_TRANSITIONS, Cursor
from am_dbg.store import Track


class Jumping:
    """Jumps to what a query finds; if nothing is found, the cursor stays."""

    def __init__(self, desk: Desk, modes: Modes, moving: Moving) -> None:
        self.desk = desk
        self.modes = modes
        self.moving = moving

    def next_same_state(self) -> None:
        """Go to the next transition of the selected state; without one, fifty on."""
        self._same_state(1)

    def previous_same_state(self) -> None:
        """Go to the previous transition of the selected state; without one, fifty back."""
        self._same_state(-1)

    def _same_state(self, by: int) -> None:
        cursor, spot = self.desk.cursor, self.desk.spot
        if cursor is None:
            return
        if spot is None:
            self.moving.by_many(by * JUMP_TRANSITIONS)
            return
        found = touching(self.desk.visible(cursor.track), spot.state)
        self._to(found, by, f"transition of {spot.state}")

    def next_error(self) -> None:
        """Go to the next transition with an error."""
        self._among(errors, 1, "error")

    def previous_error(self) -> None:
        """Go to the previous transition with an error."""
        self._among(errors, -1, "error")

    def next_canceled(self) -> None:
        """Go to the next canceled transition."""
        self._among(canceled, 1, "canceled transition")

    def previous_canceled(self) -> None:
        """Go to the previous canceled transition."""
        self._among(canceled, -1, "canceled transition")

    def _among(self, find: Callable[[Visible], TransitionSet], by: int, what: str) -> None:
        cursor = self.desk.cursor
        if cursor is not None:
            self._to(find(self.desk.visible(cursor.track)), by, what)

    def _to(self, found: TransitionSet, by: int, what: str) -> None:
        cursor = self.desk.cursor
        if cursor is None:
            return
        number = found.next(cursor.number) if by > 0 else found.previous(cursor.number)
        if number is None:
            where = "after" if by > 0 else "before"
            in_all = found.count
            self.desk.message = f"no {what} {where} this one" + (
                f", {count(in_all)} in all" if in_all else ""
            )
            return
        self.jump(cursor.at(number))
        if cursor.number != number:
            position = found.position_of(number)
            self.desk.message = f"{what} {count(position)} of {count(found.count)}"

    def jump(self, cursor: Cursor) -> None:
        """Go somewhere and keep both ends in the history."""
        self.desk.remember()
        if cursor.track is not self.desk.track:
            if not self.modes.chose_machine():
                return
            self.desk.select(cursor.track, cursor.number)
        visible = self.desk.visible(cursor.track)
        if cursor.step and self.modes.stepped():
            self.desk.message = ""
            self.desk.go(cursor)
        elif self.modes.moved():
            shown = cursor.kept(visible)
            hidden = shown.number != cursor.number
            self.desk.message = f"transition {cursor.number} is filtered out" if hidden else ""
            self.desk.go(shown)
        self.desk.remember()

    def why(self) -> None:
        """Go to the transition that last changed the selected state."""
        cursor, spot = self.desk.cursor, self.desk.spot
        if cursor is None:
            return
        if spot is None:
            self.modes.focus_on("reader")
            self.desk.message = "select a state first: w then goes to what changed it last"
            return
        changes = changing(self.desk.visible(cursor.track), spot.state)
        number = changes.previous(cursor.number + 1)
        if number is None:
            self.desk.message = f"{spot.state} has not changed up to here"
        elif number == cursor.number:
            self.desk.message = f"{spot.state} changed in this transition"
        else:
            self.jump(cursor.at(number))

    def source(self) -> None:
        """Go to the transition that asked for this one, in any machine."""
        moment = self.desk.moment
        if moment is None or moment.is_start:
            return
        transition = moment.track.transition(moment.number)
        chain = source_chain(self.desk.store, moment.track, transition)
        if not chain:
            self.desk.message = "who asked for this is not recorded"
        elif not chain[0].link:
            self.desk.message = f"{chain[0].machine} asked, but that is not recorded here"
        else:
            self.open_address(chain[0].link)

    def open_address(self, text: str) -> bool:
        """Go to the place that a text names; False with a message when there is none."""
        place = place_of(self.desk, text)
        if isinstance(place, NoPlace):
            self.desk.message = place.reason
            return False
        self.jump(place)
        return True

    def select(self, track: Track) -> None:
        """Select another machine at the same moment."""
        if track is self.desk.track or not self.modes.chose_machine():
            return
        self.desk.remember()
        self.desk.select(track)
        self.desk.message = ""
        if self.modes.playback is Playback.TAIL:
            self.moving.to_newest()
        self.desk.remember()

    def back(self) -> None:
        """Go back in the history."""
        self.desk.remember()
        self._travel(History.back)

    def forward(self) -> None:
        """Go forward in the history."""
        self._travel(History.forward)

    def _travel(self, ahead: Callable[[History], History]) -> None:
        """Go to the next place in a direction that is still there."""
        history, passed = self.desk.history, ""
        while (further := ahead(history)) != history:
            history = further
            assert history.current is not None  # a place was gone to
            place = place_of_spot(self.desk, history.current)
            if isinstance(place, Cursor):
                self._arrive(place, history, passed)
                return
            passed = place.reason
        self.desk.message = passed or "no further place in the history"

    def _arrive(self, place: Cursor, history: History, message: str) -> None:
        if place.track is not self.desk.track and not self.modes.chose_machine():
            return
        if self.modes.moved():
            self.desk.select(place.track, place.number)
            self.desk.message = message
            self.desk.history = history

    def bookmark(self) -> None:
        """Mark this place, or unmark it."""
        spot = self.desk.here()
        if spot is None:
            return
        self.desk.bookmarks = self.desk.bookmarks.toggled(spot)
        is_set = spot in self.desk.bookmarks.spots
        where = self.address_of_spot(spot)
        self.desk.message = f"bookmark {'set at' if is_set else 'removed from'} {where}"

    def address_of_spot(self, spot: Spot) -> str:
        """The address of a place, as the screen writes it."""
        track = spot.track(self.desk.store)
        if track is None:
            return clean_name(spot.key)
        return clean(address_of(self.desk.store, track, spot.number))

    def open_spot(self, spot: Spot) -> None:
        """Go to a marked place, or say that it is gone."""
        place = place_of_spot(self.desk, spot)
        if isinstance(place, NoPlace):
            self.desk.message = place.reason
        else:
            self.jump(place)

    def bookmarks(self) -> OpenDialog | None:
        """Open the list of bookmarks."""
        if not self.desk.bookmarks.spots:
            self.desk.message = "no bookmarks; b sets one"
            return None
        return OpenDialog(s.BOOKMARKS_OPEN) if self.modes.open(s.BOOKMARKS_OPEN) else None

    def goto(self) -> OpenDialog | None:
        """Ask where to go."""
        return OpenDialog(s.GOTO_OPEN) if self.modes.open(s.GOTO_OPEN) else None

    def diff(self) -> OpenDialog | None:
        """Compare the newest bookmark of this machine with the current place."""
        track = self.desk.track
        if track is None:
            return None
        marked = self.desk.bookmarks.of(track)
        if not marked:
            self.desk.message = "nothing to compare with; b sets a bookmark"
            return None
        place = place_of_spot(self.desk, Spot(track.key, marked[-1], ref(track)))
        if isinstance(place, NoPlace):
            self.desk.message = f"the last bookmark leads nowhere: {place.reason}"
            return None
        return OpenDialog(s.DIFF_OPEN) if self.modes.open(s.DIFF_OPEN) else None
