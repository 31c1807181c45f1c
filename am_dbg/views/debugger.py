"""The Textual application: places the panes and passes keys and clicks to control.

Nothing here decides anything. An action goes to control, then everything is looked at again
and each pane takes its view. A pane whose view is the same does nothing. Data that arrives in
the background causes the same look, at most ten times a second. If a part of this fails, the
footer or the pane shows it, and the rest goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from textual import events, on
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingsMap
from textual.driver import Driver
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from am_dbg.control import Control, CopyText, Effect, Look, OpenDialog, OpenPalette, Quit, Suspend
from am_dbg.control import states as s
from am_dbg.drawing import layout as at
from am_dbg.keys import KEYS, Key
from am_dbg.projection.addresses.write import SCHEME
from am_dbg.projection.bars import Playback
from am_dbg.projection.faults import Failed, attempt
from am_dbg.views.crash_report import ScreenFailedError, failed
from am_dbg.views.dialog_opener import Talking
from am_dbg.views.log import LogPane
from am_dbg.views.machines import MachineList
from am_dbg.views.matrix import MatrixPane
from am_dbg.views.messages import (
    Asked,
    DataArrived,
    Exported,
    ImportProgressed,
    LinkChosen,
    RowChosen,
    Scrolled,
    StepChosen,
    Warned,
)
from am_dbg.views.notice import Notice
from am_dbg.views.pane import Pane
from am_dbg.views.pane_table import (
    AddressBar,
    FilterBar,
    Footer,
    Rule,
    StatusRow,
    StepsRow,
    Tabs,
    Timeline,
    TransitionBar,
)
from am_dbg.views.rain import RainPane
from am_dbg.views.reader import ReaderPane
from am_dbg.views.search import SearchLine
from am_dbg.views.states_tree import StatesTree
from am_dbg.views.theme import DARK, THEMES, palette_of

PLAY_EVERY_S = 0.5

PANES: tuple[tuple[type[Pane[Any]], Callable[[Look], Any]], ...] = (
    (MachineList, lambda look: look.machines),
    (StatesTree, lambda look: look.states),
    (LogPane, lambda look: look.log),
    (RainPane, lambda look: look.rain),
    (MatrixPane, lambda look: look.matrix),
    (ReaderPane, lambda look: look.reader),
    (AddressBar, lambda look: look.address),
    (Tabs, lambda look: look.tabs),
    (TransitionBar, lambda look: look.transition),
    (Timeline, lambda look: look.timeline),
    (StepsRow, lambda look: look.steps),
    (FilterBar, lambda look: look.filters),
    (Footer, lambda look: look.footer),
    (Rule, lambda look: None),
    (StatusRow, lambda look: look.status),
    (Notice, lambda look: None),
)


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
    """The screen of the panes: the keys of the table, as the user has them, and no others."""

    def __init__(self, keys: Sequence[Key] = KEYS) -> None:
        super().__init__(id="_default")
        self._bindings = BindingsMap(bindings(keys))


class Debugger(App[int], inherit_bindings=False):
    """Shows what control looks at."""

    TITLE = "am-dbg"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "no_key"  # the table has the key; Textual requires its own
    CSS = """
    MainScreen { background: $background; overflow: hidden; }
    """

    def __init__(self, control: Control, *, theme: str = DARK.name) -> None:
        super().__init__(driver_class=_driver_class())
        self.control = control
        self._panes: list[tuple[Pane[Any], Callable[[Look], Any]]] = []
        self._start_theme = theme
        self._talking = Talking(self)
        self._player: Timer | None = None
        self._canvas = Size(0, 0)
        self.palette = palette_of(DARK)

    def compose(self) -> ComposeResult:
        """Every pane is there from the start; layouts show and hide them."""
        self._panes = [(pane(), view_of) for pane, view_of in PANES]
        yield from (pane for pane, _ in self._panes)
        yield SearchLine()

    def on_mount(self) -> None:
        """Take our themes, start the clock that plays, and look for the first time."""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self._start_theme
        self._canvas = self.size
        self._player = self.set_interval(PLAY_EVERY_S, self._play, pause=True)
        self._recolour()
        self.theme_changed_signal.subscribe(self, lambda _: self._recolour())
        self.app_resume_signal.subscribe(self, lambda _: self.screen.refresh(layout=True))
        self.attempt("taking in what arrived", self.control.data_arrived)

    def _recolour(self) -> None:
        """Take the palette of the new theme."""
        self.palette = palette_of(self.current_theme)
        self.paint()

    def tell(self, message: Message) -> None:
        """Take a message from any thread; before the screen is up it is not needed."""
        if self.is_running:
            self.post_message(message)

    @property
    def trouble(self) -> ScreenFailedError | None:
        """The fault that ended the screen, if one did."""
        return failed(self._exception) if self._exception else None

    def _fatal_error(self) -> None:
        """Close after a fault; the caller of `run` reports it when the terminal is back."""
        self._close_messages_no_wait()

    def get_default_screen(self) -> MainScreen:
        """The screen below every dialog."""
        return MainScreen(self.control.keys)

    def on_resize(self, event: events.Resize) -> None:
        """Look again at the new size."""
        self._canvas = event.size
        self.paint()

    def paint(self) -> None:
        """Look, and let every pane take its view."""
        if self._player is None:
            return
        painted = attempt("the painting of the screen", self._paint)
        if isinstance(painted, Failed):
            painted.log()

    def _paint(self) -> None:
        look = self.control.look(self._canvas.width, self._canvas.height)
        boxes = look.layout.boxes
        for pane, view_of in self._panes:
            box = boxes.get(pane.PANE)
            pane.place(box)
            if box is not None:
                lit = look.focus == pane.PANE
                framed = look.layout.is_framed(pane.PANE)
                failed = look.failed.get(pane.PANE)
                pane.take(view_of(look), self.palette, lit=lit, is_framed=framed, failed=failed)
        self.query_one(SearchLine).place(boxes.get(at.SEARCH))
        assert self._player is not None  # nothing is painted before it is there
        if self.control.modes.playback is Playback.PLAYING:
            self._player.resume()
        else:
            self._player.pause()

    def attempt(self, what: str, work: Callable[[], object]) -> None:
        """Do what was asked for, then look again; a failure is shown and ends nothing."""
        done = attempt(what, work)
        if isinstance(done, Failed):
            done.log()
            self.control.desk.message = f"{what} failed: {done.reason}"
        self.paint()

    def action_press(self, action: str) -> None:
        """Carry out the action of a key where the focus is."""
        if action == "escape" and self.control.modes.searching:
            self.attempt("the search", self.control.searching.cancel)
        else:
            self.attempt(_named(action), lambda: self._carry_out(self.control.press(action)))

    def action_do(self, action: str) -> None:
        """Carry out the action that a click or the palette names."""
        self.attempt(_named(action), lambda: self._carry_out(self.control.do(action)))

    def _carry_out(self, effect: Effect | None) -> None:
        match effect:
            case CopyText():
                self._talking.copy(effect)
            case OpenDialog():
                self._talking.open(effect.mode)
            case OpenPalette():
                self.action_command_palette()
            case Suspend():
                self.action_suspend_process()
            case Quit():
                self.exit(0)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette has every key of the table, and Textual's themes."""
        for key in self.control.keys:
            if key.action != "command_palette":
                yield SystemCommand(
                    _named(key.action).capitalize(),
                    key.help,
                    lambda action=key.action: self.action_do(action),
                )
        yield SystemCommand("Theme", "change the colours", self.action_change_theme)

    def _play(self) -> None:
        self.attempt("playing", self.control.moving.play_on)

    @on(Asked)
    def _asked(self, message: Asked) -> None:
        self.action_do(message.action)

    @on(LinkChosen)
    def _link_chosen(self, message: LinkChosen) -> None:
        if message.address.startswith("pane:"):
            pane = message.address.removeprefix("pane:")
            self.attempt("the change of panes", lambda: self.control.modes.focus_on(pane))
        else:
            jump = self.control.jumping.open_address
            self.attempt("the jump", lambda: jump(message.address))

    @on(RowChosen)
    def _row_chosen(self, message: RowChosen) -> None:
        self.attempt(
            "the click",
            lambda: self.control.panes.click(
                message.pane, message.row, message.column, again=message.again
            ),
        )

    @on(StepChosen)
    def _step_chosen(self, message: StepChosen) -> None:
        self.control.modes.focus_on(at.STEPS)
        self.attempt("the step", lambda: self.control.moving.to_step(message.step))

    @on(Scrolled)
    def _scrolled(self, message: Scrolled) -> None:
        scroll = self.control.panes.scroll
        self.attempt("scrolling", lambda: scroll(message.pane, message.by))

    @on(DataArrived)
    def _data_arrived(self) -> None:
        self.attempt("taking in what arrived", self.control.data_arrived)

    @on(ImportProgressed)
    def _import_progressed(self, message: ImportProgressed) -> None:
        self.attempt("the import", lambda: self.control.progressed(message.progress))

    @on(Warned)
    def _warned(self, message: Warned) -> None:
        self.control.desk.message = message.words
        self.paint()

    @on(Exported)
    def _exported(self, message: Exported) -> None:
        self.control.desk.message = message.outcome
        if message.kept:
            self.control.unsaved.kept(message.kept)
        self.paint()

    def on_paste(self, event: events.Paste) -> None:
        """Go to an address that is pasted outside of any input; ignore other text."""
        text = event.text.strip()
        if text.startswith(SCHEME) and isinstance(self.screen, MainScreen):
            self.attempt("the jump", lambda: self.control.jumping.open_address(text))

    @on(Input.Changed, "#typing")
    def _typed(self, message: Input.Changed) -> None:
        if self.control.modes.searching:
            self.attempt("the search", lambda: self.control.searching.type(message.value))

    @on(Input.Submitted, "#typing")
    def _typed_all(self) -> None:
        self.attempt("the search", self.control.searching.accept)

    def closed(self) -> None:
        """Note in the modes that a dialog is closed."""
        if self.control.modes.dialog not in ("", s.SEARCH_OPEN):
            self.control.modes.close()
        self.paint()


def _named(action: str) -> str:
    """An action in words."""
    return action.replace("_", " ")


def _driver_class() -> type[Driver] | None:
    """Our driver where there are Unix terminals, else the one that Textual takes."""
    if sys.platform == "win32":
        return None
    from am_dbg.views.terminal_driver import TolerantDriver

    return TolerantDriver
