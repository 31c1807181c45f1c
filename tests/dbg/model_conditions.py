"""The conditions in which a store has to give the same answers.

Each condition makes a store of the same session in another way: as it is fed, with rows that
waited, moved to temporary files, and written and read back in each format. In some of them the
cache holds one record and a record has a few rows, so nearly every look loads again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import settings

from am_dbg.egress import record_stream
from am_dbg.egress.export import export_session, selected
from am_dbg.ingest.importing import import_session
from am_dbg.ingest.records_import import RecordsImport
from am_dbg.store import Store
from am_dbg.store.packed import text_lists
from am_dbg.store.spilling.spill import Spill
from amtracer.files.session import SessionWriter
from tests.dbg.histories import SMALL_CHUNKS, write_messages
from tests.dbg.model import PlayedSession

Condition = Callable[[PlayedSession, Path], Store]
"""Makes the store of a session; the folder is for files."""

RECORD_ROWS_MAX = 10
LISTED_ROWS_MIN = 3
CACHE_BYTES_MAX = 1
DISK_BYTES_MAX = 10**9
EXAMPLES_MIN = 8


class PathBytes:
    """The bytes of a file, each piece read from the disk when it is needed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def size(self) -> int:
        return self._path.stat().st_size

    def read(self, offset: int, size: int) -> bytes:
        with self._path.open("rb") as file:
            file.seek(offset)
            return file.read(size)


def small_store() -> Store:
    """A store whose chunks have a few rows."""
    return Store(chunk_limits=SMALL_CHUNKS)


def fed(session: PlayedSession, _: Path) -> Store:
    """Each message was fed by itself; the last stream goes on."""
    store = small_store()
    _feed(store, session)
    return store


def _feed(store: Store, session: PlayedSession) -> None:
    before = -1
    for at, player in enumerate(session.players):
        stream = store.open_stream(
            "reported", live=session.is_live, after=-1 if session.is_live else before
        )
        for message in player.messages:
            store.feed(stream, message)
        if at + 1 < len(session.players) or session.reasons[at]:
            store.close_stream(stream, session.reasons[at])
        before = stream


def gathered(session: PlayedSession, folder: Path) -> Store:
    """Rows waited until a message that changes their track."""
    store, before = small_store(), -1
    for player, reason in zip(session.players, session.reasons, strict=True):
        stream = store.open_stream(
            "reported", live=session.is_live, after=-1 if session.is_live else before
        )
        with store.gathering():
            for message in player.messages:
                store.feed(stream, message)
        store.close_stream(stream, reason)
        before = stream
    return store


def version_2(session: PlayedSession, folder: Path) -> Store:
    """Written as messages and read back."""
    original, path = fed(session, folder), folder / "version-2"
    with SessionWriter(path) as writer:
        write_messages(original, selected(original), writer.write, all_ids=True)
    store = small_store()
    import_session(store, str(path))
    return store


def version_3(session: PlayedSession, folder: Path) -> Store:
    """Written as records and read back; nothing is loaded yet."""
    path = folder / "version-3"
    export_session(fed(session, folder), path, all_ids=True)
    store = small_store()
    import_session(store, str(path))
    return store


def one_record(session: PlayedSession, folder: Path) -> Store:
    """Read from the disk when it is asked; the cache holds one record of a few rows."""
    path, store = folder / "one-record", small_store()
    with (
        mock.patch.object(record_stream, "RECORD_ROWS_MAX", RECORD_ROWS_MAX),
        mock.patch.object(text_lists, "LISTED_ROWS_MIN", LISTED_ROWS_MIN),
    ):
        export_session(fed(session, folder), path, all_ids=True)
    store.loaded.bytes_max = CACHE_BYTES_MAX
    RecordsImport(store, str(path), PathBytes(path)).run()
    return store


def moved(session: PlayedSession, _: Path) -> Store:
    """Complete chunks and ended segments are in temporary files; the cache holds one record."""
    store = Store(bytes_max=1, chunk_limits=SMALL_CHUNKS)
    spill = Spill(store, DISK_BYTES_MAX)
    store.loaded.bytes_max = CACHE_BYTES_MAX
    _feed(store, session)
    spill.make_room()
    return store


def written_again(session: PlayedSession, folder: Path) -> Store:
    """Read back from records that were written from a store of records."""
    path = folder / "written-again"
    export_session(one_record(session, folder), path, all_ids=True)
    store = small_store()
    import_session(store, str(path))
    return store


CONDITIONS: tuple[Condition, ...] = (
    fed,
    gathered,
    version_2,
    version_3,
    one_record,
    moved,
    written_again,
)
"""All of them; a test asks its question in each."""
EXAMPLES = settings(max_examples=max(EXAMPLES_MIN, settings().max_examples // len(CONDITIONS)))
in_each_condition = pytest.mark.parametrize("make", CONDITIONS, ids=lambda make: make.__name__)
