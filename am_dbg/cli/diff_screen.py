"""Opens the screen of a comparison, and the debugger on the side that the user opens."""

from __future__ import annotations

from dataclasses import replace

from am_dbg.app import colors_of, control_of, keymap_of, with_known_theme
from am_dbg.control import InputStatus
from am_dbg.control.comparison import ComparisonControl
from am_dbg.options import RunOptions
from am_dbg.projection.comparison.sessions import SessionComparison
from am_dbg.settings.state_directory import StateDirectory, state_path
from am_dbg.store import Store
from am_dbg.views.colors.choice import ColorChoice
from am_dbg.views.comparison import ComparisonApp
from am_dbg.views.debugger import Debugger


def open_diff_screen(
    comparison: SessionComparison, files: tuple[str, str], options: RunOptions
) -> None:
    """Show the comparison until the user quits.

    An opened side is shown in the debugger; when that is closed, the comparison returns to the
    place where it was.
    """
    control = ComparisonControl(comparison, files, keymap_of(options.config).table)
    options = with_known_theme(options)
    colors = colors_of(options, StateDirectory(state_path()))
    while True:
        screen = ComparisonApp(control, colors)
        opened = screen.run()
        if screen.trouble is not None:
            raise screen.trouble
        if opened is None:
            return
        start = replace(options, select_machine=opened.address, reader=True)
        _open_debugger(comparison.stores[opened.side], files[opened.side], start, colors)


def _open_debugger(store: Store, file: str, options: RunOptions, colors: ColorChoice) -> None:
    control = control_of(store, options)
    control.input_started(InputStatus(source=file))
    debugger = Debugger(control, colors)
    debugger.run()
    if debugger.trouble is not None:
        raise debugger.trouble
