"""Records of a file of version 3 are copied: what is exported whole is not decoded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from am_dbg.cli import commands as cli
from am_dbg.egress.export import Selection, export_session, selected
from am_dbg.ingest.importing import import_session
from am_dbg.store import Store, Track
from tests.dbg.histories import SMALL_CHUNKS, HistoryPlayer, stored
from tests.dbg.model import histories
from tests.dbg.test_export_identity import all_of

EXPORTS = Path(__file__).resolve().parents[2] / "exports"


def opened(path: Path) -> Store:
    store = Store()
    import_session(store, str(path))
    return store


def written(store: Store, path: Path, selection: Sequence[Selection] | None = None) -> Path:
    export_session(store, path, selection, all_ids=True)
    return path


def contents(tracks: Iterable[Track]) -> list[object]:
    """Everything of some machines but their keys, which depend on their order."""
    return [{**all_of(track, set()), "machine": track.id} for track in tracks]


@settings(max_examples=25)
@given(histories)
def test_a_file_that_is_exported_again_has_the_same_bytes(history: list[tuple[int, ...]]) -> None:
    """Copying changes nothing and decodes nothing."""
    with TemporaryDirectory() as folder:
        player = HistoryPlayer(batch_rows=4, segment_rows=9).play(history)
        store = stored(player, limits=SMALL_CHUNKS)
        first = written(store, Path(folder, "1.msgpack.br"))
        copy = opened(first)
        again = written(copy, Path(folder, "2.msgpack.br"))

        assert again.read_bytes() == first.read_bytes()
        assert copy.loaded.bytes == 0


@settings(max_examples=25)
@given(histories, histories)
def test_what_is_copied_into_another_order_or_stream_stays_equal(
    one: list[tuple[int, ...]], two: list[tuple[int, ...]]
) -> None:
    """Heads get the numbers of the new file; a body that does not fit is written from its rows."""
    with TemporaryDirectory() as folder:
        players = (
            HistoryPlayer("s1", batch_rows=4, segment_rows=9).play(one),
            HistoryPlayer("s2", batch_rows=4, segment_rows=9).play(two),
        )
        stores = [stored(player, limits=SMALL_CHUNKS) for player in players]
        store = Store()
        for at, source in enumerate(stores):
            import_session(store, str(written(source, Path(folder, f"{at}.msgpack.br"))))
        for at, chosen in enumerate((selected(store), selected(store)[::-1], selected(store)[1:])):
            copy = opened(written(store, Path(folder, f"copy-{at}.msgpack.br"), chosen))
            assert contents(copy.tracks) == contents(part.track for part in chosen)


@pytest.mark.parametrize("path", sorted(EXPORTS.glob("*.msgpack.br")), ids=lambda path: path.name)
def test_every_kept_session_is_copied_without_decoding(path: Path, tmp_path: Path) -> None:
    """A session of any version becomes one of version 3, whose copy has the same bytes."""
    first = written(opened(path), tmp_path / "1.msgpack.br")
    copy = opened(first)
    again = written(copy, tmp_path / "2.msgpack.br")

    assert again.read_bytes() == first.read_bytes()
    assert copy.loaded.bytes == 0


def test_a_conversion_writes_the_kept_session_of_version_3(tmp_path: Path) -> None:
    """The special cases are packed as they are kept, and their copy has the same bytes."""
    kept = EXPORTS / "version-3.msgpack.br"
    packed, copy = tmp_path / "packed.msgpack.br", tmp_path / "copy.msgpack.br"
    assert cli.run(["convert", str(EXPORTS / "special-cases.msgpack.br"), str(packed)]) == 0
    assert cli.run(["convert", str(kept), str(copy)]) == 0

    assert packed.read_bytes() == kept.read_bytes()
    assert copy.read_bytes() == kept.read_bytes()
