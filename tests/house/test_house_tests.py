"""Rules for all tests."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.house.conftest import Source

FOLDERS = {"core", "wire", "dbg", "screens", "e2e", "house", "package", "testing", "typing"}
SLEEPING = {"time.sleep", "sleep"}
SLEEPS = {"tests/core/test_conformance.py": "a handler that is too slow is what the record says"}


def rules_in(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from (f for f in source.functions() if f.name.startswith("test_"))


def test_every_test_states_its_rule(test_sources: list[Source]) -> None:
    """A test has a docstring that is one rule, a whole sentence."""
    silent = [
        f"{source.path}::{test.name}"
        for source in test_sources
        for test in rules_in(source)
        if not re.match(r"[A-Z`*\d_a-z\"'(\[].*[.!?]$", ast.get_docstring(test) or "", re.DOTALL)
    ]

    assert silent == []


def test_every_test_file_has_a_unique_name(test_sources: list[Source]) -> None:
    """No two test files share a name, so a name in a report is enough."""
    names = Counter(
        name
        for source in test_sources
        if (name := PurePosixPath(source.path).name).startswith("test_")
    )

    assert [name for name, count in names.items() if count > 1] == []


def test_every_test_is_in_a_known_folder(test_sources: list[Source]) -> None:
    """Each folder holds the tests of one part of the project."""
    lost = [
        source.path
        for source in test_sources
        if PurePosixPath(source.path).name.startswith("test_")
        if PurePosixPath(source.path).parts[1] not in FOLDERS
    ]

    assert lost == []


def test_test_folders_are_not_packages(test_sources: list[Source]) -> None:
    """A test folder with an `__init__.py` could be imported in place of a package."""
    assert [source.path for source in test_sources if source.path.endswith("__init__.py")] == []


def test_no_test_sleeps(test_sources: list[Source]) -> None:
    """A test waits for a state or uses its own clock."""
    sleeping = [
        (source.path, line)
        for source in test_sources
        for name, line in source.calls()
        if name in SLEEPING and source.path not in SLEEPS
    ]

    assert sleeping == []
