"""Files and functions that fit into one head."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.house.conftest import Source

MODULE_LINES_MAX = 600
MODULE_LINES_MEDIAN_MAX = 220
FUNCTION_LINES_MAX = 60


ROOMS_MAX = {"am_dbg": 20, "amtracer": 10, "machine": 15}
"""Files and folders at the top of a package."""


@pytest.mark.parametrize("package", ROOMS_MAX)
def test_few_rooms_stand_at_the_top_of_a_package(package: str, root: Path) -> None:
    """The top of a package fits into one head; what belongs together lies in a folder."""
    rooms = [
        path.name
        for path in (root / package).iterdir()
        if not path.name.startswith("__") and (path.is_dir() or path.suffix == ".py")
    ]

    assert len(rooms) <= ROOMS_MAX[package], sorted(rooms)


def test_no_module_is_long(sources: list[Source]) -> None:
    """A module has at most 600 lines."""
    long = [(source.path, source.lines) for source in sources if source.lines > MODULE_LINES_MAX]

    assert long == []


def test_modules_are_about_two_hundred_lines(sources: list[Source]) -> None:
    """Half of the modules that hold code have no more than about 200 lines."""
    sizes = [source.lines for source in sources if not source.path.endswith("__init__.py")]

    assert statistics.median(sizes) <= MODULE_LINES_MEDIAN_MAX


def test_no_function_is_long(sources: list[Source], test_sources: list[Source]) -> None:
    """A function has at most 60 lines, in tests too."""
    long = [
        (source.path, function.name, length)
        for source in [*sources, *test_sources]
        for function in source.functions()
        if (length := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
    ]

    assert long == []
