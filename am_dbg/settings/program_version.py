"""The version of the installed debugger."""

from __future__ import annotations

from functools import cache

PROGRAM = "am-dbg"


@cache
def program_version() -> str:
    """The program with its version: am-dbg 0.4.0."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{PROGRAM} {version('asyncmachine')}"
    except PackageNotFoundError:
        return f"{PROGRAM}, not installed"
