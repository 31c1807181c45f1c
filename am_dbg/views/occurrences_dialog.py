"""The list of errors, canceled transitions or hits of all machines, over the whole screen."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from am_dbg.control import Control
from am_dbg.drawing.occurrences import draw_occurrences, occurrences_title
from am_dbg.projection.occurrences import OccurrenceKind
from am_dbg.views.dialogs import Dialog
from am_dbg.views.option_text import option_text
from am_dbg.views.theme import palette_of

MARGIN = 6
"""Columns that the frame, the padding and the scroll bar take."""
FRAME_ROWS = 2


class OccurrencesDialog(Dialog):
    """Shows a list at a time; its result is the index of the chosen row."""

    DEFAULT_CSS = """
    OccurrencesDialog > #box { width: 100%; height: 100%; }
    OccurrencesDialog OptionList, OccurrencesDialog OptionList:focus {
        height: 1fr; border: none; padding: 0; background: $surface;
        scrollbar-size-vertical: 1; scrollbar-background: $surface; scrollbar-color: $primary 40%;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,right", "turn(1)", "Next list", show=False),
        Binding("shift+tab,left", "turn(-1)", "Previous list", show=False),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
        Binding("exclamation_mark,q", "cancel", "Close", show=False),
    ]

    def __init__(self, control: Control, kind: OccurrenceKind = OccurrenceKind.ERROR) -> None:
        super().__init__()
        self._control = control
        self._kind = kind

    def compose(self) -> ComposeResult:
        """The list in its box."""
        box = Vertical(OptionList(), id="box")
        box.border_subtitle = "⏎ go · ⇥ next list · Esc close"
        yield box

    def on_mount(self) -> None:
        """Fill the list for the first time."""
        self._fill()

    def on_resize(self, _: events.Resize) -> None:
        """Draw the rows at the new width."""
        self._fill()

    def action_turn(self, by: int) -> None:
        """Show another list."""
        kinds = self._control.occurrence_kinds()
        at = kinds.index(self._kind) if self._kind in kinds else 0
        self._kind = kinds[(at + by) % len(kinds)]
        self._fill()

    def action_move(self, by: int) -> None:
        """Go a row down or up."""
        rows = self.query_one(OptionList)
        if by > 0:
            rows.action_cursor_down()
        else:
            rows.action_cursor_up()

    def _fill(self) -> None:
        view = self._control.occurrences(self._kind)
        rows = self.query_one(OptionList)
        palette = palette_of(self.app.current_theme)
        rows.clear_options()
        lines = draw_occurrences(view, max(20, self.app.size.width - MARGIN))
        rows.add_options([Option(option_text(row, palette)) for row in lines])
        rows.highlighted = view.at if view.rows else None
        rows.focus()
        self.query_one("#box", Vertical).border_title = occurrences_title(view)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Return the index."""
        event.stop()
        self.dismiss(str(event.option_index))
