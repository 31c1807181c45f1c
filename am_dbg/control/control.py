"""The one door through which the screen changes anything.

An action's name is looked up among the hands below, each of which does one kind of work on
the desk. Every action is at most one mutation of the modes; what it does not change, it
leaves to the next look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from am_dbg import states as s
from am_dbg.control.beginning import (
    BEGINNING,
    Beginning,
    newcomers,
    remove_disconnected,
    track_to_begin_with,
)
from am_dbg.control.copying import copied_transition
from am_dbg.control.desk import Desk
from am_dbg.control.effects import CopyText, Effect, OpenDialog, OpenPalette, Quit, Suspend
from am_dbg.control.jumping import Jumping
from am_dbg.control.looking import Look, Looking, Sources
from am_dbg.control.modes import Modes
from am_dbg.control.moving import Moving
from am_dbg.control.panes import Panes
from am_dbg.control.searching import Searching
from am_dbg.control.viewing import Viewing
from am_dbg.intake import Progress
from am_dbg.keys import KEYS, Key
from am_dbg.projection import layout
from am_dbg.projection.bars import Flow
from am_dbg.store import Store, Track

__all__ = ["Control"]

LOOKS_MAX = 4

Action = Callable[[], Effect | None]


class Control:
    """Turns what the user asks for into changes of the desk and of the modes."""

    def __init__(
        self,
        store: Store,
        *,
        main: str = layout.LOG,
        reader: bool = False,
        beginning: Beginning = BEGINNING,
        keys: tuple[Key, ...] = KEYS,
    ) -> None:
        self.keys = keys
        self.desk = Desk(store)
        self.modes = Modes(main=main, reader=reader)
        self.sources = Sources()
        self.moving = Moving(self.desk, self.modes)
        self.jumping = Jumping(self.desk, self.modes, self.moving)
        self.viewing = Viewing(self.desk, self.modes)
        self.searching = Searching(self.desk, self.modes, self.moving, self.jumping)
        self.panes = Panes(self.desk, self.modes, self.moving, self.jumping, self.viewing)
        self._looking = Looking(self.desk, self.modes, keys)
        self._actions = self._table()
        self._special = self._keys_of_panes()
        self._beginning = beginning
        self._known: set[str] = set()
        self._is_importing = beginning.is_importing

    def _table(self) -> dict[str, Action]:
        hands = (self, self.moving, self.jumping, self.viewing, self.searching, self.panes)
        return {
            key.action: next(
                getattr(hand, key.action) for hand in hands if hasattr(hand, key.action)
            )
            for key in KEYS
        }

    def do(self, action: str) -> Effect | None:
        """Do what a key asks for; what the screen has to do beside it is returned.

        The oldest transitions may be removed by the thread that takes data in, between two
        look-ups of one action; then it is as if the key had not been pressed.
        """
        self.desk.message = ""
        special = self._special.get(self.modes.focus, {})
        try:
            return special.get(action, self._actions[action])()
        except IndexError:
            return None

    def _keys_of_panes(self) -> dict[str, dict[str, Action]]:
        """Keys that mean something else while a pane has the focus."""
        return {
            layout.FILTERS: {
                "next_transition": lambda: self.viewing.pick(1),
                "previous_transition": lambda: self.viewing.pick(-1),
                "toggle_play": self.viewing.switch,
                "escape": self.viewing.filters,
            },
            layout.RAIN: {
                "next_transition": lambda: self.panes.select_state(1),
                "previous_transition": lambda: self.panes.select_state(-1),
            },
        }

    def look(self, width: int, height: int) -> Look:
        """Everything on the screen.

        When transitions were removed while it was worked out, it is worked out again.
        """
        for _ in range(LOOKS_MAX - 1):
            try:
                return self._looking.look(width, height, self.sources)
            except IndexError:
                continue
        return self._looking.look(width, height, self.sources)

    def data_arrived(self) -> bool:
        """The store grew: the first machine is selected, the newest one followed."""
        if not self.modes.data_arrived():
            return False
        self._welcome(newcomers(self.desk.store.tracks, self._known))
        if self.desk.cursor is None or (self._is_importing and self.modes.is_untouched):
            self._begin()
        if self.modes.flow is Flow.TAIL:
            self.moving.to_newest()
        return True

    def _begin(self) -> None:
        """Select what was asked for at the start, or the end of the first machine there is.

        While a session is still being read this is done again and again, until the user
        goes somewhere.
        """
        track = track_to_begin_with(self._beginning, self.desk.places)
        if track is None:
            return
        if not self.modes.has_machine and not self.modes.chose_machine():
            return
        wanted = self._beginning.transition or self.desk.visible(track).last()
        self.desk.select(track, wanted)
        if track.connected and not self._beginning.transition and self.modes.follow():
            self.moving.to_newest()

    def _welcome(self, arrived: list[Track]) -> None:
        """What was asked to happen when programs connect."""
        if not arrived:
            return
        store = self.desk.store
        if self._beginning.clean_on_connect and remove_disconnected(store, arrived):
            self.desk.cursor = None
        alone = [track for track in store.tracks if track.connected]
        if self._beginning.select_connected and len(alone) == 1 and self.desk.track not in alone:
            self.jumping.select(alone[0])
            if self.modes.follow():
                self.moving.to_newest()

    def progressed(self, progress: Progress) -> None:
        """An import goes on: how far it is, or how it ended."""
        if not progress.is_over and not self.modes.is_importing:
            self.modes.importing(on=True)
        self.data_arrived()
        if progress.is_over:
            self._is_importing = False
            self.modes.importing(on=False)
            warning = progress.trouble.removeprefix(f"{progress.label}: ")
            self.sources = replace(self.sources, progress="", warning=warning)
            self.desk.message = progress.trouble
        else:
            self.sources = replace(self.sources, progress=f"reading {progress.percent} %")

    def help(self) -> OpenDialog | None:
        """Show the keys."""
        return OpenDialog(s.HELP_OPEN) if self.modes.open(s.HELP_OPEN) else None

    def export(self) -> OpenDialog | None:
        """Ask where to export to."""
        if not self.desk.store.tracks:
            self.desk.message = "nothing to export yet"
            return None
        return OpenDialog(s.EXPORT_OPEN) if self.modes.open(s.EXPORT_OPEN) else None

    def copy(self) -> CopyText | None:
        """The transition on show, whole, as text."""
        moment = self.desk.moment
        if moment is None:
            return None
        return CopyText(copied_transition(self.desk.store, moment), "transition")

    def copy_address(self) -> CopyText | None:
        """The address of the transition on show."""
        moment = self.desk.moment
        if moment is None:
            return None
        tail = "" if moment.is_start else f"/{moment.track.tx_id_at(moment.number)}"
        return CopyText(f"mach://{moment.track.key}{tail}", "address")

    def command_palette(self) -> OpenPalette:
        """Open the palette."""
        return OpenPalette()

    def suspend(self) -> Suspend:
        """Give the terminal back to the shell; data goes on arriving."""
        return Suspend()

    def quit(self) -> Quit:
        """End."""
        return Quit()
