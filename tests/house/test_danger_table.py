"""The table of what can go wrong with history on demand names a test for every row."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.house.test_feature_table import rows_of

if TYPE_CHECKING:
    from tests.house.conftest import Source


@pytest.fixture(scope="module")
def rows(root: Path) -> list[tuple[str, list[str]]]:
    """The rows of the table."""
    path = root / "tests" / "dbg" / "dangers.md"
    return [row for row in rows_of(path.read_text(encoding="utf-8")) if row[0] != "danger"]


def test_every_danger_has_a_test(rows: list[tuple[str, list[str]]]) -> None:
    """A danger without a test is a hope."""
    assert len(rows) >= 9
    assert [danger for danger, tests in rows if not tests] == []


def test_every_test_against_a_danger_exists(
    rows: list[tuple[str, list[str]]], test_sources: list[Source]
) -> None:
    """A test that was renamed or removed takes its name out of the table."""
    known = {function.name for source in test_sources for function in source.functions()}

    assert {test for _, tests in rows for test in tests} - known == set()
