"""The command palette: a line to type in, over the entries that are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from am_dbg.control import PALETTE_CHARS_MAX, PaletteEntry
from am_dbg.spans import left, right, width_of
from am_dbg.views.dialogs import Dialog
from am_dbg.views.typed_line import TypedLine

WIDTH = 92
FRAME = 4
SCROLL_BAR = 2
"""Columns that the scroll bar takes, with a space before it."""
KIND_WIDTH = 9
TITLE_WIDTH = 28


class PaletteDialog(Dialog):
    """Narrows the entries as the user types; its result is the name of the chosen one."""

    DEFAULT_CSS = """
    PaletteDialog Input, PaletteDialog Input:focus {
        border: none; height: 1; padding: 0; margin-bottom: 1; background: $am-dialog;
    }
    PaletteDialog OptionList, PaletteDialog OptionList:focus {
        height: auto; max-height: 20; border: none; padding: 0; background: $am-dialog;
        scrollbar-size-vertical: 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move('cursor_down')", "Down", show=False, priority=True),
        Binding("up", "move('cursor_up')", "Up", show=False, priority=True),
        Binding("pagedown", "move('page_down')", "Page", show=False, priority=True),
        Binding("pageup", "move('page_up')", "Page", show=False, priority=True),
        Binding("ctrl+p", "cancel", "Close", show=False, priority=True),
    ]

    def __init__(self, find: Callable[[str], Sequence[PaletteEntry]]) -> None:
        super().__init__()
        self._find = find
        self._entries = find("")

    def compose(self) -> ComposeResult:
        """The line over the list; texts are data and never read as markup."""
        needle = TypedLine(
            max_length=PALETTE_CHARS_MAX,
            placeholder="command, machine, state, file …",
            compact=True,
            id="needle",
        )
        listed = OptionList(*self._options())
        listed.can_focus = False
        listed.highlighted = 0
        box = Vertical(needle, listed, id="box")
        box.styles.width = min(WIDTH, self.app.size.width)
        box.border_title = "Commands"
        box.border_subtitle = "⏎ go · Esc close"
        yield box

    def _options(self) -> list[Option]:
        if not self._entries:
            return [Option(Text("nothing has these letters"), disabled=True)]
        width = min(WIDTH, self.app.size.width) - FRAME - SCROLL_BAR
        return [Option(Text(row_of(entry, width), no_wrap=True)) for entry in self._entries]

    @on(Input.Changed, "#needle")
    def _narrow(self, message: Input.Changed) -> None:
        message.stop()
        self._entries = self._find(message.value)
        listed = self.query_one(OptionList)
        listed.clear_options()
        listed.add_options(self._options())
        listed.highlighted = 0 if self._entries else None

    @on(Input.Submitted, "#needle")
    def _accept(self, message: Input.Submitted) -> None:
        message.stop()
        self._choose(self.query_one(OptionList).highlighted)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the entry that was clicked."""
        event.stop()
        self._choose(event.option_index)

    def _choose(self, index: int | None) -> None:
        if index is not None and index < len(self._entries):
            self.dismiss(self._entries[index].name)

    def action_move(self, how: str) -> None:
        """Move in the list while the line has the focus."""
        getattr(self.query_one(OptionList), f"action_{how}")()


def row_of(entry: PaletteEntry, width: int) -> str:
    """An entry on one row: what it is, its title, what it does, its keys at the right."""
    head = f"{left(entry.kind, KIND_WIDTH)} "
    keys = f" {entry.keys}" if entry.keys else ""
    room = max(0, width - width_of(head) - width_of(keys))
    title = left(entry.title, min(room, TITLE_WIDTH)) if entry.note else left(entry.title, room)
    note = left(f" {entry.note}", room - width_of(title)) if room > width_of(title) else ""
    return right(f"{head}{title}{note}{keys}", width)
