"""Jumps: to the same state, errors, canceled transitions, causes, history, bookmarks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from weakref import ref

from am_dbg.control.cursors import Unreachable, cursor_at_address, cursor_at_place
from am_dbg.control.effects import DialogKind, OpenDialog
from am_dbg.control.history import History, SavedPlace
from am_dbg.control.modes import Modes
from am_dbg.control.navigation import Navigation
from am_dbg.control.workspace import Workspace
from am_dbg.projection.addresses.write import address_of
from am_dbg.projection.bars import Playback
from am_dbg.projection.clean import clean, clean_name
from am_dbg.projection.occurrences import elsewhere, none_further, position_words
from am_dbg.projection.reader import source_chain
from am_dbg.projection.times import count
from am_dbg.query import Filters, TransitionSet, Visible, canceled, errors, touching
from am_dbg.query.across import Across
from am_dbg.query.cursor import JUMP_TRANSITIONS, Cursor
from am_dbg.store import Track


@dataclass(eq=False, slots=True)
class Jumps:
    """Jumps to what a query finds; if nothing is found, the cursor stays."""

    workspace: Workspace
    modes: Modes
    navigation: Navigation

    def next_same_state(self) -> None:
        """Go to the next transition of the selected state; if none is selected, fifty on."""
        self._same_state(1)

    def previous_same_state(self) -> None:
        """Go to the previous transition of the selected state; if none is selected, fifty back."""
        self._same_state(-1)

    def _same_state(self, by: int) -> None:
        cursor, selected = self.workspace.cursor, self.workspace.selected_state
        if cursor is None:
            return
        if selected is None:
            self.navigation.by_many(by * JUMP_TRANSITIONS)
            return
        found = touching(self.workspace.visible(cursor.track), selected.state)
        self._to(found, by, f"transition of {selected.state}")

    def next_error(self) -> None:
        """Go to the next transition with an error."""
        self._among(errors, self.workspace.across.errors, 1, "error")

    def previous_error(self) -> None:
        """Go to the previous transition with an error."""
        self._among(errors, self.workspace.across.errors, -1, "error")

    def next_canceled(self) -> None:
        """Go to the next canceled transition."""
        self._among(canceled, self.workspace.across.canceled, 1, "canceled transition")

    def previous_canceled(self) -> None:
        """Go to the previous canceled transition."""
        self._among(canceled, self.workspace.across.canceled, -1, "canceled transition")

    def _among(
        self,
        find: Callable[[Visible], TransitionSet],
        find_across: Callable[[Filters, frozenset[str]], Across],
        by: int,
        what: str,
    ) -> None:
        workspace, cursor = self.workspace, self.workspace.cursor
        if cursor is None:
            return
        if workspace.is_across:
            self.to_across(find_across(workspace.filters, workspace.scope_keys), by, what)
            return
        if not self._to(find(workspace.visible(cursor.track)), by, what):
            workspace.message += elsewhere(
                find_across(workspace.filters, frozenset()), cursor.track
            )

    def to_across(self, found: Across, by: int, what: str) -> bool:
        """Go to the next or previous place of a merged set; return False if there is none."""
        workspace, here = self.workspace, self.workspace.cursor
        if here is None:
            return False
        place = found.next(here) if by > 0 else found.previous(here)
        if place is None:
            workspace.message = none_further(found, by, what)
            return False
        self.jump(place)
        if workspace.cursor == place:
            workspace.message = f"{what} {position_words(found, place)}"
        return True

    def _to(self, found: TransitionSet, by: int, what: str) -> bool:
        """Go to the next or previous transition of a set; return False if there is none."""
        cursor = self.workspace.cursor
        if cursor is None:
            return False
        number = found.next(cursor.number) if by > 0 else found.previous(cursor.number)
        if number is None:
            where = "after" if by > 0 else "before"
            in_all = found.count
            self.workspace.message = f"no {what} {where} this one" + (
                f", {count(in_all)} in all" if in_all else ""
            )
            return False
        self.jump(cursor.at(number))
        if cursor.number != number:
            position = found.position_of(number)
            self.workspace.message = f"{what} {count(position)} of {count(found.count)}"
        return True

    def jump(self, cursor: Cursor) -> None:
        """Go to a place; both ends of the jump are kept in the history."""
        self.workspace.add_to_history()
        if cursor.track is not self.workspace.track:
            if not self.modes.chose_machine():
                return
            self.workspace.select(cursor.track, cursor.number)
        visible = self.workspace.visible(cursor.track)
        if cursor.step and self.modes.stepped():
            self.workspace.message = ""
            self.workspace.move_cursor(cursor)
        elif self.modes.moved():
            shown = cursor.kept(visible)
            hidden = shown.number != cursor.number
            self.workspace.message = f"transition {cursor.number} is filtered out" if hidden else ""
            self.workspace.move_cursor(shown)
        self.workspace.add_to_history()

    def source(self) -> None:
        """Go to the transition, in any machine, whose handler caused this one."""
        moment = self.workspace.moment
        if moment is None or moment.is_start:
            return
        transition = moment.track.transition(moment.number)
        chain = source_chain(self.workspace.store, moment.track, transition)
        if not chain:
            self.workspace.message = "the source of this transition is not recorded"
        elif not chain[0].link:
            self.workspace.message = f"the source is not recorded here: {chain[0].machine}"
        else:
            self.open_address(chain[0].link)

    def open_address(self, text: str) -> bool:
        """Go to the place that a text names; return False with a message if there is none."""
        cursor = cursor_at_address(self.workspace, text)
        if isinstance(cursor, Unreachable):
            self.workspace.message = cursor.reason
            return False
        self.jump(cursor)
        return True

    def select(self, track: Track) -> None:
        """Select another machine at the same moment."""
        if track is self.workspace.track or not self.modes.chose_machine():
            return
        self.workspace.add_to_history()
        self.workspace.select(track)
        self.workspace.message = ""
        if self.modes.playback is Playback.TAIL:
            self.navigation.to_newest()
        self.workspace.add_to_history()

    def back(self) -> None:
        """Go back in the history."""
        self.workspace.add_to_history()
        self._travel(History.back)

    def forward(self) -> None:
        """Go forward in the history."""
        self._travel(History.forward)

    def _travel(self, move: Callable[[History], History]) -> None:
        """Go to the next place in a direction that still exists."""
        history, skipped = self.workspace.history, ""
        while (further := move(history)) != history:
            history = further
            assert history.current is not None  # a history that moved has places
            cursor = cursor_at_place(self.workspace, history.current)
            if isinstance(cursor, Cursor):
                self._arrive(cursor, history, skipped)
                return
            skipped = cursor.reason
        self.workspace.message = skipped or "no further place in the history"

    def _arrive(self, cursor: Cursor, history: History, message: str) -> None:
        if cursor.track is not self.workspace.track and not self.modes.chose_machine():
            return
        if self.modes.moved():
            self.workspace.select(cursor.track, cursor.number)
            self.workspace.message = message
            self.workspace.history = history

    def bookmark(self) -> None:
        """Set a bookmark at this place, or remove it."""
        place = self.workspace.current_place()
        if place is None:
            return
        self.workspace.bookmarks = self.workspace.bookmarks.toggled(place)
        is_set = place in self.workspace.bookmarks.places
        where = self._address_of(place)
        self.workspace.message = f"bookmark {'set at' if is_set else 'removed from'} {where}"

    def _address_of(self, place: SavedPlace) -> str:
        """The address of a place, as the screen writes it."""
        track = place.track(self.workspace.store)
        if track is None:
            return clean_name(place.key)
        return clean(address_of(self.workspace.store, track, place.number))

    def open_place(self, place: SavedPlace) -> None:
        """Go to a bookmark, or show that it is gone."""
        cursor = cursor_at_place(self.workspace, place)
        if isinstance(cursor, Unreachable):
            self.workspace.message = cursor.reason
        else:
            self.jump(cursor)

    def bookmarks(self) -> OpenDialog | None:
        """Open the list of bookmarks."""
        if not self.workspace.bookmarks.places:
            self.workspace.message = "no bookmarks; b sets one"
            return None
        return self.modes.open_dialog(DialogKind.BOOKMARKS)

    def goto(self) -> OpenDialog | None:
        """Ask where to go."""
        return self.modes.open_dialog(DialogKind.GOTO)

    def diff(self) -> OpenDialog | None:
        """Compare the newest bookmark of this machine elsewhere with the current place."""
        track = self.workspace.track
        if track is None:
            return None
        if not self.workspace.bookmarks.of(track):
            self.workspace.message = "nothing to compare with; b sets a bookmark"
            return None
        marked = self.workspace.marked_elsewhere(track)
        if not marked:
            self.workspace.message = "the bookmark is here; go to another transition, then d"
            return None
        cursor = cursor_at_place(self.workspace, SavedPlace(track.key, marked[-1], ref(track)))
        if isinstance(cursor, Unreachable):
            self.workspace.message = f"the last bookmark cannot be opened: {cursor.reason}"
            return None
        return self.modes.open_dialog(DialogKind.DIFFERENCE)
