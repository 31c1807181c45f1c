"""Folders, files and functions are small."""

from __future__ import annotations

import statistics
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.house.conftest import Source

MODULE_LINES_MAX = 600
MODULE_LINES_MEDIAN_MAX = 220
FUNCTION_LINES_MAX = 60
FOLDER_MODULES_MAX = 25


ROOMS_MAX = {"am_dbg": 20, "amtracer": 10, "machine": 20}
"""Files and folders at the top of a package."""


@pytest.mark.parametrize("package", ROOMS_MAX)
def test_the_top_of_a_package_has_few_modules(package: str, root: Path) -> None:
    """Modules that belong together are in a folder of the package."""
    names = [
        path.name
        for path in (root / package).iterdir()
        if not path.name.startswith("__") and (path.is_dir() or path.suffix == ".py")
    ]

    assert len(names) <= ROOMS_MAX[package], sorted(names)


def test_every_folder_has_few_modules(sources: list[Source]) -> None:
    """A folder fits on one screen; a larger one is divided."""
    modules = Counter(
        PurePosixPath(source.path).parent.as_posix()
        for source in sources
        if not source.path.endswith("__init__.py")
    )

    assert {path: count for path, count in modules.items() if count > FOLDER_MODULES_MAX} == {}


def test_no_module_is_long(sources: list[Source]) -> None:
    """A module has at most 600 lines."""
    long = [(source.path, source.lines) for source in sources if source.lines > MODULE_LINES_MAX]

    assert long == []


def test_modules_are_about_two_hundred_lines(sources: list[Source]) -> None:
    """The median of all modules with code is about 200 lines."""
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
