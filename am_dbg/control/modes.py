"""The debugger's own machine: reads and changes the modes of `am_dbg.control.states`.

A method that changes something makes one mutation and returns whether the machine accepted
it. If it did not, the caller does nothing.
"""

from __future__ import annotations

import machine as am
from am_dbg.control import states as s
from am_dbg.control.effects import DialogKind, OpenDialog
from am_dbg.drawing.layout import Pane
from am_dbg.projection.bars import Playback

_PANES = {
    s.MACHINES_FOCUSED: Pane.MACHINES,
    s.STATES_FOCUSED: Pane.STATES,
    s.LOG_FOCUSED: Pane.LOG,
    s.READER_FOCUSED: Pane.READER,
    s.TIMELINE_FOCUSED: Pane.TIMELINE,
    s.STEPS_FOCUSED: Pane.STEPS,
    s.FILTERS_FOCUSED: Pane.FILTERS,
    s.DETAIL_FOCUSED: Pane.DETAIL,
}
_FOCUSES = {pane: state for state, pane in _PANES.items()} | {
    Pane.RAIN: s.LOG_FOCUSED,
    Pane.MATRIX: s.LOG_FOCUSED,
}
_MAINS = {s.LOG_SHOWN: Pane.LOG, s.RAIN_SHOWN: Pane.RAIN, s.MATRIX_SHOWN: Pane.MATRIX}
_PLAYBACKS = {s.PAUSED: Playback.PAUSED, s.PLAYING: Playback.PLAYING, s.TAILING: Playback.TAIL}


class Modes:
    """Reads and changes the modes."""

    def __init__(self, *, main: Pane = Pane.LOG, reader: bool = False) -> None:
        self.machine = am.Machine(None, s.SCHEMA, id="am-dbg", tags=["am-dbg"])
        shown = next(state for state, pane in _MAINS.items() if pane == main)
        begin = [s.START, s.PAUSED, shown, s.LOG_FOCUSED]
        self.machine.set([*begin, s.READER_SHOWN] if reader else begin)

    @property
    def playback(self) -> Playback:
        return _PLAYBACKS[self.machine.switch(s.PLAYBACKS)]

    @property
    def main(self) -> Pane:
        """The pane in the middle."""
        return _MAINS[self.machine.switch(s.MAIN_VIEWS)]

    @property
    def focus(self) -> Pane:
        """The pane that keys go to."""
        pane = _PANES[self.machine.switch(s.FOCUSES)]
        return self.main if pane == Pane.LOG else pane

    @property
    def dialog(self) -> str:
        """The state of the open dialog, empty for none."""
        return self.machine.switch(s.DIALOGS)

    @property
    def is_reader_shown(self) -> bool:
        return self.machine.is1(s.READER_SHOWN)

    @property
    def has_machine(self) -> bool:
        return self.machine.is1(s.MACHINE_SELECTED)

    @property
    def is_stepping(self) -> bool:
        return self.machine.is1(s.STEPPING)

    @property
    def is_searching(self) -> bool:
        return self.machine.is1(s.SEARCH_OPEN)

    @property
    def is_filtering(self) -> bool:
        """Whether a filter is being typed."""
        return self.machine.is1(s.FILTER_OPEN)

    @property
    def is_untouched(self) -> bool:
        """Whether the user has not moved yet; selecting the first machine does not count."""
        moves = (s.USER_MOVED, s.USER_STEPPED, s.USER_SCROLLED)
        return not any(map(self.machine.tick, moves)) and self.machine.tick(s.MACHINE_CHOSEN) < 2

    @property
    def is_importing(self) -> bool:
        return self.machine.is1(s.IMPORTING)

    def moved(self) -> bool:
        """The user goes to another transition."""
        return self._added(s.USER_MOVED, s.PAUSED)

    def stepped(self) -> bool:
        """The user walks through steps."""
        return self._added(s.USER_STEPPED, s.STEPPING, s.PAUSED)

    def scrolled(self) -> bool:
        """The user scrolls without moving the cursor; following the newest ends."""
        return self._added(s.USER_SCROLLED, s.PAUSED)

    def played(self) -> bool:
        """Playing moves one transition on."""
        return self._added(s.PLAY_ADVANCED)

    def chose_machine(self) -> bool:
        return self._added(s.MACHINE_CHOSEN, s.MACHINE_SELECTED)

    def lost_machine(self) -> bool:
        """No machine is selected any more."""
        return self.machine.remove((s.MACHINE_SELECTED, s.STEPPING)) is am.Result.EXECUTED

    def chose_state(self) -> bool:
        return self._added(s.STATE_SELECTED)

    def play(self) -> bool:
        return self.has_machine and self._added(s.PLAYING)

    def pause(self) -> bool:
        return self._added(s.PAUSED)

    def follow(self) -> bool:
        return self.has_machine and self._added(s.TAILING)

    def show(self, main: Pane) -> bool:
        """Show a pane in the middle, with the focus."""
        shown = next(state for state, pane in _MAINS.items() if pane == main)
        return self._added(shown, s.LOG_FOCUSED)

    def toggle_reader(self) -> bool:
        """Open or close the reader; if it has the focus, the main pane gets it."""
        if self.is_reader_shown:
            if self.focus == Pane.READER:
                self._added(s.LOG_FOCUSED)
            return self.machine.remove1(s.READER_SHOWN) is am.Result.EXECUTED
        return self._added(s.READER_SHOWN)

    def focus_on(self, pane: Pane) -> bool:
        """Give a pane the focus; the reader is opened for that."""
        state = _FOCUSES.get(pane)
        if state is None:
            return False
        if state == s.READER_FOCUSED:
            return self._added(state, s.READER_SHOWN)
        return self.machine.is1(state) or self._added(state)

    def open(self, dialog: str) -> bool:
        is_playing = self.playback is Playback.PLAYING
        return self._added(dialog, s.PAUSED) if is_playing else self._added(dialog)

    def open_dialog(self, kind: DialogKind) -> OpenDialog | None:
        """Open a dialog; return what the screen has to do for it."""
        return OpenDialog(kind) if self.open(kind.value) else None

    def close(self) -> bool:
        """Close whatever dialog is open."""
        dialog = self.dialog
        return bool(dialog) and self.machine.remove1(dialog) is am.Result.EXECUTED

    def changed_filters(self) -> bool:
        return self._added(s.FILTERS_CHANGED)

    def data_arrived(self) -> bool:
        return self._added(s.DATA_ARRIVED)

    def importing(self, *, on: bool) -> bool:
        """Set whether a file is being read."""
        if on:
            return self._added(s.IMPORTING)
        return self.machine.remove1(s.IMPORTING) is am.Result.EXECUTED

    def _added(self, *states: str) -> bool:
        return self.machine.add(states) is am.Result.EXECUTED
