"""Scrolling of the log by rows, however many rows a transition has."""

from __future__ import annotations

from dataclasses import dataclass

from am_dbg.control.modes import Modes
from am_dbg.control.navigation import Navigation
from am_dbg.control.workspace import Workspace
from am_dbg.drawing.layout import Pane
from am_dbg.projection.log.merged import merged_top_moved
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
        window, workspace = self._window(), self.workspace
        if window is None or not self.modes.scrolled():
            return
        merged, first = workspace.merged, workspace.merged_top
        if merged is not None and first is not None:
            workspace.merged_top = merged_top_moved(merged, first, rows, window.height)
        else:
            workspace.log_place = window.scrolled(workspace.log_place, rows)
        workspace.scrolled_away.add(Pane.LOG)

    def move(self, rows: int) -> None:
        """Move the cursor by rows; read a transition to its end first if it is that tall."""
        window, cursor = self._window(), self.workspace.cursor
        if window is None or cursor is None:
            return
        is_merged = self.workspace.merged is not None
        if not is_merged and self._goes_on(window, rows):
            self.scroll(rows)
        elif abs(rows) == 1:
            self.navigation.by_one(rows)
        elif is_merged:
            self.navigation.by_many(rows)
        else:
            self.navigation.to_number(window.rows_on(cursor.number, rows))

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

    def _window(self) -> LogWindow | None:
        workspace, moment = self.workspace, self.workspace.moment
        if moment is None:
            return None
        height = max(1, workspace.height_of(Pane.LOG))
        return LogWindow(moment, workspace.visible(moment.track), height, workspace.log_options)
