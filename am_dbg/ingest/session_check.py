"""Checks a whole session: every record, every row, every definition.

Opening a session file of version 3 reads only heads. Here everything is read, and compared with
what the heads say. Of other sessions everything is read when they are imported.
"""

from __future__ import annotations

from contextlib import closing

from am_dbg.ingest.importing import ImportSource, OnRead, import_session
from am_dbg.ingest.records_import import RecordsImport
from am_dbg.store import Store
from am_dbg.store.values import Damage
from amtracer.errors import SessionError


def check_session(
    store: Store, source: ImportSource, memory_max: int, progress: OnRead | None = None
) -> list[Damage]:
    """Import a session and read all of it; return everything that is wrong."""
    found = _imported(store, source, memory_max, progress)
    for track in store.tracks:
        for chunk in track.chunks:
            if chunk.can_be_read():
                for shape in chunk.shapes.palette:
                    chunk.dictionary.shape(shape)
    return [*found, *store.damage]


def _imported(
    store: Store, source: ImportSource, memory_max: int, progress: OnRead | None
) -> list[Damage]:
    """Import a session; return what was wrong."""
    if source.records is None:
        try:
            import_session(store, source, progress, memory_max)
        except SessionError as error:
            return [Damage(error.reason)]
        return []
    with closing(source):
        importing = RecordsImport(store, source.label, source.records)
        try:
            importing.run(progress)
        except SessionError as error:
            return importing.damage or [Damage(error.reason)]
    return []
