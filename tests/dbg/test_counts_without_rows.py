"""Counts that need no rows, and what becomes of them when rows turn out to be damaged."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from pathlib import Path

import pytest

from am_dbg.egress.export import export_session
from am_dbg.ingest.importing import import_session
from am_dbg.query import ALL, Filters, Hits, Visible, canceled
from am_dbg.query.transition_set import TransitionSet
from am_dbg.store import Gap, GapKind, Store, Track
from am_dbg.store.loading.record_file import RowsRecord
from am_dbg.store.packed.body_reader import RowsBody
from am_dbg.store.packed.heads import ChunkHead
from am_dbg.store.packed.text_lists import LISTED_ROWS_MIN
from am_dbg.store.spilling.spill import Spill
from tests.dbg.histories import HistoryPlayer, stored
from tests.dbg.record_files import changed, imported
from tests.dbg.test_damaged_records import UNTRUE_HEADS, of_first_chunk, session

ROWS = 2 * LISTED_ROWS_MIN
IN_LINES, IN_ARGUMENTS, NOWHERE = "boom", '"plain words"', "nothing has this"


def played() -> HistoryPlayer:
    """Two machines: every fourth row of both logs a word, one row of the first carries another."""
    player = HistoryPlayer()
    machines = [player.enter(0), player.enter(0)]
    for at in range(ROWS):
        for machine, extra in zip(machines, (4, 0), strict=True):
            player.transit(machine, (1, 5, 2 * (at % 4 == 0), extra * (at == 9), 4))
    player.writer.flush()
    return player


def from_file(folder: Path) -> Store:
    path, store = folder / "file", Store()
    export_session(stored(played()), path)
    import_session(store, str(path))
    return store


def from_moved_history(folder: Path) -> Store:
    store = Store(bytes_max=1)
    spill = Spill(store, 10**9)
    stream = store.open_stream("played", live=False)
    for message in played().messages:
        store.feed(stream, message)
    store.close_stream(stream)
    spill.make_room()
    return store


def from_exported_moved_history(folder: Path) -> Store:
    store = Store()
    export_session(from_moved_history(folder), folder / "file")
    import_session(store, str(folder / "file"))
    return store


def refuse(*_: object) -> None:
    raise AssertionError("rows were loaded")


on_disk = pytest.mark.parametrize(
    "make", [from_file, from_moved_history, from_exported_moved_history], ids=lambda f: f.__name__
)


@on_disk
def test_a_search_counts_without_rows_what_heads_know(
    make: Callable[[Path], Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Log lines are counted by their palette; a list without a wanted text needs no row."""
    having, lacking = (Visible(track, ALL) for track in make(tmp_path).tracks)
    monkeypatch.setattr(RowsRecord, "loaded", refuse)

    assert [Hits(one, IN_LINES).count for one in (having, lacking)] == [ROWS // 4] * 2
    assert Hits(having, NOWHERE).count == Hits(lacking, IN_ARGUMENTS).count == 0
    with pytest.raises(AssertionError, match="loaded"):
        Hits(having, IN_ARGUMENTS).next(0)


@on_disk
def test_a_search_in_rows_makes_only_the_columns_that_it_needs(
    make: Callable[[Path], Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hit is counted and found, and nothing else of its chunk is made until it is shown."""
    having = Visible(make(tmp_path).tracks[0], ALL)
    monkeypatch.setattr(RowsBody, "columns", refuse)

    hits = Hits(having, IN_ARGUMENTS)

    assert (hits.count, hits.next(0), hits.next(10)) == (1, 10, None)
    with pytest.raises(AssertionError, match="loaded"):
        having.track.transition(10)


def test_two_conditions_are_counted_by_rows(tmp_path: Path) -> None:
    """What each of them counts alone does not say what both have in common."""
    track = from_file(tmp_path).tracks[0]
    seen = {
        text: {
            number
            for number in range(1, track.count + 1)
            if number in Hits(Visible(track, ALL), text)
        }
        for text in (IN_LINES, IN_ARGUMENTS, "accepted:yes")
    }

    for one, numbers in seen.items():
        for other, others in seen.items():
            assert Hits(Visible(track, ALL), f"{one} {other}").count == len(numbers & others)


def sets_of(track: Track) -> list[TransitionSet]:
    visible = Visible(track, Filters(canceled=False, empty=True))
    all_ = Visible(track, ALL)
    return [
        visible,
        canceled(all_),
        Hits(all_, "boom"),
        Hits(all_, "start"),
        Hits(visible, "state"),
    ]


@pytest.mark.parametrize("what", UNTRUE_HEADS)
def test_counts_are_made_again_when_a_chunk_is_found_damaged(what: str, tmp_path: Path) -> None:
    """A set that counted by a wrong head says from then on what a new one says."""
    store, _ = imported(changed(session(tmp_path), UNTRUE_HEADS[what]), tmp_path)
    track = store.tracks[0]
    sets = sets_of(track)
    assert [one.count for one in sets]
    assert [one.first() for one in sets]

    track.transition(1)

    assert store.damage
    assert [one.count for one in sets] == [one.count for one in sets_of(track)]
    assert [one.first() for one in sets] == [one.first() for one in sets_of(track)]


def test_a_hit_that_only_the_head_has_is_damage(tmp_path: Path) -> None:
    """The head lists one more row with a line; the step to a hit finds that the rows have not."""
    store, _ = imported(changed(session(tmp_path), UNTRUE_HEADS["lines"]), tmp_path)
    hits = Hits(Visible(store.tracks[0], ALL), "start")

    assert hits.count
    hits.first()

    assert list(store.tracks[0].gaps) == [Gap(0, 12, "damaged", GapKind.DAMAGED)]
    assert (hits.count, hits.first()) == (0, 0)


def test_lines_that_are_not_defined_are_damage_when_rows_are_read(tmp_path: Path) -> None:
    """A search finds nothing in them, and no look at a row asks for a set that does not exist."""

    def unknown(chunk: ChunkHead) -> ChunkHead:
        values, rows = chunk.lines
        return chunk._replace(lines=(array("H", [*values[:-1], 60_000]), rows))

    store, error = imported(changed(session(tmp_path), of_first_chunk(unknown)), tmp_path)
    track = store.tracks[0]

    assert error is None
    assert Hits(Visible(track, ALL), "+start").count < 12
    assert track.transition(1).lines == ()
    assert list(track.gaps) == [Gap(0, 12, "damaged", GapKind.DAMAGED)]
