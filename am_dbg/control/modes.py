"""The debugger's own machine: reads and changes the modes of `am_dbg.control.states`.

Every method that changes something makes exactly one mutation and returns whether the machine
accepted it. If it did, what the user asked for happens; otherwise nothing happens.
"""

from __future__ import annotations

import machine as am
from am_dbg.control import states as s
from am_dbg.drawing import layout
from am_dbg.projection.bars import Playback

_PANES = {
    s.MACHINES_FOCUSED: layout.MACHINES,
    s.STATES_FOCUSED: layout.STATES,
    s.LOG_FOCUSED: layout.LOG,
    s.READER_FOCUSED: layout.READER,
    s.TIMELINE_FOCUSED: layout.TIMELINE,
    s.STEPS_FOCUSED: layout.STEPS,
    s.FILTERS_FOCUSED: layout.FILTERS,
}
_FOCUSES = {pane: state for state, pane in _PANES.items()} | {
    layout.RAIN: s.LOG_FOCUSED,
    layout.MATRIX: s.LOG_FOCUSED,
}
_MAINS = {s.LOG_SHOWN: layout.LOG, s.RAIN_SHOWN: layout.RAIN, s.MATRIX_SHOWN: layout.MATRIX}
_PLAYBACKS = {s.PAUSED: Playback.PAUSED, s.PLAYING: Playback.PLAYING, s.TAILING: Playback.TAIL}


class Modes:
    """Reads and changes the modes."""

    def __init__(self, *, main: str = layout.LOG, reader: bool = False) -> None:
        self.machine = am.Machine(None, s.SCHEMA, id="am-dbg", tags=["am-dbg"])
        shown = next(state for state, pane in _MAINS.items() if pane == main)
        begin = [s.START, s.PAUSED, shown, s.LOG_FOCUSED]
        self.machine.set([*begin, s.READER_SHOWN] if reader else begin)

    @property
    def playback(self) -> Playback:
        return _PLAYBACKS[self.machine.switch(s.FLOWS)]

    @property
    def main(self) -> str:
        """The pane in the middle."""
        return _MAINS[self.machine.switch(s.MAIN_VIEWS)]

    @property
    def focus(self) -> str:
        """The pane that keys go to."""
        pane = _PANES[self.machine.switch(s.FOCUSES)]
        return self.main if pane == layout.LOG else pane

    @property
    def dialog(self) -> str:
        """The state of the open dialog, empty for none."""
        return self.machine.switch(s.DIALOGS)

    @property
    def reader(self) -> bool:
        return self.machine.is1(s.READER_SHOWN)

    @property
    def has_machine(self) -> bool:
        return self.machine.is1(s.MACHINE_SELECTED)

    @property
    def stepping(self) -> bool:
        return self.machine.is1(s.STEPPING)

    @property
    def searching(self) -> bool:
        return self.machine.is1(s.SEARCH_OPEN)

    @property
    def is_untouched(self) -> bool:
        """Whether the user has not moved yet; the first machine may have been selected for them."""
        asked = (s.USER_MOVED, s.USER_STEPPED, s.USER_SCROLLED)
        return not any(map(self.machine.tick, asked)) and self.machine.tick(s.MACHINE_CHOSEN) < 2

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
        """The user looks elsewhere without moving; following the newest ends."""
        return self._added(s.USER_SCROLLED, s.PAUSED)

    def played(self) -> bool:
        """Playing moves one transition on."""
        return self._added(s.PLAY_ADVANCED)

    def chose_machine(self) -> bool:
        return self._added(s.MACHINE_CHOSEN, s.MACHINE_SELECTED)

    def lost_machine(self) -> bool:
        """There is nothing to select any more."""
        return self.machine.remove((s.MACHINE_SELECTED, s.STEPPING)) is am.Result.EXECUTED

    def chose_state(self) -> bool:
        return self._added(s.STATE_SELECTED)

    def play(self) -> bool:
        return self.has_machine and self._added(s.PLAYING)

    def pause(self) -> bool:
        return self._added(s.PAUSED)

    def follow(self) -> bool:
        return self.has_machine and self._added(s.TAILING)

    def show(self, main: str) -> bool:
        """Put a view in the middle; it has the focus then."""
        shown = next(state for state, pane in _MAINS.items() if pane == main)
        return self._added(shown, s.LOG_FOCUSED)

    def toggle_reader(self) -> bool:
        """Open the reader or close it; a focus inside goes to the log."""
        if self.reader:
            if self.focus == layout.READER:
                self._added(s.LOG_FOCUSED)
            return self.machine.remove1(s.READER_SHOWN) is am.Result.EXECUTED
        return self._added(s.READER_SHOWN)

    def focus_on(self, pane: str) -> bool:
        """Give a pane the focus; looking into the reader opens it."""
        state = _FOCUSES.get(pane)
        if state is None:
            return False
        if state == s.READER_FOCUSED:
            return self._added(state, s.READER_SHOWN)
        return self.machine.is1(state) or self._added(state)

    def open(self, dialog: str) -> bool:
        return (
            self._added(dialog, s.PAUSED)
            if self.playback is Playback.PLAYING
            else self._added(dialog)
        )

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

    def listening(self) -> bool:
        return self._added(s.LISTENING)

    def _added(self, *states: str) -> bool:
        return self.machine.add(states) is am.Result.EXECUTED
