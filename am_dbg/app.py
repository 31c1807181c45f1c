"""Puts the debugger together and runs it: store, intake, control, screen."""

from __future__ import annotations

from am_dbg import options as given
from am_dbg.control import Control
from am_dbg.control.beginning import Beginning
from am_dbg.control.looking import Sources
from am_dbg.intake import MEGABYTE, Intake
from am_dbg.projection import layout
from am_dbg.store import Store
from am_dbg.views.debugger import Debugger
from am_dbg.views.messages import DataArrived, ImportProgressed
from amtracer.address import listen_address

__all__ = ["run"]

MAIN_VIEWS = {
    "tree-log": layout.LOG,
    "tree-matrix": layout.MATRIX,
    "matrix": layout.MATRIX,
    "tree-rain": layout.RAIN,
    "matrix-rain": layout.RAIN,
}


def run(options: given.RunOptions) -> int:
    """Open the screen and return the exit code; `ListenError` when the address is taken."""
    store = Store()
    control = Control(
        store,
        main=MAIN_VIEWS.get(options.view, layout.LOG),
        reader=options.reader,
        beginning=Beginning(
            machine=options.select_machine,
            transition=options.select_transition,
            is_importing=options.source is not None,
            select_connected=options.select_connected,
            clean_on_connect=options.clean_on_connect,
        ),
    )
    screen = Debugger(control)
    intake = Intake(
        store,
        changed=lambda: screen.tell(DataArrived()),
        imported=lambda progress: screen.tell(ImportProgressed(progress)),
        bytes_max=options.memory_mb_max * MEGABYTE,
    )
    places = [listen_address(options.listen_on)] if options.listen_on else []
    intake.start(*places, source=options.source)
    control.sources = Sources(listening=intake.listening, source=options.import_data)
    try:
        screen.run(mouse=options.enable_mouse)
    finally:
        intake.stop()
    if screen.trouble is not None:
        raise screen.trouble
    return screen.return_code or 0
