"""Puts the debugger together and runs it: store, intake, control, screen."""

from __future__ import annotations

import logging
from collections.abc import Callable

from am_dbg.client_list import ClientList
from am_dbg.control import Control
from am_dbg.control.beginning import Beginning
from am_dbg.control.looking import Sources
from am_dbg.forwarding import Forwarder
from am_dbg.golang.door import GoDoor
from am_dbg.intake import MEGABYTE, Intake
from am_dbg.keymap import keymap_path, read_keymap
from am_dbg.options import RunOptions
from am_dbg.projection import layout
from am_dbg.projection.bars import exit_words
from am_dbg.store import Store
from am_dbg.views.debugger import Debugger
from am_dbg.views.messages import DataArrived, ImportProgressed, Warned
from amtracer.address import listen_address, peer_address

__all__ = ["MAIN_VIEWS", "run"]

MAIN_VIEWS = {
    "tree-log": layout.LOG,
    "tree-matrix": layout.MATRIX,
    "tree-rain": layout.RAIN,
    "matrix": layout.MATRIX,
    "matrix-rain": layout.RAIN,
}
LOG_LEVELS = (logging.CRITICAL, logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG)


def run(options: RunOptions, say: Callable[[str], None] | None = None) -> int:
    """Open the screen until the user leaves it; returns the exit code.

    `say` is given a line of statistics when the terminal is back. Raises `ListenError` when
    the address is taken and a `DebuggerError` when the screen had a fault of its own.
    """
    _log_to(options.log_file, options.log_level)
    store = Store()
    control = _control(store, options)
    screen = Debugger(control)
    intake = Intake(
        store,
        changed=lambda: screen.tell(DataArrived()),
        imported=lambda progress: screen.tell(ImportProgressed(progress)),
        doors=(GoDoor(),),
        token=options.token,
        warned=lambda words: screen.tell(Warned(words)),
        bytes_max=options.memory_mb_max * MEGABYTE,
    )
    places = [listen_address(options.listen_on)] if options.listen_on else []
    intake.start(*places, source=options.source)
    companions = _companions(store, options)
    for companion in companions:
        companion.start()
    control.sources = Sources(
        listening=intake.listening, source=options.import_data, warning=intake.notice
    )
    control.desk.message = control.desk.message or intake.notice
    try:
        screen.run(mouse=options.enable_mouse)
    finally:
        intake.stop()
        for companion in companions:
            companion.stop()
    if screen.trouble is not None:
        raise screen.trouble
    if say is not None:
        say(exit_words(store))
    return screen.return_code or 0


def _companions(store: Store, options: RunOptions) -> list[Forwarder | ClientList]:
    """Those that read the store beside the screen."""
    companions: list[Forwarder | ClientList] = [
        Forwarder(store, peer_address(text)) for text in options.forward_to
    ]
    if options.client_list:
        companions.append(ClientList(store, options.client_list))
    return companions


def _control(store: Store, options: RunOptions) -> Control:
    keymap = read_keymap(keymap_path())
    control = Control(
        store,
        keys=keymap.table,
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
    control.desk.message = keymap.trouble
    if options.am_dbg_addr:
        from amtracer.tracer import attach

        attach(control.modes.machine, options.am_dbg_addr)
    return control


def _log_to(path: str, level: int) -> None:
    """Our own log goes to a file or nowhere: the terminal belongs to the screen."""
    logger = logging.getLogger("am_dbg")
    logger.propagate = False
    handler = logging.FileHandler(path, encoding="utf-8") if path else logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger.handlers = [handler]
    logger.setLevel(LOG_LEVELS[max(0, min(level, len(LOG_LEVELS) - 1))])
