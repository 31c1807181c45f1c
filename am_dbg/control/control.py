"""The dispatcher of actions: every key, click and command of the screen goes through it.

It looks an action's name up among the objects below. Each of them does one kind of work on
what the reader has selected. Every action makes at most one mutation of the modes. What an
action does not change, it leaves to the next look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from am_dbg.control import states as s
from am_dbg.control.confirmation import Confirming
from am_dbg.control.cursors import at_step
from am_dbg.control.effects import CopyText, Effect, OpenDialog, OpenPalette, Quit, Suspend
from am_dbg.control.input_status import Sources
from am_dbg.control.jumps import Jumping
from am_dbg.control.modes import Modes
from am_dbg.control.navigation import Moving
from am_dbg.control.pane_actions import Panes
from am_dbg.control.screen_projector import Look, Looking
from am_dbg.control.search import Searching
from am_dbg.control.start import (
    BEGINNING,
    Beginning,
    newcomers,
    place_to_begin_with,
    remove_disconnected,
    trouble_of,
)
from am_dbg.control.transition_text import copied_transition
from am_dbg.control.unsaved_transitions import Unsaved
from am_dbg.control.view_switches import Viewing
from am_dbg.control.workspace import Desk
from am_dbg.drawing import layout
from am_dbg.ingest.intake import ImportProgress
from am_dbg.keys import KEYS, Key
from am_dbg.projection.addresses.write import write_address
from am_dbg.projection.bars import Playback
from am_dbg.projection.clean import clean_name
from am_dbg.query.cursor import Cursor
from am_dbg.store import Store, Track

LOOKS_MAX = 4

Action = Callable[[], Effect | None]


class Control:
    """Turns what the user asks for into changes of the selection and of the modes."""

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
        self.notices: list[str] = []
        self.moving = Moving(self.desk, self.modes)
        self.jumping = Jumping(self.desk, self.modes, self.moving)
        self.viewing = Viewing(self.desk, self.modes)
        self.searching = Searching(self.desk, self.modes, self.moving, self.jumping)
        self.unsaved = Unsaved(store)
        self.confirming = Confirming(keys)
        self.panes = Panes(
            self.desk,
            self.modes,
            self.moving,
            self.jumping,
            self.viewing,
            self.unsaved,
            self.confirming,
        )
        self._looking = Looking(self.desk, self.modes, self.viewing, keys)
        self._actions = self._table()
        self._special = self._keys_of_panes()
        self._beginning = beginning
        self._arrival = 0
        self._is_importing = beginning.is_importing
        self._has_been_asked = False

    def _table(self) -> dict[str, Action]:
        hands = (self, self.moving, self.jumping, self.viewing, self.searching, self.panes)
        return {
            key.action: next(
                getattr(hand, key.action) for hand in hands if hasattr(hand, key.action)
            )
            for key in KEYS
        }

    def press(self, action: str) -> Effect | None:
        """Carry out the action of a key in the pane that has the focus."""
        special = self._special.get(self.focus, {})
        return self._done(special.get(action, self._actions[action]))

    def do(self, action: str) -> Effect | None:
        """Carry out an action named by a click or in the palette, wherever the focus is."""
        return self._done(self._actions[action])

    def _done(self, action: Action) -> Effect | None:
        """Carry an action out; return what the screen has to do beside it.

        The oldest transitions may be removed by the thread that takes data in, between two
        look-ups of one action. Then the message says so and the action ends.
        """
        self.desk.message = ""
        self._has_been_asked = True
        self.confirming.begin()
        held = self.desk.held
        try:
            return action()
        except IndexError:
            if self.desk.held == held:
                raise
            self.desk.message = "that part of the history was removed to save memory"
            return None

    @property
    def focus(self) -> str:
        """The pane that keys go to."""
        return self.desk.focused(self.modes.focus, self.modes.main)

    def _keys_of_panes(self) -> dict[str, dict[str, Action]]:
        """Keys that mean something else while a pane has the focus."""
        only_machines: dict[str, Action] = {"remove_machine": self.panes.keep_machine}
        special: dict[str, dict[str, Action]] = {
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
            layout.STEPS: {
                "next_transition": self.moving.next_step,
                "previous_transition": self.moving.previous_step,
            },
        }
        panes = [pane for pane in layout.ALL_PANES if pane != layout.MACHINES]
        return {pane: only_machines | special.get(pane, {}) for pane in panes}

    def look(self, width: int, height: int) -> Look:
        """Everything on the screen.

        When transitions were removed while it was worked out, it is worked out again.
        """
        self._let_go()
        self._tell_notices()
        for _ in range(LOOKS_MAX - 1):
            held = self.desk.held
            look = self._looking.look(width, height, self.sources)
            if not look.failed or self.desk.held == held:
                break
        else:
            look = self._looking.look(width, height, self.sources)
        for failed in look.failed.values():
            failed.log()
        return look

    def _tell_notices(self) -> None:
        """Show the faults of the start in the footer until the first key."""
        if not self.desk.message and not self._has_been_asked:
            self.desk.message = "; ".join(self.notices)

    def _let_go(self) -> None:
        """If the selected machine was removed, say so and select another."""
        key = self.desk.let_go()
        if not key:
            return
        self.modes.lost_machine()
        self._begin()
        self.desk.message = f"{clean_name(key)} is gone: it was removed from the list"

    def data_arrived(self) -> bool:
        """Handle new data: select the first machine, follow the newest transition."""
        if not self.modes.data_arrived():
            return False
        arrived = newcomers(self.desk.store.tracks, self._arrival)
        self._let_go()
        self._welcome([track for track in arrived if track.connected])
        self._begin_again(arrived)
        if self.modes.playback is Playback.TAIL:
            self.moving.to_newest()
        return True

    def _begin_again(self, arrived: list[Track]) -> None:
        """Select a machine while none is, as soon as there is a new one to choose from."""
        is_growing = self._is_importing and self.modes.is_untouched
        if arrived:
            self._arrival = arrived[-1].arrival
        if (self.desk.cursor is None and arrived) or is_growing:
            self._begin()

    def _begin(self) -> None:
        """Select what was asked for at the start, or the end of the first machine there is.

        While a session is still being read, this is repeated until the user goes somewhere.
        """
        place = place_to_begin_with(self._beginning, self.desk.store, self.desk.places)
        if place is None:
            return
        track = place.track
        if not self.modes.has_machine and not self.modes.chose_machine():
            return
        if place.number is None:
            self.desk.select(track, self.desk.visible(track).last())
        else:
            self.desk.go(at_step(self.desk, Cursor(track).at(place.number), place.step))
        if track.connected and place.number is None and self.modes.follow():
            self.moving.to_newest()

    def _welcome(self, arrived: list[Track]) -> None:
        """Do what the options ask for when programs connect."""
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

    def progressed(self, progress: ImportProgress) -> None:
        """Take the progress of an import: how far it is, or how it ended."""
        if not progress.is_over and not self.modes.is_importing:
            self.modes.importing(on=True)
        self.data_arrived()
        if progress.is_over:
            self._is_importing = False
            self.modes.importing(on=False)
            self.sources = replace(self.sources, progress="")
            missing = trouble_of(self._beginning, self.desk.store, self.desk.places)
            self.notices += [missing] if missing else []
            if progress.trouble:
                warning = progress.trouble.removeprefix(f"{progress.label}: ")
                self.sources = replace(self.sources, warning=warning)
                self.notices.insert(0, progress.trouble)
                self.desk.message = "" if not self._has_been_asked else progress.trouble
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
        """Copy the whole transition on show as text."""
        moment = self.desk.moment
        if moment is None:
            return None
        return CopyText(copied_transition(self.desk.store, moment), "transition")

    def copy_address(self) -> CopyText | None:
        """Copy the address of the transition on show."""
        moment = self.desk.moment
        if moment is None:
            return None
        places: list[object] = []
        if not moment.is_start:
            places.append(moment.track.tx_id_at(moment.number))
            places += [moment.step] if moment.is_stepping and moment.step else []
        return CopyText(write_address(moment.track.key, *places), "address")

    def command_palette(self) -> OpenPalette:
        """Open the palette."""
        return OpenPalette()

    def suspend(self) -> Suspend:
        """Give the terminal back to the shell; data goes on arriving."""
        return Suspend()

    def quit(self) -> Quit | None:
        """Quit; ask first if that loses data that no file holds."""
        lost = self.unsaved.words(*self.desk.store.tracks)
        if lost and not self.confirming.is_confirmed("quit"):
            self.desk.message = self.confirming.question("quit", lost)
            return None
        return Quit()
