"""The layers of `machine`: which module may refer to which.

All imports count: those at the top, those inside functions, and those for type checkers only.
A type from above is a dependency too, since a reader has to look there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.house.conftest import Source

Graph = dict[str, set[str]]

LAYERS = (
    "errors",
    "_clock",
    "_enums",
    "_given",
    "_logging",
    "_schema",
    "_resolution",
    "_handlers",
    "_reasons",
    "_waiting",
    "_transition",
    "_calling",
    "_engine",
    "_asking",
    "_machine",
    "pipes",
    "states",
    "_checking",
    "",
    "helpers",
    "testing",
)
"""Files and folders at the top of the package; each may use only those before it."""

UPWARDS = {
    ("machine._transition.owner", "machine._machine.machine"): (
        "an event hands the whole machine to users, so its type is the class `Machine`"
    ),
}
"""Imports that may lead up, each with its reason."""


def imported(source: Source, modules: set[str]) -> Iterator[str]:
    """The modules that a module imports, wherever the import stands."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & modules
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from names & modules
            if names - modules and node.module in modules:
                yield node.module


def layer(module: str) -> str:
    return module.removeprefix("machine").removeprefix(".").partition(".")[0]


@pytest.fixture(scope="module")
def graph(sources: list[Source]) -> Graph:
    """The modules of `machine`, and what each imports, apart from `UPWARDS`."""
    own = [source for source in sources if source.path.startswith("machine/")]
    modules = {source.module for source in own}
    found = {source.module: set(imported(source, modules)) for source in own}
    assert all(target in found[module] for module, target in UPWARDS), "an exception is outdated"
    return {
        module: {target for target in targets if (module, target) not in UPWARDS}
        for module, targets in found.items()
    }


def test_no_modules_import_each_other_in_a_circle(graph: Graph) -> None:
    """The modules of `machine` have an order in which each uses only those before it."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def test_folders_are_layers(graph: Graph) -> None:
    """A folder of `machine` uses itself and the folders below it."""
    height = {name: number for number, name in enumerate(LAYERS)}

    assert [
        f"{module} -> {target}"
        for module, targets in graph.items()
        for target in targets
        if height[layer(target)] > height[layer(module)]
    ] == []


def test_every_file_and_folder_has_a_layer(graph: Graph) -> None:
    """`LAYERS` lists what stands at the top of `machine`, and nothing else."""
    assert {layer(module) for module in graph} == set(LAYERS)


def test_imports_in_functions_and_for_types_count() -> None:
    """An import is found wherever it stands in a module."""
    from tests.house.conftest import Source

    text = (
        "if TYPE_CHECKING:\n    from machine._a.one import One\n"
        "def use():\n    from machine._a import two\n    import machine._b.three\n"
    )
    source = Source("machine/_b/four.py", text, ast.parse(text))
    modules = {"machine._a.one", "machine._a.two", "machine._b.three"}

    assert set(imported(source, modules)) == modules
