"""The export dialog: asks for a name, asks before it replaces a file, writes on its own thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from am_dbg.egress.convert import addressed
from am_dbg.egress.export import ExportResult, Selection, export_session, selected
from am_dbg.errors import DebuggerError
from am_dbg.projection.addresses.write import SCHEME
from am_dbg.projection.clean import clean
from am_dbg.projection.faults import Failed, attempt
from am_dbg.projection.times import count
from am_dbg.store import Store
from am_dbg.views.dialogs import Asking
from amtracer.errors import SessionError

ENDING = ".msgpack.br"
NAME_DEFAULT = f"am-dbg{ENDING}"


class Exporting(Asking):
    """Asks for a name; an existing file is replaced only after a second Enter."""

    def __init__(self, store: Store) -> None:
        hint = (
            f"all machines, into {clean(os.getcwd())} unless a path is given\n"
            "mach://ID or mach://ID/5-20 writes that alone, named after it"
        )
        super().__init__("Export", hint, NAME_DEFAULT, accept="write")
        self._store = store
        self._warned_of = ""

    def check(self, value: str) -> str:
        """What is wrong with a name, empty for nothing; asks once about a file that is there."""
        try:
            path, _ = target_of(self._store, value)
        except DebuggerError as error:
            return _reason_first(error)
        folder = os.path.dirname(path)
        if not value.strip():
            return "a name is needed"
        if os.path.isdir(path):
            return f"a folder, not a file: {clean(path)}"
        if not os.path.isdir(folder):
            return f"no such folder: {clean(folder)}"
        if os.path.exists(path) and self._warned_of != path:
            self._warned_of = path
            return f"⏎ again replaces the file that is there: {clean(path)}"
        return ""


def _reason_first(error: Exception) -> str:
    """What is wrong, then the path, which may be too long for the row."""
    if isinstance(error, SessionError):
        return clean(f"{error.reason}: {error.path}")
    return clean(str(error))


def target_of(store: Store, name: str) -> tuple[str, list[Selection]]:
    """The file that a name or an address means, and what goes into it."""
    if name.strip().startswith(SCHEME):
        selection, own_name = addressed(store, name.strip())
        return os.path.abspath(own_name), selection
    return _path_of(name), selected(store)


def _path_of(name: str) -> str:
    """The path of a name; one without an ending gets the default ending."""
    name = os.path.expanduser(name.strip())
    if name and "." not in os.path.basename(name):
        name += ENDING
    return os.path.abspath(name)


def export(store: Store, name: str, told: Callable[[str, Sequence[Selection]], None]) -> None:
    """Write the session and report how it went; not on the thread of the screen.

    `told` is called with words, and at the end with what is in the file.
    """

    def progress(done: int, total: int) -> None:
        told(f"exporting {done * 100 // total if total else 100} %", ())

    def write() -> tuple[str, ExportResult, Sequence[Selection]]:
        path, selection = target_of(store, name)
        return path, export_session(store, path, selection, progress), selection

    outcome = attempt("the export", write)
    if isinstance(outcome, Failed):
        if isinstance(outcome.error, DebuggerError | SessionError):
            told(f"not exported: {_reason_first(outcome.error)}", ())
        else:
            outcome.log()
            told(f"not exported: {outcome.reason}", ())
        return
    path, written, selection = outcome
    told(
        f"{clean(path)}: {count(written.machines)} machines, "
        f"{count(written.transitions)} transitions, {count(written.size)} bytes",
        selection,
    )
