"""Columns: numbers and texts in as few bytes as they need."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.store.columns import Blobs, Integers, SparseIntegers, SparseTexts, looked_up, packed
from am_dbg.store.palette import PaletteColumn
from am_dbg.store.source_column import SourceColumn
from amtracer.wire.messages import Source
from amtracer.wire.vocabulary import join_tx, split_tx

number = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 300)


@given(st.lists(st.lists(number, min_size=1, max_size=5), max_size=6))
def test_integers_widen_as_needed_and_keep_every_value(pieces: list[list[int]]) -> None:
    """Whatever was appended comes back, by row and as a span."""
    column = Integers()
    kept: list[int] = []
    for piece in pieces:
        column.extend(piece, len(kept))
        kept += piece

    assert [column[row] for row in range(len(kept))] == kept
    assert list(column.span(0, len(kept))) == kept
    column.shrink()
    half = len(kept) // 2
    assert list(column.span(half, len(kept))) == kept[half:]


def test_a_column_of_zeros_costs_nothing() -> None:
    """Zeros are only kept once another number came."""
    column = Integers()
    column.extend([0] * 1_000, 0)
    column.extend_zeros(1_000)

    assert column.size() == 0
    column.extend([7], 2_000)
    assert (column[1_999], column[2_000]) == (0, 7)
    column.extend_zeros(1)
    assert column[2_001] == 0


@given(
    st.lists(st.integers(0, 2**8 - 1) | st.integers(0, 2**16 + 9), max_size=60),
    st.sets(st.integers(0, 2**16 + 9), max_size=20),
    st.integers(0, 2**16 + 10),
    st.sampled_from("BHI"),
)
def test_numbers_of_any_width_are_looked_up(
    numbers: list[int], wanted: set[int], length: int, code: str
) -> None:
    """The flag of each number is that of the table; a number beyond the table has none."""
    table = bytes(number in wanted for number in range(length))
    values = packed(numbers, code)

    assert list(looked_up(table, values)) == [n < length and n in wanted for n in numbers]


def test_more_than_64_bits_cannot_be_kept() -> None:
    """A number over 64 bits is a mistake of the caller."""
    with pytest.raises(OverflowError):
        packed([2**63])


@given(st.lists(st.text(max_size=4), max_size=12), st.text(min_size=1, max_size=2))
def test_texts_are_found_where_they_are_and_not_across(texts: list[str], needle: str) -> None:
    """A search over all texts at once finds those with the needle, and no seam between two."""
    blobs = Blobs()
    blobs.extend([text.encode() for text in texts])
    found = blobs.containing(needle.encode(), 0, len(texts), folded=False)
    half = blobs.containing(needle.encode(), len(texts) // 2, len(texts), folded=False)

    assert found == [at for at, text in enumerate(texts) if needle.encode() in text.encode()]
    assert half == [at for at in found if at >= len(texts) // 2]
    assert [blobs[at].decode() for at in range(len(blobs))] == texts


@given(st.lists(st.integers(0, 2**20), max_size=40))
def test_a_palette_gives_back_values_and_counts(values: list[int]) -> None:
    """Values come back by row, their counts after sealing."""
    column = PaletteColumn(Integers())
    column.extend(values, 0)

    assert [column[row] for row in range(len(values))] == values
    assert column.counted(0, len(values)) == {value: values.count(value) for value in values}
    column.seal(len(values))
    assert [column[row] for row in range(len(values))] == values
    assert dict(zip(column.palette, column.counts, strict=True)) == column.counted(0, len(values))


def test_sparse_columns_hold_only_the_rows_they_were_given() -> None:
    """A row without an entry has nothing."""
    numbers, texts = SparseIntegers(), SparseTexts()
    numbers.extend({2: (0, 0)})
    numbers.extend({5: (300,), 6: (1, 2)})
    texts.append(3, "Zoë")

    assert [numbers.get(row) for row in (1, 2, 5, 6)] == [(), (0, 0), (300,), (1, 2)]
    assert list(numbers.rows_with(bytes([1]))) == [2]
    assert [texts.get(row) for row in (2, 3, 4)] == ["", "Zoë", ""]
    assert texts.items() == [(3, "Zoë")]


@given(st.text(max_size=20) | st.from_regex(r"[0-9a-f]{16,36}", fullmatch=True))
def test_a_transition_id_survives_being_split(tx: str) -> None:
    """Prefix and number give the same id again, whatever it looks like."""
    assert join_tx(*split_tx(tx)) == tx


def test_sources_of_one_machine_share_what_is_the_same() -> None:
    """A thousand sources of a machine take a few bytes each."""
    sources = SourceColumn()
    for row in range(1_000):
        sources.append(row, Source("machine", f"{'ab' * 8}{row:016x}", row))
    sources.shrink()

    assert sources.get(999) == Source("machine", f"{'ab' * 8}{999:016x}", 999)
    assert sources.size() < 10_000
    assert sources.rows_of_machine("other") == []
