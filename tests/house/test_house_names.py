"""One name has one meaning: a class name exists once in the packages."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.house.conftest import Source


def test_a_class_name_exists_once(sources: list[Source]) -> None:
    """A reader who searches for the name of a class finds one class."""
    paths: dict[str, list[str]] = defaultdict(list)
    for source in sources:
        for one in source.classes():
            paths[one.name].append(source.path)

    assert {name: where for name, where in paths.items() if len(where) > 1} == {}
