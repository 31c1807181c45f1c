"""An export of a part of a session takes bounded memory."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from am_dbg.egress import export
from am_dbg.egress.export import export_session, selected
from am_dbg.store import Store
from am_dbg.store.spilling.spill import Spill
from tests.dbg.histories import HistoryPlayer, stored
from tests.dbg.record_files import imported, row_values

ROWS = 4_000
LIMIT = 100_000
BATCH_ROWS = 64


@pytest.fixture(scope="module")
def store() -> Store:
    """Two machines whose transitions share definitions."""
    player = HistoryPlayer()
    machines = [player.enter(0, (0, name, 0)) for name in range(2)]
    for at in range(ROWS):
        for machine in machines[: 1 if at else 2]:
            player.transit(machine, (1 + at % 7, at % 5, at, at % 8, 4))
    player.writer.flush()
    return stored(player)


def part_of(store: Store, folder: Path) -> bytes:
    """A range of the first machine, as a file."""
    path = folder / "part.msgpack.br"
    export_session(store, path, selected(store, store.tracks[0], (11, ROWS - 10)))
    return path.read_bytes()


@pytest.mark.slow
def test_a_part_is_gathered_in_bounded_memory(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most rows are on the disk while the rest is gathered, and the file is the same."""
    whole = row_values(imported(part_of(store, tmp_path), tmp_path)[0].tracks[0])
    spills: list[Spill] = []
    make_room = Spill.make_room

    def watched(spill: Spill) -> None:
        spills.append(spill)
        make_room(spill)

    monkeypatch.setattr(Spill, "make_room", watched)
    monkeypatch.setattr(export, "PART_MEMORY_BYTES_MAX", LIMIT)
    monkeypatch.setattr(export, "limits", SimpleNamespace(BATCH_ROWS_MAX=BATCH_ROWS))

    found = row_values(imported(part_of(store, tmp_path), tmp_path)[0].tracks[0])

    assert len(found) == ROWS - 20
    assert found == whole
    chunks = spills[-1]._store.tracks[0].chunks
    assert sum(chunk.rows for chunk in chunks if chunk.is_loaded) > ROWS / 2
