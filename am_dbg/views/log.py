"""The log pane."""

from __future__ import annotations

from am_dbg.drawing.layout import LOG
from am_dbg.drawing.log import draw_log, log_title_note
from am_dbg.projection.log.view import LogView
from am_dbg.views.pane import Drawn, Pane


class LogPane(Pane[LogView]):
    """Transitions as rows."""

    PANE = LOG

    def draw(self, view: LogView, width: int, height: int, *, lit: bool) -> Drawn:
        """The rows with level and filters."""
        return Drawn(draw_log(view, width, lit=lit), "Log", log_title_note(view))
