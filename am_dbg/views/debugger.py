"""The Textual application: places the panes and passes keys and clicks to control.

The application decides nothing. It passes an action to control, then projects the screen again
and gives each pane its view. A pane whose view is the same does nothing. When data arrives in
the background, the screen is projected too, at most ten times a second. If a part of this
fails, the footer or the pane shows the error, and the rest goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from threading import Lock

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingsMap
from textual.driver import Driver
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from am_dbg.control import Control, CopyText, Effect, OpenDialog, Quit, Suspend, UseTheme
from am_dbg.drawing.layout import Pane
from am_dbg.keys import KEYS, Key
from am_dbg.projection.addresses.pasted import pasted_address
from am_dbg.projection.faults import Failed, attempt
from am_dbg.projection.times import count
from am_dbg.views.colors.choice import ColorChoice
from am_dbg.views.colors.colorful_app import STYLES, ColorfulApp
from am_dbg.views.colors.themes import DARK
from am_dbg.views.crash_report import ScreenFailedError, crash_report
from am_dbg.views.dialog_opener import DialogOpener
from am_dbg.views.dialogs import Dialog
from am_dbg.views.messages import (
    ActionRequested,
    BorderDragged,
    DataArrived,
    Exported,
    ImportProgressed,
    LinkClicked,
    RowClicked,
    Scrolled,
    StepClicked,
    Warned,
)
from am_dbg.views.pane import PaneWidget
from am_dbg.views.pane_table import PANES
from am_dbg.views.search import SearchLine
from am_dbg.views.theme import palette_of

CLIPBOARD_CHARS_MAX = 100_000
COUNT_EVERY_S = 0.03
"""How often a slice of a count runs while a text is typed; keys are handled in between."""
SEARCH_LINE = f"#{Pane.SEARCH}"


def bindings(keys: Sequence[Key] = KEYS) -> list[Binding]:
    """Textual's bindings from a table of keys."""
    return [
        Binding(
            ",".join(key.all_keys),
            f"app.press('{key.action}')",
            key.help,
            show=False,
            id=key.action,
        )
        for key in keys
        if key.all_keys
    ]


class MainScreen(Screen[None], inherit_bindings=False):
    """The screen of the panes, with the keys of the user's table and no others."""

    def __init__(self, keys: Sequence[Key] = KEYS) -> None:
        super().__init__(id="_default")
        self._bindings = BindingsMap(bindings(keys))


class Debugger(ColorfulApp[int], inherit_bindings=False):
    """Shows what control projects."""

    TITLE = "am-dbg"
    ENABLE_COMMAND_PALETTE = False  # Textual's; ours is a dialog
    CSS = "MainScreen { background: $background; overflow: hidden; }" + STYLES

    def __init__(self, control: Control, colors: ColorChoice | None = None) -> None:
        super().__init__(colors, driver_class())
        self.control = control
        self._panes: list[PaneWidget] = []
        self._dialogs = DialogOpener(self)
        self._player: Timer | None = None
        self._play_every_s = 0.0
        self._counter: Timer | None = None
        self._early: dict[type[Message], Message] = {}
        self._early_lock = Lock()
        self._canvas = Size(0, 0)
        self.chosen_theme = ""
        """The theme that the user chose, to be kept."""
        self.palette = palette_of(DARK)

    def compose(self) -> ComposeResult:
        """All panes exist from the start; layouts show and hide them."""
        self._panes = [PaneWidget(kind) for kind in PANES]
        yield from self._panes
        yield SearchLine()

    def on_mount(self) -> None:
        """Use the theme, start the timer that plays, and paint for the first time."""
        self.start_theme()
        self.control.offer_themes(sorted(self.available_themes))
        self._canvas = self.size
        self._player = self.set_interval(1, self._play, pause=True)
        self._counter = self.set_interval(COUNT_EVERY_S, self._count, pause=True)
        self._recolour()
        self.theme_changed_signal.subscribe(self, lambda _: self._recolour())
        self.app_resume_signal.subscribe(self, lambda _: self.screen.refresh(layout=True))
        self.attempt("reading new data", self.control.data_arrived)
        self._handle_early_messages()

    def _recolour(self) -> None:
        """Use the palette of the new theme."""
        self.palette = palette_of(self.current_theme)
        self.paint()

    def post_from_thread(self, message: Message) -> None:
        """Post a message from any thread.

        Of the messages from before the screen runs, the last one of each kind is handled as soon
        as it does: a short session is read before its end can be reported. Messages from after
        its end are dropped.
        """
        with self._early_lock:
            if self.is_running:
                self.post_message(message)
            else:
                self._early[type(message)] = message

    def _handle_early_messages(self) -> None:
        with self._early_lock:
            for message in self._early.values():
                self.post_message(message)
            self._early.clear()

    @property
    def trouble(self) -> ScreenFailedError | None:
        """The fault that ended the screen, if one did."""
        return crash_report(self._exception) if self._exception else None

    def _fatal_error(self) -> None:
        """Close after a fault; the caller of `run` reports it when the terminal is back."""
        self._close_messages_no_wait()

    def get_default_screen(self) -> MainScreen:
        """The screen below every dialog."""
        return MainScreen(self.control.keys)

    def on_resize(self, event: events.Resize) -> None:
        """Paint at the new size."""
        self._canvas = event.size
        self.paint()

    def paint(self) -> None:
        """Project the screen, and give every pane its view."""
        if self._player is None:
            return
        painted = attempt("the painting of the screen", self._paint)
        if isinstance(painted, Failed):
            painted.log()

    def _paint(self) -> None:
        screen = self.control.project(self._canvas.width, self._canvas.height)
        for pane in self._panes:
            pane.show(screen, self.palette)
        line = screen.filter_line
        self.query_one(SearchLine).place(
            screen.layout.boxes.get(Pane.SEARCH), "filter" if line.is_open else "search", line.text
        )
        self._set_player(screen.play_every_s, is_playing=screen.is_playing)
        if self._counter is not None:
            (self._counter.resume if screen.is_counting else self._counter.pause)()

    def _set_player(self, every_s: float, *, is_playing: bool) -> None:
        """Let the timer run while something plays; a new speed needs a new timer."""
        assert self._player is not None  # nothing is painted before it is there
        if every_s != self._play_every_s:
            self._player.stop()
            self._player = self.set_interval(every_s, self._play, pause=True)
            self._play_every_s = every_s
        if is_playing:
            self._player.resume()
        else:
            self._player.pause()

    def attempt(self, what: str, work: Callable[[], object]) -> None:
        """Carry something out, then paint; a failure is shown in the footer and ends nothing."""
        done = attempt(what, work)
        if isinstance(done, Failed):
            done.log()
            self.control.show_message(f"{what} failed: {done.reason}")
        self.paint()

    def action_press(self, action: str) -> None:
        """Carry out the action of a key where the focus is."""
        self.attempt(_named(action), lambda: self.carry_out(self.control.press(action)))

    def action_do(self, action: str) -> None:
        """Carry out the action that a click or the palette names."""
        self.attempt(_named(action), lambda: self.carry_out(self.control.do(action)))

    def carry_out(self, effect: Effect | None) -> None:
        """Do what control asks of the screen."""
        match effect:
            case CopyText():
                self._copy(effect)
            case OpenDialog():
                self._dialogs.open(effect.kind)
            case UseTheme():
                self.theme = self.chosen_theme = effect.name
            case Suspend():
                self.action_suspend_process()
            case Quit():
                self.exit(0)

    def _copy(self, effect: CopyText) -> None:
        """Put a text on the clipboard of the terminal, also over ssh."""
        text = effect.text[:CLIPBOARD_CHARS_MAX]
        self.copy_to_clipboard(text)
        self.control.show_message(
            f"{effect.what} copied, {count(len(text))} characters, if the terminal allows it"
        )

    def _count(self) -> None:
        """Count on between the keys what the typed text finds."""
        counted = attempt("the search", self.control.count_further)
        if isinstance(counted, Failed):
            counted.log()
            self.control.show_message(f"the search failed: {counted.reason}")
        if counted:
            self.paint()

    def _play(self) -> None:
        self.attempt("playing", self.control.play_next)

    @on(ActionRequested)
    def _action_requested(self, message: ActionRequested) -> None:
        self.action_do(message.action)

    @on(LinkClicked)
    def _link_clicked(self, message: LinkClicked) -> None:
        if message.address.startswith("pane:"):
            name = message.address.removeprefix("pane:")
            self.attempt("the change of panes", lambda: self.control.focus_on(Pane(name)))
        else:
            self.attempt("the jump", lambda: self.control.open_address(message.address))

    @on(RowClicked)
    def _row_clicked(self, message: RowClicked) -> None:
        self.attempt(
            "the click",
            lambda: self.control.click(
                message.pane, message.row, message.column, again=message.again
            ),
        )

    @on(StepClicked)
    def _step_clicked(self, message: StepClicked) -> None:
        self.attempt("the step", lambda: self.control.click_step(message.step))

    @on(Scrolled)
    def _scrolled(self, message: Scrolled) -> None:
        self.attempt("scrolling", lambda: self.control.scroll(message.pane, message.by))

    @on(BorderDragged)
    def _border_dragged(self, message: BorderDragged) -> None:
        self.attempt(
            "resizing", lambda: self.control.drag_border(message.border, message.x, message.y)
        )

    @on(DataArrived)
    def _data_arrived(self) -> None:
        self.attempt("reading new data", self.control.data_arrived)

    @on(ImportProgressed)
    def _import_progressed(self, message: ImportProgressed) -> None:
        self.attempt("the import", lambda: self.control.import_progressed(message.progress))

    @on(Warned)
    def _warned(self, message: Warned) -> None:
        self.control.show_message(message.text)
        self.paint()

    @on(Exported)
    def _exported(self, message: Exported) -> None:
        self.control.exported(message.report)
        self.paint()

    def on_paste(self, event: events.Paste) -> None:
        """Go to the address in a pasted text, and close what is open; other texts are ignored."""
        address = pasted_address(event.text)
        if not address:
            return
        if isinstance(self.screen, Dialog):
            self.screen.dismiss(None)
        self.attempt("the jump", lambda: self.control.open_pasted(address))

    @on(Input.Changed, SEARCH_LINE)
    def _search_typed(self, message: Input.Changed) -> None:
        self.attempt("the search", lambda: self.control.type_search(message.value))

    @on(Input.Submitted, SEARCH_LINE)
    def _search_accepted(self) -> None:
        self.attempt("the search", self.control.accept_search)

    def dialog_closed(self) -> None:
        """Note that the user closed a dialog."""
        self.control.dialog_closed()
        self.paint()


def _named(action: str) -> str:
    """An action in words."""
    return action.replace("_", " ")


def driver_class() -> type[Driver] | None:
    """Our driver on Unix terminals, else the one that Textual selects."""
    if sys.platform == "win32":
        return None
    from am_dbg.views.terminal_driver import TerminalDriver

    return TerminalDriver
