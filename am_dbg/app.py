"""Runs the debugger: builds and connects the store, the intake, control and the screen."""

from __future__ import annotations

import logging
import os
import sys
from asyncio import AbstractEventLoop, Runner, SelectorEventLoop
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from am_dbg.control import Control, InputStatus, StartOptions, keep_state, restore_state
from am_dbg.drawing.layout import Pane
from am_dbg.errors import OptionFileError
from am_dbg.hops import new_name
from am_dbg.ingest.golang.protocol import GoProtocol
from am_dbg.ingest.intake import Intake
from am_dbg.ingest.memory import MEGABYTE
from am_dbg.ingest.precedence import SWITCH_S, Precedence, ScreenSelector
from am_dbg.keymap import Keymap, keymap_path, read_keymap
from am_dbg.options import AUTO, RunOptions
from am_dbg.projection.counts import exit_words
from am_dbg.settings.config import KEYS, START, THEME, Config, unknown
from am_dbg.settings.state_directory import StateDirectory, state_path
from am_dbg.store import Store
from am_dbg.views.colors.choice import ColorChoice, color_choice, theme_names
from am_dbg.views.debugger import Debugger
from am_dbg.views.messages import DataArrived, ImportProgressed, Warned
from amtracer.address import listen_address
from amtracer.errors import SessionAccessError
from amtracer.files.atomic import reason_of

if TYPE_CHECKING:
    from am_dbg.egress.client_list import ClientList
    from am_dbg.egress.forward import Forwarding

FAILED = 1
"""The exit code when the screen ended without a command to quit."""
LOG_LEVELS = (logging.CRITICAL, logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG)


def run(options: RunOptions, report: Callable[[str], None] | None = None) -> int:
    """Open the screen until the user quits; returns the exit code.

    `report` gets a line of statistics when the terminal is given back. Raises `ListenError` if
    the address is in use, and another `DebuggerError` if a file of the options cannot be written
    or the screen fails.
    """
    _log_to(options.log_file, options.log_level)
    options, state = with_known_theme(options), StateDirectory(state_path())
    colors = colors_of(options, state)
    store, own_name, precedence = Store(), new_name(), Precedence()
    control = control_of(store, options)
    if options.am_dbg_addr is not None:
        control.send_modes(options.am_dbg_addr, own_name)
    screen = Debugger(control, colors)
    warned = _warning(screen, store)

    intake = Intake(
        store,
        changed=lambda: screen.post_from_thread(DataArrived()),
        imported=lambda progress: screen.post_from_thread(ImportProgressed(progress)),
        protocols=(GoProtocol(),),
        token=options.token,
        own_name=own_name,
        warned=warned,
        bytes_max=options.memory_mb_max * MEGABYTE,
        disk_max=options.disk_mb_max * MEGABYTE,
        lines_ttl_ns=options.lines_ttl_ns,
        precedence=precedence,
    )
    places = [listen_address(options.listen_on)] if options.listen_on else []
    digest = options.source.digest() if options.source else ""
    files = restore_state(control, state, digest, intake.read_also)
    if digest and os.path.isfile(options.import_data):
        files.opened(options.import_data)
    intake.start(*places, source=options.source)
    companions = _companions(store, options, own_name, warned)
    control.input_started(
        InputStatus(
            listening=intake.listening,
            source=options.import_data,
            progress="reading" if options.source else "",
            warning=intake.notice,
            address=intake.address,
            token=options.token,
        )
    )
    try:
        _start(companions)
        _show(screen, precedence, mouse=options.enable_mouse)
    finally:
        intake.stop()
        for companion in companions:
            companion.stop()
    keep_state(control, state, digest, files, screen.chosen_theme)
    if screen.trouble is not None:
        raise screen.trouble
    if report is not None:
        report(exit_words(store))
    return FAILED if screen.return_code is None else screen.return_code


def _show(screen: Debugger, precedence: Precedence, *, mouse: bool) -> None:
    """Run the screen on a loop to which data gives way; Windows terminals need their own loop."""

    def new_loop() -> AbstractEventLoop:
        return SelectorEventLoop(ScreenSelector(precedence))

    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        with Runner(loop_factory=None if sys.platform == "win32" else new_loop) as runner:
            screen.run(mouse=mouse, loop=runner.get_loop())
    finally:
        sys.setswitchinterval(before)


def _warning(screen: Debugger, store: Store) -> Callable[[str], None]:
    """What shows a warning from any thread; damage that a reader finds is one."""

    def warned(text: str) -> None:
        screen.post_from_thread(Warned(text))

    store.on_damage = lambda damage: warned(f"damaged: {damage.text}")
    return warned


def with_known_theme(options: RunOptions) -> RunOptions:
    """The options with a fault instead of a theme of the configuration that does not exist."""
    config, names = options.config, (AUTO, *theme_names())
    given = config.start.get(THEME)
    if given != options.theme or options.theme.strip().lower() in names:
        return options
    trouble = unknown(config.place(THEME, START), options.theme, names, ", ".join(names))
    return replace(options, theme=AUTO, config=config.with_troubles(trouble))


def colors_of(options: RunOptions, state: StateDirectory) -> ColorChoice:
    """The theme and the depth of the screen; without an option, the theme of the last time."""
    return color_choice(_theme(options.theme, state), options.colors, os.environ)


def _theme(asked: str, state: StateDirectory) -> str:
    """The theme that was asked for, otherwise the one that the user chose the last time."""
    kept = state.settings().get("theme")
    return kept if asked == AUTO and isinstance(kept, str) and kept in theme_names() else asked


def _companions(
    store: Store, options: RunOptions, own_name: str, warned: Callable[[str], None]
) -> list[Forwarding | ClientList]:
    """The threads and tasks that read the store beside the screen."""
    companions: list[Forwarding | ClientList] = []
    if options.forward_to:
        from am_dbg.egress.forward import Forwarding

        companions += [Forwarding(store, to, own_name) for to in options.forward_to]
    if options.client_list:
        from am_dbg.egress.client_list import ClientList

        companions.append(ClientList(store, options.client_list, warned=warned))
    return companions


def _start(companions: list[Forwarding | ClientList]) -> None:
    try:
        for companion in companions:
            companion.start()
    except SessionAccessError as error:
        raise OptionFileError("--client-list", error.path, error.reason) from error


def keymap_of(config: Config) -> Keymap:
    """The keys of the user: those of the key file, then those of the configuration."""
    return read_keymap(keymap_path(), config.keys, lambda name: config.place(name, KEYS))


def control_of(store: Store, options: RunOptions) -> Control:
    """The control over a store as the options say."""
    config, keymap = options.config, keymap_of(options.config)
    control = Control(
        store,
        keys=keymap.table,
        main=_main_pane(options.view),
        reader=options.reader,
        start=StartOptions(
            machine=options.select_machine,
            transition=options.select_transition,
            is_importing=options.source is not None,
            select_connected=options.select_connected,
            clean_on_connect=options.clean_on_connect,
        ),
    )
    control.add_notices(*config.troubles, keymap.trouble)
    return control


def _main_pane(view: str) -> Pane:
    """The pane in the middle, which is the last word of `--view`: the log of `tree-log`."""
    return Pane(view.rpartition("-")[2])


def _log_to(path: str, level: int) -> None:
    """Log to a file or nowhere, because the screen uses the terminal.

    This includes the log of the tracer that sends this debugger's modes to another debugger.
    """
    handler = _log_handler(path) if path else logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in ("am_dbg", "amtracer"):
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.handlers = [handler]
        logger.setLevel(LOG_LEVELS[max(0, min(level, len(LOG_LEVELS) - 1))])


def _log_handler(path: str) -> logging.Handler:
    try:
        return logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise OptionFileError("--log-file", path, reason_of(error)) from error
