"""Output of the commands: data to standard output, messages to standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Self

from am_dbg.cli.exit_codes import Exit
from am_dbg.cli.terminal import is_dumb, is_terminal
from am_dbg.errors import NoTerminalError
from am_dbg.safe_text import one_line

if TYPE_CHECKING:
    from am_dbg.egress.export import ExportResult

PROGRAM = "am-dbg"


def write_lines(lines: Iterable[str]) -> None:
    """Write data, line by line."""
    if sys.stdout is None:
        raise NoTerminalError("standard output is closed")
    for line in lines:
        sys.stdout.write(f"{line}\n")


def json_lines(value: object) -> Iterator[str]:
    """A value as indented JSON."""
    yield json.dumps(value, indent=2)


def write_message(text: str) -> None:
    """Write a message on one line."""
    _write_error(f"{PROGRAM}: {one_line(text)}\n")


def fail(text: str, code: Exit = Exit.BAD_INPUT) -> Exit:
    """Write a message, and return the exit code to end with."""
    write_message(text)
    return code


def report_written(target: str, written: ExportResult, replaced: str = "") -> None:
    """Write a message with the contents and the size of a new file."""
    from am_dbg.projection.times import totals

    held = totals(written.machines, written.transitions)
    write_message(f"{one_line(target)}: {held}, {written.size:,} bytes{replaced}")


def flush() -> None:
    """Flush standard output, if it is open."""
    if sys.stdout is not None:
        sys.stdout.flush()


def is_flushed() -> bool:
    """Whether all data was written; if not, the interpreter does not try again at exit."""
    try:
        flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


class ProgressBar:
    """A progress line on standard error if that is a terminal; it is removed at the end."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._shown = -1
        self._is_on = is_terminal(sys.stderr) and not is_dumb()

    def moved(self, done: int, total: int) -> None:
        """Show the progress, if it is a whole per cent further."""
        percent = done * 100 // total if total else 0
        if self._is_on and percent != self._shown:
            self._shown = percent
            _write_error(f"\r{self._what} {percent:3} %")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown >= 0:
            _write_error(f"\r{'':{len(self._what) + 6}}\r")


def _write_error(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        sys.stderr = None  # messages have no reader any more, data may still have one
