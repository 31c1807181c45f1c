"""The windows of the log as the workspace is: of one machine, and of all in the scope."""

from __future__ import annotations

from dataclasses import replace

from am_dbg.control.workspace import Workspace
from am_dbg.drawing.layout import Pane
from am_dbg.drawing.merged_log import merged_text_column
from am_dbg.projection.log.merged import merged_columns
from am_dbg.projection.log.merged_rows import MergedRows
from am_dbg.projection.log.merged_window import MergedWindow
from am_dbg.projection.log.window import LogWindow
from am_dbg.projection.steps import Moment
from am_dbg.query.across import Across
from am_dbg.query.cursor import Cursor


def log_window(workspace: Workspace, moment: Moment) -> LogWindow:
    """The window of the log of the selected machine."""
    height, visible = workspace.height_of(Pane.LOG), workspace.visible(moment.track)
    return LogWindow(moment, visible, height, workspace.log_options)


def merged_window(workspace: Workspace, moment: Moment, merged: Across) -> MergedWindow:
    """The window of the log of all machines in the scope."""
    options = workspace.log_options
    if options.width:
        width = workspace.width_of(Pane.LOG)
        room = width - merged_text_column(*merged_columns(merged), width)
        options = replace(options, width=max(1, room))
    rows = MergedRows(
        workspace.store,
        Cursor(moment.track, moment.number),
        workspace.filters.level,
        options,
        workspace.bookmarked,
    )
    return MergedWindow(merged, rows, workspace.height_of(Pane.LOG))
