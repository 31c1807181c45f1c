"""Keys and mouse inside panes: moving the focus, moving by rows, scrolling, selecting."""

from __future__ import annotations

from am_dbg.control.confirmation import Confirming
from am_dbg.control.jumps import Jumping
from am_dbg.control.modes import Modes
from am_dbg.control.navigation import Moving
from am_dbg.control.unsaved_transitions import Unsaved
from am_dbg.control.view_switches import Viewing
from am_dbg.control.workspace import Desk
from am_dbg.drawing import layout
from am_dbg.drawing.matrix import place_in_matrix
from am_dbg.drawing.rain import place_in_rain
from am_dbg.projection.clean import clean_name
from am_dbg.projection.log.view import LogOptions, LogView, RowKind, scrolled_top
from am_dbg.projection.matrix import MatrixView
from am_dbg.projection.rain import RainView
from am_dbg.projection.states_tree import STATE, Tree, TreeSpot
from am_dbg.query.cursor import JUMP_TRANSITIONS

FIRST_COLUMN = 1
"""The timeline's columns stand one cell from the edge of its pane."""


class Panes:
    """What keys and the mouse do inside the pane that has the focus."""

    def __init__(
        self,
        desk: Desk,
        modes: Modes,
        moving: Moving,
        jumping: Jumping,
        viewing: Viewing,
        unsaved: Unsaved,
        confirming: Confirming,
    ) -> None:
        self.desk = desk
        self.modes = modes
        self.moving = moving
        self.jumping = jumping
        self.viewing = viewing
        self.unsaved = unsaved
        self.confirming = confirming

    def next_pane(self) -> None:
        """Move the focus to the next pane."""
        self._cycle(1)

    def previous_pane(self) -> None:
        """Move the focus to the previous pane."""
        self._cycle(-1)

    def _cycle(self, by: int) -> None:
        order = [layout.MACHINES, layout.STATES, self.modes.main]
        is_narrow = self.desk.widths.get("screen", 0) < layout.WIDE
        if self.modes.reader or is_narrow:
            order.append(layout.READER)
        if not is_narrow:
            order += [layout.TIMELINE, layout.STEPS, layout.FILTERS]
        focus = self.desk.focused(self.modes.focus, self.modes.main)
        at = order.index(focus) if focus in order else 0
        self.modes.focus_on(order[(at + by) % len(order)])

    def down(self) -> None:
        """Move one row down."""
        self._by(1)

    def up(self) -> None:
        """Move one row up."""
        self._by(-1)

    def page_down(self) -> None:
        """Move a page down."""
        self._by(self._page())

    def page_up(self) -> None:
        """Move a page up."""
        self._by(-self._page())

    def _page(self) -> int:
        """Rows of a page: the pane's height less two, to keep an overlap; on single rows a jump."""
        focus = self.desk.focused(self.modes.focus, self.modes.main)
        if focus not in layout.FRAMED:
            return JUMP_TRANSITIONS
        return max(1, self.desk.heights.get(focus, 10) - 2)

    def _by(self, by: int) -> None:
        focus = self.desk.focused(self.modes.focus, self.modes.main)
        if focus == layout.MACHINES:
            self._machine(by)
        elif focus == layout.STATES:
            self._state(by)
        elif focus in (layout.READER, layout.MATRIX):
            self._scroll(focus, by)
        elif focus == layout.FILTERS:
            self.viewing.pick(1 if by > 0 else -1)
        elif abs(by) == 1:
            self.moving.by_one(by)
        else:
            self.moving.by_many(by)

    def _machine(self, by: int) -> None:
        places = self.desk.places
        if not places:
            return
        at = self.desk.order.position_of(self.desk.track)
        self.desk.loose.discard(layout.MACHINES)
        self.jumping.select(places[max(0, min(len(places) - 1, at + by))].track)

    def _state(self, by: int) -> None:
        tree = self._tree()
        if tree is None or not tree.rows:
            return
        at = tree.position_of(self.desk.spot) if self.desk.spot else -1
        position = max(0, min(len(tree.rows) - 1, at + by))
        self._stand_on(tree.spot_at(position))

    def select_state(self, by: int) -> None:
        """Select the next or previous state in schema order, the order of the rain's columns."""
        moment = self.desk.moment
        if moment is None:
            return
        names = [state.name for state in moment.track.schema_at(moment.number)]
        spot = self.desk.spot
        at = names.index(spot.state) if spot and spot.state in names else -1
        if names:
            self._stand_on(TreeSpot(names[(at + by) % len(names)]))

    def _stand_on(self, spot: TreeSpot) -> None:
        if self.modes.chose_state():
            self.desk.spot = spot
            self.desk.loose.discard(layout.STATES)

    def _tree(self) -> Tree | None:
        moment = self.desk.moment
        return self.desk.tree(moment) if moment else None

    def choose(self) -> None:
        """Unfold a state, follow a reference, open what a row stands for."""
        focus = self.desk.focused(self.modes.focus, self.modes.main)
        if focus == layout.STATES:
            self._choose_state()
        elif focus == layout.MACHINES:
            self.modes.focus_on(self.modes.main)
        elif focus == layout.READER:
            self.jumping.source()
        elif focus == layout.FILTERS:
            self.viewing.switch()
        elif focus in layout.MAIN:
            self.modes.focus_on(layout.READER)

    def _choose_state(self) -> None:
        tree, spot = self._tree(), self.desk.spot
        if tree is None or spot is None:
            return
        if spot.reference != STATE:
            target = tree.target_of(spot)
            if target:
                self._stand_on(TreeSpot(target))
            return
        opened = self.desk.opened
        is_open = spot.state in opened
        self.desk.opened = opened - {spot.state} if is_open else opened | {spot.state}

    def unfold_all(self) -> None:
        """Unfold or fold all states."""
        self.desk.all_open = not self.desk.all_open
        self.desk.opened = frozenset()

    def escape(self) -> None:
        """Leave the search; without a search, go back to the machines."""
        if self.desk.found is not None:
            self.desk.found = None
        else:
            self.modes.focus_on(layout.MACHINES)

    def remove_machine(self) -> None:
        """Remove the selected machine; ask first if that loses data that no file holds."""
        track = self.desk.track
        if track is None:
            return
        lost = self.unsaved.words(track)
        if lost and not self.confirming.is_confirmed("remove_machine", track.key):
            self.desk.message = self.confirming.question("remove_machine", lost)
            return
        places = self.desk.places
        at = max(0, self.desk.order.position_of(track))
        rest = [place.track for place in places if place.track is not track]
        name = track.key
        if rest:
            self.jumping.select(rest[min(at, len(rest) - 1)])
        else:
            self.desk.cursor = None
            self.modes.lost_machine()
        self.desk.store.remove(track)
        self.desk.message = f"{clean_name(name)} removed"

    def keep_machine(self) -> None:
        """The key that removes a machine does so in the list only."""
        self.desk.message = "a machine is removed while the list of machines has the focus"

    def scroll(self, pane: str, by: int) -> None:
        """Handle the wheel: transitions on the timeline, steps on the steps row, rows elsewhere."""
        if pane == layout.TIMELINE:
            self.moving.by_many(5 if by > 0 else -5)
        elif pane == layout.STEPS:
            self.moving.next_step() if by > 0 else self.moving.previous_step()
        elif pane == layout.RAIN:
            self.moving.by_many(by)
        else:
            self._scroll(pane, by)

    def _scroll(self, pane: str, by: int) -> None:
        """Scroll a pane; the cursor stays, and the pane no longer follows it."""
        if pane not in layout.FRAMED:
            return
        if pane == layout.LOG:
            moment = self.desk.moment
            if moment is None or not self.modes.scrolled():
                return
            self.desk.tops[pane] = scrolled_top(
                moment,
                self.desk.visible(moment.track),
                self.desk.tops.get(pane, 0),
                by,
                self.desk.heights.get(pane, 1),
                self.log_options(),
            )
        else:
            self.desk.tops[pane] = max(0, self.desk.tops.get(pane, 0) + by)
        self.desk.loose.add(pane)

    def log_options(self) -> LogOptions:
        """What the log shows beside transitions."""
        track = self.desk.track
        marks = frozenset(self.desk.bookmarks.of(track)) if track else frozenset()
        return LogOptions(self.desk.seconds, marks)

    def click(self, pane: str, row: int, column: int, *, again: bool = False) -> None:
        """Select what is on a clicked row of a pane; a second click does what Enter does."""
        if pane == layout.TIMELINE:
            width = self.desk.widths.get(layout.TIMELINE, 2) - 2
            self.moving.to_column(column - FIRST_COLUMN, width)
            return
        self.modes.focus_on(pane)
        if row < 0:
            return
        if pane == layout.STATES:
            self._click_state(row)
        elif again and pane in layout.FRAMED:
            self.choose()
        elif pane == layout.MACHINES:
            self._click_machine(row)
        elif pane == layout.LOG:
            self._click_log(row)
        elif pane == layout.RAIN:
            self._click_rain(row, column)
        elif pane == layout.MATRIX:
            self._click_matrix(row, column)

    def _click_machine(self, row: int) -> None:
        places = self.desk.places
        at = self.desk.tops.get(layout.MACHINES, 0) + row
        if at < len(places):
            self.jumping.select(places[at].track)

    def _click_state(self, row: int) -> None:
        tree = self._tree()
        at = self.desk.tops.get(layout.STATES, 0) + row
        if tree is None or at >= len(tree.rows):
            return
        spot = tree.spot_at(at)
        if spot == self.desk.spot:
            self._choose_state()
        else:
            self._stand_on(spot)

    def _click_log(self, row: int) -> None:
        view = self.desk.shown.get(layout.LOG)
        if not isinstance(view, LogView) or row >= len(view.rows):
            return
        if view.rows[row].kind is not RowKind.GAP:
            self.moving.to_number(view.rows[row].number)

    def _click_rain(self, row: int, column: int) -> None:
        view = self.desk.shown.get(layout.RAIN)
        if not isinstance(view, RainView):
            return
        number, state = place_in_rain(view, self.desk.heights.get(layout.RAIN, 0), row, column)
        if number is not None:
            self.moving.to_number(number)
        self._select(state)

    def _click_matrix(self, row: int, column: int) -> None:
        view = self.desk.shown.get(layout.MATRIX)
        if isinstance(view, MatrixView):
            self._select(place_in_matrix(view, self.desk.widths[layout.MATRIX], row, column))

    def _select(self, index: int | None) -> None:
        """Select a state by its place in the schema."""
        moment = self.desk.moment
        states = moment.track.schema_at(moment.number) if moment else ()
        if index is not None and index < len(states):
            self._stand_on(TreeSpot(states[index].name))
