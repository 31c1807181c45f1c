"""Running a test's work inside a handler, while the queue of the machine waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import machine as am


def inside(mach: am.Machine, work: Callable[[am.Event], Any], state: str = "A") -> Any:
    """Add a state, run this once in its State handler, and return the result."""
    results: list[Any] = []
    handlers = {f"{state}State": lambda e: results or results.append(work(e))}
    mach.bind_handlers(handlers)
    mach.add1(state)
    mach.detach_handlers(handlers)
    return results[0]


def waiting(mach: am.Machine) -> list[str]:
    """The mutations that wait, as text."""
    return [str(mutation) for mutation in mach.queue()]
