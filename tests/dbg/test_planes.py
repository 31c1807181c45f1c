"""Columns of whole numbers as byte planes."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.store.columns import packed
from am_dbg.store.packed.planes import (
    Walks,
    pack_circle,
    pack_column,
    pack_walk,
    pack_walks,
    spread,
    unpack_circle,
    unpack_column,
    unpack_naturals,
    unpack_walk,
)
from amtracer.errors import WireError

WHOLE = st.integers(-(2**63), 2**63 - 1)
COLUMNS = st.one_of(
    *(st.lists(st.integers(0, 2**bits - 1), max_size=50) for bits in (8, 16, 32)),
    st.lists(WHOLE, max_size=50),
)


@given(COLUMNS)
def test_a_column_is_read_as_it_was_written(values: list[int]) -> None:
    """Columns of every width come back, also as differences."""
    assert list(unpack_column(pack_column(values), len(values))) == values
    assert list(unpack_walk(pack_walk(values), len(values))) == values


@given(
    st.lists(st.integers(0, 2**8 - 1) | st.integers(0, 2**17), min_size=1, max_size=300),
    st.lists(st.integers(0, 2**16), max_size=50),
    st.integers(0, 2**17),
)
def test_entries_of_a_table_are_spread_over_numbers(
    table: list[int], picks: list[int], most: int
) -> None:
    """Each number gets its entry, in a type that holds the largest value that may follow."""
    numbers = packed([pick % len(table) for pick in picks])
    values = spread(table, numbers, most)

    assert list(values) == [table[number] for number in numbers]
    values.append(most)
    assert values[-1] == most


@given(st.lists(st.integers(0, 2**16), max_size=50))
def test_numbers_around_a_circle_come_back(values: list[int]) -> None:
    """Every number of a definition, and one more, is read as it was written."""
    assert list(unpack_circle(pack_circle(values), len(values))) == values


RUNS = st.tuples(st.integers(0, 2**16), st.integers(1, 40)) | st.tuples(
    st.sampled_from([0, 1, 2**16 - 1]), st.integers(40, 200)
)


@given(st.lists(RUNS, min_size=2, max_size=6))
def test_runs_of_numbers_come_back(runs: list[tuple[int, int]]) -> None:
    """What a program used for the first time, one number after the other, is read as written."""
    values = [min(first + at, 2**16) for first, length in runs for at in range(length)]

    assert list(unpack_circle(pack_circle(values), len(values))) == values


@given(st.lists(COLUMNS, max_size=5))
def test_each_of_several_walks_is_read_alone(parts: list[list[int]]) -> None:
    """A walk needs nothing of the walks before it in the same column."""
    walks = Walks(pack_walks(parts), sum(map(len, parts)))
    start = 0
    for part in parts:
        assert list(walks.part(start, start + len(part))) == part
        start += len(part)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], ""),
        ([0, 0], ""),
        ([255, 1], "42 ff 01"),
        ([256, 2], "48 00 02 01 00"),
        ([65_536, 3], "49 00 03 00 00 01 00 00 00"),
        ([-1, 1], "71 ff 01" + " ff 00" * 7),
    ],
)
def test_a_column_is_its_type_and_its_planes(values: list[int], expected: str) -> None:
    """The narrowest type is chosen, the lowest bytes come first, zeros are nothing."""
    assert pack_column(values) == bytes.fromhex(expected)


def test_the_example_of_the_description_is_a_column() -> None:
    """The bytes that the wire's description shows are those of its values."""
    root = Path(__file__).resolve().parents[2]
    text = (root / "docs" / "wire.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```hex apart: a column\n(.*?)```", text, re.DOTALL)

    assert pack_column([256, 2]) == bytes.fromhex(example)


@given(st.binary(max_size=60), st.integers(0, 100))
def test_any_bytes_are_a_column_or_one_error(data: bytes, count: int) -> None:
    """Bytes that do not hold as many values as asked for are refused."""
    for read in (unpack_column, unpack_walk):
        with suppress(WireError):
            assert len(read(data, count)) == count


@pytest.mark.parametrize("data", [None, 5, "text", b"x", b"B", b"H\1\2\3", b"=", b"=z"])
def test_what_is_no_column_of_two_values_is_refused(data: object) -> None:
    """Another type of value, an unknown type of column and a wrong length are errors."""
    with pytest.raises(WireError):
        unpack_column(data, 2)


def test_differences_too_large_for_64_bits_are_an_error() -> None:
    """A sum that no column can hold is refused, not shortened."""
    largest = pack_column([2**63 - 1])

    with pytest.raises(WireError, match="64 bits"):
        unpack_walk(pack_column([2**63 - 2, 2**63 - 2, 2**63 - 2]), 3)
    assert list(unpack_column(largest, 1)) == [2**63 - 1]


@pytest.mark.parametrize("values", [[-1], [7]])
def test_a_value_out_of_range_is_refused(values: list[int]) -> None:
    """A reader names the range that it needs."""
    with pytest.raises(WireError, match="from 0 to 6"):
        unpack_naturals(pack_column(values), 1, 6)
