"""Lists of the texts of chunks: a search skips what has no wanted text, and nothing else."""

from __future__ import annotations

from array import array
from pathlib import Path

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.egress.export import export_session
from am_dbg.ingest.importing import import_session
from am_dbg.query import ALL, Hits, Visible
from am_dbg.store import Store
from am_dbg.store.chunk_columns import ChunkColumns, TextNumbers
from am_dbg.store.columns import SparseIntegers
from am_dbg.store.packed.text_lists import (
    LISTED_ROWS_MIN,
    pack_text_lists,
    text_numbers,
    unpack_text_lists,
)
from amtracer.errors import WireError
from tests.dbg.histories import HistoryPlayer, stored

numbers = st.lists(st.integers(0, 65_535), max_size=20)
SIZES = st.sampled_from([1, LISTED_ROWS_MIN - 1, LISTED_ROWS_MIN, 4_096])


def columns(texts: list[int], line_sets: list[int]) -> ChunkColumns:
    """The columns of a chunk that has these numbers in its rows."""
    made = ChunkColumns()
    made.args, made.pre_lines = SparseIntegers(), SparseIntegers()
    made.args.extend({at: (number,) for at, number in enumerate(texts)})
    made.pre_lines.extend({at: (number,) for at, number in enumerate(line_sets)})
    return made


@given(st.lists(st.tuples(SIZES, numbers, numbers), max_size=6))
def test_lists_come_back_as_they_were_packed(
    chunks: list[tuple[int, list[int], list[int]]],
) -> None:
    """A large chunk has the distinct numbers of its rows, ascending; a small one has no list."""
    given_ = [(rows, columns(texts, line_sets)) for rows, texts, line_sets in chunks]

    lists = unpack_text_lists(pack_text_lists(given_), len(chunks))

    for at, (rows, texts, line_sets) in enumerate(chunks):
        is_listed = rows >= LISTED_ROWS_MIN
        expected = sorted(set(texts)), sorted(set(line_sets))
        listed = lists[at]
        assert (listed is not None) == is_listed
        if listed is not None:
            assert (list(listed.texts), list(listed.line_sets)) == expected
            assert listed == text_numbers(given_[at][1])


def test_a_chunk_without_texts_has_empty_lists() -> None:
    """Otherwise a search would have to look at its rows."""
    data = pack_text_lists([(LISTED_ROWS_MIN, ChunkColumns())])

    assert unpack_text_lists(data, 1)[0] == TextNumbers(array("B"), array("B"))


@given(st.binary(max_size=40) | st.lists(st.binary(max_size=6), max_size=6).map(msgpack.packb))
def test_any_bytes_are_lists_or_one_error(data: bytes) -> None:
    """Nothing else happens, and no list is longer than its bytes allow."""
    try:
        lists = unpack_text_lists(data, 3)
    except WireError:
        return
    assert lists.size() < 10_000


def test_lists_of_nothing_but_zeros_take_no_memory() -> None:
    """A column of zeros has no bytes, so its length must be bounded by its meaning."""
    sizes = b"H" + b"\xff\xff\xff\xff"
    with pytest.raises(WireError, match="twice"):
        unpack_text_lists(msgpack.packb((sizes, b"", sizes, b"")), 2)


def test_a_search_loads_only_what_has_a_wanted_text(tmp_path: Path) -> None:
    """A machine whose arguments have no such text stays on the disk; the other one is found."""
    player = HistoryPlayer()
    machines = [player.enter(0), player.enter(0)]
    for machine, extra in zip(machines, (4, 0), strict=True):
        for at in range(2 * LISTED_ROWS_MIN):
            player.transit(machine, (1, 5, 0, extra * (at == 9), 4))
    player.writer.flush()
    path = tmp_path / "file"
    export_session(stored(player), path)
    store = Store()
    import_session(store, str(path))
    having, lacking = (Visible(track, ALL) for track in store.tracks)
    assert Hits(lacking, "nothing has this").count == 0
    tables = store.loaded.bytes

    assert Hits(lacking, '"plain words"').count == 0
    assert store.loaded.bytes - tables < LISTED_ROWS_MIN
    assert Hits(having, '"plain words"').count == 1
    assert store.loaded.bytes - tables > 2 * LISTED_ROWS_MIN
