"""The dialogs: each asks or shows one thing, Esc closes it, no key reaches the panes below."""

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
from am_dbg.views.static_lines import Picture
from am_dbg.views.theme import palette_of

TEXT_MAX = 1_000


class Dialog(ModalScreen[str | None]):
    """A box in the middle; it ends with a text or with nothing."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog > #box {
        width: 72; max-width: 100%; height: auto; max-height: 100%;
        padding: 0 1; background: $surface; border: round $primary;
        border-title-color: $foreground; border-title-style: bold; border-title-align: left;
        border-subtitle-color: $foreground 60%; border-subtitle-align: right;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Close", show=False)]

    def action_cancel(self) -> None:
        """Close without a result."""
        self.dismiss(None)


class Asking(Dialog):
    """Asks for one line of text; what is wrong with it is shown below the line."""

    DEFAULT_CSS = """
    Asking Input, Asking Input:focus {
        border: none; height: 1; padding: 0 1; margin-top: 1; background: $panel;
    }
    Asking #hint { color: $foreground 60%; margin: 1 0; }
    Asking #trouble { color: $warning; margin-bottom: 1; display: none; }
    """

    def __init__(
        self,
        title: str,
        hint: str,
        value: str = "",
        *,
        accept: str = "go",
        check: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__()
        self._check = check
        self._title = title
        self._hint = hint
        self._value = value
        self._accept = accept

    def compose(self) -> ComposeResult:
        """The line, and what to write into it."""
        text = Input(self._value, max_length=TEXT_MAX, compact=True, id="line")
        text.cursor_blink = False
        box = Vertical(
            text,
            Static(Text(self._hint), id="hint"),
            Static("", id="trouble", markup=False),
            id="box",
        )
        box.border_title = self._title
        box.border_subtitle = f"⏎ {self._accept} · Esc cancel"
        yield box

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the text over, unless something is wrong with it."""
        event.stop()
        trouble = attempt("the dialog", lambda: self.check(event.value))
        if isinstance(trouble, Failed):
            trouble.log()
            self.tell(trouble.reason)
        elif trouble:
            self.tell(trouble)
        else:
            self.dismiss(event.value)

    def tell(self, trouble: str) -> None:
        """Say what is wrong; the line stays open."""
        label = self.query_one("#trouble", Static)
        label.update(Text(clean(trouble)))
        label.styles.display = "block"

    def check(self, value: str) -> str:
        """What is wrong with a text, empty for nothing."""
        if self._check is not None:
            return self._check(value)
        return "" if value.strip() else "nothing was written"


class Showing(Dialog):
    """Shows lines, scrolling when there are more than fit; it closes on a click too."""

    DEFAULT_CSS = """
    Showing > #box { width: auto; }
    Showing VerticalScroll {
        height: auto; max-height: 100%; scrollbar-size-vertical: 1;
        scrollbar-background: $surface; scrollbar-background-hover: $surface;
        scrollbar-background-active: $surface; scrollbar-color: $primary 40%;
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
        box = VerticalScroll(Picture(self._lines, palette_of(self.app.current_theme)), id="box")
        box.styles.width = max((line.width for line in self._lines), default=0) + 5
        box.border_title = self._title
        box.border_subtitle = self._note
        yield box

    def on_click(self, event: events.Click) -> None:
        """Close."""
        event.stop()
        self.dismiss(None)


class Choosing(Dialog):
    """Offers a list; it ends with the address of what was chosen."""

    DEFAULT_CSS = """
    Choosing OptionList, Choosing OptionList:focus {
        height: auto; max-height: 20; border: none; padding: 0; background: $surface;
    }
    """

    def __init__(self, title: str, options: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title = title
        self._options = options

    def compose(self) -> ComposeResult:
        """The list; its texts are data and never read as markup."""
        entries = [Option(Text(text), id=str(at)) for at, (text, _) in enumerate(self._options)]
        box = Vertical(OptionList(*entries), id="box")
        box.border_title = self._title
        box.border_subtitle = "⏎ go · Esc close"
        yield box

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Hand the address over."""
        event.stop()
        self.dismiss(self._options[event.option_index][1])
