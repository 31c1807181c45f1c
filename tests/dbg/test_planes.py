"""Columns of whole numbers as byte planes."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.store.packed.planes import PlanesReader, column_bytes
from amtracer.errors import DamagedRecordError

COLUMNS = st.one_of(
    *(st.lists(st.integers(0, 2**bits - 1), max_size=50) for bits in (8, 16, 32)),
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=50),
)


@given(st.lists(COLUMNS, max_size=5))
def test_columns_are_read_as_they_were_written(columns: list[list[int]]) -> None:
    """Columns of every width follow one another and nothing is left."""
    reader = PlanesReader(b"".join(map(column_bytes, columns)))

    assert [list(reader.column(len(values))) for values in columns] == columns
    reader.end()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], "42"),
        ([255, 1], "42 ff 01"),
        ([256, 2], "48 00 02 01 00"),
        ([65_536, 3], "49 00 03 00 00 01 00 00 00"),
        ([-1, 1], "71 ff 01" + " ff 00" * 7),
    ],
)
def test_a_column_is_its_type_and_its_planes(values: list[int], expected: str) -> None:
    """The narrowest type is chosen, and the lowest bytes of all values come first."""
    assert column_bytes(values) == bytes.fromhex(expected)


def test_the_example_of_the_description_is_a_column() -> None:
    """The bytes that the wire's description shows are those of its values."""
    root = Path(__file__).resolve().parents[2]
    text = (root / "docs" / "wire.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```hex apart: a column\n(.*?)```", text, re.DOTALL)

    assert column_bytes([256, 2]) == bytes.fromhex(example)


@given(st.binary(max_size=60), st.lists(st.integers(0, 2**40), max_size=5))
def test_any_bytes_are_columns_or_one_error(data: bytes, counts: list[int]) -> None:
    """Bytes that hold fewer values than asked for are refused before any array is made."""
    reader = PlanesReader(data)
    with suppress(DamagedRecordError):
        for count in counts:
            assert len(reader.column_below(count, 2**32)) == count
        reader.end()


def test_a_number_at_the_limit_is_refused() -> None:
    """Values are below the limit and not negative."""
    assert list(PlanesReader(column_bytes([0, 9])).column_below(2, 10)) == [0, 9]
    for values in ([0, 10], [-1, 9]):
        with pytest.raises(DamagedRecordError, match="rows: a number that is not defined"):
            PlanesReader(column_bytes(values), "rows").column_below(2, 10)


def test_columns_of_another_length_are_refused() -> None:
    """A column that is too short, has no type, or is followed by bytes is damage."""
    data = column_bytes([1, 2, 3])
    with pytest.raises(DamagedRecordError, match="a column is cut"):
        PlanesReader(data).column(4)
    with pytest.raises(DamagedRecordError, match="without a type"):
        PlanesReader(b"x" + data).column(3)
    reader = PlanesReader(data)
    reader.column(2)
    with pytest.raises(DamagedRecordError, match="bytes after the last column"):
        reader.end()
