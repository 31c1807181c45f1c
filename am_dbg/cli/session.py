"""Reads a session for the commands, and prints what they make of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from am_dbg.cli.exit_codes import Exit
from am_dbg.cli.output import ProgressBar, fail, write_lines, write_message
from am_dbg.ingest.memory import DISK_MB_MAX_DEFAULT, MEGABYTE, use_disk

if TYPE_CHECKING:
    from am_dbg.store import Store
    from amtracer.errors import SessionError


def read_session(file: str, max_mem: int) -> tuple[Store, SessionError | None]:
    """The store with a session, and the error that ended it early.

    A session of which nothing could be read raises the error.
    """
    from am_dbg.ingest.importing import import_session
    from amtracer.errors import SessionError

    store = store_of_command(max_mem)
    try:
        with ProgressBar("reading") as bar:
            import_session(store, file, bar.moved, max_mem * MEGABYTE)
    except SessionError as error:
        if not store.tracks:
            raise
        return store, error
    return store, None


def store_of_command(max_mem: int) -> Store:
    """An empty store; what does not fit in memory is moved to the disk."""
    from am_dbg.store import Store

    store = Store(max_mem * MEGABYTE)
    use_disk(store, DISK_MB_MAX_DEFAULT * MEGABYTE, warned=write_message)
    return store


def print_session(file: str, max_mem: int, lines_of: Callable[[Store], Iterable[str]]) -> Exit:
    """Read a session and print lines about it; of a damaged session, about its intact part."""
    if sys.stdout is None:
        return fail("standard output is closed")
    store, error = read_session(file, max_mem)
    write_lines(lines_of(store))
    return with_damage(Exit.DONE, (store, error))


def with_damage(code: Exit, *read: tuple[Store, SessionError | None]) -> Exit:
    """The exit code, unless a session was found damaged or cut; that is reported.

    Some damage is found only when a transition is looked at.
    """
    for store, error in read:
        if error is not None:
            code = fail(str(error))
        elif store.damage:
            code = fail(f"{store.streams[0].label}: damaged ({store.damage[0].text})")
    return code
