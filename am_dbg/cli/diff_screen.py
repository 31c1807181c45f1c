"""Opens the screen of a comparison, and the debugger on the side that the user opens."""

from __future__ import annotations

import os

from am_dbg.control import Control, InputStatus, StartOptions
from am_dbg.control.comparison import ComparisonControl, OpenSide
from am_dbg.keymap import keymap_path, read_keymap
from am_dbg.options import AUTO
from am_dbg.projection.comparison.sessions import SessionComparison
from am_dbg.views.colors.choice import ColorChoice, color_choice
from am_dbg.views.comparison import ComparisonApp
from am_dbg.views.debugger import Debugger


def open_diff_screen(comparison: SessionComparison, files: tuple[str, str]) -> None:
    """Show the comparison until the user quits.

    An opened side is shown in the debugger; when that is closed, the comparison returns to the
    place where it was.
    """
    keys = read_keymap(keymap_path()).table
    control = ComparisonControl(comparison, files, keys)
    colors = color_choice(AUTO, AUTO, os.environ)
    while True:
        screen = ComparisonApp(control, colors)
        opened = screen.run()
        if screen.trouble is not None:
            raise screen.trouble
        if opened is None:
            return
        _open_debugger(comparison, files, opened, colors)


def _open_debugger(
    comparison: SessionComparison, files: tuple[str, str], opened: OpenSide, colors: ColorChoice
) -> None:
    control = Control(
        comparison.stores[opened.side],
        keys=read_keymap(keymap_path()).table,
        reader=True,
        start=StartOptions(machine=opened.address),
    )
    control.input_started(InputStatus(source=files[opened.side]))
    debugger = Debugger(control, colors)
    debugger.run()
    if debugger.trouble is not None:
        raise debugger.trouble
