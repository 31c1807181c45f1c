"""Session files that were open, and what else of a control is kept in the state directory."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from am_dbg.control.palette.palette import RECENT_MAX
from am_dbg.ingest.importing import ImportSource, open_source
from am_dbg.projection.clean import clean
from am_dbg.settings.state_directory import StateDirectory
from amtracer.errors import SessionError

if TYPE_CHECKING:
    from am_dbg.control.control import Control


FILES_MAX = 10


class RecentFiles:
    """The paths of session files, the newest first; opens one of them beside what is there."""

    def __init__(self, paths: list[str], read: Callable[[ImportSource], None]) -> None:
        self.paths = paths
        self._read = read

    def opened(self, path: str) -> None:
        """Put a file first."""
        path = os.path.abspath(path)
        self.paths[:] = [path, *(one for one in self.paths if one != path)][:FILES_MAX]

    def open(self, path: str) -> str:
        """Open a file; return a message."""
        try:
            source = open_source(path)
        except SessionError as error:
            return clean(str(error))
        self._read(source)
        self.opened(path)
        return f"opens {clean(path)}"


def restore_state(
    control: Control, state: StateDirectory, digest: str, read: Callable[[ImportSource], None]
) -> RecentFiles:
    """Give a control what was kept: of its session, and of all."""
    settings = state.settings()
    control.restore_at_end_of_import(state.session(digest))
    control.restore_recent(_texts(settings.get("recent"))[:RECENT_MAX])
    files = RecentFiles(_texts(settings.get("files"))[:FILES_MAX], read)
    control.offer_files(files.paths, files.open)
    return files


def keep_state(
    control: Control, state: StateDirectory, digest: str, files: RecentFiles, theme: str
) -> None:
    """Keep what the next start begins with; what cannot be written is left."""
    if digest and (kept := control.kept_session()):
        state.keep_session(digest, kept)
    settings: dict[str, object] = {"recent": list(control.recent_entries()), "files": files.paths}
    state.keep_settings(settings | ({"theme": theme} if theme else {}))


def _texts(values: object) -> list[str]:
    """The texts of a list."""
    return [one for one in values if isinstance(one, str)] if isinstance(values, list) else []
