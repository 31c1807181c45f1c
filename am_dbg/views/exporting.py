"""The export: asks for a name, never replaces a file unasked, writes on a thread of its own."""

from __future__ import annotations

import os
from collections.abc import Callable

from am_dbg.exporting import export_session
from am_dbg.projection.clean import clean
from am_dbg.projection.times import count
from am_dbg.store import Store
from am_dbg.views.dialogs import Asking
from amtracer.errors import SessionError

__all__ = ["Exporting", "export", "path_of"]

ENDING = ".msgpack.br"
NAME_DEFAULT = f"am-dbg{ENDING}"


class Exporting(Asking):
    """Asks where to; an existing file is replaced only when Enter comes a second time."""

    def __init__(self) -> None:
        hint = f"all machines go into one session file; in {os.getcwd()} unless a path is given"
        super().__init__("Export", clean(hint), NAME_DEFAULT, accept="write")
        self._warned_of = ""

    def check(self, value: str) -> str:
        """Nothing is wrong with a name in a folder that is there and takes files."""
        path = path_of(value)
        folder = os.path.dirname(path)
        if not value.strip():
            return "a name is needed"
        if os.path.isdir(path):
            return f"{clean(path)} is a folder"
        if not os.path.isdir(folder):
            return f"there is no folder {clean(folder)}"
        if os.path.exists(path) and self._warned_of != path:
            self._warned_of = path
            return f"{clean(path)} is there already; ⏎ again replaces it"
        return ""


def path_of(name: str) -> str:
    """The file that a name stands for; a name without an ending gets ours."""
    name = os.path.expanduser(name.strip())
    if name and "." not in os.path.basename(name):
        name += ENDING
    return os.path.abspath(name)


def export(store: Store, name: str, told: Callable[[str], None]) -> None:
    """Write the session and tell how it went; not on the thread of the screen."""
    path = path_of(name)

    def progress(done: int, total: int) -> None:
        told(f"exporting {done * 100 // total if total else 100} %")

    try:
        written = export_session(store, path, progress=progress)
    except SessionError as error:
        told(f"not exported: {clean(str(error))}")
        return
    told(
        f"{clean(path)}: {count(written.machines)} machines, "
        f"{count(written.transitions)} transitions, {count(written.size)} bytes"
    )
