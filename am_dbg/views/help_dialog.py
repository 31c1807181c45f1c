"""The help: keys and marks; typing narrows it, and arrows scroll."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input

from am_dbg.spans import SpanLine
from am_dbg.views.dialogs import LINES_FRAME, LinesDialog
from am_dbg.views.static_lines import StaticLines
from am_dbg.views.theme import palette_of
from am_dbg.views.typed_line import TypedLine

NEEDLE_CHARS_MAX = 60
FRAME_ROWS = 4
"""Rows of the dialog besides the help: the frame, the line of the search, an empty one."""


class HelpDialog(LinesDialog):
    """Shows the help; letters narrow it to the rows that have them."""

    DEFAULT_CSS = """
    HelpDialog #needle, HelpDialog #needle:focus {
        border: none; height: 1; padding: 0; margin-bottom: 1; background: $surface;
    }
    HelpDialog VerticalScroll { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,enter,escape", "cancel", "Close", show=False, priority=True),
        Binding("down", "scroll('scroll_down')", "Down", show=False, priority=True),
        Binding("up", "scroll('scroll_up')", "Up", show=False, priority=True),
        Binding("pagedown", "scroll('scroll_page_down')", "Page", show=False, priority=True),
        Binding("pageup", "scroll('scroll_page_up')", "Page", show=False, priority=True),
        Binding("home", "scroll('scroll_home')", "Top", show=False, priority=True),
        Binding("end", "scroll('scroll_end')", "End", show=False, priority=True),
    ]

    def __init__(self, lines_for: Callable[[str], Sequence[SpanLine]], about: str = "") -> None:
        note = " · ".join(filter(None, (about, "Esc close")))
        super().__init__("Help", lines_for(""), note)
        self._lines_for = lines_for

    def compose(self) -> ComposeResult:
        """The line of the search over the rows; the box keeps its size while rows go."""
        needle = TypedLine(
            max_length=NEEDLE_CHARS_MAX, placeholder="type to search", compact=True, id="needle"
        )
        rows = StaticLines(self._lines, palette_of(self.app.current_theme))
        box = Vertical(needle, VerticalScroll(rows, can_focus=False), id="box")
        box.styles.width = max((line.width for line in self._lines), default=0) + LINES_FRAME
        box.styles.height = len(self._lines) + FRAME_ROWS
        box.border_title = self._title
        box.border_subtitle = self._note
        yield box

    @on(Input.Changed, "#needle")
    def _narrow(self, message: Input.Changed) -> None:
        message.stop()
        self.query_one(StaticLines).show(self._lines_for(message.value))
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def action_scroll(self, how: str) -> None:
        """Scroll the rows."""
        getattr(self.query_one(VerticalScroll), how)(animate=False)
