"""Signals that end the screen, so that the terminal is left as it was."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable

SIGNALS = (
    "SIGABRT",
    "SIGALRM",
    "SIGHUP",
    "SIGINT",
    "SIGIO",
    "SIGPROF",
    "SIGPWR",
    "SIGQUIT",
    "SIGSTKFLT",
    "SIGSYS",
    "SIGTERM",
    "SIGTRAP",
    "SIGUSR1",
    "SIGUSR2",
    "SIGVTALRM",
    "SIGXCPU",
)
"""All signals that end a process unless it handles them, and that leave it intact.

Faults of the interpreter itself, such as SIGSEGV, are not among them, because no Python code
can run after one.
"""

SHELL_CODE = 128
"""The number that shells add to that of the signal that ended a program."""

_log = logging.getLogger(__name__)


def end_on_signals(end: Callable[[int], object]) -> None:
    """Make the running loop end the screen on a signal, with the exit code shells expect."""
    loop = asyncio.get_running_loop()
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and sys.platform != "win32":
            try:
                loop.add_signal_handler(number, end, SHELL_CODE + number)
            except (RuntimeError, ValueError):
                _log.info("%s is not handled outside of the main thread", name)
