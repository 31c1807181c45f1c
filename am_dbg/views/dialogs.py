"""The kinds of dialogs: a line of text, lines to read, a list. Keys never reach the panes below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from am_dbg.projection.clean import clean
from am_dbg.projection.faults import Failed, attempt
from am_dbg.spans import SpanLine
from am_dbg.views.option_text import option_text
from am_dbg.views.static_lines import StaticLines
from am_dbg.views.theme import palette_of

TEXT_MAX = 1_000
HINT_HEIGHT_MIN = 20
"""On a screen with fewer rows, what is wrong with a text takes the place of the hint."""
LINES_FRAME = 5
"""Columns that the frame of lines takes, with its scroll bar."""
LIST_WIDTH_MIN, LIST_WIDTH_MAX = 72, 120
LIST_MARGIN = 6
"""Columns that the frame of a list and the space around its entries take."""


class Dialog(ModalScreen[str | None]):
    """A box in the middle of the screen; its result is a text, or None if it was canceled."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: transparent; }
    Dialog > #box {
        width: 72; max-width: 100%; height: auto; max-height: 100%;
        padding: 0 1; border: round $am-dialog-frame;
        background: $am-dialog; color: $am-dialog-text;
        border-title-color: $am-dialog-text; border-title-style: bold; border-title-align: left;
        border-subtitle-color: $am-dialog-quiet; border-subtitle-align: right;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Close", show=False)]

    def action_cancel(self) -> None:
        """Close without a result."""
        self.dismiss(None)


class TextDialog(Dialog):
    """Asks for one line of text; `check` returns what is wrong with it, empty for nothing."""

    DEFAULT_CSS = """
    TextDialog Input, TextDialog Input:focus {
        border: none; height: 1; padding: 0 1; margin-top: 1; background: $am-input;
    }
    TextDialog #hint { color: $am-dialog-quiet; margin: 1 0; }
    TextDialog #trouble { color: $am-dialog-warning; margin-bottom: 1; display: none; }
    """

    def __init__(
        self,
        title: str,
        hint: str,
        value: str = "",
        *,
        accept: str = "go",
        check: Callable[[str], str],
    ) -> None:
        super().__init__()
        self._check = check
        self._title = title
        self._hint = hint
        self._value = value
        self._accept = accept

    def compose(self) -> ComposeResult:
        """The line with its hint."""
        text = Input(self._value, max_length=TEXT_MAX, compact=True, id="line")
        text.cursor_blink = False
        box = Vertical(
            text,
            Static(Text(self._hint), id="hint"),
            Static("", id="trouble", markup=False),
            id="box",
        )
        box.border_title = Text(self._title)
        box.border_subtitle = f"⏎ {self._accept} · Esc cancel"
        yield box

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return the text, or show what is wrong with it."""
        event.stop()
        trouble = attempt("the dialog", lambda: self._check(event.value))
        if isinstance(trouble, Failed):
            trouble.log()
            self.show_error(trouble.reason)
        elif trouble:
            self.show_error(trouble)
        else:
            self.dismiss(event.value)

    def show_error(self, trouble: str) -> None:
        """Show what is wrong; the dialog stays open."""
        self.query_one("#hint").display = self.app.size.height >= HINT_HEIGHT_MIN
        label = self.query_one("#trouble", Static)
        label.update(Text(clean(trouble)))
        label.styles.display = "block"


class LinesDialog(Dialog):
    """Shows lines; scrolls if there are more than fit, and closes on a click too."""

    DEFAULT_CSS = """
    LinesDialog > #box { width: auto; }
    LinesDialog VerticalScroll {
        height: auto; max-height: 100%; scrollbar-size-vertical: 1;
        scrollbar-background: $am-dialog; scrollbar-background-hover: $am-dialog;
        scrollbar-background-active: $am-dialog; scrollbar-color: $am-dialog-quiet;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,q,d,enter", "cancel", "Close", show=False)
    ]

    def __init__(self, title: str, lines: Sequence[SpanLine], note: str = "Esc close") -> None:
        super().__init__()
        self._title = title
        self._lines = lines
        self._note = note

    def compose(self) -> ComposeResult:
        """The lines."""
        box = VerticalScroll(StaticLines(self._lines, palette_of(self.app.current_theme)), id="box")
        box.styles.width = max((line.width for line in self._lines), default=0) + LINES_FRAME
        box.border_title = Text(self._title)
        box.border_subtitle = self._note
        yield box

    def on_click(self, event: events.Click) -> None:
        """Close."""
        event.stop()
        self.dismiss(None)


class ListDialog(Dialog):
    """Shows a list; its result is the index of the chosen entry."""

    DEFAULT_CSS = """
    ListDialog OptionList, ListDialog OptionList:focus {
        height: auto; max-height: 20; border: none; padding: 0; background: $am-dialog;
        scrollbar-size-vertical: 1;
    }
    """

    def __init__(self, title: str, rows: Sequence[SpanLine]) -> None:
        super().__init__()
        self._title = title
        self._rows = rows

    def compose(self) -> ComposeResult:
        """The list; its texts are data and never read as markup."""
        palette = palette_of(self.app.current_theme)
        entries = [Option(option_text(row, palette, wraps=True)) for row in self._rows]
        box = Vertical(OptionList(*entries), id="box")
        widest = max((row.width for row in self._rows), default=0) + LIST_MARGIN
        box.styles.width = max(LIST_WIDTH_MIN, min(LIST_WIDTH_MAX, widest))
        box.border_title = Text(self._title)
        box.border_subtitle = "⏎ go · Esc close"
        yield box

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Return the index."""
        event.stop()
        self.dismiss(str(event.option_index))
