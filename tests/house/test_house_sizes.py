"""Files and functions that fit into one head."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.house.conftest import Source

MODULE_LINES_MAX = 600
MODULE_LINES_MEDIAN_MAX = 220
FUNCTION_LINES_MAX = 60


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
