"""Checks whether there is a terminal to draw on."""

from __future__ import annotations

import os
import sys
from typing import TextIO

CONTROLLING = "/dev/tty"
"""The terminal from which a process was started, even if standard input is a pipe."""


def fill_standard_descriptors() -> None:
    """Open the null device for each closed standard descriptor.

    Otherwise the next opened file would get the number of standard output or error, and
    output would be written into it.
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
    """Whether a path names standard input, as `-` or as the file behind it."""
    if path == "-":
        return True
    try:
        return os.path.samestat(os.stat(path), os.fstat(0))
    except (OSError, ValueError):
        return False


def take_terminal() -> None:
    """Connect standard input to the terminal, after piped data has been read from it.

    Nothing changes without a terminal, or if standard output is not a terminal.
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
    """Whether the terminal cannot move the cursor, according to its name."""
    return os.environ.get("TERM", "") in ("", "dumb", "unknown")


def why_no_screen() -> str:
    """The reason why no screen can be drawn, or an empty text."""
    for name, stream in (("input", sys.stdin), ("output", sys.stdout)):
        if stream is None or stream.closed:
            return f"standard {name} is closed"
        if not stream.isatty():
            return f"standard {name} is not a terminal"
    return f"TERM is {os.environ.get('TERM') or 'not set'}" if is_dumb() else ""
