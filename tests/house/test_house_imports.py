"""Import rules, checked in running processes.

The contracts in pyproject.toml check the sources. Here a fresh process imports the modules, and
`sys.modules` shows what was loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.house.conftest import Source

Loaded = Callable[..., set[str]]

SCREEN = {"textual"}
DATA_SIDE = ("store", "query", "projection", "drawing", "ingest", "egress", "reports")
HEAVY = {
    "asyncio",
    "concurrent.futures",
    "difflib",
    "email",
    "http",
    "inspect",
    "logging",
    "multiprocessing",
    "socket",
    "ssl",
    "subprocess",
    "unittest",
    "urllib",
}


def tops(modules: Iterable[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def foreign(modules: Iterable[str]) -> set[str]:
    """Top-level names of neither the standard library nor this project."""
    return (
        tops(modules)
        - set(sys.stdlib_module_names)
        - {"machine", "asyncmachine", "amtracer", "am_dbg"}
    )


def under(sources: list[Source], *names: str) -> list[str]:
    """The modules with one of these names, or below one."""
    return [
        source.module
        for source in sources
        if source.module in names or source.module.startswith(tuple(f"{name}." for name in names))
        if not source.module.endswith("__main__")
    ]


def importers(loaded: Loaded, modules: list[str], banned: set[str]) -> list[str]:
    """The modules that load a banned one; a single process if none does."""
    assert modules
    if not tops(loaded(*modules)) & banned:
        return []
    return [name for name in modules if tops(loaded(name)) & banned]


def test_machine_loads_only_the_standard_library(loaded: Loaded, sources: list[Source]) -> None:
    """Every module of `machine` loads neither the other packages nor anything installed."""
    modules = loaded(*under(sources, "machine"))

    assert not foreign(modules)
    assert not tops(modules) & {"amtracer", "am_dbg"}


def test_importing_machine_stays_light(loaded: Loaded) -> None:
    """`import machine` loads none of the slow parts of the standard library."""
    assert not loaded("machine") & HEAVY


def test_the_rules_of_the_check_are_loaded_late(loaded: Loaded) -> None:
    """`import machine` does not load what `machine.check` needs."""
    assert not loaded("machine") & {"machine._checking.findings", "machine.pipes"}


@pytest.mark.slow
def test_importing_machine_costs_less_than_importing_asyncio(loaded: Loaded) -> None:
    """`import machine` loads less of the standard library than `import asyncio` alone."""
    others = [name for name in loaded("machine") if name.partition(".")[0] != "machine"]

    assert len(others) < len(loaded("asyncio")) / 2


def test_importing_amtracer_loads_nothing_heavy(loaded: Loaded) -> None:
    """`import amtracer` costs nothing until a machine is attached or recorded."""
    assert not tops(loaded("amtracer")) & {"machine", "am_dbg", "msgpack", "brotli"}


def test_the_wire_imports_neither_end(loaded: Loaded, sources: list[Source]) -> None:
    """Messages, codec and session files load without `machine` and without the debugger."""
    wire = ("wire", "encode", "files", "errors", "address")
    modules = under(sources, *(f"amtracer.{name}" for name in wire))

    assert importers(loaded, modules, {"machine", "am_dbg"}) == []


def test_the_tracer_imports_neither_debugger_nor_screen(
    loaded: Loaded, sources: list[Source]
) -> None:
    """A traced program never loads the debugger or its libraries."""
    banned = {"am_dbg", "textual", "rich", "click"}

    assert importers(loaded, under(sources, "amtracer"), banned) == []


def test_the_data_side_of_the_debugger_loads_no_screen(
    loaded: Loaded, sources: list[Source]
) -> None:
    """Store, queries, projections, server, import and export work without Textual."""
    modules = under(sources, *(f"am_dbg.{name}" for name in DATA_SIDE))

    assert importers(loaded, modules, SCREEN) == []


def test_the_data_side_of_the_debugger_loads_no_machine(
    loaded: Loaded, sources: list[Source]
) -> None:
    """All data arrives over the wire; only control runs a machine."""
    modules = under(sources, *(f"am_dbg.{name}" for name in DATA_SIDE))

    assert importers(loaded, modules, {"machine"}) == []


def test_the_command_line_loads_the_screen_late(loaded: Loaded) -> None:
    """`am-dbg list` and the other commands do not load Textual."""
    assert not tops(loaded("am_dbg.cli.commands")) & SCREEN


def test_the_first_screen_loads_nothing_that_it_does_not_show(loaded: Loaded) -> None:
    """Before an option, a program or a key asks for it, the debugger loads nothing for it."""
    late = {
        "am_dbg.egress.client_list",
        "am_dbg.egress.forward",
        "am_dbg.ingest.golang.convert",
        "am_dbg.ingest.golang.gob",
        "am_dbg.ingest.golang.live",
        "am_dbg.ingest.golang.session",
        "am_dbg.views.comparison",
        "multiprocessing",
        "pygments",
        "rich.markdown",
        "rich.syntax",
        "rich.traceback",
        "unittest",
        "urllib.request",
    }

    assert not loaded("am_dbg.cli.commands", "am_dbg.app") & late
