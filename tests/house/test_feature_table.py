"""The table of what the debugger shows names a test for every row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.house.conftest import Source

Rows = list[tuple[str, list[str]]]


def rows_of(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each row of the tables: the part, and the tests that it names."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("|") and len(cells) == 2 and cells != ["part", "tests"]:
            yield cells[0], re.findall(r"`(test_\w+)`", cells[1])


@pytest.fixture(scope="module")
def rows(root: Path) -> Rows:
    """The rows of the table."""
    path = root / "tests" / "screens" / "features.md"
    return list(rows_of(path.read_text(encoding="utf-8")))


def test_every_part_has_a_test(rows: Rows) -> None:
    """A row without a test is a promise that nothing holds."""
    assert len(rows) > 80
    assert [part for part, tests in rows if not tests] == []


def test_every_named_test_exists(rows: Rows, test_sources: list[Source]) -> None:
    """A test that was renamed or removed takes its name out of the table."""
    known = {function.name for source in test_sources for function in source.functions()}

    assert {test for _, tests in rows for test in tests} - known == set()


def test_no_part_is_listed_twice(rows: Rows) -> None:
    """Each part has one row."""
    parts = [part for part, _ in rows]

    assert sorted(set(parts)) == sorted(parts)


def test_a_row_without_a_test_is_found() -> None:
    """Headings and rules of tables are no rows."""
    text = "| part | tests |\n|---|---|\n| one | `test_a`, `test_b` |\n| two | nothing |\n"

    assert list(rows_of(text)) == [("one", ["test_a", "test_b"]), ("two", [])]
