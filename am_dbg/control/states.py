"""Schema of the debugger's own modes: what is shown, what has the focus, how time moves.

Only modes are states, never data. Each mutation is one thing that the user or the clock did,
so another debugger can show this machine like that of any program. States of a group remove
each other, so one of them is active at a time. An implied state does not replace an active
state that removes it, so a move by hand also calls `Paused`, which ends playing and following.
"""

from __future__ import annotations

from collections.abc import Iterable

import machine as am

START = "Start"

MACHINE_SELECTED = "MachineSelected"
STATE_SELECTED = "StateSelected"
STEPPING = "Stepping"

PAUSED = "Paused"
PLAYING = "Playing"
TAILING = "Tailing"
PLAYBACKS = (PAUSED, PLAYING, TAILING)

LOG_SHOWN = "LogShown"
RAIN_SHOWN = "RainShown"
MATRIX_SHOWN = "MatrixShown"
MAIN_VIEWS = (LOG_SHOWN, RAIN_SHOWN, MATRIX_SHOWN)
READER_SHOWN = "ReaderShown"

MACHINES_FOCUSED = "MachinesFocused"
STATES_FOCUSED = "StatesFocused"
LOG_FOCUSED = "LogFocused"
READER_FOCUSED = "ReaderFocused"
TIMELINE_FOCUSED = "TimelineFocused"
STEPS_FOCUSED = "StepsFocused"
FILTERS_FOCUSED = "FiltersFocused"
DETAIL_FOCUSED = "DetailFocused"
FOCUSES = (
    MACHINES_FOCUSED,
    STATES_FOCUSED,
    LOG_FOCUSED,
    READER_FOCUSED,
    TIMELINE_FOCUSED,
    STEPS_FOCUSED,
    FILTERS_FOCUSED,
    DETAIL_FOCUSED,
)

HELP_OPEN = "HelpOpen"
EXPORT_OPEN = "ExportOpen"
GOTO_OPEN = "GotoOpen"
BOOKMARKS_OPEN = "BookmarksOpen"
DIFF_OPEN = "DiffOpen"
WHY_NOT_OPEN = "WhyNotOpen"
PALETTE_OPEN = "PaletteOpen"
ERRORS_OPEN = "ErrorsOpen"
SEARCH_OPEN = "SearchOpen"
FILTER_OPEN = "FilterOpen"
INPUT_LINES = (SEARCH_OPEN, FILTER_OPEN)
"""Dialogs that are a line of the main screen, not a box above it."""
DIALOGS = (
    HELP_OPEN,
    EXPORT_OPEN,
    GOTO_OPEN,
    BOOKMARKS_OPEN,
    DIFF_OPEN,
    ERRORS_OPEN,
    WHY_NOT_OPEN,
    PALETTE_OPEN,
    *INPUT_LINES,
)

USER_MOVED = "UserMoved"
USER_STEPPED = "UserStepped"
USER_SCROLLED = "UserScrolled"
MACHINE_CHOSEN = "MachineChosen"
FILTERS_CHANGED = "FiltersChanged"
PLAY_ADVANCED = "PlayAdvanced"
DATA_ARRIVED = "DataArrived"
IMPORTING = "Importing"


def _exclusive(names: Iterable[str], require: am.Names | None = None) -> am.Struct:
    """States of which at most one is active."""
    listed = tuple(names)
    return {
        name: am.State(require=require, remove=tuple(other for other in listed if other != name))
        for name in listed
    }


SCHEMA: am.Struct = {
    START: am.State(),
    MACHINE_SELECTED: am.State(require=START),
    STATE_SELECTED: am.State(require=MACHINE_SELECTED),
    STEPPING: am.State(require=MACHINE_SELECTED),
    **_exclusive(PLAYBACKS, require=START),
    **_exclusive(MAIN_VIEWS),
    READER_SHOWN: am.State(),
    **_exclusive(FOCUSES),
    **_exclusive(DIALOGS),
    USER_MOVED: am.State(multi=True, require=MACHINE_SELECTED, remove=(USER_STEPPED, STEPPING)),
    USER_STEPPED: am.State(
        multi=True, require=MACHINE_SELECTED, remove=(USER_MOVED, MACHINE_CHOSEN)
    ),
    USER_SCROLLED: am.State(multi=True, require=START),
    MACHINE_CHOSEN: am.State(multi=True, require=START, remove=(USER_STEPPED, STEPPING)),
    FILTERS_CHANGED: am.State(multi=True, require=START),
    PLAY_ADVANCED: am.State(multi=True, require=PLAYING),
    DATA_ARRIVED: am.State(multi=True, require=START),
    IMPORTING: am.State(require=START),
}
