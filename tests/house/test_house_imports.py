"""Who may know whom, looked at in running processes.

The contracts in pyproject.toml read the sources; here a fresh process imports the modules
and `sys.modules` tells what really came along.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.house.conftest import Source

Brought = Callable[..., set[str]]

SCREEN = {"textual"}
TEXT_SCREEN_FREE = (
    "store",
    "query",
    "cursor",
    "projection",
    "server",
    "importing",
    "exporting",
    "golang",
)
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
    """Top-level names that are neither Python's nor ours."""
    return tops(modules) - set(sys.stdlib_module_names) - {"machine", "amtracer", "am_dbg"}


def under(sources: list[Source], *names: str) -> list[str]:
    """The modules that are one of the names or lie below one."""
    return [
        source.module
        for source in sources
        if source.module in names or source.module.startswith(tuple(f"{name}." for name in names))
        if not source.module.endswith("__main__")
    ]


def guilty(brought: Brought, modules: list[str], banned: set[str]) -> list[str]:
    """Which of the modules bring a banned one; one process when none does."""
    assert modules
    if not tops(brought(*modules)) & banned:
        return []
    return [name for name in modules if tops(brought(name)) & banned]


def test_machine_brings_nothing_but_the_standard_library(
    brought: Brought, sources: list[Source]
) -> None:
    """Every module of `machine` loads neither the other packages nor anything installed."""
    modules = brought(*under(sources, "machine"))

    assert not foreign(modules)
    assert not tops(modules) & {"amtracer", "am_dbg"}


def test_importing_machine_stays_light(brought: Brought) -> None:
    """`import machine` loads none of the slow parts of the standard library."""
    assert not brought("machine") & HEAVY


@pytest.mark.slow
def test_importing_machine_costs_less_than_importing_asyncio(brought: Brought) -> None:
    """`import machine` loads less of the standard library than `import asyncio` alone."""
    others = [name for name in brought("machine") if name.partition(".")[0] != "machine"]

    assert len(others) < len(brought("asyncio")) / 2


def test_importing_amtracer_loads_neither_end(brought: Brought) -> None:
    """`import amtracer` costs nothing until something is attached or recorded."""
    assert not tops(brought("amtracer")) & {"machine", "am_dbg", "msgpack", "brotli"}


def test_the_wire_knows_neither_end(brought: Brought, sources: list[Source]) -> None:
    """Schema, codec and session files load without `machine` and without the debugger."""
    wire = ("schema", "codec", "limits", "errors", "interning", "session")
    modules = under(sources, *(f"amtracer.{name}" for name in wire))

    assert guilty(brought, modules, {"machine", "am_dbg"}) == []


def test_the_tracer_knows_no_debugger_and_no_screen(
    brought: Brought, sources: list[Source]
) -> None:
    """A traced program never loads the debugger or what it draws with."""
    banned = {"am_dbg", "textual", "rich", "click"}

    assert guilty(brought, under(sources, "amtracer"), banned) == []


def test_the_data_side_of_the_debugger_loads_no_screen(
    brought: Brought, sources: list[Source]
) -> None:
    """Store, queries, projections, server, import and export work without Textual."""
    modules = under(sources, *(f"am_dbg.{name}" for name in TEXT_SCREEN_FREE))

    assert guilty(brought, modules, SCREEN) == []


def test_the_data_side_of_the_debugger_loads_no_machine(
    brought: Brought, sources: list[Source]
) -> None:
    """What is shown comes over the wire; only control and states run a machine."""
    modules = under(sources, *(f"am_dbg.{name}" for name in TEXT_SCREEN_FREE))

    assert guilty(brought, modules, {"machine"}) == []


def test_the_command_line_loads_the_screen_late(brought: Brought) -> None:
    """`am-dbg list` and its like do not wait for Textual."""
    assert not tops(brought("am_dbg.cli.commands")) & SCREEN
