"""The input line of the search and of filters."""

from __future__ import annotations

from textual.widgets import Input

from am_dbg.control import SEARCH_CHARS_MAX
from am_dbg.drawing.layout import Box, Pane
from am_dbg.views.typed_line import TypedLine


class SearchLine(TypedLine):
    """An input on one row; hidden until a search begins."""

    DEFAULT_CSS = """
    SearchLine, SearchLine:focus {
        position: absolute; display: none; border: none; height: 1; padding: 0 1;
        background: $am-input; color: $am-input-text;
    }
    """

    def __init__(self) -> None:
        super().__init__(
            id=Pane.SEARCH, max_length=SEARCH_CHARS_MAX, placeholder="search", compact=True
        )
        self.can_focus = False

    def place(self, box: Box | None, prompt: str = "search", text: str = "") -> None:
        """Show the line with the focus, or hide it and give the focus back.

        `text` is what the line begins with when it is shown.
        """
        if box is None:
            if self.can_focus:
                self.can_focus = False
                self.styles.display = "none"
                self.screen.set_focus(None)
                with self.prevent(Input.Changed):
                    self.value = ""
            return
        self.styles.offset = (box.x, box.y)
        self.styles.width = box.width
        if not self.can_focus:
            self.can_focus = True
            self.placeholder = prompt
            with self.prevent(Input.Changed):
                self.value = text
            self.cursor_position = len(text)
            self.styles.display = "block"
            self.focus()
