"""Checks whether there is a terminal to draw on."""

from __future__ import annotations

import os
import sys
from typing import TextIO

CONTROLLING = "/dev/tty"
"""The terminal that a process was started from, whatever its standard input is."""


def fill_standard_descriptors() -> None:
    """Put the null device where standard descriptors are closed.

    Otherwise the next file that is opened would take the place of standard output or
    error, and whatever is written there would end up in it.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether this is an open stream to a terminal."""
    return stream is not None and not stream.closed and stream.isatty()


def is_standard_input(path: str) -> bool:
    """Whether this names what standard input reads, as `-` or as a file."""
    if path == "-":
        return True
    try:
        return os.path.samestat(os.stat(path), os.fstat(0))
    except (OSError, ValueError):
        return False


def take_terminal() -> None:
    """Let standard input be the terminal again, once what it was has been read.

    Nothing changes where there is no terminal, or none that the screen would be drawn on.
    """
    if is_terminal(sys.stdin) or not is_terminal(sys.stdout):
        return
    try:
        terminal = os.open(CONTROLLING, os.O_RDWR)
    except OSError:
        return
    os.dup2(terminal, 0)
    os.close(terminal)


def is_dumb() -> bool:
    """Whether the terminal, by its name, cannot move the cursor."""
    return os.environ.get("TERM", "") in ("", "dumb", "unknown")


def why_no_screen() -> str:
    """The reason why there can be no screen here, empty when there is none."""
    for name, stream in (("input", sys.stdin), ("output", sys.stdout)):
        if stream is None or stream.closed:
            return f"standard {name} is closed"
        if not stream.isatty():
            return f"standard {name} is no terminal"
    return f"TERM is {os.environ.get('TERM') or 'not set'}" if is_dumb() else ""
