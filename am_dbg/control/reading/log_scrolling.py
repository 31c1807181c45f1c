"""Scrolling of the log by rows, however many rows a transition has."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.control.modes import Modes
from am_dbg.control.navigation import Navigation
from am_dbg.control.reading.log_windows import log_window, merged_window
from am_dbg.control.workspace import Workspace
from am_dbg.drawing.layout import Pane
from am_dbg.projection.log.merged_window import MergedWindow
from am_dbg.projection.log.view import LogView
from am_dbg.projection.log.window import LogWindow


@dataclass(eq=False, slots=True)
class LogScrolling:
    """Scrolls the log, and moves the cursor in it by rows."""

    workspace: Workspace
    modes: Modes
    navigation: Navigation

    def scroll(self, rows: int) -> None:
        """Scroll by rows; the cursor stays, and the log no longer follows it."""
        workspace, moment = self.workspace, self.workspace.moment
        if moment is None or not self.modes.scrolled():
            return
        if (merged := workspace.merged) is None:
            window = log_window(workspace, moment)
            workspace.log_place = window.scrolled(workspace.log_place, rows)
        elif (top := workspace.merged_top) is not None:
            workspace.merged_top = merged_window(workspace, moment, merged).scrolled(top, rows)
        workspace.scrolled_away.add(Pane.LOG)

    def move(self, rows: int) -> None:
        """Move the cursor by rows; read a transition to its end first if it is that tall."""
        moment, cursor = self.workspace.moment, self.workspace.cursor
        if moment is None or cursor is None:
            return
        if (merged := self.workspace.merged) is not None:
            self._move_merged(merged_window(self.workspace, moment, merged), rows)
            return
        window = log_window(self.workspace, moment)
        if self._goes_on(window, rows):
            self.scroll(rows)
        elif abs(rows) == 1 or (on := window.rows_on(cursor.number, rows)) == cursor.number:
            self._by_one(1 if rows > 0 else -1)
        else:
            self.navigation.to_number(on)

    def _move_merged(self, window: MergedWindow, rows: int) -> None:
        top = self.workspace.merged_top
        if top is not None and window.goes_on(top, rows):
            self.scroll(rows)
        elif abs(rows) == 1 or (on := window.rows_on(rows)) == window.here:
            self._by_one(1 if rows > 0 else -1)
        else:
            self.navigation.to_place(on)

    def _by_one(self, by: int) -> None:
        """Move by a transition; at both ends the last rows stay where they are."""
        workspace = self.workspace
        before, is_away = workspace.cursor, Pane.LOG in workspace.scrolled_away
        self.navigation.by_one(by)
        if is_away and workspace.cursor == before:
            workspace.scrolled_away.add(Pane.LOG)

    def _goes_on(self, window: LogWindow, rows: int) -> bool:
        """Whether the current transition has more rows in this direction than are on show."""
        view = self.workspace.shown_views.get(Pane.LOG)
        if not isinstance(view, LogView) or not view.rows:
            return False
        number = window.moment.number
        edge = view.rows[-1 if rows > 0 else 0]
        if edge.number != number or edge.number <= window.before_first:
            return False
        if rows < 0:
            return view.top == number and view.skip > 0
        shown = [row for row in view.rows if row.number == number]
        skipped = view.skip if view.top == number else 0
        return skipped + len(shown) < len(window.rows_of(number))
